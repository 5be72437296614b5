"""The map of a library in a real browser, with twenty thousand songs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from browsing import until

from mgtag.explore.space import Space
from mgtag.library.paths import to_text
from mgtag.library.records import Located
from mgtag.view.map_page import write_map

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

COUNT = 20_000


@pytest.fixture
def page(browser: Browser, song: Callable[..., Path], tmp_path: Path) -> Iterator[Page]:
    played = song(tmp_path / "100% jazz #1?.wav", 2)
    tracks = [
        Located(f"/m/{n}.mp3", f"Artist {n % 97}", f"Song {n}", "Jazz", 0.9, "", 61.0) for n in range(COUNT)
    ]
    tracks[0] = Located(to_text(played), "Nina <b>Simone</b>", "</script>", "Blues", 0.9, "", 2.0)
    points = np.random.default_rng(0).random((COUNT, 2), np.float32) * 0.4
    points[0] = 1
    write_map(tmp_path / "map.html", Space("made-up@1", tracks, np.eye(2, dtype=np.float32)), points, "pca")
    context = browser.new_context(viewport={"width": 1000, "height": 800})
    opened, trouble = context.new_page(), []
    opened.on("console", lambda message: trouble.append(message.text))
    opened.on("pageerror", lambda error: trouble.append(str(error)))
    opened.on(
        "request", lambda r: None if r.url.startswith(("file:", "data:", "blob:")) else trouble.append(r.url)
    )
    opened.goto((tmp_path / "map.html").as_uri())
    yield opened
    assert not trouble
    context.close()


def where(page: Page, number: int) -> tuple[float, float]:
    box = page.locator("#map").bounding_box()
    assert box
    x, y = page.evaluate(f"[toX(X({number})), toY(Y({number}))]")
    return box["x"] + x, box["y"] + y


def test_search_legend_and_count(page: Page) -> None:
    assert page.locator("#count").inner_text() == "20,000 of 20,000 songs"
    assert page.locator("#save").is_disabled()
    page.fill("#search", "SIMONE /100%")
    assert page.locator("#count").inner_text() == "1 of 20,000 songs"
    page.fill("#search", "")
    page.click("#legend button:has-text('Jazz')")
    assert page.locator("#count").inner_text() == "1 of 20,000 songs"
    assert page.locator("#legend button").count() == 2


def test_a_click_plays_a_file_of_any_name(page: Page) -> None:
    page.mouse.move(*where(page, 0))
    assert "Nina <b>Simone</b> – </script>" in page.locator("#tip").inner_text()
    page.mouse.click(*where(page, 0))
    until(page, "document.getElementById('song').readyState > 0")
    assert "Blues" in page.locator("#now").inner_text()


def test_a_lasso_saves_a_playlist(page: Page, tmp_path: Path) -> None:
    page.click("#lasso")
    x, y = where(page, 0)
    page.mouse.move(x - 9, y - 9)
    page.mouse.down()
    for dx, dy in ((9, -9), (9, 9), (-9, 9)):
        page.mouse.move(x + dx, y + dy, steps=4)
    page.mouse.up()
    assert page.locator("#count").inner_text() == "1 of 20,000 songs chosen"
    with page.expect_download() as download:
        page.click("#save")
    lines = Path(download.value.path()).read_text().splitlines()
    assert lines[0] == "#EXTM3U"
    assert lines[2].startswith("#EXTINF:2,Nina") and lines[3].endswith("100% jazz #1?.wav")
