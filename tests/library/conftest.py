"""A folder of music, and a scan of it within this process."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from doubles import FakeTagger, Inline
from scanning import Go

from mgtag.library.events import Event, Found
from mgtag.library.index import Index
from mgtag.library.policy import Policy
from mgtag.library.scan import scan


@pytest.fixture
def music(tmp_path: Path) -> Path:
    (tmp_path / "music").mkdir()
    return tmp_path / "music"


@pytest.fixture
def go(music: Path, tagger: FakeTagger, index: Index) -> Go:
    """``go(roots, **policy)``: scan the music, or other roots; the events by file name."""

    def run(roots: Iterable[Path] = (), **policy: Any) -> dict[str, Event]:
        tagger.asked.clear()
        first, *events = scan(roots or [music], tagger, index, Policy(**policy), Inline())
        assert isinstance(first, Found)
        assert first.count == len(events)
        assert len({event.path for event in events}) == len(events)
        return {event.path.name: event for event in events}

    return run
