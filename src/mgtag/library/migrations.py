"""The index's schema, as named steps; `upgrade` runs each once, in a transaction, after a backup."""

from __future__ import annotations

import json
import os

import numpy as np
from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

from mgtag.library.packing import pack
from mgtag.library.paths import to_text
from mgtag.prediction import HeadOutput, Prediction

MIGRATIONS = Migrations("mgtag")


def _run(db: Database, statements: str) -> None:
    """Execute statements that are parted by empty lines, within the transaction that is open."""
    for statement in statements.split("\n\n"):
        db.execute(statement)


@MIGRATIONS()
def m001_runs_files_journal(db: Database) -> None:
    """Create the three tables of version 0.1."""
    _run(
        db,
        """
        CREATE TABLE runs (
            id INTEGER PRIMARY KEY,
            command TEXT NOT NULL, bundle TEXT NOT NULL, version TEXT NOT NULL,
            started TEXT NOT NULL, ended TEXT
        )

        CREATE TABLE files (
            path BLOB PRIMARY KEY,
            size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
            signature TEXT NOT NULL, duration_s REAL NOT NULL,
            bundle TEXT NOT NULL, heard TEXT NOT NULL, confidence REAL NOT NULL,
            genres TEXT NOT NULL, written TEXT NOT NULL,
            event TEXT NOT NULL, error TEXT NOT NULL, run INTEGER NOT NULL,
            labels TEXT, starts_s BLOB, probabilities BLOB, attention BLOB, embedding BLOB
        )

        CREATE INDEX files_signature ON files (signature)

        CREATE INDEX files_size ON files (size, mtime_ns)

        CREATE TABLE journal (
            id INTEGER PRIMARY KEY,
            run INTEGER NOT NULL REFERENCES runs, path BLOB NOT NULL, signature TEXT NOT NULL,
            state TEXT NOT NULL CHECK (state IN ('pending', 'done', 'undone')),
            before TEXT NOT NULL, after TEXT NOT NULL,
            sha_before TEXT NOT NULL, sha_after TEXT NOT NULL,
            mtime_ns INTEGER NOT NULL, patch BLOB NOT NULL
        )

        CREATE INDEX journal_run ON journal (run, state)
        """,
    )


