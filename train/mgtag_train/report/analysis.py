"""What trained networks learned, as small records.

``mgtag lab analyse --features mel.npz`` writes them: ``tokens.json`` (the embeddings and the attention
of `tokens`, as its paper analyses them), ``tsne.json`` (the pictures of the KTH paper, before and after
training), and ``blocks.json`` (the genres that each convolution block of `mfcc-26` responds to).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from sklearn.neighbors import NearestNeighbors

from mgtag.arrays import F64, I64
from mgtag.errors import UsageError
from mgtag_train.lab.tasks import Inputs
from mgtag_train.lab.trained import load_trained
from mgtag_train.learn.jobs import one_thread
from mgtag_train.learn.run_record import commit
from mgtag_train.learn.trainer import predict
from mgtag_train.report.channel_selectivity import blocks
from mgtag_train.report.tokens_analysis import tokens

SLICES_A_TRACK = 3  # of the t-SNE pictures
FIRST = 50  # dimensions that t-SNE is given of the windows, by PCA
NEIGHBOURS = 10
DIGITS = {"at": 1, "xyz": 2}  # coordinates; the rest has four

Maker = Callable[[Inputs, Path], Mapping[str, Any]]


def write(names: Sequence[str], inputs: Inputs, runs: Path, out: Path) -> list[Path]:
    """Write the records.

    Parameters
    ----------
    names : sequence of str
        Of `MAKERS`; if empty, all.
    inputs : Inputs
        With GTZAN's mels.
    runs : Path
        Where ``mgtag lab run --out`` left its runs.

    Raises
    ------
    UsageError
        If there is no analysis of that name, or a run that it needs has not been trained.
    """
    if unknown := sorted(set(names) - set(MAKERS)):
        raise UsageError(f"There is no analysis {unknown[0]!r}, only {', '.join(MAKERS)}.")
    out.mkdir(parents=True, exist_ok=True)
    made = []
    for name in names or MAKERS:
        with one_thread():
            record = rounded({**MAKERS[name](inputs, runs), "commit": commit()})
        lines = (f"{json.dumps(key)}: {json.dumps(value)}" for key, value in record.items())
        path = out / f"{name}.json"
        path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
        made.append(path)
    return made


def tsne(inputs: Inputs, runs: Path) -> dict[str, Any]:
    """Lay test slices out as the KTH paper does: the windows, and the embeddings of `kth-attention`."""
    run = load_trained("kth-attention", "filtered", inputs, runs)
    windows, owner = run.parts["test"].tiles()
    some = _evenly(owner.numpy(), SLICES_A_TRACK)
    windows, owner = windows[some], owner[some]
    seen = predict(run.model, windows, output=lambda output: output.embedding).astype(np.float64)
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


MAKERS: Mapping[str, Maker] = {"tokens": tokens, "tsne": tsne, "blocks": blocks}
