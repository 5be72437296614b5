"""Fuzz every parser, with atheris (`pip install -e .[fuzz]`).

    python -m bench.fuzz [--seconds 600] [TARGET …]

Counts go to stdout and into the table of `docs/reliability.md`; inputs that found something, into the
folder `fuzz-findings`.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.fuzz import corpus

PAGE = corpus.ROOT / "docs" / "reliability.md"
_RUNS = re.compile(r"Done (\d+) runs in (\d+) second")
_COVERED = re.compile(r"cov: (\d+)")
NAMES = ("parsers", "reading", "writing", "headers")


def run(name: str, seconds: int, folder: Path) -> str:
    """Fuzz one target, and return its row of the table."""
    findings = Path("fuzz-findings")
    findings.mkdir(exist_ok=True)
    before = set(findings.iterdir())
    command = [sys.executable, "-m", "bench.fuzz.one", name, str(folder), f"-max_total_time={seconds}"]
    command += ["-timeout=30", "-rss_limit_mb=3000", "-max_len=20000", f"-artifact_prefix={findings}/{name}-"]
    with tempfile.TemporaryFile("w+") as log:
        subprocess.run(command, stdout=log, stderr=log, check=False)
        log.seek(0)
        said = log.read()
    done, covered = _RUNS.search(said), _COVERED.findall(said)
    new = sorted(set(findings.iterdir()) - before)
    if new or not done:
        print(said[-3000:])
    runs, took = (int(done[1]), int(done[2])) if done else (0, 0)
    return f"| {name} | {runs:,} | {took:,} s | {covered[-1] if covered else 0} | {len(new)} |"


def main() -> None:
    """Fuzz what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench.fuzz")
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("targets", nargs="*", choices=[[], *NAMES], default=[])
    asked = parser.parse_args()
    rows = []
    for name in asked.targets or NAMES:
        with tempfile.TemporaryDirectory() as folder:
            corpus.make(Path(folder))
            rows.append(run(name, asked.seconds, Path(folder)))
        print(rows[-1], flush=True)
    if not asked.targets and PAGE.exists():
        _note(rows)


def _note(rows: list[str]) -> None:
    begin, end = "<!-- fuzzing -->", "<!-- /fuzzing -->"
    text = PAGE.read_text()
    head = (
        "## Fuzzing\n\n| target | inputs | time | branches reached | findings |\n|---|---:|---:|---:|---:|\n"
    )
    table = f"{begin}\n{head}" + "\n".join(rows) + "\n"
    PAGE.write_text(text[: text.index(begin)] + table + text[text.index(end) :])


if __name__ == "__main__":
    main()
