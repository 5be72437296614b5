"""The folder that the report lies in, and the records in it that the report is written from."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mgtag.errors import UsageError
from mgtag_train.lab.experiments import EXPERIMENTS
from mgtag_train.learn.run_record import RunRecord

Runs = Mapping[str, Mapping[str, Sequence[RunRecord]]]  # [experiment][split], one a seed
Analysis = Mapping[str, Any]  # what `mgtag_train.report.analysis` or a search wrote
HERE = Path(__file__).parents[2]


class ReportFolder:
    """``RESULTS.md``, its pictures, and the records that both are made from.

    Attributes
    ----------
    page, pictures : Path
    records : Path
        A folder an experiment, a file a run.
    analyses : Path
        What was found in trained networks, and by searches.
    faithfulness : Path
        How faithful the shipped bundle's explanations are.
    outside : Path
        Bundles on music outside GTZAN, a record each.
    guide : Path
        The user guide of the checkout, which has a sentence about it.
    """

    def __init__(self, root: Path) -> None:
        self.page, self.pictures, self.records = root / "RESULTS.md", root / "pictures", root / "records"
        self.analyses, self.faithfulness = self.records / "analysis", self.records / "faithful.json"
        self.outside = self.records / "outside"
        self.guide = root.parent / "docs" / "guide.md"

    def runs(self) -> Runs:
        """Read the run records, in the order of the table of experiments."""
        found: dict[str, dict[str, list[RunRecord]]] = {}
        for name, experiment in EXPERIMENTS.items():
            for split in experiment.splits:
                if paths := sorted((self.records / name).glob(f"{split}-*.json")):
                    found.setdefault(name, {})[split] = [RunRecord.read(path) for path in paths]
        return found

    def superseded(self) -> list[RunRecord]:
        """Read the records of runs that were measured and then trained with other settings."""
        return [RunRecord.read(path) for path in sorted((self.records / "superseded").glob("*.json"))]

    def read_analyses(self) -> dict[str, Analysis]:
        """Read the analyses, by their names."""
        return {path.stem: json.loads(path.read_text()) for path in sorted(self.analyses.glob("*.json"))}


def report_folder(to: Path | None = None) -> ReportFolder:
    """Return the folder to write to: the one given, or ``train/`` of the checkout.

    Raises
    ------
    UsageError
        If none is given and this is an installed package, which is never written to.
    """
    if to is not None:
        return ReportFolder(to)
    if not (HERE.parent / "pyproject.toml").is_file() or not (HERE / "RESULTS.md").is_file():
        raise UsageError("Say where the report goes with --to DIR: mgtag does not run from a checkout.")
    return ReportFolder(HERE)
