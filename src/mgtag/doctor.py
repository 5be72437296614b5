"""What mgtag runs on, to be pasted into a bug report: versions, devices, codecs, paths, index, models."""

from __future__ import annotations

import os
import platform
import shutil
import sqlite3
import sys
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from mgtag import config
from mgtag.version import __version__

Section = dict[str, str]
PACKAGES = (
    "av numpy onnxruntime mutagen filelock platformdirs rich sqlite-utils typer watchfiles torch".split()
)
DECODERS = {
    "mp3": "mp3float",
    "m4a": "aac",
    "m4a (ALAC)": "alac",
    "flac": "flac",
    "ogg": "vorbis",
    "opus": "opus",
    "wma": "wmav2",
    "wav": "pcm_s16le",
    "aiff": "pcm_s16be",
    "ape": "ape",
    "wv": "wavpack",
}


def examine(index: Path | None = None) -> dict[str, Section]:
    """Return facts by section; what cannot be found out has the reason instead. Nothing is changed, or made.

    Parameters
    ----------
    index : Path, optional
        By default the user's own.
    """
    from mgtag.library import opening

    index = index or opening.default_path()
    sections: dict[str, Callable[[], Section]] = {
        "mgtag": _program,
        "versions": _versions,
        "devices": _devices,
        "codecs": _codecs,
        "paths": lambda: _paths(index),
        "index": lambda: opening.health(index),
        "models": _models,
    }
    found: dict[str, Section] = {}
    for name, look in sections.items():
        try:
            found[name] = look()
        except Exception as error:  # a broken installation is what this is for
            found[name] = {"broken": f"{type(error).__name__}: {error}"}
    return {name: {k: _without_home(v) for k, v in facts.items()} for name, facts in found.items()}


def _program() -> Section:
    return {
        "version": __version__,
        "python": f"{platform.python_version()} ({platform.python_implementation()})",
        "system": platform.platform(),
        "file names": f"{sys.getfilesystemencoding()}, output {sys.stdout.encoding}",
        "program": str(Path(__file__).parent),
    }


def _versions() -> Section:
    return {name: _version(name) for name in PACKAGES} | {"SQLite": sqlite3.sqlite_version}


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _devices() -> Section:
    import onnxruntime

    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "cores": f"{os.cpu_count()}, usable {usable}",
        "ONNX Runtime": ", ".join(onnxruntime.get_available_providers()),
        "NVIDIA driver": shutil.which("nvidia-smi") or "none",
        "memory ceiling of a worker": "yes" if _has_resource() else "no, the system has none",
    }


def _has_resource() -> bool:
    try:
        import resource
    except ImportError:
        return False
    return hasattr(resource, "RLIMIT_AS")


def _codecs() -> Section:
    import av
    from av.codec import Codec

    libraries = {name: ".".join(map(str, numbers)) for name, numbers in av.library_versions.items()}
    missing = [kind for kind, name in DECODERS.items() if name not in av.codecs_available]
    whole = {kind: Codec(name, "r").long_name for kind, name in DECODERS.items() if kind not in missing}
    return libraries | whole | dict.fromkeys(missing, "MISSING")


def _paths(index: Path) -> Section:
    from mgtag import bundle

    paths = {"index": index, "settings": config.default_path(), "models": bundle.roots()[0]}
    return {name: f"{path} ({_access(path)})" for name, path in paths.items()}


def _access(path: Path) -> str:
    there = path
    while not there.exists() and there != there.parent:
        there = there.parent
    writable = "can be written" if os.access(there, os.W_OK) else "cannot be written"
    return writable if path.exists() else f"not there yet; {writable}"


def _models() -> Section:
    from mgtag import bundle

    whole, broken = bundle.at_hand()
    facts = {found.id: f"whole, {found.folder}" for found in whole}
    return facts | {f"broken {n}": str(error) for n, error in enumerate(broken, 1)}


def _without_home(text: str) -> str:
    home = str(Path.home())
    return text.replace(home, "~") if len(home) > 1 else text
