"""Songs to measure with: from the recordings beside the checkout, or synthesised.

The names of the recordings are not kept; what is measured is how long they take.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np

from mgtag import audio

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))
import sounds  # noqa: E402

KINDS = ("mp3", "m4a", "flac", "ogg", "opus", "wav")
HOURS = 10
RECORDINGS = ROOT.parent / "shared" / "data" / "songs"


def make(folder: Path, n: int, seconds: float, kinds: tuple[str, ...] = KINDS) -> list[Path]:
    """Write `n` songs of so many seconds, stereo, the containers by turns; what is there is kept."""
    folder.mkdir(parents=True, exist_ok=True)
    recorded = sorted(p for p in RECORDINGS.glob("*") if p.suffix in (".mp3", ".ogg"))
    return [_song(folder, i, seconds, kinds[i % len(kinds)], recorded) for i in range(n)]


def _song(folder: Path, i: int, seconds: float, kind: str, recorded: list[Path]) -> Path:
    path = folder / f"{i:04}.{kind}"
    if path.exists():
        return path
    if not recorded:
        return sounds.make(path, seconds, kind, seed=i)
    rate = sounds.OPUS_RATE if kind == "opus" else sounds.SAMPLE_RATE
    y = audio.load(recorded[(i + i // len(KINDS)) % len(recorded)], rate)  # each container meets several
    y = np.resize(np.roll(y, -i * rate), round(seconds * rate))  # over and over, from another second each
    side = 0.01 * np.random.default_rng(i).standard_normal(len(y)).astype(np.float32)
    sounds.write(path, np.stack([y + side, y - side]).clip(-1, 1), *sounds.KINDS[kind], rate)
    return path


def copies(folder: Path, songs: list[Path], n: int) -> Path:
    """Fill a folder with `n` copies of some songs, each a file of its own with a byte of its own."""
    for i in range(n):
        song = songs[i % len(songs)]
        there = folder / f"{i // 100:03}" / f"{i:05}{song.suffix}"
        if not there.exists():
            there.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(song, there)
    return folder


def ten_hours(folder: Path) -> list[Path]:
    """Make files of ten hours: a song over and over, an mp3 without a length, a wav of silence that takes no room."""
    kinds = ("opus", "flac", "mp3", "wav") if shutil.which("ffmpeg") else ("mp3", "wav")
    made = [folder / f"ten-hours.{kind}" for kind in kinds]
    (mp3,) = make(folder / "once", 1, 240.0, ("mp3",))
    for path in made:
        if not path.exists():
            {".mp3": _without_a_length, ".wav": _silence}.get(path.suffix, _over_and_over)(path, mp3)
    return made


def _over_and_over(path: Path, song: Path) -> None:
    """Encode two minutes of a song, and write their packets over and over, as `ffmpeg -stream_loop` does."""
    rate = sounds.OPUS_RATE if path.suffix == ".opus" else sounds.SAMPLE_RATE
    part = path.with_name(f"part{path.suffix}")
    y = audio.load(song, rate, 120.0)[None, : 120 * rate]
    sounds.write(part, y, *sounds.KINDS[path.suffix[1:]], rate)
    loop = ["ffmpeg", "-v", "error", "-y", "-stream_loop", str(HOURS * 30 - 1), "-i", str(part), "-c", "copy"]
    subprocess.run([*loop, str(path)], check=True)


def _without_a_length(path: Path, song: Path) -> None:
    frames = song.read_bytes()
    first = frames.index(b"\xff\xfb")
    frames = frames[frames.index(b"\xff\xfb", first + 300) :]  # behind the Xing frame
    with open(path, "wb") as out:
        for _ in range(HOURS * 15):
            out.write(frames)


def _silence(path: Path, song: Path) -> None:
    sounds.make(path, 1.0, sound="silence", channels=1, sample_rate=22_050)
    n = HOURS * 3600 * 22_050 * 2
    data = bytearray(path.read_bytes()[:200])
    at = data.index(b"data") + 4
    data[4:8], data[at : at + 4] = (n + at - 4).to_bytes(4, "little"), n.to_bytes(4, "little")
    with open(path, "wb") as out:
        out.write(data[: at + 4])
        out.truncate(at + 4 + n)
