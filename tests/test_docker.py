"""The image: what its files name is there; `contrib/docker/without_docker.py` carries the steps out."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCKER = ROOT / "contrib" / "docker"


@pytest.fixture
def steps() -> list[tuple[str, str]]:
    lines = (DOCKER / "Dockerfile").read_text().splitlines()
    parted = (line.partition(" ") for line in lines if line and not line.startswith("#"))
    return [(name, words) for name, _, words in parted]


def test_what_is_copied_is_there_and_enough_to_install(steps: list[tuple[str, str]]) -> None:
    copied = {source for name, words in steps if name == "COPY" for source in words.split()[:-1]}
    assert all((ROOT / source).exists() for source in copied)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    needed = {project["project"]["readme"], *project["project"]["license-files"]}
    assert copied >= needed | {*project["tool"]["setuptools"]["packages"]["find"]["where"], "pyproject.toml"}


def test_the_entry_point_is_a_script_of_ours(steps: list[tuple[str, str]]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    (entry,) = json.loads(dict(steps)["ENTRYPOINT"])
    assert entry in project["project"]["scripts"]


def test_compose_keeps_the_index_and_sees_the_music(steps: list[tuple[str, str]]) -> None:
    yaml = pytest.importorskip("yaml")
    service = yaml.safe_load((DOCKER / "compose.yaml").read_text())["services"]["mgtag"]
    build = service["build"]
    assert (DOCKER / build["context"] / build["dockerfile"]).resolve() == DOCKER / "Dockerfile"
    targets = {volume.rpartition(":")[2] for volume in service["volumes"]}
    variables = dict(pair.split("=") for name, words in steps if name == "ENV" for pair in words.split())
    assert variables["XDG_DATA_HOME"] in targets and dict(steps)["VOLUME"] in targets
    assert service["command"] == ["watch", "/music"] and "/music" in targets
