"""Whose word counts: every case of keep, append and overwrite."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mgtag import tags
from mgtag.library.policy import Decision, Genres, Mode, decide

KEEP, APPEND, OVERWRITE = "keep", "append", "overwrite"
MODES: list[Mode] = ["keep", "append", "overwrite"]


def outcome(
    mode: Mode, current: Genres = (), written: Genres = (), answer: Genres = ("Jazz",), sure: bool = True
) -> tuple[str, Genres]:
    found = decide(mode, current, written, answer, sure)
    return found.action, found.genres


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "current", [(), ("Unknown",), ("Other",), ("Misc", "unknown"), ("",), ("genre",)], ids=repr
)
def test_what_is_empty_or_a_placeholder_is_filled(mode: Mode, current: Genres) -> None:
    assert outcome(mode, current) == ("write", ("Jazz",))


def test_keep_leaves_the_listeners_genre_alone() -> None:
    assert outcome(KEEP, ("Hamburger Schule",)) == ("keep", ("Hamburger Schule",))


def test_keep_leaves_a_genre_beside_a_placeholder_alone() -> None:
    assert outcome(KEEP, ("Other", "Krautrock")) == ("keep", ("Other", "Krautrock"))


def test_append_adds_behind_the_listeners_genres() -> None:
    assert outcome(APPEND, ("Krautrock", "70s")) == ("write", ("Krautrock", "70s", "Jazz"))


def test_append_adds_nothing_twice_however_it_is_spelled() -> None:
    for by_hand, answer in (("hip hop", "Hip-Hop"), ("RnB", "R&B")):
        made = decide(APPEND, (by_hand,), (), (answer,), sure=True)
        assert (made.action, made.genres) == ("keep", (by_hand,))


def test_what_was_taken_back_is_not_written_in_another_spelling() -> None:
    assert decide(KEEP, (), (), ("R&B",), sure=True, declined=("RnB",)).reason == "you took it back"


def test_append_adds_nothing_twice_whatever_the_case() -> None:
    assert outcome(APPEND, ("JAZZ",)) == ("keep", ("JAZZ",))
    assert outcome(APPEND, ("JAZZ",), answer=("Jazz", "Blues")) == ("write", ("JAZZ", "Blues"))


def test_overwrite_replaces_all() -> None:
    assert outcome(OVERWRITE, ("Krautrock", "70s")) == ("write", ("Jazz",))


@pytest.mark.parametrize("mode", MODES)
def test_nothing_is_written_that_stands_there(mode: Mode) -> None:
    assert outcome(mode, ("Jazz",), written=("Jazz",))[0] == "keep"


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("current", [(), ("Other",), ("Krautrock",), ("Jazz",)], ids=repr)
def test_an_unsure_answer_changes_nothing(mode: Mode, current: Genres) -> None:
    """Complaint beets#5991: a genre wiped because the source had nothing to say."""
    action, genres = outcome(mode, current, sure=False)
    assert action in ("keep", "unsure")
    assert genres == current


@pytest.mark.parametrize("mode", MODES)
def test_mgtag_may_correct_itself(mode: Mode) -> None:
    assert outcome(mode, ("Blues",), written=("Blues",)) == ("write", ("Jazz",))


def test_what_the_listener_made_of_it_is_the_listeners() -> None:
    assert outcome(KEEP, ("Delta Blues",), written=("Blues",)) == ("keep", ("Delta Blues",))


def test_a_genre_added_by_hand_to_ours_stays() -> None:
    assert outcome(KEEP, ("Blues", "Live"), written=("Blues",)) == ("keep", ("Blues", "Live"))
    assert outcome(APPEND, ("Blues", "Live"), written=("Blues",)) == ("write", ("Blues", "Live", "Jazz"))


@pytest.mark.parametrize("edited", [("Rock", "Blues"), ("Rock",), ("Blues", "Rock", "Other")])
@pytest.mark.parametrize("kept", [(), ("Live",)])
def test_an_edit_of_ours_makes_all_of_it_the_listeners(edited: Genres, kept: Genres) -> None:
    note = {"genre": tags.Provenance(kept, ("Blues", "Rock"), "b", 0.9)}
    assert tags.Tags("", "", "", "", {"genre": (*kept, "Blues", "Rock")}, note).own("genre") == (
        "Blues",
        "Rock",
    )
    found = tags.Tags("", "", "", "", {"genre": kept + edited}, note)
    assert (found.own("genre"), found.ours("genre")) == ((), False)
    assert outcome(KEEP, found.genres, found.own("genre")) == ("keep", found.genres)
    assert outcome(APPEND, found.genres, found.own("genre")) == ("write", (*found.genres, "Jazz"))


@pytest.mark.parametrize("symbol", ["🎸", "★★★★", "!!!", "+/-", "∆"])
def test_a_symbol_is_a_genre_made_by_hand(symbol: str) -> None:
    assert outcome(KEEP, (symbol,)) == ("keep", (symbol,))


def test_the_listener_may_take_one_of_ours_away() -> None:
    """Of two genres that mgtag wrote one is left: by the listener's choice."""
    assert outcome(KEEP, ("Blues",), written=("Blues", "Rock")) == ("keep", ("Blues",))


def test_only_what_was_added_is_mgtags_own() -> None:
    """Otherwise the next scan would take the listener's "Blues" for mgtag's word, and replace it."""
    found = decide(APPEND, ("Blues",), (), ("Blues", "Jazz"), True)
    assert found.genres == ("Blues", "Jazz")
    assert found.added == ("Jazz",)
    again = decide(OVERWRITE, found.genres, found.added, ("Metal",), False)
    assert again.genres == found.genres
    assert decide(APPEND, found.genres, found.added, ("Metal",), True).genres == ("Blues", "Metal")
    assert decide(KEEP, found.genres, found.added, ("Metal",), True).action == "keep"


def test_appending_in_another_case_remembers_what_is_ours() -> None:
    found = decide(APPEND, ("blues",), (), ("Blues", "Jazz"), True)
    assert (found.genres, found.added) == (("blues", "Jazz"), ("Jazz",))


def test_all_is_mgtags_own_where_all_was_replaced() -> None:
    assert decide(OVERWRITE, ("Krautrock",), (), ("Jazz", "Blues"), True).added == ("Jazz", "Blues")
    assert decide(KEEP, ("Other",), (), ("Jazz",), True).added == ("Jazz",)


genres = st.lists(
    st.sampled_from(["Jazz", "jazz", "Blues", "Rock", "Other", "Live"]), unique=True, max_size=4
).map(tuple)
answers = st.lists(st.sampled_from(["Jazz", "Blues", "Rock"]), unique=True, min_size=1, max_size=3).map(tuple)


@given(st.sampled_from(MODES), genres, genres, answers, st.booleans())
@settings(max_examples=300, deadline=None)
def test_a_decision_that_was_carried_out_stands(
    mode: Mode, current: Genres, written: Genres, answer: Genres, sure: bool
) -> None:
    """The same scan again changes nothing: no file is rewritten for ever."""
    first: Decision = decide(mode, current, written, answer, sure)
    if first.action == "write":
        assert first.genres != current
        assert set(first.added) <= set(first.genres)
        assert decide(mode, first.genres, first.added, answer, sure).action == "keep"
    else:
        assert first.genres == current
