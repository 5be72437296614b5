"""Open the index's file: ours or another program's, whole or damaged, of this version or another."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Literal

import platformdirs

from mgtag.errors import DamagedIndexError, InUseError, StoreError
from mgtag.library import sql

APPLICATION_ID = 0x6D677467  # "mgtg" in the file's header; nobody else's database is taken for an index
VERSION = 5  # steps in `mgtag.library.migrations`, which costs too much to import where none is due
BUSY_S = 30.0  # how long to wait for another process's transaction
_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_ID_AT = 68  # in a database's header

Place = Path | Literal[":memory:"]


def default_path() -> Path:
    """Return where the index lies by default."""
    return platformdirs.user_data_path("mgtag") / "index.db"


def connect(path: Place, check: bool = False) -> sqlite3.Connection:
    """Open an index, or begin one, and bring it to this version's form.

    Parameters
    ----------
    check : bool
        Read all of it first if an earlier command met damage in it.

    Raises
    ------
    DamagedIndexError
        If its file is damaged.
    StoreError
        If it cannot be opened, is another program's, or a newer mgtag has written it.
    """
    try:
        if path != ":memory:":
            path.parent.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(path, timeout=BUSY_S)
        try:
            if check:
                _check(db, path)
            _prepare(db, path)
        except BaseException:
            db.close()
            raise
    except (OSError, sqlite3.Error) as error:
        if is_damage(error) and _is_ours(path):
            raise damaged(path, error) from error
        raise StoreError(f"{path}: the index cannot be opened ({error}); --index chooses another.") from error
    return db


def mend(path: Path) -> str:
    """Set a damaged index aside, begin a new one with what could be saved, and return a sentence about it."""
    from mgtag.library.upgrade import set_aside

    with lock(path):
        aside, changes = set_aside(path)
        suspect(path).unlink(missing_ok=True)
    return (
        f"{path}: the index was damaged and lies at {aside} now; a new one was begun with {changes:,} "
        "changes of its journal, and files that it no longer knows are heard again."
    )


@contextmanager
def lock(path: Path) -> Iterator[None]:
    """Hold the right to change files and index.

    Raises
    ------
    InUseError
        If another process holds it.
    """
    import filelock

    try:
        with filelock.FileLock(_lock(path), timeout=0):
            yield
    except filelock.Timeout as error:
        raise InUseError(
            f"Another mgtag is at work on {path}; wait for it, or choose another --index."
        ) from error


def health(path: Path) -> dict[str, str]:
    """Return facts about an index, which is opened only for reading, for `mgtag doctor`."""
    if not path.exists():
        return {"state": "there is none yet"}
    facts = {"bytes": f"{path.stat().st_size:,}"}
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=1.0)) as db:
            facts["version"] = f"{db.execute(sql.VERSION).fetchone()[0]} (this mgtag's: {VERSION})"
            lines = [str(line) for (line,) in db.execute(sql.CHECK)]
            facts["integrity"] = "; ".join(lines)
            tables = {name for (name,) in db.execute(sql.TABLES)}
            for table in sorted(tables & {"files", "journal", "run_log", "runs"}):
                facts[table] = f"{db.execute(sql.rows_of(table)).fetchone()[0]:,} rows"
            if "journal" in tables:
                for state, count in db.execute(sql.CHANGES_BY_STATE):
                    facts[f"changes {state}"] = f"{count:,}"
    except sqlite3.Error as error:
        facts["state"] = f"it cannot be read ({error})"
    return facts


def glance(path: Path, view: Literal["runs", "by_genre"]) -> list[sqlite3.Row]:
    """Return the rows of a view without opening the index to write; none where it cannot be read at once."""
    uri = f"{path.absolute().as_uri()}?mode=ro"
    with suppress(sqlite3.Error), closing(sqlite3.connect(uri, uri=True, timeout=0.2)) as db:
        db.row_factory = sqlite3.Row
        return db.execute(sql.all_of(view)).fetchall()
    return []


def is_damage(error: BaseException) -> bool:
    """Return whether SQLite found its file damaged."""
    return isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGE


def damaged(path: Place, error: BaseException) -> DamagedIndexError:
    """Return the error to raise for it."""
    return DamagedIndexError(
        f"{path}: the index is damaged ({error}); no music file was harmed, and the next `mgtag scan` "
        "sets it aside, saves its journal and begins a new one."
    )


def suspect(path: Path) -> Path:
    """Return the mark beside an index in which a command met damage."""
    return path.with_name(f"{path.name}.suspect")


def _prepare(db: sqlite3.Connection, path: Place) -> None:
    (number,), (version,) = (
        db.execute(statement).fetchone() for statement in (sql.APPLICATION_ID, sql.VERSION)
    )
    if (number, version) != (APPLICATION_ID, VERSION):
        from mgtag.library.upgrade import prepare

        prepare(db, path, APPLICATION_ID)
    for statement in sql.DURABLE:
        db.execute(statement)


def _check(db: sqlite3.Connection, path: Place) -> None:
    if path == ":memory:" or not suspect(path).exists():
        return
    (found,) = db.execute(sql.QUICK_CHECK).fetchone()
    if found != "ok":
        raise damaged(path, ValueError(found))
    suspect(path).unlink(missing_ok=True)


def _is_ours(path: Place) -> bool:
    """Return whether a file that is no whole database was an index once: never take away what is not ours."""
    if path == ":memory:":
        return False
    with suppress(OSError), open(path, "rb") as file:
        if int.from_bytes(file.read(_ID_AT + 4)[_ID_AT:], "big") == APPLICATION_ID:
            return True
    return path == default_path() or _lock(path).exists()


def _lock(path: Path) -> Path:
    return path.with_name(f"{path.name}.lock")
