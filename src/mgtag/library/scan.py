"""Walk a library: listen in parallel, vote, write genres, remember.

Yields events, prints nothing, and stops at no bad file. Workers only compute; this process
alone writes tags and index.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from mgtag import audio, tags
from mgtag.card import GENRE
from mgtag.errors import AudioError, MgtagError, TagError, TooShortError
from mgtag.inference import Heard, Tagger, listen
from mgtag.library.events import Event, Failed, Found, Fresh, Kept, Tagged, TooShort, Unsure
from mgtag.library.index import Index, is_broken
from mgtag.library.outcome import Outcome
from mgtag.library.policy import Decision, Policy, decide
from mgtag.library.records import Answer, Change, Track
from mgtag.library.undo import recover
from mgtag.library.walk import find
from mgtag.prediction import Prediction
from mgtag.vote import Vote, vote

AHEAD = 64  # files under way at once; enough to keep any number of cores busy


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
    run = index.begin_run(" ".join(map(str, roots)) if command is None else command, tagger.bundle.id)
    try:
        yield Found(len(library.tracks) + len(library.problems), run)
        for path, problem in library.problems:
            yield Failed(path, _sentence(path, problem))
        yield from _Scan(tagger, index, policy, executor, run).events(library.tracks)
        if not policy.dry_run:
            index.end_copies()
    finally:
        index.end_run(run)


_OUTCOMES = {"write": Outcome.HEARD, "keep": Outcome.KEPT, "unsure": Outcome.UNSURE}
_Sent = tuple[Path, os.stat_result]  # a file as it was when it was sent to a worker
_UnderWay = dict[Future[Heard], _Sent]


@dataclass(frozen=True)
class _Scan:
    tagger: Tagger
    index: Index
    policy: Policy
    executor: Executor
    run: int

    def events(self, paths: Iterable[Path]) -> Iterator[Event]:
        under_way: _UnderWay = {}
        suspects: list[_Sent] = []  # under way when a worker died: of it, or of something else
        try:
            for path in paths:
                yield from self._known_or_submitted(path, under_way)
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

    def _known_or_submitted(self, path: Path, under_way: _UnderWay) -> Iterator[Event]:
        try:
            status = path.stat()
            track = None if self.policy.force else self._fresh(path, status)
        except OSError as error:
            yield self._failed(path, None, error)
            return
        if track is None:
            under_way[self._submit(path)] = path, status
            return
        prediction = self.index.prediction(path)
        if prediction is not None:
            yield self._answer(track, prediction, fresh=True)
        elif track.outcome is Outcome.TOO_SHORT:
            yield TooShort(path, track.reason)
        else:
            yield Failed(path, track.reason)

    def _submit(self, path: Path) -> Future[Heard]:
        with _unbroken():  # a worker that is being started would be left with half its orders
            return self.executor.submit(listen, self.tagger, path, self.policy.slices)

    def _fresh(self, path: Path, status: os.stat_result) -> Track | None:
        """Return what the index knows of a file that did not change, even if it moved."""
        same = (status.st_size, status.st_mtime_ns, self.tagger.bundle.id)
        track = self.index.track(path)
        if track is not None:
            return track if (track.size, track.mtime_ns, track.bundle) == same else None
        for other in self.index.same_date(status.st_size, status.st_mtime_ns):
            if (
                other.bundle == same[-1]
                and other.signature
                and not other.path.exists()
                and _is_known(path, other.signature)
            ):
                self.index.move(other.path, path)
                return replace(other, path=path)
        return None

    def _finished(self, under_way: _UnderWay, suspects: list[_Sent] | None) -> Iterator[Event]:
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
                yield self._answer(track, heard.prediction, fresh=False)

    def _answer(self, track: Track, prediction: Prediction, fresh: bool) -> Event:
        try:
            return self._answered(track, prediction, fresh)
        except Exception as error:  # whatever is wrong with one file, the scan goes on
            if is_broken(error):
                raise
            sentence = _sentence(track.path, error)
            track = replace(track, run=self.run, outcome=Outcome.FAILED, reason=sentence)
            if isinstance(error, TagError | OSError):  # what was heard is right; only the writing failed
                self.index.record(track, prediction)
            else:
                self.index.record(replace(track, size=-1))
            return Failed(track.path, sentence)

    def _answered(self, track: Track, prediction: Prediction, fresh: bool) -> Event:
        """Decide, write where that is the decision, and remember."""
        card, policy, path = self.tagger.bundle.card, self.policy, track.path
        result = vote(card.genre, prediction.heads[GENRE].probabilities)
        if not np.isfinite(result.confidence):
            raise AudioError(f"{path}: the model's answer to it is no number; is the file damaged?")
        answer = result.best(policy.top)
        track = replace(track, answers={GENRE: _answers(result)}, run=self.run)
        sure = result.passes(card.genre.threshold if policy.threshold is None else policy.threshold)
        decision = decide(policy.mode, track.genres, track.written.get(GENRE, ()), answer, sure)
        if not fresh or decision.action == "write":  # no write is decided by what the index remembers
            fresh, seen = False, path.stat()
            found = tags.read(path)
            track = _with_tags(track, found)
            if found.provenance:  # once mgtag's: undo must find it wherever it is moved
                track = replace(track, signature=audio.signature(path))
            decision = decide(policy.mode, track.genres, track.written.get(GENRE, ()), answer, sure)
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
        if not fresh:
            outcome = _OUTCOMES[decision.action]
            self.index.record(replace(track, outcome=outcome, reason=decision.reason), prediction)
        if decision.action == "write" and policy.write:
            return Tagged(path, decision.genres, result, "dry run")
        if fresh:
            return Fresh(path, answer, result, decision.reason)
        if decision.action == "unsure":
            return Unsure(path, answer, result, decision.reason)
        return Kept(path, answer, result, decision.reason or "tags are not to be written")

    def _write(self, track: Track, decision: Decision, prediction: Prediction, seen: os.stat_result) -> None:
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
        tags=found.values,
        written={field: found.own(field) for field in tags.WRITABLE},
    )


def _answers(result: Vote) -> tuple[Answer, ...]:
    shares = dict(zip(result.labels, result.probabilities, strict=True))
    return tuple(Answer(label, round(float(shares[label]), 6)) for label in result.best(len(shares)))


def _is_known(path: Path, identity: str) -> bool:
    try:
        return audio.is_known(path, identity)
    except AudioError:  # a worker will say what is wrong with it
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
