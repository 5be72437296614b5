"""The laboratory on tiny synthetic music whose answers are known."""

from __future__ import annotations

import json
import wave
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import sounds
from doubles import Inline

torch = pytest.importorskip("torch")
pytest.importorskip("sklearn")
pytest.importorskip("torchmetrics")

from mgtag_train.data import not_music, tracks  # noqa: E402
from mgtag_train.data.clips import Clip  # noqa: E402
from mgtag_train.data.reading import Corpus, load_clip, read_tracks  # noqa: E402
from mgtag_train.data.sources import FOLDER, GTZAN, find_source  # noqa: E402
from mgtag_train.data.splitting import split_names  # noqa: E402
from mgtag_train.data.tracks import MelTrack, SliceDataset, quantise  # noqa: E402
from mgtag_train.learn import augment, calibration, jobs, metrics  # noqa: E402
from mgtag_train.learn.batches import Windows  # noqa: E402
from mgtag_train.learn.config import NONE, Augment, TrainConfig  # noqa: E402
from mgtag_train.learn.metrics import Predictions  # noqa: E402
from mgtag_train.learn.trainer import Training  # noqa: E402
from mgtag_train.ship import export, train_bundle  # noqa: E402

from mgtag import bundle, tags  # noqa: E402
from mgtag.errors import UsageError  # noqa: E402
from mgtag.features import MelSpec  # noqa: E402
from mgtag.features import standardise as standardise_numpy  # noqa: E402
from mgtag.inference import Tagger  # noqa: E402
from mgtag.library.events import Unsure  # noqa: E402
from mgtag.library.index import Index  # noqa: E402
from mgtag.library.policy import Policy  # noqa: E402
from mgtag.library.scan import scan  # noqa: E402
from mgtag.vote import softmax, vote  # noqa: E402

torch.set_num_threads(1)

SPEC = MelSpec(n_mels=32, n_frames=16)
TINY = {
    "n_labels": 3,
    "n_mels": 32,
    "n_frames": 16,
    "channels": (8, 8),
    "pools": ((4, 4), (4, 4)),
    "units": 8,
}
CONFIG = TrainConfig(
    arguments=TINY | {"dense": 16, "hidden": 12, "batch_norm": True},
    augment=replace(Augment(), mask_bands=4, mask_frames=2),
    epochs=4,
    slices=4,
    batch=16,
    learning_rate=5e-3,
    averaging=0.8,
)


def made_tracks(n: int, seed: int, labels: tuple[int, ...] = (0, 1, 2)) -> list[MelTrack]:
    """Noise with one loud stretch of bands; which stretch is the label."""
    rng = np.random.default_rng(seed)
    made = []
    for i in range(n):
        label = labels[i % len(labels)]
        mel = rng.normal(0, 3, (32, 60)).astype(np.float32)
        if label >= 0:
            mel[10 * label : 10 * label + 10] += 25
        made.append(quantise(f"genre{label}.{i:05d}", label, mel))
    return made


def heard(*datasets: SliceDataset) -> list[Windows]:
    """Datasets as a training takes them."""
    return [Windows(dataset, 3) for dataset in datasets]


def quiet(run: str, epoch: int, epochs: int, row: object) -> None:
    """Report nothing."""


@pytest.fixture(scope="module")
def learn() -> SliceDataset:
    return SliceDataset(made_tracks(24, 0) + made_tracks(4, 1, labels=(-1,)), SPEC)


@pytest.fixture(scope="module")
def check() -> SliceDataset:
    return SliceDataset(made_tracks(12, 2), SPEC)


# data


def test_the_split_has_the_published_sizes_and_no_track_twice() -> None:
    parts = [split_names(part) for part in ("train", "valid", "test")]
    assert [len(part) for part in parts] == [443, 197, 290]
    assert len(set().union(*parts)) == 930


def test_a_dataset_takes_tracks_only_and_keeps_each_slice_in_its_own(check: SliceDataset) -> None:
    with pytest.raises(TypeError, match="tracks"):
        SliceDataset([np.zeros((32, 16), np.uint8)], SPEC)  # type: ignore[list-item]
    windows, owner = check.tiles()
    assert windows.shape == (12 * 3, 32, 16)
    assert owner.tolist() == sorted(owner.tolist())
    torch.testing.assert_close(windows.mean((1, 2)), torch.zeros(36), atol=1e-5, rtol=0)
    torch.testing.assert_close(windows.std((1, 2), correction=0), torch.ones(36), atol=1e-4, rtol=0)


