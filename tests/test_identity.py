"""A signature is the sound's own: no tag, name or place changes it, and every bit of the sound does."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import mutagen
import pytest
import sounds
from mutagen.apev2 import APEv2
from mutagen.id3 import APIC, ID3, TIT2, ID3v1SaveOptions
from tagging import write

from mgtag import audio, identity

KINDS = [*sounds.KINDS]
LARGE = "x" * 100_000  # more than a page of Ogg, and than any padding
LYRICS = b"LYRICSBEGININD0000200000021LYRICS200"
ID3V1 = b"TAG" + b"title".ljust(124) + b"\x11"


def song(folder: Path, kind: str, seed: int = 0, **options: object) -> Path:
    extension = "m4a" if kind == "alac" else kind
    path = folder / f"{seed}.{extension}"
    return sounds.make(path, 1.0, kind, seed=seed, **options)  # type: ignore[arg-type]


def retag(path: Path) -> None:
    """Write large tags as another program would."""
    file = mutagen.File(path)
    if file.tags is None:
        file.add_tags()
    if isinstance(file.tags, ID3):
        file.tags.add(TIT2(encoding=3, text=LARGE))
        file.tags.add(APIC(encoding=3, mime="image/png", type=3, desc="", data=bytes(50_000)))
    else:
        key = {"MP4": "©nam", "ASF": "Title"}.get(type(file).__name__, "TITLE")
        file[key] = LARGE
    file.save()


@pytest.mark.parametrize("kind", KINDS)
def test_signature_outlives_tags_names_and_places(tmp_path: Path, kind: str) -> None:
    path = song(tmp_path, kind, tags={"title": "t"})
    before = identity.payload(path)
    size = path.stat().st_size
    retag(path)
    assert path.stat().st_size > size + len(LARGE) - 10_000, "this would prove nothing"
    assert identity.payload(path) == before
    write(path, "Rock", "Pop")
    assert identity.payload(path) == before
    moved = tmp_path / f"elsewhere{path.suffix}"
    shutil.move(path, moved)
    assert identity.signature(moved) == before.signature
    file = mutagen.File(moved)
    file.delete()
    assert identity.payload(moved) == before


@pytest.mark.parametrize(
    ("kind", "cut"), [*(("mp3", cut) for cut in (0, 1, 50, 120, 200, 400)), ("wv", 0), ("ape", 0), ("ape", 1)]
)
@pytest.mark.parametrize(
    "tails", [["v1"], ["ape"], ["ape", "v1"], ["lyrics", "v1"], ["v1", "ape"], ["ape", "lyrics", "v1"]]
)
def test_signature_outlives_tags_behind_the_sound(
    tmp_path: Path, kind: str, tails: list[str], cut: int
) -> None:
    """Even where the last frame is cut short, and FFmpeg would fill it up with tags."""
    path = song(tmp_path, kind)
    if kind == "wv":
        mutagen.File(path).delete()
    data = path.read_bytes()
    path.write_bytes(data[: len(data) - cut])
    before = identity.payload(path), len(audio.load(path))
    for tail in tails:
        append(path, tail)
        assert (identity.payload(path), len(audio.load(path))) == before
    if tails[-1] != "ape" or kind == "mp3":
        write(path, "Jazz")
        assert (identity.payload(path), len(audio.load(path))) == before


def append(path: Path, tail: str) -> None:
    if tail == "ape":
        tags = APEv2()
        tags["Title"] = "t" * 999
        tags["Genre"] = "Other"
        tags.save(path)
    else:
        path.write_bytes(path.read_bytes() + (ID3V1 if tail == "v1" else LYRICS))


def test_signature_outlives_id3_in_front_of_an_mp3(tmp_path: Path) -> None:
    path = song(tmp_path, "mp3")
    before = identity.payload(path)
    ID3(path).delete(path)
    assert not path.read_bytes().startswith(b"ID3")
    assert identity.payload(path) == before
    ID3().save(path, v1=ID3v1SaveOptions.CREATE)
    assert identity.payload(path) == before


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "ape"])
def test_other_sound_has_another_signature(tmp_path: Path, kind: str) -> None:
    first, second = song(tmp_path, kind), song(tmp_path, kind, seed=1)
    assert identity.signature(first) != identity.signature(second)


@pytest.mark.parametrize("kind", KINDS)
def test_one_changed_bit_of_the_sound_is_noticed(tmp_path: Path, kind: str) -> None:
    path = song(tmp_path, kind)
    before = identity.signature(path)
    data = bytearray(path.read_bytes())
    at = -1 if kind == "ape" else len(data) // 2
    data[at] ^= 1
    path.write_bytes(data)
    assert identity.signature(path) != before


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_makes_the_same_file(tmp_path: Path, kind: str) -> None:
    """Golden values and failures can be made again: the sounds of the tests depend on nothing else."""
    first = song(tmp_path, kind).read_bytes()
    (tmp_path / "again").mkdir()
    assert song(tmp_path / "again", kind).read_bytes() == first


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_heard(tmp_path: Path, kind: str) -> None:
    y = audio.load(song(tmp_path, kind))
    assert len(y) == pytest.approx(audio.SAMPLE_RATE, rel=0.06)
    assert (abs(y).max() > 0.2) == (kind != "ape")  # an ape of ours is silence, but decoded


@pytest.mark.parametrize("size", [1, 1000, 70_000, 500_000])
def test_a_fingerprint_knows_a_file_by_its_ends_and_middle(tmp_path: Path, size: int) -> None:
    data = bytearray(os.urandom(size))
    (tmp_path / "a").write_bytes(data)
    known = identity.fingerprint(tmp_path / "a")
    assert identity.is_known((tmp_path / "a").rename(tmp_path / "b"), known)
    for at in (0, size // 2, size - 1):
        other = data.copy()
        other[at] ^= 1
        (tmp_path / "c").write_bytes(other)
        assert not identity.is_known(tmp_path / "c", known)
    (tmp_path / "c").write_bytes(data + b"x")
    assert not identity.is_known(tmp_path / "c", known)


def test_a_signature_is_told_from_a_fingerprint(tmp_path: Path) -> None:
    path = song(tmp_path, "flac")
    for known in (identity.signature(path), identity.fingerprint(path)):
        assert identity.is_known(path, known)
        assert not identity.is_known(path, known[:-1])
