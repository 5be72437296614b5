"""The SQLite store: runs, files with their predictions, and the journal of every tag change.

One process writes (a lock file beside the database says which), in WAL mode, in short
transactions that are on the disk when they return: a journal row must outlive a power cut that
the renamed file outlives. Paths are stored as bytes, since a file's name need not be text.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import filelock
import numpy as np
import platformdirs
import sqlite_utils
from numpy.typing import DTypeLike, NDArray

from mgtag import __version__
from mgtag.card import GENRE
from mgtag.errors import StoreError
from mgtag.library.migrations import MIGRATIONS
from mgtag.library.records import Change, Run, Track
from mgtag.prediction import HeadOutput, Prediction

BUSY_S = 30.0  # how long to wait for another process's transaction


class Index:
    """An open index.

    Parameters
    ----------
    path : Path or ":memory:"

    Raises
    ------
    StoreError
        If it cannot be opened, or a newer mgtag has written it.
    """

    def __init__(self, path: Path | Literal[":memory:"] = ":memory:") -> None:
        self.path = path
        try:
            if path != ":memory:":
                Path(path).parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, timeout=BUSY_S)
            self._db.row_factory = sqlite3.Row
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=FULL")
            self._migrate()
        except (OSError, sqlite3.Error) as error:
            raise StoreError(
                f"{path}: the index cannot be opened ({error}); --index chooses another."
            ) from error

    def close(self) -> None:
        """Close the database."""
        self._db.close()

    def __enter__(self) -> Index:
        return self

    def __exit__(self, kind: object, value: BaseException | None, trace: object) -> None:
        self.close()
        if isinstance(value, sqlite3.Error):
            raise StoreError(
                f"{self.path}: the index failed ({value}); no file was harmed, and `mgtag undo` knows of "
                "every change."
            ) from value

    @contextmanager
    def sole_writer(self) -> Iterator[None]:
        """Hold the right to change files and index; a second process is told so at once."""
        if self.path == ":memory:":
            yield
            return
        try:
            with filelock.FileLock(f"{self.path}.lock", timeout=0):
                yield
        except filelock.Timeout as error:
            raise StoreError(
                f"Another mgtag is at work on {self.path}; wait for it, or choose another --index."
            ) from error

    def begin_run(self, command: str, bundle: str = "") -> int:
        """Open a run and return its number."""
        row = {"command": command, "bundle": bundle, "version": __version__, "started": _now()}
        return self._insert("runs", row)

    def end_run(self, run: int) -> None:
        """Note when a run ended."""
        with self._db:
            self._db.execute("UPDATE runs SET ended = ? WHERE id = ?", (_now(), run))

    def track(self, path: Path) -> Track | None:
        """Return what is known of the file at `path`."""
        return next(self.tracks("path = ?", (os.fsencode(path),)), None)

    def tracks(self, where: str = "1", values: Sequence[object] = (), order: str = "path") -> Iterator[Track]:
        """Return the files that match an SQL condition, in order."""
        columns = ", ".join(_TRACK)
        for row in self._db.execute(f"SELECT {columns} FROM files WHERE {where} ORDER BY {order}", values):
            texts = {"genres": _strings(row["genres"]), "written": _strings(row["written"])}
            yield Track(**dict(row) | texts | {"path": Path(os.fsdecode(row["path"]))})

    def prediction(self, path: Path) -> Prediction | None:
        """Return what the network heard in the file at `path`, if it was heard."""
        row = self._db.execute(
            "SELECT labels, starts_s, probabilities, attention, embedding FROM files WHERE path = ?",
            (os.fsencode(path),),
        ).fetchone()
        if row is None or row["labels"] is None:
            return None
        labels, starts_s = json.loads(row["labels"]), _array(row["starts_s"], np.float32)
        if isinstance(labels, list):  # of before heads had names
            labels = {GENRE: labels}
        shares, attention, embedding = (
            None if row[name] is None
            else _array(row[name], np.float16).astype(np.float32).reshape(len(starts_s), -1)
            for name in _ARRAYS
        )  # fmt: skip
        if shares is None or embedding is None:
            return None
        ends = np.cumsum([len(names) for names in labels.values()])
        heads = {
            name: HeadOutput(tuple(labels[name]), shares[:, end - len(labels[name]) : end])
            for name, end in zip(labels, ends, strict=True)
        }
        return Prediction(starts_s, heads, attention, embedding)

    def record(self, track: Track, prediction: Prediction | None = None) -> None:
        """Store what a scan found.

        A prediction that is not given stays as it is, but for a track in which nothing was heard:
        then what is known is of another sound, which lay there before.
        """
        with self._db:
            self._record(track, prediction)

    def move(self, old: Path, new: Path) -> None:
        """Note that a file lies elsewhere now."""
        with self._db:
            self._db.execute("DELETE FROM files WHERE path = ?", (os.fsencode(new),))
            self._db.execute("UPDATE files SET path = ? WHERE path = ?", (os.fsencode(new), os.fsencode(old)))

    def begin_change(self, change: Change) -> int:
        """Write a journal row, on the disk when this returns, and return its number."""
        row = _plain(change) | {"path": os.fsencode(change.path)}
        del row["id"]
        return self._insert("journal", row)

    def end_change(
        self, change: int, state: str, track: Track | None = None, prediction: Prediction | None = None
    ) -> None:
        """Settle a journal row together with the file's own row, in one transaction."""
        with self._db:
            self._db.execute("UPDATE journal SET state = ? WHERE id = ?", (state, change))
            if track is not None:
                self._record(track, prediction)

    def drop_change(self, change: int) -> None:
        """Forget a change that did not happen."""
        with self._db:
            self._db.execute("DELETE FROM journal WHERE id = ?", (change,))

    def changes(self, where: str, values: Sequence[object] = ()) -> Iterator[Change]:
        """Return the journal rows that match an SQL condition, latest first."""
        for row in self._db.execute(
            f"SELECT * FROM journal WHERE {where} ORDER BY id DESC", values
        ).fetchall():
            texts = {"before": _strings(row["before"]), "after": _strings(row["after"])}
            yield Change(**dict(row) | texts | {"path": Path(os.fsdecode(row["path"]))})

    def change(self, number: int) -> Change:
        """Return one journal row."""
        return next(self.changes("id = ?", (number,)))

    def change_ids(self, where: str, values: Sequence[object] = ()) -> list[int]:
        """Return the numbers of the journal rows that match an SQL condition, latest first.

        Their patches stay where they are: those of a whole library need not fit into memory.
        """
        plain = [os.fsencode(v) if isinstance(v, Path) else v for v in values]
        return [
            n for (n,) in self._db.execute(f"SELECT id FROM journal WHERE {where} ORDER BY id DESC", plain)
        ]

    def journal_paths(self) -> Iterator[Path]:
        """Return every path that the journal names, once."""
        for (path,) in self._db.execute("SELECT DISTINCT path FROM journal").fetchall():
            yield Path(os.fsdecode(path))

    def last_tagging_run(self) -> int | None:
        """Return the latest run with a change that can still be undone."""
        row = self._db.execute("SELECT max(run) FROM journal WHERE state IN ('done', 'pending')").fetchone()
        return None if row[0] is None else int(row[0])

    def runs(self) -> Iterator[Run]:
        """Return all runs with the number of their changes, latest first."""
        counts = "count(j.id) AS changed, sum(j.state = 'undone') AS undone"
        for row in self._db.execute(
            f"SELECT r.id, r.started, r.command, {counts} FROM runs r LEFT JOIN journal j ON j.run = r.id "
            "GROUP BY r.id ORDER BY r.id DESC"
        ):
            yield Run(row["id"], row["started"], row["command"], row["changed"], row["undone"] or 0)

    def last_run(self) -> int | None:
        """Return the number of the latest run."""
        row = self._db.execute("SELECT max(id) FROM runs").fetchone()
        return None if row[0] is None else int(row[0])

    def has_run(self, run: int) -> bool:
        """Say whether there was a run of that number."""
        return self._db.execute("SELECT 1 FROM runs WHERE id = ?", (run,)).fetchone() is not None

    def _record(self, track: Track, prediction: Prediction | None) -> None:
        row = _plain(track) | {"path": os.fsencode(track.path)}
        if prediction is not None:
            heads = prediction.heads
            labels = {name: head.labels for name, head in heads.items()}
            shares = np.concatenate([head.probabilities for head in heads.values()], axis=1)
            arrays = (shares, prediction.attention, prediction.embedding)
            row |= {"labels": json.dumps(labels), "starts_s": prediction.starts_s.tobytes()}
            row |= {
                name: None if array is None else array.astype(np.float16).tobytes()
                for name, array in zip(_ARRAYS, arrays, strict=True)
            }
        elif not track.heard:
            row |= dict.fromkeys(("labels", "starts_s", *_ARRAYS))
        kept = ", ".join(f"{name} = excluded.{name}" for name in row)
        self._db.execute(
            f"INSERT INTO files ({', '.join(row)}) VALUES ({_marks(row)}) "
            f"ON CONFLICT (path) DO UPDATE SET {kept}",
            _values(row),
        )

    def _insert(self, table: str, row: dict[str, Any]) -> int:
        with self._db:
            cursor = self._db.execute(
                f"INSERT INTO {table} ({', '.join(row)}) VALUES ({_marks(row)})", _values(row)
            )
        return int(cursor.lastrowid or 0)

    def _migrate(self) -> None:
        db = sqlite_utils.Database(self._db)
        applied = {m.name for m in MIGRATIONS.applied(db)}
        pending = {m.name for m in MIGRATIONS.pending(db)}
        if unknown := applied - {m.name for m in MIGRATIONS._migrations}:
            raise StoreError(
                f"{self.path}: a newer mgtag wrote this index ({', '.join(sorted(unknown))}); update mgtag, "
                "or choose another with --index."
            )
        if applied and pending:
            with sqlite3.connect(f"{self.path}.{datetime.now(UTC):%Y%m%d-%H%M%S}.backup") as copy:
                self._db.backup(copy)
        if pending:
            MIGRATIONS.apply(db)


