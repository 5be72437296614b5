"""The index beside `find` and beets, where nothing changed.

Makes a tree of FLAC files that hold tags and no sound, and an index that says that they were heard: what
is measured is the walk, the comparison and the index, not the hearing. Each round runs every command once.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import struct
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future
from contextlib import closing
from dataclasses import asdict
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
MOST_IN_BEETS = 20_000


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
    """Measure one size of library, `n` rounds; beets up to 20,000, which it imports one by one."""
    root, index = made(folder, tracks)
    chosen = ["--index", str(index)]
    commands: dict[str, Sequence[str]] = {
        "find -printf": ["find", str(root), "-printf", "%p %s %T@\\n"],
        "mgtag scan, nothing changed": [*MGTAG, "scan", *chosen, str(root)],
        "mgtag list": [*MGTAG, "list", *chosen],
        "mgtag list --json": [*MGTAG, "list", "--json", *chosen],
    }
    if find_spec("beets") and tracks <= MOST_IN_BEETS:
        beet = _beets(folder / f"beets-{tracks}", root)
        commands |= {"beet update -p": [*beet, "update", "-p"], "beet list": [*beet, "list"]}
    contest = Contest().run(commands, n)
    costs = {name: [asdict(c) for c in found] for name, found in contest.rounds.items()}
    return {"files": tracks, "bytes": bytes_a_track(index, tracks), "rounds": costs}


def made(folder: Path, tracks: int) -> tuple[Path, Path]:
    """Return a tree of so many files and an index of it, which are made where they are not there."""
    root, index = folder / f"library-{tracks}", folder / f"library-{tracks}.db"
    make(root, tracks)
    if not index.exists():
        fill(root, index)
    return root, index


def multiplied(index: Path, times: int) -> Path:
    """Return a copy of an index with so many times its rows, of files that would lie below other roots."""
    there = index.with_name(f"{index.stem}-times-{times}.db")
    if not there.exists():
        shutil.copyfile(index, there)
        with closing(sqlite3.connect(there)) as db:
            names = [name for (_, name, *_) in db.execute("PRAGMA table_info(files)") if name != "id"]
            kept = ", ".join(names)
            moved = ", ".join("'/' || ? || path" if name == "path" else name for name in names)
            (last,) = db.execute("SELECT max(id) FROM files").fetchone()
            for copy in range(1, times):
                db.execute(
                    f"INSERT INTO files ({kept}) SELECT {moved} FROM files WHERE id <= ?", (str(copy), last)
                )
            db.commit()
    return there


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
