"""Genres in and out of every container: the sound and all other tags stay, and undo is exact."""

from __future__ import annotations

from pathlib import Path

import av
import mutagen
import numpy as np
import pytest
import sounds
from tagging import provenance, restored, write

from mgtag import audio, identity, tags
from mgtag.errors import MgtagError, TagError

GENRES = ("Hip-Hop", "R&B/Soul", "Ünïcode 音楽")
PROVENANCE = provenance(*GENRES)
CONTAINERS = {
    "mp3": "ID3v2.4",
    "m4a": "MP4",
    "alac": "MP4",
    "flac": "Vorbis",
    "ogg": "Vorbis",
    "opus": "Vorbis",
    "wma": "ASF",
    "wav": "ID3v2.4",
    "aiff": "ID3v2.4",
    "wv": "APEv2",
    "ape": "APEv2",
}
METADATA = {"title": "Söng", "artist": "A & B", "album": "Records / 2", "comment": "kept"}


def song(folder: Path, kind: str, **options: object) -> Path:
    extension = "m4a" if kind == "alac" else kind
    return sounds.make(folder / f"song.{extension}", 1.0, kind, **options)  # type: ignore[arg-type]


def encoded(path: Path) -> bytes:
    """Return the encoded sound, packet by packet, and where each stands in time."""
    with av.open(str(path)) as container:
        packets = [(packet.pts, bytes(packet)) for packet in container.demux(audio=0) if packet.size]
    if path.suffix == ".ape":  # FFmpeg takes the tags for part of the last packet
        packets[-1] = (packets[-1][0], packets[-1][1].partition(b"APETAGEX")[0])
    return repr(packets).encode()


def metadata(path: Path) -> dict[str, str]:
    with av.open(str(path)) as container:
        found = {**container.metadata, **container.streams.audio[0].metadata}
    own = {"genre", "mgtag", "wm/genre"}
    return {key.lower(): value for key, value in found.items() if key.lower() not in own}


