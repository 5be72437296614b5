"""`mgtag learn`: from files that were tagged by hand to a model that scans, and every mistake in between."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from doubles import Inline
from mutagen.flac import FLAC
from running import Run
from sounds import Song

from mgtag import api, bundle, tags
from mgtag.bundle import Bundle
from mgtag.errors import UsageError
from mgtag.inference import Tagger
from mgtag.install.graph import outputs
from mgtag.learn.learning import Outcome, Settings, again, learn
from mgtag.learn.songs import find_songs
from mgtag.library.events import Unsure
from mgtag.library.index import Index
from mgtag.library.policy import Policy
from mgtag.library.scan import scan

GENRES = {"Drone": "hum", "Whistle": "sine"}
SONGS = 18  # of each genre: the fewest that bear a promise


def tag(path: Path, genre: str = "", artist: str = "", album: str = "") -> Path:
    file = FLAC(path)
    for name, value in (("genre", genre), ("artist", artist), ("album", album)):
        if value:
            file[name] = value
    file.save()
    return path


@pytest.fixture
def library(song: Song, tmp_path: Path) -> Path:
    """Two genres of sounds, nine artists each with two songs."""
    for genre, sound in GENRES.items():
        for n in range(SONGS):
            path = song(tmp_path / "music" / sound / f"{n}.flac", 1.2, sound=sound)
            tag(path, genre, f"{sound} {n // 2}")
    return tmp_path / "music"


def go(base: Bundle, index: Index, *paths: Path, **settings: object) -> Outcome:
    """Learn to the end."""
    asked = Settings(paths, base=str(base.folder), **settings)  # type: ignore[arg-type]
    events = learn(asked, Tagger(base, "cpu"), index, Inline())
    while True:
        try:
            next(events)
        except StopIteration as end:
            outcome: Outcome = end.value
            return outcome


def test_a_learned_model_tags_what_arrives(
    two_heads: Bundle, library: Path, song: Song, index: Index
) -> None:
    made = go(two_heads, index, library)
    assert made.bundle is not None and made.learned is not None
    assert made.bundle == bundle.find("mine")
    assert made.bundle.card.genre.labels == ("Drone", "Whistle", "not music")
    assert made.learned.accuracy == 1 and made.learned.threshold is not None
    path = song(library / "Incoming" / "new.flac", 2.0, sound="sine")
    list(scan([path], Tagger(made.bundle, "cpu"), index, Policy(), Inline()))
    assert tags.read(path).genres == ("Whistle",)


def test_what_the_base_calls_not_music_is_never_tagged(
    two_heads: Bundle, library: Path, song: Song, index: Index
) -> None:
    made = go(two_heads, index, library)
    assert made.bundle is not None
    path = song(library / "noise.flac", 2.0, sound="noise")
    before = path.read_bytes()
    _, event = scan([path], Tagger(made.bundle, "cpu"), index, Policy(threshold=0.0), Inline())
    assert isinstance(event, Unsure) and event.reason == "not music"
    assert path.read_bytes() == before
    answer = api.load_model(made.bundle.folder, "cpu").genre(path)
    assert (answer.genres, answer.sure) == ((), False)


def test_the_graph_answers_as_the_base_does_and_one_head_more(
    two_heads: Bundle, library: Path, index: Index
) -> None:
    made = go(two_heads, index, library).bundle
    assert made is not None
    assert outputs(made.graph.read_bytes()) == ["base", "mood", "embedding", "genre"]
    song = library / "hum" / "0.flac"
    ours, theirs = Tagger(made, "cpu").predict(song), Tagger(two_heads, "cpu").predict(song)
    assert (ours.heads["base"].probabilities == theirs.heads["genre"].probabilities).all()
    assert (ours.heads["mood"].probabilities == theirs.heads["mood"].probabilities).all()
    assert (ours.embedding == theirs.embedding).all()
    sharp = theirs.heads["genre"].probabilities[:, -1]  # temperatures of 1
    assert np.allclose(ours.heads["genre"].probabilities[:, -1], sharp, atol=1e-5)
    onnx = pytest.importorskip("onnx")
    onnx.checker.check_model(made.graph.read_bytes(), full_check=True)


def test_a_base_of_the_first_format_will_do(tiny: Bundle, library: Path, index: Index) -> None:
    made = go(tiny, index, library).bundle
    assert made is not None
    assert set(outputs(made.graph.read_bytes())) == {"base", "attention", "embedding", "genre"}
    names = [put.name for put in onnxruntime.InferenceSession(made.graph).get_outputs()]
    assert "logits" not in names


def test_what_mgtag_wrote_is_not_learned_from(
    two_heads: Bundle, song: Song, tmp_path: Path, index: Index
) -> None:
    path = song(tmp_path / "hum.flac", 2.0, sound="hum")
    list(scan([path], Tagger(two_heads, "cpu"), index, Policy(), Inline()))
    assert tags.read(path).genres == ("Blues",)
    for known in (index, Index()):  # by the index, and by the file alone
        assert find_songs([path], known, {two_heads.id}, "tags").songs == ()
    tag(path, "Drone")  # now it is the listener's word, of the same sound
    (found,) = find_songs([path], index, {two_heads.id}, "tags").songs
    assert (found.genre, found.heard) == ("Drone", True)


def test_placeholders_are_no_genre(song: Song, tmp_path: Path, index: Index) -> None:
    for n, genre in enumerate(["Unknown", "Other", "", "Not Music", "Ska"]):
        tag(song(tmp_path / f"{n}.flac", 1.2), genre)
    assert [one.genre for one in find_songs([tmp_path], index, (), "tags").songs] == ["Ska"]


def test_what_is_heard_already_is_not_heard_again(two_heads: Bundle, library: Path, index: Index) -> None:
    first = go(two_heads, index, library, dry_run=True)
    assert first.bundle is None and first.songs == 2 * SONGS
    runs = len(list(index.runs()))
    assert go(two_heads, index, library).songs == 2 * SONGS
    assert len(list(index.runs())) == runs
    made = bundle.find("mine")
    list(scan([library], Tagger(made, "cpu"), index, Policy(dry_run=True), Inline()))
    runs = len(list(index.runs()))
    again_made = go(two_heads, index, library).bundle  # the learned model's embedding is the base's
    assert again_made is not None and len(list(index.runs())) == runs
    assert made.id in again_made.card.arguments["before"]


def test_update_learns_from_the_same_place_again(
    two_heads: Bundle, library: Path, song: Song, index: Index
) -> None:
    go(two_heads, index, library, name="ours")
    for n in range(SONGS):
        tag(song(library / "chirps" / f"{n}.flac", 1.2, sound="chirps"), "Birds", f"bird {n}")
    settings = again("ours")
    assert settings == Settings((library,), "tags", "ours", str(two_heads.folder))
    made = go(two_heads, index, *settings.paths, name=settings.name, source=settings.source)
    assert made.bundle is not None
    assert bundle.find("ours").card.genre.labels == ("Birds", "Drone", "Whistle", "not music")


def test_folders_are_genres_if_asked(two_heads: Bundle, library: Path, song: Song, index: Index) -> None:
    song(library / "sine" / "Album" / "deep.flac", 1.2, sound="sine")
    made = go(two_heads, index, library, source="folders")
    assert made.learned is not None
    assert {row.genre: row.songs for row in made.rows} == {"hum": SONGS, "sine": SONGS + 1}


def test_spellings_of_a_genre_are_one(two_heads: Bundle, library: Path, index: Index) -> None:
    for n, spelled in enumerate(("drone", "DRONE")):
        tag(library / "hum" / f"{n}.flac", spelled)
    made = go(two_heads, index, library)
    assert {row.genre: row.songs for row in made.rows} == {"Drone": SONGS, "Whistle": SONGS}


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (("Nina Simone", ""), ("nina simone feat. X", "Live"), True),
        (("Nina Simone", "Hits"), ("Otis", "Hits"), False),
        (("Various Artists", "Hits"), ("", "Hits"), True),
        (("", ""), ("", ""), True),
        (("", "A"), ("", "B"), False),
    ],
)
def test_songs_that_belong_together(
    song: Song, tmp_path: Path, index: Index, one: tuple[str, str], other: tuple[str, str], same: bool
) -> None:
    for name, (artist, album) in {"1": one, "2": other}.items():
        tag(song(tmp_path / f"{name}.flac", 1.2), "Ska", artist, album)
    first, second = find_songs([tmp_path], index, (), "tags").songs
    assert (first.group == second.group) is same


def test_a_path_that_is_named_twice_counts_once(library: Path, index: Index) -> None:
    assert len(find_songs([library, library / "hum"], index, (), "tags").songs) == 2 * SONGS


def test_what_cannot_be_heard_is_left_out(two_heads: Bundle, library: Path, song: Song, index: Index) -> None:
    tag(song(library / "short.flac", 0.2, sound="hum"), "Drone")
    (library / "damaged.flac").write_bytes(b"fLaC, or not")
    made = go(two_heads, index, library)
    assert (made.songs, made.unheard) == (2 * SONGS, 1)


def test_the_command_line(two_heads: Bundle, library: Path, run: Run, tmp_path: Path) -> None:
    store = tmp_path / "index.db"
    dry = run("learn", library, "--base", two_heads.folder, "-n", "--index", store)
    assert dry.code == 0 and "Whistle" in dry.out and "Nothing was written" in dry.out
    assert not (bundle.roots()[0] / "mine").exists()
    done = run("learn", library, "--base", two_heads.folder, "--index", store)
    assert done.code == 0 and "--model mine" in done.out
    (row,) = run("learn", library, "--base", two_heads.folder, "--json", "--index", store).rows
    assert (row["songs"], row["genres"], row["accuracy"]) == (2 * SONGS, ["Drone", "Whistle"], 1.0)
    assert [one["songs"] for one in row["by_genre"]] == [SONGS, SONGS]
    listed = run("models").out
    assert "2 genres" in listed and "of your songs" in listed
    assert "base" in run("models", "mine").out
    assert run("explain", "--model", "mine", library / "hum" / "0.flac").code == 0
    assert run("scan", "--model", "mine", "-n", library, "--index", store).code == 0
    assert "Drone" in run("show", library / "hum" / "0.flac", "--index", store).out
    assert run("models", "remove", "mine").code == 0
    assert not (bundle.roots()[0] / "mine").exists()


def test_no_file_is_touched(two_heads: Bundle, library: Path, index: Index) -> None:
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in library.rglob("*.flac")}
    go(two_heads, index, library)
    assert before == {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in library.rglob("*.flac")}


def test_mistakes_end_in_a_sentence(
    two_heads: Bundle, library: Path, song: Song, run: Run, tmp_path: Path
) -> None:
    store = ("--index", tmp_path / "index.db", "--base", two_heads.folder)
    (tmp_path / "empty").mkdir()
    song(tmp_path / "untagged" / "1.flac", 1.2)
    bad = tmp_path / "bad" / "1.flac"
    bad.parent.mkdir()
    bad.write_bytes(b"no sound at all")
    tag(song(tmp_path / "short" / "1.flac", 0.2), "Ska")
    model = bundle.roots()[0] / "theirs"
    model.mkdir(parents=True)
    (model / "card.json").write_text("{}")
    for arguments, code, told in (
        (("nowhere",), 2, "there is no such file or folder"),
        ((tmp_path / "empty",), 2, "no music here"),
        ((), 2, "name your music folder"),
        ((tmp_path / "untagged",), 2, "a genre that you wrote"),
        ((tmp_path / "bad",), 2, "no file could be read"),
        ((tmp_path / "short",), 2, "could be heard"),
        ((library / "hum",), 2, "it takes two genres"),
        ((library, "--name", "a/b"), 2, "no name for a model"),
        ((library, "--name", ".mine"), 2, "no name for a model"),
        ((library, "--name", "gtzan-parallel-1"), 2, "comes with mgtag"),
        ((library, "--name", "theirs"), 1, "another model lies there"),
        ((library, "--update"), 2, "--update learns from"),
        (("--update",), 2, "--update learns from"),  # with a --base
        (("--update", "--from", "tags"), 2, "--update learns from"),
        (("--from", "folders"), 2, "needs the folder"),
    ):
        done = run("learn", *arguments, *store)
        assert (done.code, told in " ".join(done.err.split())) == (code, True), done.err
    assert run("learn", library, "--index", tmp_path / "index.db", "--base", "nobody").code == 2
    for name, told in (("gtzan-parallel-1", "was not made by"), ("nobody", "no model called")):
        done = run("learn", "--update", "--name", name, "--index", tmp_path / "index.db")
        assert (done.code, told in " ".join(done.err.split())) == (2, True), done.err
    assert run("learn", library, *store).code == 0
    assert "Whistle" in run("learn", "--update", "--index", tmp_path / "index.db").out
    done = run("learn", library, "--base", "mine", "--name", "other", "--index", tmp_path / "index.db")
    assert done.code == 2 and "own genres already" in done.err


def test_genres_that_cannot_be_told_make_no_model(two_heads: Bundle, library: Path, index: Index) -> None:
    for n in range(SONGS):  # every sound has both genres as often
        for sound in GENRES.values():
            tag(library / sound / f"{n}.flac", ("Drone", "Whistle")[n // 2 % 2])
    made = go(two_heads, index, library)
    assert made.bundle is None and made.learned is None
    assert all("not told apart" in row.refused for row in made.rows)


def test_a_base_that_is_learned_is_refused(two_heads: Bundle, library: Path, index: Index) -> None:
    made = go(two_heads, index, library).bundle
    assert made is not None
    with pytest.raises(UsageError, match="own genres already"):
        go(made, index, library, name="other")
