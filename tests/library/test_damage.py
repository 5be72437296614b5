"""A damaged index is set aside, its journal saved; nobody else's file is ever touched."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import FakeTagger, Inline
from known import known

from mgtag.errors import DamagedIndexError, StoreError
from mgtag.library.index import Index
from mgtag.library.policy import Policy
from mgtag.library.records import Change, Filter
from mgtag.library.scan import scan
from mgtag.library.undo import Undone, undo

PAGE = 4096
ROWS = 2000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """An index of some hundred pages, closed, so that all of it lies in one file."""
    path = tmp_path / "index.db"
    with Index(path) as store, store.sole_writer():
        run = store.begin_run("/m")
        with store._db:
            for n in range(ROWS):
                store._record(known(f"/m/{n}.mp3", "Jazz", genres=("Jazz",), run=run), None)
        for n in range(20):
            value = {"genre": ("Jazz",)}
            change = Change(0, run, Path(f"/m/{n}.mp3"), "s", "pending", {}, value, "a", "b", 1, b"patch")
            store.end_change(store.begin_change(change), "done")
    return path


def pages_of(path: Path, table: str) -> list[int]:
    with sqlite3.connect(path) as db:
        rows = db.execute("SELECT pageno FROM dbstat WHERE name = ? AND pagetype = 'leaf'", (table,))
        return [number for (number,) in rows]


def overwrite(path: Path, pages: list[int]) -> None:
    with open(path, "r+b") as file:
        for page in pages:
            file.seek((page - 1) * PAGE)
            file.write(b"\xa5" * PAGE)


def damage(path: Path, kind: str) -> None:
    if kind == "cut":
        with open(path, "r+b") as file:
            file.truncate(path.stat().st_size // 2 // PAGE * PAGE)
    elif kind == "no database":
        path.write_bytes(b"\0" * path.stat().st_size)
    else:
        overwrite(path, pages_of(path, "files")[10:20])


@pytest.mark.parametrize("kind", ["cut", "no database", "overwritten"])
def test_a_damaged_index_ends_in_a_sentence_and_the_next_scan_begins_a_new_one(path: Path, kind: str) -> None:
    damage(path, kind)
    raw = path.read_bytes()
    with pytest.raises(DamagedIndexError, match=r"damaged.*`mgtag scan` sets it aside"), Index(path) as store:
        list(store.tracks())
    assert path.read_bytes() == raw  # who only looks changes nothing
    with Index(path, mend=True) as store:
        assert "was damaged" in store.mended
        (aside,) = path.parent.glob("*.damaged")
        assert str(aside) in store.mended
        assert store._db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        list(store.tracks())
    assert aside.read_bytes() == raw
    with Index(path, mend=True) as store:
        assert store.mended == ""


def test_what_can_be_read_of_a_damaged_index_is_saved(path: Path) -> None:
    lost = pages_of(path, "files")[5:8]
    overwrite(path, lost)
    with pytest.raises(DamagedIndexError), Index(path) as store:
        list(store.tracks())
    with Index(path, mend=True) as store:
        assert "20 changes" in store.mended
        assert [change.patch for change in store.changes()] == [b"patch"] * 20
        assert [run.changed for run in store.runs()] == [20]
        kept = sum(1 for _ in store.tracks())
        assert ROWS * 0.8 < kept < ROWS  # those before the damage, and those behind it
        assert [t.path.name for t in store.tracks(Filter(text='"1999'))] == ["1999.mp3"]


def test_undo_knows_of_every_change_after_the_index_was_damaged(
    tmp_path: Path, song: Callable[..., Path], tagger: FakeTagger
) -> None:
    music, index = tmp_path / "music", tmp_path / "data" / "index.db"
    songs = [song(music / f"{n}.flac", seed=n) for n in range(3)]
    before = [path.read_bytes() for path in songs]
    with Index(index) as store, store.sole_writer():
        list(scan([music], tagger, store, Policy(), Inline()))  # type: ignore[arg-type]
    assert all(path.read_bytes() != raw for path, raw in zip(songs, before, strict=True))
    overwrite(index, pages_of(index, "files"))
    with pytest.raises(DamagedIndexError), Index(index) as store:
        list(store.tracks())
    with Index(index, mend=True) as store:
        assert [type(event) for event in undo(store)] == [Undone] * 3
    assert [path.read_bytes() for path in songs] == before


@pytest.mark.parametrize("mend", [False, True])
def test_another_programs_file_is_left_alone(tmp_path: Path, mend: bool) -> None:
    """``--index`` with a slip of the finger: a player's database, whole or damaged, or a text."""
    whole, broken, text = tmp_path / "player.db", tmp_path / "broken.db", tmp_path / "notes.txt"
    with sqlite3.connect(whole) as db:
        db.execute("CREATE TABLE songs (id INTEGER, name TEXT)")
        db.executemany("INSERT INTO songs VALUES (?, ?)", [(n, "x" * 100) for n in range(1000)])
    db.close()
    broken.write_bytes(whole.read_bytes()[: PAGE * 3])
    text.write_text("no database at all, but long enough for a header\n" * 100)
    before = {file: file.read_bytes() for file in (whole, broken, text)}
    for file in before:
        with pytest.raises(StoreError, match="--index") as told:
            Index(file, mend=mend)
        assert not isinstance(told.value, DamagedIndexError)
    assert {file: file.read_bytes() for file in tmp_path.iterdir()} == before


def test_a_damaged_row_is_told_and_hides_no_other(path: Path) -> None:
    with Index(path) as store:
        with store._db:
            store._db.execute("UPDATE files SET answers = '{' WHERE path = '/m/7.mp3'")
            store._db.execute("UPDATE journal SET before = x'ff' WHERE id = 3")
        tracks = {track.path.name: track for track in store.tracks()}
        assert len(tracks) == ROWS
        assert "damaged" in tracks["7.mp3"].reason
        assert {c.patch for c in store.changes()} == {b"patch"}  # which undoes it
        for view in ("tracks", "by_genre", "changes"):  # they hold, too
            assert len(store._db.execute(f"SELECT * FROM {view}").fetchall()) > 0


def test_arrays_that_are_damaged_end_in_a_sentence(path: Path) -> None:
    with Index(path) as store:
        labels = '{"genre": ["Jazz"]}'
        store._db.execute("INSERT INTO labels VALUES (9, ?)", (labels,))
        store._db.execute("INSERT INTO slices SELECT id, 9, x'00', x'00' FROM files WHERE path = '/m/1.mp3'")
        with pytest.raises(StoreError, match=r"1\.mp3: what was heard in it is damaged"):
            store.prediction(Path("/m/1.mp3"))
