"""Markdown tables, and blocks of a page between two marks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


def table(head: Sequence[str], rows: Sequence[Sequence[str]], left: int | None = None) -> list[str]:
    """Return the lines of a table; if `left` is given, the columns behind so many are aligned right."""
    rule = ["---" if left is None or column < left else "---:" for column in range(len(head))]
    return [f"| {' | '.join(row)} |" for row in (head, rule, *rows)]


def write_block(page: Path, begin: str, end: str, text: str) -> None:
    """Put a text between a page's two marks; at its end, where it has none."""
    old = page.read_text(encoding="utf-8") if page.exists() else "# Results\n"
    if begin not in old:
        old = f"{old.rstrip()}\n\n{begin}{end}\n"
    head, _, rest = old.partition(begin)
    _, _, tail = rest.partition(end)
    page.write_text(head + begin + text + end + tail, encoding="utf-8")
