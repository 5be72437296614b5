"""mgtag listens to a music folder and writes the genre into every file that has none.

What it offers from Python is loaded when it is first asked for, so that ``import mgtag`` costs nothing::

    tagger = mgtag.load_model()
    answer = tagger.genre("song.mp3")
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from mgtag.version import __version__ as __version__

if TYPE_CHECKING:
    from mgtag.api import Answer, Policy, Prediction, Tagger, load_model, scan

__all__ = ["Answer", "Policy", "Prediction", "Tagger", "load_model", "scan"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(import_module("mgtag.api"), name)
    raise AttributeError(f"module 'mgtag' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
