"""A scan on a Dask cluster: a real scheduler and two workers, one of which is killed in the middle."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from sounds import Song

from mgtag import tags
from mgtag.bundle import Bundle
from mgtag.cluster import Cluster
from mgtag.errors import AudioError, BundleError, UsageError
from mgtag.inference import Tagger, listen
from mgtag.library.events import Failed, Tagged
from mgtag.library.index import Index
from mgtag.library.policy import Policy
from mgtag.library.scan import scan

distributed = pytest.importorskip("distributed", reason="distributed is not installed")


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("dask")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, local_directory=str(folder)
    ) as there:
        yield there.scheduler_address


def test_a_killed_worker_costs_a_retry(
    scheduler: str, tmp_path: Path, song: Song, tiny: Bundle, index: Index
) -> None:
    music = tmp_path / "music"
    for n in range(24):
        song(music / f"{n:02}.flac", 4.0, sound="hum")
    with Cluster(scheduler) as pool:
        pids = pool._client.run(os.getpid)
        assert len(pids) == 2
        events = scan([music], Tagger(tiny, "cpu"), index, Policy(), pool)
        found = [next(events), next(events), next(events)][1:]
        os.kill(next(iter(pids.values())), signal.SIGKILL)
        found += events
    assert sorted(event.path.name for event in found) == [f"{n:02}.flac" for n in range(24)]
    assert {type(event) for event in found} == {Tagged}
    assert {tags.read(path).genres for path in music.iterdir()} == {("Blues",)}


def test_bytes_are_sent_where_a_worker_sees_no_file(
    scheduler: str,
    tmp_path: Path,
    song: Song,
    tiny: Bundle,
    index: Index,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    song(tmp_path / "a.flac", 4.0, sound="sine")
    (tmp_path / "b.flac").write_bytes(b"no music")
    monkeypatch.chdir(tmp_path)  # the workers' own folder is another
    here = Path("/proc/self/cwd")
    if not (here / "a.flac").exists():
        pytest.skip("no /proc here")
    with Cluster(scheduler) as pool:
        alone = listen(Tagger(tiny, "cpu"), here / "a.flac")
        sent = pool.submit(listen, Tagger(tiny, "cpu"), here / "a.flac", "auto").result()
        assert sent.fingerprint == alone.fingerprint
        assert (sent.prediction.starts_s == alone.prediction.starts_s).all()
        with pytest.raises(AudioError, match=r"^/proc/self/cwd/b\.flac: "):
            pool.submit(listen, Tagger(tiny, "cpu"), here / "b.flac").result()
        with pytest.raises(FileNotFoundError):
            pool.submit(listen, Tagger(tiny, "cpu"), here / "gone.flac").result()


def test_a_worker_without_the_model_says_so(
    scheduler: str, tmp_path: Path, song: Song, tiny: Bundle, index: Index
) -> None:
    song(tmp_path / "a.flac", 1.0)
    tagger = Tagger(tiny, "cpu")
    object.__setattr__(tagger, "bundle", Bundle(tmp_path / "elsewhere", tiny.card, tiny.id))
    with Cluster(scheduler) as pool:
        with pytest.raises(BundleError, match="not installed on a worker"):
            pool.submit(listen, tagger, tmp_path / "a.flac").result()
        _, event = scan([tmp_path], tagger, index, Policy(), pool)
    assert isinstance(event, Failed)


def test_no_scheduler_is_a_mistake_in_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mgtag.cluster.CONNECT_S", 0.5)
    for address in ("tcp://127.0.0.1:9", "nonsense"):
        with pytest.raises(UsageError, match="no Dask scheduler"):
            Cluster(address)
