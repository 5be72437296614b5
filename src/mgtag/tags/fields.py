"""What a file's tags say, whatever the container calls its fields."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

MGTAG = "MGTAG"  # the one field that is ours, in every container

# Field name -> values as stored; the keys are those of `Tags`, and MGTAG.
Fields = Mapping[str, Sequence[str]]
Names = tuple[str, ...]


@dataclass(frozen=True)
class Edit:
    """What to write into a file's tags.

    Attributes
    ----------
    kept : tuple of str
        The genres that stand there and stay, byte for byte as they are stored.
    added : tuple of str
        Those to put behind them, or, where nothing is kept, in place of all others.
    mgtag : str
        The value of mgtag's own field.
    """

    kept: Names
    added: Names
    mgtag: str

    @property
    def names(self) -> Names:
        """Return the file's genres afterwards."""
        return self.kept + self.added

    def behind(self, n: int) -> Names:
        """Return what is to be stored behind the first `n` values: all names where none is kept."""
        return self.added if n else self.names


@dataclass(frozen=True)
class Source:
    """One of the tags of a file: what it says, and what of a list of genres it has room for."""

    fields: Fields
    room_for: Callable[[Names], Names] = tuple


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
    kept : tuple of str
        The listener's genres that stood there and were left in front of them.
    """

    bundle: str
    confidence: float
    genres: Names
    kept: Names = ()

    @property
    def names(self) -> Names:
        """Return the file's genres as mgtag left them."""
        return self.kept + self.genres

    def to_json(self) -> str:
        """Return one line of ASCII, so that no container's encoding can hurt it."""
        said = {"bundle": self.bundle, "confidence": self.confidence, "genres": self.genres}
        return json.dumps(said | ({"kept": self.kept} if self.kept else {}))

    @classmethod
    def from_json(cls, text: str) -> Provenance | None:
        """Read what `to_json` wrote; None for what somebody else left in the field."""
        try:
            found = json.loads(text)
            bundle, confidence = found["bundle"], float(found["confidence"])
            genres, kept = found["genres"], found.get("kept", [])
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
            return None
        names = [*genres, *kept] if isinstance(genres, list) and isinstance(kept, list) else [None]
        if isinstance(bundle, str) and all(isinstance(name, str) for name in names):
            return cls(bundle, confidence, tuple(genres), tuple(kept))
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
    genres: Names
    mood: Names
    provenance: Provenance | None

    @property
    def own(self) -> Names:
        """Those of the genres that mgtag wrote; none once anybody changed anything about them."""
        if self.provenance is None or self.provenance.names != self.genres:
            return ()
        return self.provenance.genres

    @property
    def ours(self) -> bool:
        """Whether the genres are exactly as mgtag left them; otherwise they are the listener's."""
        return bool(self.own)
