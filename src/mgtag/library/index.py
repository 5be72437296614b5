"""The SQLite store: runs, files with what was heard in them, and the journal of every tag change.

One process writes (it holds a lock file beside the database), in WAL mode, in short
transactions that are on the disk when they return: a journal row must outlive a power cut that
the renamed file outlives. Paths are text, see `mgtag.library.paths`.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from mgtag.errors import DamagedIndexError, StoreError
from mgtag.library import opening, sql
from mgtag.library.journal import Journal, now
from mgtag.library.opening import Place, default_path
from mgtag.library.outcome import Outcome
from mgtag.library.paths import to_text
from mgtag.library.records import Filter, Known, Located, State, Track, Values
from mgtag.library.rows import as_json, clean, columns_of, namer, track_of
from mgtag.library.sql import UNDOABLE

if TYPE_CHECKING:
    from mgtag.prediction import Prediction

__all__ = ["UNDOABLE", "Index", "default_path"]


class Index(Journal):
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
        try:
            super().__init__(opening.connect(path, check=mend))
        except DamagedIndexError:
            if not mend or path == ":memory:":
                raise
            self.mended = opening.mend(path)
            super().__init__(opening.connect(path))
        self._db.row_factory = sqlite3.Row
        self._named = namer(Filter.spelling)
        self._db.create_function("named", 4, lambda *values: self._named(*values), deterministic=True)

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
        """Hold the right to change files and index; a second process gets an `InUseError` at once."""
        if self.path == ":memory:":
            yield
            return
        with opening.lock(self.path):
            yield

    def problems(self) -> list[str]:
        """Return what SQLite finds wrong with the whole of its file; nothing if all is well."""
        found = [str(line) for (line,) in self._db.execute(sql.CHECK)]
        return [] if found == ["ok"] else found

    # Files

    def track(self, path: Path) -> Track | None:
        """Return what is known of the file at `path`."""
        row = self._db.execute(sql.FILE, (to_text(path),)).fetchone()
        return None if row is None else track_of(row)

    def tracks(self, wanted: Filter | None = None) -> Iterator[Track]:
        """Return the files that match, in order, as they are read."""
        wanted = wanted or Filter()
        self._named = namer(wanted.spelling)
        yield from map(track_of, self._db.execute(*sql.files(wanted)))

    def same_sound(self, signature: str) -> list[Track]:
        """Return the files whose sound has this signature."""
        return [track_of(row) for row in self._db.execute(sql.SAME_SOUND, (signature,))]

    def same_date(self, size: int, mtime_ns: int) -> Iterator[Known]:
        """Return the files of this size and date, wherever they lie."""
        return self._known(sql.SAME_DATE, (size, mtime_ns))

    def known(self, roots: Iterable[Path]) -> Iterator[Known]:
        """Return what is known of every file under `roots`, gone ones too, once each."""
        return self._known(*sql.known(roots))

    def knows_below(self, folder: Path) -> bool:
        """Return whether any file at or under `folder` is known."""
        query, values = sql.any_below(folder)
        return self._number(query, *values) is not None

    def prediction(self, path: Path) -> Prediction | None:
        """Return what the network heard in the file at `path`, if it was heard.

        Raises
        ------
        StoreError
            If it is damaged.
        """
        row = self._db.execute(sql.SLICES, (to_text(path),)).fetchone()
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
        return [bundle for (bundle,) in self._db.execute(sql.BUNDLES)]

    def embeddings(self, bundle: str) -> Iterator[tuple[Located, bytes]]:
        """Return the files that a bundle heard and that are there, with their mean embedding (float16)."""
        cursor = self._db.cursor()
        cursor.row_factory = None
        rows = cursor.execute(sql.EMBEDDINGS, (bundle,))
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
        self._write(sql.SET_DECLINED, as_json(values), to_text(path))

    def move(self, old: Path, new: Path) -> None:
        """Note that a file lies elsewhere now."""
        self.move_all([(to_text(old), to_text(new))])

    def move_all(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Note that files lie elsewhere now; paths are as `Known` has them."""
        with self._db:
            for old, new in pairs:
                self._db.execute(sql.MAKE_ROOM, (new, old))
                self._db.execute(sql.MOVE, (new, old))

    def note_outcomes(self, run: int, outcomes: Iterable[tuple[str, Outcome, str]]) -> None:
        """Note how files ended that were not heard again: path as `Known` has it, outcome, reason."""
        with self._db:
            self._db.executemany(
                sql.SET_OUTCOME,
                ((outcome, clean(reason), run, path) for path, outcome, reason in outcomes),
            )

    def set_gone(self, paths: Iterable[str], gone: bool = True) -> None:
        """Note which files were not there, or are there again; paths are as `Known` has them."""
        with self._db:
            self._db.executemany(sql.SET_GONE, ((gone, path) for path in paths))

    def mounts(self) -> set[str]:
        """Return the folders at which another drive began, as text."""
        return {path for (path,) in self._db.execute(sql.MOUNTS)}

    def set_mounts(self, paths: Collection[str]) -> None:
        """Note these folders instead."""
        with self._db:
            self._db.execute(sql.DROP_MOUNTS)
            self._db.executemany(sql.ADD_MOUNT, ((path,) for path in paths))

    def end_change(
        self, change: int, state: State, track: Track | None = None, prediction: Prediction | None = None
    ) -> None:
        """Settle a journal row together with the file's own row, in one transaction."""
        with self._db:
            self._db.execute(sql.SETTLE_CHANGE, (state, change))
            if track is not None:
                self._record(track, prediction)

    def _known(self, query: str, values: Sequence[object]) -> Iterator[Known]:
        cursor = self._db.cursor()
        cursor.row_factory = None
        return map(Known._make, cursor.execute(query, values))

    def _record(self, track: Track, prediction: Prediction | None) -> None:
        row = columns_of(track)
        values = (*row.values(), track.added or now())
        (number,) = self._db.execute(sql.store_file(row), values).fetchone()
        if prediction is not None:
            from mgtag.library.packing import pack

            self._db.execute(sql.SET_SLICES, (number, self._labels(prediction), *pack(prediction)))
        elif not track.answers:
            self._db.execute(sql.DROP_SLICES, (number,))

    def _labels(self, prediction: Prediction) -> int:
        names = as_json({name: head.labels for name, head in prediction.heads.items()})
        (number,) = self._db.execute(sql.LABELS, (names,)).fetchone()
        return int(number)


def is_broken(error: Exception) -> bool:
    """Return whether the index itself failed: no room, damage, a lock; not one row's values."""
    of_a_row = (sqlite3.IntegrityError, sqlite3.DataError, sqlite3.ProgrammingError, sqlite3.InterfaceError)
    return isinstance(error, sqlite3.Error) and not isinstance(error, of_a_row)
