"""Which changes are undone: of a run, a file, a folder, a genre, below a confidence; and left so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from doubles import FakeTagger
from scanning import Go
from sounds import Song
from tagging import genres

from mgtag.errors import UsageError
from mgtag.library.events import Fresh, Kept, Tagged
from mgtag.library.index import Index
from mgtag.library.policy import decide
from mgtag.library.undo import Refused, Undone, Which, undo
from mgtag.library.withdraw import withdraw


def names(events: Any) -> list[str]:
    events = list(events)
    assert all(isinstance(e, Undone) for e in events)
    return sorted(e.path.name for e in events)


@pytest.fixture
def album(go: Go, music: Path, song: Song, tagger: FakeTagger) -> dict[str, Path]:
    """Four songs in two folders, tagged: 1 and 3 as Blues, 2 and 4 as Jazz."""
    paths = {n: song(music / ("one" if n < "3" else "two") / f"{n}.flac", seed=int(n)) for n in "1234"}
    tagger.says = {"2.flac": ("jazz", 0.8), "4.flac": ("jazz", 0.95)}
    go()
    return paths


def test_a_file(album: dict[str, Path], index: Index) -> None:
    assert names(undo(index, Which(paths=(album["1"],)))) == ["1.flac"]
    assert genres(album["1"]) == ()
    assert genres(album["2"]) == ("Jazz",)


def test_a_folder(album: dict[str, Path], index: Index, music: Path) -> None:
    assert names(undo(index, Which(paths=(music / "two",)))) == ["3.flac", "4.flac"]
    assert [genres(p) for p in album.values()] == [("Blues",), ("Jazz",), (), ()]


def test_a_folder_given_relatively(
    album: dict[str, Path], index: Index, music: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(music)
    assert names(undo(index, Which(paths=(Path("two"),)))) == ["3.flac", "4.flac"]


def test_a_file_back_through_all_runs(
    album: dict[str, Path], index: Index, go: Go, tagger: FakeTagger, song: Song, music: Path
) -> None:
    original = song(music.parent / "again.flac", seed=1).read_bytes()
    tagger.says |= {"1.flac": ("metal", 0.9)}
    go(force=True)
    assert genres(album["1"]) == ("Metal",)
    which = Which(paths=(album["1"],))
    assert names(undo(index, which, dry_run=True)) == ["1.flac", "1.flac"]
    assert genres(album["1"]) == ("Metal",)
    assert names(undo(index, which)) == ["1.flac", "1.flac"]
    assert album["1"].read_bytes() == original


@pytest.mark.parametrize("rescan", [False, True])
def test_a_file_that_moved_is_named_by_where_it_is(
    album: dict[str, Path], index: Index, go: Go, music: Path, rescan: bool
) -> None:
    there = album["1"].rename(music / "two" / "moved.flac")
    if rescan:
        go()
    assert names(undo(index, Which(paths=(there,)))) == ["moved.flac"]
    assert genres(there) == ()


def test_a_twin_elsewhere_is_not_meant(go: Go, music: Path, song: Song, index: Index) -> None:
    mine, twin = song(music / "a" / "mine.flac"), song(music / "b" / "twin.flac")
    go()
    assert names(undo(index, Which(paths=(mine,)))) == ["mine.flac"]
    assert genres(twin) == ("Blues",)


def test_a_genre(album: dict[str, Path], index: Index) -> None:
    assert names(undo(index, Which(genre="jazz"))) == ["2.flac", "4.flac"]
    assert [genres(p) for p in album.values()] == [("Blues",), (), ("Blues",), ()]


def test_a_genre_in_a_folder(album: dict[str, Path], index: Index, music: Path) -> None:
    assert names(undo(index, Which(genre="Jazz", paths=(music / "two",)))) == ["4.flac"]


def test_a_genre_that_was_written_over_is_passed_by(
    album: dict[str, Path], index: Index, go: Go, tagger: FakeTagger
) -> None:
    tagger.says |= {"2.flac": ("metal", 0.9)}
    go(force=True)
    assert names(undo(index, Which(genre="Jazz"))) == ["4.flac"]
    assert genres(album["2"]) == ("Metal",)
    assert names(undo(index, Which(genre="Metal"))) == ["2.flac"]
    assert names(undo(index, Which(genre="Jazz"))) == ["2.flac"]


def test_a_run_in_a_folder(album: dict[str, Path], index: Index, go: Go, music: Path, song: Song) -> None:
    song(music / "one" / "5.flac", seed=5)
    go()
    assert names(undo(index, Which(run=1, paths=(music / "one",)))) == ["1.flac", "2.flac"]


@pytest.mark.parametrize("which", [Which(genre="Polka"), Which(paths=(Path("nowhere"),)), Which(run=9)])
def test_what_matches_nothing_is_a_usage_error(album: dict[str, Path], index: Index, which: Which) -> None:
    with pytest.raises(UsageError):
        list(undo(index, which))


def test_a_dry_run_changes_nothing(album: dict[str, Path], index: Index) -> None:
    before = {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in album.values()}
    album["3"].write_bytes(album["3"].read_bytes() + b"x")
    before[album["3"]] = album["3"].read_bytes(), album["3"].stat().st_mtime_ns
    events = {e.path.name: type(e) for e in undo(index, dry_run=True)}
    assert events == {"1.flac": Undone, "2.flac": Undone, "3.flac": Refused, "4.flac": Undone}
    assert {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in album.values()} == before
    assert {c.state for c in index.changes()} == {"done"}


# Left so


@pytest.mark.parametrize("force", [False, True])
def test_what_was_taken_back_for_good_is_not_written_again(
    album: dict[str, Path], index: Index, go: Go, force: bool
) -> None:
    names(undo(index, Which(genre="Jazz"), leave=True))
    for mode in ("keep", "append", "overwrite"):
        event = go(force=force, mode=mode)["2.flac"]
        assert isinstance(event, Kept | Fresh)
        assert event.reason == "you took it back"
    assert genres(album["2"]) == ()


def test_an_undo_alone_is_written_again(album: dict[str, Path], index: Index, go: Go) -> None:
    names(undo(index, Which(genre="Jazz")))
    assert isinstance(go()["2.flac"], Tagged)


def test_another_genre_may_still_be_written(
    album: dict[str, Path], index: Index, go: Go, tagger: FakeTagger
) -> None:
    names(undo(index, Which(genre="Jazz"), leave=True))
    tagger.says |= {"2.flac": ("metal", 0.9)}
    assert isinstance(go(force=True)["2.flac"], Tagged)
    assert genres(album["2"]) == ("Metal",)


def test_the_decision_follows_a_moved_file(album: dict[str, Path], index: Index, go: Go, music: Path) -> None:
    there = album["2"].rename(music / "one" / "moved.flac")
    names(undo(index, Which(genre="Jazz"), leave=True))
    again = there.rename(music / "two" / "moved again.flac")
    assert isinstance(go()["moved again.flac"], Kept | Fresh)
    assert genres(again) == ()


def test_of_several_answers_the_others_are_written() -> None:
    found = decide("keep", (), (), ("Jazz", "Blues"), True, ("jazz",))
    assert found.genres == found.added == ("Blues",)
    assert decide("keep", (), (), ("Jazz",), True, ("jazz",)).action == "keep"


# Withdrawn


def test_what_was_written_below_a_confidence_is_withdrawn(album: dict[str, Path], index: Index) -> None:
    assert names(withdraw(index, 0.92, dry_run=True)) == ["1.flac", "2.flac", "3.flac"]
    assert genres(album["1"]) == ("Blues",)
    assert names(withdraw(index, 0.85)) == ["2.flac"]
    assert [genres(p) for p in album.values()] == [("Blues",), (), ("Blues",), ("Jazz",)]
    assert names(withdraw(index, 0.85)) == []


def test_only_below_a_folder(album: dict[str, Path], index: Index, music: Path) -> None:
    assert names(withdraw(index, 0.99, (music / "two",))) == ["3.flac", "4.flac"]


def test_withdrawn_for_good(album: dict[str, Path], index: Index, go: Go) -> None:
    names(withdraw(index, 0.85, leave=True))
    assert isinstance(go()["2.flac"], Kept | Fresh)
    assert genres(album["2"]) == ()


def test_what_the_listener_changed_since_is_not_withdrawn(album: dict[str, Path], index: Index) -> None:
    from mutagen.flac import FLAC

    file = FLAC(album["2"])
    file["genre"] = "Cool Jazz"
    file.save()
    assert names(withdraw(index, 0.85)) == []
    assert genres(album["2"]) == ("Cool Jazz",)


def test_what_cannot_be_withdrawn_is_told(album: dict[str, Path], index: Index) -> None:
    from mutagen.flac import FLAC

    file = FLAC(album["2"])
    file["title"] = "mine"
    file.save()
    (event,) = withdraw(index, 0.85)
    assert isinstance(event, Refused)
    assert "changed since" in event.error


def test_an_earlier_tag_that_comes_back_is_withdrawn_too(
    album: dict[str, Path], index: Index, go: Go, tagger: FakeTagger, song: Song, music: Path
) -> None:
    original = song(music.parent / "again.flac", seed=2).read_bytes()
    tagger.says |= {"2.flac": ("metal", 0.85)}
    go(force=True)
    assert names(withdraw(index, 0.9)) == ["2.flac", "2.flac"]
    assert album["2"].read_bytes() == original
