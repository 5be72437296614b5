"""Tags of the songs of `bench.collection`, as a listener's programs write them, by mutagen."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mutagen
from mutagen import id3
from mutagen.flac import FLAC, Picture
from mutagen.mp4 import MP4, MP4Cover

VORBIS = ("flac", "ogg", "opus")


@dataclass(frozen=True)
class Song:
    """A song and all that is said of it; `plays` is the genre that it sounds like."""

    artist: str
    album: str
    title: str
    number: int
    year: int
    kind: str
    plays: str
    genres: tuple[str, ...]
    lyrics: str
    art: bool


def write_tags(path: Path, song: Song, cover: bytes | None) -> None:
    """Write a song's tags into its file."""
    file: Any = mutagen.File(path)  # type: ignore[attr-defined]
    if file.tags is None:
        file.add_tags()
    if isinstance(file.tags, id3.ID3):
        _id3(file.tags, song, cover)
        version = 3 if song.kind == "mp3" and song.number == 5 else 4
        if song.kind == "mp3":
            file.save(v2_version=version)
            return
    elif isinstance(file, MP4):
        _mp4(file, song, cover)
    elif song.kind == "wma":
        _named(file, song, "Author WM/AlbumTitle Title WM/TrackNumber WM/Year WM/Genre WM/Lyrics")
    elif song.kind in VORBIS:
        _named(file, song, "ARTIST ALBUM TITLE TRACKNUMBER DATE GENRE LYRICS")
        if cover:
            _picture(file, cover)
    else:
        _named(file, song, "Artist Album Title Track Year Genre Lyrics")
    file.save()


def _named(file: Any, song: Song, keys: str) -> None:
    values = (
        song.artist,
        song.album,
        song.title,
        str(song.number),
        str(song.year),
        list(song.genres),
        song.lyrics,
    )
    for key, value in zip(keys.split(), values, strict=True):
        if value:
            file[key] = value


def _id3(tags: id3.ID3, song: Song, cover: bytes | None) -> None:
    frames = {"TPE1": song.artist, "TALB": song.album, "TIT2": song.title}
    frames |= {"TRCK": str(song.number), "TDRC": str(song.year)}
    for name, text in frames.items():
        tags.add(getattr(id3, name)(3, [text]))
    if song.genres:
        tags.add(id3.TCON(3, list(song.genres)))
    if song.lyrics:
        tags.add(id3.USLT(3, "eng", "", song.lyrics))
    if cover:
        tags.add(id3.APIC(3, "image/png", 3, "", cover))


def _mp4(file: Any, song: Song, cover: bytes | None) -> None:
    file["©ART"], file["©alb"], file["©nam"] = song.artist, song.album, song.title
    file["trkn"], file["©day"] = [(song.number, 0)], str(song.year)
    if song.genres:
        file["©gen"] = list(song.genres)
    if song.lyrics:
        file["©lyr"] = song.lyrics
    if cover:
        file["covr"] = [MP4Cover(cover, MP4Cover.FORMAT_PNG)]


def _picture(file: Any, cover: bytes) -> None:
    picture = Picture()
    picture.type, picture.mime, picture.data, picture.width, picture.height, picture.depth = (
        3, "image/png", cover, 64, 64, 24,
    )  # fmt: skip
    if isinstance(file, FLAC):
        file.add_picture(picture)
    else:
        file["metadata_block_picture"] = [base64.b64encode(picture.write()).decode()]
