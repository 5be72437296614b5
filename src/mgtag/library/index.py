"""The SQLite store: runs, files with what was heard in them, and the journal of every tag change.

One process writes (a lock file beside the database says which), in WAL mode, in short
transactions that are on the disk when they return: a journal row must outlive a power cut that
the renamed file outlives. Paths are text, see `mgtag.library.paths`.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mgtag.errors import DamagedIndexError, StoreError
from mgtag.library import opening
from mgtag.library.opening import Place, default_path
from mgtag.library.outcome import Outcome
from mgtag.library.paths import below, from_text, to_text
from mgtag.library.records import Change, Entry, Filter, Known, Located, Run, State, Track, Values
from mgtag.library.rows import as_json, change_of, clean, columns_of, columns_of_change, entry_of, track_of
from mgtag.version import __version__

if TYPE_CHECKING:
    from mgtag.prediction import Prediction

__all__ = ["UNDOABLE", "Index", "default_path"]

_KNOWN = "path, size, mtime_ns, bundle, run, outcome, reason, genre, genre_confidence, signature, gone"
UNDOABLE: tuple[State, ...] = ("done", "pending")
ORDERS = {
    "path": "path",
    "genre": "genre, genre_confidence DESC, id",
    "mood": "mood, mood_confidence DESC, id",
    "confidence": "genre_confidence DESC, id",
    "added": "added DESC, id",
}


class Index:
    """An open index.

    Parameters
    ----------
    path : Path or ":memory:"
    mend : bool
        Set a damaged index aside and begin a new one with its journal, instead of raising.

    Attributes
    ----------
    mended : str
        What was done so, in one sentence; "" if nothing.

    Raises
    ------
    DamagedIndexError
        If its file is damaged.
    StoreError
        If it cannot be opened, is another program's, or a newer mgtag has written it.
    """

    def __init__(self, path: Place = ":memory:", mend: bool = False) -> None:
        self.path = path
        self.mended = ""
        self._copies: set[Path] = set()
        try:
            self._db = opening.connect(path, check=mend)
        except DamagedIndexError:
            if not mend or path == ":memory:":
                raise
            self.mended = opening.mend(path)
            self._db = opening.connect(path)
        self._db.row_factory = sqlite3.Row
        self._db.create_function("casefold", 1, str.casefold, deterministic=True)

    def close(self) -> None:
        """Close the database."""
        self._db.close()

    def __enter__(self) -> Index:
        return self

    def __exit__(self, kind: object, value: BaseException | None, trace: object) -> None:
        self.close()
        if not isinstance(value, sqlite3.Error):
            return
        if self.path != ":memory:" and opening.is_damage(value):
            opening.suspect(self.path).touch()
            raise opening.damaged(self.path, value) from value
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
        with opening.lock(self.path):
            yield

    def problems(self) -> list[str]:
        """Return what SQLite finds wrong with the whole of its file; nothing if all is well."""
        found = [str(line) for (line,) in self._db.execute("PRAGMA integrity_check(20)")]
        return [] if found == ["ok"] else found

    # Runs

    def begin_run(
        self, command: str, bundle: str = "", action: str = "scan", dry_run: bool = False, policy: str = ""
    ) -> int:
        """Open a run and return its number."""
        row = {"command": command, "bundle": bundle, "version": __version__, "started": _now()}
        return self._insert("run_log", row | {"action": action, "dry_run": dry_run, "policy": policy})

    def end_run(self, run: int, counts: Mapping[str, int] | None = None) -> None:
        """Note when a run ended, and how many files ended how."""
        with self._db:
            self._db.execute(
                "UPDATE run_log SET ended = ?, counts = ? WHERE id = ?",
                (_now(), json.dumps(dict(counts or {})), run),
            )

    def runs(self) -> Iterator[Run]:
        """Return all runs with the number of their changes, latest first."""
        for row in self._db.execute(
            "SELECT r.id, r.started, r.command, count(j.id) AS changed, "
            "coalesce(sum(j.state = 'undone'), 0) AS undone, r.action, r.dry_run, r.counts "
            "FROM run_log r LEFT JOIN journal j ON j.run = r.id GROUP BY r.id ORDER BY r.id DESC"
        ):
            values = dict(row) | {"dry_run": bool(row["dry_run"]), "counts": json.loads(row["counts"])}
            yield Run(**values)

    def last_run(self) -> int | None:
        """Return the number of the latest run."""
        return self._number("SELECT max(id) FROM run_log")

    def last_tagging_run(self) -> int | None:
        """Return the latest run with a change that can still be undone."""
        return self._number("SELECT max(run) FROM journal WHERE state IN ('done', 'pending')")

    def has_run(self, run: int) -> bool:
        """Say whether there was a run of that number."""
        return self._number("SELECT id FROM run_log WHERE id = ?", run) is not None

    def runs_like(self, policy: str) -> set[int]:
        """Return the runs that wrote, and decided by the same policy."""
        rows = self._db.execute("SELECT id FROM run_log WHERE policy = ? AND NOT dry_run", (policy,))
        return {number for (number,) in rows}

    def dry_runs(self) -> set[int]:
        """Return the runs that only told what they would do."""
        return {number for (number,) in self._db.execute("SELECT id FROM run_log WHERE dry_run")}

    # Files

    def track(self, path: Path) -> Track | None:
        """Return what is known of the file at `path`."""
        row = self._db.execute("SELECT * FROM files WHERE path = ?", (to_text(path),)).fetchone()
        return None if row is None else track_of(row)

    def tracks(self, wanted: Filter | None = None) -> Iterator[Track]:
        """Return the files that match, in order, as they are read."""
        wanted = wanted or Filter()
        where, values = _condition(wanted)
        order = ORDERS[wanted.order]
        for row in self._db.execute(f"SELECT * FROM files WHERE {where} ORDER BY {order}", values):
            track = track_of(row)
            if _has(track, "genre", wanted.genre) and _has(track, "mood", wanted.mood):
                yield track

    def same_sound(self, signature: str) -> list[Track]:
        """Return the files whose sound has this signature."""
        rows = self._db.execute("SELECT * FROM files WHERE signature = ? ORDER BY path", (signature,))
        return [track_of(row) for row in rows]

    def same_date(self, size: int, mtime_ns: int) -> Iterator[Known]:
        """Return the files of this size and date, wherever they lie."""
        return self._known("size = ? AND mtime_ns = ?", (size, mtime_ns))

    def known(self, roots: Iterable[Path]) -> Iterator[Known]:
        """Return what is known of every file under `roots`, gone ones too, once each."""
        return self._known(*_under(roots))

    def knows_below(self, folder: Path) -> bool:
        """Say whether any file at or under `folder` is known."""
        where, values = _under([folder])
        return self._number(f"SELECT id FROM files WHERE {where} LIMIT 1", *values) is not None

    def prediction(self, path: Path) -> Prediction | None:
        """Return what the network heard in the file at `path`, if it was heard.

        Raises
        ------
        StoreError
            If it is damaged.
        """
        row = self._db.execute(
            "SELECT l.names, s.slices, s.embedding FROM files f JOIN slices s ON s.file = f.id "
            "JOIN labels l ON l.id = s.labels WHERE f.path = ?",
            (to_text(path),),
        ).fetchone()
        if row is None:
            return None
        from mgtag.library.packing import unpack

        try:
            return unpack(json.loads(row["names"]), row["slices"], row["embedding"])
        except ValueError as error:
            raise StoreError(
                f"{path}: what was heard in it is damaged in the index; `mgtag scan --force` hears it again."
            ) from error

    def bundles(self) -> list[str]:
        """Return the ids of the bundles that heard files which are there, the one that heard most first."""
        rows = self._db.execute(
            "SELECT f.bundle FROM files f JOIN slices s ON s.file = f.id WHERE NOT f.gone "
            "GROUP BY f.bundle ORDER BY count(*) DESC, f.bundle"
        )
        return [bundle for (bundle,) in rows]

    def embeddings(self, bundle: str) -> Iterator[tuple[Located, bytes]]:
        """Return the files that a bundle heard and that are there, with their mean embedding (float16)."""
        cursor = self._db.cursor()
        cursor.row_factory = None
        rows = cursor.execute(
            "SELECT f.path, f.artist, coalesce(f.title, ''), f.genre, f.genre_confidence, f.mood, "
            "f.duration_s, s.embedding FROM files f JOIN slices s ON s.file = f.id "
            "WHERE f.bundle = ? AND NOT f.gone ORDER BY f.path",
            (bundle,),
        )
        return ((Located(*row), embedding) for *row, embedding in rows)

    def record(self, track: Track, prediction: Prediction | None = None) -> None:
        """Store what a scan found.

        A prediction that is not given stays as it is, but for a track in which nothing was heard:
        then what is known is of another sound, which lay there before.
        """
        with self._db:
            self._record(track, prediction)

    def decline(self, path: Path, values: Values) -> None:
        """Note what the listener took back for good, instead of what was noted before."""
        with self._db:
            self._db.execute(
                "UPDATE files SET declined = ? WHERE path = ?",
                (as_json(values), to_text(path)),
            )

    def move(self, old: Path, new: Path) -> None:
        """Note that a file lies elsewhere now."""
        self.move_all([(to_text(old), to_text(new))])

    def move_all(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Note that files lie elsewhere now; paths are as `Known` has them."""
        with self._db:
            for old, new in pairs:
                self._db.execute("DELETE FROM files WHERE path = ? AND path <> ?", (new, old))
                self._db.execute("UPDATE files SET path = ?, gone = 0 WHERE path = ?", (new, old))

    def note_outcomes(self, run: int, outcomes: Iterable[tuple[str, Outcome, str]]) -> None:
        """Note how files ended that were not heard again: path as `Known` has it, outcome, reason."""
        with self._db:
            self._db.executemany(
                "UPDATE files SET outcome = ?, reason = ?, run = ? WHERE path = ?",
                ((outcome, clean(reason), run, path) for path, outcome, reason in outcomes),
            )

    def set_gone(self, paths: Iterable[str], gone: bool = True) -> None:
        """Note which files were not there, or are there again; paths are as `Known` has them."""
        with self._db:
            self._db.executemany("UPDATE files SET gone = ? WHERE path = ?", ((gone, path) for path in paths))

    def mounts(self) -> set[str]:
        """Return the folders at which another drive began, as text."""
        return {path for (path,) in self._db.execute("SELECT path FROM mounts")}

    def set_mounts(self, paths: Collection[str]) -> None:
        """Note these folders instead."""
        with self._db:
            self._db.execute("DELETE FROM mounts")
            self._db.executemany("INSERT INTO mounts VALUES (?)", ((path,) for path in paths))

    # The journal

    def begin_change(self, change: Change) -> int:
        """Write a journal row, on the disk when this returns, and return its number."""
        return self._insert("journal", columns_of_change(change))

    def end_change(
        self, change: int, state: State, track: Track | None = None, prediction: Prediction | None = None
    ) -> None:
        """Settle a journal row together with the file's own row, in one transaction."""
        with self._db:
            self._db.execute("UPDATE journal SET state = ? WHERE id = ?", (state, change))
            if track is not None:
                self._record(track, prediction)

    def begin_copies(self, folder: Path) -> None:
        """Note that copies of files will stand in a folder until they take their places."""
        if folder not in self._copies:
            with self._db:
                self._db.execute("INSERT OR IGNORE INTO copies VALUES (?)", (to_text(folder),))
            self._copies.add(folder)

    def copies(self) -> list[Path]:
        """Return the folders where a run that was killed may have left copies."""
        return [Path(from_text(path)) for (path,) in self._db.execute("SELECT folder FROM copies")]

    def end_copies(self) -> None:
        """Note that no copy stands anywhere any more."""
        self._copies.clear()
        with self._db:
            self._db.execute("DELETE FROM copies")

    def drop_change(self, change: int) -> None:
        """Forget a change that did not happen."""
        with self._db:
            self._db.execute("DELETE FROM journal WHERE id = ?", (change,))

    def change(self, number: int) -> Change:
        """Return one journal row."""
        return change_of(self._db.execute("SELECT * FROM journal WHERE id = ?", (number,)).fetchone())

    def changes(
        self,
        run: int | None = None,
        states: Sequence[State] = (),
        path: Path | None = None,
        sha_after: str | None = None,
    ) -> Iterator[Change]:
        """Return the journal rows that are of a run, in one of some states, of a path, latest first.

        One at a time: the patches of a whole library need not fit into memory.
        """
        where, values = ["1"], list[object]()
        for name, value in (("run", run), ("path", path and to_text(path)), ("sha_after", sha_after)):
            if value is not None:
                where, values = [*where, f"{name} = ?"], [*values, value]
        if states:
            where, values = [*where, f"state IN ({_marks(states)})"], [*values, *states]
        found = self._db.execute(
            f"SELECT id FROM journal WHERE {' AND '.join(where)} ORDER BY id DESC", values
        ).fetchall()
        return (self.change(number) for (number,) in found)

    def changes_at(self, paths: Iterable[Path], signatures: Sequence[str] = ()) -> Iterator[Change]:
        """Return the changes that can be undone of the files at or under `paths`, latest first.

        And of those with the same sound as these, or with one of `signatures`: they may have moved
        there since.
        """
        where, values = _under(paths)
        found = self._db.execute(
            f"SELECT id FROM journal WHERE state IN ({_marks(UNDOABLE)}) AND ({where} "
            f"OR signature IN (SELECT signature FROM files WHERE {where}) "
            f"OR signature IN ({_marks(signatures)})) ORDER BY id DESC",
            [*UNDOABLE, *values, *values, *signatures],
        ).fetchall()
        return (self.change(number) for (number,) in found)

    def entries(self, run: int | None = None) -> Iterator[Entry]:
        """Return what the journal says, latest first, or of one run; without the patches."""
        rows = self._db.execute(
            "SELECT run, path, state, before, after FROM journal WHERE ? IN (run, 0) ORDER BY id DESC",
            (run or 0,),
        )
        return map(entry_of, rows)

    def journal_paths(self) -> Iterator[Path]:
        """Return every path that the journal names, once."""
        for (path,) in self._db.execute("SELECT DISTINCT path FROM journal").fetchall():
            yield Path(from_text(path))

    def _known(self, where: str, values: Sequence[object]) -> Iterator[Known]:
        cursor = self._db.cursor()
        cursor.row_factory = None
        return map(Known._make, cursor.execute(f"SELECT {_KNOWN} FROM files WHERE {where}", values))

    def _record(self, track: Track, prediction: Prediction | None) -> None:
        row = columns_of(track)
        kept = ", ".join(f"{name} = excluded.{name}" for name in row)
        (number,) = self._db.execute(
            f"INSERT INTO files ({', '.join(row)}, added) VALUES ({_marks(row)}, ?) "
            f"ON CONFLICT (path) DO UPDATE SET {kept} RETURNING id",
            (*row.values(), track.added or _now()),
        ).fetchone()
        if prediction is not None:
            from mgtag.library.packing import pack

            self._db.execute(
                "INSERT OR REPLACE INTO slices VALUES (?, ?, ?, ?)",
                (
                    number,
                    self._labels(prediction),
                    *pack(prediction),
                ),
            )
        elif not track.answers:
            self._db.execute("DELETE FROM slices WHERE file = ?", (number,))

    def _labels(self, prediction: Prediction) -> int:
        names = as_json({name: head.labels for name, head in prediction.heads.items()})
        self._db.execute("INSERT OR IGNORE INTO labels (names) VALUES (?)", (names,))
        number = self._number("SELECT id FROM labels WHERE names = ?", names)
        assert number is not None
        return number

    def _insert(self, table: str, row: dict[str, Any]) -> int:
        with self._db:
            cursor = self._db.execute(
                f"INSERT INTO {table} ({', '.join(row)}) VALUES ({_marks(row)})", [*map(clean, row.values())]
            )
        return int(cursor.lastrowid or 0)

    def _number(self, query: str, *values: object) -> int | None:
        row = self._db.execute(query, values).fetchone()
        return None if row is None or row[0] is None else int(row[0])


