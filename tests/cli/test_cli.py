"""The command line: exit codes, forms of output, and sentences instead of tracebacks."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest
from known import known
from running import MGTAG, Done, Run
from sounds import Song
from tagging import genres

import mgtag
from mgtag import inference
from mgtag.bundle import Bundle
from mgtag.card import Head
from mgtag.library import lookup, walk
from mgtag.library.index import Index, default_path
from mgtag.library.outcome import Outcome
from mgtag.library.records import Answer, Track

ODD = os.fsdecode(b"odd \xff\xfe\n\x1b[31m.flac")
ESCAPE = "\x1b"


@pytest.fixture
def music(tmp_path: Path, song: Song) -> Path:
    """Three songs: one to tag, one of the listener's, one that is none."""
    folder = tmp_path / "music"
    song(folder / "hum.flac", 1.5, sound="hum")
    song(folder / "mine.flac", 1.5, sound="sine")
    from mutagen.flac import FLAC

    file = FLAC(folder / "mine.flac")
    file["genre"] = "Krautrock"
    file.save()
    return folder


@pytest.fixture
def scan(run: Run, tiny: Bundle, music: Path) -> Run:
    return lambda *options: run("scan", music, "--model", tiny.folder, *options)


# Exit codes


def test_all_well_is_0(scan: Run, music: Path) -> None:
    done = scan()
    assert done.code == 0
    assert "1 tagged, 1 kept, 0 unsure, 0 fresh, 0 failed" in done.out
    assert "mgtag undo 1" in done.out
    assert genres(music / "hum.flac") == ("Blues",)


def test_some_failed_is_3(scan: Run, music: Path) -> None:
    (music / "bad.mp3").write_text("no music")
    done = scan()
    assert done.code == 3
    assert "bad.mp3" in done.err
    assert "1 tagged, 1 kept, 0 unsure, 0 fresh, 1 failed" in done.out
    assert scan().code == 3


@pytest.mark.parametrize("root", ["/", "~", "link", "~/.."])
def test_the_disk_or_the_home_folder_needs_yes(
    run: Run, tiny: Bundle, song: Song, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, root: str
) -> None:
    (tmp_path / "link").symlink_to(home)
    song(home / "Music" / "a.flac", 1.5, sound="hum")
    path = root.replace("~", str(home)).replace("link", str(tmp_path / "link"))
    monkeypatch.setattr("mgtag.library.scan.find_audio", lambda roots: walk.Library((), (), ()))
    done = run("scan", path, "--model", tiny.folder)
    assert done.code == 2
    assert "holds your whole home folder" in done.err
    assert "--yes" in done.err
    for option in ("--yes", "--dry-run", "--no-tags"):
        assert run("scan", path, option, "--model", tiny.folder).code == 0
    assert run("scan", home / "Music", "--model", tiny.folder).code == 0


