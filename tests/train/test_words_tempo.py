"""What the program ships of words, tempo and key: how it is fitted and measured, and where that stands."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("sklearn")
pytest.importorskip("mir_eval")

import sounds
import tiny_bundle
from mgtag_train.data.matched import artist_key, matched, title_key
from mgtag_train.data.outside import read_pieces
from mgtag_train.data.sources import LYRICS
from mgtag_train.data.splitting import split_names
from mgtag_train.report import tempo_and_key, tempo_and_key_section, words, words_section
from mgtag_train.report.records import ReportFolder
from test_tempo_key import RATE, clicks

from mgtag import analysis
from mgtag.errors import UsageError
from mgtag.words import ARRAYS, CARD, load

ROOT = Path(__file__).parents[2]
TELLING = dict(zip(LYRICS.labels, "guitar dance mic truck death soul".split(), strict=True))


@pytest.mark.parametrize("of", [tempo_and_key_section, words_section], ids=["tempo and key", "words"])
def test_the_figures_are_those_of_the_record(of: ModuleType) -> None:
    record = json.loads((ROOT / "train" / "records" / of.RECORD).read_text())
    assert of.BEGIN + of.section(record) + of.END in (ROOT / "train" / "RESULTS.md").read_text(
        encoding="utf-8"
    )
    assert of.BEGIN + of.sentence(record) + of.END in (ROOT / "docs" / "guide.md").read_text(encoding="utf-8")
    assert not record["commit"].endswith("+")


# Words


def lyrics_table(path: Path) -> Path:
    """Songs of which one word tells the genre."""
    rng = np.random.default_rng(0)
    filler = "the and you i me my in on it a to of".split()
    with gzip.open(path, "wt", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, LYRICS.columns)
        table.writeheader()
        for part, count in (("train", 8), ("valid", 4), ("test", 4)):
            for genre, word in TELLING.items():
                for n in range(count):
                    lines = [" ".join([*rng.choice(filler, 7), word]) for _ in range(8)]
                    row = {"id": f"{part}{genre}{n}", "artist": f"{part} {genre} {n}", "title": f"Song {n}"}
                    table.writerow(row | {"genre": genre, "split": part, "lyrics": "\n".join(lines)})
    return path


def outside_table(folder: Path) -> Path:
    folder.mkdir()
    rows = ["file,split,genre,mood,artist,title,source,note"]
    for part in ("valid", "test"):
        for n in range(3):
            sounds.make(folder / f"{part}{n}.flac", 2.0, sound="noise", seed=n)
            rows.append(f"{part}{n}.flac,{part},metal,,{part} metal {n},Song {n} (Live),x,")
    (folder / "tracks.csv").write_text("\n".join(rows) + "\n")
    return folder


def test_words_are_fitted_weighed_and_measured(tmp_path: Path) -> None:
    model = tiny_bundle.make(tmp_path / "tiny-1", labels=("pop", "jazz", "metal"),
                             written={"pop": "Pop", "jazz": "Jazz", "metal": "Metal"})  # fmt: skip
    report = tmp_path / "report" / "train"
    report.mkdir(parents=True)
    told: list[str] = []
    table, outside = lyrics_table(tmp_path / "genre.csv.gz"), outside_table(tmp_path / "outside")
    words.write(table, outside, str(model.folder), ReportFolder(report), told.append)
    record = json.loads((report / "records" / "words.json").read_text())
    shipped = load(report / "words" / "words.json", report / "words" / "words.npz")
    said = shipped.read("the truck and you in\n" * 12)
    assert LYRICS.labels[int(said.probabilities.argmax())] == "country"
    assert record["words"]["accuracy"] == 1.0 and record["words"]["songs"]["train"] == 48
    assert record["rows"]["of one genre, test"]["pairs"] == 12  # three pieces, four songs of their genre
    assert record["rows"]["own words, test"]["pieces"] == 3
    assert record["losses"][str(record["weight"])] == min(record["losses"].values())
    for row in record["rows"].values():
        assert row["both"]["log_loss"] <= row["sound"]["log_loss"]
    page = (report / "RESULTS.md").read_text()
    assert "## Words beside sound" in page and "its own words, test" in page
    assert told[0] == "fitting the words model"


def test_the_shipped_words_may_stay(tmp_path: Path) -> None:
    model = tiny_bundle.make(tmp_path / "tiny-1", name="tiny-1")
    report = tmp_path / "report" / "train"
    report.mkdir(parents=True)
    table, outside = lyrics_table(tmp_path / "genre.csv.gz"), outside_table(tmp_path / "outside")
    words.write(table, outside, str(model.folder), ReportFolder(report), lambda step: None, keep=True)
    made = json.loads((report / "words" / "words.json").read_text())
    assert made["common"] == json.loads(CARD.read_text())["common"] and "tiny-1" in made["weights"]
    with np.load(report / "words" / "words.npz") as new, np.load(ARRAYS) as old:
        assert all((new[key] == old[key]).all() for key in old)


def test_pieces_are_matched_by_artist_and_title(tmp_path: Path) -> None:
    outside = outside_table(tmp_path / "outside")
    pieces = read_pieces(outside)
    found = matched(pieces, outside, [lyrics_table(tmp_path / "genre.csv.gz")])
    assert {pair.piece.path.stem for pair in found} == {
        f"{p}{n}" for p in ("valid", "test") for n in range(3)
    }
    assert artist_key("The Beatles & Friends") == artist_key("beatles feat. Somebody") == "beatles"
    assert title_key("Déjà Vu (Remastered)") == "dejavu"
    with pytest.raises(UsageError, match="no gzipped table of lyrics"):
        matched(pieces, outside, [outside / "tracks.csv"])


# Tempo and key


@pytest.fixture
def clips(tmp_path: Path) -> tuple[Path, Path]:
    """Clicks under names of GTZAN's lists; every fourth is said to be of another tempo."""
    tapped = {}
    for part in ("train", "test"):
        for n, name in enumerate(split_names(part)[:8]):
            bpm = 90 + 8 * n
            folder = tmp_path / "clips" / name.split(".")[0]
            folder.mkdir(parents=True, exist_ok=True)
            sounds.write(folder / f"{name}.flac", clicks(bpm, 8.0)[None], "flac", "flac", RATE)
            tapped[name] = {"bpm": bpm * (2 if n % 4 == 1 else 1.3 if n % 4 == 3 else 1)}
    beats = tmp_path / "beats.json.gz"
    beats.write_bytes(gzip.compress(json.dumps(tapped).encode()))
    return tmp_path / "clips", beats


def test_tempo_and_key_are_measured(
    clips: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempo_and_key, "SEEDS", range(0))
    monkeypatch.setattr(tempo_and_key, "PRIORS", ((120, 1.0),))
    monkeypatch.setattr(tempo_and_key, "LEAST", 2)
    report = tmp_path / "report" / "train"
    report.mkdir(parents=True)
    tempo_and_key.write(*clips, ReportFolder(report), lambda step: None)
    record = json.loads((report / "records" / tempo_and_key_section.RECORD).read_text())
    test = record["tempo"]["rows"]["test"]
    assert (test["accuracy_1"], test["half"], test["accuracy_2"]) == (0.5, 0.25, 0.75)
    assert len(record["constants"]["bpm"]["weights"]) == len(analysis.tempo(clicks(120)).evidence)
    assert "## Tempo and key" in (report / "RESULTS.md").read_text()


def test_what_is_no_table_of_tempi_is_told(clips: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no gzipped tempi"):
        tempo_and_key.measure(clips[0], Path(__file__), lambda step: None)
    with pytest.raises(UsageError, match="no clip of GTZAN lies here"):
        tempo_and_key.measure(tmp_path / "nothing", clips[1], lambda step: None)
