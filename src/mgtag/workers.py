"""Worker processes that are killed when they hang, survive each other's deaths, and not their parent's.

Every worker does one task at a time, for one thread of this process; so a worker that dies, is
killed, or takes too long costs exactly the task that it had.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import cache
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from mgtag.formats import SUFFIXES

P = ParamSpec("P")
T = TypeVar("T")

PRELOADED = ("mgtag.inference", "onnxruntime", "av")
THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
_STARTING = threading.Lock()  # one process at a time: they inherit the environment

HEARING_S = 300.0  # seconds that one file may take; most take less than one
MEMORY = 2 << 30  # bytes of address space of a worker; hearing a file takes less than 0.5 GB of it


class WorkerDied(BrokenExecutor):
    """A worker ended in the middle of a task: a crash, a signal, or no memory left on the machine."""


class Workers(Executor):
    """A process pool in which a task's process is its own: what kills one harms no other.

    Parameters
    ----------
    jobs : int
        Number of processes; each is started when it is first needed.
    limit_s : float, optional
        Seconds that a task may take; then its process is killed and the task raises `TimeoutError`.
    memory : int, optional
        Bytes of address space that a process may have, where the system can limit it; what needs
        more gets a `MemoryError`.

    Notes
    -----
    A task whose process dies raises `WorkerDied`; the next one gets a new process.
    """

    def __init__(self, jobs: int, limit_s: float | None = None, memory: int | None = None) -> None:
        self._limit_s, self._memory = limit_s, memory
        self._threads = ThreadPoolExecutor(jobs, thread_name_prefix="mgtag-worker")
        self._own = threading.local()
        self._started: list[_Process] = []
        self._interrupted = False

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Run a call in a worker."""
        return self._threads.submit(self._in_process, fn, args, kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Close the pool; see `concurrent.futures.Executor.shutdown`."""
        self._threads.shutdown(wait, cancel_futures=cancel_futures)
        if wait:
            for process in self._started:
                process.end()

    def __exit__(self, kind: Any, value: Any, traceback: Any) -> None:
        if kind is not None:  # after Ctrl-C nobody waits for what the workers still listen to
            self._interrupted = True
            for process in list(self._started):
                process.kill()
        self.shutdown(wait=True, cancel_futures=True)

    def _in_process(self, fn: Callable[..., T], args: Any, kwargs: Any) -> T:
        process: _Process | None = getattr(self._own, "process", None)
        if process is None or not process.alive:
            process = self._own.process = _Process(self._memory)
            self._started.append(process)
        if self._interrupted:
            process.kill()
        found: T = process.call((fn, args, kwargs), self._limit_s)
        return found


class _Process:
    """One worker, from this side of the pipe."""

    def __init__(self, memory: int | None) -> None:
        context = _context()
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_work, args=(theirs, memory), daemon=True)
        with _sigint_blocked(), _one_thread():
            self._process.start()
        theirs.close()  # or its end would not be seen when the worker dies

    @property
    def alive(self) -> bool:
        alive: bool = self._process.is_alive()
        return alive

    def call(self, task: Any, limit_s: float | None) -> Any:
        try:
            self._pipe.send(task)
            in_time = self._pipe.poll(limit_s)
            result, error = self._pipe.recv() if in_time else (None, None)
        except (EOFError, OSError) as gone:  # the latter in the middle of an answer
            self.kill()
            raise WorkerDied(f"a worker ended with exit code {self._process.exitcode}") from gone
        if not in_time:
            self.kill()
            raise TimeoutError(f"it took longer than {limit_s:.0f} s")
        if error is not None:
            raise error
        return result

    def kill(self) -> None:
        self._process.kill()
        self._process.join()

    def end(self) -> None:
        with suppress(OSError):
            self._pipe.close()
        self._process.join()


@cache
def _context() -> Any:
    """Return how workers are started.

    Not by a fork of this process: one with threads (rich's bar, ONNX Runtime's) may hang. On Linux by
    forks of a server without threads, which has imported once what every worker needs: the second is there
    in milliseconds, and they share its memory.
    """
    if sys.platform != "linux":
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([*PRELOADED])
    return context


@contextmanager
def _one_thread() -> Iterator[None]:
    """Let processes that are started meanwhile compute in one thread each; there is one of them a core."""
    with _STARTING:
        before = {name: os.environ.get(name) for name in THREADS}
        os.environ.update(dict.fromkeys(THREADS, "1"))
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value


def _work(pipe: Connection, memory: int | None) -> None:
    """Do what comes through the pipe, until its other end is closed."""
    _begin(memory)
    while True:
        try:
            fn, args, kwargs = pipe.recv()
        except EOFError:
            return
        except Exception as error:  # a task that cannot be unpickled here
            pipe.send((None, error))
            continue
        try:
            answer: tuple[Any, Exception | None] = fn(*args, **kwargs), None
        except Exception as error:
            answer = None, error
        try:
            pipe.send(answer)
        except (pickle.PicklingError, TypeError, AttributeError, MemoryError) as error:
            pipe.send((None, RuntimeError(f"{type(error).__name__}: {error}")))


@contextmanager
def _sigint_blocked() -> Iterator[None]:
    """Let processes that are started meanwhile inherit a blocked Ctrl-C.

    `_begin` would come too late for one that is still importing; ours is only put off.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    from multiprocessing import resource_tracker

    resource_tracker.ensure_running()  # or the first start would, and unblock it again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin(memory: int | None) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if memory is not None:
        _limit_memory(memory)


def _limit_memory(size: int) -> None:
    try:
        import resource
    except ImportError:  # Windows has none
        return
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    least = size if most == resource.RLIM_INFINITY else min(size, most)
    with suppress(ValueError, OSError):  # macOS refuses
        resource.setrlimit(resource.RLIMIT_AS, (least, most))


def _end_with_parent() -> None:
    """Leave when the parent dies, however: a worker in the middle of a task would go on for nobody."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def get_ready(arguments: Sequence[str]) -> None:
    """Prepare for `mgtag scan` while it still reads its arguments, which may be files to hear."""
    for name in THREADS:  # this process only divides the work, and threads for BLAS take 25 ms to start
        os.environ.setdefault(name, "1")
    # A folder may hold nothing that was not heard before; an index and settings are files, too.
    if any(Path(name).suffix.lower() in SUFFIXES and Path(name).is_file() for name in arguments):
        warm_up()


def warm_up() -> None:
    """Begin to start what workers are forked from: it imports while this process does other things."""
    if sys.platform == "linux":
        from multiprocessing import forkserver

        _context()
        with _sigint_blocked(), _one_thread():
            forkserver.ensure_running()


def executor(jobs: int, device: str) -> Executor:
    """Return where a scan computes: processes for the CPU, threads that share the one GPU."""
    return ThreadPoolExecutor(jobs) if device == "cuda" else Workers(jobs, HEARING_S, MEMORY)
