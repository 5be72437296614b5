"""What is written stands where Navidrome and Jellyfin look for it; the guide names where they say so."""

from __future__ import annotations

import json
import re
from pathlib import Path

import mutagen
import pytest
from mutagen.id3 import ID3
from tagging import provenance, write_all
from test_tags import CONTAINERS, song

from mgtag.bundle_folders import CARD, SHIPPED

# Of Navidrome's resources/mappings.yaml; case does not count, and TagLib calls TXXX:MOOD "MOOD".
NAVIDROME = {
    "genre": {"tcon", "genre", "©gen", "wm/genre", "ignr"},
    "mood": {"tmoo", "mood", "----:com.apple.itunes:mood", "wm/mood"},
}
SEPARATORS = re.compile("[;/,]")  # at which Navidrome parts a genre that is a single value


@pytest.mark.parametrize("kind", CONTAINERS)
def test_genre_and_mood_stand_where_navidrome_looks_for_them(tmp_path: Path, kind: str) -> None:
    path = song(tmp_path, kind)
    write_all(path, provenance("Rock", "R&B") | provenance("Calm", "Sad", field="mood"))
    found = {key.removeprefix("TXXX:").casefold(): value for key, value in mutagen.File(path).tags.items()}
    for field, values in (("genre", ["Rock", "R&B"]), ("mood", ["Calm", "Sad"])):
        (key,) = NAVIDROME[field] & found.keys()
        told = getattr(found[key], "text", found[key])
        assert [v.decode() if isinstance(v, bytes) else str(v) for v in told] == values


def test_an_older_id3_keeps_the_mood_where_navidrome_finds_it(tmp_path: Path) -> None:
    path = song(tmp_path, "mp3")
    tag = ID3(path)
    tag.update_to_v23()
    tag.save(v2_version=3)
    write_all(path, provenance("Calm", field="mood"))
    assert "TXXX:MOOD" in ID3(path, translate=False)


def test_no_genre_of_a_shipped_model_is_parted() -> None:
    for card in SHIPPED.glob(f"*/{CARD}"):
        for written in re.findall(r'"written": (\{.*?\})', card.read_text(), re.DOTALL):
            for name in filter(None, json.loads(written).values()):
                assert not SEPARATORS.search(name)
