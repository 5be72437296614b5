"""Hearing: every container, every place in it, and everything that is no music."""

from __future__ import annotations

import os
import shutil
import struct
import wave
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import sounds
from sounds import Song

from mgtag import audio, identity
from mgtag.audio import SAMPLE_RATE
from mgtag.errors import AudioError

KINDS = list(sounds.KINDS)
SUFFIX = {"alac": "m4a"}
LOSSLESS = ("alac", "flac", "wav", "aiff", "wv")


def put(song: Song, folder: Path, kind: str, seconds: float = 4.0, **options: object) -> Path:
    return song(folder / f"song.{SUFFIX.get(kind, kind)}", seconds, kind, **options)


def pcm(path: Path, y: np.ndarray, rate: int = SAMPLE_RATE) -> Path:
    """Write (channels, n) in -1..1 as 16-bit WAV, without any library of ours."""
    with wave.open(str(path), "wb") as out:
        out.setnchannels(len(y))
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes((y.T * 32767).round().astype("<i2").tobytes())
    return path


def sine(hz: float, seconds: float, rate: int, amplitude: float = 0.5) -> np.ndarray:
    return amplitude * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate)


def rms(y: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(y, dtype=np.float64))))


def aligned(a: np.ndarray, b: np.ndarray) -> tuple[int, float]:
    """Return by how many samples `a` lags behind `b`, and their correlation then."""
    n = 1 << (len(a) + len(b)).bit_length()
    products = np.fft.irfft(np.fft.rfft(a, n) * np.conj(np.fft.rfft(b, n)), n)
    lag = int(products.argmax())
    likeness = products[lag] / np.sqrt(np.sum(a * a, dtype=np.float64) * np.sum(b * b, dtype=np.float64))
    return lag if lag < n // 2 else lag - n, float(likeness)


# Level and rate


@pytest.mark.parametrize("right", [1.0, 0.0, -1.0, 0.5])
def test_the_downmix_is_the_mean_of_the_channels(tmp_path: Path, right: float) -> None:
    left = sine(440, 1, SAMPLE_RATE)
    y = audio.load(pcm(tmp_path / "a.wav", np.stack([left, right * left])))
    np.testing.assert_allclose(y, left * (1 + right) / 2, atol=1e-4)


def test_mono_and_the_same_in_stereo_are_equally_loud(tmp_path: Path) -> None:
    """FFmpeg's own downmix would make the stereo file √2 louder."""
    left = sine(440, 1, 44_100)
    mono = audio.load(pcm(tmp_path / "mono.wav", left[None], 44_100))
    stereo = audio.load(pcm(tmp_path / "stereo.wav", np.stack([left, left]), 44_100))
    assert rms(stereo) == pytest.approx(rms(mono), rel=1e-3)
    assert rms(mono) == pytest.approx(0.5 / np.sqrt(2), rel=1e-2)


def test_six_channels_are_averaged_like_two(tmp_path: Path) -> None:
    left = sine(440, 1, SAMPLE_RATE)
    y = audio.load(pcm(tmp_path / "a.wav", np.stack([left, *[np.zeros_like(left)] * 5])))
    np.testing.assert_allclose(y, left / 6, atol=1e-4)


@pytest.mark.parametrize("rate", [8_000, 11_025, 16_000, 32_000, 44_100, 48_000, 96_000])
def test_every_sample_rate_comes_out_at_ours(tmp_path: Path, rate: int) -> None:
    y = audio.load(pcm(tmp_path / "a.wav", sine(440, 2, rate)[None], rate))
    assert len(y) == pytest.approx(2 * SAMPLE_RATE, abs=SAMPLE_RATE * 0.01)
    peak = np.abs(np.fft.rfft(y[: 2 * SAMPLE_RATE - 500])).argmax() * SAMPLE_RATE / (2 * SAMPLE_RATE - 500)
    assert peak == pytest.approx(440, abs=1)


