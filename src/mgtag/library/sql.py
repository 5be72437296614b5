"""Every statement put to the index, but for the schema, which is `mgtag.library.migrations`.

A function returns a statement together with its values.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from mgtag.library.paths import below, to_text
from mgtag.library.records import Filter, State

Query = tuple[str, list[object]]
UNDOABLE: tuple[State, ...] = ("done", "pending")
ORDERS = {
    "path": "path",
    "genre": "genre, genre_confidence DESC, id",
    "mood": "mood, mood_confidence DESC, id",
    "confidence": "genre_confidence DESC, id",
    "added": "added DESC, id",
}

# The database as a whole

APPLICATION_ID = "PRAGMA application_id"
VERSION = "PRAGMA user_version"
DURABLE = ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL")
QUICK_CHECK = "PRAGMA quick_check(1)"
CHECK = "PRAGMA integrity_check(20)"
VACUUM = "VACUUM"
TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE 'CREATE TABLE%'"
# What lists the steps is there before the first of them, where a disk was full or the power failed.
HOLDS_SOMETHING = "SELECT 1 FROM sqlite_master WHERE tbl_name != '_sqlite_migrations'"
STEPS = "SELECT count(*) FROM _sqlite_migrations"
CHANGES_BY_STATE = "SELECT state, count(*) FROM journal GROUP BY state"


def marks(application_id: int, version: int) -> tuple[str, str]:
    """Return the statements that mark a database as ours, and of a version."""
    return f"PRAGMA application_id = {application_id}", f"PRAGMA user_version = {version}"


def rows_of(table: str) -> str:
    """Return the statement that counts a table's rows."""
    return f"SELECT count(*) FROM {table}"


def all_of(view: str) -> str:
    """Return the statement that reads a view."""
    return f"SELECT * FROM {view}"


def table_info(table: str) -> str:
    """Return the statement that lists a table's columns; their names are second."""
    return f"PRAGMA table_info({table})"


def copying(table: str, columns: Collection[str]) -> tuple[tuple[str, str], str]:
    """Return the statements that read a table's rows from both ends, and the one that stores a row."""
    names = ", ".join(columns)
    read = f"SELECT {names} FROM {table} ORDER BY rowid"
    return (read, f"{read} DESC"), f"INSERT OR IGNORE INTO {table} ({names}) VALUES ({_holes(columns)})"


def insert(table: str, columns: Collection[str]) -> str:
    """Return the statement that adds a row."""
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({_holes(columns)})"


# Runs

END_RUN = "UPDATE run_log SET ended = ?, counts = ? WHERE id = ?"
RUNS = (
    "SELECT r.id, r.started, r.command, count(j.id) AS changed, "
    "coalesce(sum(j.state = 'undone'), 0) AS undone, r.action, r.dry_run, r.counts "
    "FROM run_log r LEFT JOIN journal j ON j.run = r.id GROUP BY r.id ORDER BY r.id DESC"
)
RUN = "SELECT id FROM run_log WHERE id = ?"
LAST_TAGGING_RUN = "SELECT max(run) FROM journal WHERE state IN ('done', 'pending')"
RUNS_LIKE = "SELECT id FROM run_log WHERE policy = ? AND NOT dry_run"
DRY_RUNS = "SELECT id FROM run_log WHERE dry_run"

# Files

FILE = "SELECT * FROM files WHERE path = ?"
SAME_SOUND = "SELECT * FROM files WHERE signature = ? ORDER BY path"
_KNOWN = (
    "SELECT path, size, mtime_ns, bundle, run, outcome, reason, genre, genre_confidence, signature, gone "
    "FROM files WHERE "
)
SAME_DATE = f"{_KNOWN} size = ? AND mtime_ns = ?"
SLICES = (
    "SELECT l.names, s.slices, s.embedding FROM files f JOIN slices s ON s.file = f.id "
    "JOIN labels l ON l.id = s.labels WHERE f.path = ?"
)
BUNDLES = (
    "SELECT f.bundle FROM files f JOIN slices s ON s.file = f.id WHERE NOT f.gone "
    "GROUP BY f.bundle ORDER BY count(*) DESC, f.bundle"
)
EMBEDDINGS = (
    "SELECT f.path, f.artist, coalesce(f.title, ''), iif(f.reason = 'silent', '', f.genre), "
    "f.genre_confidence, iif(f.reason = 'silent', '', f.mood), "
    "f.duration_s, s.embedding FROM files f JOIN slices s ON s.file = f.id "
    "WHERE f.bundle = ? AND NOT f.gone ORDER BY f.path"
)
SET_DECLINED = "UPDATE files SET declined = ? WHERE path = ?"
SET_OUTCOME = "UPDATE files SET outcome = ?, reason = ?, run = ? WHERE path = ?"
SET_GONE = "UPDATE files SET gone = ? WHERE path = ?"
MAKE_ROOM = "DELETE FROM files WHERE path = ? AND path <> ?"
MOVE = "UPDATE files SET path = ?, gone = 0 WHERE path = ?"
SET_SLICES = "INSERT OR REPLACE INTO slices VALUES (?, ?, ?, ?)"
DROP_SLICES = "DELETE FROM slices WHERE file = ?"
LABELS = (
    "INSERT INTO labels (names) VALUES (?) "
    "ON CONFLICT (names) DO UPDATE SET names = excluded.names RETURNING id"
)
MOUNTS = "SELECT path FROM mounts"
DROP_MOUNTS = "DELETE FROM mounts"
ADD_MOUNT = "INSERT INTO mounts VALUES (?)"


