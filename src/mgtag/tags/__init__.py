"""Read and write genre, mood, BPM, key and provenance in every container, losing nothing.

Start with `read` and `draft`; `patch` is how a change is undone, `containers` tells the kinds
of files apart, and one module a kind knows its tags.
"""

from mgtag.tags.copying import discard_leftover, discard_leftovers, is_leftover
from mgtag.tags.drafting import Draft, draft, draft_undo
from mgtag.tags.fields import BPM, GENRE, KEY, MOOD, SINGLE, WRITABLE, Provenance, Tags
from mgtag.tags.genres import is_placeholder
from mgtag.tags.hashing import digest
from mgtag.tags.reading import read

__all__ = [
    "BPM",
    "GENRE",
    "KEY",
    "MOOD",
    "SINGLE",
    "WRITABLE",
    "Draft",
    "Provenance",
    "Tags",
    "digest",
    "discard_leftover",
    "discard_leftovers",
    "draft",
    "draft_undo",
    "is_leftover",
    "is_placeholder",
    "read",
]
