"""Change a file's tags so that, whatever happens, the listener has either the old file or the new.

A copy in the same folder is edited, compared with the original, flushed to disk, and only then
put in its place by one rename.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from mgtag.errors import AudioError, TagError
from mgtag.tags import patch as binary_patch
from mgtag.tags.containers import check_writable, recognise
from mgtag.tags.copying import carry_over, check_allowed, check_unchanged, hold, new_copy, sync_folder
from mgtag.tags.fields import Provenance, to_json
from mgtag.tags.hashing import Digest, hash_and_copy
from mgtag.tags.reading import as_tag_error, opened, tags_of

Payload = Callable[[Path], str]


@dataclass
class Draft:
    """An edited and verified copy beside a file, on disk but not yet in its place.

    Attributes
    ----------
    path : Path
        The file that it will replace; where a link was given, what the link points to.
    temporary : Path
        The copy.
    before, after : str
        SHA-256 of the file and of the copy.
    patch : bytes
        Turns the new file back into the old one; see `tags.patch`.
    signature : str
        What `payload` said of the sound, of the file and of the copy.
    """

    path: Path
    temporary: Path
    before: str
    after: str
    patch: bytes
    signature: str
    _original: os.stat_result = field(repr=False)
    _held: int = field(repr=False)  # keeps other mgtags from taking the copy for a leftover

    def commit(self) -> os.stat_result:
        """Put the copy in the file's place, in one step, and return its `stat`.

        Raises
        ------
        TagError
            If somebody changed the file since it was copied, or the folder does not allow it;
            the file is as it was, and the copy is gone.
        """
        try:
            with as_tag_error(self.path):
                check_unchanged(self.path, self._original)
                status = self.temporary.stat()
                os.replace(self.temporary, self.path)  # noqa: PTH105
        except BaseException:
            self.discard()
            raise
        self._release()
        sync_folder(self.path.parent)
        return status

    def discard(self) -> None:
        """Remove the copy, or leave it to the next scan; the file stays as it was."""
        self._release()
        with suppress(OSError):
            self.temporary.unlink()

    def _release(self) -> None:
        held, self._held = self._held, -1
        if held >= 0:
            os.close(held)


def draft(
    path: Path,
    new: Mapping[str, Provenance],
    payload: Payload,
    *,
    seen: os.stat_result | None = None,
    hard_links: bool = False,
) -> Draft:
    """Write genres or moods, each a value of its own, and their provenance into a copy of a file.

    Parameters
    ----------
    path : Path
        The file, or a link to it; a link stays a link.
    new : mapping of str to Provenance
        What fields of the file shall say: names to be kept as they are stored, and those to be added.
        A field that is not in it stays as it is, provenance included.
    payload : callable
        `mgtag.identity.signature`: the identity of the sound, which must not change.
    seen : os.stat_result, optional
        Of the file before its tags were read to decide on this; if it changed since, the
        decision is void.
    hard_links : bool
        Whether a file that has other names may be replaced; they would go on naming the old one.

    Raises
    ------
    TagError
        If it cannot be done, or not without loss; the file is as it was.
    AudioError
        If its sound cannot be read to the end; the file is as it was.
    """
    for names in [edit.names for edit in new.values()] or [()]:
        if not names or any(not name.strip() or "\0" in name for name in names):
            raise TagError(f"{path}: there is nothing to write.")
    with opened(path) as file:
        check_writable(file)

    def edit(original: BinaryIO, copy: BinaryIO) -> None:
        container, was = recognise(copy), tags_of(copy)
        before = Counter(container.others(copy, new))
        values = {**was.values, **{field: edit.names for field, edit in new.items()}}
        provenance = {**was.provenance, **new}
        container.write(copy, new, to_json(provenance))
        copy.flush()
        if before - Counter(container.others(copy, new)):
            raise TagError("other tags than these would be lost, so it was left as it is.")
        tags = tags_of(copy)
        if tags.values != values or tags.provenance != provenance:
            raise TagError("its tags do not take these values, so it was left as it is.")

    return _draft(path, edit, payload, seen=seen, hard_links=hard_links)


def draft_undo(path: Path, patch: bytes, before: str, after: str, payload: Payload, mtime_ns: int) -> Draft:
    """Restore, in a copy, the file that `draft` found, byte for byte.

    Parameters
    ----------
    patch, before, after
        What the `Draft` said.
    mtime_ns : int
        The time of the last change that the restored file is to show.

    Raises
    ------
    TagError
        If the file is not what was written any more: what was changed since is not mgtag's to lose.
    """

    def edit(original: BinaryIO, copy: BinaryIO) -> None:
        if hash_and_copy(original) != after:
            raise TagError("it was changed since mgtag tagged it, so it was left as it is.")
        copy.seek(0)
        copy.truncate()
        binary_patch.apply(original, patch, copy)
        if hash_and_copy(copy) != before:
            raise TagError("the record of how it was is damaged, so it was left as it is.")

    return _draft(path, edit, payload, hard_links=True, mtime_ns=mtime_ns)


def _draft(
    path: Path,
    edit: Callable[[BinaryIO, BinaryIO], None],
    payload: Payload,
    *,
    hard_links: bool,
    seen: os.stat_result | None = None,
    mtime_ns: int | None = None,
) -> Draft:
    with as_tag_error(path):
        target = Path(path).resolve(strict=True)
        status = target.stat()
        if seen is not None:
            check_unchanged(target, seen)
        check_allowed(target, status, hard_links=hard_links)
        sound = payload(target)
        with open(target, "rb") as original, new_copy(target) as (temporary, copy), _held(copy) as held:
            before = hash_and_copy(original, copy)
            edit(original, copy)
            copy.flush()
            if _changed(sound, payload, temporary):
                raise TagError("its sound would not stay as it is, so it was left alone.")
            after = hash_and_copy(copy)
            reverse = binary_patch.make(original, copy)
            restored = Digest()
            binary_patch.apply(copy, reverse, restored)
            check_unchanged(target, status)
            if restored.hexdigest() != before:
                raise TagError("the change could not be undone, so it was left as it is.")
            carry_over(target, status, temporary, mtime_ns)
            os.fsync(copy.fileno())
    return Draft(target, temporary, before, after, reverse, sound, status, held)


@contextmanager
def _held(copy: BinaryIO) -> Iterator[int]:
    """Hold a copy: from here on until its `Draft` is through, or until something fails."""
    handle = hold(copy)
    try:
        yield handle
    except BaseException:
        if handle >= 0:
            os.close(handle)
        raise


def _changed(sound: str, payload: Payload, temporary: Path) -> bool:
    try:
        return payload(temporary) != sound
    except AudioError:  # would name the copy, which nobody has seen
        return True