def store_file(columns: Collection[str]) -> str:
    """Return the statement that stores what a scan found, and keeps when the file was added."""
    kept = ", ".join(f"{name} = excluded.{name}" for name in columns)
    return f"{insert('files', [*columns, 'added'])} ON CONFLICT (path) DO UPDATE SET {kept} RETURNING id"


def files(wanted: Filter) -> Query:
    """Select what a filter wants; `named` is `mgtag.library.rows.namer` of its spelling."""
    where, values = ["gone <= ?"], list[object]([wanted.gone])
    sure = wanted.min_confidence, wanted.max_confidence
    if sure != (0, 1):  # "+": by its index the rows would have to be sorted before the first is seen
        where, values = [*where, "+genre_confidence BETWEEN ? AND ?"], [*values, *sure]
    if wanted.folders:
        under, bounds = _under(wanted.folders)
        where, values = [*where, f"({under})"], [*values, *bounds]
    for head, name in (("genre", wanted.genre), ("mood", wanted.mood)):
        if name is not None:
            where.append(f"named('{head}', tags, {head}, ?)")
            values.append(wanted.spelling(name))
    if wanted.outcome is not None:
        where, values = [*where, "outcome = ?"], [*values, wanted.outcome]
    if wanted.bundle is not None:
        where, values = [*where, "bundle = ?"], [*values, wanted.bundle]
    if wanted.text is not None:
        where.append("id IN (SELECT rowid FROM search WHERE search MATCH ?)")
        values.append(_match(wanted.text))
    return f"SELECT * FROM files WHERE {' AND '.join(where)} ORDER BY {ORDERS[wanted.order]}", values


def known(roots: Iterable[Path]) -> Query:
    """Select what is known of every file at or under `roots`."""
    where, values = _under(roots)
    return _KNOWN + where, values


def any_below(folder: Path) -> Query:
    """Select one file at or under `folder`."""
    where, values = _under([folder])
    return f"SELECT id FROM files WHERE {where} LIMIT 1", values


# The journal

SETTLE_CHANGE = "UPDATE journal SET state = ? WHERE id = ?"
DROP_CHANGE = "DELETE FROM journal WHERE id = ?"
CHANGE = "SELECT * FROM journal WHERE id = ?"
ENTRIES = "SELECT run, path, state, before, after FROM journal WHERE ? IN (run, 0) ORDER BY id DESC"
JOURNAL_PATHS = "SELECT DISTINCT path FROM journal"
ADD_COPIES = "INSERT OR IGNORE INTO copies VALUES (?)"
COPIES = "SELECT folder FROM copies"
DROP_COPIES = "DELETE FROM copies"


def changes(run: int | None, states: Sequence[State], path: Path | None, sha_after: str | None) -> Query:
    """Select the numbers of the journal rows that fulfil every condition that is given, latest first."""
    where, values = ["1"], list[object]()
    for name, value in (("run", run), ("path", path and to_text(path)), ("sha_after", sha_after)):
        if value is not None:
            where, values = [*where, f"{name} = ?"], [*values, value]
    if states:
        where, values = [*where, f"state IN ({_holes(states)})"], [*values, *states]
    return f"SELECT id FROM journal WHERE {' AND '.join(where)} ORDER BY id DESC", values


def changes_at(paths: Iterable[Path], signatures: Sequence[str]) -> Query:
    """Select the numbers of the changes that can be undone at or under `paths`, or of the same sound."""
    where, values = _under(paths)
    query = (
        f"SELECT id FROM journal WHERE state IN ({_holes(UNDOABLE)}) AND ({where} "
        f"OR signature IN (SELECT signature FROM files WHERE {where}) "
        f"OR signature IN ({_holes(signatures)})) ORDER BY id DESC"
    )
    return query, [*UNDOABLE, *values, *values, *signatures]


def _match(text: str) -> str:
    """Return the words of a search as FTS5 takes them, whatever signs are in them."""
    words = (word.replace('"', '""') for word in text.split())
    return " ".join(f'"{word[:-1]}"*' if word.endswith("*") else f'"{word}"' for word in words)


def _under(roots: Iterable[Path]) -> Query:
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


def _holes(values: Collection[object]) -> str:
    return ", ".join("?" * len(values))
