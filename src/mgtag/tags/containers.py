"""Which kind of file this is, by its content; a name's extension is only a promise."""

from __future__ import annotations

import re
from collections.abc import Collection, Hashable, Iterable
from typing import Any, BinaryIO, Protocol

from mutagen import mp3

from mgtag.errors import TagError
from mgtag.tags import id3
from mgtag.tags.around import APE, MP3, Around
from mgtag.tags.asf import Asf
from mgtag.tags.chunked import AIFF, WAVE, Chunked
from mgtag.tags.fields import Edits, Source
from mgtag.tags.mp4 import Mp4
from mgtag.tags.vorbis import Flac, Ogg


class Container(Protocol):
    """How tags are read and written in one kind of file; all work on an open file."""

    def read(self, file: BinaryIO) -> tuple[str, list[Source]]:
        """Return the kind of tag, empty where there is none, and the fields of each tag of the file."""

    def write(self, file: BinaryIO, edits: Edits, mgtag: str) -> None:
        """Exchange some fields and mgtag's own, in place."""

    def others(self, file: BinaryIO, fields: Collection[str]) -> Iterable[Hashable]:
        """Yield all but these fields and mgtag's own that the tags hold, to be compared before and after."""


_MAGIC: list[tuple[re.Pattern[bytes], Container]] = [
    (re.compile(rb"fLaC"), Flac()),
    (re.compile(rb"MAC |wvpk|MPCK|MP\+|tBaK"), APE),
    (re.compile(rb"OggS"), Ogg()),
    (re.compile(rb"....ftyp", re.DOTALL), Mp4()),
    (re.compile(rb"RIFF....WAVE", re.DOTALL), WAVE),
    (re.compile(rb"FORM....AIF[FC]", re.DOTALL), AIFF),
    (re.compile(re.escape(bytes.fromhex("3026b2758e66cf11"))), Asf()),
]
_UNKNOWN = "this is no kind of audio file that mgtag can tag."
# AU, Wave64, CAF, DSF, DSDIFF, Matroska, TTA, ADIF, AMR: a frame of an mp3 may be found in them by chance.
_FOREIGN = (
    b".snd",
    b"riff.\x91\xcf\x11",
    b"caff",
    b"DSD ",
    b"FRM8",
    b"\x1aE\xdf\xa3",
    b"TTA",
    b"ADIF",
    b"#!AMR",
)
_BEHIND_ID3 = (Flac, Around)  # what some put an ID3 tag in front of, and players put up with


def check_writable(file: BinaryIO) -> None:
    """Raise `TagError` for an open file that is not to be tagged, before anything is copied."""
    container = recognise(file)
    if isinstance(container, Chunked):
        container.check_writable(file)


def recognise(file: BinaryIO) -> Container:
    """Tell the kind of an open file.

    Raises
    ------
    TagError
        If it is none that mgtag can tag.
    """
    n = id3.end_of_front(file)
    file.seek(n)
    head = file.read(16)
    if not head:
        raise TagError("there is nothing in this file to tag.")
    for magic, container in _MAGIC:
        if magic.match(head) and (not n or isinstance(container, _BEHIND_ID3)):
            return container
    if head.startswith((b"RF64", b"BW64")):
        raise TagError("a wav of this kind (RF64, made for more than 4 GB) has no tags that players read.")
    file.seek(0)
    try:
        info: Any = mp3.MP3(file).info  # what looks like a frame or two, somewhere in something else
    except Exception as error:  # its parser raises whatever a damaged file makes it
        raise TagError(_UNKNOWN) from error
    if info.sketchy or head.startswith(_FOREIGN):
        raise TagError(_UNKNOWN)
    return MP3
