"""Which genres a field names, and which of them say nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mutagen.id3 import TCON

from mgtag import tags
from mgtag.tags.genres import NO_ID3V1_GENRE, id3v1_number, parse

NAMES = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1).filter(
    lambda name: not name[0].isdigit() and not name.startswith("(") and name not in ("RX", "CR")
)


@pytest.mark.parametrize(
    ("values", "names"),
    [
        (["Rock"], ("Rock",)),
        (["(17)"], ("Rock",)),
        (["17"], ("Rock",)),
        (["(17)(4)"], ("Rock", "Disco")),
        (["(17)Rock"], ("Rock",)),
        (["(4)Eurodisco"], ("Disco", "Eurodisco")),
        (["(RX)", "CR"], ("Remix", "Cover")),
        (["Rock", "Pop", "Rock", " Pop "], ("Rock", "Pop")),
        (["Rock; Pop"], ("Rock; Pop",)),
        (["Rock/Pop"], ("Rock/Pop",)),
        (["", " "], ()),
        (["(199)"], ("Unknown",)),
        (["80s"], ("80s",)),
        (["2000"], ("2000",)),
        ([], ()),
    ],
)
def test_parse(values: list[str], names: tuple[str, ...]) -> None:
    assert parse(values) == names


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ("Rock/Pop", ("Rock", "Pop")),
        ("Rock / Pop", ("Rock", "Pop")),
        ("Rock/", ("Rock",)),
        ("R&B/Soul", ("R&B/Soul",)),
        ("Hip-Hop/Rap", ("Hip-Hop/Rap",)),
        ("Hip Hop/Rap", ("Hip Hop/Rap",)),
        ("Singer/Songwriter", ("Singer/Songwriter",)),
        ("(17)/Pop", ("Rock", "Pop")),
    ],
)
def test_slash_parts_genres_where_it_means_to(value: str, names: tuple[str, ...]) -> None:
    assert parse([value], slash=True) == names


@given(st.lists(NAMES, unique=True))
def test_names_are_read_as_they_are_and_reading_is_stable(names: list[str]) -> None:
    assert parse(names) == tuple(names)


@given(st.lists(st.text()), st.booleans())
def test_anything_parses_to_clean_unique_names(values: list[str], slash: bool) -> None:
    found = parse(values, slash=slash)
    assert all(name and name == name.strip() for name in found)
    assert len(set(found)) == len(found)


@pytest.mark.parametrize(
    "genres",
    [
        (),
        ("",),
        ("Unknown",),
        ("unknown genre",),
        ("<Unknown>",),
        ("Other",),
        ("(12)",),
        ("12",),
        ("(255)",),
        ("Misc.",),
        ("MISCELLANEOUS",),
        ("Genre",),
        ("[undefined]",),
        ("None",),
        ("default",),
        ("n/a",),
        ("-",),
        ("???",),
        ("[ ]",),
        ("Unbekannt",),
        ("Unknown", "Other"),
    ],
)
def test_placeholders(genres: tuple[str, ...]) -> None:
    assert tags.is_placeholder(genres)


@pytest.mark.parametrize(
    "genres",
    [
        ("🎸",),
        ("★★★★",),
        ("!!!",),
        ("+/-",),
        ("Rock",),
        ("Unknown", "Rock"),
        ("Otherworldly",),
        ("No Wave",),
        ("(17)",),
        ("0",),
        ("音楽",),
        ("R&B",),
    ],
)
def test_what_somebody_meant_is_no_placeholder(genres: tuple[str, ...]) -> None:
    assert not tags.is_placeholder(genres)


def test_id3v1_numbers() -> None:
    assert [id3v1_number(name) for name in ("Blues", "rock", "hiphop", "Hip Hop", "R&B")] == [0, 17, 7, 7, 14]
    assert id3v1_number("Made Up") == NO_ID3V1_GENRE
    assert all(TCON.GENRES[id3v1_number(name)].casefold() == name.casefold() for name in TCON.GENRES)
