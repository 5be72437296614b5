"""A bundle is believed only when every file is what its card says."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tiny_bundle

from mgtag import bundle, bundle_folders
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
    assert again.card.genre.labels == tiny_bundle.LABELS
    assert set(again.card.files) == {"model.onnx", "weights.safetensors"}


def test_another_card_is_another_bundle(made: Bundle, tmp_path: Path) -> None:
    """Retrained under the same name: the index must hear everything again."""
    other = tiny_bundle.make(tmp_path / "other", threshold=0.7)
    assert other.id.startswith("tiny-1@")
    assert other.id != made.id


@pytest.mark.parametrize("name", ["model.onnx", "weights.safetensors"])
def test_an_altered_file_is_refused(made: Bundle, name: str) -> None:
    data = bytearray((made.folder / name).read_bytes())
    data[len(data) // 2] ^= 1
    (made.folder / name).write_bytes(data)
    with pytest.raises(BundleError, match=f"{name}.*not the file"):
        bundle.load(made.folder)


@pytest.mark.parametrize("name", ["model.onnx", "weights.safetensors"])
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
        lambda c: c.update(format=3),
        lambda c: c.update(format=1),
        lambda c: c.pop("format"),
        lambda c: c["heads"]["genre"]["labels"].append("pop"),
        lambda c: c["heads"]["genre"]["written"].pop("jazz"),
        lambda c: c["files"].pop("model.onnx"),
        lambda c: c.pop("mel"),
        lambda c: c["mel"].update(colour="red"),
        lambda c: c.update(surprise=1),
        lambda c: c.update(files=[]),
        lambda c: c["heads"]["genre"].update(labels=3),
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
    monkeypatch.setattr(bundle_folders, "SHIPPED", tmp_path / "shipped")
    shipped = tiny_bundle.make(tmp_path / "shipped" / "tiny-1")
    assert bundle.find("tiny-1") == shipped
    own = tiny_bundle.make(home / "data" / "mgtag" / "models" / "tiny-1", threshold=0.1)
    assert bundle.find("tiny-1") == own
    assert bundle.folders() == (own.folder, shipped.folder)


def test_an_unknown_name_tells_what_there_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(bundle_folders, "SHIPPED", tmp_path)
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
    assert tiny_bundle.TWO_HEADS.read_bytes() == tiny_bundle.two_heads_graph()


def test_the_shipped_bundle_is_whole(shipped: Bundle) -> None:
    card = shipped.card
    assert card.name == bundle.DEFAULT == shipped.folder.name
    assert len(card.genre.labels) == 16 and card.genre.written["notmusic"] is None
    assert card.heads["mood"].labels == ("happy", "tense", "sad", "calm")
    assert card.genre.threshold is not None and 0 < card.genre.threshold < 1
    assert card.measured


# The card


def head(made: Bundle, **changes: Any) -> None:
    edit(made, lambda card: card["heads"]["genre"].update(changes))


NAN, ENDLESS = float("nan"), float("inf")


@pytest.mark.parametrize(
    "changes",
    [
        *({"temperature": t} for t in (0, -1, NAN, ENDLESS, 1e300, 1e-300, "1", None, True)),
        *({"vote_temperature": t} for t in (0, -0.5, NAN, [])),
        *({"threshold": t} for t in (NAN, -0.1, 1.01, ENDLESS, "0.8", True)),
        *(
            {"labels": labels}
            for labels in ([], ["blues"], [1, 2, 3], ["blues", "jazz", "jazz"], "abc", None)
        ),
        *(
            {"written": {"blues": name, "jazz": "Jazz", "metal": "Metal"}}
            for name in (1, " ", "a\nb", "\0", "jazz")
        ),
        {"written": {"blues": None, "jazz": None, "metal": ""}},
        *({"parents": parents} for parents in ([], {"blues": 1}, None)),
        {"surprise": 1},
    ],
    ids=repr,
)
def test_a_head_that_no_network_has_is_told(made: Bundle, changes: dict[str, Any]) -> None:
    head(made, **changes)
    with pytest.raises(BundleError, match=r"card\.json: this card cannot be used .*install the bundle again"):
        bundle.load(made.folder)


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c.update(heads={}),
        lambda c: c.update(heads={"mood": c["heads"]["genre"]}),
        lambda c: c.update(heads=[1]),
        lambda c: c["heads"].update({"../x": c["heads"]["genre"]}),
        lambda c: c["mel"].update(n_fft=1 << 40),
        lambda c: c["mel"].update(hop=0),
        lambda c: c["mel"].update(n_mels="32"),
        lambda c: c["mel"].update(sample_rate=-22_050),
        lambda c: c["mel"].update(fmin=NAN),
        lambda c: c["mel"].update(fmax=0),
        lambda c: c.update(name=7),
        lambda c: c.update(measured=[]),
    ],
)
def test_a_card_of_impossible_parts_is_told(made: Bundle, change: Callable[[dict[str, Any]], None]) -> None:
    edit(made, change)
    with pytest.raises(BundleError, match=r"card\.json"):
        bundle.load(made.folder)


@pytest.mark.parametrize(
    "name", ["../../dev/zero", "/dev/zero", "sub/model.onnx", "..", ".", "", "a\0b", "card.json"]
)
def test_a_card_names_files_of_its_folder_only(made: Bundle, name: str) -> None:
    edit(made, lambda c: c["files"].update({name: "0" * 64}))
    with pytest.raises(BundleError, match="install the bundle again"):
        bundle.load(made.folder)


def test_a_device_is_no_file_of_a_bundle(made: Bundle) -> None:
    """It would be read for ever."""
    made.graph.unlink()
    made.graph.symlink_to("/dev/zero")
    with pytest.raises(BundleError, match=r"model\.onnx: this is no file"):
        bundle.load(made.folder)


def test_a_file_has_a_largest_size(made: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle, "MOST_BYTES", 20)
    with pytest.raises(BundleError, match="larger than 20 bytes"):
        bundle.load(made.folder)
    monkeypatch.setattr(bundle, "MOST_CARD", 20)
    with pytest.raises(BundleError, match=r"card\.json.*larger than 20 bytes"):
        bundle.load(made.folder)


def test_a_card_of_format_1_is_one_head_of_genres(made: Bundle) -> None:
    def older(card: dict[str, Any]) -> None:
        of = card.pop("heads")["genre"]
        del of["parents"], of["measured"]
        card |= of | {"genres": of.pop("written"), "format": 1}
        card.pop("written", None)

    edit(made, older)
    assert "heads" not in json.loads((made.folder / CARD).read_text())
    again = bundle.load(made.folder).card
    assert again.heads == {"genre": tiny_bundle.HEAD}


def test_what_is_never_written_is_no_name(two_heads: Bundle) -> None:
    genre = bundle.load(two_heads.folder).card.genre
    assert genre.names == ("Blues", "Jazz", "Metal", "not music")
    assert genre.writable == (True, True, True, False)


@pytest.mark.parametrize(
    ("changes", "kept_out"),
    [
        ({"measured": {}}, False),
        ({"measured": {"not_music": {"speech_highest": 0.5, "speech_mean": 0.9}}}, True),
        ({"measured": {"not_music": {"speech_highest": 0.5, "noise_highest": 1.0}}}, False),
        ({"measured": {"not_music": {}}}, False),
        ({"measured": {"not_music": "yes"}}, False),
        ({"threshold": None}, True),
    ],
)
def test_a_card_tells_whether_not_music_is_kept_out(
    changes: dict[str, Any], kept_out: bool, tmp_path: Path
) -> None:
    card = tiny_bundle.make(tmp_path / "m", **changes).card
    assert card.keeps_out_not_music(card.genre.threshold) == kept_out


def test_a_label_that_is_never_written_keeps_it_out(two_heads: Bundle) -> None:
    assert two_heads.card.keeps_out_not_music(0.0)