@pytest.mark.parametrize("rate", [44_100, 48_000])
def test_resampling_loses_nothing_at_the_end(tmp_path: Path, rate: int) -> None:
    y = audio.load(pcm(tmp_path / "a.wav", sine(440, 1, rate)[None], rate))
    assert abs(len(y) - SAMPLE_RATE) <= 2
    part = audio.load_slices(tmp_path / "a.wav", [0.5], 0.5)[0]
    assert rms(part[-200:-10]) == pytest.approx(0.5 / np.sqrt(2), rel=0.1)


def test_another_rate_can_be_asked_for(tmp_path: Path) -> None:
    path = pcm(tmp_path / "a.wav", sine(440, 2, 44_100)[None], 44_100)
    assert len(audio.load(path, 16_000)) == pytest.approx(32_000, abs=100)


def test_what_ultrasound_there_is_does_not_fold_back(tmp_path: Path) -> None:
    y = audio.load(pcm(tmp_path / "a.wav", sine(15_000, 1, 44_100)[None], 44_100))
    assert rms(y[1000:-1000]) < 0.01


# Containers


@pytest.mark.parametrize("kind", KINDS)
def test_every_container_is_heard(song: Song, tmp_path: Path, kind: str) -> None:
    y = audio.load(put(song, tmp_path, kind))
    assert y.dtype == np.float32
    assert len(y) / SAMPLE_RATE == pytest.approx(4, abs=0.08)
    if kind != "ape":  # ours is silent
        truth = audio.load(put(song, tmp_path / "truth", "wav"))
        lag, likeness = aligned(y, truth)
        assert abs(lag) <= 0.05 * SAMPLE_RATE  # an encoder's delay
        assert likeness > 0.98


@pytest.mark.parametrize("kind", KINDS)
def test_the_header_tells_the_length_and_rate(song: Song, tmp_path: Path, kind: str) -> None:
    info = audio.probe(put(song, tmp_path, kind))
    assert info.duration_s == pytest.approx(4, abs=0.1)
    assert info.sample_rate == (48_000 if kind == "opus" else 44_100)
    assert info.channels == 2


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("tags", [None, {"title": "x" * 5000}], ids=["plain", "tagged"])
def test_a_slice_is_what_a_whole_decode_has_there(
    song: Song, tmp_path: Path, kind: str, tags: dict[str, str] | None
) -> None:
    path = put(song, tmp_path, kind, 8.0)
    if tags:
        sounds.make(path, 8.0, kind, tags=tags)
    whole = audio.load(path)
    starts = [0.0, 0.013, 1.9, 4.0, 6.4]
    for start, part in zip(starts, audio.load_slices(path, starts, 1.5), strict=True):
        assert part.shape == (round(1.5 * SAMPLE_RATE),)
        there = whole[round(start * SAMPLE_RATE) :][: len(part)]
        if kind in LOSSLESS:
            np.testing.assert_allclose(part[:-50], there[:-50], atol=0.01 if kind == "wv" else 1e-3)
        elif kind != "ape":
            # A frame may begin between two samples of ours, and one decoded anew differs at its start;
            # asf keeps time in steps of two frames.
            lag, likeness = aligned(part, there)
            assert abs(lag) <= (0.1 * SAMPLE_RATE if kind == "wma" else 1), f"at {start} s"
            assert likeness > (0.85 if kind == "wma" else 0.975), f"at {start} s"


def xingless(path: Path) -> Path:
    """Take an mp3's first frame away, which tells its length."""
    data = path.read_bytes()
    first = data.index(b"\xff\xfb")
    assert b"Info" in data[first : first + 200] or b"Xing" in data[first : first + 200]
    path.write_bytes(data[data.index(b"\xff\xfb", first + 100) :])
    return path


def vbr(path: Path, seconds: float) -> Path:
    """Make an mp3 of variable bit rate: half of it silent, so that bytes don't tell the time."""
    import av

    quiet = np.zeros(round(seconds / 2 * 44_100), np.float32)
    y = np.concatenate([quiet, sounds.synthesise("music", seconds / 2, channels=1)[0]])
    with av.open(str(path), "w", format="mp3") as out:
        stream = out.add_stream("libmp3lame", rate=44_100, layout="mono")
        stream.codec_context.options = {"compression_level": "5", "flags": "+qscale", "global_quality": "236"}
        frame = av.AudioFrame.from_ndarray(y[None], "fltp", "mono")
        frame.sample_rate = 44_100
        resampler = av.AudioResampler("fltp", "mono", 44_100, stream.codec_context.frame_size)
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            out.mux(stream.encode(part))
        out.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("kind", ["xingless", "vbr", "xingless vbr"])
