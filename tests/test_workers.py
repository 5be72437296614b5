"""Worker processes: they outlive a crash beside them, but not their parent, and not Ctrl-C."""

from __future__ import annotations

import ctypes
import gc
import os
import signal
import struct
import subprocess
import sys
import threading
import time
from concurrent.futures import BrokenExecutor, ThreadPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from mgtag.workers import HEARING_S, MEMORY, THREADS, Workers, executor, warm_up

PARENT = """
import os, sys, time
from mgtag.workers import Workers

if __name__ == "__main__":
    pool = Workers(2)
    futures = [pool.submit(os.getpid) for _ in range(20)]
    print(*{f.result() for f in futures}, flush=True)
    tasks = [pool.submit(time.sleep, 600) for _ in range(4)]
    time.sleep(600)
"""


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def note_and_hang(path: Path) -> None:
    path.write_text(str(os.getpid()))
    signal.pthread_sigmask(signal.SIG_BLOCK, set(signal.Signals))
    ctypes.PyDLL(None).sleep(600)  # with the interpreter's lock, as a decoder that never returns


def answer_half_and_die() -> None:
    pipe = next(o for o in gc.get_objects() if isinstance(o, Connection) and o.writable)
    os.write(pipe.fileno(), struct.pack("!i", 100) + b"the first bytes of a hundred")
    die()


def ceiling() -> int:
    import resource

    return resource.getrlimit(resource.RLIMIT_AS)[0]


def late(path: Path) -> None:
    time.sleep(120)
    path.touch()


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except OSError:
        return True


def eventually(condition: object) -> bool:
    """Wait for what must happen, with patience for a busy machine."""
    for _ in range(600):
        if condition():  # type: ignore[operator]
            return True
        time.sleep(0.1)
    return False


def test_processes_compute() -> None:
    with Workers(2) as pool:
        pids = {pool.submit(os.getpid).result() for _ in range(4)}
    assert os.getpid() not in pids
    assert eventually(lambda: all(gone(pid) for pid in pids))


def test_a_crash_does_not_end_the_pool() -> None:
    with Workers(1) as pool:
        with pytest.raises(BrokenExecutor):
            pool.submit(die).result()
        assert pool.submit(abs, -3).result() == 3


def test_only_the_task_of_a_dead_worker_is_lost() -> None:
    with Workers(4) as pool:
        tasks = [pool.submit(die) if n == 7 else pool.submit(abs, -n) for n in range(20)]
        assert [n for n, task in enumerate(tasks) if task.exception()] == [7]
        assert [task.result() for n, task in enumerate(tasks) if n != 7] == [n for n in range(20) if n != 7]


def test_a_task_that_hangs_is_killed_and_told(tmp_path: Path) -> None:
    with Workers(2, limit_s=5) as pool:
        hanging = pool.submit(note_and_hang, tmp_path / "pid")
        assert pool.submit(abs, -3).result() == 3
        with pytest.raises(TimeoutError):
            hanging.result()
        assert eventually(lambda: gone(int((tmp_path / "pid").read_text())))
        assert pool.submit(abs, -4).result() == 4


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits the address space")
def test_a_worker_has_a_memory_ceiling() -> None:
    with Workers(1, memory=1 << 30) as pool:
        pid = pool.submit(os.getpid).result()
        with pytest.raises(MemoryError):
            pool.submit(bytes, 2 << 30).result()
        assert pool.submit(len, bytes(1 << 20)).result() == 1 << 20
        assert pool.submit(os.getpid).result() == pid


def test_a_worker_of_a_scan_is_bounded() -> None:
    with executor(1, "cpu") as pool:
        assert isinstance(pool, Workers)
        assert pool.submit(ceiling).result() == MEMORY
        assert pool._limit_s == HEARING_S


