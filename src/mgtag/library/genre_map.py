"""What is written for a genre that was heard: the listener's own words, spellings, and what never is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

from mgtag.errors import UsageError
from mgtag.extras import not_installed

# By `key`: how MusicBrainz writes a genre where it is not the name in lower case.
_MUSICBRAINZ = {
    "hiphop": "hip hop",
    "rb": "r&b",
    "drumbass": "drum and bass",
    "rockroll": "rock and roll",
    "triphop": "trip hop",
    "synthpop": "synth-pop",
    "kpop": "k-pop",
    "jpop": "j-pop",
    "lofi": "lo-fi",
}
SPELLINGS = ("model", "id3", "musicbrainz")
# Names that are written in one word though "and" is left out of them, or in short.
_JOINED = {
    "rnb": "rb",
    "randb": "rb",
    "rhythmblues": "rb",
    "db": "drumbass",
    "dnb": "drumbass",
    "drumnbass": "drumbass",
    "rocknroll": "rockroll",
}
_KEYS = ("write", "only", "never", "aliases", "spelling", "tree", "parents")


@dataclass(frozen=True)
class GenreMap:
    """What is written for each genre.

    Attributes
    ----------
    write : mapping of str to tuple of str
        By `key` of the genre heard: what is written instead, a genre and its sub-genre as two values, say.
    only, never : tuple of str
        Keys of genres; `only`, unless empty, is all that may be written, `never` what may not.
    aliases : mapping of str to str
        By `key`: other names of a genre, for finding it.
    spelling : {"model", "id3", "musicbrainz"}
        As the model names a genre; as ID3's list of genres does, or MusicBrainz, where they have it.
    parents : mapping of str to tuple of str
        By `key`: what stands above a genre, highest first; written before it where `with_parents`.
    """

    write: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    only: tuple[str, ...] = ()  # no sets: a run is known by the policy's repr, which must not vary
    never: tuple[str, ...] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)
    spelling: str = "model"
    parents: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    with_parents: bool = False

    def values(self, genre: str) -> tuple[str, ...]:
        """Return what is written for a genre that was heard; nothing if it never is."""
        if self.refusal(genre):
            return ()
        if key(genre) in self.write:
            return self.write[key(genre)]
        above = self.above(genre) if self.with_parents else ()
        return tuple(dict.fromkeys(self._spelled(name) for name in (*above, genre)))

    def above(self, genre: str) -> tuple[str, ...]:
        """Return the genres above one in the tree, highest first."""
        return self.parents.get(key(genre), ())

    def names_of(self, genre: str) -> tuple[str, ...]:
        """Return the listener's other names of a genre."""
        return tuple(one for one, name in self.aliases.items() if key(name) == key(genre))

    def strangers(self, heard: Iterable[str]) -> list[str]:
        """Return what the settings speak of that is none of these genres, such as a misspelt one."""
        known = set(map(key, heard))
        return sorted({*self.write, *self.only, *self.never} - known)

    def apply(self, answer: tuple[str, ...]) -> tuple[tuple[str, ...], str]:
        """Return what is written for an answer, best first, and why it is nothing; "" where it is not."""
        values = tuple(dict.fromkeys(value for genre in answer for value in self.values(genre)))
        return values, self.refusal(answer[0]) if answer and not values else ""

    def refusal(self, genre: str) -> str:
        """Say why a genre is never written, in a few words; "" if it may be."""
        if key(genre) in self.never:
            return f"{genre} is never to be written"
        if self.only and key(genre) not in self.only:
            return f"{genre} is not among the genres to be written"
        return ""

    def canonical(self, name: str) -> str:
        """Return the key by which a genre is found, however it is spelled."""
        return key(self.aliases.get(key(name), name))

    def _spelled(self, genre: str) -> str:
        if self.spelling == "musicbrainz":
            return _MUSICBRAINZ.get(key(genre), genre.lower())
        return _id3().get(key(genre), genre) if self.spelling == "id3" else genre


