"""Walk a library: listen in parallel, vote, write genres, remember.

Yields events, prints nothing, and stops at no bad file. Workers only compute; this process
alone writes tags and index.
"""

from __future__ import annotations

import os
import signal
import threading
from collections import Counter
from collections.abc import Collection, Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path

import numpy as np

from mgtag import audio, tags
from mgtag.card import GENRE, Head
from mgtag.errors import AudioError, MgtagError, TagError, TooShortError
from mgtag.inference import Heard, Tagger, listen
from mgtag.library.comparing import Comparison
from mgtag.library.events import Event, Failed, FileEvent, Found, Fresh, Kept, Tagged, TooShort, Unsure
from mgtag.library.index import Index, is_broken
from mgtag.library.outcome import Outcome
from mgtag.library.paths import from_text, to_text
from mgtag.library.policy import Decision, Policy, decide
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
        If a root does not exist.
    """
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
                yield Fresh(from_text(row.path), row.heard, row.confidence, row.reason)
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
            return self.executor.submit(listen, self.tagger, path, self.policy.slices)

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
            result = _result(self.tagger.bundle.card.genre, track.answers.get(GENRE, ()), prediction)
            if not np.isfinite(result.confidence):
                raise AudioError(f"{track.path}: the model's answer to it is no number; is the file damaged?")
            if prediction is not None:
                track = replace(track, answers={GENRE: _answers(result)})
            return self._answered(track, result, prediction)
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

    def _answered(self, track: Track, result: Vote, prediction: Prediction | None) -> FileEvent:
        """Decide, write where that is the decision, and remember.

        Without a prediction, by what the index knows; but no write is decided by that.
        """
        card, policy, path, before = self.tagger.bundle.card, self.policy, track.path, track
        threshold = card.genre.threshold if policy.threshold is None else policy.threshold
        result = result.decided(threshold)
        answer, track = result.best(policy.top), replace(track, run=self.run)
        sure = result.passes(threshold)
        known = self.index.track(path) if prediction is not None else track
        declined = known.declined.get(GENRE, ()) if known else ()
        written = track.written.get(GENRE, ())
        decision = decide(policy.mode, track.genres, written, answer, sure, declined)
        if prediction is not None or decision.action == "write" or track.artist is None:
            seen, found = path.stat(), tags.read(path)
            track = _with_tags(track, found)
            if prediction is not None and found.provenance:  # undo must find it wherever it is moved
                track = replace(track, signature=audio.signature(path))
            written = track.written.get(GENRE, ())
            decision = decide(policy.mode, track.genres, written, answer, sure, declined)
        if decision.action == "unsure" and result.not_music:
            decision = replace(decision, reason="not music")
        if decision.action == "write" and policy.write and not policy.dry_run:
            if (seen.st_size, seen.st_mtime_ns) != (track.size, track.mtime_ns):
                raise TagError(f"{path}: it changed while mgtag listened; scan it again.")
            if seen.st_nlink > 1 and not policy.hard_links:
                decision = replace(decision, action="keep", reason=f"has {seen.st_nlink} hard links")
            else:
                with _unbroken():
                    self._write(track, decision, prediction, seen)
                return Tagged(path, decision.genres, result)
        self._remember(before, track, decision, prediction)
        if decision.action == "write" and policy.write:
            return Tagged(path, decision.genres, result, "dry run")
        if prediction is None and before.run not in self.dry and before.outcome is _outcome(before, decision):
            return Fresh(str(path), before.heard, before.confidence, decision.reason)
        if decision.action == "unsure":
            return Unsure(path, answer, result, decision.reason)
        return Kept(path, answer, result, decision.reason or "tags are not to be written")

    def _remember(
        self, before: Track, track: Track, decision: Decision, prediction: Prediction | None
    ) -> None:
        """Note what was decided: with what was heard, or with all the others that were decided anew."""
        outcome = _outcome(before, decision)
        if prediction is not None or (track.tags, track.written) != (before.tags, before.written):
            self.index.record(replace(track, outcome=outcome, reason=decision.reason), prediction)
        elif not self.policy.dry_run:
            self.noted.append((to_text(track.path), outcome, decision.reason))

    def _write(
        self, track: Track, decision: Decision, prediction: Prediction | None, seen: os.stat_result
    ) -> None:
        """Journal first, then replace the file; see DESIGN, "A tag write is atomic"."""
        provenance = tags.Provenance(
            decision.kept, decision.added, self.tagger.bundle.id, round(track.confidence, 3)
        )
        self.index.begin_copies(track.path.resolve().parent)
        draft = tags.draft(
            track.path, {GENRE: provenance}, audio.signature, seen=seen, hard_links=self.policy.hard_links
        )
        track = replace(track, signature=draft.signature)
        try:
            change = self.index.begin_change(
                Change(
                    id=0,
                    run=self.run,
                    path=track.path,
                    signature=track.signature,
                    state="pending",
                    before={"genre": track.genres},
                    after={"genre": decision.genres},
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
            tags={**track.tags, "genre": decision.genres},
            written={**track.written, GENRE: decision.added},
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


def _outcome(before: Track, decision: Decision) -> Outcome:
    """Return how a scan ends that did not write; what mgtag wrote earlier and leaves stays tagged."""
    if decision.action == "keep" and before.outcome is Outcome.TAGGED:
        return Outcome.TAGGED
    return _OUTCOMES[decision.action]


def _answers(result: Vote) -> tuple[Answer, ...]:
    """Return what is kept of a vote: all that decides, and what is worth telling."""
    pairs = sorted(zip(result.labels, map(float, result.probabilities), strict=True), key=lambda p: -p[1])
    return tuple(Answer(name, round(p, 6)) for n, (name, p) in enumerate(pairs) if n == 0 or p >= WORTH)


def _result(head: Head, kept: tuple[Answer, ...], prediction: Prediction | None) -> Vote:
    """Return a head's vote: of what was just heard, or as it was kept."""
    if prediction is not None:
        return vote(head, prediction.heads[GENRE].probabilities)
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