@MIGRATIONS()
def m002_text_paths_heads_views(db: Database) -> None:
    """Store paths as text and values by head, slices beside the files, and views for people.

    Lists are JSON keyed by head, as in ``{"genre": ["Jazz"]}``; answers ``{"genre": [["Jazz", 0.75]]}``.
    """
    _run(
        db,
        """
        ALTER TABLE runs RENAME TO run_log

        ALTER TABLE run_log ADD COLUMN action TEXT NOT NULL DEFAULT 'scan'

        ALTER TABLE run_log ADD COLUMN dry_run INTEGER NOT NULL DEFAULT 0

        ALTER TABLE run_log ADD COLUMN policy TEXT NOT NULL DEFAULT ''

        ALTER TABLE run_log ADD COLUMN counts TEXT NOT NULL DEFAULT '{}'

        ALTER TABLE files RENAME TO files_1

        DROP INDEX files_signature

        DROP INDEX files_size

        CREATE TABLE files (
            id INTEGER PRIMARY KEY,
            path TEXT NOT NULL UNIQUE,
            size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
            signature TEXT NOT NULL, duration_s REAL NOT NULL,
            artist TEXT, album TEXT, title TEXT, year INTEGER NOT NULL,
            tags TEXT NOT NULL, written TEXT NOT NULL, answers TEXT NOT NULL,
            declined TEXT NOT NULL DEFAULT '{}',
            genre TEXT NOT NULL, genre_confidence REAL NOT NULL,
            mood TEXT NOT NULL, mood_confidence REAL NOT NULL,
            bundle TEXT NOT NULL, outcome TEXT NOT NULL, reason TEXT NOT NULL,
            run INTEGER NOT NULL, added TEXT NOT NULL, gone INTEGER NOT NULL DEFAULT 0
        )

        CREATE INDEX files_size ON files (size, mtime_ns)

        CREATE INDEX files_confidence ON files (genre_confidence DESC)

        CREATE INDEX files_genre ON files (genre, genre_confidence DESC)

        CREATE INDEX files_mood ON files (mood, mood_confidence DESC)

        CREATE TABLE labels (id INTEGER PRIMARY KEY, names TEXT NOT NULL UNIQUE)

        CREATE TABLE slices (
            file INTEGER PRIMARY KEY, labels INTEGER NOT NULL, slices BLOB NOT NULL, embedding BLOB NOT NULL
        )

        CREATE TABLE mounts (path TEXT PRIMARY KEY) WITHOUT ROWID

        CREATE VIRTUAL TABLE search USING fts5 (
            artist, title, album, path,
            content = 'files', content_rowid = 'id', tokenize = 'unicode61 remove_diacritics 2'
        )

        CREATE TRIGGER files_added AFTER INSERT ON files BEGIN
            INSERT INTO search (rowid, artist, title, album, path)
            VALUES (new.id, new.artist, new.title, new.album, new.path);
        END

        CREATE TRIGGER files_removed AFTER DELETE ON files BEGIN
            INSERT INTO search (search, rowid, artist, title, album, path)
            VALUES ('delete', old.id, old.artist, old.title, old.album, old.path);
            DELETE FROM slices WHERE file = old.id;
        END

        CREATE TRIGGER files_renamed AFTER UPDATE OF artist, title, album, path ON files
        WHEN (old.artist, old.title, old.album, old.path) IS NOT (new.artist, new.title, new.album, new.path)
        BEGIN
            INSERT INTO search (search, rowid, artist, title, album, path)
            VALUES ('delete', old.id, old.artist, old.title, old.album, old.path);
            INSERT INTO search (rowid, artist, title, album, path)
            VALUES (new.id, new.artist, new.title, new.album, new.path);
        END

        CREATE VIEW tracks AS SELECT
            id, artist, title, album, nullif(year, 0) AS year,
            (SELECT group_concat(value, '; ') FROM json_each(iif(json_valid(tags), tags, '{}'), '$.genre'))
                AS genres,
            (SELECT group_concat(value, '; ') FROM json_each(iif(json_valid(tags), tags, '{}'), '$.mood'))
                AS moods,
            genre AS heard, round(genre_confidence, 3) AS confidence,
            mood AS heard_mood, round(mood_confidence, 3) AS mood_confidence,
            outcome, reason,
            printf('%d:%02d', round(duration_s) / 60, CAST(round(duration_s) AS INTEGER) % 60) AS length,
            path, bundle AS model, run, added
        FROM files WHERE NOT gone

        CREATE VIEW by_genre AS SELECT
            value AS genre, count(*) AS tracks, count(DISTINCT artist) AS artists,
            sum(outcome = 'tagged') AS written_by_mgtag, sum(genre = value) AS heard_so,
            round(sum(duration_s) / 3600, 1) AS hours
        FROM files, json_each(iif(json_valid(tags), tags, '{}'), '$.genre')
        WHERE NOT gone GROUP BY value ORDER BY tracks DESC
        """,
    )
    _move_files(db)
    _move_journal(db)


def _move_files(db: Database) -> None:
    labels: dict[str, int] = {}
    for row in db.query("SELECT * FROM files_1"):
        answer = [[row["heard"], row["confidence"]]] if row["heard"] else []
        number = (
            db.table("files")
            .insert(
                {
                    "path": to_text(os.fsdecode(row["path"])),
                    **{
                        name: row[name]
                        for name in ("size", "mtime_ns", "signature", "duration_s", "bundle", "run")
                    },
                    "year": 0,
                    "tags": f'{{"genre": {row["genres"]}}}',
                    "written": f'{{"genre": {row["written"]}}}',
                    "answers": json.dumps({"genre": answer}, ensure_ascii=False),
                    "genre": row["heard"],
                    "genre_confidence": row["confidence"],
                    "mood": "",
                    "mood_confidence": 0.0,
                    "outcome": row["event"],
                    "reason": row["error"],
                    "added": "",
                }
            )
            .last_pk
        )
        if row["labels"]:
            slices, embedding = pack(_prediction(row))
            kind = labels.setdefault(row["labels"], len(labels) + 1)
            db.table("slices").insert(
                {"file": number, "labels": kind, "slices": slices, "embedding": embedding}
            )
    for names, kind in labels.items():
        db.table("labels").insert({"id": kind, "names": f'{{"genre": {names}}}'})
    db.execute("UPDATE files SET added = coalesce((SELECT started FROM run_log WHERE id = run), '')")
    db.execute("DROP TABLE files_1")