@pytest.mark.parametrize("kind", CONTAINERS)
@pytest.mark.parametrize(
    "before", [{}, METADATA, {**METADATA, "genre": "Unknown"}], ids=["bare", "tagged", "genre"]
)
def test_write_then_undo(tmp_path: Path, kind: str, before: dict[str, str]) -> None:
    path = song(tmp_path, kind, tags=before)
    original, sound, rest = path.read_bytes(), encoded(path), metadata(path)
    mtime = path.stat().st_mtime_ns
    decoded = audio.load(path)
    was = tags.read(path)

    draft = tags.draft(path, PROVENANCE, identity.signature)
    assert path.read_bytes() == original, "nothing happens before commit"
    status = draft.commit()
    assert (status.st_size, status.st_mtime_ns) == (path.stat().st_size, path.stat().st_mtime_ns)
    assert status.st_mtime_ns != mtime

    now = tags.read(path)
    assert now.genres == GENRES
    assert now.provenance == PROVENANCE
    assert now.ours("genre")
    assert not was.ours("genre")
    assert now.container == CONTAINERS[kind]
    assert (now.title, now.artist, now.album, now.mood) == (was.title, was.artist, was.album, was.mood)
    assert encoded(path) == sound
    assert np.array_equal(audio.load(path), decoded)
    assert metadata(path) == rest
    assert len(draft.patch) < 20_000

    assert restored(path, draft, mtime) == original
    assert path.stat().st_mtime_ns == mtime
    assert tags.read(path) == was
    assert [child.name for child in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("kind", CONTAINERS)
def test_others_read_several_values(tmp_path: Path, kind: str) -> None:
    path = song(tmp_path, kind, tags={} if kind == "ape" else METADATA)
    write(path, *GENRES)
    key = {"ID3v2.4": "TCON", "MP4": "©gen", "ASF": "WM/Genre"}.get(CONTAINERS[kind], "GENRE")
    value = mutagen.File(path).tags[key]
    assert [str(v) for v in getattr(value, "text", value)] == list(GENRES)
    with av.open(str(path)) as container:
        seen = {**container.metadata, **container.streams.audio[0].metadata}
    assert {key.lower(): value for key, value in seen.items()}["genre"].startswith("Hip-Hop")


@pytest.mark.parametrize("kind", CONTAINERS)
def test_writing_again_replaces_and_does_not_pile_up(tmp_path: Path, kind: str) -> None:
    path = song(tmp_path, kind)
    write(path, "Rock", "Pop")
    first = path.read_bytes()
    write(path, "Jazz")
    assert tags.read(path).genres == ("Jazz",)
    write(path, "Rock", "Pop")
    assert abs(path.stat().st_size - len(first)) <= 2
    assert path.read_bytes().count(b"MGTAG") + path.read_bytes().count("MGTAG".encode("utf-16-le")) == 1


@pytest.mark.parametrize("kind", CONTAINERS)
def test_undo_of_an_undo(tmp_path: Path, kind: str) -> None:
    path = song(tmp_path, kind)
    draft = write(path, "Rock")
    tagged = path.read_bytes()
    undo = tags.draft_undo(path, draft.patch, draft.before, draft.after, identity.signature, 0)
    undo.commit()
    redo = tags.draft_undo(path, undo.patch, undo.before, undo.after, identity.signature, 0)
    redo.commit()
    assert path.read_bytes() == tagged


def test_genres_are_the_listeners_once_they_change(tmp_path: Path) -> None:
    path = song(tmp_path, "flac")
    write(path, "Rock")
    assert tags.read(path).ours("genre")
    flac = mutagen.File(path)
    flac["GENRE"] = ["Post-Rock"]
    flac.save()
    found = tags.read(path)
    assert found.genres == ("Post-Rock",)
    assert found.provenance
    assert not found.ours("genre")


@pytest.mark.parametrize(
    "note", ["", "{", "[]", '{"bundle": 1, "confidence": 1, "genres": []}', '{"bundle": "b"}']
)
def test_foreign_note_in_our_field_is_no_provenance(tmp_path: Path, note: str) -> None:
    path = song(tmp_path, "flac")
    flac = mutagen.File(path)
    flac["MGTAG"] = [note]
    flac.save()
    assert not tags.read(path).provenance


@pytest.mark.parametrize(
    ("kind", "name"), [("m4a", "a.mp3"), ("mp3", "a.flac"), ("flac", "a"), ("ogg", "a.wav")]
)
def test_content_counts_not_the_extension(tmp_path: Path, kind: str, name: str) -> None:
    path = sounds.make(tmp_path / name, 1.0, kind)
    write(path, "Rock")
    assert tags.read(path).genres == ("Rock",)
    assert tags.read(path).container == CONTAINERS[kind]


@pytest.mark.parametrize(
    "content",
    [b"", b"\0", b"hello, I am no music", b"ID3", bytes(5000), b"fLaC", b"OggS", b"RIFF\0\0\0\0WAVE"],
)
@pytest.mark.parametrize("name", ["a.mp3", "a.ogg"])
def test_what_is_no_audio_is_refused_in_one_sentence(tmp_path: Path, content: bytes, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(TagError, match=r"a\.(mp3|ogg): .*\.$"):
        tags.read(path)
    with pytest.raises(MgtagError, match=r"a\.(mp3|ogg): .*\.$"):
        write(path, "Rock")
    assert path.read_bytes() == content


def test_wav_for_more_than_4_gb_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(b"RF64\xff\xff\xff\xffWAVE" + bytes(100))
    with pytest.raises(TagError, match="RF64"):
        tags.read(path)


@pytest.mark.parametrize("kind", CONTAINERS)
def test_damaged_files_are_tagged_or_refused_but_never_harmed(tmp_path: Path, kind: str) -> None:
    rng = np.random.default_rng(5)
    whole = song(tmp_path, kind, tags=METADATA).read_bytes()
    for i in range(24):
        data = bytearray(whole[: int(rng.integers(1, len(whole)))] if i % 2 else whole)
        for at in rng.integers(min(len(data), 600), size=int(rng.integers(1, 8))):
            data[at] = rng.integers(256)
        path = tmp_path / f"damaged-{i}.{kind}"
        path.write_bytes(data)
        try:
            draft = write(path, "Rock")
        except MgtagError as error:
            assert str(path) in str(error)
            assert path.read_bytes() == data
        else:
            assert restored(path, draft) == data
        path.unlink()
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("genres", [(), ("",), (" ",), ("a\0b",)])
def test_nothing_to_write_is_refused(tmp_path: Path, genres: tuple[str, ...]) -> None:
    path = song(tmp_path, "flac")
    with pytest.raises(TagError, match="nothing to write"):
        write(path, *genres)


def test_names_of_any_bytes(tmp_path: Path) -> None:
    path = Path(str(tmp_path) + "/,,:file:\udcff'\"\n%00 ☃" + "x" * 200 + ".mp3")
    song(tmp_path, "mp3").rename(path)
    original = path.read_bytes()
    draft = write(path, "Rock")
    assert tags.read(path).genres == ("Rock",)
    assert restored(path, draft) == original
    assert len(list(tmp_path.iterdir())) == 1
