"""Watch folders, and hand on the music that arrives in them once nobody writes to it any more."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path
from threading import Event as Flag

from mgtag.errors import InUseError, MgtagError, UsageError
from mgtag.library.events import Event, Found
from mgtag.library.walk import find_audio, is_music

STILL_S = 10.0  # seconds without a change after which a file is no longer being copied
TICK_S = 1.0
POLL_S = 10.0  # between two looks at a network drive, which sends no notifications

Stamp = tuple[int, int]  # size and time of change
Scan = Callable[[Sequence[Path]], Generator[Event, None, None]]


def watch(
    roots: Iterable[Path], scan: Scan, stop: Flag, still_s: float = STILL_S, poll: bool = False
) -> Iterator[Event]:
    """Scan folders, then whatever arrives in them, until `stop` is set.

    Parameters
    ----------
    roots : iterable of Path
        Folders. One that disappears is waited for, and scanned when it is back.
    scan : callable
        Paths to events, as `mgtag.library.scan.scan`; where it raises `InUseError`, the paths are
        tried again.
    stop : threading.Event
        Ends the watch between two files.
    still_s : float
        Seconds that size and time of a file must stay the same.
    poll : bool
        Look again and again instead of being told by the system.

    Raises
    ------
    UsageError
        If a root is no folder.
    """
    folders = [Path(os.path.abspath(root)) for root in roots]
    for folder in folders:
        if not folder.is_dir():
            raise UsageError(f"{folder}: there is no such folder to watch.")
    arrivals = _Arrivals(still_s)
    while not stop.is_set():
        here = {folder: _identity(folder) for folder in folders if folder.is_dir()}
        if not here:
            stop.wait(TICK_S)
            continue
        for changed in _changes(list(here), stop, poll):
            if changed is None:  # the watch has just begun: what came before it counts too
                arrivals.note(here)
            else:
                arrivals.note(changed)
            if ready := arrivals.still():
                try:
                    yield from _until(stop, scan(ready))
                    arrivals.settle(ready)
                except (InUseError, UsageError):  # another mgtag is at work, or a file went: next time, then
                    pass
            if here != {folder: _identity(folder) for folder in folders if folder.is_dir()}:
                break  # a folder went, came back, or another drive was mounted there: watch anew


def _until(stop: Flag, events: Generator[Event, None, None]) -> Iterator[Event]:
    with closing(events):
        for event in events:
            if not isinstance(event, Found):
                yield event
            if stop.is_set():
                return


def _changes(folders: list[Path], stop: Flag, poll: bool) -> Iterator[list[Path] | None]:
    """Yield None when the watch has begun, then what changed since, at least once a tick."""
    import watchfiles
    from watchfiles._rust_notify import WatchfilesRustInternalError

    began = False
    try:
        for found in watchfiles.watch(
            *folders,
            watch_filter=None,
            rust_timeout=int(TICK_S * 1000),
            yield_on_timeout=True,
            stop_event=stop,
            force_polling=poll,
            poll_delay_ms=int(POLL_S * 1000),
            ignore_permission_denied=True,
        ):
            if not began:
                began = True
                yield None
            yield [Path(name) for _, name in found]
    except FileNotFoundError:  # a folder went in this very moment
        return
    except (OSError, WatchfilesRustInternalError) as error:
        if "decode path" in str(error):  # a name that is no text: watch anew, and look at everything
            return
        raise MgtagError(
            f"The system cannot watch these folders ({error}); if they are too many, raise "
            "fs.inotify.max_user_watches, or use --poll."
        ) from error


class _Arrivals:
    """Files that may have changed, until they are still; those that were scanned as they are, never."""

    def __init__(self, still_s: float) -> None:
        self._still_s = still_s
        self._moving: dict[Path, tuple[Stamp, float]] = {}  # as it was last, and since when
        self._settled: dict[Path, Stamp] = {}

    def note(self, paths: Iterable[Path]) -> None:
        """Take in what changed: files, or folders with all that is in them."""
        for path in paths:
            for track in _tracks(path):
                stamp = _stamp(track)
                if stamp is not None and self._settled.get(track) != stamp and track not in self._moving:
                    age_s = max(0.0, time.time() - stamp[1] / 1e9)  # one from the future is as of now
                    self._moving[track] = stamp, time.monotonic() - age_s

    def still(self) -> list[Path]:
        """Return the files that did not change for long enough, once each."""
        ready, now = [], time.monotonic()
        for path, (was, since) in list(self._moving.items()):
            stamp = _stamp(path)
            if stamp is None:
                del self._moving[path]
            elif stamp != was:
                self._moving[path] = stamp, now
            elif now - since >= self._still_s:
                ready.append(path)
        return sorted(ready)

    def settle(self, paths: Iterable[Path]) -> None:
        """Note that these were scanned, as they now are."""
        for path in paths:
            self._moving.pop(path, None)
            stamp = _stamp(path)
            if stamp is not None:
                self._settled[path] = stamp


def _tracks(path: Path) -> Iterable[Path]:
    if path.is_dir():
        return find_audio([path]).tracks
    return [path] if is_music(path.name) and not path.name.startswith(".") else []


def _stamp(path: Path) -> Stamp | None:
    with suppress(OSError):
        status = path.stat()
        return status.st_size, status.st_mtime_ns
    return None


def _identity(folder: Path) -> tuple[int, int] | None:
    with suppress(OSError):
        status = folder.stat()
        return status.st_dev, status.st_ino
    return None
