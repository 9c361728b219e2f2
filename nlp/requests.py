"""Where one message holds several requests."""

from __future__ import annotations

import re

from nlp.lexicon import Span

#: Words that open another request, at the head of a clause or on their own.
_OPENER = re.compile(
    r"(?:[,，。;；!！?？\n ]|^)\s*"
    r"(?:还有(?:个|一个|一件事)?(?!多|几|没|点)|另外|顺便|对了|再就是|再有|另|以及|第二|二来|其次|此外|2[.、)])"
    r"[,，:： ]?"
)
_ENUMERATED = re.compile(r"(?:^|[\n;；,，。 ])\s*(?:\d[.、)]|[①②③④⑤])\s*")
_ALSO = re.compile(r"[,，。;；!！\n]\s*(?=[^,，。;；!！\n]{1,12}也(?:坏|不|没|漏|堵|要|得|松|掉|裂|打|是坏))")


def split(plain: str) -> list[Span]:
    """Parts that may each be a request, where the words say that a new one begins; one part otherwise."""
    numbered = [match.start() for match in _ENUMERATED.finditer(plain)]
    cuts = {(match.start(), match.end()) for match in _OPENER.finditer(plain) if match.start() > 3}
    cuts |= {(match.start(), match.end()) for match in _ALSO.finditer(plain) if match.start() > 3}
    if len(numbered) >= 2:
        cuts |= {match.span() for match in _ENUMERATED.finditer(plain)}
    parts: list[Span] = []
    begin = 0
    for start, end in sorted(cuts):
        if start > begin:
            parts.append((begin, start))
        begin = max(begin, end)
    parts.append((begin, len(plain)))
    return [(s, e) for s, e in parts if plain[s:e].strip(" ,，。")]
