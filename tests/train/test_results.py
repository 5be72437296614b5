"""RESULTS.md says what the run records say, and nothing else."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("sklearn")
pytest.importorskip("torchmetrics")

from mgtag_train.lab.experiments import EXPERIMENTS
from mgtag_train.report import paper_tables, pictures, results


def test_the_page_is_what_the_records_give() -> None:
    assert results.PAGE.read_text(encoding="utf-8") == results.page(
        results.read(), paper_tables.read_analyses()
    )


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


def test_what_nobody_has_run_shows_the_claim_alone() -> None:
    rows = results.table([EXPERIMENTS["homburg-cnn"], EXPERIMENTS["best-plain"]], {})[2:]
    assert [row.split("|")[2].strip(" *") for row in rows] == [
        "the same on the Garageband set",
        "the report, Table III: Garageband, five genres, slices at random 80/20, best of several trials",
        "not measured",
    ]


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
    lines = paper_tables.search(found | {"trials": [*trials, given_up]})
    assert "9 of the 9 points" in " ".join(lines)
    assert "1 were given up" in " ".join(lines)
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines if line.startswith("| ")][2:]
    assert [row[0] for row in rows] == ["1", "2", "3", "4", "5", "8"]
    assert [row[-2] for row in rows] == ["1.000", "1.100", "1.200", "1.300", "1.400", "1.700"]
    few = paper_tables.search(found | {"trials": trials[:2]})
    assert sum(line.startswith(("| 1", "| 2")) for line in few) == 2


def test_what_was_searched_is_what_was_found() -> None:
    best = paper_tables.read_analyses()["search-tokens"]["trials"][0]
    config = EXPERIMENTS["tokens-searched"].config
    used = {**vars(config), **config.arguments}
    assert {key: used[key] for key in EXPERIMENTS["tokens"].grid} == {
        key: best[key] for key in EXPERIMENTS["tokens"].grid
    }


def run(valid: float | None, slices: float, tracks: float, seconds: float = 60) -> dict[str, Any]:
    measured = {"test": {"slices": {"accuracy": slices}, "tracks": {"accuracy": tracks}}}
    if valid is not None:
        measured["valid"] = {"tracks": {"accuracy": valid}}
    return {"measured": measured, "seconds": seconds, "history": [{}] * 10}


def test_steps_tell_what_each_brought_and_what_was_learned_is_not_called_chosen() -> None:
    records = {
        "best-plain": {"filtered": [run(0.5, 0.4, 0.5)]},
        "best-augmented": {"filtered": [run(0.6, 0.5, 0.6), run(0.7, 0.6, 0.7)]},
        "best-whole": {"filtered": [run(None, 0.6, 0.75)]},
    }
    rows = [line.split(" | ") for line in paper_tables.steps(records) if line.startswith("| `")]
    assert [row[:3] for row in rows] == [
        ["| `best-plain`", "", ""],
        ["| `best-augmented`", "`best-plain`", "+0.150"],
        ["| `best-whole`", "", ""],  # what it is a step from was not measured
    ]
    assert [row[4] for row in rows] == ["0.500", "0.650", "learned"]
    assert paper_tables.steps({"best-plain": records["best-plain"]}) == []


def test_frames_tell_what_coarse_ones_cost() -> None:
    records = {
        "hop-1708": {"filtered": [run(0, 0, 0.75), run(0, 0, 0.77)]},
        "hop-512": {"filtered": [run(0, 0, 0.77, 180), run(0, 0, 0.79, 180)]},
    }
    told = " ".join(paper_tables.frames(records))
    assert "by +0.020 (deviations over the seeds 0.014 and 0.014); an epoch takes 3.0 times" in told
    assert paper_tables.frames({"hop-512": records["hop-512"]}) == []


def test_f1_of_genres_stands_beside_the_report_and_is_of_the_honest_split() -> None:
    def by_genre(**f1: float) -> dict[str, Any]:
        return {"labels": list(f1), "by_genre": {genre: {"f1-score": value} for genre, value in f1.items()}}

    records = {
        "queens-cnn": {"filtered": [by_genre(rock=0.1)]},
        "lyrics-han": {"artists": [by_genre(rock=0.5, metal=0.4), by_genre(rock=0.6, metal=0.5)]},
        "lyrics-cnn": {
            "tracks": [by_genre(rock=0.9)],
            "filtered": [by_genre(rock=0.3, disco=0.2)],
        },
    }
    table = [line for line in paper_tables.lyrics(records) if line.startswith("| ")]
    assert table[0] == "| genre | Table 2 | `lyrics-han` | `lyrics-cnn` |"
    assert table[2:] == ["| rock | 0.77 | 0.55 | 0.30 |", "| metal |  | 0.45 |  |", "| disco |  |  | 0.20 |"]
    assert paper_tables.lyrics({"queens-cnn": records["queens-cnn"]}) == []
