"""Recognise text in one of the encodings that came before UTF-8, from the lines that are not UTF-8."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import charset_normalizer

if TYPE_CHECKING:
    from collections.abc import Sequence

# All keep ASCII in place, so that lines and cells are parted alike before and after decoding.
_KNOWN = [
    "cp1252",
    "cp1250",
    "cp1251",
    "cp1253",
    "cp1254",
    "koi8_r",
    "cp932",
    "euc_jp",
    "gb18030",
    "big5",
    "cp949",
]
_USUAL = "cp1252"
# The cells around them say nothing of the encoding; a second byte may be any from 0x40 on.
_WORDS = re.compile(rb"[A-Za-z]*[\x80-\xff][\x40-\x7e\x80-\xff]*")
_SAMPLE = 64 * 1024
_FEWEST_LINES = 3
_LETTERS = 0.8


def recognised(lines: Sequence[bytes], *, fewest: int = _FEWEST_LINES) -> str | None:
    """Return the encoding that ``lines`` are most likely in, None where bytes are rather damaged.

    Judged by charset-normalizer (mess and coherence of what decoding gives) on at most 64 KiB; besides, of the
    characters beyond ASCII four in five must be letters, which those of flipped bytes are not.

    Args:
        lines: Lines that are not UTF-8.
        fewest: Fewer lines than these tell nothing.
    """
    if len(lines) < fewest:
        return None
    sample = b" ".join(word for line in lines for word in _WORDS.findall(line))[:_SAMPLE]
    best = charset_normalizer.from_bytes(sample, cp_isolation=_KNOWN, enable_fallback=False).best()
    if best is None:
        return None
    text = str(best)
    beyond = [c for c in text if not c.isascii()]
    if sum(c.isalpha() for c in beyond) < _LETTERS * len(beyond):
        return None
    # Encodings that agree on all that is there may differ elsewhere: then it is the usual one.
    return _USUAL if sample.decode(_USUAL, errors="replace") == text else best.encoding
