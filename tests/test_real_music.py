"""What issue 2 promises of the shipped bundle, on music that may not be committed.

Looks for the data beside the checkout; skips, and says so, where it is not.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mgtag import bundle, tags
from mgtag.features import standardise
from mgtag.inference import Tagger, _onnx
from mgtag.vote import Vote, softmax, vote

SHARED = Path(__file__).parents[2] / "shared" / "data"
GTZAN, SONGS = SHARED / "gtzan", SHARED / "songs"
SPLITS = Path(__file__).parents[1] / "train" / "mgtag_train" / "data" / "splits"

with_gtzan = pytest.mark.skipif(
    not GTZAN.is_dir(), reason="GTZAN is not beside the checkout (../shared/data/gtzan)"
)
with_songs = pytest.mark.skipif(
    not SONGS.is_dir(), reason="no songs beside the checkout (../shared/data/songs)"
)


@pytest.fixture(scope="module")
def tagger() -> Tagger:
    return Tagger(bundle.load(bundle.SHIPPED / "gtzan-parallel-1"), "cpu")


@pytest.fixture(scope="module")
def answers(tagger: Tagger) -> dict[str, Vote]:
    """The shipped bundle's votes for the test tracks, from mel.npz."""
    card = tagger.bundle.card
    network = _onnx(tagger.bundle)
    cache = np.load(GTZAN / "mel.npz")
    rows = {str(name): row for row, name in enumerate(cache["name"])}
    mels, found = cache["mel"], {}
    for line in (SPLITS / "test_filtered.txt").read_text().split():
        name = Path(line).stem
        mel = mels[rows[name]].astype(np.float32) / 255 * 80
        n = card.mel.n_frames
        tiles = np.stack([mel[:, i : i + n] for i in range(0, mel.shape[1] - n + 1, n)])
        x = standardise(tiles, card.mel.top_db)
        found[name] = vote(card.genre, softmax(network(x)["genre"], card.genre.temperature))
    return found


@with_gtzan
def test_the_card_tells_the_truth_about_the_test_tracks(answers: dict[str, Vote], tagger: Tagger) -> None:
    card = tagger.bundle.card
    told = card.measured["shipped"]["test"]
    right = {name: v.best()[0] == card.genre.written[name.split(".")[0]] for name, v in answers.items()}
    sure = [name for name, v in answers.items() if v.passes(card.genre.threshold)]
    assert len(answers) == 290
    assert np.mean(list(right.values())) == pytest.approx(told["track_accuracy"], abs=0.011)
    assert np.mean(list(right.values())) >= 0.66
    assert np.mean([right[name] for name in sure]) >= 0.85
    assert len(sure) / len(answers) == pytest.approx(told["tagged_share"], abs=0.02)


@with_gtzan
def test_the_default_models_card_tells_the_truth_about_them_too() -> None:
    model = bundle.load(bundle.SHIPPED / bundle.DEFAULT)
    head, cache = model.card.genre, np.load(GTZAN / "mel.npz")
    rows = {str(name): row for row, name in enumerate(cache["name"])}
    names = [Path(line).stem for line in (SPLITS / "test_filtered.txt").read_text().split()]
    ten = np.array([label in {name.split(".")[0] for name in names} for label in head.labels])
    network, mels, n, right = _onnx(model), cache["mel"], model.card.mel.n_frames, []
    for name in names:
        mel = mels[rows[name]].astype(np.float32) / 255 * 80
        tiles = np.stack([mel[:, i : i + n] for i in range(0, mel.shape[1] - n + 1, n)])
        logits = network(standardise(tiles, model.card.mel.top_db))["genre"]
        votes = vote(head, softmax(logits / np.float32(head.temperature))).probabilities
        right.append(head.labels[int(np.where(ten, votes, 0).argmax())] == name.split(".")[0])
    told = model.card.measured["shipped"]["test"]["gtzan_track_accuracy"]
    assert np.mean(right) == pytest.approx(told, abs=0.011)


@with_gtzan
def test_audio_and_mel_cache_give_the_same_answer(answers: dict[str, Vote], tagger: Tagger) -> None:
    card = tagger.bundle.card
    same = []
    for name, expected in answers.items():
        path = GTZAN / "audio" / name.split(".")[0] / f"{name}.opus"
        if path.exists():
            heard = tagger.predict(path)
            same.append(vote(card.genre, heard.heads["genre"].probabilities).best() == expected.best())
    assert len(same) >= 100
    assert np.mean(same) >= 0.95


@with_songs
def test_songs_with_a_genre_of_their_own_keep_it(tmp_path: Path) -> None:
    copies = _copies(tmp_path)
    before = {copy: copy.read_bytes() for copy in copies}
    done = _mgtag("scan", tmp_path, "--json", "--index", tmp_path / "index.db")
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0
    assert {Path(e["path"]) for e in events} == set(copies)
    assert {e["event"] for e in events} == {"kept"}
    assert all(copy.read_bytes() == before[copy] for copy in copies)


@with_songs
def test_songs_are_tagged_when_told_so_and_put_back(tmp_path: Path) -> None:
    """All six have a genre, so the scan is told to replace it and to be bold."""
    copies = _copies(tmp_path)
    before = {copy: copy.read_bytes() for copy in copies}
    options = ["--overwrite", "--threshold", "0", "--index", tmp_path / "index.db"]
    assert _mgtag("scan", tmp_path, *options).returncode == 0
    changed = [copy for copy in copies if copy.read_bytes() != before[copy]]
    assert len(changed) >= 3  # a song that says already what is heard in it stays as it is
    assert all(tags.read(copy).ours("genre") for copy in changed)
    assert _mgtag("undo", "--index", tmp_path / "index.db").returncode == 0
    assert all(copy.read_bytes() == before[copy] for copy in copies)


def _copies(folder: Path) -> list[Path]:
    """Copy the six songs, writable wherever they came from."""
    songs = [song for song in SONGS.iterdir() if song.suffix in {".mp3", ".ogg"}]
    return [Path(shutil.copyfile(song, folder / song.name)) for song in songs]


def _mgtag(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from mgtag.cli import main; main()", *arguments]
    return subprocess.run(command, capture_output=True, text=True)
