"""Wall time, CPU time and memory of commands, whose processes may leave processes behind."""

from __future__ import annotations

import ctypes
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER: orphans become this process's children, so their time is counted


@dataclass(frozen=True)
class Cost:
    """What one run of a command took: seconds by the clock and of all its processes' CPU, MiB of the largest."""

    wall_s: float
    cpu_s: float
    memory_mib: float


@dataclass
class Contest:
    """Several commands measured by turns, so that a busy minute of the machine meets all of them.

    Attributes
    ----------
    rounds : mapping of str to list of Cost
        By the command's name, in the order in which they ran.
    """

    rounds: dict[str, list[Cost]] = field(default_factory=dict)

    def run(self, commands: Mapping[str, Sequence[str]], n: int, before: object = None) -> Contest:
        """Run each command once, and then each again, `n` times."""
        for turn in range(n):
            for name, command in commands.items():
                if callable(before):
                    before()
                self.rounds.setdefault(name, []).append(cost(command))
                print(f"  {turn + 1}/{n} {name}: {self.rounds[name][-1]}", file=sys.stderr, flush=True)
        return self

    def median(self, name: str, what: str = "cpu_s") -> float:
        """Return the median of one figure of one command."""
        return statistics.median(getattr(c, what) for c in self.rounds[name])

    def ratio(self, name: str, to: str, what: str = "cpu_s") -> float:
        """Return the median over the rounds of one command's figure by another's of the same round."""
        pairs = zip(self.rounds[name], self.rounds[to], strict=True)
        return statistics.median(getattr(a, what) / getattr(b, what) for a, b in pairs)


def cost(command: Sequence[str], environment: Mapping[str, str] = {}) -> Cost:
    """Run a command in a process of its own, and wait for all that it started."""
    code = "import sys; from bench.measuring import _child; _child(sys.argv[1:])"
    done = subprocess.run(
        [sys.executable, "-c", code, *command],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
        check=True,
    )
    wall_s, cpu_s, kib = done.stdout.split()[-3:]
    return Cost(float(wall_s), float(cpu_s), float(kib) / 1024)


def _child(command: Sequence[str]) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)
    begin = time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    wall_s = time.perf_counter() - begin
    while True:
        try:
            os.wait()
        except ChildProcessError:
            break
    if done.returncode not in (0, 3):  # 3: some files failed, which the figures then tell
        sys.exit(f"{' '.join(command)[:300]}: exit {done.returncode}: {done.stderr.decode()[-2000:]}")
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(wall_s, used.ru_utime + used.ru_stime, used.ru_maxrss)
