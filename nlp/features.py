"""What the linear models see of a text: short pieces of it, the known words in it, who speaks and where."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise

#: The beginning of a message is read, as it is where people say what they want.
READ = 200
_NUMBERS = re.compile(r"\d+")
_BLANKS = re.compile(r"\s+")
#: Words of two classes so close to each other, and not in two sentences, are seen together.
_REACH, _WORDS = 8, 32
_STOP = re.compile(r"[。!?;\n]")
_LENGTHS = (5, 9, 15, 29, 59)

Found = Mapping[str, Sequence[tuple[int, int]]]


def of_text(plain: str, found: Found, role: str, group: bool) -> list[str]:
    """Characters, pairs of them, pairs with one between, classes of known words, speaker and place.

    Each once, numbers all alike: which flat it is says nothing of what is wanted.
    """
    text = _NUMBERS.sub(lambda n: "☎" if len(n[0]) >= 7 else "0", plain[:READ])
    text = "^" + _BLANKS.sub(" ", text).strip() + "$"
    short = dict.fromkeys(text[1:-1])
    short.update(dict.fromkeys(map("".join, pairwise(text))))
    seen = short.copy()
    seen.update(dict.fromkeys([a + "~" + b for a, b in zip(text, text[2:], strict=False)]))
    seen.update(dict.fromkeys([name for name in found if name[0] == "<"]))
    seen["role=" + role] = None
    if role != "resident":
        seen.update(dict.fromkeys([role[:1] + ":" + name for name in short]))
    if group:
        seen["group"] = None
    seen[f"long={sum(len(text) > n + 2 for n in _LENGTHS)}"] = None
    return [*seen, *_pairs(plain, found)]


def _pairs(plain: str, found: Found) -> list[str]:
    """Classes of words that stand close by, in their order: who is hurt, what burns, what is only asked."""
    spans = [
        (span, name)
        for name, several in found.items()
        if name[0] == "<" and name != "<filler>"
        for span in several[:4]
        if span[0] < READ
    ]
    if len(spans) < 2:
        return []
    spans.sort()
    del spans[_WORDS:]
    seen: dict[str, None] = {}
    for i, ((_, end), one) in enumerate(spans, 1):
        stop = _STOP.search(plain, end, end + _REACH)
        reach = stop.start() if stop else end + _REACH
        for (begin, _), other in spans[i:]:
            if begin > reach:
                break
            if begin >= end and one != other:
                seen[one + other] = None
    return list(seen)
