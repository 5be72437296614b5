"""Where a song's time goes: each stage by itself, in one process and one thread."""

from __future__ import annotations

import shutil
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from mgtag import audio, bundle, identity, tags
from mgtag.card import GENRE
from mgtag.features import slice_starts, window
from mgtag.inference import MAX_SLICES, Tagger
from mgtag.library.index import Index
from mgtag.library.records import Track

REPEATS = 3


def profile(songs: list[Path], folder: Path) -> dict[str, float]:
    """Return CPU milliseconds a song, by stage, medians over the songs."""
    tagger = Tagger(bundle.find(bundle.DEFAULT), "cpu")
    found: dict[str, list[float]] = {}
    for song in songs:
        for stage, ms in _of(song, tagger, folder).items():
            found.setdefault(stage, []).append(ms)
    return {stage: statistics.median(values) for stage, values in found.items()}


def _of(song: Path, tagger: Tagger, folder: Path) -> dict[str, float]:
    spec = tagger.bundle.card.mel
    length_s, rate = spec.n_samples / spec.sample_rate, spec.sample_rate
    with audio.opened(song) as sound:
        heard = tagger.predict(sound)
        starts_s = [float(s) for s in heard.starts_s]
        places = slice_starts(sound.duration_s, spec, MAX_SLICES)
        costs = {
            "slices heard": float(len(starts_s)),
            "open and read the header": _ms(lambda: audio.probe(song)),
            "decode the slices": _ms(lambda: sound.slices(starts_s, length_s, rate)),
            "decode 30 slices, were they all heard": _ms(lambda: sound.slices(places, length_s, rate)),
            "look at the end": _ms(sound.check_end),
        }
        y = sound.slices(starts_s, length_s, rate)
    x = window(y, spec)
    tagger.ask(x[:1])
    copy = Path(shutil.copyfile(song, folder / f"copy{song.suffix}"))
    provenance = {GENRE: tags.Provenance((), ("Jazz",), tagger.bundle.id, 0.9)}
    with Index(folder / "stages.db") as index:
        status = song.stat()
        run = index.begin_run("bench", tagger.bundle.id)
        track = Track(song, status.st_size, status.st_mtime_ns, tagger.bundle.id, run)
        costs |= {
            "mel": _ms(lambda: window(y, spec)),
            "network": _ms(lambda: tagger.ask(x)),
            "fingerprint": _ms(lambda: identity.fingerprint(song)),
            "read the tags": _ms(lambda: tags.read(song)),
            "index": _ms(lambda: index.record(track, heard)),
            "write a tag, proved (only where one is written)": _ms(
                lambda: tags.draft(copy, provenance, identity.signature).discard()
            ),
            "of it, hash of the whole sound, twice": 2 * _ms(lambda: identity.signature(song)),
            "decode the whole song": _ms(lambda: [None for _ in audio.stream(song)]),
        }
    return costs


def _ms(work: Callable[[], object]) -> float:
    times = []
    for _ in range(REPEATS):
        begin = time.process_time()
        work()
        times.append(time.process_time() - begin)
    return statistics.median(times) * 1000
