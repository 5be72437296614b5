"""The page in a real browser: Debian's chromium, driven by playwright."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import sounds
import tiny_bundle
from browsing import until

from mgtag.bundle import Bundle
from mgtag.explain.explain_file import explain_file
from mgtag.explain.explanation import Explanation
from mgtag.inference import Tagger
from mgtag.view.page import write_page

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

DURATION_S = 24.0


@pytest.fixture(scope="module")
def song(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "hum & noise #1.wav"
    rate = tiny_bundle.MEL.sample_rate
    parts = [sounds.synthesise(kind, DURATION_S / 2, 1, rate, 1) for kind in ("hum", "sine")]
    sounds.write(path, np.concatenate(parts, axis=1), "wav", "pcm_s16le", rate)
    return path


@pytest.fixture(scope="module", params=[False, True], ids=["linked", "embedded"])
def target(request: pytest.FixtureRequest, song: Path, tiny: Bundle) -> tuple[Path, Explanation]:
    page = song.parent / f"{request.param}.html"
    made, sound = explain_file(song, Tagger(tiny, "cpu"))
    write_page(page, song, made, sound, tiny, embed_audio=request.param)
    return page, made


@pytest.fixture
def page(browser: Browser, target: tuple[Path, Explanation]) -> Iterator[Page]:
    """The page, loaded; at the end nothing may have gone wrong in it, or been asked of a network."""
    context = browser.new_context(viewport={"width": 1200, "height": 900}, color_scheme="light")
    opened, trouble = context.new_page(), []
    opened.on("console", lambda message: trouble.append(message.text))
    opened.on("pageerror", lambda error: trouble.append(str(error)))
    opened.on("request", lambda r: None if r.url.startswith(("file:", "data:")) else trouble.append(r.url))
    opened.goto(target[0].as_uri())
    until(opened, "document.getElementById('song').readyState > 0")
    yield opened
    assert not trouble
    context.close()


def now(page: Page) -> float:
    return float(page.evaluate("document.getElementById('song').currentTime"))


def seen(page: Page) -> float:
    """The time at which the cursor stands, in seconds."""
    cursor, stack = page.locator("#cursor").bounding_box(), page.locator("#stack").bounding_box()
    assert cursor and stack
    return (cursor["x"] + 1 - stack["x"]) / stack["width"] * DURATION_S


def test_it_plays_and_the_cursor_moves_with_the_sound(page: Page) -> None:
    page.locator("#play").click()
    until(page, "document.getElementById('song').currentTime > 0.5")
    page.locator("#play").click()
    assert page.evaluate("document.getElementById('song').paused")
    assert seen(page) == pytest.approx(now(page), abs=0.1)
    assert page.locator("#play").get_attribute("aria-label") == "Play"


@pytest.mark.parametrize("plot", ["#wave", "#mel", "#curve", "#genres"])
@pytest.mark.parametrize("share", [0.05, 0.5, 0.93])
def test_a_click_seeks(page: Page, plot: str, share: float) -> None:
    box = page.locator(plot).bounding_box()
    assert box
    page.mouse.click(box["x"] + share * box["width"], box["y"] + box["height"] / 2)
    until(page, "!document.getElementById('song').seeking")
    assert now(page) == pytest.approx(share * DURATION_S, abs=0.1)
    assert seen(page) == pytest.approx(share * DURATION_S, abs=0.1)


def test_hover_tells_time_genre_probability_and_weight(page: Page, target: tuple[Path, Explanation]) -> None:
    made = target[1]
    box = page.locator("#genres").bounding_box()
    assert box
    page.mouse.move(box["x"] + 0.75 * box["width"], box["y"] + 20)
    frame = int(0.75 * DURATION_S / made.frame_s)
    row, column = divmod(frame, made.spec.n_frames)
    time, genre, weight = page.locator("#tip").inner_text().splitlines()
    assert time == "0:18.0"
    share = float(made.prediction.heads["genre"].probabilities[row].max())
    assert genre == f"{made.genres[made.heard[row]]} {share:.0%}"
    assert weight == f"weight {made.weights[row, column]:.1f} ×"


def test_the_keyboard_works(page: Page, target: tuple[Path, Explanation]) -> None:
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "play"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "stack"
    for key, wanted in (("ArrowRight", 1.0), ("Shift+ArrowRight", 11.0), ("ArrowLeft", 10.0), ("Home", 0.0)):
        page.keyboard.press(key)
        assert now(page) == pytest.approx(wanted, abs=0.1)
    page.keyboard.press("2")
    assert now(page) == pytest.approx(target[1].moments[1].start_s, abs=0.1)
    told = page.locator("#stack").get_attribute("aria-valuetext")
    assert told and target[1].moments[1].genre in told
    page.keyboard.press("Space")
    until(page, "!document.getElementById('song').paused")
    page.keyboard.press("Space")
    until(page, "document.getElementById('song').paused")


def test_a_moment_plays_from_where_it_begins(page: Page, target: tuple[Path, Explanation]) -> None:
    moment = target[1].moments[0]
    page.locator("#moments button").first.click()
    until(page, "!document.getElementById('song').paused")
    page.keyboard.press("Escape")
    assert moment.start_s - 0.1 <= now(page) <= moment.start_s + 10
    row = page.locator("#moments tbody tr").first.inner_text()
    assert f"{moment.weight:.1f} ×" in row and moment.genre in row


def test_it_fits_a_phone_and_the_dark(browser: Browser, target: tuple[Path, Explanation]) -> None:
    papers = []
    for scheme in ("light", "dark"):
        context = browser.new_context(viewport={"width": 360, "height": 700}, color_scheme=scheme)
        page = context.new_page()
        page.goto(target[0].as_uri())
        until(page, "document.getElementById('mel').width > 0")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        papers.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
        context.close()
    assert papers[0] != papers[1]


def test_a_song_that_is_gone_is_said_so(browser: Browser, song: Path, tiny: Bundle, tmp_path: Path) -> None:
    gone = shutil.copy(song, tmp_path / "gone.wav")
    made, sound = explain_file(gone, Tagger(tiny, "cpu"))
    write_page(tmp_path / "page.html", gone, made, sound, tiny)
    gone.unlink()
    page = browser.new_page()
    page.goto((tmp_path / "page.html").as_uri())
    page.locator("#trouble").wait_for(state="visible")
    assert page.locator("#play").is_disabled()
    page.keyboard.press("ArrowRight")
    assert seen(page) == pytest.approx(1.0, abs=0.1)  # the plots can still be read
    page.close()


def test_the_legend_holds_every_colour_of_the_plot(page: Page, target: tuple[Path, Explanation]) -> None:
    made = target[1]
    large = {made.genres[n] for n in np.flatnonzero(made.probabilities.max(axis=0) >= 0.05)}
    told = {line.split()[0] for line in page.locator("#legend li").all_inner_texts()}
    shown = large | {made.genres[n] for n in made.heard if n >= 0}
    assert told == shown | ({"others"} if len(shown) < len(made.genres) else set())
