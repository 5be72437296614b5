"""Which folders are too much to be meant."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from mgtag.errors import UsageError
from mgtag.library.policy import Policy


def check_roots(roots: Iterable[Path], policy: Policy) -> None:
    """Raise `UsageError` where a scan would write all over the disk or the home folder."""
    home = Path.home().resolve()
    for root in roots if policy.write and not policy.dry_run else ():
        if home.is_relative_to(root.resolve()):
            raise UsageError(
                f"{root}: this holds your whole home folder, and mgtag would write to every song in it. Name "
                "the music folder; or look first with --dry-run, then add --yes."
            )
