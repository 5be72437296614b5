"""Try what can go wrong while tags are written, count, and write `docs/reliability.md`.

    python -m bench.reliability [--quick] [PACKAGE.tar.gz …]

Packages are the source packages of mutagen, mediafile, Picard and TagLib, as
``pip download --no-deps --no-binary :all: mutagen`` and ``apt-get source --download-only taglib``
bring them. About half an hour on one core; ``--quick``: a minute, and no page.
"""

from __future__ import annotations

import errno
import itertools
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT)]

import tiny_bundle  # noqa: E402

from bench.reliability import faults, foreign, page  # noqa: E402
from bench.reliability.scene import BAD, KINDS, Scene, Verdict  # noqa: E402

ERRORS = {
    "disk full": (errno.ENOSPC, True),
    "one call fails": (errno.EIO, False),
    "kill -9": (faults.KILL, False),
}


def every_call(scene: Scene, error: int, again: bool, undo: bool, step: int = 1) -> Verdict:
    """Let the n-th call of a scan (or undo) fail, for every n until it comes to its end unharmed."""
    found = Verdict()
    for n in itertools.count(1, step):
        if undo:
            scene.scan()
        status, calls = faults.struck(scene.undo if undo else scene.scan, scene.folder, n, error, again)
        through = status == 0 and calls < n
        found.add(scene.judge(struck=not through))
        if through:
            return found
    raise AssertionError("counting does not end")


def random_moments(scene: Scene, kills: int, undo: bool, seed: int) -> Verdict:
    """`kill -9` at random moments of a scan (or undo) of all containers."""
    found, chance = Verdict(), random.Random(seed)
    longest = 0.2 if undo else 0.6  # seconds; adapted until most kills come before the end
    for _ in range(kills):
        if undo:
            scene.scan()
        status = faults.killed_after(scene.undo if undo else scene.scan, chance.uniform(0, longest))
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        longest *= 1.05 if killed else 0.9
        found.add(scene.judge(struck=killed))
    return found


def measure(packages: list[Path], quick: bool) -> dict[str, Any]:
    """Run everything, and return the counts."""
    calls: dict[str, Verdict] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bundle = tiny_bundle.make(folder / "tiny-1")
        for kind in KINDS[2:3] if quick else KINDS:
            scene = Scene(folder / kind, bundle, [kind], no_index=kind == "flac" and not quick)
            for what, (error, again) in ERRORS.items():
                for undo in (False, True):
                    verdict = every_call(scene, error, again, undo, 20 if quick else 1)
                    calls.setdefault(f"{what}, {'undo' if undo else 'scan'}", Verdict()).add(verdict)
                    print(kind, what, "undo" if undo else "scan", verdict, flush=True)
        scene = Scene(folder / "all", bundle)
        moments = {
            "scan": random_moments(scene, 3 if quick else 300, undo=False, seed=1),
            "undo": random_moments(scene, 3 if quick else 200, undo=True, seed=2),
        }
        print(moments, flush=True)
        libraries: dict[str, Counter[str]] = {}
        for package in packages:
            (inside := folder / package.name).mkdir()
            paths = foreign.unpack(package, inside)
            libraries[package.name] = foreign.check(paths, bundle, folder / f"{package.name}.db")
            print(package.name, libraries[package.name], flush=True)
    return {
        "calls": {what: vars(verdict) for what, verdict in calls.items()},
        "moments": {what: vars(verdict) for what, verdict in moments.items()},
        "libraries": libraries,
    }


def main() -> None:
    """Run in a process with the faults in front of the system, compiled first."""
    arguments = sys.argv[1:]
    if not faults.is_loaded():
        with tempfile.TemporaryDirectory() as name:
            library = faults.compiled(Path(name))
            if library is None:
                sys.exit("bench.reliability: there is no C compiler (cc).")
            command = [sys.executable, "-m", "bench.reliability", *arguments]
            sys.exit(subprocess.run(command, env=faults.environment(library), cwd=Path.cwd()).returncode)
    quick = "--quick" in arguments
    counts = measure([Path(a) for a in arguments if a != "--quick"], quick)
    print(json.dumps(counts, indent=1))
    if not quick:
        page.write(ROOT / "docs" / "reliability.md", counts)
    verdicts = [*counts["calls"].values(), *counts["moments"].values()]
    sys.exit(sum(found[bad] for found in verdicts for bad in BAD) and "bench.reliability: see above.")


if __name__ == "__main__":
    main()
