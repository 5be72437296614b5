"""Whatever one file holds, a scan goes on, and overwrites nothing that was made by hand."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import bombs
import numpy as np
import pytest
import sounds
from doubles import FakeTagger, Inline
from scanning import Go
from sounds import Song

from mgtag import tags
from mgtag.audio import Sound
from mgtag.bundle import Bundle
from mgtag.errors import TooShortError
from mgtag.inference import Amount, Tagger
from mgtag.library.events import Event, Failed, Kept, Tagged, TooShort
from mgtag.library.index import Index
from mgtag.library.outcome import Outcome
from mgtag.library.policy import Policy
from mgtag.library.scan import scan
from mgtag.workers import Workers


def tag_in_place(path: Path, genre: str) -> None:
    """Write a genre as a tagger does that uses the padding and keeps the date."""
    from mutagen.flac import FLAC

    before = path.stat()
    file = FLAC(path)
    file["genre"] = genre
    file.save(padding=lambda info: info.padding)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size


def padded(path: Path) -> Path:
    from mutagen.flac import FLAC

    FLAC(path).save(padding=lambda _: 1024)
    return path


# A genre made by hand


@pytest.mark.parametrize(
    "second", [{"threshold": 0.4}, {"threshold": 0.4, "mode": "keep", "top": 2}], ids=["threshold", "top"]
)
def test_a_genre_set_with_the_same_size_and_date_is_not_overwritten(
    go: Go, music: Path, song: Song, tagger: FakeTagger, second: dict[str, Any]
) -> None:
    path = padded(song(music / "a.flac"))
    tagger.says = {"a.flac": ("jazz", 0.5)}
    go()
    tag_in_place(path, "Rock")
    before = path.read_bytes()
    event = go(**second)["a.flac"]
    assert tagger.asked == []
    assert isinstance(event, Kept)
    assert path.read_bytes() == before


def test_nor_after_mgtag_wrote_there(go: Go, music: Path, song: Song, tagger: FakeTagger) -> None:
    path = padded(song(music / "a.flac"))
    go()
    tag_in_place(path, "Rock")  # "Blues" was mgtag's, this is not
    before = path.read_bytes()
    tagger.says = {"a.flac": ("metal", 0.9)}
    go(threshold=0.1, top=3)
    assert path.read_bytes() == before


def test_nor_behind_append(go: Go, music: Path, song: Song) -> None:
    path = padded(song(music / "a.flac"))
    go(dry_run=True)
    tag_in_place(path, "Rock")
    go(mode="append")
    assert tags.read(path).genres == ("Rock", "Blues")


def test_a_tag_edited_between_the_look_and_the_write_is_not_lost(
    go: Go, music: Path, song: Song, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = padded(song(music / "a.flac"))
    real = tags.draft

    def late(*arguments: Any, **options: Any) -> Any:
        tag_in_place(path, "Rock")
        return real(*arguments, **options)

    monkeypatch.setattr(tags, "draft", late)
    event = go()["a.flac"]
    assert isinstance(event, Failed)
    assert "changed it meanwhile" in event.error
    assert tags.read(path).genres == ("Rock",)


# One file stops no scan


@pytest.mark.parametrize("value", [np.inf, np.nan, 1e20])
def test_a_float_wav_with_values_that_are_no_sound(
    music: Path, song: Song, tiny: Bundle, index: Index, value: float
) -> None:
    y = sounds.synthesise("hum", 2.0).T.copy()
    y[1000] = value
    bombs.float_wav(music / "a.wav", y)
    song(music / "b.flac", 2.0, sound="hum")
    events = list(scan([music], Tagger(tiny, "cpu"), index, Policy(), Inline()))[1:]
    assert [type(e) for e in events] == [Tagged, Tagged]


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_an_answer_that_is_no_number_fails_only_its_file(
    go: Go, music: Path, song: Song, tagger: FakeTagger, index: Index, value: float
) -> None:
    for name in "abc":
        song(music / f"{name}.flac")
    real = tagger.predict

    def predict(source: Sound, slices: Amount = "auto") -> Any:
        found = real(source)
        if source.path.name == "b.flac":
            found.heads["genre"].probabilities[:] = value
        return found

    tagger.predict = predict
    events = go()
    assert {n: type(e) for n, e in events.items()} == {"a.flac": Tagged, "b.flac": Failed, "c.flac": Tagged}
    assert "no number" in events["b.flac"].error
    assert type(go()["b.flac"]) is Failed


@pytest.mark.parametrize("error", [RuntimeError, MemoryError, RecursionError, TimeoutError, UnicodeError])
@pytest.mark.parametrize("place", ["mgtag.tags.read", "mgtag.tags.draft", "mgtag.library.decisions.vote"])
def test_any_exception_fails_only_its_file(
    go: Go, music: Path, song: Song, monkeypatch: pytest.MonkeyPatch, error: type[Exception], place: str
) -> None:
    for name in "abc":
        song(music / f"{name}.flac")
    module, _, name = place.rpartition(".")
    real = getattr(__import__(module, fromlist=[name]), name)
    calls: list[object] = []

    def second(*arguments: Any, **options: Any) -> Any:
        calls.append(arguments)
        if len(calls) == 2:
            raise error("oops")
        return real(*arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(place, second)
        events = go()
    assert sorted(type(e).__name__ for e in events.values()) == ["Failed", "Tagged", "Tagged"]
    failed = next(e for e in events.values() if isinstance(e, Failed))
    assert str(failed.path) in failed.error
    assert isinstance(go()[failed.path.name], Tagged)


# Workers that die


class Mortal(FakeTagger):
    """A tagger whose process is killed at certain files, as many times as a file beside them says."""

    def predict(self, source: Sound, slices: Amount = "auto") -> Any:
        lives = source.path.with_suffix(".lives")
        if lives.exists() and (left := int(lives.read_text())):
            lives.write_text(str(left - 1))
            os.kill(os.getpid(), signal.SIGKILL)
        return super().predict(source, slices)


def heard(music: Path, tiny: Bundle, index: Index) -> dict[str, Event]:
    with Workers(2) as pool:
        return {e.path.name: e for e in list(scan([music], Mortal(tiny), index, Policy(), pool))[1:]}


def test_files_whose_workers_were_killed_are_tried_again_alone(
    music: Path, song: Song, tiny: Bundle, index: Index
) -> None:
    """By the kernel, out of memory: 5 of 40 innocent files were called damaged for ever."""
    for n in range(12):
        path = song(music / f"{n}.wav", 0.2, seed=n)
        if n % 3 == 0:
            path.with_suffix(".lives").write_text("1")
    events = heard(music, tiny, index)
    assert {type(e) for e in events.values()} == {Tagged}
    assert len(events) == 12


def test_and_at_the_next_scan(music: Path, song: Song, tiny: Bundle, index: Index) -> None:
    for n in range(3):
        song(music / f"{n}.wav", 0.2, seed=n)
    (music / "1.lives").write_text("2")
    events = heard(music, tiny, index)
    assert {n: type(e) for n, e in events.items()} == {"0.wav": Tagged, "1.wav": Failed, "2.wav": Tagged}
    assert "crashes" in events["1.wav"].error
    assert type(heard(music, tiny, index)["1.wav"]) is Tagged


class Hanging(FakeTagger):
    def predict(self, source: Sound, slices: Amount = "auto") -> Any:
        if source.path.name == "hangs.wav":
            signal.pause()
        return super().predict(source, slices)


def test_a_decoder_that_hangs_is_killed_and_told(music: Path, song: Song, tiny: Bundle, index: Index) -> None:
    for name in ("a", "hangs", "z"):
        song(music / f"{name}.wav", 0.2)
    with Workers(1, limit_s=5) as pool:
        events = {e.path.name: e for e in list(scan([music], Hanging(tiny), index, Policy(), pool))[1:]}
    assert {n: type(e) for n, e in events.items()} == {
        "a.wav": Tagged,
        "hangs.wav": Failed,
        "z.wav": Tagged,
    }
    assert "longer than 5 s" in events["hangs.wav"].error


def test_a_bomb_fails_and_the_next_song_is_tagged(
    music: Path, song: Song, tiny: Bundle, index: Index
) -> None:
    bombs.flac(music / "bomb.flac", 80, 44_100, frames=30, frame_rate=100)
    song(music / "song.flac", 2.0, sound="hum")
    events = {e.path.name: e for e in list(scan([music], Tagger(tiny), index, Policy(), Inline()))[1:]}
    assert {n: type(e) for n, e in events.items()} == {"bomb.flac": Failed, "song.flac": Tagged}


# Too short


def test_too_short_is_an_outcome_of_its_own(
    go: Go, music: Path, song: Song, tagger: FakeTagger, index: Index
) -> None:
    path = song(music / "a.flac")
    tagger.says = {"a.flac": TooShortError("a.flac: too short: 0.5 s")}
    for _ in range(2):
        event = go()["a.flac"]
        assert isinstance(event, TooShort)
        assert "0.5 s" in event.reason
    assert tagger.asked == []
    track = index.track(path)
    assert track is not None
    assert track.outcome is Outcome.TOO_SHORT
