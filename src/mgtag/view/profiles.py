"""A genre's attention over the twenty steps of a track."""

from __future__ import annotations

from rich.text import Text

from mgtag.explain.attention_profile import STEPS, Profile
from mgtag.view.text import dumps, stdout
from mgtag.view.timeline import bars, genre_style

WIDTH = 3  # columns a step
HEIGHT = 6  # rows
GUTTER = 7


def show_profile(found: Profile, as_json: bool) -> None:
    """Print one genre."""
    if as_json:
        row: dict[str, object] = {"genre": found.genre, "tracks": found.tracks}
        row |= {"weights": [round(float(w), 4) for w in found.weights]}
        row |= {"errors": [round(float(e), 4) for e in found.error]}
        print(dumps(row | {"top": found.top}))  # noqa: T201
        return
    console = stdout()
    tracks = f"{found.tracks:,} tracks" if found.tracks != 1 else "1 track"
    console.print(
        Text.assemble((found.genre, genre_style(found.genre)), (f", attention over {tracks}", "bold"))
    )
    highest = float(found.weights.max())
    for n, row_of_blocks in enumerate(bars(found.weights, HEIGHT)):
        name = f"{highest:.1f} ×" if n == 0 else ""
        line = Text.assemble((name.ljust(GUTTER), "dim"))
        for step, block in enumerate(row_of_blocks):
            line.append(block * (WIDTH - 1) + " ", genre_style(found.genre) if step in found.top else "dim")
        console.print(line)
    steps = "".join(str(step).ljust(WIDTH) for step in range(STEPS))
    console.print(Text("step".ljust(GUTTER) + steps, "dim"))
    console.print(Text.assemble(("top".ljust(GUTTER), "dim"), _marks(found.top)))
    console.print(f"Top three of {STEPS} steps: {', '.join(map(str, found.top))}.")
    spread = float((found.error / found.weights.clip(1e-6)).mean())
    if found.tracks > 1:
        console.print(
            Text(f"1 × is an average step; standard error of a step, on average {spread:.0%}\n", "dim")
        )


def _marks(steps: tuple[int, ...]) -> Text:
    return Text("".join(("▲" if n in steps else "").ljust(WIDTH) for n in range(STEPS)).rstrip())
