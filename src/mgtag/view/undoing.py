"""An undo as it goes on."""

from __future__ import annotations

from rich.text import Text

from mgtag.library.undo import Refused, Undone
from mgtag.view.text import BAD, GOOD, dumps, joined, printable, stderr, stdout


class UndoView:
    """Shows what became of every file of a run, above `status`."""

    def __init__(self, as_json: bool = False, dry_run: bool = False) -> None:
        self.undone = 0
        self.refused = 0
        self._json, self._dry_run = as_json, dry_run
        self._err = stderr()
        self.status = self._err.status("putting tags back")

    def show(self, event: Undone | Refused) -> None:
        """Count an event and tell it."""
        if isinstance(event, Undone):
            self.undone += 1
            self.status.update(f"putting tags back: {self.undone:,}")
            row: dict[str, object] = {"path": str(event.path), "event": "undone"}
            row |= {"genres": event.genres, "moods": event.values.get("mood", ()), "error": None}
            line = Text.assemble(
                ("would be undone  " if self._dry_run else "undone  ", GOOD),
                f"{joined(event.genres):<12} {printable(event.path)}",
            )
        else:
            self.refused += 1
            row = {
                "path": str(event.path),
                "event": "refused",
                "genres": [],
                "moods": [],
                "error": event.error,
            }
            line = Text.assemble(("refused ", f"bold {BAD}"), printable(event.error))
        if self._json:
            print(dumps(row), flush=True)  # noqa: T201
        else:
            self._err.print(line)

    def summary(self) -> None:
        """Print how many."""
        console = self._err if self._json else stdout()
        done = "would be put back" if self._dry_run else "put back"
        console.print(f"{self.undone:,} {done} as they were, {self.refused:,} left alone")
