"""Text as platforms count it, in UTF-16 units or bytes; fit for a database, cut where a reader would."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

#: How long a text is, as a platform counts.
Size = Callable[[str], int]

_SENTENCE = re.compile(r"[。！？!?；;…][”’」』）)]*|\.(?=\s)")
_GAP = re.compile(r"[，,、：:]|\s")
#: What belongs to the sign before it: joiners, variation selectors, skin tones, combining marks.
_CLINGS = re.compile(r"[\u200d\ufe0e\ufe0f\u20e3\u0300-\u036f\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]")
_FLAG = re.compile(r"[\U0001f1e6-\U0001f1ff]")


def clean(text: str) -> str:
    """Without NUL, which PostgreSQL refuses, and with half surrogates, which UTF-8 refuses, made visible."""
    whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return whole.replace("\0", "")


def units(text: str) -> int:
    """UTF-16 units: an emoji counts two (core.telegram.org/api/entities#entity-length)."""
    return len(text) + sum(sign > "\uffff" for sign in text)


def octets(text: str) -> int:
    """Bytes of UTF-8: a Chinese character counts three."""
    return len(text.encode("utf-8", "replace"))


def split(text: str, most: int, size: Size = units) -> list[str]:
    """Parts of at most `most`, ended at a line, else a sentence, else a gap, never inside an emoji."""
    parts = []
    rest = text.strip()
    while size(rest) > most:
        cut = _cut(rest, _fits(rest, most, size))
        parts.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    return [part for part in [*parts, rest] if part]


def _fits(text: str, most: int, size: Size) -> int:
    used = 0
    for at, sign in enumerate(text):
        used += size(sign)
        if used > most:
            return at
    return len(text)


def together(texts: Iterable[str], most: int, size: Size) -> tuple[str, int]:
    """As many of the texts as fit into one, at least the first; the text, and how many are in it."""
    whole, count = "", 0
    for text in texts:
        longer = f"{whole}\n\n{text}" if count else text
        if count and size(longer) > most:
            break
        whole, count = longer, count + 1
    return whole, count


def _cut(text: str, end: int) -> int:
    """Where to cut before `end`: never in the first half, or parts would become many."""
    half = end // 2
    if (line := text.rfind("\n", half, end)) > 0:
        return line
    for mark in (_SENTENCE, _GAP):
        if ends := [found.end() for found in mark.finditer(text, half, end)]:
            return ends[-1]
    cut = end
    while cut > max(half, 1) and _joined(text, cut):
        cut -= 1
    return end if _joined(text, cut) else cut


def _joined(text: str, cut: int) -> bool:
    """Whether the signs left and right of `cut` make one picture."""
    before, after = text[cut - 1], text[cut]
    if before == "\u200d" or _CLINGS.match(after):
        return True
    if not _FLAG.match(after):
        return False
    flags = 0
    while flags < cut and _FLAG.match(text[cut - 1 - flags]):
        flags += 1
    return flags % 2 == 1  # a flag is two letters: an odd number before means ours is cut in two
