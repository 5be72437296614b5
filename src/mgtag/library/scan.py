"""Walk a library and hear it in parallel; what becomes of each file is `mgtag.library.tag_writer`'s.

Yields events, prints nothing, and stops at no bad file. Workers only compute; this process
alone writes tags and index.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from mgtag import analysis, identity, tags, words
from mgtag.card import GENRE
from mgtag.errors import AudioError, MgtagError, UsageError, error_sentence
from mgtag.inference import MAX_SLICES, Amount, Heard, Tagger, listen
from mgtag.library import early_walk
from mgtag.library.comparing import Comparison
from mgtag.library.decisions import WORDS
from mgtag.library.events import Event, Failed, FileEvent, Found, Fresh, TooShort
from mgtag.library.index import Index
from mgtag.library.interrupts import interrupts_held
from mgtag.library.outcome import Outcome
from mgtag.library.paths import from_text
from mgtag.library.policy import Policy
from mgtag.library.records import Answer, Track
from mgtag.library.tag_writer import TagWriter
from mgtag.library.together import hearing_only, settled_together
from mgtag.library.undo import recover
from mgtag.library.walk import Library, find_audio
from mgtag.tags.lyrics import read_lyrics
from mgtag.version import __version__

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
        If a root does not exist, the model does not hear a field that is to be written, or librosa is
        not there to estimate it.
    """
    card = tagger.bundle.card
    analysis.check_installed([field for field in policy.fields if field in analysis.FIELDS])
    for missing in sorted({*policy.fields} - {*card.heads} - {*analysis.FIELDS}):
        raise UsageError(f"{card.name}: this model hears no {missing}; --model chooses another.")
    roots = tuple(roots)
    library = early_walk.found(roots) or find_audio(roots)
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
            yield Failed(path, error_sentence(path, problem))
        writer = TagWriter(tagger.bundle, index, policy, run, index.dry_runs())
        lyrics = policy.lyrics and words.weight_beside(card.name) > 0
        hearing = writer if policy.per == "track" else hearing_only(writer)
        events = _Scan(tagger, hearing, executor, index.runs_like(decisions), lyrics).events(library)
        if policy.per != "track":
            events = settled_together(events, library.tracks, writer)
        for event in events:
            counts[event.outcome] += 1
            yield event
        if not policy.dry_run:
            index.end_copies()
    finally:
        index.end_run(run, counts)


_UNHEARD = (Outcome.FAILED, Outcome.TOO_SHORT)
_DECIDED = (Outcome.TAGGED, Outcome.KEPT, Outcome.UNSURE, Outcome.HEARD)
_Sent = tuple[Path, os.stat_result]  # a file as it was when it was sent to a worker
_UnderWay = dict[Future[Heard], _Sent]


@dataclass(frozen=True)
class _Scan:
    tagger: Tagger
    writer: TagWriter
    executor: Executor
    alike: Collection[int]  # runs that wrote, and decided as this one does
    lyrics: bool  # whether words are looked for

    def events(self, library: Library) -> Iterator[FileEvent]:
        under_way: _UnderWay = {}
        suspects: list[_Sent] = []  # under way when a worker died: of it, or of something else
        comparison = Comparison(self.writer.index, library)
        try:
            yield from self._unchanged(comparison)
            for name, _, _ in comparison.new.values():
                yield from self._submitted(Path(name), under_way)
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
        bundle = "" if self.writer.policy.force else self.tagger.bundle.id
        to_decide = []
        for row in chain(comparison.unchanged(bundle), comparison.settle(bundle, _is_known)):
            if not row.heard and row.outcome in _UNHEARD:
                failed = TooShort if row.outcome == Outcome.TOO_SHORT else Failed
                yield failed(Path(from_text(row.path)), row.reason)
            elif row.run in self.alike and row.outcome in _DECIDED:
                yield Fresh(from_text(row.path), self.writer.told_name(row.heard), row.confidence, row.reason)
            else:
                to_decide.append(row.path)
        try:
            for path in map(Path, map(from_text, to_decide)):
                track = self.writer.index.track(path)
                # Its row is damaged, or nobody asked for the tempo, or for the words, before.
                if (
                    track is None
                    or not {*self.writer.policy.fields} <= {*track.answers}
                    or self._reads(track)
                ):
                    comparison.hear(path)
                else:
                    yield self.writer.settle(track, None)
        finally:
            self.writer.index.note_outcomes(self.writer.run, self.writer.noted)

    def _reads(self, track: Track) -> bool:
        """Return whether a track's words would now vote and did not before, or the other way round."""
        if self.lyrics:
            return WORDS not in track.answers and bool(read_lyrics(track.path))
        return bool(track.answers.get(WORDS))

    def _submitted(self, path: Path, under_way: _UnderWay) -> Iterator[FileEvent]:
        try:
            status = path.stat()
        except OSError as error:
            yield self.writer.fail(path, None, error)
        else:
            under_way[self._submit(path)] = path, status

    def _submit(self, path: Path) -> Future[Heard]:
        with interrupts_held():  # a worker that is being started would be left with half its orders
            estimated = [field for field in self.writer.policy.fields if field in analysis.FIELDS]
            return self.executor.submit(listen, self.tagger, path, self._amount(), estimated, self.lyrics)

    def _amount(self) -> Amount:
        """Return how many slices to hear: the quick vote stops when the genre is settled, nothing else."""
        policy = self.writer.policy
        auto = policy.slices == "auto" and {*policy.fields} & {*self.tagger.bundle.card.heads} != {GENRE}
        return MAX_SLICES if auto else policy.slices

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
                    yield self.writer.fail(path, status, crash)
            except Exception as error:  # whatever is wrong with one file, the scan goes on
                yield self.writer.fail(path, status, error)
            else:
                bundle, run = self.tagger.bundle.id, self.writer.run
                track = Track(path, status.st_size, status.st_mtime_ns, bundle, run)
                track = replace(track, signature=heard.fingerprint, duration_s=heard.duration_s)
                track = replace(track, answers={f: _answers(e) for f, e in heard.estimates.items()})
                yield self.writer.settle(track, heard.prediction, heard.lyrics)


def _answers(estimate: analysis.Estimate) -> tuple[Answer, ...]:
    return (Answer(estimate.label, round(estimate.confidence, 6)),) if estimate.label else ()


def _is_known(path: Path, known: str) -> bool:
    try:
        return identity.is_known(path, known)
    except (AudioError, OSError):  # hearing it will raise the same error
        return False
