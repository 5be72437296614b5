"""Walk a library: listen in parallel, vote, write genres, remember.

Yields events, prints nothing, and stops at no bad file. Workers only compute; this process
alone writes tags and index.
"""

from __future__ import annotations

import os
import signal
import threading
from collections import Counter
from collections.abc import Collection, Generator, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path

import numpy as np

from mgtag import audio, tags
from mgtag.card import GENRE, Head
from mgtag.errors import AudioError, MgtagError, TagError, TooShortError, UsageError
from mgtag.inference import MAX_SLICES, Amount, Heard, Tagger, listen
from mgtag.library.comparing import Comparison
from mgtag.library.events import Event, Failed, FileEvent, Found, Fresh, Kept, Tagged, TooShort, Unsure
from mgtag.library.index import Index, is_broken
from mgtag.library.outcome import Outcome
from mgtag.library.paths import from_text, to_text
from mgtag.library.policy import Decision, Genres, Policy, decide
from mgtag.library.records import Answer, Change, Track
from mgtag.library.undo import recover
from mgtag.library.walk import Library, find
from mgtag.prediction import Prediction
from mgtag.version import __version__
from mgtag.vote import Vote, vote

AHEAD = 64  # files under way at once; enough to keep any number of cores busy
WORTH = 0.01  # a smaller probability is not kept


def scan(
    roots: Iterable[Path],
    tagger: Tagger,
    index: Index,
    policy: Policy,
    executor: Executor,
    command: str | None = None,
) -> Generator[Event, None, None]:
    """Tag the audio files under `roots`, in the order in which they are ready.

    Parameters
    ----------
    roots : iterable of Path
        Folders and files.
    tagger : Tagger
    index : Index
        Of which this process is the sole writer.
    policy : Policy
    executor : concurrent.futures.Executor
        Where files are decoded and heard.
    command : str, optional
        What the run is called in the index; by default by its roots.

    Yields
    ------
    Event
        First a `Found`, then one event a file.

    Raises
    ------
    UsageError
        If a root does not exist, or the model does not hear a field that is to be written.
    """
    card = tagger.bundle.card
    for missing in sorted({*policy.fields} - {*card.heads}):
        raise UsageError(f"{card.name}: this model hears no {missing}; --model chooses another.")
    roots = tuple(roots)
    library = find(roots)
    recover(index, clean=not policy.dry_run)
    for leftover in () if policy.dry_run else library.leftovers:
        tags.discard_leftover(leftover)
    decisions = repr((replace(policy, dry_run=False, force=False), tagger.bundle.id, __version__))
    run = index.begin_run(
        " ".join(map(str, roots)) if command is None else command,
        tagger.bundle.id,
        dry_run=policy.dry_run,
        policy=decisions,
    )
    counts: Counter[str] = Counter()
    try:
        yield Found(len(library.files) + len(library.problems), run)
        for path, problem in library.problems:
            yield Failed(path, _sentence(path, problem))
        scanning = _Scan(tagger, index, policy, executor, run, index.runs_like(decisions), index.dry_runs())
        for event in scanning.events(library):
            counts[event.outcome] += 1
            yield event
        if not policy.dry_run:
            index.end_copies()
    finally:
        index.end_run(run, counts)


Votes = Mapping[str, Vote]  # by head
_OUTCOMES = {"write": Outcome.HEARD, "keep": Outcome.KEPT, "unsure": Outcome.UNSURE}
_UNHEARD = (Outcome.FAILED, Outcome.TOO_SHORT)
_DECIDED = (Outcome.TAGGED, Outcome.KEPT, Outcome.UNSURE, Outcome.HEARD)
_Sent = tuple[Path, os.stat_result]  # a file as it was when it was sent to a worker
_UnderWay = dict[Future[Heard], _Sent]


