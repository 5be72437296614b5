"""Data sets on disk, in small trees of the layout of the real ones."""

from __future__ import annotations

import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import sounds

torch = pytest.importorskip("torch")

from mgtag_train.data import clips, reading, splitting  # noqa: E402
from mgtag_train.data.clips import Clip  # noqa: E402
from mgtag_train.data.sources import FMA_MEDIUM, FMA_SMALL, FOLDER, GTZAN, HOMBURG, SOURCES  # noqa: E402
from mgtag_train.data.tracks import MelTrack, SliceDataset, load_cache, save_cache  # noqa: E402
from mgtag_train.lab.experiments import EXPERIMENTS  # noqa: E402
from mgtag_train.lab.tasks import Inputs, MusicTask  # noqa: E402
from mgtag_train.learn import augment  # noqa: E402
from mgtag_train.learn.config import NONE  # noqa: E402

from mgtag.errors import UsageError  # noqa: E402
from mgtag.formats import SUFFIXES  # noqa: E402

TRACKS = """,album,set,set,track,track
,title,split,subset,genre_top,title
track_id,,,,,
2,"A, long
title",training,small,Hip-Hop,One
5,B,validation,small,Rock,Two
10,C,test,medium,Old-Time / Historic,Three
140,D,training,large,Rock,Four
141,E,training,small,,Five
1486,F,training,small,Rock,Gone
99134,G,training,small,Rock,No sound
133297,H,test,small,Rock,Short
133298,I,test,small,Rock,Eight
"""


