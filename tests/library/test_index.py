"""The store: what goes in comes out, and no index is lost."""

from __future__ import annotations

import json
import multiprocessing
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import sqlite_utils
import tiny_bundle
from sqlite_utils.migrations import Migrations

from mgtag.errors import StoreError
from mgtag.library import migrations, opening, upgrade
from mgtag.library.index import Index
from mgtag.library.outcome import Outcome
from mgtag.library.records import Answer, Change, Filter, Track
from mgtag.prediction import Prediction

TRACK = Track(
    Path("/music/a.mp3"),
    123,
    456_000_000_789,
    "tiny@0",
    1,
    "sha",
    61.5,
    artist="Nina Simone",
    album="Pastel Blues",
    title="Sinnerman",
    year=1965,
    tags={"genre": ("Jazz", "Live"), "mood": ()},
    written={"genre": ("Jazz",)},
    answers={"genre": (Answer("Jazz", 0.75), Answer("Blues", 0.12)), "mood": (Answer("sad", 0.6),)},
    outcome=Outcome.TAGGED,
    added="2026-01-02T03:04:05+00:00",
)
NAMES = [
    b"/m/\xff\xfe.mp3",
    b"/m/new\nline.mp3",
    "/m/Ünï.mp3".encode(),
    b"/m/'; DROP TABLE files; --.mp3",
    b"/m/%s?.mp3",
]


def path_of(raw: bytes) -> Path:
    return Path(raw.decode("utf-8", "surrogateescape"))


def prediction(slices: int = 3) -> Prediction:
    rng = np.random.default_rng(0)
    shares = rng.dirichlet(np.ones(4), slices).astype(np.float32)
    return tiny_bundle.prediction(
        ("a", "b", "c", "d"),
        np.arange(slices, dtype=np.float32) * 3.02,
        shares,
        rng.dirichlet(np.ones(39), slices).astype(np.float32),
        rng.standard_normal((slices, 80)).astype(np.float32),
    )


def change(run: int, path: Path = TRACK.path, **changes: object) -> Change:
    row = Change(
        0,
        run,
        path,
        "sha",
        "pending",
        {"genre": ("Rock",)},
        {"genre": ("Jazz",)},
        "a" * 64,
        "b" * 64,
        123,
        b"\0patch\xff",
    )
    return replace(row, **changes)  # type: ignore[arg-type]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "index.db"


def test_a_track_comes_back_as_it_was(path: Path) -> None:
    with Index(path) as store:
        store.record(TRACK, prediction())
    with Index(path) as store:
        assert store.track(TRACK.path) == TRACK
        assert store.track(Path("/music/b.mp3")) is None


def test_a_prediction_comes_back(index: Index) -> None:
    there = prediction()
    index.record(TRACK, there)
    back = index.prediction(TRACK.path)
    assert back is not None
    of, wanted = back.heads["genre"], there.heads["genre"]
    assert of.labels == wanted.labels
    np.testing.assert_allclose(of.probabilities, wanted.probabilities, rtol=0.15)


def test_a_prediction_that_is_not_given_stays(index: Index) -> None:
    index.record(TRACK, prediction())
    index.record(replace(TRACK, outcome=Outcome.KEPT))
    assert index.prediction(TRACK.path) is not None
    assert index.track(TRACK.path) == replace(TRACK, outcome=Outcome.KEPT)


def test_what_was_heard_of_another_sound_is_forgotten(index: Index) -> None:
    """The file was replaced by one that cannot be heard."""
    index.record(TRACK, prediction())
    index.record(Track(TRACK.path, 1, 2, "tiny@0", 2, reason="damaged"))
    assert index.prediction(TRACK.path) is None


@pytest.mark.parametrize("raw", NAMES, ids=repr)
def test_a_path_is_bytes(path: Path, raw: bytes) -> None:
    there = path_of(raw)
    with Index(path) as store:
        run = store.begin_run(f"scan {there}")
        store.record(replace(TRACK, path=there, reason=f"{there}: damaged"))
        number = store.begin_change(change(run, there))
        store.end_change(number, "done")
    with Index(path) as store:
        found = store.track(there)
        assert found is not None
        assert found.path == there
        assert found.reason.endswith(": damaged")
        assert next(store.changes()).path == there
        assert next(store.runs()).command.startswith("scan /m/")


