"""Processes that ``torchrun`` starts train one network together, as one process would."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("sklearn")
pytest.importorskip("torchmetrics")

ROOT = Path(__file__).parents[2]
TORCHRUN = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
FOLDERS = "src", "train", "tests", "tests/train"
# Without batch norm, which counts each process's share, without dropout, and in float32, the steps are those
# of one process.
CODE = """
import json, os, sys
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
import torch
from mgtag_train.learn import distributed, jobs
from mgtag_train.data.tracks import SliceDataset
from test_train import CONFIG, SPEC, TINY, heard, made_tracks

torch.set_num_threads(1)
out = Path(sys.argv[1])
exact = replace(CONFIG, arguments=TINY | {"dense": 16, "hidden": 12, "dropout": 0.0}, epochs=3, batch=15)
usual = replace(CONFIG, epochs=2)
learn, check = heard(SliceDataset(made_tracks(24, 0) + made_tracks(4, 1, labels=(-1,)), SPEC),
                     SliceDataset(made_tracks(12, 2), SPEC))
with distributed.joined():
    rank = int(os.environ.get("RANK", "0"))
    tasks = [jobs.Job("exact", exact, 3, out / "exact"),
             jobs.Job("usual", usual, 3, out / "usual", (out / "exact",))]
    for job, precision in zip(tasks, (lambda *_, **__: nullcontext(), torch.autocast)):
        torch.autocast = precision
        jobs.fit_and_record(job, learn, check, {}, False, lambda *_: None)
    weights = torch.cat([value.flatten() for value in jobs.load_best(out / "exact").state_dict().values()])
    (out / f"seen-{rank}-of-{distributed.size()}.json").write_text(json.dumps(float(weights.sum())))
"""


def run(how: list[str], folder: Path) -> dict[str, list[dict[str, float]]]:
    """Train in `folder`, and return both histories."""
    folder.mkdir()
    script = folder / "script.py"
    script.write_text(CODE)
    path = os.pathsep.join(str(ROOT / name) for name in FOLDERS)
    done = subprocess.run(
        [sys.executable, *how, str(script), str(folder)],
        env=os.environ | {"PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    records = {name: json.loads((folder / name / "record.json").read_text()) for name in ("exact", "usual")}
    return {name: record["history"] for name, record in records.items()}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("distributed")
    return {"alone": folder / "alone", "together": folder / "together"}


def test_two_processes_learn_what_one_does(runs: dict[str, Path]) -> None:
    alone, together = run([], runs["alone"]), run(TORCHRUN, runs["together"])
    assert {path.name for path in runs["together"].glob("seen-*")} == {"seen-0-of-2.json", "seen-1-of-2.json"}
    for figure in ("loss", "log_loss"):
        one, two = ([row[figure] for row in which["exact"]] for which in (alone, together))
        np.testing.assert_allclose(two, one, rtol=1e-3)
    assert together["usual"][-1]["loss"] == pytest.approx(alone["usual"][-1]["loss"], rel=0.2)


def test_both_find_the_same_weights_written_by_one(runs: dict[str, Path]) -> None:
    first, second = (json.loads((runs["together"] / f"seen-{rank}-of-2.json").read_text()) for rank in (0, 1))
    assert first == second
    assert first == pytest.approx(json.loads((runs["alone"] / "seen-0-of-1.json").read_text()), rel=1e-3)