def test_packing_keeps_decibels_to_half_a_step() -> None:
    mel = np.random.default_rng(0).uniform(-70, 0, (32, 60)).astype(np.float32)
    track = quantise("x.0", 0, mel)
    unpacked = SliceDataset([track], SPEC).cut(torch.tensor([0]), torch.arange(16)[None])[0]
    np.testing.assert_allclose(unpacked, mel[:, :16] - mel.min(), atol=np.ptp(mel) / 255 / 2 + 1e-3)
    deep = quantise("x.1", 0, mel * 3)
    assert deep.range_db == pytest.approx(80, abs=1e-3)


def test_missing_music_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no data set"):
        find_source("fma")
    with pytest.raises(UsageError, match="--features"):
        read_tracks(GTZAN)
    (tmp_path / "x.npz").write_bytes(b"no")
    with pytest.raises(UsageError, match="no mel cache"):
        tracks.load_cache(tmp_path / "x.npz")
    with pytest.raises(UsageError, match="the clip is missing"):
        read_tracks(GTZAN, audio=tmp_path)


def test_audio_and_its_cache_are_the_same_track(tmp_path: Path) -> None:
    path = tone(tmp_path / "blues" / "blues.00007.wav", 440, 0)
    track = load_clip(Clip("blues.00007", 0, path), GTZAN.spec)
    assert isinstance(track, MelTrack)
    assert (track.label, track.mel.shape) == (0, (128, 42))
    np.savez(tmp_path / "mel.npz", mel=track.mel[None], name=np.array([track.name]))
    np.testing.assert_array_equal(tracks.load_cache(tmp_path / "mel.npz")[track.name].mel, track.mel)


# augment


def test_no_augmentation_changes_nothing() -> None:
    g, mel = torch.Generator().manual_seed(0), torch.rand(5, 32, 16) * 70
    torch.testing.assert_close(augment.change(mel, NONE, 80.0, g), mel)
    assert (augment.columns(5, 60, 16, NONE, g).diff(dim=1) == 1).all()


@pytest.mark.parametrize(
    "kind", ["shift", "equaliser_db", "band_limit", "noise_floor", "dynamics", "floor_db"]
)
def test_every_augmentation_changes_but_keeps_shape_and_range(kind: str) -> None:
    g, mel = torch.Generator().manual_seed(0), torch.rand(64, 32, 16) * 70
    changed = augment.change(mel, replace(NONE, **{kind: getattr(Augment(), kind)}), 80.0, g)
    assert changed.shape == mel.shape
    assert torch.isfinite(changed).all()
    assert not torch.allclose(changed, mel)
    spans = changed.amax((1, 2)) - changed.amin((1, 2))
    assert (spans <= 80 + 1e-3).all()


def test_columns_stay_inside_the_track() -> None:
    drawn = augment.columns(500, 60, 16, replace(NONE, speed=0.5), torch.Generator().manual_seed(0))
    assert (drawn.min(), drawn.max()) == (0, 59)
    assert (drawn.diff(dim=1) >= 0).all()


def test_shifting_moves_a_tone_up() -> None:
    mel = torch.zeros(1, 32, 16)
    mel[:, 10] = 50
    assert augment.shift_bands(mel, torch.tensor([[3.0]])).mean(2).argmax() == 13


def test_powers_add_as_sound_does() -> None:
    mel = torch.full((1, 32, 16), 40.0)
    g = torch.Generator().manual_seed(0)
    louder = augment.add_partner(mel, mel - 200, torch.tensor([True]), g)
    torch.testing.assert_close(louder, mel)
    assert augment.add_partner(mel, mel, torch.tensor([True]), g).mean() > 40.4


def test_standardise_is_that_of_tagging() -> None:
    mel = torch.rand(4, 32, 16) * 150
    torch.testing.assert_close(augment.standardise(mel), torch.from_numpy(standardise_numpy(mel.numpy())))


def test_mixup_mixes_targets_as_windows() -> None:
    g, labels = torch.Generator().manual_seed(0), torch.arange(10) % 3
    targets = torch.nn.functional.one_hot(labels, 3).float()
    windows, mixed = augment.mix(targets[:, :, None].expand(-1, -1, 16), targets, Augment(mixup=1.0), g)
    torch.testing.assert_close(windows[:, :, 0], mixed)
    torch.testing.assert_close(mixed.sum(1), torch.ones(10))
    assert (mixed.argmax(1) == labels).all()  # the larger weight is the window's own