def is_broken(error: Exception) -> bool:
    """Say whether the index itself failed: no room, damage, a lock; not one row's values."""
    of_a_row = (sqlite3.IntegrityError, sqlite3.DataError, sqlite3.ProgrammingError, sqlite3.InterfaceError)
    return isinstance(error, sqlite3.Error) and not isinstance(error, of_a_row)


def default_path() -> Path:
    """Return where the index lies unless ``--index`` says otherwise."""
    return platformdirs.user_data_path("mgtag") / "index.db"


_ARRAYS = ("probabilities", "attention", "embedding")
_TRACK = tuple(Track.__dataclass_fields__)


def _plain(value: Track | Change) -> dict[str, Any]:
    row = dict(vars(value))
    return {k: json.dumps(v, ensure_ascii=False) if isinstance(v, tuple) else v for k, v in row.items()}


def _values(row: dict[str, Any]) -> tuple[Any, ...]:
    # A sentence may hold a name that is no text, which SQLite would not take; paths are bytes.
    return tuple(v.encode("utf-8", "replace").decode() if isinstance(v, str) else v for v in row.values())


def _strings(text: str) -> tuple[str, ...]:
    return tuple(json.loads(text))


def _array(raw: bytes, dtype: DTypeLike) -> NDArray[Any]:
    return np.frombuffer(raw, dtype)


def _marks(row: dict[str, Any]) -> str:
    return ", ".join("?" * len(row))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
