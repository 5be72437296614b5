"""Calls to the disk that fail, kills in their place: the quick part of `bench.reliability`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(
    sys.platform != "linux" or not shutil.which("cc"), reason="needs LD_PRELOAD and a C compiler"
)
def test_nothing_is_damaged_or_lost_whatever_call_fails() -> None:
    path = os.pathsep.join([str(ROOT / "src"), *sys.path])
    done = subprocess.run(
        [sys.executable, "-m", "bench.reliability", "--quick"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": path}
        | ({"TMPDIR": "/dev/shm"} if Path("/dev/shm").is_dir() else {}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert done.stdout.count("flac kill -9") == 2
