"""What words say of a genre, and how they vote with the sound."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from mgtag import bundle, words
from mgtag.card import Head
from mgtag.errors import BundleError
from mgtag.vote import Vote
from mgtag.words import LEAST_WORDS, Words, WordsModel, together

LABELS = ("country", "metal", "pop")
COMMON = ("the", "and", "you", "in")
TERMS = ("truck", "the truck", "death", "the", "baby")


def model(**card: object) -> WordsModel:
    weights = np.zeros((3, len(TERMS)), np.float32)
    weights[0, :2], weights[1, 2], weights[2, 4] = 4.0, 4.0, 4.0
    told = {"labels": LABELS, "temperature": 1.0, "common": COMMON, "least_common": 0.2} | card
    return WordsModel(told, TERMS, np.ones(len(TERMS), np.float32), weights, np.zeros(3, np.float32))


SONG = "\n".join(["Baby in the truck", "and the sky and you"] * 6 + ["Death, the truck!"])


def test_a_word_speaks_for_its_genre() -> None:
    found = model().read(SONG)
    assert found is not None and found.labels == LABELS
    assert found.probabilities.sum() == pytest.approx(1) and found.probabilities.argmax() == 0
    assert len(found.lines) == len(SONG.splitlines())


def test_the_lines_add_up_to_the_answer() -> None:
    found = model().read(SONG)
    assert found is not None
    shares = np.exp(found.weights.sum(axis=0))
    np.testing.assert_allclose(shares / shares.sum(), found.probabilities, rtol=1e-5)


def test_the_value_is_that_of_tf_idf() -> None:
    found = model().read(SONG)
    counts = np.array([7, 7, 1, 13, 6])  # of the terms, in the song
    values = 1 + np.log(counts)
    logits = np.array([4, 4, 0, 0, 0]) @ (values / np.linalg.norm(values))
    assert found is not None and found.weights.sum(axis=0)[0] == pytest.approx(logits, rel=1e-5)


def test_the_lines_that_counted_come_strongest_first_and_once() -> None:
    found = model().read(SONG)
    assert found is not None
    told = found.counted("country")
    assert [line.text for line in told] == ["Baby in the truck", "Death, the truck!"]
    assert told[0].weight > told[1].weight > 0
    assert found.counted("jazz") == ()


@pytest.mark.parametrize(
    "lyrics",
    ["", "the truck and you", "el camión de la muerte me lleva " * LEAST_WORDS],
    ids=["none", "few", "another language"],
)
def test_of_too_few_words_or_another_language_nothing_is_said(lyrics: str) -> None:
    assert model().read(lyrics) is None


def test_words_that_are_all_unknown_say_nothing() -> None:
    assert model().read("and you in and you in\n" * 20) is None


# Together with the sound

HEAD = Head((*LABELS, "jazz", "notmusic"), {**dict.fromkeys((*LABELS, "jazz"), "x"), "notmusic": None})


def heard(*shares: float) -> Vote:
    return Vote(HEAD.labels, np.array(shares, np.float32), (True,) * 4 + (False,))


def said(*shares: float) -> Words:
    return Words(LABELS, np.array(shares, np.float32), (), np.zeros((0, 3), np.float32))


def test_words_move_what_both_know_and_nothing_else() -> None:
    sound = heard(0.3, 0.2, 0.1, 0.35, 0.05)
    both = together(sound, HEAD, said(0.1, 0.8, 0.1), 0.5)
    assert both.probabilities.argmax() != sound.probabilities.argmax() or both.probabilities[1] > 0.2
    np.testing.assert_allclose(both.probabilities[3:], sound.probabilities[3:])
    assert both.probabilities.sum() == pytest.approx(1, abs=1e-6)
    odds = both.probabilities[1] / both.probabilities[0]
    assert odds == pytest.approx(0.2 / 0.3 * (0.8 / 0.1) ** 0.5, rel=1e-5)


def test_even_words_leave_the_sound_as_it_is() -> None:
    sound = heard(0.3, 0.2, 0.1, 0.35, 0.05)
    both = together(sound, HEAD, said(1 / 3, 1 / 3, 1 / 3), 1.0)
    np.testing.assert_allclose(both.probabilities, sound.probabilities, rtol=1e-5)


def test_what_is_not_music_stays_that() -> None:
    sound = heard(0.1, 0.1, 0.1, 0.1, 0.6)
    assert together(sound, HEAD, said(0.0, 1.0, 0.0), 2.0) is sound


def test_without_a_weight_or_common_labels_words_are_silent() -> None:
    sound = heard(0.3, 0.2, 0.1, 0.35, 0.05)
    assert together(sound, HEAD, said(0.0, 1.0, 0.0), 0.0) is sound
    other = Head(("pop", "jazz"), {"pop": "Pop", "jazz": "Jazz"})
    alone = Vote(other.labels, np.array([0.4, 0.6], np.float32), (True, True))
    assert together(alone, other, said(0.1, 0.8, 0.1), 1.0) is alone


# The shipped model


def test_the_shipped_model_knows_hip_hop_and_country() -> None:
    shipped = words.load()
    rap = "yo im the illest on the mic and i got the money in my pocket like a thug in the hood homie\n"
    twang = "the old dirt road and a honky tonk and my pickup truck in the texas sun and the whiskey\n"
    for text, label in ((rap, "hiphop"), (twang, "country")):
        found = shipped.read(text * 4)
        assert found is not None and found.labels[int(found.probabilities.argmax())] == label


def test_the_default_model_has_a_weight_for_words() -> None:
    """A new default network: run ``mgtag lab words --lyrics genre.csv.gz --outside DIR`` and commit."""
    assert words.weight_beside(bundle.DEFAULT) > 0
    assert words.weight_beside("somebody-elses-1") == 0


def test_the_shipped_model_is_small() -> None:
    assert words.ARRAYS.stat().st_size + words.CARD.stat().st_size < 600_000


def test_a_damaged_model_is_told(tmp_path: Path) -> None:
    card = json.loads(words.CARD.read_text(encoding="utf-8"))
    (tmp_path / "words.json").write_text(json.dumps(card))
    (tmp_path / "words.npz").write_bytes(words.ARRAYS.read_bytes()[:-1])
    with pytest.raises(BundleError, match=r"words\.npz: the words model cannot be used"):
        words.load(tmp_path / "words.json", tmp_path / "words.npz")
