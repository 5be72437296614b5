"""Bundles measured as they tag, and the section of RESULTS about music outside GTZAN."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("sklearn")
pytest.importorskip("torchmetrics")

from mgtag_train.learn.run_record import RunRecord
from mgtag_train.report import outside_measure, outside_section, pictures
from mgtag_train.report.records import ReportFolder

from mgtag.bundle import Bundle, find
from mgtag.card import GENRE
from mgtag.errors import UsageError

ROW = {
    "pieces": 3,
    "not_music": 1,
    "genre_accuracy": 0.5,
    "log_loss": 1.25,
    "coverage": 0.3,
    "accepted": 0.9,
    "precision": 0.7,
    "not_music_tagged": 0,
    "calibration_error": 0.08,
    "calibration_error_any_genre": 0.1,
    "mood_accuracy": 0.6,
    "gtzan_track_accuracy": 0.7,
}


@pytest.fixture
def table(tmp_path: Path, song: Callable[..., Path]) -> Path:
    """Noise that is called jazz and noise that is called noise, in test; and one to learn from."""
    folder = tmp_path / "outside"
    for name in "abc":
        song(folder / f"{name}.wav", 6.5)
    (folder / "tracks.csv").write_text(
        "file,split,genre,mood,artist,source,note\n"
        "a.wav,test,jazz,,A,x,\nb.wav,test,none,,,y,\nc.wav,train,jazz,,C,x,\n"
    )
    return folder


def test_a_bundle_is_measured_on_the_test_pieces_alone(table: Path, tmp_path: Path) -> None:
    (written,) = outside_measure.write(
        ["gtzan-parallel-1"], table, ReportFolder(tmp_path / "report"), lambda name, done, of: None
    )
    found = json.loads(written.read_text())
    assert found["model"] == find("gtzan-parallel-1").id
    assert (found["figures"]["pieces"], found["figures"]["not_music"]) == (1, 1)
    assert list(found["by_source"]) == ["x"]


def test_a_genre_that_the_table_lacks_is_named(table: Path, shipped: Bundle) -> None:
    head = shipped.card.heads[GENRE]
    labels = ("polka", *head.labels[1:])
    heads = {GENRE: replace(head, labels=labels, written={}, parents={})}
    polka = replace(shipped, card=replace(shipped.card, heads=heads))
    with pytest.raises(UsageError, match="no genre 'polka'"):
        outside_measure.measure(polka, table, "test")


TABLES: dict[str, Any] = {
    "by_genre": {"jazz": {"pieces": 3, "right": 2, "tagged": 1, "accepted": 1}},
    "by_source": {"x": {"pieces": 3, "right": 2, "tagged": 1, "accepted": 1}},
    "confusion": {"jazz": {"jazz": 2, "rock": 1}, "spoken": {"notmusic": 1}, "world": {"folk": 1}},
    "reliability": {"confidence": [0.6], "accuracy": [0.5], "size": [3]},
}


def test_its_pictures_are_drawn(tmp_path: Path) -> None:
    drawn = pictures.write({}, {}, TABLES, tmp_path)
    assert [path.name for path in drawn] == ["reliability-outside.png", "confusion-outside.png"]


def test_the_section_has_every_seed_bundle_and_step() -> None:
    figures = {"valid": [ROW, ROW], "test": [ROW, ROW | {"genre_accuracy": 0.54}], "tables": TABLES}
    bundles = [{"model": "a@1", "figures": ROW}, {"model": "b@2", "figures": ROW | {"genre_accuracy": 0.4}}]
    history = [{"track_accuracy": 0.44, "log_loss": 1.5}, {"track_accuracy": 0.48, "log_loss": 1.4}]
    run = RunRecord(
        name="wide-0",
        seed=0,
        config={},
        data={},
        commit="",
        versions={},
        history=history,
        best_epoch=2,
        seconds=1.0,
    )
    networks = {name: outside_section.Measured(figures, [run]) for name in outside_section.NAMES}
    page = "\n".join(outside_section.section(networks, bundles))
    assert "| fifteen genres, best answer right | 0.500 | 0.500 | 0.500 | 0.540 |" in page
    assert page.index("b@2") < page.index("a@1")
    assert "| wide-parallel-2 after epoch 2 | 0.480 | 1.400 |" in page
    assert "| wide-parallel-1, 2 seeds | 0.520 ± 0.028 |" in page