def test_a_slice_of_an_mp3_of_any_kind_is_what_a_whole_decode_has_there(
    song: Song, tmp_path: Path, kind: str
) -> None:
    path = vbr(tmp_path / "a.mp3", 40.0) if "vbr" in kind else put(song, tmp_path, "mp3", 40.0)
    if "xingless" in kind:
        xingless(path)
    whole = audio.load(path)
    with audio.opened(path) as sound:
        assert sound.duration_s == pytest.approx(len(whole) / SAMPLE_RATE, abs=0.1)
        starts = [22.0, 38.4, 30.1, 21.5]
        for start, part in zip(starts, sound.slices(starts, 1.5), strict=True):
            lag, likeness = aligned(part, whole[round(start * SAMPLE_RATE) :][: len(part)])
            assert abs(lag) <= 1, f"at {start} s"
            assert likeness > 0.975, f"at {start} s"


@pytest.mark.parametrize("kind", KINDS)
def test_slices_and_the_whole_may_be_asked_of_one_opening(song: Song, tmp_path: Path, kind: str) -> None:
    path = put(song, tmp_path, kind)
    with audio.opened(path) as sound:
        late, early = sound.slices([2.0, 0.5], 1.0)
        whole = np.concatenate(list(sound.stream()))
        again = sound.slices([0.5], 1.0)[0]
    if kind != "ape":  # AAC's noise is drawn anew each time
        lag, likeness = aligned(again, early)
        assert lag == 0
        assert likeness > 0.975
    if kind in LOSSLESS and kind != "wv":
        np.testing.assert_allclose(late[:-50], whole[2 * SAMPLE_RATE :][: len(late) - 50], atol=1e-3)
    assert len(whole) == len(audio.load(path))


