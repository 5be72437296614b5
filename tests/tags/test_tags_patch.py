"""Patches restore the old bytes whatever was changed, in bounded memory, and stay small."""

from __future__ import annotations

import io
import random
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mgtag.errors import TagError
from mgtag.tags import patch

MIB = 1 << 20


def make(old: bytes, new: bytes) -> bytes:
    return patch.make(io.BytesIO(old), io.BytesIO(new))


def apply(new: bytes, made: bytes) -> bytes:
    out = io.BytesIO()
    patch.apply(io.BytesIO(new), made, out)
    return out.getvalue()


@st.composite
def edits(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """Two versions of some bytes, larger than a window, cut and pasted at random."""
    rng = random.Random(draw(st.integers(0, 2**32)))
    old = rng.randbytes(draw(st.sampled_from([0, 1, 7, 100, 5_000, MIB - 1, MIB, MIB + 1, 5 * MIB // 2])))
    new = old
    for _ in range(draw(st.integers(0, 5))):
        at = draw(st.integers(0, len(new)))
        drop = draw(st.sampled_from([0, 1, 128, 4_096, 2 * MIB]))
        new = (
            new[:at] + rng.randbytes(draw(st.sampled_from([0, 1, 8, 4_096, 70_000, MIB]))) + new[at + drop :]
        )
    return old, new


@settings(max_examples=60, deadline=None)
@given(edits())
def test_any_edit_is_undone(pair: tuple[bytes, bytes]) -> None:
    old, new = pair
    assert apply(new, make(old, new)) == old


@settings(deadline=None)
@given(st.binary(max_size=200), st.binary(max_size=200))
def test_small_files_are_restored(old: bytes, new: bytes) -> None:
    assert apply(new, make(old, new)) == old


SOUND = random.Random(3).randbytes(6 * MIB)
PAGES = [SOUND[i : i + 4096] for i in range(0, len(SOUND), 4096)]


@pytest.mark.parametrize(
    ("new", "limit"),
    [
        (SOUND, 40),  # nothing
        (b"tag" * 1000 + SOUND, 40),  # an mp3 that had no tag
        (SOUND + b"tag" * 50, 40),  # an ape
        (b"x" + SOUND[1:], 1_500),  # a size field
        (b"size" + SOUND[4:3_000] + b"new" * 999 + SOUND[3_000:], 1_500),  # an mp4
        (SOUND[:2_000] + SOUND[3_500:], 4_000),  # a tag that shrank by 1500 bytes
        (b"x" + SOUND[1:90] + b"info" + SOUND[90:] + b"id3 " * 300, 10_000),  # a wav
        (b"".join(b"%08d" % i + page[8:] for i, page in enumerate(PAGES)), 30_000),  # renumbered pages
        (b"c" * 9_000 + b"".join(b"%08d" % i + page[8:] for i, page in enumerate(PAGES)), 30_000),
    ],
)
def test_patches_of_what_tagging_does_are_small(new: bytes, limit: int) -> None:
    made = make(SOUND, new)
    assert apply(new, made) == SOUND
    assert len(made) <= limit


class Huge(io.RawIOBase):
    """A file of zeros but for its first bytes, as large as it says and nowhere stored."""

    def __init__(self, head: bytes, size: int) -> None:
        self.head, self.length, self.at = head, size, 0

    def seek(self, offset: int, whence: int = 0) -> int:
        self.at = offset + (self.length if whence else 0)
        return self.at

    def read(self, n: int = -1) -> bytes:
        n = min(n, self.length - self.at)
        data = self.head[self.at : self.at + n]
        self.at += n
        return data + bytes(n - len(data))


class Nothing:
    written = 0

    def write(self, data: bytes, /) -> int:
        self.written += len(data)
        return len(data)


def test_memory_does_not_grow_with_the_file() -> None:
    size = 300 * MIB
    old, new = Huge(b"old", size), Huge(b"a new beginning", size + 5_000)
    tracemalloc.start()
    try:
        made = patch.make(old, new)  # type: ignore[arg-type]
        sink = Nothing()
        patch.apply(new, made, sink)  # type: ignore[arg-type]
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert sink.written == size
    assert peak < 40 * MIB


def test_patch_of_another_file_is_refused() -> None:
    made = make(b"old", b"new one")
    with pytest.raises(TagError, match="another file"):
        apply(b"new", made)
    with pytest.raises(TagError, match="another file"):
        apply(b"new one", b"XXXXXXXX" + made[8:])


@given(st.integers(0, 10**6), st.integers(0, 255))
def test_damaged_patch_raises_or_gives_other_bytes_but_nothing_else(at: int, byte: int) -> None:
    old, new = SOUND[:5_000], b"z" * 20 + SOUND[:4_000]
    made = bytearray(make(old, new))
    made[at % len(made)] = byte
    try:
        apply(new, bytes(made))
    except TagError as error:
        assert str(error).endswith(".")


@pytest.mark.parametrize("cut", [0, 5, 20, 24, 30, 50, -1])
def test_shortened_patch_is_refused(cut: int) -> None:
    old, new = SOUND[:5_000], b"z" * 20 + SOUND[:4_000]
    with pytest.raises(TagError):
        apply(new, make(old, new)[:cut])
