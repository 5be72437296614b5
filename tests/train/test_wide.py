"""A student, its targets, and the calibration on music of any genre."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("sklearn")
pytest.importorskip("soxr")

from mgtag_train.data.outside import LABELS, MOODS, Piece  # noqa: E402
from mgtag_train.learn import linear_probe, outside_evaluation, sound_changes  # noqa: E402
from mgtag_train.learn.outside_calibration import NEVER, Sample, calibrate, calibrate_alike  # noqa: E402
from mgtag_train.learn.student import Student, Targets, Widths, network_state  # noqa: E402
from mgtag_train.ship import export  # noqa: E402

from mgtag.models import build  # noqa: E402

SMALL = {
    "n_labels": len(LABELS),
    "n_mels": 32,
    "n_frames": 16,
    "channels": (8, 8),
    "pools": ((4, 1), (4, 4)),
    "units": 8,
    "dense": 16,
    "hidden": 12,
    "stem": 6,
    "moods": len(MOODS),
    "batch_norm": True,
}
WIDTHS = Widths(len(LABELS), len(MOODS), 5, 7)


def made_targets(n: int, has_teacher: float) -> Targets:
    """Return targets of classical, calm pieces; what a teacher would add is noise."""
    random = torch.Generator().manual_seed(0)
    return Targets(
        genre=torch.eye(len(LABELS))[torch.full((n,), 1)],
        possible=torch.ones(n, len(LABELS)),
        teacher_genre=torch.zeros(n, len(LABELS)),
        mood=torch.eye(len(MOODS))[torch.full((n,), 3)],
        teacher_mood=torch.zeros(n, len(MOODS)),
        tags=torch.rand(n, 5, generator=random),
        embedding=torch.randn(n, 7, generator=random),
        has_teacher=torch.full((n, 1), has_teacher),
    )


def student() -> Student:
    """A small one."""
    torch.manual_seed(0)
    return Student(build("queens-parallel", SMALL), torch.full((5,), 0.1), WIDTHS)


def test_a_striding_stem_has_the_size_of_a_pooled_one_and_exports(tmp_path: Path) -> None:
    network = build("queens-parallel", SMALL).eval()
    pooled = build("queens-parallel", SMALL | {"stem": 0}).eval()
    windows = torch.randn(2, 32, 16)
    assert network(windows).attention.shape == pooled(windows).attention.shape == (2, 16)
    written = export.export(network, tmp_path)
    answer = written.answer(windows)
    assert set(answer) == {"genre", "mood", "attention", "embedding"}
    torch.testing.assert_close(answer["mood"], network(windows).heads["mood"], atol=0.02, rtol=0.02)


def test_a_lesson_survives_being_joined() -> None:
    one = made_targets(3, 1.0)
    two = WIDTHS.split(one.joined())
    for name in vars(one):
        torch.testing.assert_close(getattr(one, name), getattr(two, name))


def test_a_student_learns_its_lesson_and_leaves_its_extra_heads_behind() -> None:
    pupil, windows, targets = student(), torch.randn(8, 32, 16), made_targets(8, 1.0).joined()
    before = float(pupil.loss(windows, targets).detach())
    optimiser = torch.optim.Adam(pupil.parameters(), 1e-2)
    for _ in range(30):
        optimiser.zero_grad()
        pupil.loss(windows, targets).backward()
        optimiser.step()
    assert float(pupil.loss(windows, targets).detach()) < 0.6 * before
    pupil.eval()
    assert (pupil(windows).logits.argmax(1) == 1).all() and (
        pupil(windows).heads["mood"].argmax(1) == 3
    ).all()
    network = build("queens-parallel", SMALL).eval()
    network.load_state_dict(network_state(pupil.state_dict()))
    torch.testing.assert_close(network(windows).logits, pupil(windows).logits)


def test_a_missing_label_is_no_negative() -> None:
    pupil, windows = student().eval(), torch.randn(4, 32, 16)
    known = made_targets(4, 0.0)
    ten = torch.ones_like(known.possible)
    ten[:, 4:] = 0
    known = Targets(**{**vars(known), "possible": ten, "mood": torch.zeros(4, len(MOODS))})
    pupil.loss(windows, known.joined()).backward()
    gradient = pupil.network.classifier[1].bias.grad
    assert (gradient[4:] == 0).all() and (gradient[:4] != 0).all()
    assert (pupil.network.mood[1].bias.grad == 0).all()
    assert (pupil.taught_tags.bias.grad == 0).all()


def test_a_probe_finds_directions_and_ignores_unknown_rows() -> None:
    rng = np.random.default_rng(0)
    labels = np.arange(90) % 3
    embedding = (np.eye(3, 6)[labels] * 4 + rng.standard_normal((90, 6))).astype(np.float32)
    labels[:9] = -1
    head = linear_probe.fit(embedding, labels, np.ones((90, 3), np.float32), 1.0)
    assert (head.logits(embedding).argmax(1)[9:] == labels[9:]).mean() > 0.95


def test_folds_keep_a_group_together() -> None:
    fold = linear_probe.folds_of(["a", "b", "a", "c", "b"])
    assert fold[0] == fold[2] and fold[1] == fold[4]


def sample(confident: list[int], truth: list[int], sure: float = 6.0) -> Sample:
    """One slice a track, all of the same confidence in the label given."""
    logits = (sure * np.eye(len(LABELS)))[confident].astype(np.float32)
    labels = np.array(truth)
    right = np.eye(len(LABELS), dtype=bool)[labels]
    right[labels == len(LABELS) - 1] = False
    return Sample(logits, np.arange(len(labels)), labels, right, np.ones_like(right), 1.0)


def test_a_threshold_that_keeps_its_promise_is_found_and_one_that_cannot_is_never() -> None:
    good = sample([n % 15 for n in range(60)], [n % 15 for n in range(60)])
    assert calibrate([good]).threshold < 0.9
    bad = sample([n % 15 for n in range(60)], [(n + n % 2) % 15 for n in range(60)])
    assert calibrate([bad]).threshold == NEVER
    speech = sample([n % 15 for n in range(60)], [n % 15 if n % 4 else 15 for n in range(60)])
    assert calibrate([speech]).threshold == NEVER


def test_the_promise_is_kept_over_all_seeds_and_not_by_the_luckiest() -> None:
    labels = [n % 15 for n in range(60)]
    lucky, unlucky = sample(labels, labels), sample(labels, [(n + (n % 3 == 0)) % 15 for n in range(60)])
    assert calibrate([lucky]).threshold < 0.9
    assert [how.threshold for how in calibrate_alike([[lucky], [unlucky]])] == [NEVER, NEVER]
    one, other = calibrate_alike([[lucky], [sample(labels, labels, sure=3.0)]])
    assert one.threshold == other.threshold < 0.9 and one.temperature != other.temperature


def test_figures_count_every_tag() -> None:
    def piece(genre: str) -> Piece:
        return Piece(Path(f"{genre}.opus"), "test", genre, "", "", "x")

    pieces = [piece(genre) for genre in ("punk", "rock", "world", "spoken")]
    votes = np.full((4, len(LABELS)), 0.01, np.float32)
    for row, label in zip(votes, ("rock", "rock", "jazz", "pop"), strict=True):
        row[LABELS.index(label)] = 0.85
    found = outside_evaluation.figures(votes, pieces, 0.5)
    assert found["coverage"] == 1
    assert found["precision"] == pytest.approx(1 / 4)
    assert found["accepted"] == pytest.approx(2 / 4)
    assert (found["not_music"], found["not_music_tagged"]) == (1, 1)
    assert found["genre_accuracy"] == pytest.approx(1 / 2)


def test_a_changed_sound_keeps_its_length_and_comes_again() -> None:
    y = np.random.default_rng(0).standard_normal(24_000).astype(np.float32)
    one, two = (sound_changes.change(y, np.random.default_rng(1)) for _ in range(2))
    np.testing.assert_array_equal(one, two)
    assert one.shape == y.shape and one.dtype == np.float32
    assert not np.array_equal(one, y)
