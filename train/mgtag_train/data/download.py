"""Downloads on request: resumed where they broke off, checked, and unpacked into their folder only.

A file comes to be under its own name only once its checksum is right; until then it is a ``.part``.
The standard library does it all: one address at a time, a Range header, and a hash.
"""

from __future__ import annotations

import hashlib
import http.client
import shutil
import tarfile
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable
from email.message import Message
from pathlib import Path, PurePosixPath

from mgtag.errors import UsageError
from mgtag_train.data.sources import GIB, Archive, Source

Progress = Callable[[str, int, int], None]  # file, bytes done, bytes in all (0: unknown)

CHUNK = 2**20  # bytes
TIMEOUT_S = 30.0
FRUITLESS = 3  # attempts at an address that bring nothing new, before it is given up


def fetch(source: Source, into: Path, progress: Progress = lambda what, done, of: None) -> Path:
    """Download and unpack a data set; what is there already is left as it is.

    Parameters
    ----------
    into : Path
        Made if need be.
    progress : callable
        Told the file's name, its bytes so far, and of how many.

    Returns
    -------
    Path
        `into`, where `mgtag_train.data.reading.read_tracks` finds the music.

    Raises
    ------
    UsageError
        If there is nothing to download, no connection, no room, or a checksum is wrong.
    """
    if not source.archives:
        raise UsageError(f"There is nothing to download for {source.name}: give the music with --audio DIR.")
    into.mkdir(parents=True, exist_ok=True)
    for archive in source.archives:
        done = into / f"{archive.name}.unpacked"
        if not (done.is_file() and (into / archive.folder).is_dir()):
            path = download(archive, into, progress)
            unpack(path, into / archive.folder if archive.flat else into)
            if not (into / archive.folder).is_dir():
                raise UsageError(f"{path}: there is no folder {archive.folder!r} in this archive.")
            done.touch()
    return into


def download(archive: Archive, into: Path, progress: Progress = lambda what, done, of: None) -> Path:
    """Download a file, or check the one that is there; a rotten one is downloaded again.

    Raises
    ------
    UsageError
        As `fetch`. What came so far stays, as ``.part``, unless its checksum is wrong.
    """
    target = into / archive.name
    first_seen = into / f"{archive.name}.sha256"  # what stands in for a checksum that nobody published
    expected = archive.checksum or (first_seen.read_text().strip() if first_seen.is_file() else None)
    if target.is_file() and (expected is None or digest(target, expected) == expected):
        return target
    part = into / f"{archive.name}.part"
    _check_room(archive, part, into)
    problems = []
    for url in archive.urls:
        problem = _transfer(url, part, archive, progress)
        if problem is None and archive.checksum and digest(part, archive.checksum) != archive.checksum:
            part.unlink()
            problem = "its checksum is wrong, so it was thrown away"
        if problem is None:
            if not archive.checksum:
                first_seen.write_text(digest(part, "sha256:") + "\n")
            return part.replace(target)
        problems.append(f"{url}: {problem}")
    raise UsageError(
        f"{archive.name} could not be downloaded ({'; '.join(problems)}). "
        f"Try again later, or get it elsewhere and put it at {target}, or give the music with --audio DIR."
    )


def digest(path: Path, like: str) -> str:
    """Return a file's checksum, of the algorithm of another: ``"sha1:…"``."""
    algorithm = like.split(":")[0]
    with path.open("rb") as file:
        return f"{algorithm}:{hashlib.file_digest(file, algorithm).hexdigest()}"


def unpack(path: Path, into: Path) -> None:
    """Unpack a tar or zip archive, which may not write outside of `into`.

    Raises
    ------
    UsageError
        If it would, or is neither, or is damaged.
    """
    into.mkdir(parents=True, exist_ok=True)
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as packed:
                for name in packed.namelist():
                    _refuse_to_leave(name, path)
                packed.extractall(into)
        else:
            with tarfile.open(path) as rolled:
                rolled.extractall(into, filter="data")
    except tarfile.FilterError as error:
        raise UsageError(
            f"{path}: the archive wants to write outside of its folder ({error}); don't use it."
        ) from error
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, NotImplementedError) as error:
        raise UsageError(
            f"{path}: the archive cannot be unpacked ({error}); delete it and download it again."
        ) from error


def _refuse_to_leave(name: str, path: Path) -> None:
    parts = PurePosixPath(name.replace("\\", "/")).parts
    if ".." in parts or name[:1] in ("/", "\\") or ":" in name[:2]:
        raise UsageError(f"{path}: the archive wants to write outside of its folder ({name}); don't use it.")


def _check_room(archive: Archive, part: Path, into: Path) -> None:
    wanted = (archive.size or 0) - (part.stat().st_size if part.is_file() else 0)
    free = shutil.disk_usage(into).free
    if wanted > free:
        raise UsageError(
            f"{archive.name} needs {wanted / GIB:.1f} GiB and {into} has {free / GIB:.1f} GiB left, "
            "before it is unpacked; name a roomier place."
        )


def _transfer(url: str, part: Path, archive: Archive, progress: Progress) -> str | None:
    """Download the rest of a part; return what went wrong, if anything did."""
    fruitless, problem = 0, "nothing came"
    while fruitless < FRUITLESS:
        before = _size(part)
        try:
            if _append_rest(url, part, archive, progress):
                return None
            problem = "the connection broke off"
        except urllib.error.HTTPError as error:
            if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and before:
                if _range(error.headers)[1] == before:
                    return None  # it was all there
                part.unlink()
            elif error.code < http.HTTPStatus.INTERNAL_SERVER_ERROR:
                return f"the server says {error.code} {error.reason}"
            problem = f"the server says {error.code} {error.reason}"
        except urllib.error.URLError as error:
            return f"no connection, {error.reason}"
        except (http.client.HTTPException, ConnectionError, TimeoutError) as error:
            problem = f"the connection broke off, {error or type(error).__name__}"
        fruitless = 0 if _size(part) > before else fruitless + 1
    return problem


def _append_rest(url: str, part: Path, archive: Archive, progress: Progress) -> bool:
    """Request what is missing and append it; return whether the file is whole."""
    have = _size(part)
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
        # A server without ranges, or with the wrong one, sends everything: begin anew.
        resumed = answer.status == http.HTTPStatus.PARTIAL_CONTENT and _range(answer.headers)[0] == have
        if answer.status == http.HTTPStatus.PARTIAL_CONTENT and not resumed:
            part.unlink()
            return False
        have = have if resumed else 0
        length = answer.headers.get("Content-Length")
        total = have + int(length) if length else 0
        with part.open("ab" if resumed else "wb") as file:
            progress(archive.name, have, total or archive.size or 0)
            while chunk := answer.read(CHUNK):
                file.write(chunk)
                have += len(chunk)
                progress(archive.name, have, total or archive.size or 0)
    return not total or have >= total


def _range(headers: Message) -> tuple[int, int]:
    """First byte and length of the whole, of ``"bytes 5-9/10"`` or ``"bytes */10"``; -1 where missing."""
    sent, _, whole = headers.get("Content-Range", "").removeprefix("bytes ").partition("/")
    first = sent.partition("-")[0]
    return int(first) if first.isdigit() else -1, int(whole) if whole.isdigit() else -1


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0
