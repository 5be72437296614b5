"""What trained networks learned, as small records.

``python -m mgtag_train.report.analysis --features mel.npz`` writes them.

Three of them, under ``train/records/analysis``: ``deck.json`` (the deck's own questions to the codes
and the attention of `tokens`), ``tsne.json`` (the poster's pictures, before and after training), and
``blocks.json`` (what each convolution block of `mfcc-26` answers to).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from sklearn.neighbors import NearestNeighbors

from mgtag.arrays import F64, I64
from mgtag.errors import MgtagError
from mgtag_train.lab.inputs import Inputs
from mgtag_train.lab.trained import trained
from mgtag_train.learn.run_record import commit
from mgtag_train.learn.trainer import predict
from mgtag_train.report.channel_selectivity import blocks
from mgtag_train.report.tokens_analysis import deck

RECORDS = Path(__file__).parents[2] / "records" / "analysis"
SLICES_A_TRACK = 3  # of the t-SNE pictures
FIRST = 50  # dimensions that t-SNE is given of the windows, by PCA
NEIGHBOURS = 10
DIGITS = {"at": 1, "xyz": 2}  # coordinates; the rest has four

Maker = Callable[[Inputs, Path], Mapping[str, Any]]


def make(inputs: Inputs, runs: Path, names: Sequence[str] = (), out: Path = RECORDS) -> list[Path]:
    """Write the records.

    Parameters
    ----------
    inputs : Inputs
        With GTZAN's mels.
    runs : Path
        Where `mgtag train --out` left its runs.
    names : sequence of str
        Of `MAKERS`; otherwise all.

    Raises
    ------
    UsageError
        If a run that a record is about has not been trained.
    """
    out.mkdir(parents=True, exist_ok=True)
    made = []
    for name in names or MAKERS:
        record = rounded({**MAKERS[name](inputs, runs), "commit": commit()})
        lines = (f"{json.dumps(key)}: {json.dumps(value)}" for key, value in record.items())
        path = out / f"{name}.json"
        path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
        made.append(path)
    return made


def tsne(inputs: Inputs, runs: Path) -> dict[str, Any]:
    """Lay test slices out as the poster does: as they are, and as `kth-attention` sees them."""
    run = trained("kth-attention", "filtered", inputs, runs)
    windows, owner = run.parts["test"].tiles()
    some = _evenly(owner.numpy(), SLICES_A_TRACK)
    windows, owner = windows[some], owner[some]
    seen = predict(run.model, windows, read=lambda output: output.embedding).astype(np.float64)
    genres = run.genres("test")[owner.numpy()]
    raw = PCA(FIRST, random_state=0).fit_transform(windows.flatten(1).numpy())
    return {
        "run": run.name,
        "labels": run.labels,
        "label": genres,
        "before": layout(raw, genres, owner.numpy()),
        "after": layout(seen, genres, owner.numpy()),
    }


def layout(points: F64, genres: I64, owner: I64) -> dict[str, Any]:
    """Lay points out in the plane.

    Returns
    -------
    dict
        ``at``: shape ``(points, 2)``. ``like``: of a point's ten nearest neighbours that are not of
        its own track, the mean share that is of its genre, in the plane.
    """
    at = TSNE(perplexity=min(30.0, (len(points) - 1) / 3), random_state=0).fit_transform(points)
    own = int(np.bincount(owner).max())
    found = NearestNeighbors(n_neighbors=min(len(at), NEIGHBOURS + own)).fit(at)
    shares = []
    for point, near in enumerate(found.kneighbors(at, return_distance=False)):
        others = near[owner[near] != owner[point]][:NEIGHBOURS]
        shares.append((genres[others] == genres[point]).mean())
    return {"at": at, "like": float(np.mean(shares))}


def _evenly(owner: I64, count: int) -> I64:
    """Pick `count` slices of every track, spread over its length."""
    places = [np.flatnonzero(owner == track) for track in np.unique(owner)]
    picked = [own[np.linspace(0, len(own) - 1, count + 2).round().astype(int)[1:-1]] for own in places]
    return np.concatenate(picked)


def rounded(value: Any, digits: int = 4) -> Any:
    """Return arrays as lists and numbers short enough to read, coordinates shorter."""
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, float):
        return round(value, digits)
    if isinstance(value, Mapping):
        return {str(key): rounded(item, DIGITS.get(str(key), digits)) for key, item in value.items()}
    return [rounded(item, digits) for item in value] if isinstance(value, list | tuple) else value


MAKERS: Mapping[str, Maker] = {"deck": deck, "tsne": tsne, "blocks": blocks}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 2 where something is missing, with one sentence on standard error."""
    parser = argparse.ArgumentParser(prog="python -m mgtag_train.report.analysis", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="RECORD", help=f"of {', '.join(MAKERS)}; otherwise all")
    parser.add_argument("--features", type=Path, required=True, help="GTZAN's mels, mel.npz")
    parser.add_argument("--out", type=Path, default=Path("runs"), help="where `mgtag train` left its runs")
    given = parser.parse_args(arguments)
    if unknown := sorted(set(given.names) - set(MAKERS)):
        parser.error(f"there is no record {unknown[0]!r}; there are {', '.join(MAKERS)}")
    torch.set_num_threads(1)  # figures depend on the order of sums
    try:
        for path in make(Inputs(features=given.features), given.out, given.names):
            print(path)  # noqa: T201
    except MgtagError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
