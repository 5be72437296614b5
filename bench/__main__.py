"""``python -m bench``: measure, and write ``bench/RESULTS.md``.

Takes about an hour on two cores, and 3 GB of room. ``--songs N`` and ``--rounds N`` make it shorter; ``--only NAME`` measures
one part and keeps what ``bench/results.json`` has of the others.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from bench import library, page, plots, quick_vote, songs, stages
from bench.measuring import Contest, cost

HERE = Path(__file__).parent
MGTAG = [sys.executable, "-m", "mgtag"]
Part = Callable[[Path, argparse.Namespace], Any]


def throughput(folder: Path, options: argparse.Namespace) -> Any:
    """Songs of four minutes: mgtag, the reports' way, the decoding floor."""
    files = [str(p) for p in songs.make(folder / "songs", options.songs, 240.0)]
    commands = {
        "mgtag scan -j1": _scan(folder, 1, files),
        "mgtag scan -j2": _scan(folder, 2, files),
        "mgtag scan -j1 --slices 30": _scan(folder, 1, [*files, "--slices", "30"]),
        "mutagen alone (tags only)": [sys.executable, "-m", "bench.peers", "mutagen", *files],
    }
    if shutil.which("ffmpeg"):
        loop = 'for f in "$@"; do ffmpeg -v error -nostdin -i "$f" -f null - || exit 1; done'
        commands["ffmpeg -i F -f null - (the decoding floor)"] = ["sh", "-c", loop, "sh", *files]
    if find_spec("librosa") and find_spec("torch"):
        commands["librosa, then torch slice by slice (the reports' way)"] = [
            *("env", "OMP_NUM_THREADS=1", "OPENBLAS_NUM_THREADS=1", "NUMBA_NUM_THREADS=1"),
            *(sys.executable, "-m", "bench.peers", "librosa", *files),
        ]
    return _rounds(Contest().run(commands, options.rounds), files)


def start(folder: Path, options: argparse.Namespace) -> Any:
    """From the command to the first answer, and what nothing costs."""
    (song,) = songs.make(folder / "one", 1, 240.0, ("mp3",))
    commands = {
        "mgtag scan ONE": _scan(folder, 1, [str(song)]),
        "mgtag --version": [*MGTAG, "--version"],
        "python -c 'import typer'": [sys.executable, "-c", "import typer"],
        "python -c pass": [sys.executable, "-c", "pass"],
    }
    return _rounds(Contest().run(commands, max(options.rounds, 5)), [song])


def extractors(folder: Path, options: argparse.Namespace) -> Any:
    """Essentia's extractor of music, where it is installed; musicnn's own package no longer installs."""
    if not find_spec("essentia"):
        return None
    files = [str(p) for p in songs.make(folder / "songs", 3, 240.0)]
    commands = {
        "mgtag scan -j1": _scan(folder, 1, files),
        "essentia, MusicExtractor": [sys.executable, "-m", "bench.peers", "essentia", *files],
    }
    return _rounds(Contest().run(commands, min(options.rounds, 3)), files)


def growth(folder: Path, options: argparse.Namespace) -> Any:
    """Files by the thousand, workers by the core, rows by the million."""
    short = songs.make(folder / "short", 12, 30.0)
    found: dict[str, Any] = {"files": [], "workers": [], "rows": []}
    for n in (1, 10, 100, 1000):
        tree = songs.copies(folder / f"files-{n}", short, n)
        first = cost(_scan(folder, 2, [str(tree)]))
        command = [*MGTAG, "scan", "-n", "-j2", "--index", str(folder / f"fresh-{n}.db"), str(tree)]
        cost(command)
        found["files"].append({"n": n, "scan": asdict(first), "again": asdict(cost(command))})
        print(found["files"][-1], file=sys.stderr)
    for jobs in (1, 2, 3, 4):
        scan = cost(_scan(folder, jobs, [str(folder / "files-100")]))
        found["workers"].append({"n": jobs, "scan": asdict(scan)})
    _, hundred = library.made(folder, 100_000)
    indexes = library.made(folder, 10_000)[1], hundred, library.multiplied(hundred, 10)
    for n, index in zip((10_000, 100_000, 1_000_000), indexes, strict=True):
        listed = cost([*MGTAG, "list", "--json", "--index", str(index)])
        few = cost([*MGTAG, "list", "--json", "--index", str(index), "--genre", "Jazz"])
        size = index.stat().st_size / n
        found["rows"].append({"n": n, "list": asdict(listed), "few": asdict(few), "bytes": size})
        print(found["rows"][-1], file=sys.stderr)
    return found


def unchanged(folder: Path, options: argparse.Namespace) -> Any:
    """A library of which nothing changed, beside `find` and beets."""
    return [library.rounds(folder, tracks, options.rounds) for tracks in (20_000, 100_000)]


def epochs(folder: Path, options: argparse.Namespace) -> Any:
    """Training, an epoch of the shipped network."""
    if not find_spec("torch"):
        return None
    from bench import training

    return training.rounds(options.rounds)


def memory(folder: Path, options: argparse.Namespace) -> Any:
    """The largest process while a file of ten hours is heard, and while its genre is explained."""
    long = songs.ten_hours(folder)
    explain = [*MGTAG, "explain", "--json", str(next(path for path in long if path.suffix == ".opus"))]
    return {
        **{f"scan, {path.suffix[1:]}": asdict(cost(_scan(folder, 1, [str(path)]))) for path in long},
        "explain, opus": asdict(cost(explain)),
    }


def profile(folder: Path, options: argparse.Namespace) -> Any:
    """CPU time of each stage, of a song in each container."""
    made = songs.make(folder / "songs", len(songs.KINDS), 240.0)
    return {p.suffix[1:]: stages.profile([p], folder) for p in made}


def agreement(folder: Path, options: argparse.Namespace) -> Any:
    """The quick vote beside all slices."""
    return [asdict(row) for row in quick_vote.agreements()]


PARTS: dict[str, Part] = {
    f.__name__: f
    for f in (throughput, start, agreement, profile, unchanged, growth, memory, epochs, extractors)
}


def main() -> None:
    """Measure the parts that were asked for, and write the page."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--songs", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", choices=PARTS, action="append", default=[])
    parser.add_argument(
        "--folder", type=Path, help="where songs are made and kept; default: a temporary folder"
    )
    options = parser.parse_args()
    store = HERE / "results.json"
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for name, part in PARTS.items():
            if name in (options.only or PARTS):
                print(name, file=sys.stderr, flush=True)
                found = part(folder, options)
                results = _stored(store) | {name: found, "machine": page.machine()}
                store.write_text(json.dumps(results, indent=1) + "\n")
    if growing := _stored(store).get("growth"):
        plots.draw(growing, HERE / "growth.svg")
    (HERE / "RESULTS.md").write_text(page.render(_stored(store)), encoding="utf-8")


def _stored(store: Path) -> dict[str, Any]:
    return json.loads(store.read_text()) if store.exists() else {}


def _scan(folder: Path, jobs: int, arguments: list[str]) -> list[str]:
    return [*MGTAG, "scan", "-n", "--force", f"-j{jobs}", "--index", str(folder / "bench.db"), *arguments]


def _rounds(contest: Contest, files: Any) -> Any:
    return {
        "files": len(files),
        "rounds": {name: [asdict(c) for c in costs] for name, costs in contest.rounds.items()},
    }


if __name__ == "__main__":
    main()