# negatives


def test_negatives_are_finite_many_kinds_and_reproducible() -> None:
    rng = np.random.default_rng
    for make in not_music.KINDS.values():
        y = not_music.with_floor(make(rng(5), 22_050, 22_050), rng(6))
        assert y.shape == (22_050,)
        assert np.isfinite(y).all()
        assert 0.3 < np.abs(y).max() < 1
        np.testing.assert_array_equal(y, not_music.with_floor(make(rng(5), 22_050, 22_050), rng(6)))


# loop


def test_it_learns_and_shares_out_its_doubt(learn: SliceDataset, check: SliceDataset) -> None:
    training = Training(
        replace(CONFIG, epochs=15, augment=replace(NONE, mixup=0.2)), *heard(learn, check), seed=0
    )
    while not training.finished:
        training.run_epoch()
    assert training.history[training.best_epoch]["track_accuracy"] == 1.0
    training.mean.load_state_dict(training.best)
    windows, _ = SliceDataset(made_tracks(6, 9, labels=(-1,)), SPEC).tiles()
    with torch.no_grad():
        doubtful = torch.softmax(training.mean.eval()(windows).logits, 1).max(1).values
        sure = torch.softmax(training.mean(training.check_inputs).logits, 1).max(1).values
    assert doubtful.mean() < sure.mean() - 0.2


def test_a_resumed_run_equals_an_uninterrupted_one(
    tmp_path: Path, learn: SliceDataset, check: SliceDataset
) -> None:
    def run(folder: Path, stop_after: int | None) -> None:
        def progress(name: str, epoch: int, epochs: int, row: object) -> None:
            if epoch == stop_after:
                raise KeyboardInterrupt

        job = jobs.Job("a", CONFIG, seed=3, folder=folder)
        jobs.fit(job, *heard(learn, check), {}, resume=True, progress=progress)

    run(tmp_path / "whole", None)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "parts", 2)
    run(tmp_path / "parts", None)
    whole, parts = (jobs.load_best(tmp_path / name).state_dict() for name in ("whole", "parts"))
    for key, value in whole.items():
        torch.testing.assert_close(parts[key], value, rtol=0, atol=0)
    histories = [
        torch.load(tmp_path / name / jobs.CHECKPOINT, weights_only=True)["history"]
        for name in ("whole", "parts")
    ]
    for a, b in zip(*histories, strict=True):
        assert {**a, "seconds": 0} == {**b, "seconds": 0}
    with pytest.raises(UsageError, match="another configuration"):
        jobs.fit(jobs.Job("a", CONFIG, 4, tmp_path / "parts"), *heard(learn, check), {}, True, quiet)


def test_each_cycle_of_a_schedule_is_one_whole_schedule(learn: SliceDataset, check: SliceDataset) -> None:
    once = Training(CONFIG, *heard(learn, check), seed=0)
    twice = Training(replace(CONFIG, epochs=8, cycles=2), *heard(learn, check), seed=0)
    steps = CONFIG.epochs * once.per_epoch
    rates = [once._rate(step) for step in range(steps)]
    assert [twice._rate(step) for step in range(2 * steps)] == rates + rates
    assert max(rates) > 0.9 and rates[-1] < 0.01


def test_patience_stops_a_run(learn: SliceDataset, check: SliceDataset) -> None:
    training = Training(replace(CONFIG, epochs=50, patience=2), *heard(learn, check), seed=0)
    training.history = [{"log_loss": loss} for loss in (1.0, 0.5, 0.6)]
    assert not training.finished
    training.history.append({"log_loss": 0.7})
    assert training.finished
    assert training.best_epoch == 1


def test_a_student_learns_its_teachers_answers(learn: SliceDataset, check: SliceDataset) -> None:
    class Always(torch.nn.Module):
        def forward(self, windows):  # type: ignore[no-untyped-def]
            from mgtag.models import ModelOutput

            return ModelOutput(torch.tensor([[0.0, 9.0, 0.0]]).expand(len(windows), 3), None, windows[:, 0])

    training = Training(CONFIG, *heard(learn, check), seed=0, teachers=[Always()])
    training.run_epoch()
    training.run_epoch()
    assert (training.mean(training.check_inputs).logits.argmax(1) == 1).all()


# metrics and calibration


