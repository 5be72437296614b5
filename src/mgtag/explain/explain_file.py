"""A file explained from end to end: hear it, weigh its frames, find its moments."""

from __future__ import annotations

from pathlib import Path

from mgtag.card import GENRE
from mgtag.errors import UsageError
from mgtag.explain.attribution import DEFAULT, Method, frame_weights
from mgtag.explain.explanation import Explanation, explain, vote_with_words
from mgtag.explain.sketch import SoundPicture
from mgtag.explain.whole_file import Tell, predict_whole
from mgtag.inference import Tagger
from mgtag.words import words_of


def explain_file(
    path: Path,
    tagger: Tagger,
    method: Method = DEFAULT,
    head: str = GENRE,
    heard: Tell = lambda seconds: None,
    explained: Tell = lambda seconds: None,
    lyrics: bool = True,
) -> tuple[Explanation, SoundPicture]:
    """Explain a file, in memory that does not grow with the sound.

    Parameters
    ----------
    head : str
        Which answer of the network is explained.
    heard, explained : callable
        Told how many seconds were heard, and how many explained.
    lyrics : bool
        Whether the song's words vote with its sound, as they do in a scan.

    Raises
    ------
    AudioError
        If there is no sound to be read, less than one slice, or nothing but silence.
    UsageError
        If the method needs what is not installed, or the network has no such head.
    """
    card = tagger.bundle.card
    if head not in card.heads:
        raise UsageError(f"{card.name}: this model knows no {head}; see `mgtag models`.")
    prediction, sound = predict_whole(path, tagger, heard)
    words = words_of(path, card.name) if lyrics else None
    voted = vote_with_words(card, head, prediction.heads[head].probabilities, words)
    target = head, int(voted.probabilities.argmax())
    weights = frame_weights(path, tagger, prediction, target, method, explained)
    return explain(prediction, weights, card, method, head, words), sound
