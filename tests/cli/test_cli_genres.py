"""`mgtag genres`: what is written for each genre that a model hears."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
from running import Run

from mgtag.bundle import Bundle


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MGTAG_CONFIG", str(tmp_path / "config.toml"))
    return tmp_path / "config.toml"


def test_every_genre_and_what_becomes_of_it(run: Run, settings: Path, two_heads: Bundle) -> None:
    settings.write_text(
        "[genres]\nnever = ['jazz', 'Popp']\n[genres.write]\nblues = ['Roots', 'Delta Blues']\n"
        "[genres.aliases]\nMetal = ['Heavy']\n"
    )
    done = run("genres", "--model", two_heads.folder)
    assert done.code == 0
    told = [" ".join(line.split()) for line in done.out.splitlines()]
    assert told == [
        "Heard Written found as, too",
        "Blues Roots · Delta Blues",
        "Jazz – (Jazz is never to be written)",
        "Metal Metal heavy",
    ]
    assert "popp" in done.err and str(settings) in done.err
    blues, jazz, metal = run("genres", "--model", two_heads.folder, "--json").rows
    assert blues == {
        "heard": "Blues",
        "written": ["Roots", "Delta Blues"],
        "reason": None,
        "parents": [],
        "aliases": [],
    }
    assert jazz["written"] == [] and jazz["reason"] == "Jazz is never to be written"
    assert metal["aliases"] == ["heavy"]


def test_without_settings_a_genre_is_written_as_it_is(run: Run, settings: Path, tiny: Bundle) -> None:
    done = run("genres", "--model", tiny.folder)
    assert [line.split() for line in done.out.splitlines()[1:]] == [
        [g, g] for g in ("Blues", "Jazz", "Metal")
    ]
    assert "hears no" not in done.err


def test_a_tree_is_tried_out(run: Run, settings: Path, tiny: Bundle, tmp_path: Path) -> None:
    pytest.importorskip("yaml")
    tree = tmp_path / "tree.yaml"
    tree.write_text("- rock:\n    - metal\n")
    assert "Rock · Metal" in run("genres", "--model", tiny.folder, "--tree", tree).out


def test_beets_own_tree_is_read(run: Run, settings: Path, shipped: Bundle) -> None:
    places = importlib.util.find_spec("beetsplug").submodule_search_locations  # type: ignore[union-attr]
    trees = [
        tree for place in places or () if (tree := Path(place, "lastgenre", "genres-tree.yaml")).exists()
    ]
    if not trees:
        pytest.skip("beets is not installed")
    (tree,) = trees
    rows = {row["heard"]: row["written"] for row in run("genres", "--tree", tree, "--json").rows}
    assert rows["Disco"] == ["Electronic", "Disco"]


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("--tree", "nowhere.yaml"), 2, "there is no such file"),
        (("--model", "nobody"), 2, "no model called"),
    ],
)
def test_mistakes_end_in_a_sentence(
    run: Run, settings: Path, arguments: tuple[str, ...], code: int, told: str
) -> None:
    done = run("genres", *arguments)
    assert (done.code, told in " ".join(done.err.split())) == (code, True), done.err
