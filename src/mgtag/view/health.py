"""What `mgtag check` and `mgtag doctor` found."""

from __future__ import annotations

from collections.abc import Mapping

from rich.text import Text

from mgtag.library.check import Checked, Difference
from mgtag.view.text import BAD, GOOD, dumps, printable, stderr, stdout


class CheckView:
    """Shows differences as they are found, above `status`."""

    def __init__(self, as_json: bool = False) -> None:
        self.mended = self.mendable = self.others = 0
        self._json = as_json
        self._err = stderr()
        self._out = stdout()
        self.status = self._err.status("comparing index, journal and files")

    def show(self, event: Difference | Checked) -> None:
        """Count a difference and tell it; at the end, how many there were."""
        if isinstance(event, Checked):
            self.status.stop()
            self._summary(event)
            return
        can_be = event.mend is not None
        self.mended += event.mended
        self.mendable += can_be and not event.mended
        self.others += not can_be
        if self._json:
            row = {"path": str(event.path), "what": event.what, "can_be_mended": can_be}
            print(dumps(row | {"mended": event.mended}), flush=True)  # noqa: T201
            return
        name, style = (
            ("mended  ", GOOD)
            if event.mended
            else ("differs ", f"bold {BAD}")
            if can_be
            else ("note    ", "")
        )
        self.status.stop()  # or it would stand in the same line
        self._out.print(Text.assemble((name, style), f"{printable(event.path)}: {printable(event.what)}"))
        self.status.start()

    def _summary(self, checked: Checked) -> None:
        line = f"{checked.files:,} files and {checked.changes:,} changes compared: {self.mended:,} mended, "
        line += f"{self.mendable:,} that --mend can mend, {self.others:,} to know of"
        (self._err if self._json else self._out).print(line)


def show_facts(sections: Mapping[str, Mapping[str, str]], as_json: bool) -> None:
    """Print what `mgtag.doctor.examine` found."""
    if as_json:
        print(dumps(sections))  # noqa: T201
        return
    console = stdout()
    for name, facts in sections.items():
        console.print(Text(name, "bold"))
        for key, value in facts.items():
            console.print(Text(f"  {printable(key)}: {printable(value)}"))
