"""The fields of a file's tags, under the same names for every container."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MGTAG = "MGTAG"  # the one field that is ours, in every container
GENRE, MOOD, BPM, KEY = "genre", "mood", "bpm", "key"
# The fields that mgtag may write; the head of a model, or the analysis, that answers has the same name.
WRITABLE = (GENRE, MOOD, BPM, KEY)
SINGLE = (BPM, KEY)  # those of which a file has one value: nothing is put behind it

# Field name -> values as stored; the keys are those of `Tags`, and MGTAG.
Fields = Mapping[str, Sequence[str]]
Names = tuple[str, ...]


@dataclass(frozen=True)
class Edit:
    """What to write into one field of a file's tags.

    Attributes
    ----------
    kept : tuple of str
        The names that stand there and stay, byte for byte as they are stored.
    added : tuple of str
        Those to put behind them, or, where nothing is kept, in place of all others.
    """

    kept: Names
    added: Names

    @property
    def names(self) -> Names:
        """Return the field's values afterwards."""
        return self.kept + self.added

    def behind(self, n: int) -> Names:
        """Return what is to be stored behind the first `n` values: all names where none is kept."""
        return self.added if n else self.names


Edits = Mapping[str, Edit]  # by field; what is not in it stays as it is


@dataclass(frozen=True)
class Source:
    """One of the tags of a file: its fields, and what of a list of genres it has room for."""

    fields: Fields
    room_for: Callable[[Names], Names] = tuple


@dataclass(frozen=True)
class Provenance(Edit):
    """What mgtag wrote into a field of a file, kept there in the field ``MGTAG``.

    Attributes
    ----------
    kept : tuple of str
        The listener's names that stood there and were left in front of mgtag's.
    added : tuple of str
        Mgtag's, best first.
    bundle : str
        Name of the model bundle that answered.
    confidence : float
        Its calibrated confidence in 0..1.
    """

    bundle: str
    confidence: float


def to_json(written: Mapping[str, Provenance]) -> str:
    """Return one line of ASCII, so that no container's encoding can hurt it.

    The genre's provenance stands at the top, as in files of before there were moods; each other
    field's under its own name.
    """
    genre = _row(written[GENRE], "genres") if GENRE in written else {}
    return json.dumps(genre | {f: _row(p, "names") for f, p in written.items() if f != GENRE})


def from_json(text: str) -> dict[str, Provenance]:
    """Read what `to_json` wrote; nothing of what somebody else left in the field."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(found, dict):
        return {}
    read = {GENRE: _provenance(found, "genres")}
    read |= {field: _provenance(found.get(field), "names") for field in WRITABLE if field != GENRE}
    return {field: provenance for field, provenance in read.items() if provenance is not None}


def _row(written: Provenance, key: str) -> dict[str, Any]:
    row = {"bundle": written.bundle, "confidence": written.confidence, key: written.added}
    return row | ({"kept": written.kept} if written.kept else {})


def _provenance(found: Any, key: str) -> Provenance | None:
    try:
        bundle, confidence = found["bundle"], float(found["confidence"])
        added, kept = found[key], found.get("kept", [])
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError):
        return None
    names = [*added, *kept] if isinstance(added, list) and isinstance(kept, list) else [None]
    if isinstance(bundle, str) and all(isinstance(name, str) for name in names):
        return Provenance(tuple(kept), tuple(added), bundle, confidence)
    return None


@dataclass(frozen=True)
class Tags:
    """A file's tags, as far as mgtag cares.

    Attributes
    ----------
    container : str
        The kind of tag, such as ``"ID3v2.3"``, ``"MP4"``, ``"Vorbis"``, ``"ASF"``, ``"APEv2"``;
        empty where there is none yet.
    title, artist, album, albumartist : str
        Empty where the file does not say; several artists are joined by commas.
    values : mapping of str to tuple of str
        Names in each of the fields `WRITABLE`, in the file's order.
    provenance : mapping of str to Provenance
        What mgtag wrote last into each field, if it did.
    year : int
        0 where the file does not say.
    """

    container: str
    title: str
    artist: str
    album: str
    values: Mapping[str, Names]
    provenance: Mapping[str, Provenance]
    year: int = 0
    albumartist: str = ""

    @property
    def genres(self) -> Names:
        """Genres, in the file's order."""
        return self.values[GENRE]

    @property
    def mood(self) -> Names:
        """Moods, in the file's order."""
        return self.values[MOOD]

    def own(self, field: str) -> Names:
        """Those of a field's names that mgtag wrote; none once anybody changed anything about them."""
        written = self.provenance.get(field)
        return written.added if written is not None and written.names == self.values[field] else ()

    def ours(self, field: str) -> bool:
        """Whether a field is exactly as mgtag left it; otherwise it is the listener's."""
        return bool(self.own(field))
