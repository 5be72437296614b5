"""``python -m bench.collection DIR``: a collector's library of 300 files, to walk through every feature on.

Artists and albums in ten containers, with art, lyrics, genres by hand, placeholders, odd names, and
what is no music at all. The sound is cut from the recordings beside the checkout where they are there, and is
synthesised otherwise; the same call makes the same files.
"""

from __future__ import annotations

import argparse
import struct
import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import numpy as np

from bench.collection_tags import Song, write_tags
from bench.songs import ROOT, sounds
from mgtag import audio
from mgtag.arrays import F32
from mgtag.errors import AudioError

CLIPS = ROOT.parent / "shared" / "data" / "gtzan" / "audio"
KINDS = ("mp3", "flac", "m4a", "ogg", "opus", "wma", "wav", "aiff", "wv", "alac")
SUFFIXES = {"alac": "m4a"}
ALBUMS, TRACKS = 2, 5  # of an artist; of an album
LONG = "The Long and Unabridged Account of a Journey Through Every Station of the Circle Line "

# Artist, albums, what it plays, what its files say for a genre ("": nothing).
ARTISTS: tuple[tuple[str, tuple[str, str], str, str], ...] = (
    ("Ånd & Søn", ("Fjord", "Vår (Live)"), "jazz", "Jazz"),
    ("Мария Северная", ("Белая ночь", "Снег"), "classical", ""),
    ("夜の鳥", ("東京の雨", "月"), "pop", "J-Pop"),
    ("مطر", ("نهر", "ليل"), "classical", "Other"),
    ("The Rusty Hinges", ("Barn Door", "Hinge Benefits"), "country", ""),
    ("Iron Larder", ("Cold Cuts", "Smoke [Remastered]"), "metal", "Metal"),
    ("Delta Mae Brown", ("Levee Letters", "Muddy Shoes"), "blues", "Blues"),
    ("DJ 100% Pure; Gold", ("Mirror/Ball", "What's the Use?"), "disco", "Unknown"),
    ("MC Semicolon", ("Break; Case", "Return Value"), "hiphop", "Hip-Hop"),
    ("Kingston Parallel", ("Roots*", "Echo Chamber"), "reggae", "Reggae"),
    ("Zoë Façade", ("Cafe\u0301 Noir", "Naïveté"), "pop", ""),
    ("Quartet in {Braces}", ("{}", "(((())))"), "classical", "Classical"),
    ("…And the Dots", ("....", "Ellipsis"), "rock", "Alternative Rock"),
    ("שיר ים", ("גלים", "חול"), "pop", "Misc"),
    ("Nana Sax 🎷", ("Blue ♭5", "Six ⅞"), "jazz", ""),
    ("Various Artists", ("Now That Is What I Call Noise", "Soundtrack of Nothing"), "rock", ""),
    ("Ελένη Άστρα", ("Ουρανός", "Γη"), "blues", "Rock; Blues"),
    ("Night Bus", ("N29", "N73"), "hiphop", "Genre"),
    ("'Quotes' \"n\" Commas, Inc.", ("One, Two", '"Three"'), "country", "Country"),
    ("Anvil & Feather", ("Light", "Heavy"), "metal", ""),
    ("Sir Reginald Pipe-Organ", ("Fugues", "Fugues II"), "classical", ""),
    ("Low Ceiling", ("Attic", "Cellar"), "rock", "Rock"),
    ("Sunday  Two  Spaces", ("  Leading", "Trailing  "), "reggae", ""),
    ("Ocean Drive 1983", ("Neon", "Chrome"), "disco", "12"),
    ("Bhairavi Devi भैरवी", ("सुबह", "शाम"), "pop", ""),
    ("Old Crow's Nephew", ("Porch", "Creek"), "country", "Bluegrass"),
    ("Nguyễn Ánh Sáng", ("Mưa", "Nắng"), "jazz", "Other"),
    ("Slow Motion Riot", ("Placard", "Megaphone"), "rock", ""),
    ("Bones Malone", ("12 Bars", "No Bars"), "blues", ""),
    ("한강 밴드", ("가을", "봄"), "hiphop", ""),
)
WORDS = ("River", "Glass", "Seven", "Morning", "Static", "Harbour", "Paper", "Wolves", "Copper", "Away")
NOT_MUSIC = ("silence", "noise", "hum", "chirps", "sine")
LYRICS = (
    "Walking down the copper road\nCounting every stone\nRivers carry what we owed\nAll the long way home\n"
)