def sound(path: Path, seconds: float = 3.3, seed: int = 0, **more: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return sounds.make(path, seconds, seed=seed, channels=1, sample_rate=22_050, **more)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def fma(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("fma")
    (root / "fma_metadata").mkdir()
    (root / "fma_metadata" / "tracks.csv").write_text(TRACKS)
    for size in ("small", "medium"):
        for name in ("000/000002", "000/000005", "000/000010", "000/000140", "133/133298"):
            sound(root / f"fma_{size}" / f"{name}.mp3")
        sound(root / f"fma_{size}" / "133/133297.mp3", 1.0)
        (root / f"fma_{size}" / "099").mkdir()
        (root / f"fma_{size}" / "099" / "099134.mp3").write_bytes(b"no sound at all")
    return root


def test_fma_has_its_own_parts_and_leaves_out_what_cannot_be_heard(fma: Path) -> None:
    told: list[tuple[str, int, int]] = []
    read = reading.read_tracks(FMA_SMALL, audio=fma, progress=lambda *row: told.append(row))
    assert {part: [track.name for track in tracks] for part, tracks in read.parts.items()} == {
        "train": ["Hip-Hop.000002"],
        "valid": ["Rock.000005"],
        "test": ["Rock.133298"],
    }
    assert read.parts["valid"][0].label == FMA_SMALL.labels.index("Rock")
    gone, silent, short = sorted(read.left_out)
    assert "001486.mp3: the clip is missing" in gone
    assert "099134.mp3" in silent
    assert "133297.mp3: 1.0 s are shorter than one window" in short
    assert told[-1] == ("reading fma-small", 6, 6)


def test_fma_medium_holds_the_small_ones_too_and_no_genre_has_a_slash_in_its_name(fma: Path) -> None:
    _, found = clips.find_clips(FMA_MEDIUM, fma)
    assert len(found) == 7
    assert "Old-Time - Historic.000010" in [clip.name for clip in found]
    assert clips.find_clips(FMA_MEDIUM, fma / "fma_medium")[1] == found


def test_a_table_that_is_another_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="fma_metadata"):
        clips.find_clips(FMA_SMALL, tmp_path)
    (tmp_path / "tracks.csv").write_text("track_id,genre\n2,Rock\n")
    with pytest.raises(UsageError, match=r"not the tracks\.csv"):
        clips.find_clips(FMA_SMALL, tmp_path)


def test_homburg_keeps_every_artist_on_one_side(tmp_path: Path) -> None:
    for genre in HOMBURG.labels:
        for n in range(50):
            path = tmp_path / genre / f"{genre}_{n // 2}-Song_{n}.mp3"
            path.parent.mkdir(exist_ok=True)
            path.touch()
    source, found = clips.find_clips(HOMBURG, tmp_path, seed=1)
    assert source == HOMBURG and len(found) == 450
    sides = {clip.artist: {other.part for other in found if other.artist == clip.artist} for clip in found}
    assert len(sides) == 225 and all(len(parts) == 1 for parts in sides.values())
    assert Counter(clip.part for clip in found) == {"train": 288, "valid": 72, "test": 90}
    for part in reading.PARTS:
        assert len(set(Counter(clip.label for clip in found if clip.part == part).values())) == 1
    assert (
        clips.find_clips(HOMBURG, tmp_path, seed=1)[1]
        == found
        != clips.find_clips(HOMBURG, tmp_path, seed=2)[1]
    )
    (tmp_path / "rock").rename(tmp_path / "rocks")
    with pytest.raises(UsageError, match="rock: there is no music of this genre"):
        clips.find_clips(HOMBURG, tmp_path)


def test_garageband_experiments_have_five_of_its_genres_from_a_folder_or_kept_features(
    tmp_path: Path,
) -> None:
    root, kept = tmp_path / "homburg", tmp_path / "homburg.npz"
    songs = [sound(tmp_path / f"{n // 2}-Song_{n}.flac", seed=n) for n in range(20)]
    for genre in HOMBURG.labels:
        (root / genre).mkdir(parents=True)
        for song in songs:
            shutil.copyfile(song, root / genre / f"{genre}_{song.name}")
    save_cache(kept, reading.read_tracks(HOMBURG, audio=root).parts, HOMBURG)
    task = EXPERIMENTS["homburg-parallel"].task
    assert isinstance(task, MusicTask)
    with pytest.raises(UsageError, match="the Garageband clips of Homburg and others: --homburg DIR"):
        task.parts("leaking", 0, Inputs())
    for place in (root, kept):
        inputs = Inputs(homburg=place)
        found = {split: task.parts(split, 0, inputs) for split in ("leaking", "artists")}
        for parts in found.values():
            for tracks in parts.values():
                genres = {track.name.split(".")[0]: track.label for track in tracks}
                assert genres == {genre: n for n, genre in enumerate(task.labels)}
        artists = {part: {t.name.split("-")[0] for t in found["artists"][part]} for part in reading.PARTS}
        assert sum(map(len, artists.values())) == len(set.union(*artists.values()))
        assert [len(tracks) for tracks in found["leaking"].values()] == [64, 16, 20]  # slices
    with pytest.raises(UsageError, match="there is no such folder"):
        task.parts("artists", 0, Inputs(homburg=tmp_path / "nowhere"))


def test_any_folder_tells_its_genres_and_its_tags_the_artists(tmp_path: Path) -> None:
    for genre in ("dub", "ska"):
        for n in range(10):
            tags = {"artist": f"{genre} {n // 2}"}
            sound(tmp_path / genre / "album" / f"{n}.{'mp3' if n % 2 else 'flac'}", 0.2, n, tags=tags)
    (tmp_path / "empty").mkdir()
    source, found = clips.find_clips(FOLDER, tmp_path)
    assert source.labels == ("dub", "ska")
    assert found[0].name == "dub.album:0.flac" and found[0].artist == "dub 0"
    for artist in {clip.artist for clip in found}:
        assert len({clip.part for clip in found if clip.artist == artist}) == 1


@pytest.mark.parametrize("suffix", sorted(SUFFIXES))
def test_every_file_that_scan_takes_is_trained_on(tmp_path: Path, suffix: str) -> None:
    for genre in ("dub", "ska"):
        for n in range(10):
            path = tmp_path / genre / f"{n}{suffix.upper() if n % 2 else suffix}"
            path.parent.mkdir(exist_ok=True)
            path.touch()
    _, found = clips.find_clips(FOLDER, tmp_path)
    assert len(found) == 20


def test_a_genre_by_few_artists_is_shared_out_song_by_song() -> None:
    labels = [0] * 30 + [1] * 30
    parts = splitting.draw_parts([str(n) for n in range(60)], labels, ["one"] * 60, ("a", "b"), 0)
    assert {*zip(labels, parts, strict=True)} == {(i, part) for i in (0, 1) for part in reading.PARTS}


def test_too_little_music_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such folder"):
        clips.find_clips(FOLDER, tmp_path / "nowhere")
    with pytest.raises(UsageError, match="two genres"):
        clips.find_clips(FOLDER, tmp_path)
    with pytest.raises(UsageError, match="a: 9 clips are too few"):
        splitting.draw_parts(list("abcdefghi"), [0] * 9, [""] * 9, ("a",), 0)
    with pytest.raises(UsageError, match="--features"):
        reading.read_tracks(HOMBURG)


def test_of_a_long_file_its_middle_is_heard(tmp_path: Path) -> None:
    path = sound(tmp_path / "long.flac", 36.0)
    track = reading.load_clip(Clip("a.long", 0, path), GTZAN.spec)
    whole = reading.quantise("", 0, reading.log_mel(reading.load(path)[3 * 22_050 : 33 * 22_050], GTZAN.spec))
    assert isinstance(track, MelTrack)
    assert track.mel.shape == whole.mel.shape == (128, 387)
    assert np.abs(track.mel.astype(int) - whole.mel).mean() < 1


def test_what_was_heard_is_kept(fma: Path, tmp_path: Path) -> None:
    read = reading.read_tracks(FMA_SMALL, audio=fma)
    save_cache(tmp_path / "fma.npz", read.parts, read.source)
    again = reading.read_tracks(FMA_SMALL, features=tmp_path / "fma.npz")
    for part, tracks in read.parts.items():
        for track, other in zip(tracks, again.parts[part], strict=True):
            np.testing.assert_array_equal(track.mel, other.mel)
            assert (track.name, track.label) == (other.name, other.label)
            assert track.range_db == pytest.approx(other.range_db)
    with pytest.raises(UsageError, match="other genres"):
        load_cache(tmp_path / "fma.npz", FMA_MEDIUM)
    with pytest.raises(UsageError, match="hop"):
        load_cache(tmp_path / "fma.npz", replace(FMA_SMALL, spec=replace(FMA_SMALL.spec, hop=512)))
    with pytest.raises(UsageError, match="cannot be written"):
        save_cache(tmp_path / "fma.npz" / "x.npz", read.parts, read.source)
    folder = reading.read_tracks(FOLDER, features=tmp_path / "fma.npz")
    assert folder.source.labels == FMA_SMALL.labels


def tracks(*frames: int) -> list[MelTrack]:
    rng = np.random.default_rng(0)
    return [MelTrack(f"a.{i}", 0, rng.integers(1, 255, (128, n), np.uint8)) for i, n in enumerate(frames)]


def test_clips_of_unequal_length_are_heard_to_their_own_ends() -> None:
    some = tracks(39, 387, 129)
    dataset = SliceDataset(some, GTZAN.spec)
    windows, owner = dataset.tiles()
    assert owner.tolist() == [0] + [1] * 9 + [2] * 3
    alone, _ = SliceDataset(some[2:], GTZAN.spec).tiles()
    torch.testing.assert_close(windows[owner == 2], alone)
    which = torch.arange(3).repeat(400)
    drawn = augment.columns(
        len(which), dataset.frames[which], 39, replace(NONE, speed=0.2), torch.Generator().manual_seed(0)
    )
    assert drawn.min() == 0
    lasts = [int(drawn[which == i].max()) for i in range(3)]
    assert lasts[0] == 38 and 300 < lasts[1] <= 386 and lasts[2] == 128


def test_clips_of_nearly_the_same_length_are_cut_to_the_shortest() -> None:
    dataset = SliceDataset(tracks(380, 387), GTZAN.spec)
    assert dataset.frames.tolist() == [380, 380] and dataset.mel.shape[2] == 380
    with pytest.raises(UsageError, match=r"a\.1: the track is shorter"):
        SliceDataset(tracks(380, 38), GTZAN.spec)


def test_every_source_says_whose_it_is() -> None:
    assert set(SOURCES) == {"gtzan", "fma-small", "fma-medium", "fma-large", "fma-full", "homburg", "folder"}
    assert [len(SOURCES[name].labels) for name in ("fma-small", "fma-medium", "homburg")] == [8, 16, 9]
    for source in SOURCES.values():
        assert source.citation and source.licence and (source.url or source is FOLDER)
