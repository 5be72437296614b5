"""The index in a real Datasette: readable columns, search, and what `metadata.json` promises."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from known import known

from mgtag.library.index import Index
from mgtag.library.outcome import Outcome
from mgtag.library.records import Change

datasette = pytest.importorskip("datasette.app")

METADATA = Path(__file__).parents[2] / "contrib" / "datasette" / "metadata.json"
Get = Callable[[str], Any]


@pytest.fixture
def get(tmp_path: Path) -> Get:
    """``get("/index/tracks.json")``: what Datasette answers."""
    path = tmp_path / "index.db"
    with Index(path) as store:
        run = store.begin_run("scan /m", "tiny@0")
        sinnerman = known(
            "/m/Nina/\udcff.mp3", "Jazz", 0.75, ("Jazz", "Live"), artist="Nina Simone", album="Pastel Blues",
            title="Sinnerman", year=1965, duration_s=622.4, run=run,
        )  # fmt: skip
        store.record(sinnerman)
        store.record(known("/m/b.mp3", "Blues", 0.4, outcome=Outcome.UNSURE, artist="Björk", run=run))
        store.record(known("/m/c.mp3", "Blues", 0.9, ("Jazz",), artist="Motörhead", title="Ace of Spades"))
        store.record(known("/m/gone.mp3", "Blues", artist="Nina Hagen", gone=True))
        after = {"genre": ("Jazz", "Live")}
        change = Change(0, run, sinnerman.path, "s", "pending", {"genre": ()}, after, "a", "b", 1, b"")
        store.end_change(store.begin_change(change), "done")
        store.end_run(run, {"tagged": 1, "unsure": 1})
    served = datasette.Datasette([path], metadata=json.loads(METADATA.read_text(encoding="utf-8")))

    def call(address: str) -> Any:
        answer = asyncio.run(served.client.get(address))
        assert answer.status_code == 200, answer.text
        return answer.json() if ".json" in address else answer.text

    return call


def rows(get: Get, address: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = get(f"{address}{'&' if '?' in address else '?'}_shape=array")
    return found


def test_tracks_are_readable(get: Get) -> None:
    found = {row["title"]: row for row in rows(get, "/index/tracks.json")}
    assert len(found) == 3  # those that are gone are not there
    row = found["Sinnerman"]
    assert {name: row[name] for name in ("artist", "album", "year", "genres", "heard", "confidence")} == {
        "artist": "Nina Simone",
        "album": "Pastel Blues",
        "year": 1965,
        "genres": "Jazz; Live",
        "heard": "Jazz",
        "confidence": 0.75,
    }
    assert (row["length"], row["path"], row["outcome"]) == ("10:22", "/m/Nina/\\udcff.mp3", "tagged")
    assert not any(isinstance(value, dict) for value in row.values())  # as a BLOB would come


@pytest.mark.parametrize(
    ("words", "titles"),
    [
        ("simone", ["Sinnerman"]),
        ("nina pastel", ["Sinnerman"]),
        ("motorhead", ["Ace of Spades"]),  # without its dots
        ('"ace of"', ["Ace of Spades"]),
        ("nobody", []),
    ],
)
def test_full_text_search_finds(get: Get, words: str, titles: list[str]) -> None:
    assert [row["title"] for row in rows(get, f"/index/tracks.json?_search={words}")] == titles


def test_the_search_follows_what_is_recorded(tmp_path: Path) -> None:
    with Index(tmp_path / "index.db") as store:
        store.record(known("/m/a.mp3", artist="Nina"))
        store.record(known("/m/a.mp3", artist="Björk"))
        store.move(Path("/m/a.mp3"), Path("/n/b.mp3"))
        for word, count in (("nina", 0), ("bjork", 1), ("m", 0), ("n", 1)):
            query = "SELECT count(*) FROM search WHERE search MATCH ?"
            assert store._db.execute(query, (word,)).fetchone()[0] == count, word


def test_genres_runs_and_changes(get: Get) -> None:
    assert rows(get, "/index/by_genre.json")[0] | {"hours": 0} == {
        "genre": "Jazz", "tracks": 2, "artists": 2, "written_by_mgtag": 2, "heard_so": 1, "hours": 0,
    }  # fmt: skip
    (run,) = rows(get, "/index/runs.json")
    assert (run["what"], run["changed"], json.loads(run["counts"])) == (
        "scan /m", 1, {"tagged": 1, "unsure": 1},
    )  # fmt: skip
    (change,) = rows(get, "/index/changes.json")
    assert (change["state"], change["genres_before"], change["genres_after"]) == ("done", None, "Jazz; Live")


def test_the_page_shows_what_the_metadata_says(get: Get) -> None:
    page = get("/index")
    for name in ("tracks", "by_genre", "runs", "changes", "unsure", "disagreements"):
        assert f"/index/{name}" in page
    assert 'name="_search"' in get("/index/tracks")
    assert "Minutes and seconds" in get("/index/tracks")
    assert [row["path"] for row in rows(get, "/index/unsure.json")] == ["/m/b.mp3"]
    assert [row["heard"] for row in rows(get, "/index/disagreements.json")] == ["Blues"]


def test_every_name_in_the_metadata_is_there() -> None:
    described = json.loads(METADATA.read_text(encoding="utf-8"))["databases"]["index"]["tables"]
    with Index() as store:
        store._db.row_factory = None
        for name, about in described.items():
            there = {row[1] for row in store._db.execute(f"PRAGMA table_info({name})")}
            assert there, name
            assert set(about.get("columns", {})) <= there