@dataclass(frozen=True)
class _Scan:
    tagger: Tagger
    index: Index
    policy: Policy
    executor: Executor
    run: int
    alike: Collection[int]  # runs that wrote, and decided as this one does
    dry: Collection[int]  # runs that only told
    noted: list[tuple[str, Outcome, str]] = field(default_factory=list)  # decided anew, by path

    def events(self, library: Library) -> Iterator[FileEvent]:
        under_way: _UnderWay = {}
        suspects: list[_Sent] = []  # under way when a worker died: of it, or of something else
        comparison = Comparison(self.index, library)
        try:
            yield from self._unchanged(comparison)
            for file in comparison.new.values():
                yield from self._submitted(Path(file.name), under_way)
                while len(under_way) >= AHEAD:
                    yield from self._finished(under_way, suspects)
            while under_way:
                yield from self._finished(under_way, suspects)
            for path, status in suspects:  # each alone, when there is memory again
                under_way[self._submit(path)] = path, status
                yield from self._finished(under_way, None)
        finally:
            for future in under_way:
                future.cancel()

    def _unchanged(self, comparison: Comparison) -> Iterator[FileEvent]:
        """Answer for the files that need not be heard again."""
        bundle = "" if self.policy.force else self.tagger.bundle.id
        to_decide = []
        for row in chain(comparison.unchanged(bundle), comparison.settle(bundle, _is_known)):
            if not row.heard and row.outcome in _UNHEARD:
                failed = TooShort if row.outcome == Outcome.TOO_SHORT else Failed
                yield failed(Path(from_text(row.path)), row.reason)
            elif row.run in self.alike and row.outcome in _DECIDED:
                yield Fresh(from_text(row.path), self._name(row.heard), row.confidence, row.reason)
            else:
                to_decide.append(row.path)
        try:
            for path in map(Path, map(from_text, to_decide)):
                track = self.index.track(path)
                if track is None or not track.answers:  # its row is damaged
                    comparison.hear(path)
                else:
                    yield self._answer(track, None)
        finally:
            self.index.note_outcomes(self.run, self.noted)

    def _submitted(self, path: Path, under_way: _UnderWay) -> Iterator[FileEvent]:
        try:
            status = path.stat()
        except OSError as error:
            yield self._failed(path, None, error)
        else:
            under_way[self._submit(path)] = path, status

    def _submit(self, path: Path) -> Future[Heard]:
        with _unbroken():  # a worker that is being started would be left with half its orders
            return self.executor.submit(listen, self.tagger, path, self._amount())

    def _amount(self) -> Amount:
        """Return how many slices to hear: the quick vote stops when the genre is settled, nothing else."""
        auto = self.policy.slices == "auto" and self.policy.fields != (GENRE,)
        return MAX_SLICES if auto else self.policy.slices

    def _finished(self, under_way: _UnderWay, suspects: list[_Sent] | None) -> Iterator[FileEvent]:
        done, _ = wait(under_way, return_when=FIRST_COMPLETED)
        for future in done:
            path, status = under_way.pop(future)
            try:
                heard = future.result()
            except BrokenExecutor:
                if suspects is not None:
                    suspects.append((path, status))
                else:
                    crash = MgtagError(
                        f"{path}: decoding it crashes; is the file damaged? The next scan tries it again."
                    )
                    yield self._failed(path, status, crash)
            except Exception as error:  # whatever is wrong with one file, the scan goes on
                yield self._failed(path, status, error)
            else:
                track = Track(path, status.st_size, status.st_mtime_ns, self.tagger.bundle.id, self.run)
                track = replace(track, signature=heard.fingerprint, duration_s=heard.duration_s)
                yield self._answer(track, heard.prediction)

    def _answer(self, track: Track, prediction: Prediction | None) -> FileEvent:
        try:
            votes = {
                name: _result(name, head, track.answers.get(name, ()), prediction)
                for name, head in self.tagger.bundle.card.heads.items()
            }
            if not all(np.isfinite(result.confidence) for result in votes.values()):
                raise AudioError(f"{track.path}: the model's answer to it is no number; is the file damaged?")
            if prediction is not None:
                track = replace(track, answers={name: _answers(result) for name, result in votes.items()})
            return self._answered(track, votes, prediction)
        except Exception as error:  # whatever is wrong with one file, the scan goes on
            if is_broken(error):
                raise
            sentence = _sentence(track.path, error)
            track = replace(track, run=self.run, outcome=Outcome.FAILED, reason=sentence)
            if track.answers and isinstance(error, TagError | OSError):  # only the writing failed
                self.index.record(track, prediction)
            else:
                self.index.record(replace(track, size=-1, answers={}))
            return Failed(track.path, sentence)

    def _answered(self, track: Track, votes: Votes, prediction: Prediction | None) -> FileEvent:
        """Decide, write where that is the decision, and remember.

        Without a prediction, by what the index knows; but no write is decided by that.
        """
        policy, path, before, track = self.policy, track.path, track, replace(track, run=self.run)
        votes = {name: result.decided(self._threshold(name)) for name, result in votes.items()}
        if prediction is not None and (known := self.index.track(path)):
            track = replace(track, declined=known.declined)
        decisions = self._decisions(track, votes)
        if prediction is not None or _to_write(decisions) or track.artist is None:
            seen, found = path.stat(), tags.read(path)
            track = _with_tags(track, found)
            if prediction is not None and found.provenance:  # undo must find it wherever it is moved
                track = replace(track, signature=audio.signature(path))
            decisions = self._decisions(track, votes)
        if _to_write(decisions) and policy.write and not policy.dry_run:
            if (seen.st_size, seen.st_mtime_ns) != (track.size, track.mtime_ns):
                raise TagError(f"{path}: it changed while mgtag listened; scan it again.")
            if seen.st_nlink > 1 and not policy.hard_links:
                reason = f"has {seen.st_nlink} hard links"
                decisions = {name: _left(decision, reason) for name, decision in decisions.items()}
            else:
                decisions = _to_write(decisions)
                with _unbroken():
                    self._write(track, decisions, votes, prediction, seen)
                return Tagged(path, _values(votes, decisions, policy.top), votes, "", (*decisions,))
        values, first = _values(votes, decisions, policy.top), decisions[policy.fields[0]]
        outcome = _outcome(before, decisions, first)
        self._remember(before, replace(track, outcome=outcome, reason=first.reason), prediction)
        if _to_write(decisions) and policy.write:
            return Tagged(path, values, votes, "dry run", (*_to_write(decisions),))
        if prediction is None and before.run not in self.dry and before.outcome is outcome:
            return Fresh(str(path), self._name(before.heard), before.confidence, first.reason)
        if first.action == "unsure":
            return Unsure(path, values, votes, first.reason)
        return Kept(path, values, votes, first.reason or "tags are not to be written")

    def _name(self, heard: str) -> str:
        """Return what the index has as heard, but for what is never written: that is no genre."""
        genre = self.tagger.bundle.card.genre
        return heard if dict(zip(genre.names, genre.writable, strict=True)).get(heard, True) else ""

    def _decisions(self, track: Track, votes: Votes) -> dict[str, Decision]:
        """Decide on every field that may be written; none of what is not music is."""
        policy, decisions = self.policy, dict[str, Decision]()
        not_music = any(result.not_music for result in votes.values())
        for name in policy.fields:
            sure = votes[name].passes(self._threshold(name)) and not not_music
            current, written, declined = (
                kept.get(name, ()) for kept in (track.tags, track.written, track.declined)
            )
            answer, refusal = votes[name].best(policy.top), ""
            if name == GENRE:
                answer, refusal = policy.genre_map.apply(answer)
            found = decide(policy.mode, current, written, answer, sure and not refusal, declined, name)
            if found.action == "unsure" and (not_music or (sure and refusal)):
                found = replace(found, reason="not music" if not_music else refusal)
            decisions[name] = found
        return decisions

    def _threshold(self, name: str) -> float | None:
        asked = self.policy.threshold
        return self.tagger.bundle.card.heads[name].threshold if asked is None else asked

    def _remember(self, before: Track, track: Track, prediction: Prediction | None) -> None:
        """Note what was decided: with what was heard, or with all the others that were decided anew."""
        if prediction is not None or (track.tags, track.written) != (before.tags, before.written):
            self.index.record(track, prediction)
        elif not self.policy.dry_run:
            self.noted.append((to_text(track.path), track.outcome, track.reason))

    def _write(
        self,
        track: Track,
        decisions: Mapping[str, Decision],
        votes: Votes,
        prediction: Prediction | None,
        seen: os.stat_result,
    ) -> None:
        """Journal first, then replace the file; see DESIGN, "A tag write is atomic"."""
        bundle = self.tagger.bundle.id
        new = {
            name: tags.Provenance(made.kept, made.added, bundle, round(votes[name].confidence, 3))
            for name, made in decisions.items()
        }
        self.index.begin_copies(track.path.resolve().parent)
        draft = tags.draft(track.path, new, audio.signature, seen=seen, hard_links=self.policy.hard_links)
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

    def _failed(self, path: Path, status: os.stat_result | None, error: Exception) -> Failed | TooShort:
        if is_broken(error):
            raise error
        sentence = _sentence(path, error)
        # What is the file's own fault need not be tried again until it changes.
        same = (status.st_size, status.st_mtime_ns) if status and isinstance(error, AudioError) else (-1, 0)
        track = Track(path, *same, self.tagger.bundle.id, self.run, reason=sentence)
        too_short = isinstance(error, TooShortError)
        self.index.record(replace(track, outcome=Outcome.TOO_SHORT if too_short else Outcome.FAILED))
        return TooShort(path, sentence) if too_short else Failed(path, sentence)


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


