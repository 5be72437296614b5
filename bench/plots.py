"""How costs grow, as one small picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

INK, LINE = "#777", "#2a7ab0"  # read on white and on black alike


def draw(found: Any, path: Path) -> None:
    """Draw CPU seconds by files and rows, and wall seconds by workers, into an SVG."""
    import matplotlib

    matplotlib.use("Agg")
    matplotlib.rcParams |= {"svg.fonttype": "none", "svg.hashsalt": "mgtag", "font.size": 8}
    from matplotlib import pyplot

    figure, (files, workers, rows) = pyplot.subplots(1, 3, figsize=(9, 2.6), layout="constrained")
    for axes, title, x, y in (
        (files, "scan: CPU seconds by files", *_points(found["files"], "scan", "cpu_s")),
        (workers, "100 files: wall seconds by workers", *_points(found["workers"], "scan", "wall_s")),
        (rows, "list: CPU seconds by rows", *_points(found["rows"], "list", "cpu_s")),
    ):
        axes.plot(x, y, "o-", color=LINE, markersize=4)
        axes.set_title(title, color=INK, fontsize=8)
        axes.tick_params(colors=INK, which="both")
        axes.spines[:].set_color(INK)
        axes.patch.set_alpha(0)
        if axes is workers:
            axes.set_ylim(0)
            axes.set_xticks(x)
        else:
            axes.loglog()
    figure.patch.set_alpha(0)
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)


def _points(rows: Any, what: str, figure: str) -> tuple[list[float], list[float]]:
    return [row["n"] for row in rows], [row[what][figure] for row in rows]