def test_genres_in_any_script_come_back(index: Index) -> None:
    there = replace(TRACK, tags={"genre": ("Ünï", "音楽", "a;b", 'c"d', "e\0f")})
    index.record(there)
    assert index.track(there.path) == there


def test_a_file_moves_over_another(index: Index) -> None:
    index.record(TRACK, prediction())
    other = replace(TRACK, path=Path("/music/b.mp3"), size=1)
    index.record(other)
    index.move(TRACK.path, other.path)
    assert index.track(TRACK.path) is None
    assert index.track(other.path) == replace(TRACK, path=other.path)
    assert index.prediction(other.path) is not None


def test_a_change_is_pending_until_it_is_settled(index: Index) -> None:
    run = index.begin_run("scan")
    number = index.begin_change(change(run))
    assert [c.state for c in index.changes()] == ["pending"]
    index.end_change(number, "done", TRACK, prediction())
    (back,) = index.changes()
    assert back == replace(change(run), id=number, state="done")
    assert index.track(TRACK.path) == TRACK


def test_a_change_that_did_not_happen_is_forgotten(index: Index) -> None:
    number = index.begin_change(change(index.begin_run("scan")))
    index.drop_change(number)
    assert list(index.changes()) == []


def test_changes_come_latest_first(index: Index) -> None:
    run = index.begin_run("scan")
    numbers = [index.begin_change(change(run)) for _ in range(3)]
    assert [c.id for c in index.changes()] == numbers[::-1]


def test_the_last_tagging_run_is_one_that_can_be_undone(index: Index) -> None:
    assert index.last_tagging_run() is None
    first, second = index.begin_run("a"), index.begin_run("b")
    index.begin_run("changed nothing")
    numbers = [index.begin_change(change(run)) for run in (first, second)]
    for number in numbers:
        index.end_change(number, "done")
    assert index.last_tagging_run() == second
    index.end_change(numbers[1], "undone")
    assert index.last_tagging_run() == first


def test_runs_count_their_changes(index: Index) -> None:
    run = index.begin_run("scan /music")
    index.begin_run("nothing")
    for state in ("done", "undone", "done"):
        index.end_change(index.begin_change(change(run)), state)
    assert [(r.id, r.changed, r.undone) for r in index.runs()] == [(run + 1, 0, 0), (run, 3, 1)]
    assert index.has_run(run)
    assert not index.has_run(99)


def test_a_journal_row_is_on_the_disk_at_once(path: Path) -> None:
    """Another process sees it before `begin_change`'s caller goes on."""
    with Index(path) as store:
        store.begin_change(change(store.begin_run("scan")))
        with sqlite3.connect(path) as other:
            assert other.execute("SELECT state FROM journal").fetchall() == [("pending",)]
        assert store._db.execute("PRAGMA synchronous").fetchone()[0] == 2  # FULL
        assert store._db.execute("PRAGMA journal_mode").fetchone()[0] == "wal"


# Versions


def with_another_step(monkeypatch: pytest.MonkeyPatch, step: Callable[[sqlite_utils.Database], None]) -> None:
    later = Migrations("mgtag")
    later._migrations = list(migrations.MIGRATIONS._migrations)
    later()(step)
    monkeypatch.setattr(upgrade, "MIGRATIONS", later)
    monkeypatch.setattr(opening, "VERSION", opening.VERSION + 1)


