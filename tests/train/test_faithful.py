"""The measurement of explanations, on a network whose answer is known."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import tiny_bundle

pytest.importorskip("torch", reason="the laboratory needs torch")

from mgtag_train.data.sources import GTZAN
from mgtag_train.data.tracks import MelTrack, SliceDataset
from mgtag_train.report import faithfulness
from mgtag_train.report.faithfulness_page import BEGIN, END, better, section, sentence
from mgtag_train.report.markdown import write_block
from mgtag_train.report.records import report_folder

from mgtag.arrays import F32
from mgtag.explain import attribution
from mgtag.prediction import Prediction

ROOT = Path(__file__).parents[2]
SPEC = GTZAN.spec
KEY = 17  # the only frame that the network below listens to


class OneFrame:
    """A tagger for which one frame decides; its attention is right or wrong, as asked."""

    def __init__(self, attention: int) -> None:
        self.attention = attention
        self.bundle = SimpleNamespace(id="one-frame", card=SimpleNamespace(mel=SPEC))

    def ask(self, x: F32) -> Prediction:
        level = x[:, :, KEY].mean(axis=1)
        rest = (x.sum(axis=(1, 2)) - x[:, :, KEY].sum(axis=1)) * 1e-6
        first = 1 / (1 + np.exp(-4 * (level + rest)))
        shares = np.zeros((len(x), 10), np.float32)
        shares[:, 0], shares[:, 1] = first, 1 - first
        attention = np.full((len(x), SPEC.n_frames), 0.01, np.float32)
        attention[:, KEY] = 0
        attention[:, self.attention] = 1
        return tiny_bundle.prediction(GTZAN.labels, np.zeros(len(x), np.float32), shares, attention, x[:, 0])


@pytest.fixture(scope="module")
def tracks() -> SliceDataset:
    rng = np.random.default_rng(0)
    mel = rng.integers(0, 120, (12, SPEC.n_mels, 2 * SPEC.n_frames)).astype(np.uint8)
    mel[:, :, KEY :: SPEC.n_frames] = 250
    return SliceDataset([MelTrack(f"blues.{n}", 0, m) for n, m in enumerate(mel)], SPEC)


def measured(tracks: SliceDataset, attention: int, monkeypatch: pytest.MonkeyPatch) -> dict:
    real = attribution.weigher
    monkeypatch.setattr(
        faithfulness,
        "weigher",
        lambda tagger, genre, method: (
            real(tagger, genre, method) if method == "occlusion" else lambda x, before: x.mean(axis=1)
        ),
    )
    return faithfulness.measure(OneFrame(attention), tracks)  # type: ignore[arg-type]


def test_attention_on_the_frame_that_counts_is_faithful(
    tracks: SliceDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = measured(tracks, KEY, monkeypatch)
    assert [better(found, method) for method in attribution.METHODS] == [4, 4, 4]
    for areas in found["areas"].values():
        assert areas["attention"]["deletion"]["from_chance"] < -0.2
        assert areas["chance"]["deletion"]["from_chance"] == 0


def test_attention_elsewhere_is_not(tracks: SliceDataset, monkeypatch: pytest.MonkeyPatch) -> None:
    found = measured(tracks, (KEY + 10) % SPEC.n_frames, monkeypatch)
    assert (better(found, "attention"), better(found, "occlusion")) == (0, 4)
    told = section(found)
    assert "attention in 0." in told and "| chance |" in told
    assert "points off the genre's probability if `occlusion` chooses it" in sentence(found)


def test_averaged_frames_are_the_slices_mean() -> None:
    x = np.random.default_rng(0).standard_normal((2, 4, 5)).astype(np.float32)
    mask = np.zeros((2, 5), bool)
    mask[1, 3] = True
    found = faithfulness.averaged(x, mask)
    np.testing.assert_allclose(found[1, :, 3], x[1].mean(axis=1), atol=1e-6)
    np.testing.assert_array_equal(found[0], x[0])


def test_a_block_is_replaced_and_the_page_kept(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Results\n\nabove\n", encoding="utf-8")
    write_block(page, BEGIN, END, "one\n")
    page.write_text(page.read_text(encoding="utf-8") + "\nbelow\n", encoding="utf-8")
    write_block(page, BEGIN, END, "two\n")
    assert page.read_text(encoding="utf-8") == (
        "# Results\n\nabove\n\n<!-- faithful -->\ntwo\n<!-- /faithful -->\n\nbelow\n"
    )


def test_the_pages_say_what_was_measured_and_the_default_beats_chance() -> None:
    folder = report_folder()
    record = json.loads(folder.faithfulness.read_text(encoding="utf-8"))
    assert section(record) in folder.page.read_text(encoding="utf-8")
    assert sentence(record) in folder.guide.read_text(encoding="utf-8")
    assert better(record, attribution.DEFAULT) >= 3 > better(record, "attention")
