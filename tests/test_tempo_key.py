"""Tempo and key of sounds whose tempo and key are known."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import sounds
from doubles import SHARED
from mgtag_train.data.cadences import cadence

from mgtag import analysis, audio
from mgtag.errors import UsageError

RATE = analysis.SAMPLE_RATE


def clicks(bpm: float, seconds: float = 12.0) -> np.ndarray:
    t = np.arange(round(seconds * RATE)) / RATE
    since = t % (60 / bpm)
    return (0.8 * np.exp(-40 * since) * np.sin(2 * np.pi * 660 * since)).astype(np.float32)


@pytest.mark.parametrize("bpm", [72, 96, 120, 133, 140])
def test_clicks_have_their_tempo(bpm: int) -> None:
    estimate = analysis.tempo(clicks(bpm))
    assert int(estimate.label) == pytest.approx(bpm, abs=1)
    lead, off, halves = estimate.evidence
    assert lead > 0 and off < 0.1 and halves == 2
    assert 0 < estimate.confidence < 1


def test_an_uneven_pulse_is_less_sure() -> None:
    rng = np.random.default_rng(0)
    y = np.zeros(12 * RATE, np.float32)
    for at in np.cumsum(rng.uniform(0.25, 0.9, 16)):
        y[int(at * RATE) :][:2000] += rng.standard_normal(2000).astype(np.float32)[: len(y) - int(at * RATE)]
    assert analysis.tempo(y).confidence < analysis.tempo(clicks(120)).confidence


@pytest.mark.parametrize("key", [0, 7, 10, 12, 18])
def test_a_cadence_has_its_key(key: int) -> None:
    estimate = analysis.key(cadence(key, 2))
    assert estimate.label == analysis.NAMES[key]


def test_a_profile_turned_is_the_key_turned() -> None:
    for order in range(24):
        minor, tonic = divmod(order, 12)
        mode = analysis.MINOR if minor else analysis.MAJOR
        found, margin = analysis.key_of(np.roll(np.array(mode, np.float32), tonic))
        assert found == order and margin > 0


@pytest.mark.parametrize(
    "y", [np.zeros(5 * RATE, np.float32), np.zeros(0, np.float32)], ids=["silence", "empty"]
)
def test_of_silence_nothing_is_said(y: np.ndarray) -> None:
    assert analysis.key(y) == analysis.Estimate("", 0.0)
    if len(y):
        assert analysis.tempo(y) == analysis.Estimate("", 0.0)


def test_the_middle_of_a_file_is_heard(tmp_path: Path) -> None:
    y = np.concatenate([np.zeros(40 * RATE), clicks(120, 30), np.zeros(40 * RATE)]).astype(np.float32)
    sounds.write(tmp_path / "a.flac", y[None], "flac", "flac", RATE)
    with audio.opened(tmp_path / "a.flac") as sound:
        found = analysis.analyse(sound, ("bpm",))
    assert found.keys() == {"bpm"} and found["bpm"].label == "120"


def test_librosa_is_imported_by_nothing_else() -> None:
    code = "import sys, mgtag.api, mgtag.analysis; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"librosa", "numba", "scipy"} & set(done.stdout.split())


def test_without_librosa_one_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(analysis, "find_spec", lambda name: None)
    analysis.check_installed(())
    with pytest.raises(UsageError, match=r"To hear bpm and key needs librosa, .*'mgtag\[analysis\]'"):
        analysis.check_installed(("bpm", "key"))


def test_the_constants_are_those_that_were_measured() -> None:
    record = Path(__file__).parents[1] / "train" / "records" / "tempo-and-key.json"
    assert json.loads(record.read_text())["constants"] == analysis.constants()


@pytest.mark.skipif(not (SHARED / "data" / "songs").is_dir(), reason="../shared/data/songs is not here")
def test_a_real_song() -> None:
    with audio.opened(next((SHARED / "data" / "songs").glob("Kevin MacLeod - Vibe*"))) as sound:
        found = analysis.analyse(sound, analysis.FIELDS)
    assert 40 < int(found["bpm"].label) < 240 and found["key"].label in analysis.NAMES
