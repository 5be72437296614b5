"""One genre for an album or an artist: the vote, what is mixed, what is kept, and taking it back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from doubles import FakeTagger, Inline
from mutagen.flac import FLAC
from running import Run
from sounds import Song

from mgtag import tags
from mgtag.bundle import Bundle
from mgtag.library.events import Failed, FileEvent, Fresh, Kept, Tagged, Unsure
from mgtag.library.index import Index
from mgtag.library.policy import Policy
from mgtag.library.scan import scan
from mgtag.library.together import artist_key
from mgtag.library.undo import undo
from mgtag.vote import Vote, common_vote

LABELS = ("Blues", "Jazz", "not music")


def votes(*shares: Sequence[float]) -> list[Vote]:
    return [Vote(LABELS, np.array(row, np.float32), (True, True, False)) for row in shares]


def test_several_unsure_tracks_are_a_sure_album() -> None:
    common, mixed = common_vote(
        votes((0.6, 0.3, 0.1), (0.7, 0.2, 0.1), (0.5, 0.4, 0.1), (0.6, 0.3, 0.1)), 0.7
    )
    assert common.best() == ("Blues",) and not mixed
    assert common.confidence == pytest.approx(0.36 / (0.36 + 0.09 + 0.01))


def test_one_track_is_its_own_album() -> None:
    common, _ = common_vote(votes((0.6, 0.3, 0.1)), 0.7)
    assert common.confidence == pytest.approx(0.6)


def test_sure_tracks_that_disagree_are_mixed() -> None:
    sure, other, unsure = (0.9, 0.1, 0.0), (0.1, 0.9, 0.0), (0.4, 0.6, 0.0)
    assert common_vote(votes(sure, sure, other), 0.7)[1]
    assert not common_vote(votes(sure, sure, sure, other), 0.7)[1]  # three of four
    assert not common_vote(votes(sure, unsure, unsure), 0.7)[1]


def test_one_artist_however_the_name_goes_on() -> None:
    assert artist_key("Nina Simone feat. X") == artist_key("nina simone, Y") == "ninasimone"
    assert artist_key("Various Artists") == artist_key("") == artist_key(None) == ""


@pytest.fixture
def music(song: Song, tmp_path: Path) -> Callable[..., Path]:
    def put(name: str, **said: str) -> Path:
        path = song(tmp_path / "music" / name, 1.5, sound="hum")
        file = FLAC(path)
        for field, value in said.items():
            file[field] = value
        file.save()
        return path

    return put


def go(tagger: FakeTagger, index: Index, folder: Path, **policy: object) -> dict[str, FileEvent]:
    asked = Policy(**{"per": "album", **policy})  # type: ignore[arg-type]
    _, *events = scan([folder], tagger, index, asked, Inline())  # type: ignore[arg-type]
    return {event.path.name: event for event in events}  # type: ignore[union-attr]


def genres(folder: Path) -> dict[str, tuple[str, ...]]:
    return {path.name: tags.read(path).genres for path in sorted(folder.rglob("*.flac"))}


def test_an_album_gets_one_genre(
    tagger: FakeTagger, music: Callable[..., Path], index: Index, tmp_path: Path
) -> None:
    before = {}
    for n in range(4):
        path = music(f"a{n}.flac", album="A", albumartist="X")
        before[path] = path.read_bytes()
        tagger.says[path.name] = ("jazz", 0.55) if n else ("blues", 0.5)  # none is sure by itself
    found = go(tagger, index, tmp_path / "music")
    assert all(isinstance(event, Tagged) for event in found.values())
    assert set(genres(tmp_path).values()) == {("Jazz",)}
    written = tags.read(tmp_path / "music" / "a0.flac").provenance["genre"]
    assert written.added == ("Jazz",) and written.confidence > 0.6
    list(undo(index))
    assert {path: path.read_bytes() for path in before} == before


def test_by_itself_no_track_would_get_one(
    tagger: FakeTagger, music: Callable[..., Path], index: Index, tmp_path: Path
) -> None:
    for n in range(4):
        tagger.says[music(f"a{n}.flac", album="A").name] = ("jazz", 0.55)
    assert all(isinstance(e, Unsure) for e in go(tagger, index, tmp_path / "music", per="track").values())
    # The same files, as an album, without being heard again.
    asked = len(tagger.asked)
    assert all(isinstance(e, Tagged) for e in go(tagger, index, tmp_path / "music").values())
    assert len(tagger.asked) == asked


def test_a_mixed_album_is_left_alone(
    tagger: FakeTagger, music: Callable[..., Path], index: Index, tmp_path: Path
) -> None:
    for n, genre in enumerate(("jazz", "jazz", "blues")):
        tagger.says[music(f"a{n}.flac", album="A").name] = (genre, 0.95)
    found = go(tagger, index, tmp_path / "music")
    assert all(isinstance(e, Unsure) and e.reason == "a mixed album" for e in found.values())
    assert set(genres(tmp_path).values()) == {()}


def test_hand_made_tags_are_kept(
    tagger: FakeTagger, music: Callable[..., Path], index: Index, tmp_path: Path
) -> None:
    for n in range(3):
        tagger.says[music(f"a{n}.flac", album="A").name] = ("jazz", 0.9)
    music("a2.flac", album="A", genre="Krautrock")
    found = go(tagger, index, tmp_path / "music")
    assert isinstance(found["a2.flac"], Kept)
    assert genres(tmp_path) == {"a0.flac": ("Jazz",), "a1.flac": ("Jazz",), "a2.flac": ("Krautrock",)}


def test_what_an_album_is(
    tagger: FakeTagger, music: Callable[..., Path], index: Index, tmp_path: Path
) -> None:
    """Album and its artist in one folder or its discs; without an album, the folder."""
    for name, said in {
        "flat/q1.flac": {"album": "Hits", "albumartist": "Queen"},
        "flat/q2.flac": {"album": "Hits", "albumartist": "Queen"},
        "flat/a1.flac": {"album": "Hits", "albumartist": "ABBA"},
        "Box/CD 1/d1.flac": {"album": "Box"},
        "Box/CD 2/d2.flac": {"album": "Box"},
        "loose/l1.flac": {},
        "loose/l2.flac": {},
    }.items():
        path = music(name, **said)
        tagger.says[path.name] = ("blues", 0.9) if path.name == "a1.flac" else ("jazz", 0.55)
    go(tagger, index, tmp_path / "music")
    found = genres(tmp_path)
    assert found.pop("a1.flac") == ("Blues",)
    assert set(found.values()) == {("Jazz",)}


def test_an_artist_is_one_across_folders(
    tagger: FakeTagger, music: Callable[..., Path], index: Index, tmp_path: Path
) -> None:
    for n in range(3):
        path = music(f"{n}/a{n}.flac", artist="Nina" if n else "nina feat. X")
        tagger.says[path.name] = ("jazz", 0.55)
    tagger.says[music("0/unknown.flac").name] = ("blues", 0.55)
    found = go(tagger, index, tmp_path / "music", per="artist")
    assert {name for name, event in found.items() if isinstance(event, Tagged)} == {
        "a0.flac",
        "a1.flac",
        "a2.flac",
    }
    assert isinstance(found["unknown.flac"], Unsure)


def test_a_second_scan_changes_nothing_and_a_new_track_joins(
    tagger: FakeTagger, music: Callable[..., Path], index: Index, tmp_path: Path
) -> None:
    for n in range(3):
        tagger.says[music(f"a{n}.flac", album="A").name] = ("jazz", 0.55)
    go(tagger, index, tmp_path / "music")
    assert all(isinstance(event, Fresh) for event in go(tagger, index, tmp_path / "music").values())
    tagger.says[music("a3.flac", album="A").name] = ("jazz", 0.4)
    found = go(tagger, index, tmp_path / "music")
    assert isinstance(found.pop("a3.flac"), Tagged)
    assert not any(isinstance(event, Tagged) for event in found.values())
    assert set(genres(tmp_path).values()) == {("Jazz",)}


def test_a_scan_that_is_broken_off_is_finished_by_the_next(
    tagger: FakeTagger, music: Callable[..., Path], index: Index, tmp_path: Path
) -> None:
    for n in range(3):
        tagger.says[music(f"a{n}.flac", album="A").name] = ("jazz", 0.55)
    tagger.says["a2.flac"] = KeyboardInterrupt
    with pytest.raises(KeyboardInterrupt):
        go(tagger, index, tmp_path / "music")
    assert set(genres(tmp_path).values()) == {()}
    tagger.says["a2.flac"] = ("jazz", 0.55)
    assert all(isinstance(event, Tagged) for event in go(tagger, index, tmp_path / "music").values())


def test_a_damaged_file_does_not_hold_its_album_back(
    tagger: FakeTagger, music: Callable[..., Path], index: Index, tmp_path: Path
) -> None:
    for n in range(2):
        tagger.says[music(f"a{n}.flac", album="A").name] = ("jazz", 0.9)
    (tmp_path / "music" / "b.flac").write_bytes(b"nothing")
    found = go(tagger, index, tmp_path / "music")
    assert isinstance(found["b.flac"], Failed)
    assert isinstance(found["a0.flac"], Tagged) and isinstance(found["a1.flac"], Tagged)


def test_a_dry_run_tells_and_writes_nothing(
    tagger: FakeTagger, music: Callable[..., Path], index: Index, tmp_path: Path
) -> None:
    for n in range(3):
        tagger.says[music(f"a{n}.flac", album="A").name] = ("jazz", 0.55)
    found = go(tagger, index, tmp_path / "music", dry_run=True)
    assert all(isinstance(e, Tagged) and e.reason == "dry run" for e in found.values())
    assert set(genres(tmp_path).values()) == {()}
    assert all(isinstance(event, Tagged) for event in go(tagger, index, tmp_path / "music").values())


def test_the_command_line(tiny: Bundle, song: Song, run: Run, tmp_path: Path) -> None:
    song(tmp_path / "music" / "1.flac", 1.5, sound="hum")
    song(tmp_path / "music" / "2.flac", 1.5, sound="hum")
    done = run("scan", "--per", "album", tmp_path / "music", "--model", tiny.folder)
    assert done.code == 0
    assert set(genres(tmp_path).values()) == {("Blues",)}
