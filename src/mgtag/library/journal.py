"""The index's list of runs, and its journal of every tag change."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mgtag.library import sql
from mgtag.library.paths import from_text, to_text
from mgtag.library.records import Change, Entry, Run, State
from mgtag.library.rows import change_of, clean, columns_of_change, entry_of
from mgtag.version import __version__


class Journal:
    """Runs and changes; the part of an `mgtag.library.index.Index` that undo needs."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._copies: set[Path] = set()

    # Runs

    def begin_run(
        self, command: str, bundle: str = "", action: str = "scan", dry_run: bool = False, policy: str = ""
    ) -> int:
        """Open a run and return its number."""
        row = {"command": command, "bundle": bundle, "version": __version__, "started": now()}
        return self._insert("run_log", row | {"action": action, "dry_run": dry_run, "policy": policy})

    def end_run(self, run: int, counts: Mapping[str, int] | None = None) -> None:
        """Note when a run ended, and how many files ended how."""
        self._write(sql.END_RUN, now(), json.dumps(dict(counts or {})), run)

    def runs(self) -> Iterator[Run]:
        """Return all runs with the number of their changes, latest first."""
        for row in self._db.execute(sql.RUNS):
            values = dict(row) | {"dry_run": bool(row["dry_run"]), "counts": json.loads(row["counts"])}
            yield Run(**values)

    def last_tagging_run(self) -> int | None:
        """Return the latest run with a change that can still be undone."""
        return self._number(sql.LAST_TAGGING_RUN)

    def has_run(self, run: int) -> bool:
        """Return whether there was a run of that number."""
        return self._number(sql.RUN, run) is not None

    def runs_like(self, policy: str) -> set[int]:
        """Return the runs that wrote, and decided by the same policy."""
        return {number for (number,) in self._db.execute(sql.RUNS_LIKE, (policy,))}

    def dry_runs(self) -> set[int]:
        """Return the dry runs."""
        return {number for (number,) in self._db.execute(sql.DRY_RUNS)}

    # Changes

    def begin_change(self, change: Change) -> int:
        """Write a journal row, on the disk when this returns, and return its number."""
        return self._insert("journal", columns_of_change(change))

    def drop_change(self, change: int) -> None:
        """Forget a change that did not happen."""
        self._write(sql.DROP_CHANGE, change)

    def change(self, number: int) -> Change:
        """Return one journal row."""
        return change_of(self._db.execute(sql.CHANGE, (number,)).fetchone())

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
        return self._each(*sql.changes(run, states, path, sha_after))

    def changes_at(self, paths: Iterable[Path], signatures: Sequence[str] = ()) -> Iterator[Change]:
        """Return the changes that can be undone of the files at or under `paths`, latest first.

        And of those with the same sound as these, or with one of `signatures`: they may have moved
        there since.
        """
        return self._each(*sql.changes_at(paths, signatures))

    def entries(self, run: int | None = None) -> Iterator[Entry]:
        """Return the journal's entries, latest first, or those of one run; without the patches."""
        return map(entry_of, self._db.execute(sql.ENTRIES, (run or 0,)))

    def journal_paths(self) -> Iterator[Path]:
        """Return every path that the journal names, once."""
        for (path,) in self._db.execute(sql.JOURNAL_PATHS).fetchall():
            yield Path(from_text(path))

    # Copies beside the files, for whoever comes after a run that was killed

    def begin_copies(self, folder: Path) -> None:
        """Note that copies of files will stand in a folder until they take their places."""
        if folder not in self._copies:
            self._write(sql.ADD_COPIES, to_text(folder))
            self._copies.add(folder)

    def copies(self) -> list[Path]:
        """Return the folders where a run that was killed may have left copies."""
        return [Path(from_text(path)) for (path,) in self._db.execute(sql.COPIES)]

    def end_copies(self) -> None:
        """Note that no copy stands anywhere any more."""
        self._copies.clear()
        self._write(sql.DROP_COPIES)

    def _each(self, query: str, values: Collection[object]) -> Iterator[Change]:
        found = self._db.execute(query, (*values,)).fetchall()
        return (self.change(number) for (number,) in found)

    def _insert(self, table: str, row: dict[str, Any]) -> int:
        with self._db:
            cursor = self._db.execute(sql.insert(table, row), [*map(clean, row.values())])
        return int(cursor.lastrowid or 0)

    def _write(self, statement: str, *values: object) -> None:
        with self._db:
            self._db.execute(statement, values)

    def _number(self, query: str, *values: object) -> int | None:
        row = self._db.execute(query, values).fetchone()
        return None if row is None or row[0] is None else int(row[0])


def now() -> str:
    """Return the time as the index has it."""
    return datetime.now(UTC).isoformat(timespec="seconds")
