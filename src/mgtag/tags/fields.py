"""What a file's tags say, whatever the container calls its fields."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

MGTAG = "MGTAG"  # the one field that is ours, in every container

# Field name -> values as stored; the keys are those of `Tags`, and MGTAG.
Fields = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Provenance:
    """What mgtag wrote into a file, kept there as JSON in the field ``MGTAG``.

    Attributes
    ----------
    bundle : str
        Name of the model bundle that answered.
    confidence : float
        Its calibrated confidence in 0..1.
    genres : tuple of str
        The genres as written, best first.
    """

    bundle: str
    confidence: float
    genres: tuple[str, ...]

    def to_json(self) -> str:
        """Return one line of ASCII, so that no container's encoding can hurt it."""
        return json.dumps({"bundle": self.bundle, "confidence": self.confidence, "genres": self.genres})

    @classmethod
    def from_json(cls, text: str) -> Provenance | None:
        """Read what `to_json` wrote; None for what somebody else left in the field."""
        try:
            found = json.loads(text)
            bundle, confidence, genres = found["bundle"], float(found["confidence"]), found["genres"]
        except (ValueError, TypeError, KeyError, RecursionError):
            return None
        if isinstance(bundle, str) and isinstance(genres, list) and all(isinstance(g, str) for g in genres):
            return cls(bundle, confidence, tuple(genres))
        return None


@dataclass(frozen=True)
class Tags:
    """A file's tags, as far as mgtag cares.

    Attributes
    ----------
    container : str
        The kind of tag, such as ``"ID3v2.3"``, ``"MP4"``, ``"Vorbis"``, ``"ASF"``, ``"APEv2"``;
        empty where there is none yet.
    title, artist, album : str
        Empty where the file does not say; several artists are joined by commas.
    genres, mood : tuple of str
        Names, in the file's order.
    provenance : Provenance or None
        What mgtag wrote here last, if it did.
    """

    container: str
    title: str
    artist: str
    album: str
    genres: tuple[str, ...]
    mood: tuple[str, ...]
    provenance: Provenance | None

    @property
    def ours(self) -> bool:
        """Whether the genres are exactly those mgtag wrote; otherwise they are the listener's."""
        return self.provenance is not None and bool(self.genres) and self.provenance.genres == self.genres
