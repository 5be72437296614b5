"""An explanation as a picture, for papers and chats; needs matplotlib."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mgtag.explain.explanation import Explanation
from mgtag.explain.sketch import SoundPicture, height_of
from mgtag.extras import not_installed
from mgtag.view.methods import NAMES
from mgtag.view.text import clock, hex_colours, minutes, printable
from mgtag.view.timeline import columns, times

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SIZE = (11.0, 6.6)  # inches
DPI = 160
HEIGHTS = (1.0, 1.6, 1.2, 1.4)  # of the four plots
POINTS = 1600  # of the curve: more than the picture has columns of its own
LINED = 400  # slices at most with a line between them: more would be all lines
TICKS_HZ = (250, 1000, 4000)
INK, SOFT = "#1d1d1f", "#6e6e73"
OTHERS, SMALL = "#d9d9d6", 0.05  # what is never as probable as this is drawn together
RAMP = ("#ffffff", "#e9e4f2", "#c3a6d8", "#a04a9c", "#5b1a6e", "#1b0b33")  # softest to loudest
STYLE: Any = {
    "font.family": "sans-serif",
    "font.size": 9,
    "text.color": INK,
    "axes.labelcolor": SOFT,
    "axes.edgecolor": SOFT,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
}


def check() -> None:
    """Raise `UsageError` if pictures cannot be made here."""
    if find_spec("matplotlib") is None:
        raise not_installed("--png", "matplotlib", "plot")


def write_picture(
    target: Path, song: Path, made: Explanation, sound: SoundPicture, threshold: float | None = 0
) -> None:
    """Write a picture; the suffix says of which kind, see `mgtag.view.targets.PICTURES`.

    Parameters
    ----------
    threshold : float or None
        How sure the model must be for a genre to be written; None means never.
    """
    draw(song, made, sound, threshold).savefig(target)


def draw(song: Path, made: Explanation, sound: SoundPicture, threshold: float | None = 0) -> Figure:
    """Draw the four plots, from top to bottom: waveform, spectrogram, weights, probabilities."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(STYLE):
        figure = Figure(figsize=SIZE, dpi=DPI, layout="constrained", facecolor="white")
        wave, mel, curve, genres = figure.subplots(4, 1, sharex=True, height_ratios=HEIGHTS)
        _title(wave, song, made, sound, threshold)
        _wave(wave, made, sound)
        _mel(mel, made, sound)
        _curve(curve, made)
        _genres(genres, made)
        genres.set_xlim(0, sound.duration_s)
        genres.set_xticks(times(sound.duration_s), [clock(t) for t in times(sound.duration_s)])
        _legend(figure, made)
    return figure


def _title(ax: Axes, song: Path, made: Explanation, sound: SoundPicture, threshold: float | None) -> None:
    (genre, confidence), *others = made.ranking()
    told = f"{genre}, {confidence:.0%} sure" + "".join(f"; then {o}, {share:.0%}" for o, share in others)
    if not made.vote.passes(threshold):
        told += (
            "; never written" if threshold is None else f"; not sure enough to be written ({threshold:.0%})"
        )
    ax.set_title(
        f"{printable(song.stem)}  ({minutes(sound.duration_s)})", loc="left", weight="bold", fontsize=12
    )
    ax.set_title(told, loc="right", color=SOFT, fontsize=10)


def _wave(ax: Axes, made: Explanation, sound: SoundPicture) -> None:
    """Draw the outline, each slice in the colour of its genre, the stronger the surer."""
    edges = np.arange(len(sound.low) + 1) * sound.column_s
    slices = np.minimum((edges[:-1] / made.spec.slice_s).astype(int), len(made.heard) - 1)
    paints = _paints(made)
    colours = [
        (paints[best], 0.35 + 0.65 * float(row.max())) if best >= 0 else (SOFT, 0.3)
        for best, row in zip(made.heard, made.probabilities, strict=True)
    ]
    wide = max(0.5, 68 * SIZE[0] / len(sound.low))  # points a column: no gaps between them
    ax.vlines(edges[:-1], sound.low, sound.high, colors=[colours[n] for n in slices], linewidth=wide)
    peak = max(float(np.abs(sound.low).max()), float(np.abs(sound.high).max()), 1e-3)
    ax.set_ylim(-1.05 * peak, 1.05 * peak)
    ax.set_yticks([])
    ax.spines[:].set_visible(False)
    ax.tick_params(bottom=False)
    ax.set_ylabel("waveform")


