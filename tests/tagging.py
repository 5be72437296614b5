"""Tag a file and put it back, as a scan and an undo do."""

from __future__ import annotations

from pathlib import Path

from mgtag import identity, tags


def provenance(*genres: str, field: str = "genre") -> dict[str, tags.Provenance]:
    return {field: tags.Provenance((), genres, "bundle-1", 0.873)}


def write_all(path: Path, new: dict[str, tags.Provenance]) -> tags.Draft:
    draft = tags.draft(path, new, identity.signature)
    draft.commit()
    return draft


def write(path: Path, *genres: str, field: str = "genre") -> tags.Draft:
    return write_all(path, provenance(*genres, field=field))


def restored(path: Path, draft: tags.Draft, mtime_ns: int = 0) -> bytes:
    """Undo a write, and return what the file is then."""
    undo = tags.draft_undo(path, draft.patch, draft.before, draft.after, identity.signature, mtime_ns)
    undo.commit()
    return path.read_bytes()


def said(path: Path) -> dict[str, tuple[str, ...]]:
    """The fields of which a file says something, and what."""
    return {field: names for field, names in tags.read(path).values.items() if names}


def genres(path: Path) -> tuple[str, ...]:
    """The genres that a file's tags say."""
    return tags.read(path).genres


def is_alone(path: Path) -> bool:
    """Whether no other file, such as a leftover copy, is beside this one."""
    return [child.name for child in path.parent.iterdir()] == [path.name]
