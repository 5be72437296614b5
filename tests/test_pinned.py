"""The shipped models answer a made-up clip as they did when their answers were written down.

``python tests/test_pinned.py`` writes ``pinned.json`` anew, with a new bundle, say.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import sounds

from mgtag import bundle
from mgtag.bundle import Bundle
from mgtag.inference import Tagger
from mgtag.vote import vote

PINNED = Path(__file__).parent / "pinned.json"
TOLERANCE = 2e-3  # probabilities on other processors; another answer is far outside


def shipped() -> dict[str, Bundle]:
    return {card.parent.name: bundle.load(card.parent) for card in sorted(bundle.SHIPPED.glob("*/card.json"))}


def answers(model: Bundle, folder: Path) -> dict[str, list[float]]:
    """Return every head's answer to six seconds of a hum and six of a sine in noise."""
    rate = 22_050
    parts = [sounds.synthesise(kind, 6, 1, rate, 1) for kind in ("hum", "sine")]
    noise = np.random.default_rng(0).normal(0, 0.05, (1, 12 * rate)).astype(np.float32)
    path = folder / "clip.wav"
    sounds.write(path, np.concatenate(parts, axis=1) * 0.5 + noise, "wav", "pcm_s16le", rate)
    prediction = Tagger(model, "cpu").predict(path, "all")
    return {
        name: [round(float(p), 4) for p in vote(head, prediction.heads[name].probabilities).probabilities]
        for name, head in model.card.heads.items()
    }


@pytest.mark.parametrize("name", sorted(p.parent.name for p in bundle.SHIPPED.glob("*/card.json")))
def test_a_shipped_model_answers_as_it_did(name: str, tmp_path: Path) -> None:
    pinned = json.loads(PINNED.read_text(encoding="utf-8"))[name]
    found = answers(shipped()[name], tmp_path)
    assert found.keys() == pinned.keys()
    for head, shares in pinned.items():
        np.testing.assert_allclose(found[head], shares, atol=TOLERANCE, err_msg=head)


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        made = {name: answers(model, Path(folder)) for name, model in shipped().items()}
    PINNED.write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
