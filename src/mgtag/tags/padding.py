"""Room left behind a tag, so that the next change need not move the sound."""

from __future__ import annotations

from mutagen import PaddingInfo

PADDING = 1024  # bytes, where a tag has to grow anyway


def keep_padding(info: PaddingInfo) -> int:
    """Keep the file's length as long as the tag fits; mutagen calls this for the size of the padding."""
    return info.padding if info.padding >= 0 else PADDING
