"""RESULTS.md says what the run records say, and nothing else."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import lab_records
import pytest

pytest.importorskip("torch")
pytest.importorskip("sklearn")
pytest.importorskip("torchmetrics")

from mgtag_train.lab.experiments import EXPERIMENTS
from mgtag_train.lab.kinds import NetworkExperiment
from mgtag_train.learn.run_record import RunRecord
from mgtag_train.report import own_tables, paper_tables, records, results
from mgtag_train.report.records import ReportFolder, report_folder

from mgtag.errors import UsageError

FOLDER = report_folder()


@pytest.fixture
def copied(tmp_path: Path) -> ReportFolder:
    """A folder with the records that are kept with the code."""
    shutil.copytree(FOLDER.records, tmp_path / "records")
    return ReportFolder(tmp_path)


def test_the_page_is_what_the_records_give() -> None:
    assert FOLDER.page.read_text(encoding="utf-8") == results.page(FOLDER)


def test_every_record_is_of_a_run_of_the_table() -> None:
    for path in FOLDER.records.glob("*/*-*.json"):
        if path.parent.name in ("superseded", "analysis", "outside"):
            continue
        record, experiment = RunRecord.read(path), EXPERIMENTS[path.parent.name]
        assert record.name == f"{experiment.name}/{path.stem}"
        assert record.split in experiment.splits
        assert record.labels == experiment.task.labels
        assert not record.commit.endswith("+"), f"{path.name}: made by code that was not committed"


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    record = RunRecord.read(FOLDER.records / "kth-attention" / "filtered-0.json")
    assert (record.split, record.config["architecture"]) == ("filtered", "kth-attention")
    record.write(tmp_path / "record.json")
    assert RunRecord.read(tmp_path / "record.json") == record
    assert not {"protocol", "recipe"} & set(json.loads((tmp_path / "record.json").read_text()))
    assert record.valence["test"].tracks.accuracy > 1 / 3


def test_a_changed_figure_changes_the_page(copied: ReportFolder) -> None:
    before = results.page(copied)
    path = copied.records / "queens-cnn" / "leaking-0.json"
    record = json.loads(path.read_text())
    record["measured"]["test"]["slices"]["accuracy"] = 0.123
    path.write_text(json.dumps(record))
    after = results.page(copied)
    changed = [line for line in after.splitlines() if line not in before.splitlines()]
    assert [line.split("|")[1:3] for line in changed] == [
        [" `queens-cnn` ", " Queen's "],
        ["  ", " leaking "],
    ]
    assert all("0.625 ± 0.435" in line for line in changed)


def test_an_installed_package_is_never_written_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert report_folder(tmp_path).page == tmp_path / "RESULTS.md"
    monkeypatch.setattr(records, "HERE", tmp_path / "site-packages")
    with pytest.raises(UsageError, match="--to DIR"):
        report_folder()


def test_what_nobody_has_run_shows_the_papers_figures_alone() -> None:
    rows = results.table([EXPERIMENTS["homburg-cnn"], EXPERIMENTS["best-plain"]], {})[2:]
    assert [row.split("|")[2].strip(" *") for row in rows] == [
        "the same on the Garageband set",
        "the paper, Table III: Garageband, five genres, slices at random 80/20, best of several trials",
        "not measured",
    ]


def test_finished_runs_are_copied_and_others_left(copied: ReportFolder, tmp_path: Path) -> None:
    out = tmp_path / "runs"
    for name in ("queens-cnn", "something-else"):
        (out / name / "leaking-7").mkdir(parents=True)
        kept = copied.records / "queens-cnn" / "leaking-0.json"
        shutil.copyfile(kept, out / name / "leaking-7" / "record.json")
    (out / "queens-cnn" / "leaking-8").mkdir()
    results.write(out, copied)
    assert (copied.records / "queens-cnn" / "leaking-7.json").is_file()
    assert not (copied.records / "queens-cnn" / "leaking-8.json").exists()
    assert not (copied.records / "something-else").exists()
    row = next(line for line in copied.page.read_text().splitlines() if "leaking | slices" in line)
    assert row.split("|")[-3].strip() == "4"  # seeds


def test_a_search_is_shown_best_first_with_its_middle_and_its_worst() -> None:
    grid = {"learning_rate": [0.001, 0.002, 0.004], "batch": [8, 16, 32]}
    trials = [
        {"log_loss": 1 + n / 10, "track_accuracy": 0.5, "learning_rate": n, "batch": 8, "state": "COMPLETE"}
        for n in range(8)
    ]
    given_up = {**trials[0], "state": "PRUNED", "log_loss": 0.1}
    found = {"experiment": "tokens", "split": "filtered", "grid": grid, "pruned": 1}
    lines = own_tables.search(found | {"trials": [*trials, given_up]})
    assert "9 of the 9 points" in " ".join(lines)
    assert "1 were pruned" in " ".join(lines)
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines if line.startswith("| ")][2:]
    assert [row[0] for row in rows] == ["1", "2", "3", "4", "5", "8"]
    assert [row[-2] for row in rows] == ["1.000", "1.100", "1.200", "1.300", "1.400", "1.700"]
    few = own_tables.search(found | {"trials": trials[:2]})
    assert sum(line.startswith(("| 1", "| 2")) for line in few) == 2


def test_what_was_searched_is_what_was_found() -> None:
    best = FOLDER.read_analyses()["search-tokens"]["trials"][0]
    searched, tokens = EXPERIMENTS["tokens-searched"], EXPERIMENTS["tokens"]
    assert isinstance(searched, NetworkExperiment) and isinstance(tokens, NetworkExperiment)
    config = searched.config
    used = {**vars(config), **config.arguments}
    assert {key: used[key] for key in tokens.grid} == {key: best[key] for key in tokens.grid}


def run(valid: float | None, slices: float, tracks: float, seconds: float = 60) -> RunRecord:
    measured = {"test": lab_records.figures(slices, tracks)}
    if valid is not None:
        measured["valid"] = lab_records.figures(valid, valid)
    return replace(lab_records.record(), measured=measured, seconds=seconds, history=[{}] * 10)


def test_steps_tell_what_each_brought_and_what_was_learned_is_not_called_chosen() -> None:
    records = {
        "best-plain": {"filtered": [run(0.5, 0.4, 0.5)]},
        "best-augmented": {"filtered": [run(0.6, 0.5, 0.6), run(0.7, 0.6, 0.7)]},
        "best-whole": {"filtered": [run(None, 0.6, 0.75)]},
    }
    rows = [line.split(" | ") for line in own_tables.steps(records) if line.startswith("| `")]
    assert [row[:3] for row in rows] == [
        ["| `best-plain`", "", ""],
        ["| `best-augmented`", "`best-plain`", "+0.150"],
        ["| `best-whole`", "", ""],  # what it is a step from was not measured
    ]
    assert [row[4] for row in rows] == ["0.500", "0.650", "trained on"]
    assert own_tables.steps({"best-plain": records["best-plain"]}) == []


def test_frames_tell_what_coarse_ones_cost() -> None:
    records = {
        "hop-1708": {"filtered": [run(0, 0, 0.75), run(0, 0, 0.77)]},
        "hop-512": {"filtered": [run(0, 0, 0.77, 180), run(0, 0, 0.79, 180)]},
    }
    told = " ".join(own_tables.frames(records))
    assert "by +0.020 (deviations over the seeds 0.014 and 0.014); an epoch takes 3.0 times" in told
    assert own_tables.frames({"hop-512": records["hop-512"]}) == []


def test_f1_of_genres_stands_beside_the_papers_and_is_of_the_honest_split() -> None:
    def by_genre(**f1: float) -> RunRecord:
        scores = {genre: {"f1-score": value} for genre, value in f1.items()}
        return replace(lab_records.record(tuple(f1)), by_genre=scores)

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
