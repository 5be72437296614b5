"""An index of version 0.1 becomes one of today, with nothing lost."""

from __future__ import annotations

import json
import os
import sqlite3
from pathlib import Path

import numpy as np
import pytest
import sqlite_utils

from mgtag.library import migrations, opening
from mgtag.library.index import Index
from mgtag.library.outcome import Outcome
from mgtag.library.records import Answer, Filter, Track

NAMES = [b"/m/a.mp3", b"/m/\xff\xfe.mp3", b"/m/back\\slash.mp3", "/m/Ünï.mp3".encode()]
LABELS = ["blues", "jazz"]


@pytest.fixture
def old(tmp_path: Path) -> Path:
    path = tmp_path / "index.db"
    db = sqlite_utils.Database(path)
    migrations.MIGRATIONS.apply(db, stop_before="m002_text_paths_heads_views")
    db.execute("INSERT INTO runs VALUES (7, '/m', 'tiny@0', '0.1', '2026-01-02T03:04:05', NULL)")
    half = np.full((3, 2), 0.5, np.float16).tobytes()
    for name in NAMES:
        heard = (json.dumps(LABELS), np.arange(3, dtype=np.float32).tobytes(), half, half, half)
        row = (
            name,
            1,
            2,
            "sha",
            61.5,
            "tiny@0",
            "Jazz",
            0.75,
            '["Jazz", "Ünï"]',
            '["Jazz"]',
            "tagged",
            "",
            7,
        )
        db.execute(f"INSERT INTO files VALUES ({', '.join('?' * 18)})", (*row, *heard))
        change = (7, name, "sha", "done", '["Rock"]', '["Jazz"]', "a" * 64, "b" * 64, 123, b"\0\xff")
        db.execute("INSERT INTO journal VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", change)
    db.conn.commit()
    db.close()
    return path


def test_every_row_of_the_first_version_is_kept(old: Path) -> None:
    with Index(old) as store:
        for name in NAMES:
            track = store.track(Path(os.fsdecode(name)))
            assert track is not None
            assert (track.tags, track.written) == ({"genre": ("Jazz", "Ünï")}, {"genre": ("Jazz",)})
            assert (track.answers, track.outcome) == ({"genre": (Answer("Jazz", 0.75),)}, Outcome.TAGGED)
            assert (track.signature, track.duration_s, track.run) == ("sha", 61.5, 7)
            assert (track.artist, track.added) == (None, "2026-01-02T03:04:05")
            heard = store.prediction(track.path)
            assert heard is not None
            assert (heard.heads["genre"].labels, heard.starts_s.tolist()) == (tuple(LABELS), [0, 1, 2])
        changes = list(store.changes())
        assert [os.fsencode(c.path) for c in changes] == NAMES[::-1]
        assert {(c.before["genre"], c.after["genre"], c.patch) for c in changes} == {
            (("Rock",), ("Jazz",), b"\0\xff")
        }
        assert [(r.id, r.command, r.changed) for r in store.runs()] == [(7, "/m", 4)]


def test_the_old_form_is_kept_beside_it(old: Path) -> None:
    Index(old).close()
    (backup,) = old.parent.glob("*.backup")
    with sqlite3.connect(backup) as db:
        assert db.execute("SELECT count(*) FROM files WHERE typeof(path) = 'blob'").fetchone() == (
            len(NAMES),
        )


def test_an_index_that_is_current_needs_no_migration(tmp_path: Path) -> None:
    """`opening` knows the number of steps without importing them."""
    assert len(migrations.MIGRATIONS._migrations) == opening.VERSION
    Index(tmp_path / "index.db").close()
    with sqlite3.connect(tmp_path / "index.db") as db:
        assert db.execute("PRAGMA user_version").fetchone() == (opening.VERSION,)
        assert db.execute("PRAGMA application_id").fetchone() == (opening.APPLICATION_ID,)


def test_an_index_whose_first_step_failed_is_begun_anew(tmp_path: Path) -> None:
    """The disk was full, or the power failed: it is no other program's database."""
    path = tmp_path / "index.db"
    with sqlite3.connect(path) as db:
        migrations.MIGRATIONS.ensure_migrations_table(sqlite_utils.Database(db))
    db.close()
    with Index(path) as index:
        assert not list(index.runs())


def test_what_was_heard_as_notmusic_reads_as_not_music(tmp_path: Path) -> None:
    answers = {"genre": (Answer("notmusic", 0.9), Answer("Jazz", 0.1))}
    with Index(tmp_path / "index.db") as store:
        store.record(Track(tmp_path / "a.mp3", 1, 1, "wide@0", 1, answers=answers))
    with sqlite3.connect(tmp_path / "index.db") as db:
        db.execute("DELETE FROM _sqlite_migrations WHERE name = 'm005_not_music_in_words'")
        db.execute("PRAGMA user_version = 4")
    db.close()
    with Index(tmp_path / "index.db") as store:
        (track,) = store.tracks(Filter())
        assert track.heard == "not music" and track.answers["genre"][1] == Answer("Jazz", 0.1)
    with sqlite3.connect(tmp_path / "index.db") as db:
        assert db.execute("SELECT heard FROM tracks").fetchone() == ("not music",)