def _to_write(decisions: Mapping[str, Decision]) -> dict[str, Decision]:
    return {name: decision for name, decision in decisions.items() if decision.action == "write"}


def _left(decision: Decision, reason: str) -> Decision:
    return replace(decision, action="keep", reason=reason) if decision.action == "write" else decision


def _values(votes: Votes, decisions: Mapping[str, Decision], top: int) -> dict[str, Genres]:
    """Return what is told of each field: what it says afterwards where it is written, else what was heard."""
    written = {name: decision.genres for name, decision in _to_write(decisions).items()}
    return {name: result.best(top) for name, result in votes.items()} | written


def _outcome(before: Track, decisions: Mapping[str, Decision], first: Decision) -> Outcome:
    """Return how a scan ends that did not write; what mgtag wrote earlier and leaves stays tagged."""
    if _to_write(decisions):
        return Outcome.HEARD
    if first.action == "keep" and before.outcome is Outcome.TAGGED:
        return Outcome.TAGGED
    return _OUTCOMES[first.action]


def _answers(result: Vote) -> tuple[Answer, ...]:
    """Return what is kept of a vote: all that decides, and what is worth telling."""
    pairs = sorted(zip(result.labels, map(float, result.probabilities), strict=True), key=lambda p: -p[1])
    return tuple(Answer(name, round(p, 6)) for n, (name, p) in enumerate(pairs) if n == 0 or p >= WORTH)


