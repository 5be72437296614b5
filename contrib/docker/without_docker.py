"""Do what the Dockerfile does without docker: ``python contrib/docker/without_docker.py [SONG]``.

Its COPY and RUN steps are carried out in a temporary folder that stands for the image's root, pip in a fresh
environment; then the entry point is run as ``docker run`` would, with its ENV, and scans a copy of the song.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]


def steps(text: str) -> list[tuple[str, str]]:
    """Return the instructions of a Dockerfile, each with its words."""
    lines = (line.strip() for line in text.replace("\\\n", " ").splitlines())
    parted = (line.partition(" ") for line in lines if line and not line.startswith("#"))
    return [(name, words.strip()) for name, _, words in parted]


def build(image: Path) -> tuple[list[str], dict[str, str]]:
    """Carry the steps out below a folder; return the entry point and the variables to run it with."""
    subprocess.run([sys.executable, "-m", "venv", image / "venv"], check=True)
    path = f"{image / 'venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"
    ours = ("PYTHON", "VIRTUAL_ENV", "XDG", "MGTAG")
    outside = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    entry, inside = [], dict[str, str]()
    for name, words in steps((Path(__file__).parent / "Dockerfile").read_text()):
        if name == "COPY":
            *sources, target = words.split()
            for source in sources:
                _copy(ROOT / source, image / target.lstrip("/"), len(sources) > 1)
        elif name == "RUN":
            command = re.sub(r"(?<=\s)/(?=\w)", f"{image}/", words)
            subprocess.run(command, shell=True, check=True, env=outside | {"PATH": path})
        elif name == "ENV":
            pairs = (pair.split("=", 1) for pair in words.split())
            inside |= {key: str(image / value.lstrip("/")) for key, value in pairs}
        elif name == "ENTRYPOINT":
            entry = json.loads(words)
    return entry, outside | inside | {"PATH": path}


def _copy(source: Path, target: Path, into: bool) -> None:
    if source.is_dir():
        ignored = shutil.ignore_patterns("__pycache__", "*.egg-info", "records", "pictures")
        shutil.copytree(source, target, ignore=ignored)
    else:
        (target if into else target.parent).mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)


def main() -> None:
    """Build, and run."""
    with tempfile.TemporaryDirectory() as folder:
        image = Path(folder)
        entry, variables = build(image)
        calls = [["--version"], ["doctor"]]
        for song in map(Path, sys.argv[1:]):
            (image / "music").mkdir(exist_ok=True)
            shutil.copy(song, image / "music")
            calls += [["scan", str(image / "music")], ["undo"]]
        for words in calls:
            subprocess.run([*entry, *words], check=True, env=variables, cwd=image)


if __name__ == "__main__":
    main()
