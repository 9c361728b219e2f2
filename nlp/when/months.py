"""Months and weeks, their beginnings and ends, and what is counted in them (第三周, 最后一个周五, 前十天)."""

from __future__ import annotations

from datetime import timedelta

from nlp.when import lunar
from nlp.when.cursor import Cursor, Step
from nlp.when.frame import (
    DAY,
    DAY_LONG,
    MONTH,
    NO_CYCLE,
    QUARTER,
    WEEK,
    WEEK_LONG,
    YEAR,
    Frame,
    add_months,
    first_weekday,
    inside,
    monday,
    month_frame,
    year_frame,
)
from nlp.when.lexer import OF, few


def month_number(c: Cursor, i: int, f: Frame | None, j: int) -> Step | None:
    """三月, 3月份, 明年三月; `j` is where the unit ends."""
    value = c.tokens[i].value
    either = few(c.plain[c.tokens[i].start : c.tokens[i].end])
    if either and j == i + 2:
        value = either  # 三四月份
    if not isinstance(value, int) or not 1 <= value <= 12 or (f is not None and f.level != YEAR):
        return None
    first = c.today.replace(month=value, day=1)
    first = first.replace(year=f.start.year) if f is not None else first.replace(year=first.year + c.turn)
    month = month_frame(f, first, YEAR if f is None else NO_CYCLE)
    if either:
        return month._replace(end=add_months(first, 2)), j
    return _part(c, month, j)


def month_pointer(c: Cursor, i: int, f: Frame | None, j: int) -> Step | None:
    """上个月, 本月, 下下个月; 去年本月."""
    if f is not None and f.level != YEAR:
        return None
    first = add_months(c.today.replace(day=1), c.tokens[i].value)
    if f is not None:
        first = first.replace(year=f.start.year)
    return _part(c, month_frame(f, first), j)


def _part(c: Cursor, month: Frame, j: int) -> Step:
    """月 is already read; 底, 末, 初, 中 may follow; 月底 and 上旬 are words of their own."""
    kind = c.kind(j)
    if kind == "end" and c.kind(j + 1) != "NUM":
        return _days(month, 31, 31), j + 1
    if kind == "start" and c.kind(j + 1) != "NUM":
        return _days(month, 1, 10), j + 1
    return month, j


def _days(month: Frame, first: int, last: int, cycle: int = NO_CYCLE) -> Frame:
    length = (month.end - month.start).days
    start = month.start + (min(first, length) - 1) * DAY_LONG
    outer = month if cycle == NO_CYCLE else month._replace(cycle=cycle)
    return inside(outer, start, month.start + min(last, length) * DAY_LONG, DAY)


def month_part(c: Cursor, i: int, f: Frame | None) -> Step | None:
    """月底, 上旬: of the month named before, else of this one."""
    first, last = c.tokens[i].value
    if f is None:
        start = add_months(c.today.replace(day=1), c.turn)
        return _days(Frame(start, add_months(start, 1), MONTH), first, last, MONTH), i + 1
    return (_days(f, first, last), i + 1) if f.level == MONTH else None


def lunar_month(c: Cursor, i: int, f: Frame | None) -> Step | None:
    """正月, 腊月, 农历八月, 闰四月; with a day it is one day: 腊月二十八."""
    if f is not None and f.level != YEAR:
        return None
    j, leap = i, 1
    said = c.kind(i, 9) == "LUNAR"
    if said:
        j += 1
        year = c.tokens[j].value
        if f is None and isinstance(year, int) and 1900 <= year <= 2100 and c.kind(j + 1) == "year":
            f, j = year_frame(year, c.now), j + 2
    if c.kind(j, 9) == "leap":
        leap, j, said = -1, j + 1, True
    token = c.tokens[j]
    if token.kind == "LUNAR_MONTH":
        number, j = token.value, j + 1
    elif token.kind == "NUM" and c.kind(j + 1) == "month" and said and isinstance(token.value, int):
        number, j = token.value, j + 2
    else:
        return None
    lunar_year = f.start.year if f else c.now.year - 1 + c.turn
    return lunar_date(c, j, f, lunar_year, number * leap)


def lunar_date(c: Cursor, j: int, f: Frame | None, year: int, month: int) -> Step | None:
    """A lunar month from where its day may follow: 初八, 十五, 廿二, 18."""
    cycle = YEAR if f is None else NO_CYCLE
    k = j + 1 if c.kind(j) == "start" else j
    token = c.tokens[k]
    if (
        c.kind(k) == "NUM"
        and isinstance(token.value, int)
        and 1 <= token.value <= 30
        and c.kind(k + 1) not in {"hour", "piece"}
    ):
        day = lunar.day(year, month, token.value)
        if day is None:
            c.failed = True
            return None
        k += 2 if c.kind(k + 1) == "date" else 1
        return inside(f, day, day + DAY_LONG, DAY, cycle=cycle), k
    span = lunar.month(year, month)
    if span is None:
        c.failed = True
        return None
    return inside(f, span[0], span[1], MONTH, cycle=cycle), j


