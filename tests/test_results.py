"""RESULTS.md says what the run records say, and nothing else."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("sklearn")
pytest.importorskip("torchmetrics")

from mgtag_train import pictures, results, sections
from mgtag_train.experiments import EXPERIMENTS


def test_the_page_is_what_the_records_give() -> None:
    assert results.PAGE.read_text(encoding="utf-8") == results.page(results.read(), sections.read_analyses())


def test_every_record_is_of_a_run_of_the_table() -> None:
    for path in results.RECORDS.glob("*/*-*.json"):
        if path.parent.name in ("superseded", "analysis"):
            continue
        record = json.loads(path.read_text())
        experiment = EXPERIMENTS[path.parent.name]
        assert record["name"] == f"{experiment.name}/{path.stem}"
        assert record["protocol"] in experiment.protocols
        assert record["labels"] == list(experiment.labels)
        assert not record["commit"].endswith("+"), f"{path.name}: made by code that was not committed"


def test_a_changed_figure_changes_the_page(tmp_path: Path) -> None:
    shutil.copytree(results.RECORDS, tmp_path / "records")
    before = results.page(results.read(tmp_path / "records"), {})
    path = tmp_path / "records" / "queens-cnn" / "leaking-0.json"
    record = json.loads(path.read_text())
    record["measured"]["test"]["slices"]["accuracy"] = 0.123
    path.write_text(json.dumps(record))
    after = results.page(results.read(tmp_path / "records"), {})
    changed = [line for line in after.splitlines() if line not in before.splitlines()]
    assert len(changed) == 1
    assert "leaking" in changed[0]


def test_finished_runs_are_taken_over_and_others_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, out = tmp_path / "records", tmp_path / "runs"
    shutil.copytree(results.RECORDS, kept)
    monkeypatch.setattr(results, "RECORDS", kept)
    monkeypatch.setattr(results, "PAGE", tmp_path / "RESULTS.md")
    monkeypatch.setattr(pictures, "PICTURES", tmp_path / "pictures")
    for name in ("queens-cnn", "something-else"):
        (out / name / "leaking-7").mkdir(parents=True)
        shutil.copyfile(kept / "queens-cnn" / "leaking-0.json", out / name / "leaking-7" / "record.json")
    (out / "queens-cnn" / "leaking-8").mkdir()
    results.write(out)
    assert (kept / "queens-cnn" / "leaking-7.json").is_file()
    assert not (kept / "queens-cnn" / "leaking-8.json").exists()
    assert not (kept / "something-else").exists()
    row = next(
        line for line in (tmp_path / "RESULTS.md").read_text().splitlines() if "leaking | slices" in line
    )
    assert row.split("|")[-3].strip() == "4"  # seeds


def test_a_search_is_shown_best_first_with_its_middle_and_its_worst() -> None:
    grid = {"learning_rate": [0.001, 0.002, 0.004], "batch": [8, 16, 32]}
    trials = [
        {"log_loss": 1 + n / 10, "track_accuracy": 0.5, "learning_rate": n, "batch": 8, "state": "COMPLETE"}
        for n in range(8)
    ]
    given_up = {**trials[0], "state": "PRUNED", "log_loss": 0.1}
    found = {"experiment": "tokens", "protocol": "filtered", "grid": grid, "pruned": 1}
    lines = sections.search(found | {"trials": [*trials, given_up]})
    assert "9 of the 9 points" in " ".join(lines)
    assert "1 were given up" in " ".join(lines)
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines if line.startswith("| ")][2:]
    assert [row[0] for row in rows] == ["1", "2", "3", "4", "5", "8"]
    assert [row[-2] for row in rows] == ["1.000", "1.100", "1.200", "1.300", "1.400", "1.700"]
    few = sections.search(found | {"trials": trials[:2]})
    assert sum(line.startswith(("| 1", "| 2")) for line in few) == 2
