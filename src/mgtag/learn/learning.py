"""Learn the listener's own genres: find the songs, hear those that are new, fit, measure, make the bundle."""

from __future__ import annotations

from collections.abc import Generator
from concurrent.futures import Executor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mgtag import bundle
from mgtag.bundle import Bundle
from mgtag.errors import UsageError
from mgtag.inference import Tagger
from mgtag.learn import own_bundle, promise
from mgtag.learn.promise import Learned, Row
from mgtag.learn.regression import PENALTY
from mgtag.learn.songs import Found, Source, examples, find_songs
from mgtag.library.events import Event
from mgtag.library.genre_map import GenreMap
from mgtag.library.index import Index
from mgtag.library.paths import from_text, to_text
from mgtag.library.policy import Policy
from mgtag.library.scan import scan


@dataclass(frozen=True)
class Settings:
    """What is learned from, and into which model.

    Attributes
    ----------
    paths : tuple of Path
        Absolute; without any, all that the index knows.
    source : {"tags", "folders"}
    name, base : str
        Of the new model, and of the one whose embedding it stands on.
    dry_run : bool
        Only measure.
    """

    paths: tuple[Path, ...] = ()
    source: Source = "tags"
    name: str = "mine"
    base: str = bundle.DEFAULT
    dry_run: bool = False
    genre_map: GenreMap = field(default_factory=GenreMap)


@dataclass(frozen=True)
class Outcome:
    """What came of it.

    Attributes
    ----------
    songs, unheard : int
        Learned from; and left out, since nothing could be heard in them.
    rows : tuple of Row
        Of every genre.
    learned : Learned or None
        None where fewer than two genres can be told.
    bundle : Bundle or None
        None where nothing was learned, or in a dry run.
    """

    songs: int
    unheard: int
    rows: tuple[Row, ...]
    learned: Learned | None
    bundle: Bundle | None


def again(name: str) -> Settings:
    """Return the settings with which a model was learned.

    Raises
    ------
    BundleError
        If there is none of that name.
    UsageError
        If it was not learned from a listener's genres.
    """
    card = bundle.find(name).card
    if card.architecture != own_bundle.ARCHITECTURE:
        raise UsageError(f"{name}: this model was not made by `mgtag learn`, so there is nothing to update.")
    paths = tuple(Path(from_text(path)) for path in card.data.get("paths", ()))
    source: Source = "folders" if card.data.get("from") == "folders" else "tags"
    return Settings(paths, source, name, from_text(str(card.data.get("base", bundle.DEFAULT))))


def learn(
    settings: Settings, tagger: Tagger, index: Index, executor: Executor
) -> Generator[Event, None, Outcome]:
    """Learn, telling of every file that has to be heard first.

    Parameters
    ----------
    settings : Settings
    tagger : Tagger
        Of the base model.
    index : Index
        Of which this process is the sole writer.
    executor : concurrent.futures.Executor
        Where files are heard.

    Raises
    ------
    UsageError
        If there are no songs with a genre, all have one genre, or the name or the base cannot be used.
    """
    base = tagger.bundle
    own_bundle.check_base(base)
    own_bundle.check_name(settings.name)
    ids = own_bundle.bundle_ids(base)
    found = find_songs(settings.paths, index, ids, settings.source)
    _check(found, settings)
    if unheard := [song.path for song in found.songs if not song.heard]:
        yield from scan(unheard, tagger, index, Policy(dry_run=True), executor, f"learn {settings.name}")
    made, songs = examples(found.songs, index, base, settings.genre_map)
    if not songs:
        raise UsageError(
            f"None of the {len(found.songs):,} songs with a genre could be heard; `mgtag scan --dry-run` on "
            "them says why."
        )
    if len(made.genres) < 2:
        raise UsageError(
            f"All {len(songs):,} songs are {made.genres[0]}; it takes two genres to tell one from the other."
        )
    learned = promise.learn(made, PENALTY)
    rows = learned.rows if isinstance(learned, Learned) else learned
    told = len(songs), len(found.songs) - len(songs), rows
    if not isinstance(learned, Learned):
        return Outcome(*told, None, None)
    new = None
    if not settings.dry_run:
        new = own_bundle.build(settings.name, base, learned, _data(settings, base, len(songs)))
    return Outcome(*told, learned, new)


def _check(found: Found, settings: Settings) -> None:
    where = ", ".join(map(str, settings.paths)) or "the index"
    if not found.files:
        hint = "name your music folder" if not settings.paths else "is this your music folder?"
        raise UsageError(f"{where}: there is no music here to learn from; {hint}")
    if len(found.unreadable) == found.files:
        raise UsageError(f"{where}: no file could be read, as {found.unreadable[0]}")
    if not found.songs:
        raise UsageError(
            f"{where}: none of {found.files:,} files has a genre that you wrote; tag some by hand, or learn "
            "from folders with --from folders."
        )


def _data(settings: Settings, base: Bundle, songs: int) -> dict[str, Any]:
    return {
        "name": "the listener's own genres",
        "base": to_text(Path(settings.base).absolute()) if Path(settings.base).is_dir() else settings.base,
        "from": settings.source,
        "paths": [to_text(path) for path in settings.paths],
        "songs": songs,
        "licence": base.card.data.get("licence", ""),
    }
