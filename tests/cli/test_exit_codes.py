"""The same mistake ends every command with the same exit code, and with one sentence that names its cause."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from doubles import Inline
from running import Run
from sounds import Song
from typer.main import get_command

from mgtag.bundle import Bundle
from mgtag.cli.app import app
from mgtag.inference import Tagger
from mgtag.library.index import Index
from mgtag.library.policy import Policy
from mgtag.library.scan import scan

NOBODY = 65534  # user and group
WITH_INDEX = "scan watch undo withdraw log check show list explain similar playlist map learn doctor".split()
READERS = (  # of the index
    "undo",
    "withdraw --below 0.9",
    "log",
    "check",
    "show SONG",
    "list",
    "explain -g blues --model TINY",
    "similar SONG",
    "playlist SONG",
    "map PAGE",
    "learn --base TINY",
)
SCANS = ("scan MUSIC --model TINY", "watch MUSIC --model TINY")

# kind of mistake: exit code, words of the sentence, and every command in which it can be made.
# In capitals: what the fixture `scene` made.
MISTAKES: dict[str, tuple[int, str, tuple[str, ...]]] = {
    "a path that is not there": (
        2,
        "there is no such|There is nothing|does not exist",
        (
            "scan GONE --model TINY",
            "watch GONE --model TINY",
            "undo GONE",
            "withdraw --below 0.9 GONE",
            "show GONE",
            "list GONE",
            "explain GONE --model TINY",
            "similar GONE",
            "playlist GONE",
            "learn GONE --base TINY",
            "learn --from folders GONE --base TINY",
            "models install musicnn --wheel GONE",
            "genres --tree GONE",
            "train --dataset folder --audio GONE",
            "train --dataset gtzan --features GONE",
            "lab run queens-parallel --features GONE",
            "lab search tokens --features GONE",
            "lab faithfulness --features GONE",
            "lab report --runs GONE",
            "lab analyse --features GONE --runs GONE",
        ),
    ),
    "a folder where a file is asked for": (
        2,
        "folder|directory",
        ("show MUSIC", "explain MUSIC --model TINY", "map MUSIC"),
    ),
    "a file that is no music": (
        3,
        "no audio file|no kind of audio file",
        ("scan TEXT --model TINY", "show TEXT", "explain TEXT --model TINY"),
    ),
    "a song that the index does not know": (
        2,
        "has not heard this song|nothing of mgtag's",
        ("similar TEXT", "playlist TEXT", "undo TEXT"),
    ),
    "a model that is not at hand": (
        2,
        "no model called|nobody is not installed|heard by nobody|is not one of 'musicnn'",
        (
            "scan MUSIC --model nobody",
            "watch MUSIC --model nobody",
            "explain SONG --model nobody",
            "explain -g blues --model nobody",
            "learn MUSIC --base nobody",
            "similar SONG --model nobody",
            "playlist SONG --model nobody",
            "map PAGE --model nobody",
            "genres --model nobody",
            "models show nobody",
            "models remove nobody",
            "models install nobody",
        ),
    ),
    "a model that is damaged": (
        1,
        "card.json",
        (
            "scan MUSIC --model BROKEN",
            "watch MUSIC --model BROKEN",
            "explain SONG --model BROKEN",
            "models show BROKEN",
            "genres --model BROKEN",
            "learn MUSIC --base BROKEN",
        ),
    ),
    "an index that is damaged": (1, "the index is damaged", tuple(f"{c} --index DAMAGED" for c in READERS)),
    "an index that is none": (
        1,
        "the index cannot be opened",
        tuple(f"{c} --index TEXT" for c in (*READERS, *SCANS)),
    ),
    "an index that is a folder": (
        1,
        "the index cannot be opened",
        tuple(f"{c} --index MUSIC" for c in (*READERS, *SCANS)),
    ),
    "a value that an option does not take": (
        2,
        "Invalid value|is no|there is no field|There is no experiment|There is no run|has no split",
        (
            "scan MUSIC --threshold 2",
            "scan MUSIC --jobs 0",
            "scan MUSIC --slices some",
            "watch MUSIC --still -1",
            "withdraw --below much",
            "list --sort colour",
            "list colour:red",
            "list confidence:high",
            "list -f $colour",
            "explain SONG --method magic",
            "similar SONG -n 0",
            "playlist SONG --length long",
            "map PAGE --method magic",
            "log first",
            "undo 99",
            "learn MUSIC --from hearsay",
            "train --dataset nothing",
            "lab run nothing",
            "lab run tokens --split halves",
            "lab search nothing",
        ),
    ),
    "a run that there was not": (2, "There is no run 99", ("undo 99", "log 99")),
    "an option that there is not": (
        2,
        "No such option",
        tuple(f"{c} --colour" for c in (*READERS, *SCANS, "doctor", "models", "config show", "lab list")),
    ),
    "something to go on from that is not there": (
        2,
        "",
        (
            "undo --genre polka",
            "similar --plus polka",
            "explain -g polka --model TINY",
            "learn EMPTY --base TINY",
            "similar SONG --index NEW",
            "playlist SONG --index NEW",
            "map PAGE --index NEW",
            "undo --index NEW",
        ),
    ),
    "nothing that matches, which is no mistake": (
        0,
        "",
        (
            "scan EMPTY --model TINY",
            "list genre:polka",
            "list --index NEW",
            "log --index NEW",
            "check --index NEW",
            "withdraw --below 0",
        ),
    ),
    "a place where nothing can be written": (
        2,
        "cannot be written|there is no folder",
        (
            "similar SONG --m3u GONE/a.m3u8",
            "playlist SONG --m3u GONE/a.m3u8",
            "map GONE/a.html",
            "explain SONG --html GONE/a.html --model TINY",
            "explain SONG --png GONE/a.png --model TINY",
        ),
    ),
}


@dataclass(frozen=True)
class Scene:
    """What the commands of the table name."""

    folder: Path
    names: dict[str, Path]

    def arguments(self, command: str) -> list[str]:
        words = command.split()
        if words[0] in WITH_INDEX and "--index" not in words:
            words += ["--index", "INDEX"]
        return [self._path(word) for word in words]

    def _path(self, word: str) -> str:
        first, *rest = word.split("/")
        return str(self.names[first].joinpath(*rest)) if first in self.names else word


@pytest.fixture(scope="module")
def scene(tiny: Bundle, song: Song, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with tempfile.TemporaryDirectory() as name:  # where other users may come, too
        folder = Path(name)
        names = {
            "MUSIC": folder / "music",
            "SONG": folder / "music" / "hum.flac",
            "TEXT": folder / "text.mp3",
            "EMPTY": folder / "empty",
            "GONE": folder / "gone",
            "PAGE": folder / "page.html",
            "TINY": folder / "tiny-1",
            "BROKEN": folder / "broken",
            "INDEX": folder / "index.db",
            "NEW": folder / "new.db",
            "DAMAGED": folder / "damaged.db",
        }
        song(names["SONG"], 1.5, sound="hum")
        names["TEXT"].write_text("no music\n" * 50)
        names["EMPTY"].mkdir()
        for copy in ("TINY", "BROKEN"):
            shutil.copytree(tiny.folder, names[copy])
        (names["BROKEN"] / "card.json").write_text("{")
        with Index(names["INDEX"]) as index:
            list(scan([names["MUSIC"]], Tagger(tiny, "cpu"), index, Policy(), Inline()))
        names["DAMAGED"].write_bytes(names["INDEX"].read_bytes()[:100] + b"\x99" * 8000)
        yield Scene(folder, names)


@pytest.mark.parametrize(
    ("code", "words", "command"),
    [
        pytest.param(code, words, command, id=f"{kind}: {command}")
        for kind, (code, words, commands) in MISTAKES.items()
        for command in commands
    ],
)
def test_the_same_mistake_has_the_same_exit_code(
    run: Run, scene: Scene, code: int, words: str, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(scene.folder)
    done = run(*scene.arguments(command))
    told = " ".join((done.err + done.out).split())
    assert done.code == code, told
    assert not words or any(word in told for word in words.split("|")), told
    assert "Traceback" not in told


@contextmanager
def nobody(folder: Path) -> Iterator[None]:
    """Be a user whom rights bind, and own the folder."""
    if os.geteuid():
        yield
        return
    for path in (folder, *folder.rglob("*")):
        os.chown(path, NOBODY, NOBODY)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="this system has other rights")
@pytest.mark.parametrize(
    ("code", "locked", "command"),
    [
        (3, "SONG", "scan SONG --model TINY --force"),
        (3, "SONG", "show SONG"),
        (3, "SONG", "explain SONG --model TINY"),
        *((1, "INDEX", command) for command in (*READERS, *SCANS)),
    ],
)
def test_no_rights(
    run: Run, scene: Scene, code: int, locked: str, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(scene.folder))
    monkeypatch.setenv("XDG_DATA_HOME", str(scene.folder))
    path = scene.names[locked]
    with nobody(scene.folder):
        path.chmod(0)
        try:
            done = run(*scene.arguments(command))
        finally:
            path.chmod(0o644)
    assert done.code == code, done.err
    assert any(word in done.err for word in ("Permission denied", "permissions", "unable to open")), done.err


def test_every_command_is_in_the_table() -> None:
    listed = {command.split()[0] for _, _, commands in MISTAKES.values() for command in commands}
    assert listed == set(get_command(app).commands)  # type: ignore[attr-defined]
