"""The bar beneath a scan tells how many files are done whenever it is drawn."""

from __future__ import annotations

from io import StringIO

from rich.console import Console, Group

from mgtag.library.events import Found, Fresh
from mgtag.view.scanning import ScanView


def test_the_bar_counts_what_was_shown() -> None:
    view, drawn = ScanView(), StringIO()
    view.show(Found(3, run=1))
    for name in ("a.mp3", "b.mp3"):
        view.show(Fresh(name, "rock", 0.9, ""))
    Console(file=drawn, width=100).print(Group(*view.progress.get_renderables()))
    assert "2/3" in drawn.getvalue()
    assert view.counts == {"fresh": 2}
