"""Tag a file and put it back, as a scan and an undo do."""

from __future__ import annotations

from pathlib import Path

from mgtag import identity, tags


def provenance(*genres: str, field: str = "genre") -> dict[str, tags.Provenance]:
    return {field: tags.Provenance((), genres, "bundle-1", 0.873)}


def write(path: Path, *genres: str, field: str = "genre") -> tags.Draft:
    draft = tags.draft(path, provenance(*genres, field=field), identity.signature)
    draft.commit()
    return draft


def restored(path: Path, draft: tags.Draft, mtime_ns: int = 0) -> bytes:
    """Undo a write, and return what the file is then."""
    undo = tags.draft_undo(path, draft.patch, draft.before, draft.after, identity.signature, mtime_ns)
    undo.commit()
    return path.read_bytes()


def said(path: Path) -> dict[str, tuple[str, ...]]:
    """The fields of which a file says something, and what."""
    return {field: names for field, names in tags.read(path).values.items() if names}
