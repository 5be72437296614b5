"""What a bug report holds: facts of this machine, and nothing of the listener's name."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import tiny_bundle

from mgtag import doctor
from mgtag.doctor import examine
from mgtag.library.index import Index
from mgtag.library.opening import default_path


def test_a_sound_installation(home: Path) -> None:
    found = examine()
    assert list(found) == ["mgtag", "versions", "devices", "codecs", "paths", "index", "models"]
    assert not [facts for facts in found.values() if "broken" in facts]
    assert found["versions"]["av"][0].isdigit()
    assert "MISSING" not in found["codecs"].values()
    assert set(doctor.DECODERS) <= set(found["codecs"])
    assert found["index"] == {"state": "there is none yet"}
    assert not default_path().exists()


def test_the_index_is_counted(home: Path) -> None:
    with Index(default_path()) as store:
        store.begin_run("x")
    facts = examine()["index"]
    assert facts["integrity"] == "ok"
    assert facts["run_log"] == "1 rows"
    assert facts["files"] == "0 rows"


def test_a_damaged_index_is_told_and_left(home: Path) -> None:
    default_path().parent.mkdir(parents=True)
    default_path().write_bytes(b"no database" * 500)
    assert "cannot be read" in examine()["index"]["state"]
    assert default_path().read_bytes() == b"no database" * 500


def test_models_carry_their_hash_and_a_broken_one_its_reason(home: Path) -> None:
    models = home / "data" / "mgtag" / "models"
    whole = tiny_bundle.make(models / "tiny-1")
    tiny_bundle.make(models / "damaged")
    (models / "damaged" / "model.onnx").write_bytes(b"x")
    facts = examine()["models"]
    assert facts[whole.id].startswith("whole, ~/data/")
    assert "damaged" in facts["broken 1"]


def test_the_home_folder_is_not_named(home: Path) -> None:
    tiny_bundle.make(home / "data" / "mgtag" / "models" / "tiny-1")
    told = str(examine())
    assert "~/data" in told
    assert str(home) not in told


def test_what_cannot_be_found_out_says_why(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    found = examine()
    assert "onnxruntime" in found["devices"]["broken"]
    assert found["codecs"]["mp3"]
