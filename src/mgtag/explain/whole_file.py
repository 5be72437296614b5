"""A whole file in one pass, however long: slice after slice side by side, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from mgtag import audio
from mgtag.errors import AudioError
from mgtag.explain.sketch import Sketch, SoundPicture
from mgtag.inference import Tagger
from mgtag.prediction import Prediction, concatenate
from mgtag.slices import tiles

Tell = Callable[[float], object]  # called with the seconds heard so far


def predict_whole(
    path: Path, tagger: Tagger, tell: Tell = lambda seconds: None
) -> tuple[Prediction, SoundPicture]:
    """Predict every slice of a file, and keep what a picture of it needs.

    Raises
    ------
    AudioError
        If there is no sound to be read, less than one slice, or nothing but silence.
    """
    mel = tagger.bundle.card.mel
    parts, heard = [], False
    with audio.opened(path) as sound:
        sketch = Sketch(mel, sound.duration_s)
        for part in tiles(sound, mel, tap=sketch.add):
            parts.append(tagger.ask(part.windows, part.audible, part.starts_s))
            heard = heard or bool(part.audible.any())
            tell(float(part.starts_s[-1]) + mel.slice_s)
    if not heard:
        raise AudioError(f"{path}: there is nothing to hear: the whole file is silent.")
    return concatenate(parts), sketch.finish()
