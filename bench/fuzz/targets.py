"""What is fuzzed: every way in which bytes of somebody else's come into mgtag's tags and ears.

A target takes any bytes, and raises only where mgtag has a fault: an error that is no sentence, a
tag that is not what was written, a file that is not what it was.
"""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from mgtag import audio, identity, tags
from mgtag.errors import MgtagError, TagError
from mgtag.tags import apev2, fields, id3, patch, vorbis

_PLACE = Path(tempfile.mkdtemp(dir="/dev/shm" if os.path.isdir("/dev/shm") else None))  # noqa: PTH112
_NEW = {"genre": tags.Provenance((), ("Jazz", "R&B/Soul"), "b", 0.5)}


def parsers(data: bytes) -> None:
    """Take tags apart and put them together, with the same result, or raise a `TagError`."""
    with suppress(TagError):
        tag = id3.parse(data)
        again = id3.parse(id3.render(tag))
        assert (again.frames, again.rest) == (tag.frames, tag.rest)
    with suppress(TagError):
        file = io.BytesIO(data)
        found = apev2.read_tag(file)
        if found.length:
            apev2.write(file, found)
            assert apev2.read_tag(file).items == found.items
    with suppress(TagError):
        comments = vorbis._parse(data)
        assert vorbis._parse(comments.render()) == comments
    fields.from_json(data.decode("utf-8", "replace"))
    with suppress(TagError):
        patch.apply(io.BytesIO(data[len(data) // 2 :]), data[: len(data) // 2], io.BytesIO())


def reading(data: bytes) -> None:
    """Read a file's tags, or have a sentence why not."""
    with suppress(TagError):
        tags.read(_file(data))


def writing(data: bytes) -> None:
    """Tag a file and put it back to the byte, or leave it as it was."""
    path = _file(data)
    try:
        draft = tags.draft(path, _NEW, lambda _: "")
        draft.commit()
    except TagError:
        assert path.read_bytes() == data
        return
    assert tags.read(path).genres == _NEW["genre"].names
    tags.draft_undo(path, draft.patch, draft.before, draft.after, lambda _: "", 0).commit()
    assert path.read_bytes() == data


def headers(data: bytes) -> None:
    """Probe a file and read it from end to end, or have a sentence why not."""
    path = _file(data)
    for listen in (audio.probe, identity.payload):
        with suppress(MgtagError):
            listen(path)


TARGETS: dict[str, Callable[[bytes], None]] = {f.__name__: f for f in (parsers, reading, writing, headers)}


def _file(data: bytes) -> Path:
    path = _PLACE / f"{os.getpid()}.song"
    path.write_bytes(data)
    return path
