"""Damage to the bytes of a file, as hypothesis draws it: flips, cuts, quotes, line ends, zeros, other encodings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Callable

    _Damage = Callable[[bytes], bytes]
_PLACE = st.floats(0, 1, width=32)
_STRAY = [b'"', b'""', b"\n", b"\r", b"\n\n", b"\x00", b",", b";", b'","', b"\xff", b"\nTotal,1\n", b'{"a": ']


def _put(place: float, stray: bytes) -> _Damage:
    return lambda b: b[: int(place * len(b))] + stray + b[int(place * len(b)) :]


def _flip(place: float, bit: int) -> _Damage:
    def flipped(content: bytes) -> bytes:
        at = min(int(place * len(content)), len(content) - 1)
        return content[:at] + bytes([content[at] ^ 1 << bit]) + content[at + 1 :] if content else b""

    return flipped


def _cut(place: float) -> _Damage:
    return lambda b: b[: int(place * len(b))]


def _lose(place: float, size: int) -> _Damage:
    return lambda b: b[: int(place * len(b))] + b[int(place * len(b)) + size :]


def _repeat(place: float, size: int) -> _Damage:
    return lambda b: b[: int(place * len(b)) + size] + b[int(place * len(b)) :]


def _encode(encoding: str) -> _Damage:
    def encoded(content: bytes) -> bytes:
        try:
            return content.decode().encode(encoding)
        except UnicodeError:
            return content

    return encoded


_DAMAGES = st.one_of(
    st.builds(_put, _PLACE, st.sampled_from(_STRAY)),
    st.builds(_flip, _PLACE, st.integers(0, 7)),
    st.builds(_cut, _PLACE),
    st.builds(_lose, _PLACE, st.integers(1, 60)),
    st.builds(_repeat, _PLACE, st.integers(1, 60)),
    st.builds(
        _encode, st.sampled_from(["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig", "cp1251", "latin-1"])
    ),
)


@st.composite
def damaged(draw: st.DrawFn, files: st.SearchStrategy[bytes], most: int = 4) -> bytes:
    """Draw a file's bytes and up to ``most`` damages to them."""
    content = draw(files)
    for damage in draw(st.lists(_DAMAGES, max_size=most)):
        content = damage(content)
    return content
