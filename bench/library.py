"""``python -m bench.library``: the index beside `find` and beets, where nothing changed.

Makes a tree of FLAC files that hold tags and no sound, and an index that says that they were heard: what
is measured is the walk, the comparison and the index, not the hearing. Each round runs every command once.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import struct
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future
from importlib.util import find_spec
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np

from bench.measuring import Contest, cost
from mgtag import bundle
from mgtag.inference import Heard, Tagger
from mgtag.library.index import Index
from mgtag.library.policy import Policy
from mgtag.library.scan import scan
from mgtag.prediction import HeadOutput, Prediction

MGTAG = [sys.executable, "-m", "mgtag"]
GENRES = ("Rock", "Jazz", "Pop", "Metal", "Blues")
PER_ALBUM, PER_ARTIST = 12, 120


def make(root: Path, tracks: int) -> None:
    """Write a tree of albums; files that are there stay."""
    for n in range(tracks):
        artist, album = f"Artist {n // PER_ARTIST:04}", f"Album {n // PER_ALBUM:05}"
        path = root / artist / album / f"{n % PER_ALBUM + 1:02} - Some song title number {n}.flac"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(_flac(artist, album, n))


def fill(root: Path, path: Path) -> None:
    """Let an index say that all files under `root` were heard; what was heard is made up."""
    tagger = Tagger(bundle.find(bundle.DEFAULT), "cpu")
    with Index(path) as index, index.sole_writer():
        index._db.execute("PRAGMA synchronous=OFF")
        for _ in scan([root], tagger, index, Policy(), _Told(_predictions(tagger))):
            pass


def bytes_a_track(path: Path, tracks: int) -> float:
    """Return the index's size by its number of tracks."""
    with Index(path) as index:
        index._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return path.stat().st_size / tracks


def rounds(folder: Path, tracks: int, n: int) -> dict[str, Any]:
    """Measure one size of library, `n` rounds."""
    root, index = folder / f"library-{tracks}", folder / f"library-{tracks}.db"
    make(root, tracks)
    if not index.exists():
        fill(root, index)
    chosen = ["--index", str(index)]
    commands: dict[str, Sequence[str]] = {
        "find -printf": ["find", str(root), "-printf", "%p %s %T@\\n"],
        "mgtag scan, nothing changed": [*MGTAG, "scan", *chosen, str(root)],
        "mgtag list": [*MGTAG, "list", *chosen],
        "mgtag list --json": [*MGTAG, "list", "--json", *chosen],
    }
    found: dict[str, Any] = {"tracks": tracks, "bytes a track": bytes_a_track(index, tracks)}
    if find_spec("beets") and tracks <= 20_000:
        beet = _beets(folder / f"beets-{tracks}", root)
        commands |= {"beet update -p": [*beet, "update", "-p"], "beet list": [*beet, "list"]}
    contest = Contest().run(commands, n)
    for what in ("wall_s", "cpu_s"):
        found[what] = {name: round(contest.median(name, what), 3) for name in commands}
    for name, to in [
        ("mgtag scan, nothing changed", "find -printf"),
        ("mgtag scan, nothing changed", "beet update -p"),
        ("mgtag list", "beet list"),
    ]:
        if to in commands:
            found[f"{name} / {to}"] = {w: round(contest.ratio(name, to, w), 2) for w in ("wall_s", "cpu_s")}
    return found


def _flac(artist: str, album: str, n: int) -> bytes:
    title, year, genre = f"Some song title number {n}", 1960 + n % 60, GENRES[n % len(GENRES)]
    comments = {"ARTIST": artist, "ALBUM": album, "TITLE": title, "DATE": year, "GENRE": genre}
    info = struct.pack(">HH", 4096, 4096) + b"\0" * 6 + bytes.fromhex("0ac442f000000000") + b"\0" * 16
    lines = [f"{key}={value}".encode() for key, value in comments.items()]
    body = struct.pack("<II", 0, len(lines)) + b"".join(struct.pack("<I", len(x)) + x for x in lines)
    return (
        b"fLaC" + b"\0" + len(info).to_bytes(3, "big") + info + b"\x84" + len(body).to_bytes(3, "big") + body
    )


class _Told(Executor):
    """Answers for every file with the next of some predictions."""

    def __init__(self, predictions: Iterator[Prediction]) -> None:
        self._predictions = predictions

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(Heard(f"part:{os.urandom(32).hex()}", 240.0, next(self._predictions)))
        return future


def _predictions(tagger: Tagger, slices: int = 8) -> Iterator[Prediction]:
    """Yield answers as a network gives them: one label of each head far above the others."""
    rng = np.random.default_rng(0)
    card = tagger.bundle.card
    made = []
    for _ in range(100):
        heads = {}
        for name, head in card.heads.items():
            concentration = np.full(len(head.labels), 0.2)
            concentration[rng.integers(len(head.labels))] = 3
            heads[name] = HeadOutput(head.labels, rng.dirichlet(concentration, slices).astype(np.float32))
        attention = rng.dirichlet(np.full(card.mel.n_frames, 2.0), slices).astype(np.float32)
        starts_s = (np.arange(slices) * 29.9).astype(np.float32)
        made.append(Prediction(starts_s, heads, attention, rng.normal(size=(slices, 128)).astype(np.float32)))
    return cycle(made)


def _beets(home: Path, root: Path) -> list[str]:
    beet = ["env", f"BEETSDIR={home}", sys.executable, "-m", "beets"]
    if not home.exists():
        home.mkdir()
        (home / "config.yaml").write_text(
            f"directory: {root}\nlibrary: {home}/library.db\nimport: {{copy: no, write: no, quiet: yes}}\n"
        )
        cost([*beet, "import", "-A", "-q", str(root)])
    return beet


def main() -> None:
    """Measure the sizes that were asked for, and print them as JSON."""
    parser = argparse.ArgumentParser(prog="python -m bench.library", description=__doc__)
    parser.add_argument("--tracks", type=int, nargs="+", default=[20_000, 100_000])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", type=Path, help="where the libraries are made and kept")
    options = parser.parse_args()
    if not shutil.which("find"):
        parser.error("`find` is not here")
    with tempfile.TemporaryDirectory() as temporary:
        for tracks in options.tracks:
            found = rounds(options.folder or Path(temporary), tracks, options.rounds)
            sys.stdout.write(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
