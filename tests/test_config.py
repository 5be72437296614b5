"""Options over variables over the file over what mgtag would do; what nobody knows is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from mgtag import config
from mgtag.errors import UsageError

FILE = Path("config.toml")
OPTIONS = {"scan": {"model", "threshold", "dry_run", "jobs"}, "explain": {"model"}}


def defaults(settings: dict[str, object], **environment: str) -> dict[str, dict[str, object]]:
    return config.defaults(settings, OPTIONS, FILE, environment)


def test_a_key_at_the_top_holds_for_every_command_that_has_it() -> None:
    assert defaults({"model": "m", "jobs": 2}) == {
        "scan": {"model": "m", "jobs": 2},
        "explain": {"model": "m"},
    }


def test_a_commands_own_table_wins_over_the_top_and_a_variable_over_both() -> None:
    settings = {"model": "top", "scan": {"model": "own", "dry-run": True}}
    assert defaults(settings)["scan"] == {"model": "own", "dry_run": True}
    assert defaults(settings, MGTAG_MODEL="v")["scan"]["model"] == "v"
    assert defaults(settings, MGTAG_MODEL="v")["explain"]["model"] == "v"


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"modle": 1}, ["'modle'", "did you mean 'model'"]),
        ({"scan": {"treshold": 1}}, ["[scan]", "'treshold'", "did you mean 'threshold'"]),
        ({"explain": {"threshold": 1}}, ["[explain]", "'threshold'"]),
        ({"scam": {}}, ["'scam'", "did you mean 'scan'"]),
        ({"xyzzy": 1}, ["'xyzzy'", "known are dry_run, jobs, model, threshold"]),
    ],
)
def test_an_unknown_key_is_named_with_the_nearest_right_one(
    settings: dict[str, object], words: list[str]
) -> None:
    with pytest.raises(UsageError) as error:
        defaults(settings)
    assert all(word in str(error.value) for word in ["config.toml", *words])


def test_a_file_that_is_not_there_is_empty_and_a_broken_one_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    assert config.read(path) == {}
    for broken in (b"a = ", b"\xff\xfe"):
        path.write_bytes(broken)
        with pytest.raises(UsageError, match="mgtag config edit"):
            config.read(path)
    path.write_bytes(b"\xef\xbb\xbfmodel = 'm'\r\n")  # as Notepad writes it
    assert config.read(path) == {"model": "m"}


def test_the_template_is_a_valid_file(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(config.TEMPLATE.replace("# [", "[").replace("# model", "model").replace("# thr", "thr"))
    assert config.read(path)["scan"] == {"threshold": "90%"}
