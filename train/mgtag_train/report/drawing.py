"""What the pictures have in common: paper, ink, hues, clouds of points, and matrices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.text import Text

from mgtag.arrays import F64, I64

INK, SOFT, GRID = "#222222", "#8a8a8a", "#e8e8e8"


def matrices(panels: Mapping[str, tuple[Sequence[str], Any]], side: float = 0) -> Figure:
    """Draw confusion matrices side by side: counts, coloured by the share of their row.

    Parameters
    ----------
    side : float
        Of a panel, in inches; otherwise by how many there are.
    """
    side = side or (3.2 if len(panels) > 2 else 4.2)
    figure = blank(side * len(panels), side + 0.55)
    axes = figure.subplots(1, len(panels), squeeze=False)[0]
    for ax, (title, (labels, counts)) in zip(axes, panels.items(), strict=True):
        counts = np.asarray(counts)
        share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        ax.imshow(share, cmap="Blues", vmin=0, vmax=1)
        for (row, column), count in np.ndenumerate(counts):
            if count:
                colour = "white" if share[row, column] > 0.55 else INK
                ax.text(column, row, str(count), ha="center", va="center", color=colour, fontsize=8)
        ax.set_xticks(range(len(labels)), labels, rotation=45, ha="right", rotation_mode="anchor")
        ax.set_yticks(range(len(labels)), labels)
        ax.set_title(f"{title}\n{np.trace(counts) / counts.sum():.1%} right", fontsize=10)
        ax.set_xlabel("answered")
        ax.tick_params(length=0, labelsize=9)
        bare(ax, "left", "bottom")
    return figure


def blank(width: float, height: float) -> Figure:
    return Figure((width, height), layout="constrained", facecolor="white")


def bare(ax: Axes, *sides: str) -> None:
    """Leave nothing of a frame but ticks, and its lines only where they carry a scale."""
    for side, spine in ax.spines.items():
        spine.set_visible(side in sides)
        spine.set_color("#cccccc")


def hues(count: int) -> list[Any]:
    """Return a colour for each of up to ten genres, the same in every picture."""
    return [colormaps["tab10"](number % 10) for number in range(count)]


def halo(text: Text) -> None:
    """Set a text off from what lies under it."""
    text.set_path_effects([withStroke(linewidth=3, foreground="white")])


def clouds(
    ax: Axes, at: F64, labels: I64, names: Sequence[str], size: float, alpha: float
) -> list[PathCollection]:
    """Scatter points ``(n, 2)`` in the hues of their labels; return a handle a label for a legend."""
    drawn = []
    for label, colour in enumerate(hues(len(names))):
        x, y = at[labels == label, :2].T
        drawn.append(ax.scatter(x, y, s=size, color=colour, alpha=alpha, linewidth=0))
    return drawn
