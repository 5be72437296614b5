"""The table of experiments on tiny music: runs, resuming, ensembles, and sentences for what is wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("sklearn")
pytest.importorskip("torchmetrics")

from mgtag_train.data import (  # noqa: E402
    not_music,
    sources,
    splitting,
    tracks,
)
from mgtag_train.data.tracks import MelTrack  # noqa: E402
from mgtag_train.lab import commands, search  # noqa: E402
from mgtag_train.lab.experiment import Experiment, TrainingRun  # noqa: E402
from mgtag_train.lab.experiments import EXPERIMENTS, PAPERS  # noqa: E402
from mgtag_train.lab.kinds import EnsembleExperiment, NetworkExperiment, RefitExperiment  # noqa: E402
from mgtag_train.lab.tasks import Inputs, MusicTask  # noqa: E402
from mgtag_train.learn import evaluation  # noqa: E402
from mgtag_train.learn.batches import Windows  # noqa: E402
from mgtag_train.learn.config import NONE, TrainConfig  # noqa: E402

from mgtag.errors import UsageError  # noqa: E402
from mgtag.features import MelSpec  # noqa: E402
from mgtag.models import ARCHITECTURES, OF_WORDS, build  # noqa: E402

torch.set_num_threads(1)

LABELS = ("blues", "jazz", "metal")
SPEC = MelSpec(n_mels=128, n_frames=13)
SMALL = {"n_labels": 3, "n_frames": 13, "channels": (4, 4), "pools": ((8, 2), (8, 3)), "units": 4, "dense": 8}
CONFIG = TrainConfig(
    arguments=SMALL, augment=NONE, epochs=4, slices=1, batch=8, negatives=0, learning_rate=5e-3, averaging=0.5
)
TASK = MusicTask(labels=LABELS, spec=SPEC, paper_split="leaking", honest_split="tracks")
HONEST = replace(TASK, paper_split="")
ABOUT = {"paper": "mgtag", "description": "for tests"}
TINY = NetworkExperiment(name="tiny", task=TASK, config=CONFIG, **ABOUT)
ENSEMBLE = EnsembleExperiment(name="tiny-both", task=HONEST, members=(TINY,), **ABOUT)
STUDENT = replace(TINY, name="tiny-taught", task=HONEST, teachers=(TINY,))
REFIT = RefitExperiment(name="tiny-whole", task=HONEST, of=TINY, **ABOUT)


@pytest.fixture
def features(tmp_path: Path) -> Path:
    """Thirty clips of three genres, each loud in bands of its own, and some of a genre nobody asked for."""
    rng, names, mels = np.random.default_rng(0), [], []
    for n in range(40):
        genre = (*LABELS, "pop")[n % 4]
        mel = rng.integers(0, 60, (128, 52))
        mel[30 * (n % 4) : 30 * (n % 4) + 30] += 120
        names.append(f"{genre}.{n:05d}")
        mels.append(mel)
    np.savez(tmp_path / "mel.npz", mel=np.array(mels, np.uint8), name=np.array(names))
    return tmp_path / "mel.npz"


Go = Callable[..., list[dict[str, Any]]]
Mgtag = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def mgtag() -> Mgtag:
    """``mgtag("lab", "list")``: the command, in a process of its own."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", "from mgtag.cli import main; main()", *arguments]
        environment = os.environ | {"COLUMNS": "200"}
        return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)

    return run


@pytest.fixture
def go(features: Path, tmp_path: Path) -> Go:
    """``go(TINY)``: run experiments, and read their records."""

    def run(*experiments: Experiment, out: str = "runs", **options: Any) -> list[dict[str, Any]]:
        paths = commands.run(experiments, Inputs(features), tmp_path / out, **options)
        return [json.loads(path.read_text()) for path in paths]

    return run


def made_tracks(n: int) -> dict[str, MelTrack]:
    made = [MelTrack(f"{LABELS[i % 3]}.{i:05d}", i % 3, np.full((128, 40), i, np.uint8)) for i in range(n)]
    return {track.name: track for track in made}


# splits


def test_leaking_puts_slices_of_a_song_on_both_sides_and_tracks_does_not() -> None:
    def songs(parts: splitting.Parts) -> list[set[str]]:
        return [{track.name.split("/")[0] for track in tracks} for tracks in parts.values()]

    leaking = splitting.split_tracks("leaking", made_tracks(30), sources.GTZAN, 13, 0, 0.2)
    assert [len(part) for part in leaking.values()] == [57, 15, 18]
    train, _, test = songs(leaking)
    assert train & test
    apart = splitting.split_tracks("tracks", made_tracks(30), sources.GTZAN, 13, 0, 0.4)
    assert [len(part) for part in apart.values()] == [14, 4, 12]
    train, valid, test = songs(apart)
    assert not train & test
    assert not valid & (train | test)
    again = splitting.split_tracks("tracks", made_tracks(30), sources.GTZAN, 13, 0, 0.4)
    other = splitting.split_tracks("tracks", made_tracks(30), sources.GTZAN, 13, 1, 0.4)
    assert songs(again) == [train, valid, test] != songs(other)


