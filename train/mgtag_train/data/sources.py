"""Where the music comes from: data sets, each described by constants.

Checksums and addresses are those that were published; the comment beside each says where. Where
none was published it is None, and that of the first download is remembered, which finds a file that
has rotted but vouches for nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath

from mgtag.errors import UsageError
from mgtag.features import MelSpec

MIB, GIB = 2**20, 2**30  # bytes


@dataclass(frozen=True)
class Archive:
    """A file to download.

    Attributes
    ----------
    urls : tuple of str
        Tried in turn; the checksum holds for all of them.
    folder : str
        What it unpacks to.
    checksum : str or None
        Such as ``"sha1:f0df…"``; None where nobody published one.
    size : int or None
        Bytes, as roughly as it was published; for progress, and to check the room on the disk.
    flat : bool
        Its files have no folder inside the archive; `folder` is made for them.
    """

    urls: tuple[str, ...]
    folder: str
    checksum: str | None = None
    size: int | None = None
    flat: bool = False

    @property
    def name(self) -> str:
        """Of the file."""
        return PurePosixPath(self.urls[0]).name


@dataclass(frozen=True)
class Source:
    """A data set, as constants.

    Attributes
    ----------
    labels : tuple of str
        Empty where the folders of the music tell them.
    split : str
        "filtered": committed lists; "published": the set's own; "artists": by seed, stratified, no
        artist on two sides as far as the artists are known.
    layout : {"gtzan", "fma", "genres"}
        How the clips lie in their folder; see `mgtag_train.data.clips`.
    archives : tuple of Archive
        Empty where there is nothing to download.
    subsets : tuple of str
        What `tracks.csv` of the Free Music Archive calls the tracks of this set; empty for all.
    """

    name: str
    citation: str
    licence: str
    url: str
    labels: tuple[str, ...]
    spec: MelSpec
    split: str
    layout: str
    archives: tuple[Archive, ...] = ()
    subsets: tuple[str, ...] = ()


GTZAN = Source(
    name="gtzan",
    citation="Tzanetakis, Cook: Musical genre classification of audio signals. IEEE TSAP 10(5), 2002",
    licence="none given; the recordings belong to others, so clips are never redistributed",
    url="http://marsyas.info/downloads/datasets.html",
    labels=("blues", "classical", "country", "disco", "hiphop", "jazz", "metal", "pop", "reggae", "rock"),
    spec=MelSpec(),
    # Repeats, mislabels and shared artists taken out: Sturm (arXiv:1306.1461);
    # Kereliuk, Sturm, Larsen: Deep learning and music adversaries. IEEE TMM 17(11), 2015.
    split="filtered",
    layout="gtzan",
    archives=(
        Archive(
            urls=(
                "http://opihi.cs.uvic.ca/sound/genres.tar.gz",  # torchaudio and mirdata name this one
                "https://huggingface.co/datasets/marsyas/gtzan/resolve/main/data/genres.tar.gz",
            ),
            folder="genres",
            # torchaudio and tensorflow_datasets; mirdata has the MD5, 5b3d6dddb579ab49814ab86dba69e7c7.
            checksum="sha256:24347e0223d2ba798e0a558c4c172d9d4a19c00bb7963fe055d183dadb4ef2c6",
            size=1_225_571_541,
        ),
    ),
)

FMA_URL = "https://os.unil.cloud.switch.ch/fma/"  # with sizes and SHA-1 in the README of mdeff/fma
FMA_METADATA = Archive(
    (FMA_URL + "fma_metadata.zip",),
    "fma_metadata",
    "sha1:f0df49ffe5f2a6008d7dc83c6915b31835dfe733",
    342 * MIB,
)
FMA_SMALL_LABELS = tuple(  # 1,000 tracks of each
    "Electronic,Experimental,Folk,Hip-Hop,Instrumental,International,Pop,Rock".split(",")
)
FMA_LABELS = tuple(
    "Blues,Classical,Country,Easy Listening,Electronic,Experimental,Folk,Hip-Hop,Instrumental,"
    "International,Jazz,Old-Time / Historic,Pop,Rock,Soul-RnB,Spoken".split(",")
)


def _fma(size: str, gib: float, sha1: str, labels: tuple[str, ...], *subsets: str) -> Source:
    folder = f"fma_{size}"
    return Source(
        name=f"fma-{size}",
        citation="Defferrard, Benzi, Vandergheynst, Bresson: FMA: A dataset for music analysis. ISMIR 2017",
        licence="metadata CC BY 4.0; each recording under the Creative Commons licence its artist chose",
        url="https://github.com/mdeff/fma",
        labels=labels,
        spec=MelSpec(),
        split="published",
        layout="fma",
        archives=(
            FMA_METADATA,
            Archive((f"{FMA_URL}{folder}.zip",), folder, f"sha1:{sha1}", round(gib * GIB)),
        ),
        subsets=subsets,
    )


FMA_SMALL = _fma("small", 7.2, "ade154f733639d52e35e32f5593efe5be76c6d70", FMA_SMALL_LABELS, "small")
FMA_MEDIUM = _fma("medium", 22, "c67b69ea232021025fca9231fc1c7c1a063ab50b", FMA_LABELS, "small", "medium")
# Tracks without a top genre, half of these two, are left out.
FMA_LARGE = _fma("large", 93, "497109f4dd721066b5ce5e5f250ec604dc78939e", FMA_LABELS)
FMA_FULL = _fma("full", 879, "0f0ace23fbe9ba30ecb7e95f763e435ea802b8ab", FMA_LABELS)

HOMBURG_LABELS = tuple("alternative blues electronic folkcountry funksoulrnb jazz pop raphiphop rock".split())
HOMBURG = Source(
    name="homburg",
    citation="Homburg, Mierswa, Möller, Morik, Wurst: A benchmark dataset for audio classification and "
    "clustering. ISMIR 2005",
    licence="none given; clips of 10 s that musicians offered freely on Garageband",
    url="https://www-ai.cs.tu-dortmund.de/audio.html",
    labels=HOMBURG_LABELS,
    spec=MelSpec(),
    split="artists",  # the set has none of its own
    layout="genres",
    # One archive a genre, named by antiphon/active-learning (experiment/1-setup-experiment.R); neither
    # sizes nor checksums were published.
    archives=tuple(
        Archive((f"http://www-ai.cs.uni-dortmund.de/AUDIO/{genre}.zip",), genre, flat=True)
        for genre in HOMBURG_LABELS
    ),
)

FOLDER = Source(
    name="folder",
    citation="a folder of music with one subfolder a genre",
    licence="that of the music in it",
    url="",
    labels=(),
    spec=MelSpec(),
    split="artists",
    layout="genres",
)

SOURCES = {
    source.name: source for source in (GTZAN, FMA_SMALL, FMA_MEDIUM, FMA_LARGE, FMA_FULL, HOMBURG, FOLDER)
}


@dataclass(frozen=True)
class LyricsSource:
    """A table of lyrics, as constants: gzipped CSV with a header line."""

    name: str
    citation: str
    licence: str
    columns: tuple[str, ...]
    labels: tuple[str, ...]


LYRICS = LyricsSource(
    name="lyrics",
    citation="a table of song lyrics with genre, gathered from eleven public repositories, split by artist",
    licence="copyrighted text of others: for training only, never redistributed",
    columns=("id", "artist", "title", "genre", "split", "lyrics"),
    # Those of its thirteen genres that have enough songs.
    labels=("rock", "pop", "hiphop", "country", "metal", "rnb"),
)


def find_source(name: str) -> Source:
    """Return a data set by its name.

    Raises
    ------
    UsageError
        If there is none of that name.
    """
    if name not in SOURCES:
        raise UsageError(f"There is no data set {name!r} to train on; there is {', '.join(SOURCES)}.")
    return SOURCES[name]
