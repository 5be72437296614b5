"""What is shown: the same times and weights everywhere, at every width, with and without colour."""

from __future__ import annotations

import json
import re
import struct
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest
import sounds
import tiny_bundle
from typer.testing import CliRunner

from mgtag.bundle import Bundle
from mgtag.card import Head
from mgtag.cli.app import app
from mgtag.errors import UsageError
from mgtag.explain.explain_file import explain_file
from mgtag.explain.explanation import Explanation, explain
from mgtag.explain.sketch import SoundPicture
from mgtag.inference import Tagger
from mgtag.view.explain_json import as_row
from mgtag.view.explain_text import print_explanation
from mgtag.view.page import grey_png, write_page
from mgtag.view.text import clock
from mgtag.view.timeline import axis, bars, columns, keys

RATE = tiny_bundle.MEL.sample_rate
run = CliRunner()


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A song of three parts, its name as hard as names are."""
    found = tmp_path_factory.mktemp("songs") / "a #1 100% <b>'séculaire'?.wav"
    parts = [sounds.synthesise(kind, 8.0, 1, RATE, 1) for kind in ("hum", "sine", "hum")]
    sounds.write(found, np.concatenate(parts, axis=1), "wav", "pcm_s16le", RATE)
    return found


@pytest.fixture(scope="module")
def told(path: Path, tiny: Bundle) -> tuple[Explanation, SoundPicture]:
    return explain_file(path, Tagger(tiny, "cpu"))


def explained(*arguments: object, columns: int = 100, **environment: str) -> str:
    done = run.invoke(app, ["explain", *map(str, arguments)], env={"COLUMNS": str(columns), **environment})
    assert done.exit_code == 0, done.output
    return done.stdout


def in_page(page: Path) -> dict[str, object]:
    text = page.read_text(encoding="utf-8")
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert found
    data: dict[str, object] = json.loads(found[1])
    return data


@pytest.mark.parametrize("width", [60, 100, 200])
def test_the_terminal_is_used_to_its_edge_and_not_beyond(width: int, path: Path, tiny: Bundle) -> None:
    lines = explained(path, "--model", tiny.folder, columns=width).splitlines()
    assert max(map(len, lines)) == width
    genre = next(line for line in lines if line.startswith("genre"))
    assert re.fullmatch(r"genre   Blues─+Jazz─+Blues─+", genre) and len(genre) == width
    middle = genre.index("Jazz") - 8
    assert middle / (width - 8) == pytest.approx(1 / 3, abs=0.05)


def test_a_pipe_gets_plain_text(path: Path, tiny: Bundle) -> None:
    assert "\x1b" not in explained(path, "--model", tiny.folder, NO_COLOR="1")


def test_a_terminal_without_colour_shows_where_a_genre_ends(path: Path, tiny: Bundle) -> None:
    bright = explained(path, "--model", tiny.folder, FORCE_COLOR="1", TERM="xterm-256color")
    plain = explained(path, "--model", tiny.folder, FORCE_COLOR="1", TERM="xterm-256color", NO_COLOR="1")
    coloured = re.compile(r"\x1b\[[0-9;]*3[0-9]")
    assert coloured.search(bright) and not coloured.search(plain)
    assert re.search(r"Blues─+Jazz─+Blues─+", plain) and "─Jazz" not in bright


def test_terminal_json_page_and_picture_agree(
    path: Path, told: tuple[Explanation, SoundPicture], tiny: Bundle, tmp_path: Path
) -> None:
    made, sound = told
    row = json.loads(explained(path, "--model", tiny.folder, "--json"))
    assert row == as_row(path, made, sound.duration_s, tiny)

    text = explained(path, "--model", tiny.folder)
    found = re.findall(r"^(\d) +(\S+) +(\S+) +(\S+) +(\d+)% +([\d.]+) ×", text, re.MULTILINE)
    assert found == [
        (str(n), clock(m["start_s"], 1), clock(m["end_s"], 1), m["genre"], f"{m['probability']:.0%}"[:-1],
         f"{m['weight']:.1f}")
        for n, m in enumerate(row["moments"], 1)
    ]  # fmt: skip

    write_page(tmp_path / "song.html", path, made, sound, tiny)
    page = in_page(tmp_path / "song.html")["row"]
    assert {**row, "path": path.name} == page

    picture = pytest.importorskip("mgtag.view.picture")
    pytest.importorskip("matplotlib")
    _, _, curve, genres = picture.draw(path, made, sound).axes
    at, weights = curve.lines[0].get_data()
    assert len(at) == sum(len(s["weights"]) for s in row["slices"])
    np.testing.assert_allclose(at, (np.arange(len(at)) + 0.5) * row["frame_s"], atol=1e-3)
    np.testing.assert_allclose(weights, [w for s in row["slices"] for w in s["weights"]], atol=1e-3)
    shown = sorted((float(b.get_x()), float(b.get_height())) for b in genres.patches)
    wanted = sorted((s["start_s"], p) for s in row["slices"] for p in s["probabilities"].values())
    np.testing.assert_allclose(shown, wanted, atol=1e-3)
    assert [t.get_text() for t in curve.texts] == [str(n + 1) for n in range(len(row["moments"]))]


def test_a_picture_of_an_hour_shows_genres_and_not_the_lines_between_slices(shipped: Bundle) -> None:
    pytest.importorskip("matplotlib")
    from mgtag.view.picture import draw

    count, spec, labels = 1200, shipped.card.mel, shipped.card.genre.labels
    shares = np.full((count, len(labels)), 0.18 / (len(labels) - 1), np.float32)
    shares[:, labels.index("metal")] = 0.82  # all along
    even = np.full((count, spec.n_frames), 1 / spec.n_frames, np.float32)
    starts = (np.arange(count) * spec.slice_s).astype(np.float32)
    heard = tiny_bundle.prediction(shipped.card.genre.labels, starts, shares, even, even)
    made = explain(heard, even, shipped.card, "occlusion")
    outline = np.full(100, 0.5, np.float32)
    sound = SoundPicture(3600.0, 36.0, -outline, outline, np.zeros((spec.n_mels, 100), np.uint8))
    figure = draw(Path("song.mp3"), made, sound)
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    pixels = np.asarray(canvas.buffer_rgba())[..., :3].astype(int)
    box = figure.axes[3].get_window_extent()
    row = pixels[len(pixels) - int(box.y0 + 0.3 * box.height), int(box.x0) + 5 : int(box.x1) - 5]
    assert np.median(row[:, 0] - row[:, 1]) > 100  # red, not pink


def test_weights_are_as_many_as_the_slices_have_frames(path: Path, tiny: Bundle) -> None:
    row = json.loads(explained(path, "--model", tiny.folder, "--json"))
    assert all(len(s["weights"]) == tiny.card.mel.n_frames for s in row["slices"])
    assert np.mean([s["weights"] for s in row["slices"]]) == pytest.approx(1, abs=1e-3)
    assert row["slices"][1]["start_s"] == pytest.approx(tiny.card.mel.slice_s, abs=1e-4)
    assert row["slices"][-1]["end_s"] <= row["duration_s"] == pytest.approx(24.0)


def test_a_page_needs_nothing_but_itself(
    path: Path, told: tuple[Explanation, SoundPicture], tiny: Bundle, tmp_path: Path
) -> None:
    page = tmp_path / "song.html"
    write_page(page, path, *told, tiny)
    text = page.read_text(encoding="utf-8")
    assert "http" not in text.replace('http-equiv="Content-Security-Policy"', "")
    assert "<b>" not in re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL)
    assert page.stat().st_size < 200_000


def test_a_page_of_five_minutes_is_under_two_megabytes(shipped: Bundle, tmp_path: Path) -> None:
    count = 99
    rng = np.random.default_rng(0)
    spec = shipped.card.mel
    columns_ = 300 * spec.sample_rate // spec.hop
    noise = rng.integers(0, 256, (spec.n_mels, columns_)).astype(np.uint8)
    outline = np.full(columns_, 0.5, np.float32)
    sound = SoundPicture(300.0, spec.hop / spec.sample_rate, -outline, outline, noise)
    shares = rng.dirichlet(np.ones(len(shipped.card.genre.labels)), count).astype(np.float32)
    even = np.full((count, spec.n_frames), 1 / spec.n_frames, np.float32)
    starts = (np.arange(count) * spec.slice_s).astype(np.float32)
    heard = tiny_bundle.prediction(shipped.card.genre.labels, starts, shares, even, even)
    made = explain(heard, even, shipped.card, "attention")
    write_page(tmp_path / "page.html", Path("song.mp3"), made, sound, shipped)
    assert (tmp_path / "page.html").stat().st_size < 2e6  # noise packs worse than any music


def test_a_page_links_to_the_song_or_holds_it(
    path: Path, told: tuple[Explanation, SoundPicture], tiny: Bundle, tmp_path: Path
) -> None:
    page = path.parent / "pages" / "song.html"
    page.parent.mkdir()
    write_page(page, path, *told, tiny)
    link = str(in_page(page)["audio"])
    assert (page.parent / unquote(link)).samefile(path)
    assert "#" not in link and "?" not in link
    write_page(page, path, *told, tiny, embed_audio=True)
    assert str(in_page(page)["audio"]).startswith("data:audio/wav;base64,UklGR")


def test_grey_png_holds_every_pixel() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (7, 11)).astype(np.uint8)
    raw = grey_png(pixels)
    assert struct.unpack(">II", raw[16:24]) == (11, 7)
    at = raw.index(b"IDAT")
    size = struct.unpack(">I", raw[at - 4 : at])[0]
    rows = np.frombuffer(zlib.decompress(raw[at + 4 : at + 4 + size]), np.uint8).reshape(7, 12)
    np.testing.assert_array_equal(np.cumsum(rows[:, 1:], axis=0, dtype=np.uint8), pixels)


def test_columns_keep_the_mean_whatever_the_width() -> None:
    values = np.random.default_rng(0).random(741).astype(np.float32)
    for count in (40, 192, 2000):
        assert columns(values, count).mean() == pytest.approx(values.mean(), rel=1e-5)
    np.testing.assert_allclose(columns(values, 741), values, atol=1e-6)


def test_bars_are_as_high_as_the_values() -> None:
    assert bars(np.array([0.0, 0.25, 0.5, 1.0]), 2) == ["   █", " ▄██"]


def test_every_genre_has_a_letter_of_its_own(tiny: Bundle) -> None:
    names = ("Blues", "Classical", "Country", "Disco", "Hip-Hop", "Jazz", "Metal", "Pop", "Reggae", "Rock")
    letters = keys(names)
    assert len(set(letters.values())) == len(names)
    assert letters["Jazz"] == "J" and letters["Country"] == "O"


@pytest.mark.parametrize(("length_s", "width"), [(3.0, 52), (61.0, 92), (10_800.0, 192), (12.0, 40)])
def test_time_marks_stand_where_their_time_is(length_s: float, width: int) -> None:
    ruler, times = axis(length_s, width)
    assert len(ruler) == width
    for found in re.finditer(r"[\d:]+", times):
        seconds = sum(int(part) * 60**n for n, part in enumerate(reversed(found[0].split(":"))))
        assert found.start() == int(seconds / length_s * width)
        assert ruler[found.start()] in "┌┬"


def test_a_missing_matplotlib_gets_a_clear_sentence(
    path: Path, tiny: Bundle, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("mgtag.view.picture.find_spec", lambda name: None)
    done = run.invoke(
        app, ["explain", str(path), "--model", str(tiny.folder), "--png", str(tmp_path / "a.png")]
    )
    assert isinstance(done.exception, UsageError) and "install 'mgtag[plot]'" in str(done.exception)


def test_a_missing_captum_gets_a_clear_sentence(
    path: Path, tiny: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "captum.attr", None)
    monkeypatch.setitem(__import__("sys").modules, "captum", None)
    done = run.invoke(app, ["explain", str(path), "--model", str(tiny.folder), "--method", "gradient"])
    assert isinstance(done.exception, UsageError) and "install 'mgtag[gradient]'" in str(done.exception)


def test_several_songs_go_into_a_folder_and_a_bad_one_does_not_stop_them(
    path: Path, tiny: Bundle, tmp_path: Path, song: Callable[..., Path]
) -> None:
    other, bad = song(tmp_path / "other.flac", 3.0), tmp_path / "bad.mp3"
    bad.write_bytes(b"no music" * 100)
    folder = tmp_path / "pages"
    done = run.invoke(
        app, ["explain", *map(str, (bad, path, other)), "--model", str(tiny.folder), "--html", str(folder)]
    )
    assert done.exit_code == 3 and "bad.mp3: this is no audio file" in done.stderr
    assert sorted(p.name for p in folder.iterdir()) == sorted([f"{path.name}.html", "other.flac.html"])
    done = run.invoke(
        app,
        ["explain", str(path), str(other), "--model", str(tiny.folder), "--html", str(tmp_path / "one.html")],
    )
    assert isinstance(done.exception, UsageError) and "several songs need a folder" in str(done.exception)


@pytest.mark.parametrize(
    "arguments",
    [[], ["a.mp3", "--genre", "metal"], ["--genre", "metal", "--html", "a.html"], ["a.mp3", "--embed-audio"]],
)
def test_what_makes_no_sense_is_a_usage_error(arguments: list[str]) -> None:
    assert run.invoke(app, ["explain", *arguments]).exit_code == 2


@pytest.mark.parametrize(
    ("option", "asked", "told"),
    [
        ("--html", "none/song.html", "there is no folder {}/none; make it, or choose another."),
        ("--png", "none/song.png", "there is no folder {}/none; make it, or choose another."),
        ("--html", "{}.html".format("long" * 99), "this cannot be written (File name too long); choose"),
        ("--html", "file.txt/pages", "this cannot be written (Not a directory); choose another place."),
        ("--png", "song.gif", "a picture can be .png, .svg or .pdf."),
    ],
)
def test_a_place_that_cannot_be_written_to_gets_one_sentence(
    option: str, asked: str, told: str, path: Path, tiny: Bundle, tmp_path: Path
) -> None:
    (tmp_path / "file.txt").touch()
    target = tmp_path / asked
    done = run.invoke(app, ["explain", str(path), "--model", str(tiny.folder), option, str(target)])
    assert isinstance(done.exception, UsageError)
    assert str(done.exception).startswith(f"{target}: {told.format(tmp_path)}")


def test_a_place_is_looked_for_before_a_song_is_heard(
    path: Path, tiny: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "mgtag.explain.explain_file.explain_file", lambda *a: pytest.fail("it listened in vain")
    )
    done = run.invoke(
        app, ["explain", str(path), "--model", str(tiny.folder), "--html", str(tmp_path / "none" / "a.html")]
    )
    assert isinstance(done.exception, UsageError)


@pytest.mark.parametrize(
    ("sound", "seconds", "told"),
    [
        ("hum", 0.5, "too short: 0.5 s, and mgtag listens to"),
        ("silence", 4.0, "there is nothing to hear: the whole file is silent."),
    ],
)
def test_a_song_with_nothing_to_explain_gets_one_sentence(
    sound: str, seconds: float, told: str, tiny: Bundle, tmp_path: Path
) -> None:
    song = sounds.make(tmp_path / "song.wav", seconds, sound=sound)
    done = run.invoke(app, ["explain", str(song), "--model", str(tiny.folder)])
    assert done.exit_code == 3 and done.stderr.startswith(f"failed  {song}: {told}")
    assert len(done.stderr.splitlines()) == 1 and not done.stdout


def test_what_is_no_song_gets_one_sentence(tiny: Bundle, tmp_path: Path) -> None:
    (tmp_path / "empty.mp3").touch()
    (tmp_path / "text.mp3").write_text("no music", encoding="utf-8")
    songs = [tmp_path / name for name in ("empty.mp3", "text.mp3")]
    done = run.invoke(app, ["explain", *map(str, songs), "--model", str(tiny.folder)])
    assert done.exit_code == 3
    wanted = ("the file is empty.", "this is no audio file that mgtag can read")
    for line, song, told in zip(done.stderr.splitlines(), songs, wanted, strict=True):
        assert line.startswith(f"failed  {song}: {told}")


@pytest.mark.parametrize("width", [54, 60, 80])
def test_nothing_is_cut_where_it_is_narrow(
    width: int, tiny: Bundle, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Bars shrink together, and a genre stays beside its letter and its count."""
    shares = np.full((10, 10), 0.02, np.float32)
    np.fill_diagonal(shares, 0.82)
    shares[9, 9], shares[9, 0] = 0.02, 0.82  # one genre is heard twice, and wins
    spec = tiny.card.mel
    even = np.full((10, spec.n_frames), 1 / spec.n_frames, np.float32)
    names = ("Blues", "Classical", "Country", "Disco", "Hip-Hop", "Jazz", "Metal", "Pop", "Reggae", "Rock")
    genres = {name.lower(): name for name in names}
    starts = (np.arange(10) * spec.slice_s).astype(np.float32)
    card = replace(tiny.card, heads={"genre": Head(tuple(genres), genres)}, mel=spec)
    made = explain(tiny_bundle.prediction(tuple(genres), starts, shares, even, even), even, card, "occlusion")
    monkeypatch.setenv("COLUMNS", str(width))
    print_explanation(Path("song.mp3"), made, 30.0, tiny)
    text = capsys.readouterr().out
    assert "…" not in text and max(map(len, text.splitlines())) <= width
    for n, name in enumerate(names[:-1]):
        assert f"{keys(names)[name]} {name} {2 if n == 0 else 1}" in text
