"""Pictures of what the networks learned, from the analyses: maps of clips and slices, and attention."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from mgtag_train.report.drawing import INK, bare, blank, clouds, halo, hues
from mgtag_train.report.paper_figures import ATTENTION_STEPS
from mgtag_train.report.records import Analysis


def attention(analysis: Analysis) -> Figure:
    """Mean attention of `tokens` over the twenty steps; rings are the paper's three steps of each genre."""
    found = {key: analysis[key]["attention"]["by_genre"] for key in ("filtered", "tracks")}
    grids = {key: np.array([row["mean"] for row in rows.values()]) for key, rows in found.items()}
    ratio = {key: grid * grid.shape[1] for key, grid in grids.items()}
    reach = max(float(np.abs(one - 1).max()) for one in ratio.values())
    figure = blank(8.2, 6.4)
    axes = figure.subplots(2, 1, sharex=True)
    for ax, (key, grid) in zip(axes, ratio.items(), strict=True):
        image = ax.imshow(grid, cmap="RdBu_r", vmin=1 - reach, vmax=1 + reach, aspect="auto")
        for y, genre in enumerate(found[key]):
            ax.plot(
                ATTENTION_STEPS[genre], [y] * 3, "o", mfc="none", mec=INK, markersize=8, markeredgewidth=1.1
            )
        ax.set_yticks(range(len(grid)), found[key])
        ax.set_xticks(range(grid.shape[1]))
        ax.set_title(f"{key} ({analysis[key]['tracks']} tracks)")
        ax.tick_params(length=0)
        bare(ax, "left", "bottom")
    axes[-1].set_xlabel("step of the clip; rings: the paper's three steps of most attention")
    figure.colorbar(image, ax=axes, shrink=0.6, pad=0.02, label="attention, 1 = uniform").outline.set_visible(
        False
    )
    return figure


def pca_2d(analysis: Analysis) -> Figure:
    """Draw clips and the genres' means on the first two principal axes."""
    one = analysis["filtered"]
    points, labels, names = np.array(one["points"]["xyz"]), np.array(one["points"]["label"]), one["labels"]
    figure = blank(7.4, 5.4)
    ax = figure.subplots()
    clouds(ax, points[:, :2], labels, names, size=12, alpha=0.4)
    means = np.array([points[labels == label, :2].mean(axis=0) for label in range(len(names))])
    for name, colour, (x, y) in zip(names, hues(len(names)), means, strict=True):
        ax.scatter(x, y, color=colour, s=110, edgecolor="white", linewidth=1.4, zorder=4)
        note = ax.annotate(
            name, (x, y), xytext=(7, 5), textcoords="offset points", fontsize=10, fontweight="bold", zorder=5
        )
        halo(note)
    explained = [f"{100 * share:.0f} %" for share in one["explained"]]
    ax.set(xlabel=f"first axis, {explained[0]} of the variance", ylabel=f"second axis, {explained[1]}")
    ax.set_title("Codes of test clips, and the genres' means", fontsize=11)
    ax.set_aspect("equal", adjustable="datalim")
    ax.set_xticks([])
    ax.set_yticks([])
    bare(ax)
    return figure


def pca_3d(analysis: Analysis) -> Figure:
    """Draw clips and genres in three dimensions, as the paper has them."""
    one = analysis["filtered"]
    points, labels, names = np.array(one["points"]["xyz"]), np.array(one["points"]["label"]), one["labels"]
    figure = blank(7.4, 5.6)
    ax: Any = figure.add_subplot(projection="3d", computed_zorder=False)
    floor = points[:, 2].min()
    for label, (name, colour) in enumerate(zip(names, hues(len(names)), strict=True)):
        own = points[labels == label]
        ax.scatter(*own.T, color=colour, s=9, alpha=0.35, linewidth=0, depthshade=False, zorder=1)
        x, y, z = own.mean(axis=0)
        ax.plot([x, x], [y, y], [floor, z], color=colour, linewidth=1, zorder=2)
        ax.scatter(x, y, z, color=colour, s=90, edgecolor="white", linewidth=1.2, depthshade=False, zorder=3)
        halo(ax.text(x, y, z, f"  {name}", fontsize=9, fontweight="bold", zorder=10))
    for axis, place, share in zip("xyz", ("first", "second", "third"), one["explained"], strict=True):
        getattr(ax, f"set_{axis}label")(f"{place} axis, {100 * share:.0f} %", labelpad=-10, fontsize=9)
        getattr(ax, f"set_{axis}ticklabels")([])
        getattr(ax, f"{axis}axis").set_pane_color((0.975, 0.975, 0.975))
        getattr(ax, f"{axis}axis")._axinfo["grid"].update(color="#e2e2e2", linewidth=0.7)
    ax.view_init(elev=22, azim=-58)
    ax.set_box_aspect(None, zoom=1.12)
    ax.set_title("Codes of test clips in three dimensions, stems from the genres' means", fontsize=11)
    return figure


def tsne(analysis: Analysis) -> Figure:
    """Test slices laid out by t-SNE, as they are and as `kth-attention` embeds them."""
    one = analysis
    figure = blank(8.6, 4.9)
    titles = {"before": "before training: the windows", "after": "after: the network's embeddings"}
    for ax, (key, title) in zip(figure.subplots(1, 2), titles.items(), strict=True):
        handles = clouds(
            ax, np.array(one[key]["at"]), np.array(one["label"]), one["labels"], size=13, alpha=0.75
        )
        ax.set_title(f"{title}\n{one[key]['like']:.0%} of neighbours of the same genre", fontsize=10)
        ax.set_xticks([])
        ax.set_yticks([])
        ax.set_aspect("equal", adjustable="datalim")
        bare(ax)
    figure.legend(
        handles,
        one["labels"],
        loc="outside lower center",
        ncols=10,
        frameon=False,
        fontsize=8.5,
        handletextpad=0,
        columnspacing=0.8,
        markerscale=1.8,
    )
    return figure
