"""Files of the pages that mgtag writes."""

from __future__ import annotations

from importlib.resources import files


def asset(name: str) -> str:
    """Return a page's part: markup, style or script."""
    return files("mgtag.view").joinpath(name).read_text(encoding="utf-8")
