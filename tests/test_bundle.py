"""A bundle is believed only when every file is what its card says."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tiny_bundle

from mgtag import bundle
from mgtag.bundle import CARD, Bundle
from mgtag.errors import BundleError


@pytest.fixture
def made(tmp_path: Path) -> Bundle:
    return tiny_bundle.make(tmp_path / "tiny-1")


def edit(made: Bundle, change: Callable[[dict[str, Any]], None]) -> None:
    card = json.loads((made.folder / CARD).read_text())
    change(card)
    (made.folder / CARD).write_text(json.dumps(card))


def test_a_card_comes_back_as_it_was_written(made: Bundle) -> None:
    again = bundle.load(made.folder)
    assert again == made
    assert again.card.mel == tiny_bundle.MEL
    assert again.card.labels == tiny_bundle.LABELS
    assert set(again.card.files) == {"model.onnx", "weights.pt"}


def test_another_card_is_another_bundle(made: Bundle, tmp_path: Path) -> None:
    """Retrained under the same name: the index must hear everything again."""
    other = tiny_bundle.make(tmp_path / "other", threshold=0.7)
    assert other.id.startswith("tiny-1@")
    assert other.id != made.id


@pytest.mark.parametrize("name", ["model.onnx", "weights.pt"])
def test_an_altered_file_is_refused(made: Bundle, name: str) -> None:
    data = bytearray((made.folder / name).read_bytes())
    data[len(data) // 2] ^= 1
    (made.folder / name).write_bytes(data)
    with pytest.raises(BundleError, match=f"{name}.*not the file"):
        bundle.load(made.folder)


@pytest.mark.parametrize("name", ["model.onnx", "weights.pt"])
def test_a_missing_file_is_told(made: Bundle, name: str) -> None:
    (made.folder / name).unlink()
    with pytest.raises(BundleError, match=f"{name}.*missing"):
        bundle.load(made.folder)


def test_no_card_is_no_bundle(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="no model bundle"):
        bundle.load(tmp_path)


@pytest.mark.parametrize(
    "text", [b"", b"{", b"[]", b"null", b'"x"', b"{}", b"\xff\xfe", b"[" * 100_000], ids=repr
)
def test_a_card_that_is_none_is_told(made: Bundle, text: bytes) -> None:
    (made.folder / CARD).write_bytes(text)
    with pytest.raises(BundleError, match=r"card\.json"):
        bundle.load(made.folder)


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c.update(format=2),
        lambda c: c.pop("format"),
        lambda c: c["labels"].append("pop"),
        lambda c: c["genres"].pop("jazz"),
        lambda c: c["files"].pop("weights.pt"),
        lambda c: c.pop("mel"),
        lambda c: c["mel"].update(colour="red"),
        lambda c: c.update(surprise=1),
        lambda c: c.update(files=[]),
        lambda c: c.update(labels=3),
    ],
)
def test_a_card_that_does_not_add_up_is_told(made: Bundle, change: Callable[[dict[str, Any]], None]) -> None:
    edit(made, change)
    with pytest.raises(BundleError, match="install the bundle again"):
        bundle.load(made.folder)


@pytest.mark.parametrize("name", ["../../secret", "/etc/passwd", "sub/../../x"])
def test_a_card_reaches_for_no_file_outside(made: Bundle, name: str) -> None:
    edit(made, lambda c: c["files"].update({name: "0" * 64}))
    with pytest.raises(BundleError):
        bundle.load(made.folder)


def test_a_bundle_is_found_by_its_folder(made: Bundle) -> None:
    assert bundle.find(str(made.folder)) == made


def test_the_users_own_bundle_is_found_by_name_before_the_shipped_one(
    home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(bundle, "SHIPPED", tmp_path / "shipped")
    shipped = tiny_bundle.make(tmp_path / "shipped" / "tiny-1")
    assert bundle.find("tiny-1") == shipped
    own = tiny_bundle.make(home / "data" / "mgtag" / "models" / "tiny-1", threshold=0.1)
    assert bundle.find("tiny-1") == own
    assert bundle.folders() == (own.folder, shipped.folder)


def test_an_unknown_name_tells_what_there_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(bundle, "SHIPPED", tmp_path)
    with pytest.raises(BundleError, match="at hand: none"):
        bundle.find("no-such-model")
    tiny_bundle.make(tmp_path / "tiny-1")
    with pytest.raises(BundleError, match="at hand: tiny-1"):
        bundle.find("no-such-model")


@pytest.mark.parametrize("name", ["", ".", "..", "a\0b", "x" * 5000], ids=lambda name: name[:3])
def test_a_strange_name_is_a_bundle_error(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BundleError):
        bundle.find(name)


def test_the_committed_graph_is_what_its_generator_writes() -> None:
    pytest.importorskip("onnx")
    assert tiny_bundle.GRAPH.read_bytes() == tiny_bundle.graph()


def test_the_shipped_bundle_is_whole(shipped: Bundle) -> None:
    card = shipped.card
    assert card.name == bundle.DEFAULT == shipped.folder.name
    assert len(card.labels) == 10
    assert 0 < card.threshold < 1
    assert card.measured
