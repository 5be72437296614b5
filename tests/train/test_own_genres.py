"""Own genres on the shipped model: noise, speech and hum are never tagged, whatever was learned."""

from __future__ import annotations

import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from doubles import Inline
from mutagen.flac import FLAC
from numpy.random import default_rng

from mgtag import tags
from mgtag.bundle import Bundle
from mgtag.inference import Tagger
from mgtag.learn.learning import Settings, learn
from mgtag.library.events import Unsure
from mgtag.library.index import Index
from mgtag.library.policy import Policy
from mgtag.library.scan import scan

pytest.importorskip("mgtag_train.data.not_music")

RATE, SECONDS = 22_050, 8
GENRES = {"Band": "music", "Harsh Noise": "noise"}  # the second is one that the base calls not music


def test_noise_speech_and_hum_are_not_tagged(
    shipped: Bundle, song: Callable[..., Path], tmp_path: Path, index: Index
) -> None:
    from mgtag_train.data import not_music

    for genre, sound in GENRES.items():
        for n in range(18):
            file = FLAC(song(tmp_path / "music" / f"{sound}-{n}.flac", 4.0, sound=sound, seed=n % 6))
            file["genre"], file["artist"] = genre, f"{sound} {n}"
            file.save()
    events = learn(Settings((tmp_path / "music",)), Tagger(shipped, "cpu"), index, Inline())
    try:
        while True:
            next(events)
    except StopIteration as end:
        made = end.value
    assert made.bundle is not None and set(made.learned.genres) == set(GENRES)
    for name in ("noise", "speech", "hum"):
        for seed in range(4):
            rng = default_rng([1, seed])
            y = not_music.with_floor(not_music.KINDS[name](rng, RATE * SECONDS, RATE), rng)
            path = tmp_path / "arrivals" / f"{name}-{seed}.wav"
            path.parent.mkdir(exist_ok=True)
            with wave.open(str(path), "wb") as out:
                out.setparams((1, 2, RATE, 0, "NONE", ""))
                out.writeframes((np.clip(y, -1, 1) * 32_767).astype("<i2").tobytes())
    asked = Policy(threshold=0.0)
    _, *told = scan([tmp_path / "arrivals"], Tagger(made.bundle, "cpu"), index, asked, Inline())
    assert len(told) == 12
    assert all(isinstance(event, Unsure) and event.reason == "not music" for event in told)
    assert not any(tags.read(path).genres for path in (tmp_path / "arrivals").iterdir())
