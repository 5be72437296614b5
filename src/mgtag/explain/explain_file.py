"""A file explained from end to end: hear it, weigh its frames, find its moments."""

from __future__ import annotations

from pathlib import Path

from mgtag.explain.attribution import DEFAULT, Method, frame_weights
from mgtag.explain.explanation import Explanation, explain, winner
from mgtag.explain.sketch import Sound
from mgtag.explain.whole_file import Tell, listen
from mgtag.inference import Tagger


def explain_file(
    path: Path,
    tagger: Tagger,
    method: Method = DEFAULT,
    heard: Tell = lambda seconds: None,
    explained: Tell = lambda seconds: None,
) -> tuple[Explanation, Sound]:
    """Explain a file, in memory that does not grow with the sound.

    Parameters
    ----------
    heard, explained : callable
        Told how many seconds were heard, and how many explained.

    Raises
    ------
    AudioError
        If there is no sound to be read, less than one slice, or nothing but silence.
    UsageError
        If the method needs what is not installed.
    """
    card = tagger.bundle.card
    prediction, sound = listen(path, tagger, heard)
    genre = winner(prediction, card.vote_temperature)
    weights = frame_weights(path, tagger, prediction, genre, method, explained)
    return explain(prediction, weights, card.mel, card.vote_temperature, card.genres, method), sound
