"""What is written in digits: 2026-03-05, 3/5, 9:30, 3pm, 20260305, 5.5."""

from __future__ import annotations

import re
from typing import Any, Final

_CLOCK: Final = re.compile(
    r"(\d{1,2}):(\d{2})(?::\d{2})?(?![\d:])(?:\s?([ap])\.?m\.?(?![a-z]))?(?:[点时](?![间候]))?"
)
_HALF_DAY: Final = re.compile(r"(\d{1,2})\s?([ap])\.?m\.?(?![a-z])")
_DATE: Final = re.compile(
    r"((?:1[89]|20|21)\d\d)([-/.])(\d{1,2})[-/.]((?:0\d|[12]\d|3[01]|\d))(?:(?!\d)|(?=\d{1,2}:\d\d))(?:[日号])?(?:-(?=\d{1,2}:\d\d))?"
)
#: Not 5-2-2001: that is a door.
_DAY_FIRST: Final = re.compile(r"(\d{1,2})[/.](\d{1,2})[/.]((?:19|20)\d\d)(?!\d)")
_AMERICAN: Final = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{2})(?!\d)")
_BLANKS: Final = re.compile(r"((?:19|20)\d\d) (\d\d) (\d\d)(?![\d:])")
_MONTH: Final = re.compile(r"((?:19|20)\d\d)[-/.](\d{2})(?![\d:.])")
_COMPACT: Final = re.compile(r"((?:19|20)\d\d)(\d\d)(\d\d)(?!\d)")
_SHORT: Final = re.compile(r"(\d{1,2})[/·](\d{1,2})(?![\d/%])[日号]?")
_TIMED: Final = re.compile(r"(\d{1,2})-(\d{1,2})(?=\s\d{1,2}:\d\d)")
_DASHED: Final = re.compile(
    r"(?<!月)(0\d|1[0-2])-(\d\d)(?![\d-])(?:[日号]|(?=\s?\d{1,2}:\d\d)|(?<=0\d-\d\d))"
)
#: 3.8号; 12.8-12.12, where one of the numbers can be no digit of a price.
_DOTTED: Final = re.compile(r"(\d{1,2})\.(\d{1,2})[日号]")
_DOTTED_RANGE: Final = re.compile(
    r"(\d{1,2})\.(\d{1,2})(?=[-~](\d{1,2})\.(\d{1,2})(?![\d.]|\s?[元块万米%平度斤公吨厘毫号寸]))"
)
#: 5/26-5/29: the second of two dates.
_SLASHED: Final = re.compile(r"/\d{1,2}-$")
_NUMBER: Final = re.compile(r"\d+(?:\.\d+)?")
Read = tuple[str, Any, int]


def read(plain: str, at: int) -> Read | None:
    """The literal or number at a digit; numbers that go on before or behind are none."""
    match = _NUMBER.match(plain, at)
    assert match is not None
    end = match.end()
    length = end - at
    if length > 10:
        return "JUNK", None, _run(plain, at)
    behind = plain[end : end + 1]
    if (behind and behind in ":/-~· 日号") or length >= 4 or behind in {"a", "p"}:
        found = _literal(plain, at)
        if found:
            return found
    if "." in match[0]:
        if plain[end : end + 1] == ".":
            return "JUNK", None, _run(plain, at)
        return "NUM", float(match[0]), end
    return "NUM", int(match[0]), end


def _run(plain: str, at: int) -> int:
    while at < len(plain) and (plain[at].isdigit() or plain[at] in ".-"):
        at += 1
    return at


def _literal(plain: str, at: int) -> Read | None:
    before = plain[at - 1 : at]
    if (match := _CLOCK.match(plain, at)) or (match := _HALF_DAY.match(plain, at)):
        hour, half = int(match[1]), match[match.lastindex or 1]
        minute = int(match[2]) if match.re is _CLOCK else 0
        if half in {"a", "p"}:
            hour = hour % 12 + (12 if half == "p" else 0)
        if hour > 24 or minute > 59 or before == ":":
            return "JUNK", None, match.end()
        exact = half in {"a", "p"} or plain[at] == "0"
        return "CLOCK", (hour, minute, exact), match.end()
    joined = bool(before) and before in "./-" and at > 1 and plain[at - 2].isdigit()
    if joined and before != "-":
        return None
    return _date(plain, at, joined)


def _date(plain: str, at: int, joined: bool) -> Read | None:
    if (
        (match := _DATE.match(plain, at))
        or (match := _BLANKS.match(plain, at))
        or (match := _COMPACT.match(plain, at))
    ):
        groups = [g for g in match.groups() if g.isdigit()]
        year, month, day = map(int, groups)
        return ("DATE", (year, month, day), match.end()) if _valid(month, day) else None
    if match := _DAY_FIRST.match(plain, at):
        day, month, year = map(int, match.groups())
        if month > 12:
            day, month = month, day
        return ("DATE", (year, month, day), match.end()) if _valid(month, day) else None
    if (match := _AMERICAN.match(plain, at)) and _valid(int(match[1]), int(match[2])):
        short = int(match[3])
        year = short + (2000 if short < 50 else 1900)
        return "DATE", (year, int(match[1]), int(match[2])), match.end()
    if match := _MONTH.match(plain, at):
        return (
            ("YEAR_MONTH", (int(match[1]), int(match[2])), match.end()) if _valid(int(match[2]), 1) else None
        )
    if joined and not _SLASHED.search(plain, max(0, at - 6), at):
        return None
    if (match := _DOTTED_RANGE.match(plain, at)) and plain[at - 1 : at] not in {"¥", "$", "#", "约", "价"}:
        first, last = (int(match[1]), int(match[2])), (int(match[3]), int(match[4]))
        two = any(len(group) == 2 for group in match.groups())
        return (
            ("MONTH_DAY", first, match.end())
            if two and _valid(*first) and _valid(*last) and first < last
            else None
        )
    if (
        (match := _DOTTED.match(plain, at))
        or (match := _TIMED.match(plain, at))
        or (match := _SHORT.match(plain, at))
        or (match := _DASHED.match(plain, at))
    ):
        month, day = int(match[1]), int(match[2])
        return ("MONTH_DAY", (month, day), match.end()) if _valid(month, day) else None
    return None


def _valid(month: int, day: int) -> bool:
    return 1 <= month <= 12 and 1 <= day <= 31
