"""Render the counts as `docs/reliability.md`."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from string import Template
from typing import Any

from bench.reliability.scene import BAD

Counts = Mapping[str, Mapping[str, Mapping[str, int]]]

_PAGE = Template(Path(__file__).with_suffix(".md").read_text())


def write(path: Path, counts: Mapping[str, Any]) -> None:
    """Write the page; the fuzzing's table stays as it is."""
    calls, moments, libraries = counts["calls"], counts["moments"], counts["libraries"]
    killed = {what: found for what, found in calls.items() if "kill" in what}
    everything = [*calls.values(), *moments.values()]

    def total(name: str, found: Any = everything) -> int:
        return sum(one[name] for one in found)

    in_undo = [found for what, found in killed.items() if what.endswith("undo")] + [moments["undo"]]
    library_keys = ("files", "tagged", "refused", "undone", "damaged", "lost", "out of step")
    text = _PAGE.substitute(
        date=f"{datetime.now(UTC):%Y-%m-%d}",
        system=f"{platform.system()} {platform.machine()}",
        python=platform.python_version(),
        faults=f"{total('struck'):,}",
        kills=f"{total('struck', [*killed.values(), *moments.values()]):,}",
        undo_kills=f"{total('struck', in_undo):,}",
        calls=_rows({what: [found["struck"], *(found[b] for b in BAD)] for what, found in calls.items()}),
        moments=_rows({w: [f["rounds"], f["struck"], *(f[b] for b in BAD)] for w, f in moments.items()}),
        libraries=_rows(
            {name: [found.get(key, 0) for key in library_keys] for name, found in libraries.items()}
        ),
        **{name: str(total(name)) for name in BAD},
    )
    path.write_text(_with_fuzzing(text, path.read_text() if path.exists() else ""))


def _rows(table: Mapping[str, list[int]]) -> str:
    return "\n".join(f"| {name} | " + " | ".join(f"{n:,}" for n in row) + " |" for name, row in table.items())


def _with_fuzzing(text: str, old: str) -> str:
    begin, end = "<!-- fuzzing -->", "<!-- /fuzzing -->"
    if begin in old and end in old:
        kept = old[old.index(begin) : old.index(end)]
        text = text[: text.index(begin)] + kept + text[text.index(end) :]
    return text