def is_broken(error: Exception) -> bool:
    """Say whether the index itself failed: no room, damage, a lock; not one row's values."""
    of_a_row = (sqlite3.IntegrityError, sqlite3.DataError, sqlite3.ProgrammingError, sqlite3.InterfaceError)
    return isinstance(error, sqlite3.Error) and not isinstance(error, of_a_row)


def _condition(wanted: Filter) -> tuple[str, list[object]]:
    """Return what a row must fulfil; genre and mood are looked at more closely by `_has`."""
    where, values = ["gone <= ?"], list[object]([wanted.gone])
    sure = wanted.min_confidence, wanted.max_confidence
    if sure != (0, 1):  # "+": by its index the rows would have to be sorted before the first is seen
        where, values = [*where, "+genre_confidence BETWEEN ? AND ?"], [*values, *sure]
    if wanted.folders:
        under, bounds = _under(wanted.folders)
        where, values = [*where, f"({under})"], [*values, *bounds]
    for name in filter(None, (wanted.genre, wanted.mood)):
        where.append("instr(casefold(tags || answers), ?)")
        values.append(json.dumps(name, ensure_ascii=False).casefold())
    if wanted.outcome is not None:
        where, values = [*where, "outcome = ?"], [*values, wanted.outcome]
    if wanted.bundle is not None:
        where, values = [*where, "bundle = ?"], [*values, wanted.bundle]
    if wanted.text is not None:
        where.append("id IN (SELECT rowid FROM search WHERE search MATCH ?)")
        values.append(_match(wanted.text))
    return " AND ".join(where), values


