"""The command line: parse, one call, view. No logic, and nothing heavy imported before it is needed."""

from __future__ import annotations

import sys
from io import TextIOWrapper

# They register themselves.
from mgtag.cli import (  # noqa: F401
    config,
    explain,
    explore,
    genres,
    health,
    lab,
    learn,
    library,
    models,
    scan,
    train,
    undo,
    watch,
)
from mgtag.cli.app import Exit, app, exit_code
from mgtag.errors import MgtagError


def main() -> None:
    """Run mgtag and leave with the exit code that tells how it went."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # a code page without "█" shall end no scan
    try:
        app(prog_name="mgtag")
    except MgtagError as error:
        from mgtag.view.text import printable, stderr

        stderr().print(f"mgtag: {printable(error)}")
        sys.exit(exit_code(error))
    except KeyboardInterrupt:
        sys.exit(Exit.INTERRUPTED)
