"""``kill -9`` at random moments: no file is damaged, nothing is left behind, and undo still works.

``MGTAG_KILLS=50 pytest tests/test_kill.py`` for more moments than the suite has time for;
``MGTAG_SEED`` for others.
"""

from __future__ import annotations

import os
import random
import signal
import time

import pytest
from scanning import Scene

KILLS = int(os.environ.get("MGTAG_KILLS", "2"))
SEED = int(os.environ.get("MGTAG_SEED", "0"))


def kill(scene: Scene, chance: random.Random, *command: object) -> None:
    """Start a command, and kill it somewhere between its first file and its last."""
    with scene.running(*command) as process:
        assert process.stdout is not None
        for _ in range(chance.randint(1, len(scene.before) - 3)):
            process.stdout.readline()
        time.sleep(chance.uniform(0, 0.03))
        process.kill()
    assert process.returncode in (-signal.SIGKILL, 0)


@pytest.mark.parametrize("n", range(KILLS))
def test_a_scan_may_be_killed_at_any_moment(scene: Scene, n: int) -> None:
    chance = random.Random(f"{SEED} scan {n}")
    kill(scene, chance, *scene.scan(*(["--force"] if n % 4 > 1 else [])))
    scene.assert_whole()
    if n % 2 == 0:  # undo right after the crash
        scene.undo_all()
    done = scene.mgtag(*scene.scan())
    assert done.returncode == 0, done.stderr
    assert scene.contents() == scene.after
    assert not scene.leftovers()
    scene.undo_all()


@pytest.mark.parametrize("n", range((KILLS + 1) // 2))
def test_an_undo_may_be_killed_at_any_moment(scene: Scene, n: int) -> None:
    chance = random.Random(f"{SEED} undo {n}")
    assert scene.mgtag(*scene.scan()).returncode == 0
    kill(scene, chance, "undo")
    scene.assert_whole()
    scene.undo_all()
