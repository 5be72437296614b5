"""Files made to be too much: what they decode to is bounded, and always a number."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import bombs
import numpy as np
import pytest
import sounds
from sounds import Song

from mgtag import audio, identity
from mgtag.bundle import Bundle
from mgtag.errors import AudioError, TooShortError
from mgtag.inference import Tagger

WITHIN = """
import resource, sys
from pathlib import Path
from mgtag import audio

resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
print(len(audio.load(Path(sys.argv[1]))))
"""


def test_a_bomb_is_refused(tmp_path: Path) -> None:
    """492 bytes that claim 80 s, and took 3.4 GB: 20,000 s at 100 Hz."""
    bomb = bombs.flac(tmp_path / "bomb.flac", 80, 44_100, frames=30, frame_rate=100)
    assert bomb.stat().st_size < 500
    assert audio.probe(bomb).duration_s == 80
    with pytest.raises(AudioError, match="no music: 1 channels at 100 Hz"):
        audio.load(bomb)
    with pytest.raises(AudioError, match="no music"):
        audio.load_slices(bomb, [0.0, 40.0], 3.0)


def test_more_sound_than_was_claimed_is_not_decoded(tiny: Bundle, tmp_path: Path) -> None:
    long = bombs.flac(tmp_path / "long.flac", 10, 8_000, frames=100, frame_rate=8_000)
    assert len(audio.load(long, at_most_s=12)) < 30 * audio.SAMPLE_RATE
    assert Tagger(tiny, "cpu").predict(long).starts_s.max() < 30


@pytest.mark.parametrize("channels", [3, 6, 7, 8])
def test_any_number_of_channels_is_heard(tmp_path: Path, channels: int) -> None:
    """PyAV reads past the end of a planar frame of eight channels, as in a 7.1 mix."""
    y = np.tile(sounds.synthesise("sine", 1.0, channels=1).T, channels)
    path = bombs.float_wav(tmp_path / "a.wav", y)
    done = subprocess.run(
        [sys.executable, "-c", WITHIN, str(path)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, str(audio.SAMPLE_RATE)), done.stderr
    np.testing.assert_allclose(np.abs(audio.load(path)).max(), 0.5, atol=0.01)


def test_too_many_channels_are_refused(tmp_path: Path) -> None:
    path = bombs.float_wav(tmp_path / "a.wav", np.zeros((4000, 200), np.float32))
    with pytest.raises(AudioError, match=r"200 channels|no audio file"):
        audio.load(path)


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan, 1e20, -3e38])
@pytest.mark.parametrize("rate", [44_100, audio.SAMPLE_RATE])
def test_what_is_no_sample_is_silence(tmp_path: Path, value: float, rate: int) -> None:
    y = sounds.synthesise("sine", 4.0, sample_rate=rate).T.copy()
    y[rate : rate + 10] = value
    path = bombs.float_wav(tmp_path / "a.wav", y, rate)
    for heard in (audio.load(path), *audio.load_slices(path, [0.0, 0.5], 3.0)):
        assert np.isfinite(heard).all()
        assert np.isfinite(heard**2).all()
        assert np.abs(heard[-audio.SAMPLE_RATE :]).max() == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("value", [np.inf, np.nan, 1e20])
def test_a_song_with_one_such_sample_gets_an_answer(tiny: Bundle, tmp_path: Path, value: float) -> None:
    y = sounds.synthesise("hum", 4.0).T.copy()
    y[1000, 0] = value
    found = Tagger(tiny, "cpu").predict(bombs.float_wav(tmp_path / "a.wav", y))
    genre = found.heads["genre"]
    assert np.isfinite(genre.probabilities).all()
    assert genre.labels[int(genre.probabilities.mean(axis=0).argmax())] == "blues"


def test_loud_samples_stay(tmp_path: Path) -> None:
    """Some programs write 16-bit numbers as floats; that is loud, but it is sound."""
    y = sounds.synthesise("sine", 1.0).T * 32_768
    assert np.abs(audio.load(bombs.float_wav(tmp_path / "a.wav", y))).max() > 10_000


def test_less_than_a_slice_is_too_short_not_damaged(tiny: Bundle, song: Song, tmp_path: Path) -> None:
    with pytest.raises(TooShortError, match=r"too short: 0\.5 s"):
        Tagger(tiny, "cpu").predict(song(tmp_path / "a.flac", 0.5))


@pytest.mark.parametrize("tail", [b"", b"TAG" + bytes(125)], ids=["", "tag behind it"])
def test_a_header_that_sends_the_demuxer_round_and_round_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tail: bytes
) -> None:
    """Found by fuzzing: FFmpeg's ASF demuxer reads no end of an end that stands still."""
    monkeypatch.setattr("mgtag.ffmpeg.OPENING_S", 0.3)
    data = bytearray(189)
    data[:16] = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
    data[46], data[150] = 0x68, 4
    path = tmp_path / "a.wma"
    path.write_bytes(data + tail)
    with pytest.raises(AudioError, match=r"a\.wma: .*\.$"):
        identity.payload(path)


def test_a_codec_that_nobody_knows_is_told(tmp_path: Path) -> None:
    path = sounds.make(tmp_path / "a.wav", 0.5)
    data = bytearray(path.read_bytes())
    at = data.index(b"fmt ") + 8
    data[at : at + 2] = b"\x99\x99"
    path.write_bytes(data)
    for listen in (audio.probe, identity.payload):
        with pytest.raises(AudioError, match=r"a\.wav: .* cannot decode\.$"):
            listen(path)