def test_calibration_error_of_known_answers() -> None:
    truth = np.zeros(100, np.int64)
    sure = np.tile(np.array([[0.8, 0.2]], np.float32), (100, 1))
    truth[:20] = 1
    assert metrics.calibration_error(sure, truth) == pytest.approx(0.0, abs=1e-6)
    assert metrics.calibration_error(sure, np.zeros(100, np.int64)) == pytest.approx(0.2, abs=1e-6)


def test_temperature_finds_how_far_logits_were_inflated() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (20_000, 5)).astype(np.float32)
    chance = softmax(logits)
    truth = (chance.cumsum(1) > rng.random((20_000, 1))).argmax(1)
    assert calibration.best_temperature(3 * logits, truth) == pytest.approx(3, rel=0.03)


def test_threshold_keeps_its_promise_and_stays_above_what_is_no_music() -> None:
    confidence = np.linspace(0.5, 1, 400, dtype=np.float32)
    rng = np.random.default_rng(0)
    truth = (rng.random(400) > confidence).astype(np.int64)
    probabilities = np.stack([confidence, 1 - confidence], 1)
    threshold = calibration.choose_threshold(probabilities, truth, np.full((3, 2), 0.5, np.float32))
    share, precision = metrics.tagged(probabilities, truth, threshold)
    assert precision >= calibration.PRECISION + calibration.MARGIN
    assert 0.2 < share < 0.7
    speech = np.array([[0.97, 0.03]], np.float32)
    assert calibration.choose_threshold(probabilities, truth, speech) > 0.97


# export


def test_export_folds_rounds_and_proves_itself(
    tmp_path: Path, learn: SliceDataset, check: SliceDataset
) -> None:
    training = Training(CONFIG, *heard(learn, check), seed=0)
    training.run_epoch()
    model = training.mean.eval()
    written = export.export(model, tmp_path)
    assert not written.spec.batch_norm
    windows = training.check_inputs
    with torch.no_grad():
        torch.testing.assert_close(written(windows).logits, model(windows).logits, atol=0.02, rtol=0)
    assert export.check_parity(written, tmp_path / bundle.GRAPH) < export.TOLERANCE
    from safetensors.torch import load_file

    state = load_file(tmp_path / bundle.WEIGHTS)
    assert {value.dtype for value in state.values()} == {torch.float16}

    import onnx

    graph = onnx.load(tmp_path / bundle.GRAPH)
    large = [t for t in graph.graph.initializer if np.prod(t.dims) >= export.SMALL]
    assert {t.data_type for t in large} <= {onnx.TensorProto.FLOAT16, onnx.TensorProto.INT64}
    weights = next(t for t in graph.graph.initializer if t.data_type == onnx.TensorProto.FLOAT16)
    weights.CopyFrom(
        onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(weights) + np.float16(0.1), weights.name)
    )
    onnx.save(graph, tmp_path / "broken.onnx")
    with pytest.raises(export.ParityError, match="differ"):
        export.check_parity(written, tmp_path / "broken.onnx")


def test_nothing_is_fitted_on_too_few_tracks_or_too_easy_ones() -> None:
    """A small folder's validation tracks were all right: a temperature of 0.02, and a hum 100 % sure."""
    truth = np.arange(600) % 3
    easy = 4 * np.eye(3, dtype=np.float32)[truth]
    owner = np.arange(600)
    hum = Predictions(np.array([[1.0, 0.0, 0.0]], np.float32), owner[:1], -np.ones(1, np.int64))
    for count in (24, 600):
        valid = Predictions(easy[:count], owner[:count], truth[:count])
        fitted = calibration.calibrate(valid, hum)
        assert (fitted.temperature, fitted.vote_temperature) == (1.0, 1.0)
        assert fitted.threshold == calibration.NEVER
    truth[::7] = 0  # some are wrong: now there is something to fit
    fitted = calibration.calibrate(Predictions(easy, owner, truth), hum)
    assert 0.1 < fitted.temperature < 10 and fitted.temperature != 1.0