def test_filtered_is_the_committed_list_of_the_genres_at_hand() -> None:
    names = [name for part in ("train", "valid", "test") for name in splitting.split_names(part)]
    music = {n: MelTrack(n, 0, np.zeros((128, 40), np.uint8)) for n in names if n[:4] in ("jazz", "meta")}
    parts = splitting.split_tracks("filtered", music, sources.GTZAN, 13, 0, 0.2)
    assert sum(len(part) for part in parts.values()) == len(music)
    assert {t.name for t in parts["test"]} <= set(splitting.split_names("test"))
    music.pop(parts["test"][0].name)
    with pytest.raises(UsageError, match="missing"):
        splitting.split_tracks("filtered", music, sources.GTZAN, 13, 0, 0.2)


def test_slices_lie_end_to_end_and_vote_for_their_song() -> None:
    mel = np.arange(40, dtype=np.uint8)[None].repeat(128, 0)
    slices = splitting.slices_as_tracks([MelTrack("jazz.00000", 1, mel), MelTrack("blues.00001", 0, mel)], 13)
    assert [s.mel[0, 0] for s in slices] == [0, 13, 26] * 2
    windows = Windows(tracks.SliceDataset(slices, SPEC), 3)
    _, owner = windows.tiles()
    clip, truth = windows.clips(owner)
    assert clip.tolist() == [1, 1, 1, 0, 0, 0]
    assert truth.tolist() == [0, 1]


# runs


def test_a_run_leaves_every_figure_in_its_record(go: Go) -> None:
    leaking, apart = go(TINY)
    assert (leaking["name"], apart["name"]) == ("tiny/leaking-0", "tiny/tracks-0")
    for record in (leaking, apart):
        for part in ("train", "valid", "test"):
            assert record["measured"][part]["slices"]["accuracy"] > 0.8
            assert record["measured"][part]["tracks"]["auc"] > 0.9
        assert record["labels"] == list(LABELS)
        assert set(record["by_genre"]) == set(LABELS)
        assert sum(record["reliability"]["count"]) == record["measured"]["test"]["tracks"]["n"]
        assert "mgtag lab run tiny" in record["command"]
    assert sum(map(sum, leaking["confusion"])) == leaking["measured"]["test"]["slices"]["n"] == 24
    assert sum(map(sum, apart["confusion"])) == apart["measured"]["test"]["tracks"]["n"] == 6


def test_what_is_no_music_is_learned_from_and_not_measured(go: Go, monkeypatch: pytest.MonkeyPatch) -> None:
    silent = MelTrack("a noise", -1, np.zeros((128, 52), np.uint8))
    monkeypatch.setattr(not_music, "make_negatives", lambda *_: [silent] * 5)
    task = replace(HONEST, random_crops=True)
    (record,) = go(replace(TINY, config=replace(CONFIG, negatives=0.5), task=task))
    sizes = {part: record["measured"][part]["tracks"]["n"] for part in ("train", "valid", "test")}
    assert sizes == record["data"]["items"]
    assert sum(sizes.values()) == 30


def test_a_run_that_was_interrupted_anywhere_ends_with_the_same_figures(go: Go) -> None:
    def stop(run: str, epoch: int, epochs: int, row: object) -> None:
        if (run, epoch) in (("tiny/leaking-0", 2), ("tiny/tracks-0", 3)):
            raise KeyboardInterrupt

    whole = go(TINY, out="whole")
    with pytest.raises(KeyboardInterrupt):
        go(TINY, out="parts", resume=True, progress=stop)  # in the first run
    with pytest.raises(KeyboardInterrupt):
        go(TINY, out="parts", resume=True, progress=stop)  # in the second
    parts = go(TINY, out="parts", resume=True)
    for a, b in zip(whole, parts, strict=True):
        assert a["measured"] == b["measured"]
        assert [row["loss"] for row in a["history"]] == [row["loss"] for row in b["history"]]


def test_no_run_is_trained_over(go: Go, tmp_path: Path) -> None:
    go(TINY, seeds=1)
    record = tmp_path / "runs" / "tiny" / "tracks-0" / "record.json"
    before = record.stat().st_mtime_ns
    with pytest.raises(UsageError, match="there is a run here already; add --resume"):
        go(TINY)
    go(TINY, resume=True)
    assert record.stat().st_mtime_ns == before


