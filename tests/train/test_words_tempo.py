"""What was measured of words, tempo and key is what stands in the guide and in RESULTS.md."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType

import pytest
from mgtag_train.report import tempo_and_key_section, words_section

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("of", [tempo_and_key_section, words_section], ids=["tempo and key", "words"])
def test_the_figures_are_those_of_the_record(of: ModuleType) -> None:
    record = json.loads((ROOT / "train" / "records" / of.RECORD).read_text())
    assert of.BEGIN + of.section(record) + of.END in (ROOT / "train" / "RESULTS.md").read_text(
        encoding="utf-8"
    )
    assert of.BEGIN + of.sentence(record) + of.END in (ROOT / "docs" / "guide.md").read_text(encoding="utf-8")
    assert not record["commit"].endswith("+")
