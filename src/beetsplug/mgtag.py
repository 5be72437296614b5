"""mgtag as a plugin of beets: genres for what has none, by listening.

In beets' configuration::

    plugins: mgtag
    mgtag:
        auto: yes          # at import
        model: ""          # as `mgtag models` lists them; "" is mgtag's own
        threshold: ""      # "" is the model's own
        force: no          # also where there is a genre already

``beet mgtag [QUERY]`` does the same for what is in the library. What was heard, written or not, is kept in
the flexible fields ``mgtag_heard`` and ``mgtag_confidence``: ``beet ls mgtag_confidence:0.9..``.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from optparse import Values
from typing import TYPE_CHECKING, Any

from beets import ui
from beets.dbcore import types
from beets.plugins import BeetsPlugin

from mgtag.errors import MgtagError

if TYPE_CHECKING:
    from mgtag import Tagger


class MgtagPlugin(BeetsPlugin):
    """Listens at import, and when it is asked to."""

    item_types = {"mgtag_confidence": types.FLOAT}  # noqa: RUF012 (as beets has it)

    def __init__(self) -> None:
        super().__init__()
        self.config.add({"auto": True, "model": "", "threshold": "", "force": False})
        self._tagger: Tagger | None = None
        if self.config["auto"]:
            self.import_stages = [self.imported]

    def commands(self) -> list[ui.Subcommand]:
        """Return ``beet mgtag``."""
        command = ui.Subcommand("mgtag", help="listen, and fill in genres where there are none")
        command.parser.add_option("-p", "--pretend", action="store_true", help="only say what would be done")
        command.parser.add_option("-f", "--force", action="store_true", help="also where there is a genre")
        command.func = self._command
        return [command]

    def imported(self, session: Any, task: Any) -> None:
        """Listen to what is being imported; beets writes the tags itself, if it is to."""
        self.listen(task.imported_items(), bool(self.config["force"]))

    def listen(self, items: Iterable[Any], force: bool = False, pretend: bool = False) -> int:
        """Listen to items and fill in their genres; return how many got one."""
        import mgtag

        if self._tagger is None:
            name = self.config["model"].as_str()
            self._tagger = mgtag.load_model(name) if name else mgtag.load_model()
        count = 0
        for item in items:
            try:
                answer = self._tagger.genre(os.fsdecode(item.path))
            except (MgtagError, OSError) as error:
                self._log.warning("{}", error)
                continue
            threshold = self.config["threshold"].get()
            sure = answer.sure if threshold in ("", None) else answer.confidence > float(threshold)
            filled = sure and answer.genres and (force or not item.get("genres"))
            told = "would get" if pretend else "gets"
            left = "keeps its genres" if item.get("genres") else "stays without a genre"
            self._log.info(
                "{}: {} {} ({:.0%})", item, told if filled else f"{left}; heard",
                ", ".join(answer.genres) or "no music", answer.confidence,
            )  # fmt: skip
            if not pretend:
                item["mgtag_heard"] = answer.genres[0] if answer.genres else ""
                item["mgtag_confidence"] = answer.confidence
                if filled:
                    item["genres"] = list(answer.genres)
                item.store()
            count += bool(filled)
        return count

    def _command(self, library: Any, options: Values, arguments: list[str]) -> None:
        items = list(library.items(arguments))
        force = bool(options.force or self.config["force"])
        before = {item.id: item.get("genres") for item in items}
        count = self.listen(items, force, bool(options.pretend))
        for item in items:
            if not options.pretend and ui.should_write() and item.get("genres") != before[item.id]:
                item.try_write()
        ui.print_(f"{count:,} of {len(items):,} {'would get' if options.pretend else 'got'} a genre.")