def test_an_ensemble_and_a_student_come_after_whom_they_learn_from(go: Go) -> None:
    assert [[e.name for e in wave] for wave in commands.waves([ENSEMBLE, STUDENT, TINY])] == [
        ["tiny"],
        ["tiny-both", "tiny-taught"],
    ]
    *_, both, taught, _ = go(TINY, ENSEMBLE, STUDENT, seeds=2)
    assert both["history"] == []
    assert both["measured"]["test"]["tracks"]["accuracy"] > 0.8
    assert taught["teachers"] == both["teachers"] == ["tiny/tracks-0", "tiny/tracks-1"]


def test_a_refit_learns_from_validation_too_and_takes_over_temperatures(
    go: Go,
) -> None:
    with pytest.raises(UsageError, match="tiny, which is not in"):
        go(REFIT)
    records = go(REFIT, TINY, seeds=2, split="tracks")
    tiny, refitted = records[:2], records[2]
    assert refitted["best_epoch"] == len(refitted["history"]) == CONFIG.epochs
    assert set(refitted["measured"]) == {"train", "test"}
    items = tiny[0]["data"]["items"]
    assert refitted["data"]["items"] == {"train": items["train"] + 4 * items["valid"], "test": items["test"]}
    for of, found in refitted["temperatures"].items():
        expected = (tiny[0]["temperatures"][of] * tiny[1]["temperatures"][of]) ** 0.5
        assert found == pytest.approx(expected, rel=1e-3)
    with pytest.raises(UsageError, match="export tiny instead"):
        commands.exportable(REFIT)


def test_what_is_missing_is_a_sentence(go: Go, tmp_path: Path, features: Path) -> None:
    with pytest.raises(UsageError, match=r"no experiment 'nothing'.*lab list"):
        commands.chosen(["nothing"], Inputs())
    with pytest.raises(UsageError, match=r"queens-cnn needs GTZAN's mels: --features"):
        commands.chosen(["queens-cnn"], Inputs())
    with pytest.raises(UsageError, match=r"needs tiny.*train that first"):
        go(ENSEMBLE)
    with pytest.raises(UsageError, match="Say where the data is"):
        commands.possible(Inputs())
    with pytest.raises(UsageError, match="not trained yet"):
        commands.export_best(TINY, Inputs(features), tmp_path)
    with pytest.raises(UsageError, match="cannot be exported"):
        commands.export_best(ENSEMBLE, Inputs(features), tmp_path)
    assert "queens-cnn" in commands.possible(Inputs(features))
    assert not any("lyrics" in EXPERIMENTS[name].task.needs for name in commands.possible(Inputs(features)))


