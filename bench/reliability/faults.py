"""Let any call to the disk fail, or be the last: the C library of `faults.c` in front of the system's."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

SOURCE = Path(__file__).with_name("faults.c")
KILL = -1  # instead of an errno
_MARK = "MGTAG_FAULTS"


def compiled(folder: Path) -> Path | None:
    """Compile the library into `folder`; None where there is no C compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        return None
    library = folder / "faults.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, SOURCE, "-ldl"], check=True)
    return library


def environment(library: Path) -> dict[str, str]:
    """Return the environment in which a process has the library in front of it."""
    return {**os.environ, "LD_PRELOAD": str(library), _MARK: str(library)}


def is_loaded() -> bool:
    """Say whether this process was started in such an environment."""
    return _MARK in os.environ


def struck(
    work: Callable[[], object], below: Path, n: int, error: int, again: bool = False
) -> tuple[int, int]:
    """Run `work` in a child whose n-th call to the disk fails, or is its last.

    Parameters
    ----------
    below : Path
        Only calls that concern this folder count.
    n : int
        From 1; with 0 none fails.
    error : int
        An errno, or `KILL`.
    again : bool
        Whether all later calls fail as well, as on a disk that is full.

    Returns
    -------
    status, calls : int
        What `os.waitpid` says of the child: 0 if it came to its end; how many calls there were, if so.
    """
    here, there = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(here)
        code = 1
        try:
            library = ctypes.CDLL(os.environ[_MARK])
            library.arm(os.fsencode(below), ctypes.c_long(n), error, int(again))
            try:
                work()
                code = 0
            finally:
                library.calls.restype = ctypes.c_long
                calls = library.calls()
                library.arm(b"", ctypes.c_long(-1), 0, 0)
                os.write(there, str(calls).encode())
        finally:
            os._exit(code)
    os.close(there)
    with os.fdopen(here, "rb") as pipe:
        calls = int(pipe.read() or 0)
    return os.waitpid(child, 0)[1], calls


def killed_after(work: Callable[[], object], seconds: float) -> int:
    """Run `work` in a child that gets `kill -9` after a while, and return what `os.waitpid` says of it."""
    child = os.fork()
    if child == 0:
        try:
            work()
        finally:
            os._exit(0)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    return os.waitpid(child, 0)[1]
