"""Analyses of trained networks, on places, weights and records whose results are known."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import lab_records
import numpy as np
import pytest
from lab_records import LABELS
from mgtag_train.lab.tasks import Inputs
from mgtag_train.lab.trained import load_trained
from mgtag_train.report import (
    analysis,
    class_statistics,
    paper_figures,
    paper_statements,
    paper_tables,
    pictures,
    tokens_section,
)
from mgtag_train.report.channel_selectivity import preferences
from mgtag_train.report.tokens_analysis import moods

from mgtag.errors import UsageError
from mgtag.models.kth import GTZAN_MOODS

UNIFORM = np.full((10, 20), 1 / 20)


def spread() -> np.ndarray:
    """Genres far apart, none near another."""
    return np.random.default_rng(3).standard_normal((10, 3)) * 5


def placed(**where: tuple[float, float, float]) -> np.ndarray:
    places = spread() + 100
    for name, place in where.items():
        places[LABELS.index(name)] = place
    return places


def peaked(**steps: tuple[int, ...]) -> np.ndarray:
    weights = UNIFORM.copy()
    for name, at in steps.items():
        weights[LABELS.index(name), list(at)] += 0.1
    return weights / weights.sum(axis=1, keepdims=True)


def test_nearest_genres_of_points_on_a_line() -> None:
    places = np.array([[0.0], [1.0], [3.0], [7.0]])
    assert class_statistics.nearest(places, "abcd") == {
        "a": ["b", "c"],
        "b": ["a", "c"],
        "c": ["b", "a"],
        "d": ["c", "b"],
    }
    assert class_statistics.farthest(places, "abcd")[0] == "d"
    assert class_statistics.closeness(places, "abcd", "ab") == {"rank": 1, "of": 6}
    assert class_statistics.closeness(places, "abcd", "ad") == {"rank": 6, "of": 6}


def test_the_means_are_each_labels_own() -> None:
    points = np.array([[0.0, 0.0], [2.0, 4.0], [5.0, 5.0]])
    assert class_statistics.means(points, np.array([1, 1, 0]), 2).tolist() == [[5.0, 5.0], [1.0, 2.0]]


def test_the_same_lists_agree_wholly_and_not_by_accident() -> None:
    found = class_statistics.agreement(paper_figures.NEAREST, paper_figures.NEAREST)
    assert found["shared"] == found["of"] == 20
    assert found["chance"] == pytest.approx(40 / 9, abs=0.2)
    assert found["p"] < 0.001


def test_a_parallelogram_is_an_equation() -> None:
    first, second, third, fourth = paper_figures.EQUATIONS[0]
    corners = {
        first: (2.0, 0.0, 0.0),
        second: (0.0, 0.0, 0.0),
        third: (0.0, 1.0, 0.0),
        fourth: (2.0, 1.0, 0.0),
    }
    places = placed(**corners)
    found = class_statistics.equation(places, LABELS, paper_figures.EQUATIONS[0])
    assert (found["answer"], found["rank"], found["of"]) == (fourth, 1, 7)
    assert found["residual"] == pytest.approx(0, abs=1e-9)
    assert found["fit"] == 0
    best = class_statistics.equations(places, LABELS, 3)
    assert {*best[0]["terms"][::2]} == {first, third}
    assert best[0]["residual"] < 1e-9 < best[1]["residual"]


def test_the_steps_of_most_attention_come_in_the_order_of_time() -> None:
    weights = np.array([0.1, 0.3, 0.05, 0.25, 0.2, 0.1])
    assert class_statistics.attention_steps(weights) == [1, 3, 4]
    assert class_statistics.centre(np.array([0.0, 0.0, 1.0])) == 2.0
    assert class_statistics.centre(np.full(20, 1 / 20)) == pytest.approx(9.5)


def test_attention_that_follows_the_step_is_told_from_chance() -> None:
    g = np.random.default_rng(0)
    noise = g.dirichlet(np.full(20, 5.0), 40)
    assert class_statistics.against_uniform(noise)["p"] > 0.01
    led = noise + 0.05 * (np.arange(20) == 7)
    found = class_statistics.against_uniform(led / led.sum(axis=1, keepdims=True))
    assert found["p"] < 0.001
    assert found["clear"] >= 1


def test_genres_that_attend_elsewhere_are_told_from_shuffled_ones() -> None:
    labels = np.arange(40) % 2
    weights = np.random.default_rng(1).dirichlet(np.full(20, 5.0), 40)
    assert class_statistics.by_label(weights, labels, 2) > 0.01
    weights[:, 4] += 0.1 * labels
    assert class_statistics.by_label(weights, labels, 2) < 0.01
    assert class_statistics.steadiness(peaked(blues=(2, 9, 11))[:1].repeat(5, axis=0)) == 1.0


def test_statements_are_decided_by_the_figures_both_ways() -> None:
    near = {name: (float(i), 0.0, 0.0) for i, name in enumerate(("hiphop", "pop", "reggae"))}
    early = dict.fromkeys(("disco", "hiphop", "rock"), (0, 1, 2))
    late = {name: (10, 11, 19) for name in LABELS if name not in early}
    yes = paper_statements.verdicts(lab_records.network(placed(**near), peaked(**early, **late)))
    assert yes["hip-hop, pop and reggae are close"]
    assert yes["step 19 is frequent"]
    assert yes["step 10 is notable"]
    assert yes["disco, hip-hop and rock are heard early"]
    assert yes["classical is heard late"]
    assert yes["jazz and blues share steps"]
    apart = {"hiphop": (0.0, 0.0, 0.0), "pop": (900.0, 0.0, 0.0), "reggae": (0.0, 900.0, 0.0)}
    other = dict.fromkeys(early, (17, 18, 16))
    no = paper_statements.verdicts(
        lab_records.network(placed(**apart), peaked(**other, jazz=(0, 1, 2), blues=(3, 4, 5)))
    )
    assert not any(no[told] for told in ("hip-hop, pop and reggae are close", "step 19 is frequent"))
    assert not no["disco, hip-hop and rock are heard early"]
    assert not no["jazz and blues share steps"]
    assert not no["step 10 is notable"]


def test_the_furthest_genre_and_the_equation_are_decided_by_place() -> None:
    one = lab_records.network(placed(classical=(-900.0, 0.0, 0.0)), UNIFORM)
    assert paper_statements.verdicts(one)["classical is furthest from the others"]
    one = lab_records.network(placed(metal=(-900.0, 0.0, 0.0)), UNIFORM)
    assert not paper_statements.verdicts(one)["classical is furthest from the others"]
    corners = dict(zip(paper_figures.EQUATIONS[1], ((2, 0, 0), (0, 0, 0), (0, 1, 0), (2, 1, 0)), strict=True))
    told = paper_statements.equation_text(paper_figures.EQUATIONS[1])
    assert paper_statements.verdicts(lab_records.network(placed(**corners), UNIFORM))[told]
    corners["hiphop"], corners["rock"] = (900, 0, 0), (2, 1, 0)
    assert not paper_statements.verdicts(lab_records.network(placed(**corners), UNIFORM))[told]


def test_a_mood_that_the_codes_hold_is_learned() -> None:
    genres = np.repeat(np.arange(10), 6)
    codes = np.eye(3)[np.array(GTZAN_MOODS)[genres]] + 0.01 * np.random.default_rng(0).random((60, 3))
    found = moods(dict.fromkeys(("train", "valid", "test"), (codes, genres)), np.zeros(60, int))
    assert found["accuracy"] == found["unseen"] == 1.0
    assert found["majority"] == 0.4
    assert found["by_genre"] == pytest.approx(0.3)  # blues throughout: happy, as three genres of ten are


def test_a_channel_prefers_the_genre_that_excites_it() -> None:
    labels = np.array([0, 0, 1, 1])
    activation = np.array([[3.0, 1.0, 0.0], [3.0, 1.2, 0.0], [1.0, 1.0, 0.0], [1.0, 1.6, 0.0]])
    found = preferences(activation, labels, ("jazz", "rock"), ("a", "b", "c", "d"))
    assert (found["channels"], found["alive"]) == (3, 2)
    assert found["share"] == {"jazz": 0.5, "rock": 0.5}
    assert found["most"] == {"channel": 0, "genre": "jazz", "ratio": 1.5, "track": "a"}


def test_sections_hold_the_figures_of_their_records() -> None:
    records, analyses = lab_records.records(), lab_records.analyses()
    page = {paper: "\n".join(paper_tables.after(paper, records, analyses)) for paper in paper_tables.PARTS}
    queens = page["queens-parallel-bgru-cnn"]
    assert "| blues | 0.92 | 0.89 | 0.90 | 166 | 0.85 | 0.85 | 0.85 | 10 |" in queens
    assert "| blues | 147 | 3 | 11 | 1 | 4 |" in queens
    assert "| blues | 17 | 3 | 0 | 0 | 0 |" in queens  # two seeds, 8 + 9 of ten
    assert (
        "| `kth-attention` |  | 0.812 | 0.900 | 0.900 | 0.600 | 0.600 | 0.600 |" in page["kth-attention-cnn"]
    )
    assert "25 % are of its genre" in page["kth-attention-cnn"]
    assert "| all | 0.61 | 0.50 | 0.40 |" in page["upc-mfcc-cnn"]
    assert "| 1 | hiphop | hiphop 55 %" in page["upc-mfcc-cnn"]
    assert "**yes** | 1.30 | 42 % | 31 of 32 | 3: metal, 2.5; metal.00007 |" in page["upc-mfcc-cnn"]
    assert "| disco | 2, 4, 19 |" in page["spectrogram-sequence-attention"]
    assert "| 0.710 | 0.700 | 0.400 | 0.800 | 0.300 |" in page["spectrogram-sequence-attention"]


def test_where_nothing_was_measured_there_is_no_section_and_no_picture(tmp_path: Path) -> None:
    assert not any(paper_tables.after(paper, {}, {}) for paper in paper_tables.PARTS)
    assert pictures.write({}, {}, {}, tmp_path) == []


def test_every_statement_has_a_verdict_for_every_network() -> None:
    page = "\n".join(tokens_section.section(lab_records.analyses()["tokens"]))
    for statement in paper_statements.STATEMENTS:
        (row,) = [
            line for line in page.splitlines() if line.startswith(f"| {statement.text} | {statement.rule} |")
        ]
        verdicts = [cell.startswith(("**holds** (", "no (")) for cell in row[:-2].split(" | ")[2:]]
        assert verdicts == [True] * len(tokens_section.COLUMNS)


def test_the_pictures_are_drawn_small_and_the_same_each_time(tmp_path: Path) -> None:
    records, analyses = lab_records.records(), lab_records.analyses()
    drawn = pictures.write(records, analyses, {}, tmp_path)
    assert {path.stem for path in drawn} == {*pictures.OF_RUNS, *pictures.OF_ANALYSES}
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in drawn)
    assert max(path.stat().st_size for path in drawn) < 120_000
    again = pictures.write(records, {}, {}, tmp_path / "again")
    assert again[0].read_bytes() == drawn[0].read_bytes()


def test_the_best_system_is_chosen_on_validation() -> None:
    records = lab_records.records()
    assert pictures.best(records) == "best-averaged"
    records["mfcc-26"]["filtered"] = [lab_records.record(right=1, loss=0.1)]
    assert pictures.best(records) == "mfcc-26"


def test_a_run_that_is_missing_is_named(tmp_path: Path) -> None:
    inputs = Inputs(features=tmp_path / "mel.npz")
    with pytest.raises(UsageError, match="mgtag lab run tokens"):
        load_trained("tokens", "filtered", inputs, tmp_path)
    with pytest.raises(UsageError, match="mgtag lab run mfcc-26"):
        analysis.write(["blocks"], inputs, tmp_path, tmp_path)
    with pytest.raises(UsageError, match="There is no analysis 'deck', only tokens, tsne, blocks"):
        analysis.write(["deck"], inputs, tmp_path, tmp_path)


def test_numbers_are_written_short() -> None:
    value = {"at": np.array([[1.2345]]), "p": np.float64(0.123456), "n": np.int64(3)}
    assert json.dumps(analysis.rounded(value)) == '{"at": [[1.2]], "p": 0.1235, "n": 3}'


def test_no_curve_is_drawn_of_what_learned_from_validation() -> None:
    records = lab_records.records()
    record = lab_records.record()
    refitted = replace(record, measured={"train": record.measured["train"], "test": record.measured["test"]})
    drawn = pictures.curves(records | {"best-whole": {"filtered": [refitted]}})
    assert drawn is not None
    assert [ax.get_title() for ax in drawn.axes if ax.get_title()] == list(records)
