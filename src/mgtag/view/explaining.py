"""What becomes of an explanation: a terminal's page, a line of JSON, a picture, a web page."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from mgtag.bundle import Bundle
from mgtag.errors import error_sentence
from mgtag.explain.explanation import Explanation
from mgtag.explain.sketch import SoundPicture
from mgtag.explain.whole_file import Tell
from mgtag.view.explain_json import as_row
from mgtag.view.explain_text import print_explanation
from mgtag.view.targets import PICTURES, prepare, target, writing
from mgtag.view.text import BAD, dumps, minutes, printable, stderr


class ExplainView:
    """Shows explanations in the forms that were asked for.

    Parameters
    ----------
    bundle : Bundle
    html, png : Path, optional
        Files to write; folders for several songs.
    as_json : bool
    embed_audio : bool
        Put the song into the page.
    several : bool
        Whether there is more than one song.

    Raises
    ------
    UsageError
        If there is no place to write to: before a song is heard, which takes a while.
    """

    def __init__(
        self,
        bundle: Bundle,
        html: Path | None = None,
        png: Path | None = None,
        as_json: bool = False,
        embed_audio: bool = False,
        several: bool = False,
    ) -> None:
        self.failed = False
        self._bundle, self._json, self._embed = bundle, as_json, embed_audio
        self._html, self._png = html, png
        self._err = stderr()
        if png is not None:
            from mgtag.view.picture import check

            check()
        for asked, kinds in ((html, None), (png, PICTURES)):
            if asked is not None:
                prepare(asked, several, kinds)

    @contextmanager
    def listening(self, duration_s: float) -> Iterator[tuple[Tell, Tell]]:
        """Show on stderr how far a file has been heard, and how far it has been explained."""
        with Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            TextColumn("{task.fields[told]}"),
            TimeRemainingColumn(compact=True),
            console=self._err,
            transient=True,
            expand=True,
            disable=not self._err.is_terminal,
        ) as progress:

            def stage(name: str) -> Tell:
                task = progress.add_task(name, total=duration_s, told="", visible=False)

                def tell(seconds: float) -> None:
                    at = min(seconds, duration_s)
                    progress.update(task, completed=at, told=f"{minutes(at)} of {minutes(duration_s)}")
                    for one in progress.task_ids:  # one bar at a time
                        progress.update(one, visible=one == task)

                return tell

            yield stage("listening"), stage("explaining")

    def fail(self, path: Path, error: Exception) -> None:
        """Say why a file could not be explained."""
        self.failed = True
        self._err.print(Text.assemble(("failed  ", f"bold {BAD}"), printable(error_sentence(path, error))))

    def show(self, path: Path, made: Explanation, sound: SoundPicture) -> None:
        """Show one song, and say which files were written."""
        if self._html is not None:
            from mgtag.view.page import write_page

            page = target(self._html, path, ".html")
            with writing(page):
                write_page(page, path, made, sound, self._bundle, self._embed)
            self._say(page)
        if self._png is not None:
            from mgtag.view.picture import write_picture

            picture = target(self._png, path, ".png")
            with writing(picture):
                write_picture(picture, path, made, sound, self._bundle.card.heads[made.head].threshold)
            self._say(picture)
        if self._json:
            print(dumps(as_row(path, made, sound.duration_s, self._bundle)), flush=True)  # noqa: T201
        elif self._html is None and self._png is None:
            print_explanation(path, made, sound.duration_s, self._bundle)

    def _say(self, written: Path) -> None:
        self._err.print(f"wrote {printable(written)} ({written.stat().st_size / 1e6:.1f} MB)")
