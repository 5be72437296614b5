"""A music folder with one file of every container, scanned and undone for real but for the hearing."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import sounds
from conftest import FakeTagger, Inline

from mgtag.bundle import Bundle
from mgtag.errors import UsageError
from mgtag.library.index import Index
from mgtag.library.policy import Policy
from mgtag.library.scan import scan
from mgtag.library.undo import Refused, Undone, undo
from mgtag.tags import digest, is_leftover

KINDS = ("mp3", "m4a", "flac", "ogg", "opus", "wma", "wav", "aiff", "wv", "ape")
BAD = ("damaged", "lost", "out_of_step", "leftover")
TAGS = {"title": "Söng", "artist": "A & B", "album": "Records"}


@dataclass
class Verdict:
    """What became of the files over many rounds; all but `rounds` and `struck` shall be 0."""

    rounds: int = 0
    struck: int = 0  # rounds in which the fault, or the kill, came before the end
    damaged: int = 0  # files that are neither as before nor as after
    lost: int = 0  # files that undo did not bring back to the byte
    out_of_step: int = 0  # files of which the journal says something else than the disk
    leftover: int = 0  # copies that lie about after the undo

    def add(self, other: Verdict) -> None:
        """Count another's rounds as well."""
        for name in ("rounds", "struck", *BAD):
            setattr(self, name, getattr(self, name) + getattr(other, name))


class Scene:
    """A folder with some files, and what they are before a scan and after one.

    With `no_index`, every round begins without one, so that making it is tried too.
    """

    def __init__(
        self, folder: Path, bundle: Bundle, kinds: Sequence[str] = KINDS, no_index: bool = False
    ) -> None:
        self.folder, self.tagger = folder, FakeTagger(bundle)
        self.empty = folder / "empty.db"
        if not no_index:
            folder.mkdir()
            Index(self.empty).close()
        self.music, self.pristine = folder / "music", folder / "pristine"
        for kind in kinds:
            (self.pristine / kind).mkdir(parents=True)
            sounds.make(self.pristine / kind / f"a.{kind}", 0.5, kind, sound="hum", tags=TAGS)
        self.reset()
        self.before = self.digests()
        self.scan()
        self.after = self.digests()
        assert all(self.before[name] != self.after[name] for name in self.before)
        self.reset()

    def reset(self) -> None:
        """Put all files back, and begin a new index."""
        shutil.rmtree(self.music, ignore_errors=True)
        shutil.copytree(self.pristine, self.music)
        for path in self.folder.glob("index.db*"):
            path.unlink()
        if self.empty.exists():
            shutil.copyfile(self.empty, self.folder / "index.db")

    def scan(self) -> None:
        """Tag every file."""
        with Index(self.folder / "index.db") as index:
            for _ in scan([self.music], self.tagger, index, Policy(mode="overwrite"), Inline()):
                pass

    def undo(self) -> list[Undone | Refused]:
        """Undo all that can be undone."""
        events: list[Undone | Refused] = []
        with Index(self.folder / "index.db") as index, suppress(UsageError):
            while True:
                found = list(undo(index))
                events += found
                if not any(isinstance(event, Undone) for event in found):
                    break
        return events

    def digests(self) -> dict[str, str]:
        """Return the SHA-256 of every file but leftovers."""
        return {
            str(path.relative_to(self.music)): digest(path) for path in self._files() if not is_leftover(path)
        }

    def judge(self, struck: bool) -> Verdict:
        """Look at the disk as an accident left it, undo, and look again; then begin anew."""
        found = Verdict(rounds=1, struck=int(struck))
        now = self.digests()
        whole = {name: (self.before[name], self.after[name]) for name in self.before}
        found.damaged = sum(now.get(name) not in either for name, either in whole.items())
        events = self.undo()
        undone = {str(event.path.relative_to(self.music)) for event in events if isinstance(event, Undone)}
        tagged = {name for name, sha in now.items() if sha == self.after.get(name)}
        found.out_of_step = len(tagged - undone) + len([e for e in events if not isinstance(e, Undone)])
        then = self.digests()
        found.lost = sum(then.get(name) != sha for name, sha in self.before.items())
        found.leftover = sum(is_leftover(path) for path in self._files())
        self.reset()
        return found

    def _files(self) -> list[Path]:
        return [path for path in self.music.rglob("*") if path.is_file()]