def test_what_is_too_short_is_no_failure(scan: Run, run: Run, music: Path, song: Song) -> None:
    """Or every nightly scan of a library with a jingle in it would end with 3."""
    song(music / "jingle.flac", 0.5)
    for options in ([], ["--force"], []):
        done = scan(*options)
        assert done.code == 0
        assert "1 too short" in done.out
        assert "jingle" not in done.err
    (row,) = (row for row in scan("--json").rows if row["event"] == "too_short")
    assert Path(row["path"]).name == "jingle.flac"
    assert row["error"] is None
    assert "too short: 0.5 s" in row["reason"]
    assert "too short" in scan("-v").err
    assert names(run("list", "--json", "--event", "too_short")) == ["jingle.flac"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["scan"],
        ["scan", ""],
        ["scan", ".", ""],
        ["scan", ".", "--index="],
        ["scan", ".", "--index", ""],
        ["list", ""],
        ["show", ""],
        ["explain", ""],
        ["undo", ""],
        ["scan", "nowhere"],
        ["scan", ".", "--keep", "--append"],
        ["scan", ".", "--append", "--overwrite"],
        ["scan", ".", "--threshold", "1.5"],
        ["scan", ".", "--threshold", "x"],
        ["scan", ".", "--top", "0"],
        ["scan", ".", "--jobs", "0"],
        ["scan", ".", "--device", "tpu"],
        ["scan", ".", "--no-such-option"],
        ["list", "--json", "--csv"],
        ["list", "--sort", "colour"],
        ["list", "--min-confidence", "2"],
        ["show", "nowhere.mp3"],
        ["undo"],
        ["undo", "99"],
        ["undo", "first"],
        ["train", "--dataset", "gtzan"],
        ["no-such-command"],
    ],
    ids=" ".join,
)
def test_a_mistake_in_usage_is_2(
    run: Run, tiny: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    if arguments[0] == "scan" and "." not in arguments[2:]:
        arguments = [*arguments, "--model", str(tiny.folder)]
    done = run(*arguments)
    assert done.code == 2
    assert done.out == ""
    assert done.err.strip()
    assert "Traceback" not in done.err


def test_a_model_that_is_not_there_is_named(run: Run, music: Path) -> None:
    done = run("scan", music, "--model", "no-such-model")
    assert done.code == 2
    assert done.err.startswith("mgtag: There is no model called 'no-such-model'")
    assert done.err.count("\n") == 1


@pytest.mark.parametrize("command", ["scan", "list", "show", "undo"])
def test_an_index_that_is_none_is_1(
    run: Run, tiny: Bundle, music: Path, tmp_path: Path, command: str
) -> None:
    (tmp_path / "index.db").write_text("a letter to my bank, which is not to be lost\n" * 50)
    options = {"scan": [music, "--model", tiny.folder], "show": [music / "hum.flac"]}.get(command, [])
    done = run(command, *options, "--index", tmp_path / "index.db")
    assert done.code == 1
    assert done.err.startswith(f"mgtag: {tmp_path}/index.db: the index cannot be opened")
    assert (tmp_path / "index.db").read_text().startswith("a letter")
    assert genres(music / "hum.flac") == ()


def test_an_index_that_breaks_meanwhile_is_a_sentence(
    scan: Run, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sqlite3

    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(Index, "record", full)
    done = scan("--dry-run")
    assert done.code == 1
    assert "database or disk is full" in done.err
    assert "Traceback" not in done.err


def test_a_second_scan_at_once_is_told(scan: Run, music: Path, tmp_path: Path) -> None:
    import filelock

    with filelock.FileLock(f"{tmp_path}/index.db.lock"):
        done = scan("--index", tmp_path / "index.db")
    assert done.code == 1
    assert "Another mgtag is at work" in done.err
    assert genres(music / "hum.flac") == ()


def test_interrupted_is_130(scan: Run, monkeypatch: pytest.MonkeyPatch, music: Path) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(inference.Tagger, "predict", interrupt)
        done = scan()
    assert done.code == 130
    assert "Interrupted; every file is whole" in done.out
    assert scan().code == 0
    assert genres(music / "hum.flac") == ("Blues",)


@pytest.mark.parametrize(
    "where",
    [
        "mgtag.bundle.find",
        "mgtag.library.scan.find_audio",
        "mgtag.library.undo.recover",
        "mgtag.library.lookup.matching",
    ],
)
def test_interrupted_anywhere_is_130(
    scan: Run, run: Run, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(where, interrupt)
    command = {"mgtag.library.undo.recover": "undo", "mgtag.library.lookup.matching": "list"}.get(where)
    done = run(command) if command else scan()
    assert done.code == 130
    assert "Traceback" not in done.err
    assert "Aborted" not in done.err


# scan


def test_json_is_one_object_a_line(scan: Run, music: Path) -> None:
    (music / "bad.mp3").write_text("no music")
    done = scan("--json")
    rows = {Path(row["path"]).name: row for row in done.rows}
    assert {name: row["event"] for name, row in rows.items()} == {
        "hum.flac": "tagged",
        "mine.flac": "kept",
        "bad.mp3": "failed",
    }
    for row in rows.values():
        assert list(row) == "path event genres confidence probabilities reason error written".split()
        assert Path(row["path"]).is_absolute()
    hum, bad = rows["hum.flac"], rows["bad.mp3"]
    assert hum["genres"] == ["Blues"]
    assert hum["error"] is hum["reason"] is None
    assert rows["mine.flac"]["reason"] == "has Krautrock"
    assert hum["probabilities"].keys() == {"Blues", "Jazz", "Metal"}
    assert sum(hum["probabilities"].values()) == pytest.approx(1, abs=1e-3)
    assert hum["confidence"] == hum["probabilities"]["Blues"] == max(hum["probabilities"].values())
    assert rows["mine.flac"]["genres"] == ["Jazz"]
    assert (bad["genres"], bad["confidence"], bad["probabilities"]) == ([], None, {})
    assert "bad.mp3" in bad["error"]
    assert "1 tagged" in done.err  # the table goes where it spoils no JSON
    assert {row["event"] for row in scan("--json").rows} == {"fresh", "failed"}


def test_json_of_a_dry_run_tells_what_would_happen(scan: Run, music: Path) -> None:
    rows = scan("--json", "--dry-run").rows
    assert {Path(row["path"]).name: row["event"] for row in rows} == {
        "hum.flac": "tagged",
        "mine.flac": "kept",
    }
    assert genres(music / "hum.flac") == ()


def test_a_dry_run_offers_no_undo(scan: Run) -> None:
    done = scan("-n")
    assert "would be tagged" in done.out
    assert "mgtag undo" not in done.out


@pytest.mark.parametrize("options", [["-n"], ["--dry-run"], ["-vn"], ["--force", "-n"]])
def test_a_dry_run_says_how_to_go_on(scan: Run, music: Path, tiny: Bundle, options: list[str]) -> None:
    out = scan(*options).out
    verbose = " -v" if "-vn" in options else ""
    assert f"No file was changed. `mgtag scan {music} --model {tiny.folder}{verbose}` writes" in out


def test_the_next_command_is_called_as_this_one_was(music: Path, tiny: Bundle, tmp_path: Path) -> None:
    program = tmp_path / "my env" / "mgtag"
    program.parent.mkdir()
    program.write_text(
        f"#!{sys.executable}\nfrom mgtag.__main__ import main\nif __name__ == '__main__':\n    main()\n"
    )
    program.chmod(0o755)
    options = ["scan", "-n", str(music), "--model", str(tiny.folder), "-j", "1"]
    done = subprocess.run([program, *options], capture_output=True, text=True, check=True)
    assert f"`'{program}' scan {music} " in done.stdout
    done = subprocess.run(
        [sys.executable, "-m", "mgtag", *options], capture_output=True, text=True, check=True
    )
    assert f"`python -m mgtag scan {music} " in done.stdout


def test_a_dry_run_by_settings_offers_no_command_that_would_be_one(
    scan: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MGTAG_SCAN_DRY_RUN", "1")
    out = scan().out
    assert "No file was changed." in out and "writes" not in out


def test_the_end_says_why_and_what_next(scan: Run, music: Path, song: Song, tmp_path: Path) -> None:
    song(music / "nothing.flac", 1.5, sound="silence")
    song(music / "jingle.flac", 0.2)
    out = scan("--index", tmp_path / "my db").out
    assert "kept: 1 genre set by hand\n" in out
    assert "unsure: 1 silent\n" in out
    assert f"`mgtag undo 1 --index '{tmp_path}/my db'` takes it back." in out
    assert "`mgtag list --event unsure --index" in out and "Too short is" in out
    done = scan("--threshold", "99.99%", "--overwrite", "-n", "-v")
    assert "unsure: 1 below the threshold, 1 silent\n" in done.out
    assert re.search(r"unsure +Jazz 9\d\.?\d*% of (100|99\.99)%  .*mine.flac", done.err)
    assert re.search(r"unsure +silent  .*nothing.flac", done.err)


def test_quiet_tells_failures_only(scan: Run, music: Path) -> None:
    (music / "bad.mp3").write_text("no music")
    done = scan("-q")
    assert done.out == ""
    assert len(done.err.splitlines()) == 1
    assert "bad.mp3" in done.err


def test_verbose_tells_every_file(scan: Run) -> None:
    done = scan("-v")
    lines = done.err.splitlines()
    assert [line for line in lines if re.match(r"tagged +Blues \d+%  .*hum.flac$", line)]
    assert [line for line in lines if re.match(r"kept +Jazz \d+%; has Krautrock  .*mine.flac$", line)]


def test_the_options_reach_the_policy(scan: Run, music: Path) -> None:
    scan("--overwrite", "--threshold", "0")
    assert genres(music / "mine.flac") == ("Jazz",)
    scan("--threshold", "0.999", "--force")
    assert genres(music / "mine.flac") == ("Jazz",)


def test_no_tags_fills_the_index_only(scan: Run, run: Run, music: Path) -> None:
    before = (music / "hum.flac").read_bytes()
    assert scan("--no-tags").code == 0
    assert (music / "hum.flac").read_bytes() == before
    assert len(run("list", "--json").rows) == 2


# A pipe, a terminal


def test_a_pipe_gets_plain_text(scan: Run, run: Run, music: Path, tiny: Bundle) -> None:
    for done in (
        scan("-v"),
        run("list"),
        run("show", music / "hum.flac"),
        run("models", tiny.folder),
        run("undo", "--list"),
        run("undo"),
    ):
        assert done.code == 0
        assert ESCAPE not in done.out + done.err


def terminal(arguments: list[str], **environment: str) -> str:
    """Run mgtag where stdout and stderr are a terminal, and return what it shows."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [*MGTAG, *arguments],
        stdout=theirs,
        stderr=theirs,
        stdin=subprocess.DEVNULL,
        env=os.environ | {"TERM": "xterm-256color", "COLUMNS": "100"} | environment,
    ):
        os.close(theirs)
        shown = b""
        try:
            while part := os.read(ours, 65536):
                shown += part
        except OSError:  # the other end is closed
            pass
    os.close(ours)
    return shown.decode()


def test_a_terminal_gets_colours_unless_no_color(home: Path, tmp_path: Path) -> None:
    with Index(tmp_path / "index.db") as store:
        store.record(known("/m/a.mp3", "Jazz"))
    arguments = ["list", "--index", str(tmp_path / "index.db")]
    colour = re.compile(r"\x1b\[[0-9;]*3[0-9][0-9;]*m")
    assert colour.search(terminal(arguments))
    shown = terminal(arguments, NO_COLOR="1")
    assert "Jazz" in shown
    assert not colour.search(shown)


def test_a_closed_pipe_ends_quietly(tmp_path: Path) -> None:
    with Index(tmp_path / "index.db") as store, store._db:
        for n in range(3000):
            store._record(known(f"/music/a rather long name {n}.mp3", "Jazz"), None)
    command = " ".join(
        f"'{part}'" for part in [*MGTAG, "list", "--json", "--index", str(tmp_path / "index.db")]
    )
    done = subprocess.run(["bash", "-c", f"{command} | head -1"], capture_output=True, text=True, check=False)
    assert json.loads(done.stdout)["heard"] == "Jazz"
    assert done.stderr == ""


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_an_output_that_knows_few_characters_gets_what_it_knows(tmp_path: Path, encoding: str) -> None:
    """As where Windows pipes into a file."""
    with Index(tmp_path / "index.db") as store:
        store.record(known("/m/音楽 🎵.mp3", "Jazz", genres=("音楽",), duration_s=70.0))
    for form in ([], ["--json"], ["--csv"]):
        done = subprocess.run(
            [*MGTAG, "list", *form, "--index", str(tmp_path / "index.db")],
            capture_output=True,
            check=False,
            env=os.environ | {"PYTHONIOENCODING": encoding},
        )
        assert done.returncode == 0, done.stderr.decode()
        assert b"Jazz" in done.stdout
        if form == ["--json"]:
            assert json.loads(done.stdout.decode(encoding))["path"] == "/m/音楽 🎵.mp3"


# Names of any bytes


def test_an_odd_name_is_shown_in_every_form(run: Run, song: Song, tiny: Bundle, tmp_path: Path) -> None:
    path = song(tmp_path / ODD, 1.5, sound="hum")
    bad = tmp_path / os.fsdecode(b"bad \xff\n.mp3")
    bad.write_text("no music")
    scans = [
        run("scan", tmp_path, "--model", tiny.folder, "--force", *form)
        for form in (["-v"], ["--json"], ["-q"])
    ]
    assert [done.code for done in scans] == [3, 3, 3]
    assert ODD in [Path(row["path"]).name for row in scans[1].rows]
    shown = [*scans, run("list"), run("show", path), run("undo", "--list")]
    assert run("list", "--json", "-g", "blues").rows[0]["path"] == str(path)
    assert run("show", "--json", path).rows[0]["path"] == str(path)
    assert run("undo", "--json").rows[0]["path"] == str(path)
    for done in shown:
        assert "Traceback" not in done.err
        assert ESCAPE not in done.out + done.err
    assert "odd \N{REPLACEMENT CHARACTER}" in run("list").out
    for line in scans[0].err.splitlines():
        assert line.startswith(("tagged", "failed", "kept", "unsure", "fresh"))


def test_csv_keeps_the_bytes_of_a_name(run: Run, song: Song, tiny: Bundle, tmp_path: Path) -> None:
    song(tmp_path / "music" / ODD, 1.5, sound="hum")
    index = tmp_path / "index.db"
    run("scan", tmp_path / "music", "--model", tiny.folder, "--index", index)
    done = subprocess.run([*MGTAG, "list", "--csv", "--index", str(index)], capture_output=True, check=True)
    text = done.stdout.decode("utf-8", "surrogateescape")
    (row,) = csv.DictReader(io.StringIO(text, newline=""))
    assert ESCAPE not in text
    assert re.sub(r"\\u(....)", lambda m: chr(int(m[1], 16)), row["path"]) == str(tmp_path / "music" / ODD)
    assert (row["heard"], row["genres"]) == ("Blues", "Blues")


def test_tags_made_to_mislead_a_terminal_are_harmless(run: Run, song: Song, tmp_path: Path) -> None:
    from mutagen.flac import FLAC

    path = song(tmp_path / "a.flac", 1.5)
    file = FLAC(path)
    file["title"] = "\x1b]0;gotcha\x07\x1b[2J\r\n[bold]x[/bold]"
    file["genre"] = ["\x1b[31mRock", "[/]"]
    file["mgtag"] = json.dumps({"bundle": "\ud800", "confidence": 0.5, "genres": ["\udfff"]})
    file.save()
    done = run("show", path)
    assert done.code == 0
    assert ESCAPE not in done.out
    assert "[bold]x[/bold]" in done.out
    assert run("show", "--json", path).rows[0]["mgtag"]["genre"]["bundle"] == "\ud800"


def test_such_a_tag_stops_no_scan(scan: Run, music: Path) -> None:
    from mutagen.flac import FLAC

    file = FLAC(music / "hum.flac")
    file["genre"] = "Rock"
    file["mgtag"] = json.dumps({"bundle": "\ud800", "confidence": 1e999, "genres": ["\udfff"]})
    file.save()
    assert scan().code == 0
    assert genres(music / "hum.flac") == ("Rock",)


# show, list, undo, models


def test_show_tells_tags_and_index(scan: Run, run: Run, music: Path) -> None:
    before = run("show", music / "hum.flac")
    assert "not scanned yet" in before.out
    scan()
    done = run("show", music / "hum.flac")
    assert re.search(r"genre +Blues", done.out)
    assert "tiny-1@" in done.out
    (row,) = run("show", "--json", music / "hum.flac").rows
    assert (row["genres"], row["index"]["event"]) == (["Blues"], "tagged")
    assert row["mgtag"]["genre"]["added"] == ["Blues"]
    assert row["slices"]["genre"].keys() == {"blues", "jazz", "metal"}


def test_show_and_list_say_why_in_words(run: Run, song: Song, shipped: Bundle, tmp_path: Path) -> None:
    for name, seconds in (("noise", 4), ("silence", 4), ("music", 1)):
        song(tmp_path / "music" / f"{name}.flac", seconds, sound=name)
    (tmp_path / "music" / "bad.flac").write_bytes(b"")
    run("scan", tmp_path / "music", "--no-tags")
    shown = {p.stem: run("show", p).out for p in (tmp_path / "music").iterdir() if p.stem != "bad"}
    assert re.search(r"mgtag heard +genre not music, \d+% sure", shown["noise"])
    assert re.search(r"last scan +unsure: not music ", shown["noise"])
    assert re.search(r"last scan +unsure: silent ", shown["silence"]) and "heard" not in shown["silence"]
    assert re.search(r"last scan +too short: 1.0 s, and mgtag listens to 3 s at a time", shown["music"])
    listed = run("list").out
    assert "notmusic" not in listed + "".join(shown.values())
    lines = {Path(line.split()[-1]).stem: line.split()[0] for line in listed.splitlines()[1:-1]}
    assert lines == {"noise": "not", "silence": "–", "music": "–", "bad": "–"}
    assert "too short" in listed
    assert run("list", "heard:not", "music", "-f", "$heard").out == "not music\n"


def test_show_names_the_wider_genre_that_is_sure(
    run: Run, song: Song, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = Head(("metal", "punk", "rock"), {"metal": "Metal", "punk": "Punk", "rock": "Rock"}, threshold=0.8,
                parents={"metal": "rock", "punk": "rock"})  # fmt: skip
    answers = {"genre": (Answer("Punk", 0.6), Answer("Metal", 0.3), Answer("Rock", 0.1))}
    path = song(tmp_path / "a.flac", 0.5)
    with Index(default_path()) as store:
        store.record(Track(path, 1, 1, "tiny-1@0", 1, answers=answers))
    monkeypatch.setattr(lookup, "_heads", lambda track: {"genre": head})
    assert re.search(r"more surely +Rock, 100% sure", run("show", path).out)


def test_show_of_what_is_no_music_is_a_sentence(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.mp3").write_text("no music")
    done = run("show", tmp_path / "a.mp3")
    assert done.code == 3
    assert done.err.startswith("mgtag: ")
    assert done.err.count("\n") == 1


def names(done: Done) -> list[str]:
    return [Path(row["path"]).name for row in done.rows]


@pytest.fixture
def library(home: Path) -> None:
    rows = [
        ("/m/a/1.mp3", "Jazz", 0.9, ("Jazz",), "tagged"),
        ("/m/a/2.mp3", "Blues", 0.4, (), "unsure"),
        ("/m/a0/3.mp3", "Jazz", 0.7, ("Krautrock",), "kept"),
        ("/m/b/4.mp3", "", 0.0, (), "failed"),
    ]
    from mgtag.library.index import default_path

    with Index(default_path()) as store:
        for path, heard, sure, genre, event in rows:
            store.record(known(path, heard, sure, genre, outcome=Outcome(event)))


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], "1 2 3 4"),
        (["/m/a"], "1 2"),
        (["/m/a/"], "1 2"),
        (["/m/a/2.mp3", "/m/b"], "2 4"),
        (["/"], "1 2 3 4"),
        (["-g", "jazz"], "1 3"),
        (["-g", "KRAUTROCK"], "3"),
        (["--min-confidence", "0.7"], "1 3"),
        (["--max-confidence", "0.5"], "2 4"),
        (["--event", "unsure"], "2"),
        (["--sort", "confidence"], "1 3 2 4"),
        (["--sort", "genre"], "4 2 1 3"),
        (["-g", "jazz", "/m/a"], "1"),
        (["-g", "polka"], ""),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_list_filters_and_sorts(run: Run, library: None, options: list[str], expected: str) -> None:
    assert names(run("list", "--json", *options)) == [f"{n}.mp3" for n in expected.split()]


def test_list_below_a_relative_folder(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, home: Path
) -> None:
    from mgtag.library.index import default_path

    with Index(default_path()) as store:
        store.record(known(tmp_path / "x" / "a.mp3"))
    monkeypatch.chdir(tmp_path)
    assert names(run("list", "--json", "x")) == names(run("list", "--json", ".")) == ["a.mp3"]


def test_list_as_csv_has_a_header_even_when_empty(run: Run, library: None) -> None:
    rows = list(csv.DictReader(io.StringIO(run("list", "--csv").out)))
    assert [row["heard"] for row in rows] == ["Jazz", "Blues", "Jazz", ""]
    assert run("list", "--csv", "-g", "polka").out.startswith("path,genres,heard,confidence")


def test_list_of_nothing_is_no_error(run: Run) -> None:
    done = run("list")
    assert done.code == 0
    assert done.out


def test_undo_puts_back(scan: Run, run: Run, music: Path) -> None:
    before = (music / "hum.flac").read_bytes()
    scan()
    runs = run("undo", "--list", "--json").rows
    assert [(r["id"], r["changed"], r["undone"]) for r in runs] == [(1, 1, 0)]
    done = run("undo", "1", "--json")
    assert done.code == 0
    (row,) = done.rows
    assert (row["path"], row["event"], row["error"]) == (str(music / "hum.flac"), "undone", None)
    assert (music / "hum.flac").read_bytes() == before
    assert run("undo").code == 2


def test_undo_of_a_file_a_folder_a_genre(scan: Run, run: Run, music: Path) -> None:
    scan("--overwrite")
    paths = [music / "hum.flac", music / "mine.flac"]
    assert [genres(p) for p in paths] == [("Blues",), ("Jazz",)]
    done = run("undo", music, "--genre", "jazz", "--dry-run")
    assert (done.code, done.out.strip()) == (0, "1 would be put back as they were, 0 left alone")
    assert "would be undone  Krautrock" in done.err
    assert genres(paths[1]) == ("Jazz",)
    assert [row["path"] for row in run("undo", "--genre", "jazz", "--json").rows] == [str(paths[1])]
    assert genres(paths[1]) == ("Krautrock",)
    assert run("undo", paths[0]).code == 0
    assert genres(paths[0]) == ()
    assert run("undo", paths[0]).code == 2
    assert run("undo", "1", "2").code == 2


def test_undo_and_leave_is_remembered(scan: Run, run: Run, music: Path) -> None:
    scan()
    assert run("undo", "--and-leave").code == 0
    assert "0 tagged" in scan().out
    assert "0 tagged" in scan("--force").out
    assert genres(music / "hum.flac") == ()


def test_withdraw_takes_back_what_was_less_sure(run: Run, music: Path, tmp_path: Path) -> None:
    import tiny_bundle

    doubtful = tiny_bundle.make(tmp_path / "m", vote_temperature=8.0, threshold=0.5)
    run("scan", music, "--model", doubtful.folder)
    sure = json.loads(run("show", "--json", music / "hum.flac").out)["index"]["confidence"]
    assert run("withdraw", "--below", str(sure - 0.05)).out.startswith("0 put back")
    assert run("withdraw", "--below", "100%", "-n").out.startswith("1 would be put back")
    assert genres(music / "hum.flac") == ("Blues",)
    assert run("withdraw", "--below", "100%", music).out.startswith("1 put back")
    assert genres(music / "hum.flac") == ()
    assert run("withdraw").code == 2


def test_log_shows_what_each_run_wrote(scan: Run, run: Run, music: Path) -> None:
    assert "no run yet" in run("log").out
    scan("--dry-run")
    scan("--overwrite")
    rows = run("log", "--json").rows
    assert [(r["id"], r["dry_run"], r["changed"], r["wrote"]) for r in rows] == [
        (2, False, 2, {"Blues": 1, "Jazz": 1}),
        (1, True, 0, {}),
    ]
    shown = run("log").out
    assert re.search(r"2 .* 2 +Blues.1", shown)
    assert "dry run" in shown
    run("undo", music / "hum.flac")
    of_run = {
        Path(r["path"]).name: (r["state"], r["before"], r["after"]) for r in run("log", "2", "--json").rows
    }
    assert of_run == {
        "hum.flac": ("undone", {"genre": []}, {"genre": ["Blues"]}),
        "mine.flac": ("done", {"genre": ["Krautrock"]}, {"genre": ["Jazz"]}),
    }
    assert "Krautrock" in run("log", "2").out
    assert run("log", "99").code == 2


def test_check_names_a_difference_and_mends_it(scan: Run, run: Run, music: Path) -> None:
    scan()
    assert run("check").out.startswith("2 files and 1 changes compared: 0 mended, 0 that --mend can mend, 0")
    (music / "mine.flac").unlink()
    done = run("check")
    assert done.code == 3
    assert f"differs {music}/mine.flac: it is gone." in done.out
    (row,) = run("check", "--json").rows
    assert (row["path"], row["can_be_mended"], row["mended"]) == (str(music / "mine.flac"), True, False)
    assert run("check", "--mend").code == 0
    assert run("check").code == 0


def test_doctor_tells_what_a_bug_report_needs(run: Run) -> None:
    done = run("doctor")
    assert done.code == 0
    assert f"  version: {mgtag.__version__}" in done.out
    assert "gtzan-parallel-1@" in done.out
    assert run("doctor", "--json").rows[0]["codecs"]["flac"].startswith("FLAC")


def test_undo_of_what_was_changed_since_is_3(scan: Run, run: Run, music: Path) -> None:
    scan()
    with open(music / "hum.flac", "ab") as file:
        file.write(b"x")
    done = run("undo")
    assert done.code == 3
    assert "changed since" in done.err
    assert "0 put back as they were, 1 left alone" in done.out


def test_models_tells_the_card(run: Run, tiny: Bundle) -> None:
    done = run("models", tiny.folder)
    assert "tiny-1@" in done.out
    assert "threshold" in done.out
    (row,) = run("models", tiny.folder, "--json").rows
    assert row["heads"]["genre"]["labels"] == ["blues", "jazz", "metal"]
    assert run("models", "no-such-model").code == 2


def test_models_lists_those_at_hand(run: Run, home: Path) -> None:
    import tiny_bundle

    tiny_bundle.make(home / "data" / "mgtag" / "models" / "tiny-1")
    assert "tiny-1" in run("models").out
    assert "tiny-1" in [row["name"] for row in run("models", "--json").rows]


@pytest.mark.parametrize(
    ("made", "sentence"),
    [
        ({"measured": {}}, "nothing keeps speech and noise from being tagged"),
        ({"threshold": None, "measured": {}}, "this model never writes a genre by itself"),
        ({"measured": {"not_music": {"speech_highest": 0.2}}}, ""),
    ],
)
def test_what_a_model_cannot_promise_is_told_where_it_is_used(
    run: Run, music: Path, tmp_path: Path, made: dict[str, object], sentence: str
) -> None:
    import tiny_bundle

    folder = tiny_bundle.make(tmp_path / "m", **made).folder
    for done in (run("models", folder), run("scan", music, "--model", folder, "--dry-run")):
        assert ("warning" in done.err) == bool(sentence)
        assert sentence in done.err
    if sentence:
        asked = run("scan", music, "--model", folder, "--dry-run", "--threshold", "0.5")
        assert "nothing keeps speech and noise from being tagged" in asked.err


def test_one_broken_model_does_not_hide_the_others(run: Run, home: Path) -> None:
    import tiny_bundle

    models = home / "data" / "mgtag" / "models"
    tiny_bundle.make(models / "tiny-1")
    tiny_bundle.make(models / "broken")
    (models / "broken" / "model.onnx").write_bytes(b"x")
    done = run("models")
    assert "tiny-1" in done.out
    assert "broken" in done.err


# Help


def test_version_is_told(run: Run) -> None:
    done = run("--version")
    assert (done.code, done.out) == (0, f"mgtag {mgtag.__version__}\n")


COMMANDS = """scan watch undo withdraw log check show list explain similar playlist map
models train lab config doctor""".split()


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_every_command_has_help(run: Run, command: str, flag: str) -> None:
    done = run(command, flag)
    assert done.code == 0
    assert "Usage: mgtag " + command in done.out


def test_every_command_is_in_the_help_and_in_order(run: Run) -> None:
    shown = run("--help").out
    places = [shown.index(f" {command} ") for command in COMMANDS]
    assert places == sorted(places)
    assert "130 interrupted" in shown


def complete(words: str) -> set[str]:
    """Return what bash would offer for the last word."""
    environment = {
        "_MGTAG_COMPLETE": "complete_bash",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split(" ")) - 1),
    }
    done = subprocess.run(MGTAG, env=os.environ | environment, capture_output=True, text=True, check=False)
    return set(done.stdout.split())


def test_completion_offers_commands_options_and_values() -> None:
    assert set(COMMANDS) <= complete("mgtag ")
    assert {"--dry-run", "--threshold", "--index"} <= complete("mgtag scan --")
    assert complete("mgtag scan --device ") == {"auto", "cpu", "cuda"}


@pytest.mark.parametrize("command", ["scan", "undo", "train"])
def test_help_shows_no_type_behind_a_flag(run: Run, command: str) -> None:
    shown = run(command, "--help").out
    assert "--json" in shown or "--resume" in shown
    assert "bool" not in shown


def test_the_version_is_told_without_any_import() -> None:
    code = (
        "import sys; from mgtag.__main__ import main; sys.argv[1:] = ['--version']; main();"
        "print('typer' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [f"mgtag {mgtag.__version__}", "False"]


def test_python_m_mgtag_is_mgtag() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mgtag", "models"], capture_output=True, text=True, check=True
    )
    assert "gtzan-parallel-1" in done.stdout


def test_list_takes_a_query_a_format_and_writes_a_playlist(
    scan: Run, run: Run, music: Path, tmp_path: Path
) -> None:
    scan()
    assert run("list", "genre:blues", music, "-f", "$heard $confidence $$").out.endswith("% $\n")
    assert [row["path"] for row in run("list", "genre:krautrock", "--json").rows] == [
        str(music / "mine.flac")
    ]
    assert run("list", "^genre:krautrock", "--m3u", tmp_path / "a.m3u8").code == 0
    assert (tmp_path / "a.m3u8").read_text().splitlines()[-1] == str(music / "hum.flac")
    for wrong, words in (("gnere:x", "did you mean 'genre'"), ("/nope", "no such file or folder")):
        done = run("list", wrong)
        assert (done.code, words in done.err) == (2, True)
    done = run("list", "-f", "$gnere")
    assert (done.code, "no field 'gnere'" in done.err) == (2, True)


def test_no_spinner_stands_in_the_line_of_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    from mgtag.library.check import Checked, Difference
    from mgtag.view.health import CheckView

    view = CheckView()
    spins = []
    monkeypatch.setattr(view._out, "print", lambda *_: spins.append(view.status._live.is_started))
    with view.status:
        view.show(Difference(Path("/m/a.mp3"), "is gone", None))
        assert view.status._live.is_started
        view.show(Checked(1, 0))
    assert spins == [False, False]


def test_a_narrow_terminal_shows_models_and_runs_without_broken_words(
    run: Run, scan: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    scan()
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    shown = run("models").out
    assert "gtzan-parallel-1" in shown and "wide-parallel-4" in shown
    shown = run("log").out
    assert "Undone" not in shown and "Blues\N{NO-BREAK SPACE}1" in shown
    run("undo")
    assert "Undone" in run("log").out
