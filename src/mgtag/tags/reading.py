"""Read a file's tags; whatever is wrong with them is a `TagError`."""

from __future__ import annotations

import errno
import re
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from mgtag.errors import MgtagError, TagError
from mgtag.tags.containers import recognise
from mgtag.tags.fields import MGTAG, WRITABLE, Names, Provenance, Source, Tags, from_json
from mgtag.tags.genres import is_placeholder

_REASONS = {
    errno.ENOENT: "it is not there any more",
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EROFS: "the file system is read-only",
    errno.EACCES: "the permissions of the file or its folder do not allow it",
    errno.EPERM: "the permissions of the file or its folder do not allow it",
}


def read(path: Path) -> Tags:
    """Read the fields of a file's tags.

    Raises
    ------
    TagError
        If the file cannot be opened, is none that mgtag can tag, or its tags are damaged.
    """
    with opened(path) as file:
        return tags_of(file)


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """Open a regular file to be read; what goes wrong with it is a `TagError`."""
    with as_tag_error(path):
        if not stat.S_ISREG(Path(path).stat().st_mode):
            raise TagError("it is no regular file.")  # opening a pipe would wait for ever
        with open(path, "rb") as file:
            yield file


def tags_of(file: BinaryIO) -> Tags:
    """Read the tags of an open file, each field from the first of its tags that has it."""
    name, sources = recognise(file).read(file)

    def first(key: str) -> Sequence[str]:
        return next((s.fields[key] for s in sources if s.fields.get(key)), ())

    provenance = from_json((first(MGTAG) or [""])[0])
    return Tags(
        container=name,
        title=_line(first("title")),
        artist=_line(first("artist")),
        album=_line(first("album")),
        values={field: _names(field, sources, provenance.get(field)) for field in WRITABLE},
        provenance=provenance,
        year=_year(first("date")),
        albumartist=_line(first("albumartist")),
    )


def _names(field: str, sources: Sequence[Source], written: Provenance | None) -> Names:
    """Return a field's names from the first tag that is not mgtag's own; else from the first that has any.

    A placeholder in one tag does not hide a genre in another, nor does what mgtag wrote hide what
    was changed elsewhere. Where mgtag left the listener's genres in place, the tags may have
    disagreed before.
    """
    found = [(s, tuple(s.fields[field])) for s in sources if s.fields.get(field)]
    telling = [(s, names) for s, names in found if not is_placeholder(names, field)]
    if written is not None and not written.kept:
        by_hand = [(s, names) for s, names in telling if names != s.room_for(written.added)]
        telling = by_hand or telling
    return next((names for _, names in [*telling, *found]), ())


def _year(dates: Sequence[str]) -> int:
    found = re.search(r"(?<!\d)\d{4}(?!\d)", " ".join(dates))
    return int(found[0]) if found else 0


def _line(values: Sequence[str]) -> str:
    return ", ".join(dict.fromkeys(value for value in values if value))


@contextmanager
def as_tag_error(path: Path) -> Iterator[None]:
    """Turn whatever the system or a parser raises into a `TagError`, one sentence about this file."""
    try:
        yield
    except TagError as error:
        raise TagError(f"{path}: {error}") from error
    except MgtagError:
        raise
    except Exception as error:  # MutagenError, struct.error, IndexError, ...: damage has many names
        refused = _refusal(error)
        if refused is None:
            kind = f"{type(error).__module__}.{type(error).__name__}"
            raise TagError(f"{path}: its tags are damaged ({kind}).") from error
        reason = _REASONS.get(refused.errno or 0, refused.strerror or str(refused))
        raise TagError(f"{path}: it cannot be read or changed: {reason}.") from error


def _refusal(error: BaseException | None) -> OSError | None:
    """Find the system's refusal behind what mutagen made of it."""
    while error is not None:
        if isinstance(error, OSError) and error.errno:
            return error
        error = error.__cause__ or error.__context__
    return None
