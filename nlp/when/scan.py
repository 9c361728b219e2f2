"""All that a text says of time, from left to right."""

from __future__ import annotations

from datetime import datetime

from nlp.when.cursor import Cursor
from nlp.when.lexer import lex, possible
from nlp.when.offsets import offset
from nlp.when.phrases import phrase
from nlp.when.said import Said
from nlp.when.sets import recurrence

#: What may begin a recurrence, a duration or distance, and a point or range.
_SETS = frozenset({"EVERY", "EVERY_OTHER", "EVERY_NAME", "WORKDAYS", "WEEKDAY", "NUM", "PART", "half"})
_OFFSETS = frozenset(
    {"NUM", "half", "piece", "minute", "FUTURE", "RECENT", "LEFT", "LATER", "before", "after", "POINTER"}
)


def scan(plain: str, now: datetime, backward: bool = False) -> list[Said]:
    """Every phrase of time in a normalised text. Never raises; out of the calendar's range there is none."""
    if not possible(plain):
        return []
    tokens = lex(plain)
    c = Cursor(plain, tokens, now)
    c.backward = backward
    found: list[Said] = []
    i = 0
    while tokens[i].kind:
        kind = tokens[i].kind
        read = None
        if kind in _SETS:
            read = recurrence(c, i)
        if read is None and kind in _OFFSETS:
            read = offset(c, i)
        if read is None:
            read = phrase(c, i) if kind not in {"NOW", "SOON"} else _present(c, i)
        if read is None:
            i += 1
            continue
        said = read[0]
        if said.end is None or (said.start is not None and said.start < said.end):
            found.append(said)
        i = max(read[1], i + 1)
    return found


def _present(c: Cursor, i: int) -> tuple[Said, int]:
    """现在, 马上; 从现在到八点 is a range, 从现在起 has no end."""
    token, then = c.tokens[i], c.kind(i + 1)
    now = Said("point", (token.start, token.end), c.now, None, "minute", now=True)
    if then == "SINCE":
        return now._replace(kind="open", span=(token.start, c.tokens[i + 1].end), mod="after"), i + 2
    last = phrase(c, i + 2) if then == "TO" and token.kind == "NOW" else None
    if last and last[0].kind == "point" and last[0].start:
        end, span = last[0].end or last[0].start, (token.start, last[0].span[1])
        return Said("range", span, c.now, end, last[0].grain, dated=True), last[1]
    return now, i + 1
