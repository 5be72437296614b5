"""The audio files of a data set on disk, with label, artist and part; nothing is decoded yet."""

from __future__ import annotations

import csv
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import mutagen

from mgtag.errors import UsageError
from mgtag.formats import SUFFIXES
from mgtag_train.data.sources import Source
from mgtag_train.data.splitting import PARTS, draw_parts, genre_of, split_names

READABLE = SUFFIXES | {".au"}  # GTZAN was published as .au, which has no tags to write
FMA_PARTS = {"training": "train", "validation": "valid", "test": "test"}
ARTIST_KEYS = ("artist", "TPE1", "Author", "\xa9ART")  # "artist" in most containers


@dataclass(frozen=True)
class Clip:
    """An audio file of a data set.

    Attributes
    ----------
    name : str
        Begins with the genre, as ``"blues.00000"`` does; "/" stands nowhere in it.
    label : int
        Index into the source's labels.
    part : str
        "train", "valid" or "test"; empty until the split is drawn.
    artist : str
        Empty where unknown.
    """

    name: str
    label: int
    path: Path
    part: str = ""
    artist: str = ""


def find_clips(source: Source, root: Path, seed: int = 0) -> tuple[Source, list[Clip]]:
    """Find the clips of a data set and say which part each belongs to.

    Parameters
    ----------
    root : Path
        What was unpacked, or the folder in it that holds the clips.
    seed : int
        Of the split, where it is drawn.

    Returns
    -------
    source : Source
        With the labels that the folders tell, where it had none.
    clips : list of Clip
        By name.

    Raises
    ------
    UsageError
        If there is no such music there, or too little of a genre to be split.
    """
    if not root.is_dir():
        raise UsageError(f"{root}: there is no such folder; give one with music in it.")
    if source.layout == "genres":
        source, clips = genre_folders(source, root)
    else:
        clips = {"gtzan": gtzan, "fma": fma}[source.layout](source, root)
    if not clips:
        raise UsageError(f"{root}: this folder holds no clips in the layout of {source.name}.")
    clips = sorted(clips, key=lambda clip: clip.name)
    if source.split != "artists":
        return source, clips
    names, labels, artists = zip(*((clip.name, clip.label, clip.artist) for clip in clips), strict=True)
    parts = draw_parts(names, labels, artists, source.labels, seed)
    return source, [replace(clip, part=part) for clip, part in zip(clips, parts, strict=True)]


def gtzan(source: Source, root: Path) -> list[Clip]:
    """``<genre>/<genre>.<number>.<suffix>``, for the tracks of these labels in the committed lists.

    Raises
    ------
    UsageError
        If one is missing.
    """
    root = root / "genres" if (root / "genres").is_dir() else root
    clips = []
    for part in PARTS:
        for name in split_names(part, source):
            genre = genre_of(name)
            if genre not in source.labels:
                continue
            stem = root / genre / name
            found = sorted(p for p in stem.parent.glob(f"{name}.*") if p.suffix.lower() in READABLE)
            if not found:
                raise UsageError(f"{stem}.*: the clip is missing; the folder must hold the whole split.")
            clips.append(Clip(name, source.labels.index(genre), found[0], part))
    return clips


def fma(source: Source, root: Path) -> list[Clip]:
    """``fma_metadata/tracks.csv`` and ``fma_<size>/000/000002.mp3``, in the set's own, artist-filtered parts.

    Tracks without a top genre are left out; those without a file are kept, so that they are reported.
    """
    tables = [root / "tracks.csv", root / "fma_metadata" / "tracks.csv"]
    tables.append(root.parent / "fma_metadata" / "tracks.csv")
    table = next((path for path in tables if path.is_file()), None)
    if table is None:
        raise UsageError(f"{root}: there is no fma_metadata/tracks.csv; unpack fma_metadata.zip here.")
    folder = root / source.archives[-1].folder
    folder = folder if folder.is_dir() else root
    clips = []
    for number, row in fma_rows(table):
        genre, part = row["track", "genre_top"], FMA_PARTS.get(row["set", "split"], "")
        wanted = not source.subsets or row["set", "subset"] in source.subsets
        if wanted and part and genre in source.labels:
            path = folder / f"{number // 1000:03d}" / f"{number:06d}.mp3"
            clips.append(
                Clip(f"{genre.replace('/', '-')}.{number:06d}", source.labels.index(genre), path, part)
            )
    return clips


def fma_rows(table: Path) -> list[tuple[int, dict[tuple[str, str], str]]]:
    """Read ``tracks.csv``: two rows name the columns, a third the index; three columns are kept.

    Raises
    ------
    UsageError
        If it is another table.
    """
    wanted = (("set", "split"), ("set", "subset"), ("track", "genre_top"))
    before = csv.field_size_limit(2**30)  # biographies are long
    try:
        with table.open(newline="", encoding="utf-8") as file:
            rows = csv.reader(file)
            columns = {pair: i for i, pair in enumerate(zip(next(rows), next(rows), strict=True))}
            at = [(pair, columns[pair]) for pair in wanted]
            return [
                (int(row[0]), {pair: row[i] for pair, i in at})
                for row in rows
                if row[:1] and row[0].isdigit()
            ]
    except (KeyError, ValueError, StopIteration, IndexError, csv.Error) as error:
        raise UsageError(f"{table}: this is not the tracks.csv of fma_metadata.zip ({error!r}).") from error
    finally:
        csv.field_size_limit(before)


def genre_folders(source: Source, root: Path) -> tuple[Source, list[Clip]]:
    """``<genre>/…/<anything>.<suffix>``; folders of other names are passed over, where labels are given.

    Raises
    ------
    UsageError
        If a genre has no folder, or there are no two genres.
    """
    music = {
        folder.name: sorted(path for path in folder.rglob("*") if path.suffix.lower() in READABLE)
        for folder in sorted(root.iterdir())
        if folder.is_dir() and not folder.name.startswith(".")
    }
    labels = source.labels or tuple(genre for genre, paths in music.items() if paths)
    if len(labels) < 2:
        raise UsageError(f"{root}: there must be two genres at least, each a subfolder with music in it.")
    if missing := [genre for genre in labels if not music.get(genre)]:
        raise UsageError(f"{root / missing[0]}: there is no music of this genre of {source.name}.")
    tell = artist_in_name if source.name == "homburg" else artist_in_tags
    clips = [
        Clip(f"{genre}.{':'.join(path.relative_to(root / genre).parts)}", label, path, artist=tell(path))
        for label, genre in enumerate(labels)
        for path in music[genre]
    ]
    return replace(source, labels=labels), clips


def artist_in_name(path: Path) -> str:
    """``"Kunek"`` of ``Kunek-Good_Day.mp3``, as the Homburg set names its clips."""
    artist, dash, _ = path.stem.partition("-")
    return artist if dash else ""


def artist_in_tags(path: Path) -> str:
    """Return the artist in a file's tags; empty where there is none, or they cannot be read."""
    try:
        tags: Any = mutagen.File(path, easy=True)
        artist = next((tags[key] for key in ARTIST_KEYS if tags and key in tags), "")
    except (mutagen.MutagenError, OSError, ValueError, KeyError):
        return ""
    return str(artist[0] if isinstance(artist, list) and artist else artist).strip().casefold()
