"""The picture of docs/architecture.md: who may import whom, and what is imported when."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = {"mgtag": ROOT / "src" / "mgtag", "mgtag_train": ROOT / "train" / "mgtag_train"}

# A folder or top module: those that it may use. What is not in the table may not be imported by anything.
HEARING = {
    "arrays",
    "errors",
    "extras",
    "audio",
    "identity",
    "features",
    "prediction",
    "card",
    "bundle",
    "inference",
    "vote",
}
ARROWS: dict[str, set[str]] = {
    "arrays": set(),
    "errors": set(),
    "extras": {"errors"},
    "formats": set(),
    "prediction": {"arrays"},
    "vote": {"arrays", "card"},
    "models": {"errors"},
    "workers": {"formats"},
    "tails": set(),
    "asf_header": set(),
    "config": {"errors"},
    "hooks": {"errors"},
    "ffmpeg": {"asf_header", "errors", "tails"},
    "resampling": {"arrays"},
    "decoding": {"arrays", "resampling"},
    "audio": {"arrays", "errors", "ffmpeg", "decoding"},
    "identity": {"ffmpeg"},
    "features": {"arrays", "errors"},
    "slices": {"arrays", "errors", "audio", "features"},
    "card": {"features"},
    "bundle_folders": set(),
    "bundle": {"errors", "card", "bundle_folders"},
    "install": {"arrays", "errors", "features", "card", "bundle"},
    "words": {"arrays", "card", "errors", "tags", "vote"},
    "analysis": {"arrays", "audio", "errors", "extras"},
    "inference": HEARING | {"analysis", "slices", "models", "tags"},
    "tags": {"asf_header", "errors", "tails"},
    "library": HEARING | {"analysis", "formats", "tags", "version", "words"},
    "explain": HEARING | {"slices", "library", "words"},
    "learn": HEARING | {"install", "library", "tags"},
}
ARROWS["explore"] = {"arrays", "errors", "extras", "library"}
ARROWS["version"] = set()
ARROWS["doctor"] = {"bundle", "config", "library", "version"}
ARROWS["cluster"] = {"bundle", "errors", "extras", "inference", "workers"}
ARROWS["api"] = HEARING | {"library", "workers", "cluster", "words"}
ARROWS["view"] = set(ARROWS) - {"api"}
ARROWS["cli"] = set(ARROWS) - {"models"}
ARROWS["__main__"] = {"version", "cli", "library", "workers"}
TORCH = {"explain", "inference", "models"}  # no other folder may import it, not even late

SHARED = {
    "analysis",
    "bundle_folders",
    "learn",
    "prediction",
    "arrays",
    "audio",
    "features",
    "card",
    "bundle",
    "models",
    "vote",
    "errors",
    "inference",
    "install",
    "tags",
    "words",
}
LABORATORY: dict[str, set[str]] = {
    "data": SHARED | {"formats", "workers"},
    "learn": SHARED | {"workers", "data"},
    "ship": SHARED | {"workers", "data", "learn"},
    "lab": SHARED | {"workers", "data", "learn", "ship"},
    "report": SHARED | {"workers", "data", "learn", "ship", "lab", "explain"},
}
HEAVY = (
    "torch",
    "librosa",
    "onnxruntime",
    "onnx",
    "av",
    "matplotlib",
    "numpy",
    "sqlite_utils",
    "mutagen",
    "rich.progress",
)


def modules(package: str) -> dict[str, Path]:
    """Every module of a package, by its dotted name."""
    folder, found = SOURCES[package], {}
    for path in sorted(folder.rglob("*.py")):
        parts = [package, *path.relative_to(folder).with_suffix("").parts]
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules("mgtag") | modules("mgtag_train")


def imported(path: Path) -> Iterator[str]:
    """Every module that a file imports, wherever in it, as absolute names."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: relative imports hide the arrows"
            assert node.module
            for name in node.names:
                whole = f"{node.module}.{name.name}"
                yield whole if whole in MODULES else node.module


def place(name: str) -> str:
    """Return the folder or top module in which a module lies, "" for the package itself."""
    return [*name.split("."), ""][1]


