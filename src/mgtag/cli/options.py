"""The options that several commands have."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from mgtag.cli.completing import models


class Device(StrEnum):
    """Where the network runs."""

    auto = "auto"
    cpu = "cpu"
    cuda = "cuda"


def share(value: str | float) -> float:
    """Read a share of one: 0.85, or 85%."""
    text = str(value).strip()
    try:
        number = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no number; give one like 0.85 or 85%.") from None
    if not 0 <= number <= 1:
        hint = f"; did you mean {text}%?" if 1 < number <= 100 else "."
        raise typer.BadParameter(f"{text} is not between 0 and 1 (or 0% and 100%){hint}")
    return number


IndexOption = Annotated[
    Path | None,
    typer.Option("--index", metavar="FILE", help="The index to use instead of the one in your data folder."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object a line on stdout.")]
ModelOption = Annotated[
    str,
    typer.Option("--model", help="A model's name (see `mgtag models`) or folder.", autocompletion=models),
]
DeviceOption = Annotated[Device, typer.Option("--device", help="Where the network runs.")]
ListenersOption = Annotated[
    int | None,
    typer.Option("--jobs", "-j", min=1, help="Files to listen to at once; default: the cores."),
]
ThresholdOption = Annotated[
    float | None,
    typer.Option(
        "--threshold",
        parser=share,
        metavar="SHARE",
        help="Confidence from which a genre is written, 0.9 or 90%; default: the model's own.",
    ),
]
MoodOption = Annotated[
    bool, typer.Option("--mood", help="Write the mood, too, by the same rules; not every model hears it.")
]
BpmOption = Annotated[
    bool, typer.Option("--bpm", help="Write the tempo, too, where there is none; needs the extra analysis.")
]
KeyOption = Annotated[
    bool, typer.Option("--key", help="Write the key, too, where there is none; needs the extra analysis.")
]
NoLyricsOption = Annotated[
    bool, typer.Option("--no-lyrics", help="Leave a song's words out, in its tags or beside it.")
]
YesOption = Annotated[
    bool, typer.Option("--yes", "-y", help="Write below the root or the whole home folder, too.")
]
