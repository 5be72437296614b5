"""Text that obeys nobody: escape sequences and marks of direction, in every form of output."""

from __future__ import annotations

import json
from pathlib import Path
from unicodedata import bidirectional

import pytest
from known import known

from mgtag.library.events import Failed
from mgtag.view.listing import show_tracks
from mgtag.view.scanning import ScanView
from mgtag.view.text import dumps, escaped, printable

TURNING = [chr(n) for n in range(0x110000) if bidirectional(chr(n)) in {"LRE", "RLE", "LRO", "RLO", "PDF"}]
TURNING += [chr(n) for n in range(0x2066, 0x206A)] + ["\u200e", "\u200f", "\u061c"]
CONTROLS = [chr(n) for n in [*range(0x20), *range(0x7F, 0xA0)]] + ["\u2028", "\u2029"]


@pytest.mark.parametrize("mark", TURNING + CONTROLS, ids=lambda c: f"U+{ord(c):04X}")
def test_what_a_terminal_obeys_is_spelt_out(mark: str) -> None:
    text = f"a{mark}b"
    assert mark not in dumps({"path": text})
    assert json.loads(dumps({"path": text})) == {"path": text}
    assert escaped(text) == f"a\\u{ord(mark):04x}b"
    assert mark not in printable(text)


@pytest.mark.parametrize("text", ["Björk – Jóga", "音楽", "שלום", "👩\u200d🎤", "a\\b", "🎵"])
def test_words_stay_as_they_are(text: str) -> None:
    assert escaped(text) == text
    assert dumps(text) in (json.dumps(text, ensure_ascii=False), json.dumps(text))  # in ASCII, if it must


@pytest.mark.parametrize("form", ["table", "json", "csv"])
def test_no_list_shows_such_a_name_raw(
    form: str, capfd: pytest.CaptureFixture[str], tmp_path: object
) -> None:
    name = "x\x1b[2J\x9b2J\u202egpj.mp3"
    track = known(tmp_path / name, "Ja\x1bzz", genres=("\x1b[31m",), bundle="b\x1b", reason="\x1b")  # type: ignore[operator]
    show_tracks([track], form)  # type: ignore[arg-type]
    shown = capfd.readouterr().out
    assert "Ja" in shown
    assert not {"\x1b", "\x9b", "\u202e"} & set(shown)


def test_only_the_word_has_the_colour(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """rich takes the style of the first of two texts for both."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    view = ScanView(verbosity=1)
    view.show(Failed(Path("/m/a.mp3"), "/m/a.mp3: the file is empty."))
    told = capsys.readouterr().err
    assert "\x1b[0m/m/a.mp3: the file is empty." in told