def _mel(ax: Axes, made: Explanation, sound: SoundPicture) -> None:
    from matplotlib.colors import LinearSegmentedColormap

    right = sound.mel.shape[1] * sound.column_s
    ax.imshow(
        sound.mel,
        origin="lower",
        aspect="auto",
        extent=(0, right, 0, 1),
        cmap=LinearSegmentedColormap.from_list("mel", RAMP),
    )
    ax.set_yticks(height_of(TICKS_HZ, made.spec), [f"{hz / 1000:g}" for hz in TICKS_HZ])
    ax.set_ylabel("kHz, mel")


def _curve(ax: Axes, made: Explanation) -> None:
    covered_s = len(made.weights) * made.spec.slice_s
    count = min(POINTS, made.weights.size)
    values = columns(made.weights.ravel(), count)
    at = (np.arange(count) + 0.5) * covered_s / count
    ax.fill_between(at, values, color=INK, alpha=0.2, linewidth=0)
    ax.plot(at, values, color=INK, linewidth=0.7)
    ax.axhline(1, color=SOFT, linewidth=0.6, linestyle=(0, (4, 4)))
    top = max(2.0, float(values.max()))
    ax.set_ylim(0, 1.22 * top)
    for n, moment in enumerate(made.moments, 1):
        ax.axvspan(moment.start_s, moment.end_s, color=INK, alpha=0.08, linewidth=0)
        middle = (moment.start_s + moment.end_s) / 2
        colour = _paints(made)[made.genres.index(moment.genre)]
        ax.text(middle, 1.19 * top, str(n), color=colour, weight="bold", ha="center", va="top", fontsize=8)
    ax.set_ylabel(NAMES[made.method].replace(" by ", "\nby ") + ", ×")


def _genres(ax: Axes, made: Explanation) -> None:
    shares, slice_s, paints = made.probabilities, made.spec.slice_s, _paints(made)
    base = np.zeros(len(shares))
    line = 0.3 if len(shares) <= LINED else 0
    for n in np.argsort(-made.vote.probabilities, kind="stable"):
        paint = paints[n] if n in _shown(made) else OTHERS
        colours = [(paint, 1.0 if best == n else 0.5) for best in made.heard]
        ax.bar(
            made.prediction.starts_s, shares[:, n], slice_s, base, align="edge", color=colours,
            edgecolor="white", linewidth=line,
        )  # fmt: skip
        base += shares[:, n]
    ax.set_ylim(0, 1)
    ax.set_yticks([0, 0.5, 1], ["0", "50%", "100%"])
    ax.set_ylabel("probability")


def _legend(figure: Figure, made: Explanation) -> None:
    from matplotlib.patches import Patch

    shown = _shown(made)
    patches = [Patch(color=_paints(made)[n], label=made.genres[n]) for n in shown]
    if len(shown) < len(made.genres):
        patches.append(Patch(color=OTHERS, label="others"))
    figure.legend(handles=patches, loc="outside lower center", ncols=10, frameon=False, handlelength=0.8)


def _shown(made: Explanation) -> list[int]:
    """Return the genres that are drawn in their own colour: the best of a slice, or of some size in one."""
    large = {int(n) for n in np.flatnonzero(made.probabilities.max(axis=0) >= SMALL)}
    return sorted(large | {int(n) for n in made.heard if n >= 0}, key=lambda n: -made.vote.probabilities[n])


def _paints(made: Explanation) -> list[str]:
    return [*hex_colours(made.genres).values()]