@pytest.mark.parametrize("kind", KINDS)
def test_a_look_at_the_end_finds_a_truncation(song: Song, tmp_path: Path, kind: str) -> None:
    path = put(song, tmp_path, kind, 8.0)
    with audio.opened(path) as sound:
        sound.check_end()
    os.truncate(path, path.stat().st_size // 2)
    if kind in ("ogg", "opus", "wav"):  # FFmpeg asks the last page, or the size: a shorter whole
        return
    with pytest.raises(AudioError, match=r"truncated|damaged|no audio file|to its end"):  # noqa: SIM117
        with audio.opened(path) as sound:
            sound.check_end()


@pytest.mark.parametrize(("dtype", "kind"), [("<i2", "s16"), ("<i4", "s32"), ("u1", "u8"), ("<f4", "flt")])
def test_every_sample_format_comes_out_at_the_same_level(tmp_path: Path, dtype: str, kind: str) -> None:
    import av

    codec = {"s16": "pcm_s16le", "s32": "pcm_s32le", "u8": "pcm_u8", "flt": "pcm_f32le"}[kind]
    left = sine(440, 1, SAMPLE_RATE)
    y = np.stack([left, left / 2])
    scale = {"s16": 1 << 15, "s32": 1 << 31, "u8": 1 << 7, "flt": 1}[kind]
    packed = (y.T.reshape(1, -1) * scale + (128 if kind == "u8" else 0)).astype(dtype)
    with av.open(str(tmp_path / "a.wav"), "w") as out:
        stream = out.add_stream(codec, rate=SAMPLE_RATE, layout="stereo")
        frame = av.AudioFrame.from_ndarray(packed, kind, "stereo")
        frame.sample_rate = SAMPLE_RATE
        out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    np.testing.assert_allclose(
        audio.load(tmp_path / "a.wav"), left * 0.75, atol=0.01 if kind == "u8" else 1e-4
    )


@pytest.mark.parametrize("kind", KINDS)
def test_the_payload_measures_the_length(song: Song, tmp_path: Path, kind: str) -> None:
    assert identity.payload(put(song, tmp_path, kind)).duration_s == pytest.approx(4, abs=0.1)


def test_an_mp3_without_a_xing_header_has_its_length_measured(song: Song, tmp_path: Path) -> None:
    path = put(song, tmp_path, "mp3", 8.0)
    data = path.read_bytes()
    frame = data.find(b"\xff\xfb")
    assert b"Info" in data[:2000] or b"Xing" in data[:2000]
    cut = data.index(b"\xff\xfb", frame + 100)  # the second frame: behind the one of the header
    path.write_bytes(data[cut:])
    assert audio.probe(path).duration_s == pytest.approx(8, abs=0.2)
    assert len(audio.load(path)) / SAMPLE_RATE == pytest.approx(8, abs=0.2)
    identity.payload(path)


@pytest.mark.parametrize("kind", ["mp3", "ogg", "opus"])
def test_what_lies_far_before_a_slice_is_not_decoded(
    song: Song, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """FFmpeg seeks to the beginning of a long mp3 that has no header."""
    path, decoded_s = put(song, tmp_path, kind, 8.0), [0.0]
    as_ever = audio.bounded

    def counted(frames, *rest):  # type: ignore[no-untyped-def]
        for frame in as_ever(frames, *rest):
            decoded_s[0] += frame.samples / frame.sample_rate
            yield frame

    whole = audio.load(path)[round(6 * SAMPLE_RATE) :][:SAMPLE_RATE]
    monkeypatch.setattr(audio, "bounded", counted)
    with audio.opened(path) as sound:
        monkeypatch.setattr(sound, "_seek", lambda start_s: sound._container.seek(0))
        (part,) = sound.slices([6.0], 1.0)
    assert decoded_s[0] < 2
    lag, likeness = aligned(part, whole)
    assert abs(lag) <= 1
    assert likeness > 0.99


def test_as_much_as_was_asked_for_is_no_truncation(song: Song, tmp_path: Path) -> None:
    y = audio.load(put(song, tmp_path, "flac", 8.0), at_most_s=2.0)
    assert 2 <= len(y) / SAMPLE_RATE < 3


def test_a_length_that_was_measured_is_not_measured_again(
    song: Song, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = put(song, tmp_path, "mp3", 8.0)
    data = path.read_bytes()
    path.write_bytes(data[data.index(b"\xff\xfb", data.find(b"\xff\xfb") + 100) :])
    with audio.opened(path) as sound:
        assert sound.duration_s == pytest.approx(8, abs=0.2)
        monkeypatch.setattr(sound, "_seek", lambda start_s: pytest.fail("the file is read once more"))
        sound.check_end()


def test_a_wav_streamed_through_a_pipe_has_its_length_measured(tmp_path: Path) -> None:
    """FFmpeg and sox write 0xFFFFFFFF, or nought, as the length when they cannot seek back."""
    path = pcm(tmp_path / "a.wav", sine(440, 5, SAMPLE_RATE)[None])
    data = bytearray(path.read_bytes())
    for size in (0xFFFFFFFF, 0x7FFFFFFF):
        struct.pack_into("<I", data, 4, size)
        struct.pack_into("<I", data, 40, size)
        path.write_bytes(data)
        assert audio.probe(path).duration_s == pytest.approx(5, abs=0.1), hex(size)
        assert len(audio.load(path)) == pytest.approx(5 * SAMPLE_RATE, abs=100)
        assert identity.payload(path).duration_s == pytest.approx(5, abs=0.1)


def test_a_flac_that_does_not_tell_its_length_is_heard(song: Song, tmp_path: Path) -> None:
    path = put(song, tmp_path, "flac")
    data = bytearray(path.read_bytes())
    data[21] &= 0xF0  # the 36 bits of STREAMINFO's total of samples
    data[22:26] = bytes(4)
    path.write_bytes(data)
    assert audio.probe(path).duration_s == pytest.approx(4, abs=0.1)
    assert len(audio.load(path)) / SAMPLE_RATE == pytest.approx(4, abs=0.05)


# The identity of the sound


@pytest.mark.parametrize("kind", KINDS)
def test_the_signature_does_not_know_the_name(song: Song, tmp_path: Path, kind: str) -> None:
    path = put(song, tmp_path, kind)
    first = identity.signature(path)
    assert identity.signature(path.rename(tmp_path / f"other{path.suffix}")) == first


@pytest.mark.parametrize("kind", [k for k in KINDS if k != "ape"])
def test_the_signature_knows_another_sound(song: Song, tmp_path: Path, kind: str) -> None:
    a, b = put(song, tmp_path / "a", kind, 1.0, seed=1), put(song, tmp_path / "b", kind, 1.0, seed=2)
    assert identity.signature(a) != identity.signature(b)


@pytest.mark.parametrize("kind", ["flac", "wav", "mp3", "ogg"])
def test_one_changed_bit_of_the_sound_changes_the_signature(song: Song, tmp_path: Path, kind: str) -> None:
    path = put(song, tmp_path, kind, 2.0)
    first = identity.signature(path)
    data = bytearray(path.read_bytes())
    data[len(data) * 2 // 3] ^= 1
    path.write_bytes(data)
    with suppress(AudioError):  # a checksum of the container's may find it first
        assert identity.signature(path) != first


@pytest.mark.parametrize("kind", ["mp3", "m4a", "flac", "ogg", "opus", "wma", "wav", "aiff", "wv"])
def test_tags_do_not_change_the_signature(song: Song, tmp_path: Path, kind: str) -> None:
    plain = put(song, tmp_path, kind, 1.0)
    tagged = sounds.make(tmp_path / f"t.{kind}", 1.0, kind, tags={"title": "t" * 3000, "genre": "Rock"})
    assert plain.read_bytes() != tagged.read_bytes()
    assert identity.signature(plain) == identity.signature(tagged)


# Bad input


def told(path: Path) -> str:
    """Every way to open the file fails with one sentence that names it."""
    sentences = []
    for ask in (audio.probe, audio.load, identity.payload, lambda p: audio.load_slices(p, [0.0], 1.0)):
        with pytest.raises(AudioError) as caught:
            ask(path)
        sentences.append(str(caught.value))
    for sentence in sentences:
        assert str(path) in sentence
        assert "\n" not in sentence.replace(str(path), "")
    return sentences[0]


@pytest.mark.parametrize("suffix", ["mp3", "flac", "ogg", "m4a", "wav", "wma", "ape"])
def test_an_empty_file_is_told(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    path.touch()
    assert "empty" in told(path)


@pytest.mark.parametrize("suffix", ["mp3", "flac", "ogg", "m4a", "wav", "wma", "aiff", "wv", "ape"])
@pytest.mark.parametrize(
    "content",
    [
        b"These are the words of a song.\n" * 500,
        b"\0" * 10_000,
        bytes(range(256)) * 40,
        b"\x89PNG\r\n\x1a\n" + b"x" * 500,
    ],
    ids=["text", "zeros", "bytes", "png"],
)
def test_what_is_no_audio_is_told(tmp_path: Path, suffix: str, content: bytes) -> None:
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(content)
    with pytest.raises(AudioError, match="a\\."):
        audio.load(path)


@pytest.mark.parametrize("suffix", ["flac", "ogg", "m4a", "wav"])
def test_a_playlist_does_not_open_other_files(song: Song, tmp_path: Path, suffix: str) -> None:
    """FFmpeg's concat and HLS demuxers would follow what a text file names."""
    song(tmp_path / "secret.wav", 2.0)
    path = tmp_path / f"a.{suffix}"
    path.write_text("ffconcat version 1.0\nfile secret.wav\n")
    with pytest.raises(AudioError):
        audio.load(path)
    path.write_text("#EXTM3U\n#EXTINF:2,\nsecret.wav\n#EXT-X-ENDLIST\n")
    with pytest.raises(AudioError):
        audio.load(path)


@pytest.mark.parametrize("kind", [k for k in KINDS if k != "ape"])
def test_a_truncated_file_is_told(song: Song, tmp_path: Path, kind: str) -> None:
    path = put(song, tmp_path, kind, 8.0)
    os.truncate(path, path.stat().st_size // 2)
    if kind in ("ogg", "opus", "wav"):  # FFmpeg asks the last page, or the size: a shorter whole
        assert len(audio.load(path)) / SAMPLE_RATE < 6
        return
    with pytest.raises(AudioError, match=r"truncated|damaged|no audio file|to its end"):
        audio.load(path)
    with pytest.raises(AudioError, match=r"truncated|damaged|no audio file|to its end"):
        identity.payload(path)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [1, 3, 10, 40, 70])
def test_a_file_cut_off_in_its_header_is_told(song: Song, tmp_path: Path, kind: str, size: int) -> None:
    path = put(song, tmp_path, kind, 1.0)
    os.truncate(path, size)
    with pytest.raises(AudioError):
        audio.load(path)


@pytest.mark.parametrize("kind", KINDS)
def test_a_slice_beyond_a_truncation_is_told(song: Song, tmp_path: Path, kind: str) -> None:
    path = put(song, tmp_path, kind, 8.0)
    os.truncate(path, path.stat().st_size // 2)
    with pytest.raises(AudioError):
        audio.load_slices(path, [0.0, 6.5], 1.0)


@pytest.mark.parametrize("kind", ["flac", "ogg", "m4a"])
def test_a_wrong_extension_does_not_matter(song: Song, tmp_path: Path, kind: str) -> None:
    path = put(song, tmp_path, kind)
    y = audio.load(path)
    np.testing.assert_array_equal(audio.load(path.rename(tmp_path / "song.mp3")), y)


def test_a_picture_alone_is_no_music(tmp_path: Path) -> None:
    import av

    path = tmp_path / "film.m4a"
    with av.open(str(path), "w", format="mp4") as out:
        stream = out.add_stream("mpeg4", rate=25)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        for _ in range(5):
            out.mux(stream.encode(av.VideoFrame(64, 64, "yuv420p")))
        out.mux(stream.encode(None))
    assert "no sound" in told(path)


def test_a_damaged_stretch_is_passed_over(song: Song, tmp_path: Path) -> None:
    path = put(song, tmp_path, "mp3", 8.0)
    data = bytearray(path.read_bytes())
    data[60_000:61_000] = bytes(1000)
    path.write_bytes(data)
    assert len(audio.load(path)) / SAMPLE_RATE > 7.5


def test_a_missing_file_is_a_system_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        audio.load(tmp_path / "gone.mp3")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "a.mp3").mkdir()
    with pytest.raises((OSError, AudioError)):
        audio.load(tmp_path / "a.mp3")


@pytest.mark.parametrize(
    "name",
    [
        b"new\nline.flac",
        b"\xff\xfe not utf-8.flac",
        b"-y.flac",
        b"concat:a.flac|b.flac",
        b"http:..a.flac",
        b"%03d.flac",
        b"file:a.flac",
        b"pipe:0.flac",
        "säng 音楽 🎵.flac".encode(),
        b"a" * 250 + b".flac",
        b" .flac",
        b"$(touch x).flac",
        b"*?[].flac",
        b"\x1b[31mred.flac",
        b"tee:a.flac",
        b"subfile,,start,0,end,0,,:a.flac",
    ],
    ids=repr,
)
@pytest.mark.parametrize("relative", [False, True])
def test_a_name_may_hold_any_bytes(
    song: Song, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: bytes, relative: bool
) -> None:
    truth = song(tmp_path / "truth.flac", 1.0)
    monkeypatch.chdir(tmp_path)
    path = Path(os.fsdecode(name)) if relative else tmp_path / os.fsdecode(name)
    shutil.copyfile(truth, path)
    assert identity.signature(path) == identity.signature(truth)
    assert audio.probe(path).duration_s == pytest.approx(1, abs=0.01)
    assert audio.load(path).shape == audio.load(truth).shape
