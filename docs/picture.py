"""Turn what a terminal showed into a picture.

``tmux capture-pane -ep | python docs/picture.py run.svg TITLE``
"""

from __future__ import annotations

import io
import re
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

COLUMNS = 92


def main() -> None:
    """Read ANSI text from stdin and write an SVG that needs no network."""
    target, title = Path(sys.argv[1]), sys.argv[2]
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), highlight=False)
    console.print(Text.from_ansi(sys.stdin.read().rstrip()))
    svg = console.export_svg(title=title)
    target.write_text(re.sub(r"@font-face \{.*?\}\n", "", svg, flags=re.DOTALL), encoding="utf-8")


if __name__ == "__main__":
    main()
