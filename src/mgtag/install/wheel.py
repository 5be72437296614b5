"""Fetch a wheel through pip, as the user has it configured, and accept it only by its SHA-256."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from mgtag.errors import BundleError, UsageError

Tell = Callable[[int], object]  # called with the bytes fetched so far

PROGRESS = re.compile(r"Progress (\d+)")  # what `pip --progress-bar raw` prints, since pip 24.1
OPTIONS = ("--no-deps", "--only-binary", ":all:", "--no-input", "--disable-pip-version-check")


@dataclass(frozen=True)
class Wheel:
    """A release that is known to the byte.

    Attributes
    ----------
    name, version : str
    file : str
        Name of the file.
    sha256 : str
    size : int
        Bytes.
    """

    name: str
    version: str
    file: str
    sha256: str
    size: int

    @property
    def requirement(self) -> str:
        """The requirement for pip."""
        return f"{self.name}=={self.version}"


def fetch(wheel: Wheel, folder: Path, tell: Tell = lambda count: None) -> Path:
    """Let pip fetch a wheel into a folder.

    Raises
    ------
    BundleError
        If there is no pip, or it cannot fetch the wheel.
    """
    command = [*_pip(wheel), "download", *OPTIONS, "--dest", str(folder), wheel.requirement]
    said = _run([*command, "--progress-bar", "raw"], tell)
    if "invalid choice: 'raw'" in said:
        said = _run([*command, "--progress-bar", "off"], tell)
    if not (folder / wheel.file).is_file():
        errors = [line.removeprefix("ERROR: ") for line in said.splitlines() if line.startswith("ERROR: ")]
        reason = errors[-1].rstrip(".") if errors else "it did not say why"
        raise BundleError(
            f"pip could not fetch {wheel.requirement} ({reason}); look at the network and at pip's index, or"
            f" fetch {wheel.file} elsewhere and give it with --wheel FILE."
        )
    return folder / wheel.file


def verify(wheel: Wheel, path: Path) -> None:
    """Compare a file with what the wheel is known to be.

    Raises
    ------
    UsageError
        If there is no such file.
    BundleError
        If it cannot be read, or is another file.
    """
    try:
        with open(path, "rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError as error:
        raise UsageError(f"{path}: there is no such file.") from error
    except OSError as error:
        raise BundleError(f"{path}: this wheel cannot be read ({error.strerror}).") from error
    if found != wheel.sha256:
        raise BundleError(
            f"{path}: this is not the {wheel.file} that mgtag knows (SHA-256 {found[:12]}…, not"
            f" {wheel.sha256[:12]}…); nothing was installed. Fetch it again with pip download --no-deps"
            f" {wheel.requirement}."
        )


def _pip(wheel: Wheel) -> list[str]:
    """Return how pip is called; an environment of uv or pipx has none of its own."""
    if find_spec("pip") is not None:
        return [sys.executable, "-m", "pip"]
    for name in ("pip", "pip3"):
        if found := shutil.which(name):
            return [found]
    raise BundleError(
        f"There is no pip here to fetch {wheel.requirement} with; fetch it where there is one (pip download"
        f" --no-deps {wheel.requirement}, or uvx pip download …), and give the file with --wheel FILE."
    )


def _run(command: list[str], tell: Tell) -> str:
    """Return pip's output, errors included."""
    lines = []
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if found := PROGRESS.match(line):
                tell(int(found[1]))
            else:
                lines.append(line)
    return "".join(lines)
