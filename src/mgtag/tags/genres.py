"""What a field for genres or moods may hold, and what of it a listener meant.

Genres have been stored as names, as ID3v1 numbers ("17"), as references ("(17)", "(RX)"),
as a reference and a name ("(17)Rock"), as several values, and as one value with slashes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from mutagen.id3 import TCON

from mgtag.tags.fields import BPM, GENRE, Names

T = TypeVar("T")

# What taggers and rippers write where nobody has decided anything: letters and digits only.
_PLACEHOLDERS = frozenset(
    """
    unknown unknowngenre genreunknown other others misc miscellaneous genre nogenre undefined none
    default notset unset unspecified unclassified uncategorized uncategorised null na
    unbekannt sonstige sonstiges inconnu autre autres desconocido otro otros sconosciuto altro
    """.split()
)

_BLANK = re.compile(
    r"[\s\-–—_.…?<>()\[\]]*"
)  # signs that stand for nothing; others, such as "!!!", are a name

# Names with a slash that are one genre in the iTunes Store or at AllMusic.
_COMPOUNDS = frozenset(
    """
    rbsoul hiphoprap raphiphop singersongwriter electronicadance danceelectronic electronicdance
    bluesrb poprock folkcountry christiangospel
    """.split()
)

_ID3V1_NUMBERS = {re.sub(r"[\W_]", "", name.casefold()): n for n, name in reversed([*enumerate(TCON.GENRES)])}
NO_ID3V1_GENRE = 255


def names(field: str, values: Iterable[str], *, slash: bool = False) -> Names:
    """Turn the raw values of a field into names, in order, each once; see `parse` for genres."""
    if field == GENRE:
        return parse(values, slash=slash)
    return tuple(dict.fromkeys(value.strip() for value in values if value.strip()))


def parse(values: Iterable[str], *, slash: bool = False) -> tuple[str, ...]:
    """Turn the raw values of a genre field into genre names, in order, each once.

    Parameters
    ----------
    values : iterable of str
        As stored; numbers and references are looked up in the ID3v1 list.
    slash : bool
        Whether "Rock/Pop" means two genres, as in a single-valued ID3v2.3 field. "R&B/Soul" and
        other names known to contain a slash stay whole.
    """
    found: list[str] = []
    for value in values:
        for name in TCON(encoding=3, text=[value.strip()]).genres:
            parts = name.split("/") if slash and _key(name) not in _COMPOUNDS else [name]
            found += [part.strip() for part in parts]
    return tuple(dict.fromkeys(name for name in found if name))


def is_placeholder(genres: Sequence[str], field: str = GENRE) -> bool:
    """Return whether these are placeholders: no value at all, words such as "Unknown", or a tempo of 0."""
    if field == BPM:
        return not any(name.strip("0., ") for name in genres)
    return all(_key(name) in _PLACEHOLDERS or _BLANK.fullmatch(name) for name in parse(genres))


def n_kept(stored: Sequence[T], kept: Names, read: Callable[[Sequence[T]], Names]) -> int:
    """Return how many of a field's stored values are the names to be kept; 0 if none are."""
    return max((n for n in range(1, len(stored) + 1) if kept and read(stored[:n]) == kept), default=0)


def id3v1_number(genre: str) -> int:
    """Return the genre's number in the ID3v1 list, or 255 where it has none."""
    return _ID3V1_NUMBERS.get(_key(genre), NO_ID3V1_GENRE)


def _key(name: str) -> str:
    return re.sub(r"[\W_]", "", name.casefold())
