"""Copies that a killed run left behind: the next scan and the next undo remove them, and only them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from doubles import FakeTagger, Inline
from sounds import Song
from tagging import provenance

from mgtag import identity, tags
from mgtag.errors import UsageError
from mgtag.library.index import Index
from mgtag.library.policy import Policy
from mgtag.library.scan import scan
from mgtag.library.undo import undo


@pytest.fixture
def songs(tmp_path: Path, song: Song) -> list[Path]:
    return [song(tmp_path / "music" / folder / "a.flac") for folder in "ab"]


@pytest.fixture
def at_work(songs: list[Path]) -> Iterator[tags.Draft]:
    """Another mgtag, between its copy and the rename."""
    draft = tags.draft(songs[0], provenance("Rock"), identity.signature)
    yield draft
    draft.discard()


class KilledError(BaseException):
    pass


def run(songs: list[Path], tagger: FakeTagger, index: Index, **policy: bool) -> None:
    list(scan(songs, tagger, index, Policy(**policy), Inline()))


@pytest.fixture
def left(songs: list[Path], tagger: FakeTagger, index: Index, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stop a scan at its first song, before anything is in the journal, as `kill -9` does."""
    left = []

    def die(draft: tags.Draft) -> None:
        os.close(draft._held)
        left.append(draft.temporary)

    def begin(*_: object) -> int:
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(Index, "begin_change", begin)
        patch.setattr(tags.Draft, "discard", die)
        with pytest.raises(KilledError):
            run(songs, tagger, index)
    return left[0]


def test_undo_removes_it(left: Path, index: Index) -> None:
    assert left.exists()
    with pytest.raises(UsageError, match="nothing to undo"):
        list(undo(index))
    assert not left.exists()


def test_a_dry_run_deletes_nothing(left: Path, songs: list[Path], tagger: FakeTagger, index: Index) -> None:
    list(scan([songs[0].parents[1]], tagger, index, Policy(dry_run=True), Inline()))
    assert left.exists()
    run(songs[1:], tagger, index)
    assert not left.exists()


def test_a_copy_of_an_mgtag_at_work_stays(
    songs: list[Path], at_work: tags.Draft, tagger: FakeTagger, index: Index
) -> None:
    run(songs[1:], tagger, index)
    index.begin_copies(songs[0].parent)
    list(undo(index))
    assert not tags.discard_leftover(at_work.temporary)
    at_work.commit()
    assert tags.read(songs[0]).genres == ("Rock",)
