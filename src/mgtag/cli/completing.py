"""Names that the shell completes. Nothing heavy is imported, nothing written, and no mistake told."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import typer

from mgtag.cli.app import settings_of
from mgtag.errors import MgtagError

Names = list[tuple[str, str]]  # name, and what it is


def models(incomplete: str) -> Names:
    """Complete a model at hand; a path is left to the shell."""
    from mgtag.bundle_folders import folders

    return beginning(incomplete, ((folder.name, "") for folder in folders()))


def genres(ctx: typer.Context, incomplete: str) -> Names:
    """Complete a genre: of the files that were scanned, or that a model hears."""
    from mgtag.library.opening import glance

    index = _index(ctx)
    found = {str(row["genre"]): f"{row['tracks']:,} files" for row in glance(index, "by_genre")}
    for genre in _heard():
        found.setdefault(genre, "")
    return beginning(incomplete, found.items())


def runs(ctx: typer.Context, incomplete: str) -> Names:
    """Complete a run that changed a file, the latest first."""
    from mgtag.library.opening import glance

    return beginning(
        incomplete,
        (
            (str(row["id"]), f"{row['started'][:16].replace('T', ' ')}, {row['changed']:,} files")
            for row in glance(_index(ctx), "runs")
            if row["changed"]
        ),
    )


def beginning(incomplete: str, names: Iterable[tuple[str, str]]) -> Names:
    """Return the names that begin so, spelt as they were begun: typer tells A from a."""
    n, begun = len(incomplete), incomplete.casefold()
    fitting = ((name, told) for name, told in names if name.casefold().startswith(begun))
    return [(_quoted(incomplete + name[n:]), told) for name, told in fitting if name.isprintable()]


def _heard() -> Iterator[str]:
    from mgtag.bundle_folders import CARD, folders

    for folder in folders():
        try:
            card = json.loads((folder / CARD).read_bytes())
            yield from sorted(filter(None, card["heads"]["genre"]["written"].values()))
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            continue


def _index(ctx: typer.Context) -> Path:
    from mgtag.library.opening import default_path

    try:
        set_to = settings_of(ctx.find_root().command).get(ctx.info_name or "", {}).get("index")
    except MgtagError:
        set_to = None
    return Path(ctx.params.get("index") or set_to or default_path()).expanduser()


def _quoted(name: str) -> str:
    """Return a name as bash needs it, which puts an answer on the line as it is; the others quote it."""
    if os.environ.get("_MGTAG_COMPLETE") != "complete_bash":
        return name
    return "".join(c if c.isalnum() or c in "-_.+@%/" else f"\\{c}" for c in name)
