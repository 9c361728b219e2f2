"""The form of a text that rules read: same length as typed, so every span points back at what was typed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping

from nlp.homophones import Homophones
from nlp.script import to_simplified

#: Dialect characters that say the same as a standard one. Only such as mean nothing else here.
_DIALECT = str.maketrans(
    {
        "唔": "不",
        "勿": "不",
        "冇": "没",
        "咗": "了",
        "喇": "了",
        "嘅": "的",
        "咯": "了",
        "佢": "他",
        "伊": "他",
        "畀": "给",
        "俾": "给",
        "睇": "看",
        "嚟": "来",
        "喺": "在",
        "攞": "拿",
        "揾": "找",
        "搵": "找",
        "伐": "吗",
        "哒": "了",
        "嗰": "那",
        "㗎": "啊",
        "哋": "们",
        "俺": "我",
        "恁": "您",
        "侬": "你",
        "冚": "全",
        "喎": "啊",
        "啰": "了",
        "䢂": "梯",
        "𨋢": "梯",
        "係": "是",
        "嗌": "叫",
        "莫": "没",
        "妳": "你",
        "著": "着",
    }
)


class _Narrow(dict[int, str]):
    """For each character its narrow form, for `str.translate`, worked out when first met."""

    def __missing__(self, code: int) -> str:
        narrow = _narrow(chr(code))
        if code < 0x10000:  # what is rarer is not kept: there is a million of it
            self[code] = narrow
        return narrow


_NARROW = _Narrow()


def _narrow(c: str) -> str:
    """Full-width letters, digits and marks as ASCII; control characters as blanks; lower case."""
    if "\uff01" <= c <= "\uff5e":
        c = chr(ord(c) - 0xFEE0)
    elif c == "\u3000" or (c != "\n" and unicodedata.category(c) in {"Cc", "Cf", "Cs"}):
        return " "
    lower = c.lower()
    return lower if len(lower) == 1 else c


class Normaliser:
    """Normalises texts, knowing misspellings (`wrong` -> `right`, equally long) and words by their sound."""

    def __init__(self, misspellings: Mapping[str, str], sounding: Iterable[str] = ()) -> None:
        self._right = dict(misspellings)
        words = sorted(self._right, key=len, reverse=True)
        self._wrong = re.compile("|".join(map(re.escape, words))) if words else None
        self._homophones = Homophones(sounding)

    def __call__(self, text: str) -> str:
        plain = to_simplified(text).translate(_NARROW).translate(_DIALECT)
        if self._wrong is not None:
            plain = self._wrong.sub(lambda found: self._right[found[0]], plain)
        return self._homophones.mend(plain)
