"""The documents say what is so."""

from __future__ import annotations

import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from mgtag.cli.app import app

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
GUIDE = (ROOT / "docs" / "guide.md").read_text(encoding="utf-8")
PICTURES = "https://raw.githubusercontent.com/mgtag/mgtag/main/"
COMMANDS = typer.main.get_command(app).commands  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_and_stands_in_the_readme(name: str) -> None:
    assert COMMANDS[name].help
    assert f"`mgtag {name}" in README


@pytest.mark.parametrize("option", [o for p in COMMANDS["scan"].params for o in p.opts if o.startswith("--")])
def test_every_option_of_scan_stands_in_the_guide(option: str) -> None:
    assert option in GUIDE


INNER = [inner for c in COMMANDS.values() for inner in getattr(c, "commands", {}).values()]


@pytest.mark.parametrize(
    "command", [c for c in (*COMMANDS.values(), *INNER) if c.name != "scan"], ids=lambda c: c.name
)
def test_every_option_of_every_command_has_help(command: typer.core.TyperCommand) -> None:
    assert all(p.help for p in command.params if p.name != "index" and isinstance(p, typer.core.TyperOption))


@pytest.mark.parametrize(
    ("shell", "name"), [("bash", "mgtag.bash"), ("zsh", "_mgtag"), ("fish", "mgtag.fish")]
)
def test_completions_are_fresh(shell: str, name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from mgtag.cli import main; main()"],
        env={**os.environ, "_MGTAG_COMPLETE": f"source_{shell}"},
        capture_output=True,
        text=True,
    )
    assert (ROOT / "completions" / name).read_text().strip() == done.stdout.strip() != ""


def test_the_man_page_is_fresh() -> None:
    page = runpy.run_path(str(ROOT / "docs" / "manpage.py"))["page"]()
    assert (ROOT / "man" / "mgtag.1").read_text(encoding="utf-8") == page


def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    pytest.importorskip("sphinx")
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", ROOT / "docs", tmp_path]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "python.html").exists()


@pytest.mark.parametrize("page", ["README.md", "docs/model-card.md"])
def test_the_figures_are_those_of_the_shipped_cards(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    refreshed = runpy.run_path(str(ROOT / "docs" / "refresh.py"))["refreshed"]
    assert "<!-- outside -->" in text
    assert refreshed(text) == text


def test_ci_runs_what_the_readme_says() -> None:
    done = subprocess.run(
        ["sed", "-n", r"/^<!-- tests -->$/,/^```$/{/^<!--/d;/^```/d;p}", ROOT / "README.md"],
        capture_output=True,
        text=True,
    )
    assert r"/^<!-- tests -->$/,/^```$/{/^<!--/d;/^```/d;p}" in (ROOT / ".ci" / "run").read_text()
    assert ".venv/bin/pytest" in done.stdout


def test_links_between_documents_lead_somewhere() -> None:
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]
    for page in pages:
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            # README's pictures have absolute addresses: a package index shows it without the repository.
            path = target.removeprefix(PICTURES)
            if path.startswith("https:"):
                continue
            here = (page.parent if path == target else ROOT) / path
            assert here.exists(), f"{page.name}: {target}"


PATH = re.compile(
    r"`((?:src|train|tests|docs|completions|man|contrib|bench|examples|\.github|\.ci)/[\w./-]*|[\w-]+\.py)`"
)


def test_every_path_that_a_document_names_is_there() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), ROOT / "train" / "RESULTS.md"]
    named = [(page, path) for page in pages for path in PATH.findall(page.read_text(encoding="utf-8"))]
    assert len(named) > 40
    for page, path in named:
        assert (ROOT / path).exists(), f"{page.name}: {path}"


def test_every_folder_of_code_stands_in_the_architecture() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    for package in (ROOT / "src" / "mgtag", ROOT / "train" / "mgtag_train"):
        for folder in package.iterdir():
            if (folder / "__init__.py").is_file():
                assert f"`{folder.relative_to(ROOT).as_posix()}/`" in text, folder.name


FEATURES = README.partition("<!-- features -->")[2].partition("<!-- /features -->")[0]


@pytest.mark.parametrize("named", re.findall(r"`(tests/[^`]+)`", FEATURES))
def test_every_feature_names_a_test_that_is_there(named: str) -> None:
    path, _, name = named.partition("::")
    assert re.search(rf"^def {name}\(", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE)


def test_every_row_of_the_features_names_a_test() -> None:
    rows = [line for line in FEATURES.splitlines() if line.startswith("| ")][1:]
    assert len(rows) > 20 and all("`tests/" in row for row in rows)
