"""One genre for an album, or for all songs of an artist: `mgtag.vote.common_vote` of its tracks.

Where an album is mixed, none of its tracks gets a genre. What is not music, and silence, has no vote.
"""

from __future__ import annotations

import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from mgtag import tags
from mgtag.card import GENRE
from mgtag.errors import TagError
from mgtag.library.decisions import threshold, vote_of
from mgtag.library.events import Answered, FileEvent
from mgtag.library.genre_map import key
from mgtag.library.records import Track
from mgtag.library.tag_writer import Common, TagWriter
from mgtag.vote import common_vote

_DISC = re.compile(r"(cd|disc|disk|dvd)[\s_-]*\d+\b.*", re.IGNORECASE)  # the folder of one disc of an album
_FIRST_ARTIST = re.compile(r"[,;/]| feat\.? | ft\.? | featuring ", re.IGNORECASE)
_VARIOUS = {"variousartists", "various", "va", "diverse", "unknownartist", "unknown"}
EVERY_RUN = range(sys.maxsize)  # what was decided in any of them is open again
UNSETTLED = 0  # no run: a scan that is broken off leaves rows that the next one decides on


def hearing_only(writer: TagWriter) -> TagWriter:
    """Return a writer that remembers what was heard, and leaves the tags to `settled_together`."""
    policy = replace(writer.policy, write=False)
    run = writer.run if policy.dry_run else UNSETTLED
    return replace(writer, policy=policy, run=run, dry=EVERY_RUN, noted=[])


def settled_together(
    events: Iterable[FileEvent], paths: Iterable[Path], writer: TagWriter
) -> Iterator[FileEvent]:
    """Settle files, group by group, as soon as all that may belong to a group were heard.

    Parameters
    ----------
    events : iterable of FileEvent
        Of every file; with a writer that is `hearing_only`.
    paths : iterable of Path
        Of every file.
    writer : TagWriter
        Which may write.
    """
    per = writer.policy.per
    left = Counter(_place(path, per) for path in paths)
    held: defaultdict[str, list[FileEvent]] = defaultdict(list)
    try:
        for event in events:
            place = _place(event.path, per)
            held[place].append(event)
            left[place] -= 1
            if left[place] == 0:
                yield from _settled(held.pop(place), writer)
        for rest in held.values():
            yield from _settled(rest, writer)
    finally:
        writer.index.note_outcomes(writer.run, writer.noted)


def artist_key(artist: str | None) -> str:
    """Return a name for the first of a song's artists, however it is spelled; "" where none is known."""
    first = key(_FIRST_ARTIST.split(artist)[0].strip()) if artist else ""
    return "" if first in _VARIOUS else first


def _place(path: Path, per: str) -> str:
    """Return where all files must be heard before one is settled: an album's folder; everywhere."""
    if per == "artist":
        return ""
    return str(path.parent.parent if _DISC.fullmatch(path.parent.name) else path.parent)


def _settled(events: Sequence[FileEvent], writer: TagWriter) -> Iterator[FileEvent]:
    """Settle the files of one place; where none of them is new, nothing changed for the others either."""
    if not any(isinstance(event, Answered) for event in events):
        yield from events
        return
    groups: defaultdict[str, list[tuple[Track, bool]]] = defaultdict(list)
    for event in events:
        track = writer.index.track(event.path)
        if track is None or not track.answers.get(GENRE):
            yield event
        else:
            groups[_group(track, writer.policy.per)].append((track, isinstance(event, Answered)))
    for members in groups.values():
        yield from _of_group(members, writer)


def _of_group(members: Sequence[tuple[Track, bool]], writer: TagWriter) -> Iterator[FileEvent]:
    head, policy = writer.bundle.card.genre, writer.policy
    votes = [vote_of(GENRE, head, track.answers[GENRE], None) for track, _ in members]
    music = [vote for vote in votes if not vote.not_music and not vote.silent]
    common = common_vote(music or votes, threshold(policy, head))
    for track, anew in members:
        yield writer.settle(track, None, common=Common(*common, anew))


def _group(track: Track, per: str) -> str:
    """Return what a track shares with its album, or with its artist's songs; where none is known, itself."""
    if per == "artist":
        return artist_key(track.artist) or f"/{track.path}"
    if not track.album:
        return ""  # the folder is the album
    try:
        return f"{track.album.casefold()}/{tags.read(track.path).albumartist.casefold()}"
    except TagError:
        return f"{track.album.casefold()}/"
