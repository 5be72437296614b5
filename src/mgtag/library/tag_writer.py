"""From a prediction to the file's tags and its row in the index: decide, write, remember."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from mgtag import analysis, identity, tags
from mgtag.bundle import Bundle
from mgtag.card import GENRE
from mgtag.errors import AudioError, TagError, TooShortError, error_sentence
from mgtag.library.decisions import (
    WORDS,
    Decisions,
    Votes,
    decide_fields,
    kept_answers,
    left_alone,
    outcome_unwritten,
    thresholds,
    to_write,
    values_after,
    vote_of,
    vote_of_estimate,
    vote_of_words,
    with_words,
)
from mgtag.library.events import Failed, FileEvent, Fresh, Kept, Tagged, TooShort, Unsure
from mgtag.library.index import Index, is_broken
from mgtag.library.interrupts import interrupts_held
from mgtag.library.outcome import Outcome
from mgtag.library.paths import to_text
from mgtag.library.policy import Policy
from mgtag.library.records import Change, Track
from mgtag.prediction import Prediction
from mgtag.vote import Vote


@dataclass(frozen=True)
class Common:
    """What a file's album, or all songs of its artist, say together.

    Attributes
    ----------
    vote : Vote
        On the genre.
    mixed : bool
        Whether its tracks disagree, so that none gets a genre.
    anew : bool
        Whether the file was heard in this run.
    """

    vote: Vote
    mixed: bool
    anew: bool


@dataclass(frozen=True)
class TagWriter:
    """Settles one file after another; see `mgtag.library.scan.scan` for what it is made of.

    Attributes
    ----------
    run : int
        The number of the scan.
    dry : collection of int
        The dry runs.
    noted : list of (path, outcome, reason)
        Files that were decided anew without being heard; for `Index.note_outcomes`.
    """

    bundle: Bundle
    index: Index
    policy: Policy
    run: int
    dry: Collection[int]
    noted: list[tuple[str, Outcome, str]] = field(default_factory=list)

    def settle(
        self,
        track: Track,
        prediction: Prediction | None,
        lyrics: str | None = None,
        common: Common | None = None,
    ) -> FileEvent:
        """Settle a file that was heard just now, or (without a prediction) by what the index knows.

        Its answers hold the estimates of `mgtag.analysis`, as far as they were asked for; `lyrics` are its
        words, None where nobody looked for them. Where there is a `common` vote, it is the genre's instead of
        the file's own.
        """
        try:
            votes = {
                name: vote_of(name, head, track.answers.get(name, ()), prediction)
                for name, head in self.bundle.card.heads.items()
            }
            if not all(np.isfinite(result.confidence) for result in votes.values()):
                raise AudioError(f"{track.path}: the model's answer to it is no number; is the file damaged?")
            if prediction is not None:
                votes = votes if lyrics is None else dict(with_words(votes, self.bundle.card, lyrics))
                heard = {name: kept_answers(result) for name, result in votes.items()}
                if lyrics is not None:  # noted, though they may say nothing
                    heard.setdefault(WORDS, ())
                track = replace(track, answers={**track.answers, **heard})
            elif track.answers.get(WORDS):
                votes[WORDS] = vote_of_words(track.answers[WORDS])
            estimates = {f: vote_of_estimate(track.answers[f]) for f in analysis.FIELDS if f in track.answers}
            if common is not None and not any(result.not_music for result in votes.values()):
                votes = votes | {GENRE: common.vote}
            return self._answered(track, votes | estimates, prediction, common)
        except Exception as error:  # whatever is wrong with one file, the scan goes on
            if is_broken(error):
                raise
            sentence = error_sentence(track.path, error)
            track = replace(track, run=self.run, outcome=Outcome.FAILED, reason=sentence)
            if track.answers and isinstance(error, TagError | OSError):  # only the writing failed
                self.index.record(track, prediction)
            else:
                self.index.record(replace(track, size=-1, answers={}))
            return Failed(track.path, sentence)

    def fail(self, path: Path, status: os.stat_result | None, error: Exception) -> Failed | TooShort:
        """Note that a file could not be heard; `status` is how it was then."""
        if is_broken(error):
            raise error
        sentence = error_sentence(path, error)
        # What is wrong with the file itself need not be tried again until it changes.
        same = (status.st_size, status.st_mtime_ns) if status and isinstance(error, AudioError) else (-1, 0)
        track = Track(path, *same, self.bundle.id, self.run, reason=sentence)
        too_short = isinstance(error, TooShortError)
        self.index.record(replace(track, outcome=Outcome.TOO_SHORT if too_short else Outcome.FAILED))
        return TooShort(path, sentence) if too_short else Failed(path, sentence)

    def told_name(self, heard: str) -> str:
        """Return what the index has as heard, but for what is never written: that is no genre."""
        return "" if heard in self.bundle.card.genre.unwritten else heard

    def _answered(
        self, track: Track, votes: Votes, prediction: Prediction | None, common: Common | None
    ) -> FileEvent:
        """Decide, write where that is the decision, and remember; no write is decided by the index alone."""
        policy, path = self.policy, track.path
        limits = thresholds(policy, self.bundle.card.heads)
        before, track = track, replace(track, run=self.run)
        votes = {name: result.decided(limits.get(name)) for name, result in votes.items()}
        if prediction is not None and (known := self.index.track(path)):
            same = (known.size, known.mtime_ns) == (track.size, track.mtime_ns)
            estimated = {f: known.answers[f] for f in analysis.FIELDS if same and f in known.answers}
            track = replace(track, declined=known.declined, answers={**estimated, **track.answers})
        mixed = common is not None and common.mixed
        decisions = decide_fields(policy, limits, track, votes, mixed)
        if prediction is not None or to_write(decisions) or track.artist is None:
            seen, found = path.stat(), tags.read(path)
            track = _with_tags(track, found)
            if prediction is not None and found.provenance:  # undo must find it wherever it is moved
                track = replace(track, signature=identity.signature(path))
            decisions = decide_fields(policy, limits, track, votes, mixed)
        if to_write(decisions) and policy.write and not policy.dry_run:
            if (seen.st_size, seen.st_mtime_ns) != (track.size, track.mtime_ns):
                raise TagError(f"{path}: it changed while mgtag listened; scan it again.")
            if seen.st_nlink > 1 and not policy.hard_links:
                decisions = left_alone(decisions, f"has {seen.st_nlink} hard links", "several hard links")
            else:
                decisions = to_write(decisions)
                with interrupts_held():
                    self._write(track, decisions, votes, prediction, seen)
                return Tagged(path, values_after(votes, decisions, policy.top), votes, "", (*decisions,))
        values, first = values_after(votes, decisions, policy.top), decisions[policy.fields[0]]
        outcome = outcome_unwritten(before, decisions, first)
        self._remember(before, replace(track, outcome=outcome, reason=first.reason), prediction)
        if to_write(decisions) and policy.write:
            return Tagged(path, values, votes, "dry run", (*to_write(decisions),))
        anew = prediction is not None or (common is not None and common.anew) or before.run in self.dry
        if not anew and before.outcome is outcome:
            return Fresh(str(path), self.told_name(before.heard), before.confidence, first.reason)
        if first.action == "unsure":
            return Unsure(path, values, votes, first.reason, why=first.why)
        untouched = "tags are not to be written"
        return Kept(path, values, votes, first.reason or untouched, why=first.why or untouched)

    def _remember(self, before: Track, track: Track, prediction: Prediction | None) -> None:
        """Note what was decided: with what was heard, or with all the others that were decided anew."""
        if prediction is not None or (track.tags, track.written) != (before.tags, before.written):
            self.index.record(track, prediction)
        elif not self.policy.dry_run:
            self.noted.append((to_text(track.path), track.outcome, track.reason))

    def _write(
        self,
        track: Track,
        decisions: Decisions,
        votes: Votes,
        prediction: Prediction | None,
        seen: os.stat_result,
    ) -> None:
        """Journal first, then replace the file; see docs/architecture.md, "A tag write is atomic"."""
        bundle = self.bundle.id
        new = {
            name: tags.Provenance(
                made.kept,
                made.added,
                analysis.METHODS.get(name, bundle),
                round(votes[name].confidence, 3),
            )
            for name, made in decisions.items()
        }
        self.index.begin_copies(track.path.resolve().parent)
        draft = tags.draft(track.path, new, identity.signature, seen=seen, hard_links=self.policy.hard_links)
        track = replace(track, signature=draft.signature)
        try:
            change = self.index.begin_change(
                Change(
                    id=0,
                    run=self.run,
                    path=track.path,
                    signature=track.signature,
                    state="pending",
                    before={name: track.tags.get(name, ()) for name in new},
                    after={name: made.names for name, made in new.items()},
                    sha_before=draft.before,
                    sha_after=draft.after,
                    mtime_ns=track.mtime_ns,
                    patch=draft.patch,
                )
            )
        except BaseException:
            draft.discard()
            raise
        try:
            status = draft.commit()
        except Exception:
            self.index.drop_change(change)
            raise
        track = replace(
            track,
            size=status.st_size,
            mtime_ns=status.st_mtime_ns,
            tags={**track.tags, **{name: made.names for name, made in new.items()}},
            written={**track.written, **{name: made.added for name, made in new.items()}},
            outcome=Outcome.TAGGED,
            reason="",
        )
        self.index.end_change(change, "done", track, prediction)


def _with_tags(track: Track, found: tags.Tags) -> Track:
    return replace(
        track,
        artist=found.artist,
        album=found.album,
        title=found.title,
        year=found.year,
        tags=found.values,
        written={field: found.own(field) for field in tags.WRITABLE},
    )