def test_train_makes_a_bundle_that_loads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, index: Index
) -> None:
    source = replace(GTZAN, labels=("a", "b", "c"), spec=SPEC)
    made_up = Corpus(
        source,
        {"train": made_tracks(24, 0), "valid": made_tracks(12, 2), "test": made_tracks(12, 3)},
    )
    monkeypatch.setattr(train_bundle, "read_tracks", lambda *_, **__: made_up)
    for name, seed in (("training_negatives", 1), ("held_out_negatives", 4)):
        sounds_without_music = made_tracks(4, seed, labels=(-1,))
        monkeypatch.setattr(train_bundle, name, lambda _, made=sounds_without_music: made)
    seen: list[tuple[str, int]] = []
    told: list[str] = []
    config = replace(CONFIG, epochs=2, arguments=dict(CONFIG.arguments))
    other = replace(config, architecture="queens-cnn")
    made = train_bundle.train(
        out=tmp_path,
        seeds=(5, 6),
        first=(config, other),
        second=config,
        progress=lambda run, epoch, *_: seen.append((run, epoch)),
        tell=told.append,
    )
    generations = ("first-queens-parallel", "first-queens-cnn", "second-queens-parallel")
    assert seen == [(f"{g}-{s}", e) for g in generations for s in (5, 6) for e in (0, 1, 2)]
    record = json.loads((tmp_path / "second-queens-parallel-6" / jobs.RECORD).read_text())
    assert record["teachers"] == [f"{g}-{s}" for g in generations[:2] for s in (5, 6)]
    card = bundle.load(made.folder).card
    assert card.genre.labels == ("a", "b", "c")
    assert card.measured["test_over_seeds"]["seeds"] == [5, 6]
    assert card.genre.threshold is None, "twelve validation tracks promise nothing"
    assert told[:4] == [
        "Read 48 tracks of 3 genres: 24 to learn from, 12 to choose by, 12 to measure with.",
        "Round 1 of 2: 4 networks learn the genres.",
        "Round 2 of 2: 2 networks learn from the answers of those of round 1.",
        "Calibrating, measuring on the tracks kept for it, and writing the model.",
    ]
    assert len(told) == 5 and "this model never writes a genre by itself" in told[4]
    for name, y in (("hum", sounds.synthesise("hum", 9.0)), ("noise", pink_noise(9.0))):
        path = tmp_path / f"{name}.flac"
        sounds.write(path, y, "flac", "flac")
        _, event = scan([path], Tagger(made, "cpu"), index, Policy(), Inline())
        assert isinstance(event, Unsure)
        assert tags.read(path).genres == ()


def pink_noise(seconds: float) -> np.ndarray:
    """White noise whose power falls by 3 dB an octave."""
    n = round(seconds * sounds.SAMPLE_RATE)
    shape = np.fft.rfft(np.random.default_rng(0).standard_normal(n)) / np.sqrt(np.arange(1, n // 2 + 2))
    y = np.fft.irfft(shape, n)
    return np.tile(y / np.abs(y).max() / 2, (2, 1)).astype(np.float32)


def test_a_folder_of_audio_becomes_a_model_that_knows_its_genres(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is replaced between the audio and the answer, but for fewer and shorter sounds of no music."""
    monkeypatch.setattr(not_music, "LENGTH_S", 4.0)
    few = partial(not_music.make_negatives, each=1)
    monkeypatch.setattr(not_music, "make_negatives", lambda spec, seed, each=1: few(spec, seed))
    for genre, hz in (("drone", 150), ("whistle", 3000)):
        for n in range(10):
            tone(tmp_path / "music" / genre / f"{n}.wav", hz * (1 + n / 50), n)
    small = {"n_labels": 2, "channels": (4, 4), "pools": ((8, 3), (8, 3)), "units": 4, "dense": 8}
    config = replace(CONFIG, arguments=small, epochs=4, slices=8, batch=8, learning_rate=1e-2)
    made = train_bundle.train(
        "folder",
        audio=tmp_path / "music",
        keep=tmp_path / "mels.npz",
        out=tmp_path / "runs",
        seeds=(0,),
        first=(config,),
        second=config,
    )
    assert made.card.genre.names == ("Drone", "Whistle")
    assert made.card.measured["shipped"]["test"]["track_accuracy"] == 1.0
    heard = Tagger(bundle.load(made.folder), "cpu").predict(tone(tmp_path / "new.wav", 3300, 99))
    assert vote(made.card.genre, heard.heads["genre"].probabilities).best() == ("Whistle",)
    again = read_tracks(FOLDER, features=tmp_path / "mels.npz")
    assert all(made.card.split[part] == len(tracks) > 0 for part, tracks in again.parts.items())


def tone(path: Path, hz: float, seed: int) -> Path:
    """Write 3.3 s of a tone in noise."""
    rate, rng = 22_050, np.random.default_rng(seed)
    t = np.arange(round(3.3 * rate)) / rate
    y = 0.3 * np.sin(2 * np.pi * hz * t) + 0.01 * rng.standard_normal(len(t))
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes((32_000 * y).astype("<i2"))
    return path