def _has(track: Track, head: str, name: str | None) -> bool:
    """Say whether a file's tags name a value, or it was heard as such."""
    found = (*track.tags.get(head, ()), track.best(head).label)
    return name is None or name.casefold() in {value.casefold() for value in found}


def _match(text: str) -> str:
    """Return the words of a search as FTS5 takes them, whatever signs are in them."""
    words = (word.replace('"', '""') for word in text.split())
    return " ".join(f'"{word[:-1]}"*' if word.endswith("*") else f'"{word}"' for word in words)


def _under(roots: Iterable[Path]) -> tuple[str, list[object]]:
    """Return the condition that a file is one of `roots`, or lies in it."""
    bounds = [(to_text(root).rstrip("/"), *below(root)) for root in roots]
    if len(bounds) > 50:  # SQLite takes no more than 1,000 terms
        several = (
            "id IN (SELECT f.id FROM json_each(?) r JOIN files f ON f.path = r.value UNION ALL SELECT f.id "
            "FROM json_each(?) r JOIN files f ON f.path > r.value || '/' AND f.path < r.value || '0')"
        )
        return several, [json.dumps([text for text, _, _ in bounds])] * 2
    ranges = ["path = ? OR (path > ? AND path < ?)"] * len(bounds)
    return " OR ".join(ranges) or "0", [value for values in bounds for value in values]


def _marks(values: Collection[object]) -> str:
    return ", ".join("?" * len(values))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
