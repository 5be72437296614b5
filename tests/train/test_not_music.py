"""What is no music is not tagged: the shipped bundle is unsure of it at its own threshold.

The sounds are made here, by other means than those it was trained with: espeak-ng's voices where
it is installed, test tones, noise, hum, birdsong-like chirps, silence.
"""

from __future__ import annotations

import shutil
import subprocess
import wave
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from mgtag.bundle import Bundle
from mgtag.inference import Tagger
from mgtag.vote import vote

RATE, SECONDS = 22_050, 20
TEXT = (
    "The boat left the harbour before dawn, and nobody on the pier noticed that it was riding lower in "
    "the water than the night before. She counted the crates twice, wrote the number in her book, and "
    "went home to sleep. By noon the wind had turned, and the first letters arrived. What did they say? "
    "Nothing that anyone wanted to hear, and yet everyone read them aloud, slowly, again and again."
)
VOICES = ("en", "en-us+f2", "en+m5", "de", "fr+f3", "es", "it", "pl", "ru", "hi")

t = np.arange(RATE * SECONDS) / RATE


def chirps() -> NDArray[np.float64]:
    """A falling whistle of a tenth of a second, five times a call, a call every 1.5 s."""
    x = t % 1.5 % 0.2 / 0.1
    on = (t % 1.5 < 1.0) & (x < 1)
    hz = 5000 - 2000 * x
    return on * np.sin(np.pi * np.clip(x, 0, 1)) * np.sin(2 * np.pi * np.cumsum(hz) / RATE)


SOUNDS = {
    "white noise": lambda: np.random.default_rng(1).uniform(-1, 1, t.size),
    "quiet noise": lambda: np.random.default_rng(2).uniform(-1, 1, t.size) * 1e-3,
    "brown noise": lambda: np.cumsum(np.random.default_rng(3).normal(0, 1, t.size)) * 1e-3,
    "sine 440 Hz": lambda: np.sin(2 * np.pi * 440 * t),
    "sine 3 kHz": lambda: np.sin(2 * np.pi * 3000 * t),
    "hum 50 Hz": lambda: sum((np.sin(2 * np.pi * 50 * k * t) / k for k in range(1, 30)), 0 * t),
    "chirps": chirps,
    "silence": lambda: 0 * t,
}


@pytest.mark.parametrize("name", SOUNDS)
def test_sounds_are_unsure(name: str, shipped: Bundle, tmp_path: Path) -> None:
    y = SOUNDS[name]()
    path = tmp_path / "sound.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes((np.clip(0.5 * y, -1, 1) * 32_767).astype("<i2").tobytes())
    assert confidence(path, shipped) < shipped.card.genre.threshold


@pytest.mark.skipif(not shutil.which("espeak-ng"), reason="espeak-ng is not installed")
@pytest.mark.parametrize("voice", VOICES)
def test_speech_is_unsure(voice: str, shipped: Bundle, tmp_path: Path) -> None:
    path = tmp_path / "speech.wav"
    subprocess.run(["espeak-ng", "-v", voice, "-w", path, TEXT], check=True)
    assert confidence(path, shipped) < shipped.card.genre.threshold


def confidence(path: Path, model: Bundle) -> float:
    """Return how sure the bundle is of its best label."""
    heard = Tagger(model, "cpu").predict(path)
    return vote(model.card.genre, heard.heads["genre"].probabilities).confidence