def test_a_migration_keeps_a_copy_of_what_was(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Index(path) as store:
        store.record(TRACK)

    def m999_new(db: sqlite_utils.Database) -> None:
        db.execute("ALTER TABLE files ADD COLUMN colour TEXT")

    with_another_step(monkeypatch, m999_new)
    with Index(path) as store:
        columns = {row[1] for row in store._db.execute("PRAGMA table_info(files)")}
        assert "colour" in columns
        assert store.track(TRACK.path) == TRACK
    (backup,) = path.parent.glob("*.backup")
    monkeypatch.undo()
    with Index(backup) as store:
        assert store.track(TRACK.path) == TRACK


def test_opening_again_makes_no_copy(path: Path) -> None:
    for _ in range(2):
        Index(path).close()
    assert not list(path.parent.glob("*.backup"))


def test_a_migration_that_fails_changes_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Index(path) as store:
        store.record(TRACK)

    def m999_half(db: sqlite_utils.Database) -> None:
        db.execute("ALTER TABLE files ADD COLUMN colour TEXT")
        db.execute("this is no SQL")

    with_another_step(monkeypatch, m999_half)
    with pytest.raises(StoreError):
        Index(path)
    monkeypatch.undo()
    with Index(path) as store:
        assert "colour" not in {row[1] for row in store._db.execute("PRAGMA table_info(files)")}
        assert store.track(TRACK.path) == TRACK


def test_a_newer_index_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def m999_future(db: sqlite_utils.Database) -> None:
        db.execute("CREATE TABLE future (id INTEGER)")

    with_another_step(monkeypatch, m999_future)
    Index(path).close()
    monkeypatch.undo()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="newer mgtag"):
        Index(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "content", [b"no database at all, but long enough for a header" * 30, b"SQLite format 3\0" + b"x" * 5000]
)
def test_what_is_no_index_is_refused_and_kept(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(StoreError, match="--index"):
        Index(path)
    assert path.read_bytes() == content


def test_another_programs_database_is_left_alone(path: Path) -> None:
    """``--index`` with a slip of the finger, onto a player's own database."""
    path.parent.mkdir()
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE files (id INTEGER, name TEXT)")
        other.execute("INSERT INTO files VALUES (1, 'x')")
    with pytest.raises(StoreError):
        Index(path)
    with sqlite3.connect(path) as other:
        tables = {row[0] for row in other.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        assert not {"runs", "journal"} & tables
        assert other.execute("SELECT * FROM files").fetchall() == [(1, "x")]


@pytest.mark.parametrize("where", ["", "file/index.db"])
def test_a_path_that_can_hold_no_index_is_told(tmp_path: Path, where: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="cannot be opened"):
        Index(tmp_path / where)


# One writer


def hold(path: Path, ready: object, done: object) -> None:
    with Index(path) as store, store.sole_writer():
        ready.set()  # type: ignore[attr-defined]
        done.wait(60)  # type: ignore[attr-defined]


def test_a_second_writer_is_told_at_once_and_a_reader_is_not(path: Path) -> None:
    """Complaint beets#903: a traceback instead of "another instance runs"."""
    Index(path).close()
    context = multiprocessing.get_context("fork")
    ready, done = context.Event(), context.Event()
    other = context.Process(target=hold, args=(path, ready, done))
    other.start()
    try:
        assert ready.wait(60)
        with Index(path) as store:
            with pytest.raises(StoreError, match="Another mgtag"), store.sole_writer():
                pass
            assert list(store.runs()) == []
    finally:
        done.set()
        other.join()
    with Index(path) as store, store.sole_writer():
        pass  # the lock went with its holder


def test_the_lock_goes_with_an_error(path: Path) -> None:
    with Index(path) as store:
        with pytest.raises(ValueError), store.sole_writer():
            raise ValueError
        with store.sole_writer():
            pass


def test_json_of_the_journal_is_text(index: Index) -> None:
    """Other programs can read it."""
    number = index.begin_change(change(index.begin_run("scan"), before={"genre": ("Schlager & Söhne",)}))
    (raw,) = index._db.execute("SELECT before FROM journal WHERE id = ?", (number,)).fetchone()
    assert json.loads(raw) == {"genre": ["Schlager & Söhne"]}


@pytest.mark.parametrize("wanted", [Filter(), Filter(min_confidence=0.5), Filter(genre="Jazz")], ids=str)
@pytest.mark.parametrize("order", ["path", "genre", "mood", "confidence"])
def test_the_first_row_waits_for_no_sorting(index: Index, wanted: Filter, order: str) -> None:
    """Red before: every list was found by confidence, and sorted whole."""
    asked: list[str] = []
    index._db.set_trace_callback(asked.append)
    list(index.tracks(replace(wanted, order=order)))
    index._db.set_trace_callback(None)
    (query,) = asked
    plan = [row[3] for row in index._db.execute(f"EXPLAIN QUERY PLAN {query}")]
    assert len(plan) == 1, plan
    assert "USING INDEX" in plan[0]
