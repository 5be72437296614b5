"""Downloads, against a server on the loopback that can do what bad servers do."""

from __future__ import annotations

import hashlib
import io
import socket
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

pytest.importorskip("torch")

from mgtag_train.data import download
from mgtag_train.data.sources import FOLDER, GTZAN, SOURCES, Archive

from mgtag.errors import UsageError

BODY = bytes(range(256)) * 40_000  # 10 MB, several chunks


class Server(ThreadingHTTPServer):
    """What it serves, how, and what it was asked for."""

    body = BODY
    ranges = True
    breaks_off = 0  # how many answers stop half-way
    status = 200

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[str] = []

    @property
    def archive(self) -> Archive:
        url = f"http://127.0.0.1:{self.server_port}/x.tar.gz"
        return Archive((url,), "x", "sha256:" + hashlib.sha256(self.body).hexdigest(), len(self.body))


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        wanted, body = self.headers.get("Range", ""), self.server.body
        self.server.asked.append(wanted)
        start = int(wanted[6:-1]) if wanted and self.server.ranges else 0
        status = 206 if start else self.server.status
        if start >= len(body):
            status, body = 416, b""
        self.send_response(status)
        self.send_header("Content-Length", str(len(body[start:])))
        if status in (206, 416):
            told = f"{start}-{len(body) - 1}" if status == 206 else "*"
            self.send_header("Content-Range", f"bytes {told}/{len(self.server.body)}")
        self.end_headers()
        body = body[start:]
        if self.server.breaks_off:
            self.server.breaks_off -= 1
            body = body[: len(body) // 2]
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with Server() as one:
        threading.Thread(target=one.serve_forever, args=(0.01,), daemon=True).start()
        yield one
        one.shutdown()


def test_a_whole_file_comes_and_is_told_of(server: Server, tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    path = download.download(server.archive, tmp_path, lambda *row: told.append(row))
    assert path == tmp_path / "x.tar.gz" and path.read_bytes() == BODY
    assert told[0] == ("x.tar.gz", 0, len(BODY)) and told[-1] == ("x.tar.gz", len(BODY), len(BODY))
    assert [file.name for file in tmp_path.iterdir()] == ["x.tar.gz"]


def test_it_goes_on_where_it_was_left(server: Server, tmp_path: Path) -> None:
    (tmp_path / "x.tar.gz.part").write_bytes(BODY[:1_000_003])
    assert download.download(server.archive, tmp_path).read_bytes() == BODY
    assert server.asked == ["bytes=1000003-"]


def test_a_broken_connection_is_taken_up_again(server: Server, tmp_path: Path) -> None:
    server.breaks_off = 2
    assert download.download(server.archive, tmp_path).read_bytes() == BODY
    assert server.asked == ["", "bytes=5120000-", "bytes=7680000-"]


def test_a_part_that_is_whole_is_taken(server: Server, tmp_path: Path) -> None:
    (tmp_path / "x.tar.gz.part").write_bytes(BODY)
    assert download.download(server.archive, tmp_path).read_bytes() == BODY


def test_a_server_without_ranges_begins_anew(server: Server, tmp_path: Path) -> None:
    server.ranges = False
    (tmp_path / "x.tar.gz.part").write_bytes(BODY[:1000])
    assert download.download(server.archive, tmp_path).read_bytes() == BODY


def test_a_wrong_checksum_keeps_nothing(server: Server, tmp_path: Path) -> None:
    wrong = replace(server.archive, checksum="sha1:" + "0" * 40)
    with pytest.raises(UsageError, match=r"checksum is wrong.*put it at .*x\.tar\.gz, or .*--audio"):
        download.download(wrong, tmp_path)
    assert not list(tmp_path.iterdir())


def test_the_second_address_helps_where_the_first_fails(server: Server, tmp_path: Path) -> None:
    archive = server.archive
    archive = replace(archive, urls=(f"http://127.0.0.1:{closed_port()}/x.tar.gz", *archive.urls))
    assert download.download(archive, tmp_path).read_bytes() == BODY


def test_offline_is_a_sentence_and_keeps_what_came(tmp_path: Path) -> None:
    archive = Archive((f"http://127.0.0.1:{closed_port()}/x.tar.gz",), "x", "sha1:0")
    (tmp_path / "x.tar.gz.part").write_bytes(b"begun")
    with pytest.raises(UsageError, match=r"x\.tar\.gz could not be downloaded .*no connection.*put it at"):
        download.download(archive, tmp_path)
    assert (tmp_path / "x.tar.gz.part").read_bytes() == b"begun"


def test_a_missing_page_is_a_sentence(server: Server, tmp_path: Path) -> None:
    server.status = 404
    with pytest.raises(UsageError, match="the server says 404"):
        download.download(server.archive, tmp_path)


def test_a_file_that_rotted_is_downloaded_again(server: Server, tmp_path: Path) -> None:
    (tmp_path / "x.tar.gz").write_bytes(BODY[:-1] + b"?")
    assert download.download(server.archive, tmp_path).read_bytes() == BODY
    download.download(server.archive, tmp_path)
    assert len(server.asked) == 1  # a sound one is not


def test_where_no_checksum_was_published_the_first_download_is_remembered(
    server: Server, tmp_path: Path
) -> None:
    archive = replace(server.archive, checksum=None)
    path = download.download(archive, tmp_path)
    path.write_bytes(b"rotten")
    assert download.download(archive, tmp_path).read_bytes() == BODY
    assert len(server.asked) == 2


def test_no_room_is_said_before(server: Server, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="GiB left"):
        download.download(replace(server.archive, size=2**60), tmp_path)
    assert not server.asked


def test_a_data_set_is_fetched_once(server: Server, tmp_path: Path) -> None:
    server.body = rolled("genres/blues/blues.00000.wav")
    source = replace(GTZAN, archives=(replace(server.archive, folder="genres"),))
    root = download.fetch(source, tmp_path / "into")
    assert (root / "genres/blues/blues.00000.wav").read_bytes() == b"sound"
    (root / "x.tar.gz").unlink()  # to save room
    download.fetch(source, root)
    assert len(server.asked) == 1


def test_an_archive_without_a_folder_gets_one(server: Server, tmp_path: Path) -> None:
    server.body = zipped("Artist-Song.mp3")
    source = replace(GTZAN, archives=(replace(server.archive, folder="jazz", flat=True),))
    assert (download.fetch(source, tmp_path) / "jazz" / "Artist-Song.mp3").is_file()


def test_what_cannot_be_fetched_says_so(server: Server, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nothing to download"):
        download.fetch(FOLDER, tmp_path)
    server.body = rolled("other/x")
    with pytest.raises(UsageError, match="no folder 'x'"):
        download.fetch(replace(GTZAN, archives=(server.archive,)), tmp_path)


@pytest.mark.parametrize("name", ["../out", "/out", "a/../../out", "..\\out", "C:out"])
def test_no_zip_writes_outside_of_its_folder(name: str, tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_bytes(zipped(name))
    with pytest.raises(UsageError, match="outside"):
        download.unpack(tmp_path / "x.zip", tmp_path / "deep" / "into")
    assert not list((tmp_path / "deep" / "into").iterdir())


@pytest.mark.parametrize("name", ["../out", "a/../../out"])
def test_no_tar_writes_outside_of_its_folder(name: str, tmp_path: Path) -> None:
    (tmp_path / "x.tar.gz").write_bytes(rolled(name))
    with pytest.raises(UsageError, match="outside"):
        download.unpack(tmp_path / "x.tar.gz", tmp_path / "into")
    assert not (tmp_path / "out").exists()


def test_what_is_no_archive_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "x.tar.gz").write_bytes(b"<html>sorry</html>")
    with pytest.raises(UsageError, match="cannot be unpacked"):
        download.unpack(tmp_path / "x.tar.gz", tmp_path / "into")


def test_every_published_checksum_has_the_length_of_its_algorithm() -> None:
    for archive in (archive for source in SOURCES.values() for archive in source.archives):
        if archive.checksum:
            algorithm, _, told = archive.checksum.partition(":")
            assert len(bytes.fromhex(told)) == hashlib.new(algorithm).digest_size


def closed_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def rolled(name: str) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        member = tarfile.TarInfo(name)
        member.size = 5
        tar.addfile(member, io.BytesIO(b"sound"))
    return out.getvalue()


def zipped(name: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        packed.writestr(name, b"sound")
    return out.getvalue()
