"""What the shells offer: the names of models, genres, runs and experiments."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from mutagen.flac import FLAC
from running import Run

from mgtag.bundle import Bundle

ROOT = Path(__file__).parents[2]
Complete = Callable[..., list[str]]


@pytest.fixture
def complete(run: Run, monkeypatch: pytest.MonkeyPatch) -> Complete:
    """``complete("scan --model ", "zsh")``: what is offered for the last word, as the shell is told it."""

    def call(words: str, shell: str = "fish") -> list[str]:
        monkeypatch.setenv("_MGTAG_COMPLETE", f"complete_{shell}")
        monkeypatch.setenv("COMP_WORDS", f"mgtag {words}")
        monkeypatch.setenv("COMP_CWORD", str(len(words.split(" "))))
        monkeypatch.setenv("_TYPER_COMPLETE_ARGS", f"mgtag {words}")
        monkeypatch.setenv("_TYPER_COMPLETE_FISH_ACTION", "get-args")
        done = run()
        monkeypatch.delenv("_MGTAG_COMPLETE")
        assert done.err == ""
        return [line.split("\t")[0] for line in done.out.splitlines() if line]

    return call


@pytest.fixture
def scanned(run: Run, song: Callable[..., Path], tiny: Bundle, tmp_path: Path) -> Path:
    """Scan a folder into the listener's own index; hum is heard as blues."""
    song(tmp_path / "music" / "hum.flac", 1.5, sound="hum")
    assert run("scan", tmp_path / "music", "--model", tiny.folder).code == 0
    return tmp_path / "music"


def genre(path: Path, name: str) -> Path:
    file = FLAC(path)
    file["genre"] = name
    file.save()
    return path


@pytest.mark.parametrize("command", ["scan", "watch", "explain", "similar", "playlist", "lab faithfulness"])
def test_models(complete: Complete, command: str) -> None:
    assert complete(f"{command} --model gt") == ["gtzan-parallel-1"]


def test_models_by_name(complete: Complete) -> None:
    assert {"gtzan-parallel-1", "wide-parallel-4"} <= {*complete("models show ")}


def test_genres_that_a_model_hears_and_that_files_have(complete: Complete, scanned: Path) -> None:
    assert complete("list --genre bl") == ["blues"]
    assert complete("undo --genre Hip") == ["Hip-Hop"]
    assert complete("similar --plus me") == ["metal"]
    assert complete("explain --genre Cl") == ["Classical"]


def test_genres_of_the_listeners_own(
    complete: Complete, run: Run, song: Callable[..., Path], tiny: Bundle, tmp_path: Path
) -> None:
    own = genre(song(tmp_path / "own.flac", 1.5), "Zydeco Revival")
    run("scan", own, "--model", tiny.folder, "--index", tmp_path / "my.db")
    assert complete("list --genre Zy") == []
    assert complete(f"list --index {tmp_path}/my.db --genre Zy") == ["Zydeco Revival"]
    assert complete(f"list --index {tmp_path}/my.db --genre Zy", "bash") == ["Zydeco\\ Revival"]


def test_the_index_of_the_settings_counts(
    complete: Complete, run: Run, song: Callable[..., Path], tiny: Bundle, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    (tmp_path / "settings.toml").write_text(f"index = '{tmp_path}/my.db'\n")
    monkeypatch.setenv("MGTAG_CONFIG", str(tmp_path / "settings.toml"))
    run("scan", genre(song(tmp_path / "own.flac", 1.5), "Zydeco"), "--model", tiny.folder)
    assert complete("list --genre Zy") == ["Zydeco"]
    (tmp_path / "settings.toml").write_text("[")
    assert complete("list --genre bl") == ["blues"]  # a broken file breaks no completion


def test_runs_that_changed_a_file(complete: Complete, scanned: Path, run: Run, tiny: Bundle) -> None:
    run("scan", scanned, "--model", tiny.folder)
    assert complete("undo ") == complete("log ") == ["1"]
    assert complete("undo ./") == []  # a path is the shell's to complete
    assert not complete("log 7")


def test_experiments(complete: Complete) -> None:
    pytest.importorskip("torch")
    assert complete("lab run queens-c") == ["queens-cnn"]
    assert "tokens" in complete("lab search toke")
    assert complete("lab analyse --features x ts") == ["tsne"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_is_told_in_its_own_way(complete: Complete, shell: str, scanned: Path) -> None:
    told = {"bash": ["gtzan-parallel-1"], "fish": ["gtzan-parallel-1"]}
    told["zsh"] = ["""_arguments '*: :(("gtzan-parallel-1"))'"""]
    assert complete("scan --model gt", shell) == told[shell]


def test_where_there_is_no_index_none_is_made(complete: Complete, home: Path) -> None:
    assert complete("undo ") == []
    assert "Jazz" in complete("list --genre ")
    assert not list(home.rglob("*.db"))


def test_a_damaged_index_and_card_are_passed_over(complete: Complete, home: Path) -> None:
    folder = home / "data" / "mgtag" / "models" / "broken"
    folder.mkdir(parents=True)
    (folder / "card.json").write_text("[]")
    (home / "data" / "mgtag" / "index.db").write_text("no database")
    assert complete("list --genre Ja") == ["Jazz"]
    assert complete("undo ") == []


def test_nothing_heavy_is_imported_for_it() -> None:
    code = (
        "import sys, atexit\n"
        "heavy = ('numpy', 'av', 'onnxruntime', 'torch', 'librosa')\n"
        "atexit.register(lambda: print([m for m in heavy if m in sys.modules]))\n"
        "from mgtag.cli import main; sys.argv = ['mgtag']; main()"
    )
    words = {"_MGTAG_COMPLETE": "complete_bash", "COMP_CWORD": "3"}
    for asked in ("scan --model ", "list --genre ", "undo --genre "):
        done = subprocess.run(
            [sys.executable, "-c", code], env=os.environ | words | {"COMP_WORDS": f"mgtag {asked}"},
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert done.stdout.splitlines()[-1] == "[]"
        assert len(done.stdout.splitlines()) > 2


SHELLS = {
    "bash": "source completions/mgtag.bash; COMP_WORDS=(mgtag scan --model gt); COMP_CWORD=3;"
    "_mgtag_completion mgtag; echo ${COMPREPLY[@]}",
    "fish": 'source completions/mgtag.fish; complete -C "mgtag scan --model gt"',
    "zsh": 'compdef() { :; }; _arguments() { print -- "$@"; }; source completions/_mgtag;'
    "words=(mgtag scan --model gt); CURRENT=4; _mgtag_completion",
}


@pytest.mark.parametrize("shell", SHELLS)
def test_the_shell_itself_completes(shell: str, tmp_path: Path) -> None:
    if not (program := shutil.which(shell)):
        pytest.skip(f"{shell} is not here")
    command = tmp_path / "mgtag"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m mgtag "$@"\n')
    command.chmod(0o755)
    found = {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        [program, "-c", SHELLS[shell]], env=os.environ | found, cwd=ROOT, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert "gtzan-parallel-1" in done.stdout, done.stderr
