"""Put a bundle that was made here into the user's models folder, and take it out again, each in one step."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from mgtag import bundle
from mgtag.bundle import Bundle
from mgtag.errors import BundleError, NoSuchModelError

PREFIX = ".install-"  # of the folder in which it is made; no model is looked for in there
BEFORE = "before"  # what the model that is replaced is called in there


def architecture(folder: Path) -> str | None:
    """Return of which architecture a bundle is; None where there is none, or its card cannot be read."""
    with suppress(OSError, ValueError, TypeError, KeyError):
        return str(json.loads((folder / bundle.CARD).read_bytes())["architecture"])
    return None


def target(name: str, of: str) -> Path:
    """Return where a bundle of a name and architecture goes; a model that is somebody's own is left alone.

    Raises
    ------
    BundleError
        If another model lies there.
    """
    folder = bundle.roots()[0] / name
    if folder.exists() and architecture(folder) != of:
        raise BundleError(f"{folder}: another model lies there and is left alone; move it elsewhere first.")
    return folder


def put(folder: Path, build: Callable[[Path], object]) -> Bundle:
    """Make a bundle; one that lay there before is replaced in one step.

    Parameters
    ----------
    folder : Path
        See `target`.
    build : callable
        Makes the bundle in the new folder that it is given.

    Raises
    ------
    BundleError
        If the folder cannot be written.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with _workplace(folder.parent) as nearby:
            made = nearby / folder.name
            build(made)
            _replace(folder, made)
    except OSError as error:
        raise BundleError(f"{folder}: the model cannot be installed here ({error.strerror}).") from error
    return bundle.load(folder)


def take_out(folder: Path) -> Path:
    """Remove a bundle, and return where it was.

    Raises
    ------
    NoSuchModelError
        If it is not there.
    BundleError
        If it cannot be removed.
    """
    if not folder.exists():
        raise NoSuchModelError(f"{folder}: {folder.name} is not installed.")
    try:
        with _workplace(folder.parent) as nearby:
            folder.rename(nearby / folder.name)  # gone at once, deleted at leisure
    except OSError as error:
        raise BundleError(f"{folder}: the model cannot be removed ({error.strerror}).") from error
    return folder


@contextmanager
def _workplace(models: Path) -> Iterator[Path]:
    """Make a folder beside the models, for one process at a time; what a killed one left is cleared away."""
    import filelock

    with filelock.FileLock(models.with_suffix(".lock")):
        for left in models.glob(f"{PREFIX}*/"):
            for made in left.iterdir() if (left / BEFORE).exists() else ():
                if made.name != BEFORE and not (models / made.name).exists():  # killed between two renames
                    (left / BEFORE).rename(models / made.name)
            shutil.rmtree(left)
        with TemporaryDirectory(prefix=PREFIX, dir=models) as nearby:
            yield Path(nearby)


def _replace(folder: Path, made: Path) -> None:
    before = made.with_name(BEFORE)
    if folder.exists():
        folder.rename(before)
    try:
        made.rename(folder)
    except OSError:
        if before.exists():
            before.rename(folder)
        raise
