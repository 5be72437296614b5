"""The table of music beyond GTZAN: which pieces may be trained on, and what their labels are."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch")

from mgtag_train.data.outside import LABELS, MOODS, accepted, read_pieces
from mgtag_train.data.splitting import split_names

from mgtag.errors import UsageError

HEADER = "file,split,genre,mood,artist,source,note\n"


def table(folder: Path, *rows: str) -> Path:
    """Write a table, and an empty file for each row."""
    (folder / "tracks.csv").write_text(HEADER + "".join(row + "\n" for row in rows))
    for row in rows:
        (folder / row.split(",")[0]).touch()
    return folder


def test_labels_and_moods_of_rows(tmp_path: Path) -> None:
    rows = ("a.opus,train,punk,tense,A,x,", "b.opus,valid,spoken,,,y,", "c.opus,test,world,calm,,z,")
    first, second, third = read_pieces(table(tmp_path, *rows))
    assert (LABELS[first.label], MOODS[first.mood_label], first.is_music) == ("punk", "tense", True)
    assert (LABELS[second.label], second.mood_label, second.is_music) == ("notmusic", -1, False)
    assert (third.label, MOODS[third.mood_label], third.is_music) == (-1, "calm", True)


def test_an_artist_of_gtzan_is_kept_out_of_training_only(tmp_path: Path) -> None:
    note = "artist also in GTZAN"
    rows = (f"a.opus,train,rock,,A,x,{note}", f"b.opus,valid,rock,,B,x,{note}", "c.opus,train,rock,,C,x,")
    assert [piece.path.name for piece in read_pieces(table(tmp_path, *rows))] == ["b.opus", "c.opus"]


def test_clips_of_gtzan_follow_its_own_lists(tmp_path: Path) -> None:
    parts = {part: split_names(part)[0] for part in ("train", "valid", "test")}
    names = [f"{name.split('.')[0]}.{name}.opus" for name in parts.values()]
    rows = [f"{name},gtzan,{name.split('.')[0]},,,gtzan-short," for name in (*names, "rock.rock.99999.opus")]
    pieces = read_pieces(table(tmp_path, *rows))
    assert [(piece.split, piece.gtzan) for piece in pieces] == [(part, True) for part in parts]


def test_a_missing_column_and_a_missing_file_are_named(tmp_path: Path) -> None:
    (table(tmp_path, "a.opus,train,rock,,A,x,") / "a.opus").unlink()
    with pytest.raises(UsageError, match=r"a\.opus: this file of .* is missing"):
        read_pieces(tmp_path)
    (tmp_path / "tracks.csv").write_text("file,split\na.opus,train\n")
    with pytest.raises(UsageError, match="no column 'genre'"):
        read_pieces(tmp_path)


def test_a_parent_is_accepted_and_a_child_is_not() -> None:
    assert accepted("punk", "punk") and accepted("punk", "rock") and accepted("world", "latin")
    assert not accepted("rock", "punk")
    assert not accepted("none", "rock")
