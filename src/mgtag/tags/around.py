"""Tags around the sound: ID3v2 in front of it; APEv2 and ID3v1, with Lyrics3 between them, behind it.

Any of them may stand at an mp3, at Monkey's Audio and WavPack, and at a FLAC file too. They are
read in the order of `Around.read`. A field is written to the main one, which is made where there
is none, and to each other that has it, lest they contradict it.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, Literal

from mutagen._util import resize_bytes

from mgtag.tags import apev2, id3, id3_fields, id3v1
from mgtag.tags.fields import GENRE, Edits, Source


@dataclass(frozen=True)
class Around:
    """The tags around the sound of one kind of file.

    Attributes
    ----------
    main : {"ID3v2", "APEv2", ""}
        Which of them also gets mgtag's own field; none where the container has a better place.
    """

    main: Literal["ID3v2", "APEv2", ""]

    def read(self, file: BinaryIO) -> tuple[str, list[Source]]:
        """Return the kind of the tag that is read first, and the fields of each."""
        fronts = [(tag.name, Source(id3_fields.fields(tag))) for tag in id3.in_front(file)]
        ape = apev2.read_tag(file)
        behind = [("APEv2", Source(apev2.fields(ape)))] if ape.length else []
        found = behind + fronts if self.main == "APEv2" else fronts + behind
        for block in id3v1.blocks(file):
            fields = id3_fields.fields(id3_fields.from_id3v1(id3v1.frames(block)))
            found.append(("ID3v1", Source(fields, id3v1.room_for)))
        return found[0][0] if found else "", [source for _, source in found]

    def write(self, file: BinaryIO, edits: Edits, mgtag: str) -> None:
        """Exchange some fields and mgtag's own."""
        blocks = id3v1.blocks(file)
        said = id3v1.frames(blocks[0]) if blocks else {}
        tags = id3.in_front(file)
        length = sum(tag.length for tag in tags)
        if self.main == "ID3v2":
            tags = tags or [id3_fields.from_id3v1(said)]
        data = b"".join(
            id3.render(id3_fields.edited(tag, edits, mgtag if self.main == "ID3v2" and not n else None))
            for n, tag in enumerate(tags)
        )
        resize_bytes(file, length, len(data), 0)
        file.seek(0)
        file.write(data)
        ape = apev2.read_tag(file)
        if self.main == "APEv2" and not ape.length:
            ape = apev2.from_id3v1(ape.at, said)
        changed = apev2.edited(ape, edits, mgtag if self.main == "APEv2" else None)
        if changed != ape:
            apev2.write(file, changed)
        if GENRE in edits and not edits[GENRE].kept:
            id3v1.set_genre(file, edits[GENRE].names[0])

    def others(self, file: BinaryIO, fields: Collection[str]) -> Iterator[Hashable]:
        """Yield all that a change of these fields must leave as it is."""
        for tag in id3.in_front(file):
            yield from id3_fields.others(tag, fields)
        yield from (item for item in apev2.read_tag(file).items if not apev2.is_edited(item, fields))
        yield from (block[:-1] if GENRE in fields else block for block in id3v1.blocks(file))


MP3 = Around("ID3v2")
APE = Around("APEv2")
