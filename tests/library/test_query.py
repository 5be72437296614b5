"""Questions to the index as beets asks them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from mgtag.errors import UsageError
from mgtag.library.genre_map import GenreMap
from mgtag.library.outcome import Outcome
from mgtag.library.query import parse_query
from mgtag.library.records import Answer, Track

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
SONG = Track(
    Path("/music/Incoming/feeling good.mp3"), 1, 1, "wide-1@1", 3,
    duration_s=175, artist="Nina Simone", album="I Put a Spell on You", title="Feeling Good", year=1965,
    tags={"genre": ("Hip-Hop", "Vocal Jazz")},
    answers={"genre": (Answer("Jazz", 0.91),), "mood": (Answer("sad", 0.5),)},
    outcome=Outcome.KEPT, added="2026-11-20T08:00:00+00:00",
)  # fmt: skip


@pytest.mark.parametrize(
    "query",
    [
        "", "genre:jazz", "genre:'vocal jazz'", "genre:hiphop", 'genre:"Hip Hop"', "heard:jazz",
        "mood:sad", "nina", 'artist:"nina simone"', "artist::^Nina", "year:1965", "year:..1970",
        "year:1960..1970", "confidence:0.9..", "confidence:90%..", "length:2:30..3:00", "path:Incoming",
        "event:kept", "model:wide", "run:3", "^genre:metal", "added:-1w..", "added:2026",
        "added:2026-11..", "added:2026-11-20", "added:..-1d", "genre:metal , genre:jazz",
        "genre:metal, year:1965", 'genre:jazz confidence:0.9.. path:Incoming artist:"Nina Simone"',
    ],
)  # fmt: skip
def test_a_song_is_found(query: str) -> None:
    assert parse_query([query], NOW)(SONG)


@pytest.mark.parametrize(
    "query",
    [
        "genre:metal", "heard:hip-hop", "bach", "artist::Simone.x", "year:1966..", "confidence:..0.9",
        "^nina", "length:..2:00", "added:-2d..", "added:2025", "added:..2026-10",
        "genre:metal , genre:rock", "event:tagged", "genre:jazz year:1900",
    ],
)  # fmt: skip
def test_a_song_is_not_found(query: str) -> None:
    assert not parse_query(query.split(), NOW)(SONG)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("gnere:jazz", "did you mean 'genre'?"),
        ("xyz:1", "known are artist"),
        ("year:soon", "'soon' is no number"),
        ("added:yesterday", "is no date"),
        ("artist::(", "no regular expression"),
        ('artist:"Nina', "quotation mark"),
    ],
)
def test_a_mistake_is_a_sentence(query: str, words: str) -> None:
    with pytest.raises(UsageError) as error:
        parse_query([query], NOW)
    assert words in str(error.value)


def test_a_genre_is_found_by_the_listeners_other_names() -> None:
    aliases = GenreMap(aliases={"rap": "Hip-Hop"})
    assert parse_query(["genre:rap"], NOW, aliases.canonical)(SONG)
    assert not parse_query(["genre:rap"], NOW)(SONG)
