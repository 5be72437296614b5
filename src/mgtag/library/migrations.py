"""The index's schema, as named steps; each runs once, in a transaction, after a backup."""

from __future__ import annotations

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

MIGRATIONS = Migrations("mgtag")


@MIGRATIONS()
def m001_runs_files_journal(db: Database) -> None:
    """Create the three tables of version 0.1."""
    statements = """
        CREATE TABLE runs (
            id INTEGER PRIMARY KEY,
            command TEXT NOT NULL, bundle TEXT NOT NULL, version TEXT NOT NULL,
            started TEXT NOT NULL, ended TEXT
        );
        CREATE TABLE files (
            path BLOB PRIMARY KEY,
            size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
            signature TEXT NOT NULL, duration_s REAL NOT NULL,
            bundle TEXT NOT NULL, heard TEXT NOT NULL, confidence REAL NOT NULL,
            genres TEXT NOT NULL, written TEXT NOT NULL,
            event TEXT NOT NULL, error TEXT NOT NULL, run INTEGER NOT NULL,
            labels TEXT, starts_s BLOB, probabilities BLOB, attention BLOB, embedding BLOB
        );
        CREATE INDEX files_signature ON files (signature);
        CREATE INDEX files_size ON files (size, mtime_ns);
        CREATE TABLE journal (
            id INTEGER PRIMARY KEY,
            run INTEGER NOT NULL REFERENCES runs, path BLOB NOT NULL, signature TEXT NOT NULL,
            state TEXT NOT NULL CHECK (state IN ('pending', 'done', 'undone')),
            before TEXT NOT NULL, after TEXT NOT NULL,
            sha_before TEXT NOT NULL, sha_after TEXT NOT NULL,
            mtime_ns INTEGER NOT NULL, patch BLOB NOT NULL
        );
        CREATE INDEX journal_run ON journal (run, state)
    """
    for statement in statements.split(";"):
        db.execute(statement)
