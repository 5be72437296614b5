"""What a scan decides on each field of a file: from the votes, its tags, and the policy. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from mgtag import analysis, words
from mgtag.card import GENRE, Card, Head
from mgtag.library.outcome import NOT_MUSIC, SILENT, Outcome
from mgtag.library.policy import Decision, Genres, Policy, decide
from mgtag.library.records import Answer, Track
from mgtag.prediction import Prediction
from mgtag.tags import SINGLE
from mgtag.vote import Vote, vote

WORDS = "words"  # under which the answer of a song's words is kept, as if of a head
WORTH = 0.01  # a smaller probability is not kept
Votes = Mapping[str, Vote]  # by head
Decisions = dict[str, Decision]  # by field
_OUTCOMES = {"write": Outcome.HEARD, "keep": Outcome.KEPT, "unsure": Outcome.UNSURE}


def vote_of(name: str, head: Head, kept: tuple[Answer, ...], prediction: Prediction | None) -> Vote:
    """Return a head's vote: of what was just heard, or as it was kept."""
    if prediction is not None:
        return vote(head, prediction.heads[name].probabilities)
    shares = {answer.label: answer.confidence for answer in kept}
    kept_shares = np.array([shares.get(name, 0.0) for name in head.names], np.float32)
    return Vote(head.names, kept_shares, head.writable, head.wider)


def vote_of_estimate(kept: tuple[Answer, ...]) -> Vote:
    """Return what was estimated of a tempo or a key as a vote for one label; of nothing, as an unsure one."""
    label, confidence = kept[0] if kept else Answer("–", 0.0)
    return Vote((label,), np.array([confidence], np.float32), (True,))


def with_words(votes: Votes, card: Card, lyrics: str) -> Votes:
    """Return the votes of a song's sound with that of its words, where they say anything."""
    found = words.load().read(lyrics) if lyrics else None
    if found is None:
        return votes
    genre, head = votes[GENRE], card.genre
    names = tuple(head.written.get(label) or label for label in found.labels)
    both = words.together(genre, head, found, words.weight_beside(card.name))
    return {**votes, GENRE: both, WORDS: Vote(names, found.probabilities, (True,) * len(names))}


def vote_of_words(kept: tuple[Answer, ...]) -> Vote:
    """Return what a song's words said, as it was kept."""
    shares = np.array([answer.confidence for answer in kept], np.float32)
    return Vote(tuple(answer.label for answer in kept), shares, (True,) * len(kept))


def kept_answers(result: Vote) -> tuple[Answer, ...]:
    """Return what is kept of a vote: all that decides, and what is worth telling."""
    pairs = sorted(zip(result.labels, map(float, result.probabilities), strict=True), key=lambda p: -p[1])
    return tuple(Answer(name, round(p, 6)) for n, (name, p) in enumerate(pairs) if n == 0 or p >= WORTH)


def threshold(policy: Policy, head: Head) -> float | None:
    """Return the confidence from which a head's answer is written: the listener's, or the model's own."""
    return head.threshold if policy.threshold is None else policy.threshold


def thresholds(policy: Policy, heads: Mapping[str, Head]) -> dict[str, float | None]:
    """Return the confidence from which each field is written; tempo and key have their own, always."""
    own = {name: analysis.threshold(name) for name in policy.fields if name in analysis.FIELDS}
    return {name: threshold(policy, head) for name, head in heads.items()} | own


def decide_fields(
    policy: Policy, limits: Mapping[str, float | None], track: Track, votes: Votes, mixed: bool = False
) -> Decisions:
    """Decide on every field that may be written; none of what is not music is.

    Where tracks that are to have one genre are `mixed`, none is written.
    """
    decisions = dict[str, Decision]()
    not_music = any(result.not_music for result in votes.values())
    for name in policy.fields:
        sure = votes[name].passes(limits[name]) and not not_music
        current, written, declined = (
            kept.get(name, ()) for kept in (track.tags, track.written, track.declined)
        )
        answer, refusal = votes[name].best(policy.top), ""
        if name == GENRE:
            answer, refusal = policy.genre_map.apply(answer)
            refusal = f"a mixed {policy.per}" if mixed else refusal
        mode = "keep" if name in SINGLE and policy.mode == "append" else policy.mode
        found = decide(mode, current, written, answer, sure and not refusal, declined, name)
        if found.action == "unsure" and mixed and not not_music:
            found = replace(found, reason=refusal, why=refusal)
        elif found.action == "unsure" and sure:
            found = replace(found, reason=refusal, why="ruled out by your settings")
        elif found.action == "unsure":
            found = _doubted(found, votes[name], limits[name], not_music)
        decisions[name] = found
    return decisions


def _doubted(found: Decision, result: Vote, limit: float | None, not_music: bool) -> Decision:
    """Say why an answer is not sure enough."""
    if not_music:
        return replace(found, reason=NOT_MUSIC, why=NOT_MUSIC)
    if result.silent:
        return replace(found, reason=SILENT, why=SILENT)
    if limit is None:
        return replace(found, reason="this model is never sure enough")
    digits = next(n for n in (0, 1, 2, 9) if n == 9 or f"{result.confidence:.{n}%}" != f"{limit:.{n}%}")
    return replace(found, reason=f"{result.confidence:.{digits}%} of {limit:.{digits}%}")


def to_write(decisions: Decisions) -> Decisions:
    """Return the fields that are to be written."""
    return {name: decision for name, decision in decisions.items() if decision.action == "write"}


def left_alone(decisions: Decisions, reason: str, why: str) -> Decisions:
    """Return the same decisions, but nothing is written, for this reason; `why` says it of many files."""
    return {
        name: replace(decision, action="keep", reason=reason, why=why)
        if decision.action == "write"
        else decision
        for name, decision in decisions.items()
    }


def values_after(votes: Votes, decisions: Decisions, top: int) -> dict[str, Genres]:
    """Return each field's values for the event: those afterwards where it is written, else what was heard."""
    written = {name: decision.genres for name, decision in to_write(decisions).items()}
    return {name: result.best(top) for name, result in votes.items()} | written


def outcome_unwritten(before: Track, decisions: Decisions, first: Decision) -> Outcome:
    """Return how a scan ends that did not write; what mgtag wrote earlier and leaves stays tagged."""
    if to_write(decisions):
        return Outcome.HEARD
    if first.action == "keep" and before.outcome is Outcome.TAGGED:
        return Outcome.TAGGED
    return _OUTCOMES[first.action]