def test_a_worker_that_dies_in_the_middle_of_its_answer_is_dead() -> None:
    with Workers(1) as pool:
        with pytest.raises(BrokenExecutor):
            pool.submit(answer_half_and_die).result()
        assert pool.submit(abs, -3).result() == 3


def test_what_cannot_be_sent_is_told_and_costs_no_worker() -> None:
    with Workers(1) as pool:
        pid = pool.submit(os.getpid).result()
        with pytest.raises(Exception, match="pickle"):
            pool.submit(threading.Lock).result()
        with pytest.raises(Exception, match="pickle"):
            pool.submit(lambda: 1).result()
        assert pool.submit(os.getpid).result() == pid


def test_ctrl_c_does_not_reach_a_worker() -> None:
    with Workers(1) as pool:
        pid = pool.submit(os.getpid).result()
        task = pool.submit(time.sleep, 0.5)
        os.kill(pid, signal.SIGINT)
        task.result()
        assert pool.submit(os.getpid).result() == pid


def test_nobody_waits_for_the_workers_after_ctrl_c(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), Workers(1) as pool:
        pid = pool.submit(os.getpid).result()
        task = pool.submit(late, tmp_path / "finished")
        raise KeyboardInterrupt
    assert gone(pid)
    assert task.done()
    assert not (tmp_path / "finished").exists()


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="asks /proc who is alive")
def test_workers_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    (tmp_path / "parent.py").write_text(PARENT)
    with subprocess.Popen(
        [sys.executable, str(tmp_path / "parent.py")], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        pids = [int(word) for word in parent.stdout.readline().split()]
        assert pids
        assert not any(gone(pid) for pid in pids)
        parent.kill()
        assert eventually(lambda: all(gone(pid) for pid in pids))


def test_a_gpu_is_shared_by_threads() -> None:
    with executor(2, "cuda") as pool:
        assert isinstance(pool, ThreadPoolExecutor)
        assert pool.submit(os.getpid).result() == os.getpid()
    assert isinstance(executor(1, "cpu"), Workers)


def test_a_worker_computes_in_one_thread() -> None:
    """Several workers with a BLAS thread a core each took ten times the time of one."""
    before = dict(os.environ)
    with Workers(2) as pool:
        for name in THREADS:
            assert pool.submit(os.getenv, name).result() == "1"
        assert pool.submit(len_of_blas).result() in (0, 1)
    assert dict(os.environ) == before


def len_of_blas() -> int:
    """Threads of the BLAS that numpy loaded, as threadpoolctl sees them; 0 without it."""
    try:
        from threadpoolctl import threadpool_info
    except ImportError:
        return 0
    import numpy  # noqa: F401

    return max((pool["num_threads"] for pool in threadpool_info()), default=0)


def test_a_server_that_was_warmed_up_serves() -> None:
    warm_up()
    warm_up()
    with Workers(2) as pool:
        assert pool.submit(os.getpid).result() != os.getpid()


@pytest.mark.skipif(sys.platform != "linux", reason="workers are spawned here")
def test_a_scan_of_a_file_starts_the_server_before_all_else(tmp_path: Path) -> None:
    for name in ("song.mp3", "index.db"):
        (tmp_path / name).touch()
    code = (
        "import sys; from mgtag import workers;"
        "workers.warm_up = lambda: print('warm', 'mgtag.cli' in sys.modules);"
        "from mgtag.__main__ import main; main()"
    )
    for argument, warm in ((tmp_path / "song.mp3", True), (tmp_path, False), (tmp_path / "index.db", False)):
        command = [sys.executable, "-c", code, "scan", str(argument), "--threshold", "nonsense"]
        said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
        assert ("warm False" in said) == warm


@pytest.mark.skipif(sys.platform != "linux", reason="workers are spawned here")
def test_workers_need_not_import_what_the_server_has() -> None:
    with Workers(1) as pool:
        assert pool.submit(loaded, "mgtag.inference").result()


def loaded(name: str) -> bool:
    return name in sys.modules
