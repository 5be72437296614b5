"""Listen on other machines: an executor whose workers are those of a Dask cluster.

A file that a worker sees under the same path, as on shared storage, is read there; of any other the bytes
are sent along. Workers only listen: tags and index are written by the caller.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from functools import cache
from pathlib import Path
from threading import BoundedSemaphore
from typing import Any

from mgtag import bundle
from mgtag.errors import BundleError, MgtagError, UsageError
from mgtag.extras import not_installed
from mgtag.inference import Tagger
from mgtag.workers import WorkerDied

RETRIES = 3  # workers that may be lost over one file
AHEAD = 64  # files under way on the cluster
SENT_AT_ONCE = 4  # files whose bytes are under way
CONNECT_S = 10.0

Listen = Callable[..., Any]  # of a tagger, a path, and whatever else


class Cluster(Executor):
    """An executor for `mgtag.library.scan` on a Dask cluster.

    Parameters
    ----------
    address : str
        Of the scheduler, such as ``tcp://192.168.1.2:8786``.

    Raises
    ------
    UsageError
        If ``distributed`` is not installed, or nobody answers at the address.
    """

    def __init__(self, address: str) -> None:
        try:
            from distributed import Client
        except ImportError as error:
            raise not_installed("A cluster", "distributed", "cluster") from error
        try:
            self._client = Client(address, timeout=CONNECT_S)
        except (OSError, ValueError) as error:  # a TimeoutError is an OSError
            raise UsageError(f"{address}: no Dask scheduler answers there ({error}).") from error
        self._there = self._client.get_executor(retries=RETRIES, pure=False)
        self._threads = ThreadPoolExecutor(AHEAD, thread_name_prefix="mgtag-cluster")
        self._sending = BoundedSemaphore(SENT_AT_ONCE)

    def submit(self, fn: Listen, /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Call ``fn(tagger, path, ...)`` on a worker; lost workers cost a retry."""
        return self._threads.submit(self._listened, fn, *args, **kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Leave the cluster; see `concurrent.futures.Executor.shutdown`."""
        self._threads.shutdown(wait, cancel_futures=cancel_futures)
        self._client.close()

    def _listened(self, fn: Listen, tagger: Tagger, path: Path, *args: Any) -> Any:
        from distributed import KilledWorker

        model = tagger.bundle
        order = (fn, model.card.name, model.folder, model.id, path, *args)
        try:
            try:
                return self._there.submit(_listen, *order).result()
            except FileNotFoundError:
                with self._sending:
                    return self._there.submit(_listen_to, path.read_bytes(), *order).result()
        except KilledWorker as error:
            raise WorkerDied(f"{path}: {RETRIES} workers were lost over it") from error


def _listen(fn: Listen, name: str, folder: Path, id_: str, path: Path, *args: Any) -> Any:
    """Listen on a worker, which has the model itself."""
    return fn(_tagger(name, folder, id_), path, *args)


def _listen_to(data: bytes, fn: Listen, name: str, folder: Path, id_: str, path: Path, *args: Any) -> Any:
    """Listen on a worker to a file that only the caller sees."""
    with tempfile.TemporaryDirectory() as there:
        copy = Path(there, f"song{path.suffix}")
        copy.write_bytes(data)
        try:
            return _listen(fn, name, folder, id_, copy, *args)
        except MgtagError as error:
            raise type(error)(str(error).replace(str(copy), str(path))) from error


@cache
def _tagger(name: str, folder: Path, id_: str) -> Tagger:
    for place in (str(folder), name):
        try:
            model = bundle.find(place)
        except BundleError:
            continue
        if model.id == id_:
            return Tagger(model, "cpu")
    raise BundleError(f"{id_}: this model is not installed on a worker of the cluster.")