def _result(name: str, head: Head, kept: tuple[Answer, ...], prediction: Prediction | None) -> Vote:
    """Return a head's vote: of what was just heard, or as it was kept."""
    if prediction is not None:
        return vote(head, prediction.heads[name].probabilities)
    shares = {answer.label: answer.confidence for answer in kept}
    kept_shares = np.array([shares.get(name, 0.0) for name in head.names], np.float32)
    return Vote(head.names, kept_shares, head.writable, head.wider)


def _is_known(path: Path, identity: str) -> bool:
    try:
        return audio.is_known(path, identity)
    except (AudioError, OSError):  # a worker will say what is wrong with it
        return False


@contextmanager
def _unbroken() -> Iterator[None]:
    """Hold Ctrl-C back until what has begun is whole."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    held: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: held.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if held:
            raise KeyboardInterrupt


def _sentence(path: Path, error: Exception) -> str:
    if isinstance(error, MgtagError):
        return str(error)
    if isinstance(error, FileNotFoundError):
        return f"{path}: the file has vanished."
    if isinstance(error, TimeoutError) and error.errno is None:
        return f"{path}: {error}, so mgtag gave it up; is the file damaged, or its drive asleep?"
    if isinstance(error, MemoryError):
        return f"{path}: hearing it takes more memory than it may; is the file damaged?"
    if isinstance(error, OSError):
        return f"{path}: {error.strerror or error}."
    return f"{path}: mgtag itself failed ({type(error).__name__}: {error}); please report this."