def week_pointer(c: Cursor, i: int, f: Frame | None, j: int) -> Step | None:
    """这周, 上个星期, 下下礼拜."""
    if f is not None:
        return None
    start = monday(c.today) + c.tokens[i].value * WEEK_LONG
    return Frame(start, start + WEEK_LONG, WEEK), j


def weekend(c: Cursor, i: int, f: Frame | None) -> Step | None:
    """周末: Saturday and Sunday of this week, of the pointer's, or of the week named before."""
    weeks, j = 0, i + 1
    if c.tokens[i].kind == "POINTER":
        weeks, j = c.tokens[i].value, i + 2
        if f is not None:
            return None
    if f is not None and f.level != WEEK:
        return None
    start = (f.start if f else monday(c.today) + weeks * WEEK_LONG) + 5 * DAY_LONG
    return inside(f, start, start + 2 * DAY_LONG, DAY), j


def half_week(c: Cursor, i: int, f: Frame | None) -> Step | None:
    if f is not None and f.level != WEEK:
        return None
    start = f.start if f else monday(c.today)
    middle = start + 3 * DAY_LONG
    first, last = (middle, start + WEEK_LONG) if c.tokens[i].value else (start, middle)
    return inside(f, first, last, DAY), i + 1


def counted(c: Cursor, i: int, f: Frame | None) -> Step | None:
    """第三周, 首月, 最后一个周五, 前十天, 后三个月: units counted in the frame."""
    kind = c.kind(i, 9)
    j = i + 1
    count: int = 1
    if kind != "first" or c.kind(j) == "NUM":
        if c.kind(j) != "NUM" or not isinstance(c.tokens[j].value, int):
            return None
        count, j = c.tokens[j].value, j + 1
    if c.kind(j) == "piece":
        j += 1
    token = c.tokens[j]
    if token.glue > OF or not 1 <= count <= 366:
        return None
    unit = token.value if token.kind == "UNIT" else token.kind
    if kind in {"ordinal", "first"}:
        return _nth(c, f, count, unit, j)
    if f is None or f.level > MONTH:
        return None
    if token.kind == "WEEKDAY":
        return _last_weekday(f, token.value[0], j) if kind == "LAST" and count == 1 else None
    return _stretch(f, count, unit, kind in {"LAST", "after"}, j + 1)


def _nth(c: Cursor, f: Frame | None, count: int, unit: str, j: int) -> Step | None:
    if unit == "WEEKDAY" and f is not None and MONTH >= f.level >= YEAR:
        day = first_weekday(f.start, c.tokens[j].value[0]) + (count - 1) * WEEK_LONG
        return (inside(f, day, day + DAY_LONG, DAY), j + 1) if day < f.end else None
    if unit == "day":
        start = (f.start if f and f.level <= MONTH else c.today) + (count - 1) * DAY_LONG
        if f is not None and f.level > DAY:
            return None
        if f is not None and f.level == DAY:
            start = f.start + (count - 1) * DAY_LONG
            return inside(f, start, start + DAY_LONG, DAY), j + 1
        if f is None and c.kind(j + 1) not in {"PART", "DAY_PART"}:
            return None
        return inside(f, start, start + DAY_LONG, DAY), j + 1
    if f is None or f.level > QUARTER + 1:
        return None
    if unit == "week":
        start = first_weekday(f.start, 0) + (count - 1) * WEEK_LONG
        return inside(f, start, start + WEEK_LONG, WEEK), j + 1
    if unit == "month" and f.level < MONTH:
        return month_frame(f, add_months(f.start, count - 1)), j + 1
    return None


def _last_weekday(f: Frame, weekday: int, j: int) -> Step:
    day = first_weekday(f.end - WEEK_LONG, weekday)
    return inside(f, day, day + DAY_LONG, DAY), j + 1


def _stretch(f: Frame, count: int, unit: str, last: bool, j: int) -> Step | None:
    """The first or last so many days, weeks, months, quarters of a frame."""
    if unit in {"day", "week"}:
        long = timedelta(days=count * (7 if unit == "week" else 1))
        head = first_weekday(f.start, 0) if unit == "week" else f.start
        tail = monday(f.end - DAY_LONG) + WEEK_LONG if unit == "week" else f.end
        start, end = (tail - long, tail) if last else (head, head + long)
        return inside(f, start, end, WEEK if unit == "week" else DAY), j
    if unit in {"month", "quarter"} and f.level <= QUARTER:
        months = count * (3 if unit == "quarter" else 1)
        start, end = (add_months(f.end, -months), f.end) if last else (f.start, add_months(f.start, months))
        return inside(f, start, end, QUARTER), j
    return None
