"""Ctrl-C, as a terminal sends it: to mgtag and all its workers at once."""

from __future__ import annotations

import json
import os
import signal
import time

import pytest
from scanning import Scene


def alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def test_ctrl_c_ends_a_scan_with_every_file_whole_and_the_next_goes_on(scene: Scene) -> None:
    with scene.running(*scene.scan()) as process:
        assert process.stdout is not None
        first = json.loads(process.stdout.readline())
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert first["event"] == "tagged"
    assert "Interrupted; every file is whole" in err
    assert "Traceback" not in err
    told = [first, *map(json.loads, out.splitlines())]
    assert len(told) < len(scene.before)
    scene.assert_whole()
    assert not scene.leftovers()
    for _ in range(100):
        if not alive(process.pid):
            break
        time.sleep(0.1)
    assert not alive(process.pid), "a worker outlived its scan"
    done = scene.mgtag(*scene.scan("--json"))
    assert done.returncode == 0, done.stderr
    events = [json.loads(line)["event"] for line in done.stdout.splitlines()]
    assert events.count("fresh") >= len(told)
    assert scene.contents() == scene.after
    scene.undo_all()


@pytest.mark.parametrize("delay_s", [0.3, 0.8])
def test_ctrl_c_while_the_workers_start_is_no_traceback(scene: Scene, delay_s: float) -> None:
    for file in scene.index.parent.glob("index.db*"):
        file.unlink()
    with scene.running(*scene.scan()) as process:
        while not scene.index.exists():  # mgtag is past its imports, and its workers come next
            time.sleep(0.01)
        time.sleep(delay_s)
        os.killpg(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode in (130, 0)
    assert "Traceback" not in err
    scene.assert_whole()
    scene.undo_all()


def test_a_reader_who_leaves_ends_the_scan_quietly_with_every_file_whole(scene: Scene) -> None:
    with scene.running(*scene.scan()) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()  # `mgtag scan --json | head -1`
        assert process.stderr is not None
        err = process.stderr.read()
        process.wait(timeout=60)
    assert process.returncode == 1
    assert "Traceback" not in err
    scene.assert_whole()
    assert not scene.leftovers()
    scene.undo_all()