@pytest.mark.parametrize("name", MODULES)
def test_no_import_runs_against_the_arrows(name: str) -> None:
    package, here = name.split(".")[0], place(name)
    arrows = ARROWS if package == "mgtag" else LABORATORY
    assert not here or here in arrows, f"{here} is not in the table: draw its arrows here"
    for other in imported(MODULES[name]):
        top, there = other.split(".")[0], place(other)
        if top in SOURCES and there not in ("", here) and not enters_laboratory(name, top):
            assert there in arrows.get(here, {"api", "version"}), f"{name} imports {other}"
        if package == "mgtag":
            assert top != "torch" or here in TORCH, f"{name} imports torch"
            assert top != "mgtag_train" or enters_laboratory(name, top), f"{name} imports {other}"


def enters_laboratory(name: str, top: str) -> bool:
    return name in ("mgtag.cli.train", "mgtag.cli.lab") and top == "mgtag_train"


def test_the_modules_make_no_circle() -> None:
    graph = {
        name: {other for other in imported(path) if other in MODULES and other != name}
        for name, path in MODULES.items()
    }
    TopologicalSorter(graph).prepare()  # raises CycleError and names the circle


def test_the_folders_make_no_circle() -> None:
    TopologicalSorter({here: there - {here} for here, there in ARROWS.items()}).prepare()
    TopologicalSorter({here: there - SHARED for here, there in LABORATORY.items()}).prepare()


SQL = re.compile(r"\b(SELECT|INSERT INTO|UPDATE \w+ SET|DELETE FROM|CREATE TABLE|PRAGMA|VACUUM)\b")


def test_sql_stands_in_two_files_only() -> None:
    with_sql = {
        name
        for name, path in MODULES.items()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and SQL.search(node.value)
    }
    assert with_sql == {"mgtag.library.sql", "mgtag.library.migrations"}


def test_a_late_import_is_seen_too(tmp_path: Path) -> None:
    late = tmp_path / "late.py"
    late.write_text("def f():\n    if True:\n        from mgtag.library import scan\n")
    assert list(imported(late)) == ["mgtag.library.scan"]


def test_the_laboratory_is_entered_late() -> None:
    tree = ast.parse(MODULES["mgtag.cli.train"].read_text(encoding="utf-8"))
    top = [n.module or "" for n in tree.body if isinstance(n, ast.ImportFrom)]
    assert not any(name.startswith("mgtag_train") for name in top)


@pytest.mark.parametrize(
    ("arguments", "environment"),
    [
        (["--help"], {}),
        (["scan", "--help"], {}),
        (["undo", "--help"], {}),
        (["train", "--help"], {}),
        (["explain", "--help"], {}),
        (["--version"], {}),
        ([], {"_MGTAG_COMPLETE": "complete_bash", "COMP_WORDS": "mgtag scan --", "COMP_CWORD": "2"}),
        ([], {"_MGTAG_COMPLETE": "complete_zsh", "_TYPER_COMPLETE_ARGS": "mgtag sc"}),
        (
            [],
            {
                "_MGTAG_COMPLETE": "complete_fish",
                "_TYPER_COMPLETE_ARGS": "mgtag ",
                "_TYPER_COMPLETE_FISH_ACTION": "get-args",
            },
        ),
    ],
    ids=["help", "scan", "undo", "train", "explain", "version", "bash", "zsh", "fish"],
)
def test_help_and_completion_import_nothing_heavy(arguments: list[str], environment: dict[str, str]) -> None:
    code = (
        f"import os, sys; os.environ.update({environment!r}); sys.argv = ['mgtag', *{arguments!r}]\n"
        "import atexit; atexit.register(lambda: print('LOADED', *sorted(sys.modules)))\n"
        "from mgtag.cli import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    shown, _, loaded = done.stdout.partition("LOADED")
    assert shown.strip(), done.stderr
    assert not set(HEAVY) & set(loaded.split())


def test_a_scan_leaves_to_its_workers_what_only_they_need() -> None:
    code = "import sys, mgtag.api, mgtag.view.scanning; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"torch", "onnxruntime", "av", "sqlite_utils"} & set(done.stdout.split())
