"""What stands in for the real thing in tests, and where real music lies."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

import numpy as np
import tiny_bundle

from mgtag.audio import Sound
from mgtag.bundle import Bundle
from mgtag.inference import Amount
from mgtag.prediction import HeadOutput, Prediction

SHARED = Path(os.environ.get("MGTAG_SHARED", Path(__file__).parents[2] / "shared"))


class Inline(Executor):
    """Runs a call at once, in this process."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


class FakeTagger:
    """A tagger that answers by a file's name and remembers what it was asked.

    ``says["a.flac"] = ("jazz", 0.7)`` or an exception; anything else is blues, 0.9 sure.
    """

    device = "cpu"

    def __init__(self, model: Bundle) -> None:
        self.bundle = model
        self.asked: list[str] = []
        self.says: dict[str, tuple[str, float] | Exception | type[BaseException]] = {}

    def predict(self, source: Sound, slices: Amount = "auto") -> Prediction:
        path = source.path
        self.asked.append(path.name)
        answer = self.says.get(path.name, ("blues", 0.9))
        if not isinstance(answer, tuple):
            raise answer
        label, share = answer
        labels = self.bundle.card.genre.labels
        row = np.full((1, len(labels)), (1 - share) / (len(labels) - 1), np.float32)
        row[0, labels.index(label)] = share
        even = np.full((1, tiny_bundle.MEL.n_frames), 1 / tiny_bundle.MEL.n_frames, np.float32)
        heads = {"genre": HeadOutput(labels, row)}
        return Prediction(np.zeros(1, np.float32), heads, even, np.ones((1, 4), np.float32))
