"""Nearest songs, genre arithmetic, playlists, and the layout of the map, on points whose answer is known."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from mgtag.errors import UsageError
from mgtag.explore.layout import positions
from mgtag.explore.playlist import playlist
from mgtag.explore.space import Space, blend, load_space
from mgtag.library.index import Index
from mgtag.library.outcome import Outcome
from mgtag.library.records import Answer, Track
from mgtag.prediction import HeadOutput, Prediction

GENRES = ("Blues", "Jazz", "Metal", "Pop")
BUNDLE = "made-up@12345678"


@pytest.fixture
def library(index: Index) -> Index:
    """Hold forty songs in four heaps, one a genre; the fifth dimension is the same for all."""
    rng = np.random.default_rng(0)
    run = index.begin_run("music", BUNDLE)
    for n in range(40):
        genre = n % 4
        place = np.zeros((1, 5), np.float32)
        place[0, genre], place[0, 4] = 3, 7
        place[0, :4] += rng.normal(0, 0.3, 4)
        labels = tuple(g.lower() for g in GENRES)
        shares = np.full((1, 4), 0.1, np.float32)
        shares[0, genre] = 0.7
        heads = {"genre": HeadOutput(labels, shares)}
        track = Track(
            Path(f"/music/{n:02}.mp3").absolute(), 1, 1, BUNDLE, run,
            duration_s=200, artist=f"Artist {n // 8}", title=f"Song {n}",
            answers={"genre": (Answer(GENRES[genre], 0.7),)}, outcome=Outcome.UNSURE,
        )  # fmt: skip
        index.record(track, Prediction(np.zeros(1, np.float32), heads, None, place))
    return index


@pytest.fixture
def space(library: Index) -> Space:
    return load_space(library)


def test_the_nearest_songs_are_of_the_same_heap(space: Space) -> None:
    found = space.nearest(space.vectors[0], 9, [0])
    assert len(found) == 9
    assert {space.tracks[n].genre for n, _ in found} == {"Blues"}
    assert [c for _, c in found] == sorted((c for _, c in found), reverse=True)
    assert found[0][1] == pytest.approx(max(np.delete(space.vectors @ space.vectors[0], 0)), abs=1e-6)


def test_asking_for_more_than_there_are_gives_all(space: Space) -> None:
    assert len(space.nearest(space.vectors[0], 1000, [0])) == 39


def test_genres_add_up(space: Space) -> None:
    both = [space.tracks[n].genre for n, _ in space.nearest(blend(space, [], ["blues", "Pop"]), 20)]
    assert set(both) == {"Blues", "Pop"}
    away = space.nearest(blend(space, [0], ["jazz"], ["BLUES"]), 10)
    assert {space.tracks[n].genre for n, _ in away} == {"Jazz"}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("n", [1, 2])
def test_a_library_of_hardly_a_song_has_a_map(index: Index, library: Index, n: int) -> None:
    index.set_gone([track.path.as_posix() for track in library.tracks()][n:])
    points, _ = positions(load_space(index), "auto")
    assert points.shape == (n, 2) and np.isfinite(points).all()


def test_a_genre_that_was_not_heard_is_a_sentence(space: Space) -> None:
    with pytest.raises(UsageError, match="heard were Blues, Jazz, Metal, Pop"):
        space.genre("Polka")


def test_a_song_that_was_not_heard_is_a_sentence(space: Space, tmp_path: Path) -> None:
    assert space.find(Path("/music/07.mp3")) == 7
    with pytest.raises(UsageError, match="there is no such file"):
        space.find(Path("/music/nowhere.mp3"))
    (tmp_path / "new.mp3").touch()
    with pytest.raises(UsageError, match=r"mgtag scan --no-tags"):
        space.find(tmp_path / "new.mp3")


def test_a_library_that_was_not_heard_is_a_sentence(index: Index, library: Index) -> None:
    assert load_space(library, "made-up").bundle == BUNDLE
    with pytest.raises(UsageError, match="heard by musicnn"):
        load_space(library, "musicnn")
    with Index() as empty, pytest.raises(UsageError, match="No track was heard yet"):
        load_space(empty)


def test_a_playlist_is_near_long_enough_and_changes_artists(space: Space) -> None:
    numbers = playlist(space, [3, 7], 1500)
    assert numbers[0] == 3 and 7 in numbers
    assert len(numbers) == len(set(numbers)) == 8  # of 200 s each
    artists = [space.tracks[n].artist for n in numbers]
    assert all(a != b for a, b in pairwise(artists))
    assert sum(space.tracks[n].genre == "Pop" for n in numbers) >= 6


def test_a_playlist_ends_where_nothing_may_follow(space: Space) -> None:
    alone = [track._replace(artist="The Only One") for track in space.tracks]
    assert playlist(Space(BUNDLE, alone, space.vectors), [0], 3600) == [0]


def test_two_recordings_of_a_song_are_one(space: Space) -> None:
    twice = [t._replace(title="Again", artist=f"Somebody {n % 2}") for n, t in enumerate(space.tracks)]
    assert len(playlist(Space(BUNDLE, twice, space.vectors), [0], 3600)) == 2


@pytest.mark.parametrize("method", ["pca", "tsne"])
def test_the_map_keeps_heaps_together(space: Space, method: str) -> None:
    if method == "tsne":
        pytest.importorskip("sklearn")
    points, taken = positions(space, method)  # type: ignore[arg-type]
    assert (taken, points.shape, points.min(), points.max()) == (method, (40, 2), 0, 1)
    genre = np.array([track.genre for track in space.tracks])
    middles = {g: points[genre == g].mean(axis=0) for g in GENRES}
    nearest = [min(GENRES, key=lambda g: float(np.linalg.norm(p - middles[g]))) for p in points]
    assert np.mean(np.array(nearest) == genre) >= 0.9
