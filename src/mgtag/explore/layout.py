"""Two dimensions for the map: t-SNE where scikit-learn is installed, principal components otherwise."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Literal

import numpy as np

from mgtag.arrays import F32
from mgtag.explore.space import Space
from mgtag.extras import not_installed

Method = Literal["auto", "tsne", "pca"]
COMPONENTS = 30  # kept before t-SNE
PERPLEXITY = 30.0


def positions(space: Space, method: Method = "auto") -> tuple[F32, Literal["tsne", "pca"]]:
    """Lay the tracks out so that what is near stays near.

    Parameters
    ----------
    space : Space
    method : {"auto", "tsne", "pca"}

    Returns
    -------
    F32
        Shape ``(n, 2)``, each axis from 0 to 1.
    str
        The method that was taken.

    Raises
    ------
    UsageError
        If t-SNE is asked for and scikit-learn is not installed.
    """
    installed = find_spec("sklearn") is not None
    if method == "tsne" and not installed:
        raise not_installed("--method tsne", "scikit-learn", "map")
    possible = installed and method != "pca" and len(space.tracks) > 3
    taken: Literal["tsne", "pca"] = "tsne" if possible else "pca"
    points = _principal(space.vectors, COMPONENTS if taken == "tsne" else 2)
    if taken == "tsne":
        from sklearn.manifold import TSNE

        perplexity = min(PERPLEXITY, (len(points) - 1) / 3)
        start = points[:, :2] / max(float(points[:, 0].std()), 1e-6) * 1e-4
        points = TSNE(perplexity=perplexity, init=start, random_state=0, n_jobs=-1).fit_transform(points)
    low, high = points.min(axis=0), points.max(axis=0)
    scaled: F32 = ((points - low) / np.maximum(high - low, 1e-9)).astype(np.float32)
    return scaled, taken


def _principal(rows: F32, count: int) -> F32:
    """Project onto the first principal components, by the eigenvectors of the scatter matrix."""
    centred = rows - rows.mean(axis=0)
    wide = centred.astype(np.float64)
    _, vectors = np.linalg.eigh(wide.T @ wide)
    components = vectors[:, ::-1][:, :count].astype(np.float32)
    projected: F32 = centred @ components
    return projected if projected.shape[1] >= 2 else np.pad(projected, ((0, 0), (0, 2 - projected.shape[1])))
