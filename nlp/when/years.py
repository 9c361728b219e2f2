"""Pieces coarser than a month: centuries, decades, years, quarters, seasons."""

from __future__ import annotations

from nlp.when import lunar
from nlp.when.cursor import Cursor, Step
from nlp.when.frame import (
    CENTURY,
    DAY,
    DAY_LONG,
    DECADE,
    NO_CYCLE,
    QUARTER,
    YEAR,
    Frame,
    add_months,
    inside,
    month_frame,
    year_frame,
)
from nlp.when.lexer import OF

_SEASONS = ("立春", "立夏", "立秋", "立冬")


def year_name(c: Cursor, i: int, f: Frame | None) -> Step | None:
    """去年, 明年; 去年年底 goes on in other pieces."""
    if f is not None:
        return None
    return year_frame(c.now.year + c.tokens[i].value, c.now), i + 1


def year_pointer(c: Cursor, i: int, f: Frame | None, j: int) -> Step | None:
    """这一年, 上一年, 下年."""
    if f is not None:
        return None
    return year_frame(c.now.year + c.tokens[i].value, c.now), j


def year_number(c: Cursor, i: int, f: Frame | None, j: int) -> Step | None:
    """2018年, 零六年, 18年10月; `j` is where the unit ends."""
    if f is not None and f.level >= YEAR:
        return None
    token = c.tokens[i]
    text, value = c.plain[token.start : token.end], token.value
    if value is None or isinstance(value, float):
        return None
    spelled = not text.isdigit() and all(x not in text for x in "十廿卅百千")
    if len(text) == 2 and (text.isdigit() or spelled):
        if (
            c.kind(j) in {"after", "before", "AFTER", "BEFORE", "half", "more", "WITHIN", "SINCE"}
            and value < 50
            and not spelled
        ):
            return None
        value = _century(value, c.now.year)
    elif not 1000 <= value <= 2999:
        return None
    return year_frame(value, c.now), j


def _century(value: int, now: int) -> int:
    """Two digits of a year: the latest such year that is at most ten ahead."""
    latest = now + 10
    return latest - (latest - value) % 100


def year_part(c: Cursor, i: int, f: Frame | None) -> Step | None:
    """上半年, 年底, 暑假; 去年年底."""
    if f is not None and f.level != YEAR:
        return None
    first, last = c.tokens[i].value
    year = f or year_frame(c.now.year + c.turn, c.now)
    start = add_months(year.start, first - 1)
    level = QUARTER if last - first != 0 else month_frame(None, start).level
    cycle = YEAR if f is None else NO_CYCLE
    return inside(f, start, add_months(year.start, last), level, cycle=cycle), i + 1


def whole(c: Cursor, i: int, f: Frame | None) -> Step | None:
    """全年, 去年一整年; 全天 and 周六全天 say what their frame says."""
    level = c.tokens[i].value
    if f is None:
        if level == "day":
            return Frame(c.today, c.today + DAY_LONG, DAY), i + 1
        return year_frame(c.now.year, c.now), i + 1
    return f, i + 1


def quarter(c: Cursor, i: int, f: Frame | None, value: int, j: int) -> Step | None:
    """第三季度, q1, 一季度末."""
    if not 1 <= value <= 4 or (f is not None and f.level != YEAR):
        return None
    year = f or year_frame(c.now.year + c.turn, c.now)
    start = add_months(year.start, 3 * value - 3)
    found = inside(f, start, add_months(start, 3), QUARTER, cycle=YEAR if f is None else NO_CYCLE)
    return _edge(c, found, j)


def quarter_pointer(c: Cursor, i: int, f: Frame | None) -> Step | None:
    """上季度, 这个季度."""
    if f is not None:
        return None
    month = c.today.replace(day=1)
    start = add_months(month, -((month.month - 1) % 3) + 3 * c.tokens[i].value)
    j = i + 2
    if c.kind(j) in {"piece"}:
        j += 1
    return _edge(c, Frame(start, add_months(start, 3), QUARTER), j)


def _edge(c: Cursor, found: Frame, j: int) -> Step:
    """末: its last month; 初: its first."""
    kind = c.kind(j, OF)
    if kind == "end":
        return month_frame(found, add_months(found.end, -1)), j + 1
    if kind == "start":
        return month_frame(found, found.start), j + 1
    return found, j


def season(c: Cursor, i: int, f: Frame | None) -> Step | None:
    """From 立春, 立夏, 立秋 or 立冬 to the next; a lone 春 needs a year."""
    if (f is not None and f.level != YEAR) or (f is None and c.tokens[i].end - c.tokens[i].start < 2):
        return None
    if (
        f is not None
        and c.behind(i + 1) in {"节", "运", "游", "季", "令", "分", "笋"}
        and c.tokens[i].end - c.tokens[i].start < 2
    ):
        return None
    year = f.start.year if f else c.now.year + c.turn
    index = c.tokens[i].value
    start = lunar.term(year, _SEASONS[index])
    end = lunar.term(year + (index == 3), _SEASONS[(index + 1) % 4])
    if start is None or end is None:
        return None
    return inside(f, start, end, QUARTER, cycle=YEAR if f is None else NO_CYCLE), i + 1


def century(c: Cursor, i: int, f: Frame | None, value: int | None, j: int) -> Step | None:
    """21世纪; with no number the pointer's: 上世纪, 本世纪."""
    if f is not None:
        return None
    number = c.now.year // 100 + 1 + c.tokens[i].value if value is None else value
    start = year_frame((number - 1) * 100 or 1, c.now).start
    return Frame(start, start.replace(year=start.year + 100), CENTURY), j


def decade(c: Cursor, i: int, f: Frame | None, value: int, j: int) -> Step | None:
    """90年代, 上世纪八十年代."""
    if f is not None and f.level != CENTURY:
        return None
    if value >= 1000:
        year = value // 10 * 10
    elif f is not None:
        year = f.start.year // 100 * 100 + value
    else:
        year = _century(value, c.now.year)
    start = year_frame(year, c.now).start
    return inside(f, start, start.replace(year=year + 10), DECADE), j
