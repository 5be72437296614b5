"""Every tag parser, on whatever bytes: parse, render, parse; at worst a `TagError`; others' data stay."""

from __future__ import annotations

import io
from contextlib import suppress
from pathlib import Path

import pytest
import sounds
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mgtag import tails
from mgtag.errors import TagError
from mgtag.tags import apev2, draft, draft_undo, fields, id3, id3_fields, patch, read, vorbis
from mgtag.tags.fields import Edit, Provenance

KINDS = ("mp3", "m4a", "flac", "ogg", "opus", "wma", "wav", "aiff", "wv", "ape")
EDITS = {"genre": Edit((), ("Jazz",))}
anything = st.binary(max_size=600)
marks = st.sampled_from(
    [b"TAG", b"APETAGEX", b"LYRICS200", b"LYRICSBEGIN", b"ID3\4\0\0", b"\0" * 8, b"Genre\0", b"TCON", b"fLaC"]
)
tag_like = st.lists(st.one_of(marks, st.binary(max_size=150)), max_size=8).map(b"".join)
frame_names = st.sampled_from([b"TIT2", b"PRIV", b"APIC", b"XABC", b"TXXX", b"COMM", b"POPM"])
items = st.lists(
    st.builds(
        apev2.Item,
        st.binary(min_size=2, max_size=20).filter(lambda key: b"\0" not in key),
        st.integers(0, 7),
        st.binary(max_size=80),
    ),
    max_size=6,
).map(tuple)
lines = st.lists(st.binary(max_size=60), max_size=8).map(tuple)


@st.composite
def id3_tags(draw: st.DrawFn) -> id3.Tag:
    version = draw(st.sampled_from([2, 3, 4]))
    frames = []
    for name, body in draw(st.lists(st.tuples(frame_names, st.binary(min_size=1, max_size=100)), max_size=6)):
        if version == 2:
            raw = name[:3] + len(body).to_bytes(3, "big") + body
        else:  # below 128 bytes, both ways of writing a size are the same
            raw = name + len(body).to_bytes(4, "big") + b"\0\0" + body
        frames.append(id3.Frame(raw[: 3 if version == 2 else 4], raw))
    return id3.Tag(version, frames=tuple(frames))


@given(id3_tags())
def test_id3_is_the_same_again(tag: id3.Tag) -> None:
    again = id3.parse(id3.render(tag))
    assert (again.version, again.frames, again.rest) == (tag.version, tag.frames, tag.rest)


@given(id3_tags())
def test_id3_keeps_unknown_frames_to_the_byte(tag: id3.Tag) -> None:
    edited = id3.parse(id3.render(id3_fields.edited(tag, EDITS, "{}")))
    kept = [frame for frame in tag.frames if not id3_fields.is_edited(tag, frame, EDITS)]
    assert [frame for frame in edited.frames if frame in kept] == kept
    assert len(edited.frames) == len(kept) + 2
    assert id3_fields.fields(edited)["genre"] == ("Jazz",)


@given(st.one_of(anything, anything.map(lambda data: b"ID3\3\0\0\0\0\2\0" + data), tag_like))
@example(b"")
def test_id3_of_anything(data: bytes) -> None:
    try:
        tag = id3.parse(data)
    except TagError:
        return
    again = id3.parse(id3.render(tag))
    assert (again.frames, again.rest) == (tag.frames, tag.rest)


@given(items, st.sampled_from([b"", b"TAG" + bytes(125)]))
def test_apev2_is_the_same_again_and_keeps_items_to_the_byte(
    found: tuple[apev2.Item, ...], tail: bytes
) -> None:
    file = io.BytesIO(b"sound" * 20 + tail)
    apev2.write(file, apev2.Tag(at=100, items=found))
    assert file.getvalue().endswith(tail)
    tag = apev2.read_tag(file)
    assert tag.items == found
    apev2.write(file, apev2.edited(tag, EDITS, "{}"))
    kept = tuple(item for item in found if not apev2.is_edited(item, EDITS))
    assert apev2.read_tag(file).items[: len(kept)] == kept
    assert apev2.fields(apev2.read_tag(file))["genre"] == ("Jazz",)


@given(st.one_of(anything, tag_like))
def test_tails_of_anything_stand_one_behind_the_other(data: bytes) -> None:
    found = tails.find_tails(io.BytesIO(data))
    assert [tail.end for tail in found] == [len(data), *(tail.start for tail in found)][: len(found)]
    assert all(0 <= tail.start < tail.end for tail in found)
    assert tails.end_of_sound(io.BytesIO(data)) == min((tail.start for tail in found), default=len(data))
    with suppress(TagError):
        apev2.read_tag(io.BytesIO(data))


@given(st.binary(max_size=30), lines)
def test_vorbis_comments_are_the_same_again(vendor: bytes, found: tuple[bytes, ...]) -> None:
    comments = vorbis.Comments(vendor, found)
    assert vorbis._parse(comments.render()) == comments
    edited = vorbis._parse(vorbis._edited(comments, EDITS, "{}").render())
    kept = [line for line in found if not vorbis._is_edited(line, EDITS)]
    assert list(edited.lines[: len(kept)]) == kept
    assert edited.vendor == vendor


@given(anything)
def test_vorbis_comments_of_anything(data: bytes) -> None:
    try:
        comments = vorbis._parse(data)
    except TagError:
        return
    assert vorbis._parse(comments.render()) == comments


@given(
    st.one_of(
        st.text(), st.builds(lambda a, b: f'{{"bundle": {a!r}, "genres": {b!r}}}', st.text(), st.text())
    )
)
def test_provenance_of_anything(text: str) -> None:
    found = fields.from_json(text)
    assert fields.from_json(fields.to_json(found)) == found


@given(anything, anything)
def test_patch_of_anything(new: bytes, data: bytes) -> None:
    for damaged in (data, patch.make(io.BytesIO(data), io.BytesIO(new))[:-1]):
        with suppress(TagError):
            patch.apply(io.BytesIO(new), damaged, io.BytesIO())


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("whole")
    tags = {"title": "t", "genre": "Other"}
    return {kind: sounds.make(folder / f"a.{kind}", 0.05, tags=tags) for kind in KINDS}


@settings(max_examples=120, deadline=None)
@given(st.data())
def test_any_damaged_file_is_tagged_and_put_back_or_refused(
    whole: dict[str, Path], data: st.DataObject
) -> None:
    kind = data.draw(st.sampled_from(KINDS))
    damaged = bytearray(whole[kind].read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, min(len(damaged), 3000) - 1))
        damaged[at : at + 1] = data.draw(st.binary(max_size=4))
    path = whole[kind].with_name(f"damaged.{kind}")
    path.write_bytes(damaged)
    try:
        found = draft(path, {"genre": Provenance((), ("Jazz",), "b", 0.5)}, lambda _: "")
        found.commit()
    except TagError:
        assert path.read_bytes() == damaged
        return
    assert read(path).genres == ("Jazz",)
    draft_undo(path, found.patch, found.before, found.after, lambda _: "", 0).commit()
    assert path.read_bytes() == damaged