@pytest.mark.parametrize(
    ("name", "data", "options", "message"),
    [
        ("queens-cnn", ["features"], {"split": "artists"}, "no split 'artists', only leaking and filtered"),
        ("lyrics-both", ["lyrics"], {"seeds": 2}, "--seeds applies to none"),
        ("lyrics-tfidf", ["lyrics", "features"], {}, "--features applies to none of these experiments"),
    ],
)
def test_an_option_that_does_not_apply_is_refused(
    name: str, data: list[str], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        commands.chosen([name], Inputs(**dict.fromkeys(data, Path("somewhere"))), **options)


def test_all_runs_what_has_the_data_and_the_split() -> None:
    given = Inputs(features=Path("mel.npz"))
    assert {"mfcc-26", "queens-cnn"} <= set(commands.possible(given, "filtered"))
    assert "queens-cnn" not in commands.possible(given, "tracks")
    with pytest.raises(UsageError, match="No experiment on this data has the split 'artists'"):
        commands.possible(given, "artists")


# evaluate


def test_figures_of_known_answers() -> None:
    truth = np.array([0, 0, 1, 1])
    probabilities = np.array([[0.9, 0.1], [0.4, 0.6], [0.2, 0.8], [0.1, 0.9]], np.float32)
    found = evaluation.figures(probabilities, truth)
    assert found.accuracy == 0.75
    assert found.auc == 1.0
    assert found.macro_f1 == pytest.approx((2 / 3 + 0.8) / 2)
    assert found.log_loss == pytest.approx(-np.log([0.9, 0.4, 0.8, 0.9]).mean(), abs=1e-6)
    reliability = evaluation.reliability(probabilities, truth)
    assert sum(reliability["count"]) == 4
    assert reliability["accuracy"][9] == 0.0  # 0.6 falls into the tenth of fifteen bins, and was wrong
    assert reliability["accuracy"][13] == 1.0


# the table


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_experiment_is_complete(name: str) -> None:
    experiment = EXPERIMENTS[name]
    assert experiment.paper in PAPERS
    assert set(experiment.splits) <= set(splitting.DESCRIPTIONS)
    assert all(EXPERIMENTS[other.name] == other for other in experiment.depends_on)
    if isinstance(experiment, NetworkExperiment | RefitExperiment) and isinstance(experiment.task, MusicTask):
        network = build(experiment.config.architecture, experiment.config.arguments)
        assert network.spec.n_labels == len(experiment.task.labels)
        assert network.spec.n_frames == experiment.task.spec.n_frames


def test_every_architecture_is_in_an_experiment() -> None:
    networks = [e for e in EXPERIMENTS.values() if isinstance(e, NetworkExperiment)]
    assert {*ARCHITECTURES, *OF_WORDS} == {e.config.architecture for e in networks}


def test_runs_are_every_split_and_seed() -> None:
    assert [one.name for one in TINY.runs(2)] == [
        f"tiny/{split}-{seed}" for split in ("leaking", "tracks") for seed in (0, 1)
    ]
    assert [one.name for one in TINY.runs(1, "tracks")] == ["tiny/tracks-0"]
    assert [one.name for one in ENSEMBLE.runs(3)] == ["tiny-both/tracks-0"]
    assert TrainingRun(TINY, "tracks", 7).name == "tiny/tracks-7"


# the command


def test_train_says_where_the_experiments_went(mgtag: Mgtag) -> None:
    done = mgtag("train", "queens-cnn", "mfcc-26")
    assert (done.returncode, done.stdout) == (2, "")
    assert "`mgtag lab run queens-cnn mfcc-26`" in " ".join(done.stderr.split())
    assert mgtag("train").returncode == 2


def test_list_shows_every_experiment_without_torch(mgtag: Mgtag) -> None:
    shown = mgtag("lab", "list")
    assert shown.returncode == 0
    assert all(name in shown.stdout for name in EXPERIMENTS)
    code = "import sys; from mgtag_train.lab import commands; commands.table(); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert not {"torch", "sklearn", "matplotlib"} & set(loaded.split())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("run",), "give names of experiments, or --all"),
        (("run", "nothing"), "There is no experiment 'nothing'"),
        (("run", "queens-cnn"), "queens-cnn needs GTZAN's mels: --features mel.npz"),
        (("run", "--all"), "Say where the data is"),
        (("run", "queens-cnn", "--features", "m.npz", "--split", "artists"), "has no split 'artists'"),
        (("run", "lyrics-both", "--lyrics", "g.csv.gz", "--export"), "lyrics-both cannot be exported"),
        (("search", "mfcc-26", "--features", "m.npz"), "mfcc-26 has no settings to search over"),
        (("analyse", "deck", "--features", "m.npz"), "There is no analysis 'deck'"),
        (("faithfulness",), "Missing option '--features'"),
    ],
)
def test_a_mistake_is_a_sentence(mgtag: Mgtag, arguments: tuple[str, ...], message: str) -> None:
    done = mgtag("lab", *arguments)
    assert done.returncode == 2
    assert message in " ".join(done.stderr.replace("│", " ").split())
    assert "Traceback" not in done.stderr


# searches


def test_a_search_tries_the_grid_on_validation_and_goes_on(features: Path, tmp_path: Path) -> None:
    grid = {"learning_rate": (1e-4, 5e-3), "hidden": (4, 8)}
    tiny = replace(TINY, grid=grid)

    def go_on(trials: int, resume: bool) -> dict[str, Any]:
        path = search.search(tiny, Inputs(features), tmp_path, trials, 1, lambda *_: None, resume)
        found: dict[str, Any] = json.loads(path.read_text())
        return found

    some = go_on(2, resume=False)
    every = go_on(10, resume=True)
    assert [len(found["trials"]) for found in (some, every)] == [2, 4]
    assert all(trial in every["trials"] for trial in some["trials"])
    assert every["trials"][0]["learning_rate"] == 5e-3
    assert {(t["learning_rate"], t["hidden"]) for t in every["trials"]} == {
        (rate, hidden) for rate in grid["learning_rate"] for hidden in grid["hidden"]
    }
    with pytest.raises(UsageError, match="no settings to search over; these have"):
        search.search(ENSEMBLE, Inputs(features), tmp_path, 1, 1, lambda *_: None)


def test_a_changed_value_goes_where_it_belongs() -> None:
    config = search.changed(CONFIG, {"learning_rate": 0.5, "hidden": 99})
    assert (config.learning_rate, config.arguments["hidden"]) == (0.5, 99)
    assert config.arguments["units"] == SMALL["units"]


def test_every_data_set_and_split_can_be_asked_for() -> None:
    from mgtag.cli.lab import Split
    from mgtag.cli.train import Dataset

    assert {dataset.value for dataset in Dataset} == {*sources.SOURCES, "wide"}
    assert {split.value for split in Split} == set(splitting.DESCRIPTIONS)