def make(root: Path, seconds: float = 15.0) -> int:
    """Write the library below `root` and return how many files of sound it holds; what is there is kept."""
    clips = {path.name: sorted(path.iterdir()) for path in CLIPS.glob("*")}
    count = 0
    for count, song in enumerate(songs(), 1):
        path = _place(root, song)
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            cover = _png(count // TRACKS)
            (path.parent / "cover.png").write_bytes(cover)
            _encode(path, song, _sound(song, count, clips, seconds), cover)
    return count + _oddities(root / "Odds & Ends")


def songs() -> Iterator[Song]:
    """Yield every song with its tags; two in five have lyrics, two in three art, albums change kind."""
    kinds = cycle(KINDS)
    for a, (artist, albums, plays, genre) in enumerate(ARTISTS):
        for b, album in enumerate(albums):
            kind = next(kinds)
            for n in range(TRACKS):
                word = WORDS[(3 * a + 5 * b + n) % len(WORDS)]
                title = LONG * 2 + word if (a, n) == (27, 4) else f"{word} [Part {n + 1}]" if n == 2 else word
                yield Song(
                    artist, album, f"{title} #{n + 1}?" if n == 3 else title, n + 1, 1960 + 2 * a + b, kind, plays,
                    tuple(genre.split("; ")) if genre and (genre != "Rock" or n) else (),
                    LYRICS if n in (1, 4) else "", art=(a + n) % 3 != 0,
                )  # fmt: skip


def _place(root: Path, song: Song) -> Path:
    def clean(name: str) -> str:
        return "".join("_" if c in '/\\:*?"<>|' else c for c in name).strip().rstrip(".") or "_"

    stem = f"{song.number:02} - {clean(song.title)}".encode()[:230].decode(errors="ignore")
    return root / clean(song.artist) / clean(song.album) / f"{stem}.{SUFFIXES.get(song.kind, song.kind)}"


def _encode(path: Path, song: Song, y: F32, cover: bytes) -> None:
    container, codec = sounds.KINDS[song.kind]
    rate = sounds.OPUS_RATE if song.kind == "opus" else sounds.SAMPLE_RATE
    sounds.write(path, y, container, codec, rate)
    write_tags(path, song, cover if song.art else None)
    if song.lyrics and song.kind in ("wav", "wv", "ogg"):
        path.with_suffix(".lrc").write_text(f"[00:01.00]{song.lyrics}", encoding="utf-8")


def _sound(song: Song, n: int, clips: dict[str, list[Path]], seconds: float) -> F32:
    """Return stereo from a clip of the genre, or a synthetic piece that differs by genre and number."""
    rate = sounds.OPUS_RATE if song.kind == "opus" else sounds.SAMPLE_RATE
    for path in clips.get(song.plays, ())[n % 10 :: 10]:
        try:
            return np.stack([audio.load(path, rate)[: round(seconds * rate)]] * 2)
        except AudioError:
            continue
    y = sounds.synthesise("music", seconds, n, rate)
    drive = {"metal": 12.0, "rock": 5.0, "hiphop": 3.0, "disco": 2.0}.get(song.plays, 0)
    if drive:
        return np.asarray(np.tanh(drive * y), np.float32)
    if song.plays in ("classical", "jazz"):  # without what is struck
        t = np.arange(y.shape[1]) / rate
        tones = 220 * 2 ** (np.random.default_rng(n).integers(0, 13, 6) / 12)
        y = sum(0.12 * np.sin(2 * np.pi * f * t) * (1 + np.sin(2 * np.pi * 0.2 * f / 220 * t)) for f in tones)
        y = np.stack([y, y])
    return np.asarray(y, np.float32).clip(-1, 1)


@dataclass(frozen=True)
class _Odd:
    name: str
    sound: str
    seconds: float


def _oddities(folder: Path) -> int:
    """Write what a real library has besides: no music, too short, cut off, empty, read-only, two names."""
    folder.mkdir(parents=True, exist_ok=True)
    made = [_Odd(f"{sound}.{kind}", sound, 8) for sound in NOT_MUSIC for kind in ("mp3", "flac", "ogg")]
    made += [_Odd("jingle.mp3", "music", 1.2), _Odd("never ending silence.ape", "silence", 20)]
    made += [_Odd("no tags at all.mp3", "music", 10), _Odd("read only.flac", "music", 10)]
    if sys.platform == "linux":
        made += [_Odd("line\nbreak.ogg", "music", 6), _Odd("red \x1b[31m.ogg", "music", 6)]
        made += [_Odd("latin1 caf\udce9.flac", "music", 6)]
    for n, odd in enumerate(made):
        if not (path := folder / odd.name).exists():
            sounds.make(path, odd.seconds, sound=odd.sound, seed=1000 + n)
    whole = (folder / "no tags at all.mp3").read_bytes()
    (folder / "cut off.mp3").write_bytes(whole[: len(whole) // 3])
    (folder / "empty.mp3").write_bytes(b"")
    (folder / "shopping list.mp3").write_text("milk, bread, strings (E)\n")
    (folder / "read only.flac").chmod(0o444)
    link = folder / "same as no tags at all.mp3"
    if not link.exists():
        link.hardlink_to(folder / "no tags at all.mp3")
    return len(made) + 3  # the link is the same file


def _png(seed: int) -> bytes:
    """Return a cover of 64 pixels square, in two colours."""
    rng = np.random.default_rng(seed)
    one, two = rng.integers(0, 256, (2, 3), np.uint8)
    rows = b"".join(b"\0" + bytes([*one] * x + [*two] * (64 - x)) for x in range(64))

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 64, 64, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def main() -> None:
    """Make the library, and say how large it is."""
    parser = argparse.ArgumentParser(prog="python -m bench.collection", description=__doc__)
    parser.add_argument("folder", type=Path, help="where it is made")
    parser.add_argument("--seconds", type=float, default=15.0, help="of every song")
    options = parser.parse_args()
    if ROOT in options.folder.resolve().parents:
        parser.error("make it outside of the checkout; it may hold recordings that must not be committed")
    count = make(options.folder, options.seconds)
    sys.stdout.write(f"{options.folder}: {count} files of sound\n")


if __name__ == "__main__":
    main()
