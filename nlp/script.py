"""Simplified and traditional characters: match in one, answer in the other."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

#: What UTF-8 cannot carry (half of a surrogate pair): opencc would refuse the whole text for it.
_UNPAIRED = re.compile("[\ud800-\udfff]")
_HAN = re.compile("[\u3400-\u9fff]")

#: Words that opencc shortens or lengthens would break spans, so single characters are converted alone.
#: These read as traditional to opencc and are used in simplified text as well.
_SHARED = frozenset("著麼乾於佢喺噉嘅咁徵瞭沈藉鬱甦夥")


@cache
def _converter(name: str) -> Any:
    """opencc reads its dictionaries from disk when asked first; only then are they worth waiting for."""
    import opencc  # noqa: PLC0415

    return opencc.OpenCC(name)


def _convert(name: str, text: str) -> str:
    safe = _UNPAIRED.sub("\ufffd", text).replace("\0", "\ufffd")
    return str(_converter(name).convert(safe))


def to_simplified(text: str) -> str:
    """The same text in simplified characters, each at the place where it stood: spans map one to one."""
    if text.isascii() or not _HAN.search(text):
        return text
    converted = _convert("t2s", text)
    if len(converted) == len(text):
        return converted
    return "".join(c if len(s := _convert("t2s", c)) != 1 else s for c in text)


def is_traditional(text: str) -> bool:
    """Whether the writer uses traditional characters: one that simplified writing lacks is enough."""
    simplified = to_simplified(text)
    return any(a != b and a not in _SHARED for a, b in zip(text, simplified, strict=True) if _HAN.match(a))


def to_traditional(text: str) -> str:
    """For answers. `s2hk` changes characters only; `s2twp` also words (软件→軟體), wrong in Hong Kong."""
    if text.isascii():
        return text
    return "".join(
        piece if _UNPAIRED.match(piece) or piece == "\0" else str(_converter("s2hk").convert(piece))
        for piece in re.split("([\ud800-\udfff\0])", text)
    )
