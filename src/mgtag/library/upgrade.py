"""Bring an index to this version's schema, or begin a new one with what can be read of a damaged one."""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from sqlite_utils import Database

from mgtag.errors import StoreError
from mgtag.library import sql
from mgtag.library.migrations import MIGRATIONS


def prepare(db: sqlite3.Connection, path: str | Path, application_id: int) -> None:
    """Bring a database to this version's schema and mark it as ours, keeping a copy of what was.

    Raises
    ------
    StoreError
        If it is another program's, or a newer mgtag wrote it; it is as it was then.
    """
    ours = Database(db)
    applied = [m.name for m in MIGRATIONS.applied(ours)]
    steps = _steps()
    (foreign_id,) = db.execute(sql.APPLICATION_ID).fetchone()
    if not applied and (foreign_id or db.execute(sql.HOLDS_SOMETHING).fetchone()):
        raise StoreError(
            f"{path}: this database is another program's and was left alone; --index chooses another file."
        )
    if unknown := set(applied) - set(steps):
        raise StoreError(
            f"{path}: a newer mgtag wrote this index ({', '.join(sorted(unknown))}); update mgtag, "
            "or choose another with --index."
        )
    if applied and applied != steps:
        with sqlite3.connect(f"{path}.{_stamp()}.backup") as copy:
            db.backup(copy)
    MIGRATIONS.apply(ours)
    for statement in sql.marks(application_id, len(steps)):
        db.execute(statement)
    if applied and applied != steps:
        db.execute(sql.VACUUM)


def set_aside(path: Path) -> tuple[Path, int]:
    """Rename a damaged index and begin a new one with what of it can still be read.

    Returns
    -------
    aside : Path
        Where the damaged one lies now.
    changes : int
        How many rows of the journal were saved.
    """
    aside = path.with_name(f"{path.name}.{_stamp()}.damaged")
    for suffix in ("-wal", "-shm", ""):
        with suppress(FileNotFoundError):
            os.rename(f"{path}{suffix}", f"{aside}{suffix}")  # noqa: PTH104
    old, new = sqlite3.connect(aside), sqlite3.connect(path)
    old.text_factory = lambda raw: raw.decode(errors="replace")
    try:
        _begin_as(old, new)
        for table in _tables(new):
            _save(old, new, table)
        new.commit()
        (changes,) = new.execute(sql.rows_of("journal")).fetchone()
    finally:
        old.close()
        new.close()
    return aside, changes


def _begin_as(old: sqlite3.Connection, new: sqlite3.Connection) -> None:
    """Give a new database the schema version of a damaged one, as far as it can be read."""
    steps = _steps()
    applied = len(steps)
    with suppress(sqlite3.Error):
        applied = old.execute(sql.STEPS).fetchone()[0] or applied
    MIGRATIONS.apply(Database(new), stop_before=steps[applied:])


def _tables(db: sqlite3.Connection) -> list[str]:
    """Return the tables that hold rows of ours: not the search's own, nor SQLite's."""
    return [name for (name,) in db.execute(sql.TABLES) if not name.startswith(("search", "_", "sqlite"))]


def _save(old: sqlite3.Connection, new: sqlite3.Connection, table: str) -> None:
    """Copy a table's rows from both ends, up to where it is damaged."""
    reads, store = sql.copying(table, [row[1] for row in new.execute(sql.table_info(table))])
    for read in reads:
        with suppress(sqlite3.DatabaseError):
            for row in old.execute(read):
                new.execute(store, row)


def _steps() -> list[str]:
    return [step.name for step in MIGRATIONS._migrations]


def _stamp() -> str:
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}"
