"""The listener's own words for genres."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mgtag.errors import UsageError
from mgtag.library.genre_map import GenreMap, key, read_genre_map

FILE = Path("config.toml")


def made(**settings: Any) -> GenreMap:
    return read_genre_map(settings, FILE)


def test_without_settings_a_genre_is_written_as_it_was_heard() -> None:
    assert GenreMap().values("R&B") == made().values("R&B") == ("R&B",)


def test_a_genre_becomes_another_or_a_genre_and_its_sub_genre() -> None:
    genres = made(write={"hip hop": "Rap", "Metal": ["Rock", "Heavy Metal"]})
    assert genres.values("Hip-Hop") == ("Rap",)
    assert genres.values("Metal") == ("Rock", "Heavy Metal")
    assert genres.values("Jazz") == ("Jazz",)


def test_only_and_never_refuse_and_say_why() -> None:
    genres = made(only=["jazz", "Pop"], never=["pop"])
    assert genres.values("Jazz") == ("Jazz",)
    assert genres.values("Pop") == genres.values("Rock") == ()
    assert genres.refusal("Pop") == "Pop is never to be written"
    assert genres.refusal("Rock") == "Rock is not among the genres to be written"


def test_musicbrainz_spells_in_lower_case() -> None:
    genres = made(spelling="musicbrainz")
    assert [genres.values(g) for g in ("Hip-Hop", "R&B", "Jazz")] == [("hip hop",), ("r&b",), ("jazz",)]


@pytest.mark.parametrize("name", ["Hip-Hop", "hip hop", "HipHop", "HIP_HOP"])
def test_a_genre_is_found_however_it_is_spelled(name: str) -> None:
    assert key(name) == "hiphop"
    assert key("Drum & Bass") == key("drum and bass")
    assert made(aliases={"Hip-Hop": ["Rap"]}).canonical("rap") == "hiphop"
    assert key("🎸") != key("★")


def test_a_tree_gives_parents(tmp_path: Path) -> None:
    pytest.importorskip("yaml")
    (tmp_path / "tree.yaml").write_text("- rock:\n    - metal:\n        - doom metal\n    - punk\n- jazz\n")
    genres = read_genre_map({"tree": "tree.yaml"}, tmp_path / "config.toml")
    assert genres.values("Metal") == ("Rock", "Metal")
    assert genres.values("Jazz") == ("Jazz",)
    assert genres.parents[key("doom metal")] == ("Rock", "Metal")
    plain = read_genre_map({"tree": "tree.yaml", "parents": False}, tmp_path / "config.toml")
    assert plain.values("Metal") == ("Metal",)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"nevr": []}, "did you mean 'never'?"),
        ({"spelling": "latin"}, "give 'model', 'id3' or 'musicbrainz'"),
        ({"never": 3}, "never holds 3"),
        ({"only": [""]}, "only holds"),
        ({"write": "Rap"}, "write [genres.write]"),
        ({"write": {"Pop": 1}}, "write holds 1"),
        ({"tree": "nowhere.yaml"}, "there is no such file"),
    ],
)
def test_a_mistake_is_a_sentence(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError) as error:
        read_genre_map(settings, FILE)
    assert words in str(error.value)


@pytest.mark.parametrize(
    "spellings",
    [
        ("Hip-Hop", "hip hop", "Hiphop", "HIP_HOP"),
        ("R&B", "RnB", "R'n'B", "r n b", "R and B", "Rhythm and Blues", "Rhythm & Blues"),
        ("Drum & Bass", "drum and bass", "Drum'n'Bass", "Drum n Bass", "DnB", "D&B"),
        ("Rock & Roll", "Rock'n'Roll", "rock n roll", "Rocknroll"),
        ("Trip-Hop", "trip hop", "TripHop"),
        ("Synth-Pop", "synthpop"),
    ],
)
def test_spellings_of_a_genre_are_one_and_nothing_else_is(spellings: tuple[str, ...]) -> None:
    assert len(set(map(key, spellings))) == 1
    others = ("Rock", "Pop", "Blues", "Band", "Nu Metal", "House", "Big Band", "Grunge", "!!!", "Andean")
    assert len({key(name) for name in (*others, spellings[0])}) == len(others) + 1


def test_id3_spells_as_its_list_and_a_model_as_it_does() -> None:
    names = ("hip hop", "RnB", "drum n bass", "Shoegaze", "Nobody's Genre")
    spelled = ("Hip-Hop", "R&B", "Drum & Bass", "Shoegaze", "Nobody's Genre")
    assert tuple(made(spelling="id3").values(name)[0] for name in names) == spelled
    assert tuple(made().values(name)[0] for name in names) == names
    assert made(spelling="id3", write={"hip hop": "hiphop"}).values("Hip-Hop") == ("hiphop",)


def test_parents_are_spelled_alike(tmp_path: Path) -> None:
    pytest.importorskip("yaml")
    (tmp_path / "tree.yaml").write_text("- hip hop:\n    - trap\n")
    settings = {"tree": "tree.yaml", "spelling": "id3"}
    assert read_genre_map(settings, tmp_path / "config.toml").values("Trap") == ("Hip-Hop", "Trap")


def test_what_no_model_hears_is_told() -> None:
    genres = made(never=["Popp"], only=["jazz"], write={"Hip Hop": "Rap"})
    assert genres.strangers(["Pop", "Jazz", "Hip-Hop"]) == ["popp"]
