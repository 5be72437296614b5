"""The plugin in a real beets library."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sounds import Song

from mgtag import tags
from mgtag.bundle import Bundle

beets = pytest.importorskip("beets")

from beets import config  # noqa: E402
from beets.library import Item, Library  # noqa: E402

from beetsplug.mgtag import MgtagPlugin  # noqa: E402


@pytest.fixture
def library(tiny: Bundle, song: Song, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Hold a hum without a genre, and one of the listener's own."""
    monkeypatch.setenv("BEETSDIR", str(tmp_path))
    config.clear()
    config.read(user=False)
    config["mgtag"]["model"] = str(tiny.folder)
    made = Library(str(tmp_path / "beets.db"), str(tmp_path / "music"))
    for name in ("none.flac", "mine.flac"):
        path = song(tmp_path / "music" / name, 1.5, sound="hum")
        if name == "mine.flac":
            from mutagen.flac import FLAC

            file = FLAC(path)
            file["genre"] = "Krautrock"
            file.save()
        made.add(Item.from_path(bytes(path)))
    yield made
    made._close()
    config.clear()


def item(library: Any, name: str) -> Any:
    return next(i for i in library.items() if Path(i.path.decode()).name == name)


def run(library: Any, plugin: MgtagPlugin, *arguments: str) -> None:
    (command,) = plugin.commands()
    options, rest = command.parser.parse_args(list(arguments))
    command.func(library, options, rest)


def test_the_command_fills_what_is_empty_and_writes_it(library: Any) -> None:
    run(library, MgtagPlugin())
    filled, own = item(library, "none.flac"), item(library, "mine.flac")
    assert (filled["genres"], own["genres"]) == (["Blues"], ["Krautrock"])
    assert filled["mgtag_heard"] == own["mgtag_heard"] == "Blues"
    assert 0.5 < float(filled["mgtag_confidence"]) <= 1
    assert tags.read(Path(filled.path.decode())).genres == ("Blues",)
    assert tags.read(Path(own.path.decode())).genres == ("Krautrock",)


def test_pretending_changes_nothing(library: Any) -> None:
    run(library, MgtagPlugin(), "--pretend")
    assert item(library, "none.flac")["genres"] == []
    assert "mgtag_heard" not in item(library, "none.flac")


def test_force_and_threshold(library: Any) -> None:
    config["mgtag"]["threshold"] = 1.0
    run(library, MgtagPlugin(), "--force")
    assert item(library, "none.flac")["genres"] == []
    config["mgtag"]["threshold"] = 0.1
    run(library, MgtagPlugin(), "--force")
    assert item(library, "mine.flac")["genres"] == ["Blues"]


def test_at_import(library: Any) -> None:
    class Task:
        def imported_items(self) -> list[Any]:
            return [item(library, "none.flac")]

    plugin = MgtagPlugin()
    (stage,) = plugin.import_stages
    stage(None, Task())
    assert item(library, "none.flac")["genres"] == ["Blues"]


def test_a_file_that_cannot_be_heard_is_passed_over(library: Any) -> None:
    Path(item(library, "none.flac").path.decode()).write_bytes(b"no music")
    run(library, MgtagPlugin())
    assert "mgtag_heard" not in item(library, "none.flac")
    assert item(library, "mine.flac")["mgtag_heard"] == "Blues"


def test_the_command_of_beets_itself(library: Any, tiny: Bundle, tmp_path: Path) -> None:
    settings = f"plugins: mgtag\ndirectory: {tmp_path}/music\nlibrary: {tmp_path}/beets.db\n"
    settings += f"mgtag:\n  model: {tiny.folder}\n"
    (tmp_path / "config.yaml").write_text(settings)

    def beet(*arguments: str) -> str:
        command = [sys.executable, "-m", "beets", *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    assert "1 of 2 got a genre." in beet("mgtag")
    assert beet("ls", "-f", "$mgtag_heard", "mgtag_confidence:0.5..").count("Blues") == 2