def key(name: str) -> str:
    """Fold what spellings of one genre differ in: case, spaces, signs, "and", "n" or "&" between two words.

    The one function by which genres are compared, wherever they are: "Hip-Hop" is "hip hop", "RnB" is "R&B".
    """
    folded = re.sub(r"\band\b|\bn\b", "", name.casefold())
    joined = re.sub(r"[\W_]", "", folded)
    return _JOINED.get(joined, joined) or name


@cache
def _id3() -> dict[str, str]:
    """Return ID3's list of genres, by `key`; of two spellings the older."""
    from mutagen.id3 import TCON

    return {key(name): name for name in reversed(TCON.GENRES)}


def read_genre_map(settings: Mapping[str, Any], path: Path) -> GenreMap:
    """Make a genre map of the ``[genres]`` table of the settings.

    Parameters
    ----------
    settings : mapping
        ``write`` (table), ``only``, ``never`` (lists), ``aliases`` (table), ``spelling`` (of `SPELLINGS`),
        ``tree`` (a genre tree as beets' lastgenre reads it), ``parents`` (bool).
    path : Path
        Of the settings, for messages and for where ``tree`` is relative to.

    Raises
    ------
    UsageError
        If a key or a value is not among these.
    """
    for name in settings:
        if name not in _KEYS:
            near = get_close_matches(name, _KEYS, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(_KEYS)}."
            raise UsageError(f"{path}: [genres] has no setting {name!r}; {hint}")
    spelling = settings.get("spelling", "model")
    if spelling not in SPELLINGS:
        raise UsageError(f"{path}: [genres] spelling is {spelling!r}; give 'model', 'id3' or 'musicbrainz'.")
    write = {
        key(name): _names(value, "write", path) for name, value in _table(settings, "write", path).items()
    }
    aliases = _table(settings, "aliases", path)
    tree = settings.get("tree")
    return GenreMap(
        write=write,
        only=tuple(map(key, _names(settings.get("only", ()), "only", path))),
        never=tuple(map(key, _names(settings.get("never", ()), "never", path))),
        aliases={key(one): name for name, value in aliases.items() for one in _names(value, "aliases", path)},
        spelling=spelling,
        parents=read_tree(path.parent / Path(tree).expanduser()) if tree else {},
        with_parents=bool(settings.get("parents", tree is not None)),
    )


def read_tree(path: Path) -> dict[str, tuple[str, ...]]:
    """Read a genre tree (beets' ``genres-tree.yaml``): nested lists, a parent as the key of its children.

    Returns
    -------
    dict of str to tuple of str
        By `key` of each genre, the genres above it, highest first.

    Raises
    ------
    UsageError
        If it is not there, or cannot be read.
    """
    if not path.exists():
        raise UsageError(f"{path}: there is no such file.")
    try:
        import yaml
    except ModuleNotFoundError as error:
        raise not_installed(f"{path}: a genre tree", "PyYAML", "beets") from error
    try:
        tree = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UsageError(f"{path}: this genre tree cannot be read ({error}).") from error
    found: dict[str, tuple[str, ...]] = {}
    _walk(tree, (), found)
    return found


def _walk(node: Any, above: tuple[str, ...], found: dict[str, tuple[str, ...]]) -> None:
    if isinstance(node, Mapping):
        for name, children in node.items():
            found.setdefault(key(str(name)), above)
            _walk(children, (*above, str(name).title()), found)
    elif isinstance(node, Sequence) and not isinstance(node, str):
        for child in node:
            _walk(child, above, found)
    elif node is not None:
        found.setdefault(key(str(node)), above)


def _table(settings: Mapping[str, Any], name: str, path: Path) -> Mapping[str, Any]:
    value = settings.get(name, {})
    if not isinstance(value, Mapping):
        raise UsageError(f"{path}: [genres] {name} is no table; write [genres.{name}] and one genre a line.")
    return value


def _names(value: Any, name: str, path: Path) -> tuple[str, ...]:
    names = (value,) if isinstance(value, str) else tuple(value) if isinstance(value, (list, tuple)) else None
    if names is None or not all(isinstance(one, str) and one.strip() for one in names):
        raise UsageError(
            f"{path}: [genres] {name} holds {value!r}; give a genre in quotes, or a list of them."
        )
    return names
