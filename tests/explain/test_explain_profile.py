"""A genre's attention over its tracks, from the index."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import tiny_bundle
from known import known
from typer.testing import CliRunner

from mgtag.card import Card
from mgtag.cli.app import app
from mgtag.errors import UsageError
from mgtag.explain.attention_profile import STEPS, profile, track_profile
from mgtag.features import MelSpec
from mgtag.library.index import Index
from mgtag.prediction import Prediction

LABELS = ("blues", "jazz", "metal")
MEL = MelSpec()
CARD = Card("b", {"genre": tiny_bundle.HEAD}, MEL, "none", {})
SLICE_S, FRAMES = MEL.slice_s, MEL.n_frames
DURATION_S = 10 * SLICE_S


def heard(peak_s: float, duration_s: float = DURATION_S, share: float = 0.8) -> Prediction:
    """A track of metal with all attention of each slice on the frame nearest to one time."""
    count = round(duration_s / SLICE_S)
    starts_s = (np.arange(count) * SLICE_S).astype(np.float32)
    attention = np.full((count, FRAMES), 1 / FRAMES, np.float32)
    row = int(peak_s / SLICE_S)
    attention[row] = 0
    attention[row, int((peak_s - row * SLICE_S) / SLICE_S * FRAMES)] = 1
    shares = np.tile(np.array([0.1, 0.1, share], np.float32), (count, 1))
    return tiny_bundle.prediction(LABELS, starts_s, shares, attention, np.zeros((count, 2), np.float32))


def put(index: Index, name: str, prediction: Prediction, genre: str = "Metal", bundle: str = "b@1") -> None:
    index.record(known(name, genre, 0.8, bundle=bundle, duration_s=DURATION_S), prediction)


@pytest.mark.parametrize("peak_s", [1.0, 16.0, 29.9])
def test_a_peak_falls_into_the_step_of_its_time(peak_s: float) -> None:
    found = track_profile(heard(peak_s), 2, SLICE_S)
    assert found.shape == (STEPS,)
    assert int(found.argmax()) == int(peak_s / DURATION_S * STEPS)
    assert found.mean() == pytest.approx(1, rel=1e-5)


def test_a_slice_that_heard_another_genre_does_not_count() -> None:
    given = heard(1.0)
    shares = given.heads["genre"].probabilities
    shares[5:, 2], shares[5:, 0] = 0.1, 0.8
    found = track_profile(given, 2, SLICE_S)
    assert found[10:].max() == 0 and found[2:10].min() > 0


def test_what_was_not_heard_at_the_end_leaves_no_step_empty() -> None:
    """Of a clip of 30 s, nine slices are heard; attention at the edge of a slice is no peak of the track."""
    given = heard(1.0, 9 * SLICE_S)
    given.attention[:] = 1 / FRAMES
    np.testing.assert_allclose(track_profile(given, 2, SLICE_S), 1, rtol=1e-4)


def test_slices_that_overlap_count_once_for_their_time() -> None:
    once, given = track_profile(heard(16.0), 2, SLICE_S), heard(16.0)
    twice = tiny_bundle.prediction(
        LABELS,
        np.repeat(given.starts_s, 2),
        np.repeat(given.heads["genre"].probabilities, 2, axis=0),
        np.repeat(given.attention, 2, axis=0),
        np.repeat(given.embedding, 2, axis=0),
    )
    np.testing.assert_allclose(track_profile(twice, 2, SLICE_S), once, rtol=1e-5)


def test_the_profile_averages_the_tracks_of_the_genre_and_model(index: Index) -> None:
    for n, peak_s in enumerate((2.0, 16.0, 29.0)):
        put(index, f"/{n}.mp3", heard(peak_s))
    put(index, "/other.mp3", heard(10.0), genre="Jazz")
    put(index, "/older.mp3", heard(10.0), bundle="b@0")
    found = profile(index, "b@1", CARD, "METAL")
    assert (found.genre, found.tracks) == ("Metal", 3)
    assert found.top == (1, 10, 19)


def test_a_genre_that_nobody_heard_is_said_so(index: Index) -> None:
    with pytest.raises(UsageError, match="no track that b@1 heard as 'polka'"):
        profile(index, "b@1", CARD, "polka")


def test_the_command_shows_the_three_steps_of_most_attention(tmp_path: Path) -> None:
    model = tiny_bundle.make(tmp_path / "model", mel=MEL)
    path = tmp_path / "index.db"
    with Index(path) as store:
        for n, peak_s in enumerate((2.0, 16.0, 29.0)):
            put(store, f"/{n}.mp3", heard(peak_s), bundle=model.id)
    arguments = ["explain", "--genre", "metal", "--model", str(model.folder), "--index", str(path)]
    text = CliRunner().invoke(app, arguments).stdout
    assert "Metal, attention over 3 tracks" in text
    assert "Top three of 20 steps: 1, 10, 19." in text
    marks = next(line for line in text.splitlines() if line.startswith("top "))
    assert [n for n, c in enumerate(marks[7::3]) if c == "▲"] == [1, 10, 19]
    row = json.loads(CliRunner().invoke(app, [*arguments, "--json"]).stdout)
    assert (row["genre"], row["top"], len(row["weights"])) == ("Metal", [1, 10, 19], STEPS)