def _prediction(row: dict[str, bytes]) -> Prediction:
    """Return what version 0.1 kept of a file that was heard: genres only."""
    labels = tuple(json.loads(row["labels"]))
    starts_s = np.frombuffer(row["starts_s"], np.float32)
    shares, attention, embedding = (
        np.frombuffer(row[name], np.float16).astype(np.float32).reshape(len(starts_s), -1)
        for name in ("probabilities", "attention", "embedding")
    )
    return Prediction(starts_s, {"genre": HeadOutput(labels, shares)}, attention, embedding)


def _move_journal(db: Database) -> None:
    """Rewrite the journal with paths as text and values by head; patches stay as they are."""
    _run(
        db,
        """
        ALTER TABLE journal RENAME TO journal_1

        DROP INDEX journal_run

        CREATE TABLE journal (
            id INTEGER PRIMARY KEY,
            run INTEGER NOT NULL REFERENCES run_log, path TEXT NOT NULL, signature TEXT NOT NULL,
            state TEXT NOT NULL CHECK (state IN ('pending', 'done', 'undone')),
            before TEXT NOT NULL, after TEXT NOT NULL,
            sha_before TEXT NOT NULL, sha_after TEXT NOT NULL,
            mtime_ns INTEGER NOT NULL, patch BLOB NOT NULL
        )

        INSERT INTO journal SELECT
            id, run, path, signature, state,
            '{"genre": ' || before || '}', '{"genre": ' || after || '}',
            sha_before, sha_after, mtime_ns, patch
        FROM journal_1

        DROP TABLE journal_1

        CREATE INDEX journal_run ON journal (run, state)

        CREATE VIEW runs AS SELECT
            r.id, r.action, iif(r.dry_run, 'dry run', '') AS dry_run, r.started, r.ended, r.command AS what,
            r.bundle AS model, count(j.id) AS changed, coalesce(sum(j.state = 'undone'), 0) AS undone,
            r.counts, r.version
        FROM run_log r LEFT JOIN journal j ON j.run = r.id GROUP BY r.id ORDER BY r.id DESC

        CREATE VIEW changes AS SELECT
            j.id, j.run, r.started AS run_started, j.state, j.path,
            (SELECT group_concat(value, '; ') FROM json_each(old, '$.genre')) AS genres_before,
            (SELECT group_concat(value, '; ') FROM json_each(new, '$.genre')) AS genres_after,
            (SELECT group_concat(value, '; ') FROM json_each(old, '$.mood')) AS moods_before,
            (SELECT group_concat(value, '; ') FROM json_each(new, '$.mood')) AS moods_after
        FROM (
            SELECT *, iif(json_valid(before), before, '{}') AS old, iif(json_valid(after), after, '{}') AS new
            FROM journal
        ) j LEFT JOIN run_log r ON r.id = j.run ORDER BY j.id DESC
        """,
    )
    for number, path in db.execute("SELECT id, path FROM journal").fetchall():
        db.execute("UPDATE journal SET path = ? WHERE id = ?", (to_text(os.fsdecode(path)), number))


@MIGRATIONS()
def m003_copies(db: Database) -> None:
    """Remember the folders in which a run that is killed may leave copies."""
    db.execute("CREATE TABLE copies (folder TEXT PRIMARY KEY)")


@MIGRATIONS()
def m004_tempo_and_key(db: Database) -> None:
    """Show tempo and key among the tracks: as the file says, or else as they were heard."""
    (old,) = db.execute("SELECT sql FROM sqlite_master WHERE name = 'tracks'").fetchone()
    said = ", ".join(
        f"coalesce(json_extract(iif(json_valid(tags), tags, '{{}}'), '$.{field}[0]'), "
        f"json_extract(iif(json_valid(answers), answers, '{{}}'), '$.{field}[0][0]')) AS {field}"
        for field in ("bpm", "key")
    )
    db.execute("DROP VIEW tracks")
    db.execute(old.replace("outcome, reason", f"{said}, outcome, reason"))


@MIGRATIONS()
def m005_not_music_in_words(db: Database) -> None:
    """Spell what is not music as people read it, not as the shipped model's label."""
    _run(
        db,
        """
        UPDATE files SET answers = replace(answers, '["notmusic",', '["not music",')

        UPDATE files SET genre = 'not music' WHERE genre = 'notmusic'
        """,
    )
