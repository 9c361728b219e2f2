"""How pieces make an expression: 明年 + 三月 + 第二个周六 + 下午 + 三点; each reads inside the one before."""

from __future__ import annotations

from nlp.when import clocks, days, months, years
from nlp.when.cursor import Cursor, Piece, Step
from nlp.when.frame import (
    DAY,
    DAY_LONG,
    HOUR,
    HOUR_LONG,
    MONTH,
    PART,
    WEEK,
    YEAR,
    Frame,
    add_months,
    inside,
    year_frame,
)
from nlp.when.lexer import BLANK, COMMA, OF

_UNITS = frozenset({"year", "month", "date", "hour", "MONTH_PART"})


def numbered(c: Cursor, i: int, f: Frame | None) -> Step | None:
    """A number is what the unit behind it makes of it; in 9~11点 both share one unit."""
    kind, j = c.kind(i + 1), i + 2
    if (
        kind == "AND"
        and c.kind(i + 2) == "NUM"
        and c.kind(i + 3) == "date"
        and f is not None
        and f.level == MONTH
    ):
        return days.day_number(c, i, f, i + 1)  # 8月11、12日
    if kind == "TO" and c.kind(i + 2) == "NUM" and c.kind(i + 3) in _UNITS:
        kind, j = c.kind(i + 3), i + 1
        if kind == "year" and not isinstance(c.tokens[i].value, int):
            return None
    if kind in {"year", "YEAR_PART"}:
        return years.year_number(c, i, f, i + 1 if kind == "YEAR_PART" else j)
    if kind in {"month", "MONTH_PART"}:
        return months.month_number(c, i, f, i + 1 if kind == "MONTH_PART" else j)
    if kind == "date":
        return days.day_number(c, i, f, j)
    if kind == "hour" or (f is not None and f.level in {DAY, PART} and not kind):
        return clocks.clock(c, i, f)
    value = c.tokens[i].value
    if (
        isinstance(value, float)
        and i > 1
        and c.tokens[i - 1].kind == "TO"
        and c.tokens[i - 2].kind in {"DATE", "MONTH_DAY"}
    ):
        return days.dotted(c, i, f)
    if isinstance(value, int):
        if kind == "UNIT" and c.tokens[i + 1].value == "quarter":
            return years.quarter(c, i, f, value, j)
        if kind == "CENTURY":
            return years.century(c, i, f, value, j)
        if kind == "DECADE":
            return years.decade(c, i, f, value, j)
        if f is None and 1900 <= value <= 2100 and _year_of_range(c, i, kind):
            return year_frame(value, c.now), i + 1
    return days.bare_day(c, i, f)


def _year_of_range(c: Cursor, i: int, kind: str) -> bool:
    """A bare 2016 is a year only in a range: 从2016到2018, 2016-2018, 2008.03-2009."""
    if kind == "TO":
        last = c.tokens[i + 2].value
        clear = c.kind(i + 2) == "NUM" and isinstance(last, int) and c.tokens[i].value < last <= 2100
        behind = c.behind(i + 3)
        return clear and (c.tokens[i - 1].kind == "FROM" or (not c.kind(i + 3) and behind not in _DOORS))
    if kind or i < 2 or c.tokens[i - 1].kind != "TO":
        return False
    first = c.tokens[i - 2]
    return first.kind in {"YEAR_MONTH", "year"} or (first.kind == "NUM" and first.value in range(1900, 2101))


_DOORS = frozenset({"室", "房", "号", "元", "块", "栋"})


def pointed(c: Cursor, i: int, f: Frame | None) -> Step | None:
    """这, 上, 下 with the unit behind it."""
    kind, token = c.kind(i + 1, 0), c.tokens[i + 1]
    if c.plain[c.tokens[i].start] == "下" and c.before(i) == "一":
        return None  # 问一下周三
    if kind == "YEAR_PART" and c.plain[token.start] != "年":
        return None
    if kind in {"year", "YEAR_PART"}:
        return years.year_pointer(c, i, f, i + 1 if kind == "YEAR_PART" else i + 2)
    if kind in {"month", "MONTH_PART"}:
        return months.month_pointer(c, i, f, i + 1 if kind == "MONTH_PART" else i + 2)
    if kind == "WEEKDAY":
        return days.weekday_pointer(c, i, f)
    if kind == "WEEKEND":
        return months.weekend(c, i, f)
    if kind == "CENTURY":
        return years.century(c, i, f, None, i + 2)
    if kind == "UNIT":
        if token.value == "week":
            return months.week_pointer(c, i, f, i + 2)
        if token.value == "quarter":
            return years.quarter_pointer(c, i, f)
        if token.value == "hour" and f is None and c.tokens[i].value:
            start = c.now + c.tokens[i].value * HOUR_LONG
            return Frame(start, start + HOUR_LONG, PART), i + 2
    return None


def ordinal(c: Cursor, i: int, f: Frame | None) -> Step | None:
    token = c.tokens[i + 1]
    j = i + 3 if c.kind(i + 2) == "piece" else i + 2
    if (
        c.kind(i + 1) == "NUM"
        and isinstance(token.value, int)
        and c.tokens[j].value == "quarter"
        and c.kind(j) == "UNIT"
    ):
        return years.quarter(c, i, f, token.value, j + 1)
    if c.tokens[i].kind == "first" and c.tokens[i + 1].value == "quarter":
        return years.quarter(c, i, f, 1, i + 2)
    if (
        c.kind(i + 1) == "NUM"
        and c.kind(i + 2) == "year"
        and f is None
        and isinstance(token.value, int)
        and token.value < 50
    ):
        return year_frame(c.now.year + token.value - 1, c.now), i + 3
    return months.counted(c, i, f)


def around(c: Cursor, i: int, f: Frame | None) -> Step | None:
    """前十天 in a month; 除夕前一天, 端午后一天."""
    if f is not None and f.level == DAY and c.kind(i + 1) == "NUM" and c.tokens[i + 2].value == "day":
        count = c.tokens[i + 1].value
        if isinstance(count, int) and count < 100:
            start = f.start + (-count if c.kind(i, 0) == "before" else count) * DAY_LONG
            return f._replace(start=start, end=start + DAY_LONG), i + 3
        return None
    if f is None and c.kind(i, 9) == "before" and c.tokens[i + 2].value == "quarter":
        f = year_frame(c.now.year, c.now)  # 前三季度
    return months.counted(c, i, f) if f is not None and f.level <= MONTH else None


def edge(c: Cursor, i: int, f: Frame | None) -> Step | None:
    """明年底, 明年初."""
    if f is None or f.level != YEAR or c.tokens[i].glue > 0 or c.kind(i + 1, 0) == "NUM":
        return None
    if c.tokens[i].kind == "end":
        return inside(f, add_months(f.end, -1), f.end, MONTH), i + 1
    return inside(f, f.start, add_months(f.start, 2), MONTH), i + 1


def initial(c: Cursor, i: int, f: Frame | None) -> Step | None:
    return days.initial_day(c, i, f) or edge(c, i, f)


def month_part(c: Cursor, i: int, f: Frame | None) -> Step | None:
    """月底; but 三月初三 is a lunar day."""
    token = c.tokens[i]
    if c.plain[token.start : token.end] == "月初" and c.kind(i + 1, 0) == "NUM" and f is not None:
        found = days.initial_day(c, i, f)
        if found:
            return found
    return months.month_part(c, i, f)


def year_part(c: Cursor, i: int, f: Frame | None) -> Step | None:
    """年初; but 年初三 is a lunar day."""
    token = c.tokens[i]
    if c.plain[token.start : token.end] == "年初" and c.kind(i + 1, 0) == "NUM":
        found = days.initial_day(c, i, f)
        if found:
            return found
    return years.year_part(c, i, f)


def that_day(c: Cursor, i: int, f: Frame | None) -> Step | None:
    return (f, i + 1) if f is not None and f.level in {DAY, MONTH} and c.tokens[i].glue <= BLANK else None


PIECES: dict[str, Piece] = {
    "NUM": numbered,
    "POINTER": pointed,
    "YEAR_NAME": years.year_name,
    "NEXT_YEAR": years.year_name,
    "YEAR_PART": year_part,
    "YEAR_DAY": days.lunar_festival,
    "WHOLE": years.whole,
    "SEASON": years.season,
    "QUARTER_NO": lambda c, i, f: years.quarter(
        c, i, f, c.tokens[i].value, i + 1 + (c.tokens[i + 1].value == "quarter")
    ),
    "MONTH_PART": month_part,
    "LUNAR": months.lunar_month,
    "LUNAR_MONTH": months.lunar_month,
    "leap": months.lunar_month,
    "WEEKEND": months.weekend,
    "HALF_WEEK": months.half_week,
    "ordinal": ordinal,
    "first": ordinal,
    "LAST": months.counted,
    "before": around,
    "after": around,
    "start": initial,
    "end": edge,
    "DAY_NAME": days.day_name,
    "DAYS_NAME": days.days_name,
    "WEEKDAY": days.weekday,
    "DATE": days.date,
    "YEAR_MONTH": days.month_literal,
    "MONTH_DAY": days.month_day,
    "FESTIVAL": days.festival,
    "NTH_FESTIVAL": days.festival,
    "LUNAR_FESTIVAL": days.lunar_festival,
    "TERM": days.solar_term,
    "HOLIDAY": days.holiday,
    "BETWEEN": days.holiday,
    "THAT_DAY": that_day,
    "PART": clocks.part,
    "PART_TAIL": clocks.part,
    "DAY_PART": clocks.day_part,
    "CLOCK": clocks.clock,
    "to_go": clocks.clock,
}
_HOURS = frozenset({"PART", "CLOCK", "NUM", "PART_TAIL"})


def expression(c: Cursor, i: int, f: Frame | None = None) -> Step | None:
    """As many pieces as go together from a token on."""
    found: Step | None = None
    while piece := PIECES.get(c.tokens[i].kind):
        glue = c.tokens[i].glue
        if found is not None and not _joins(c, i, found[0], glue):
            break
        step = piece(c, i, f)
        if step is None and found is not None and f is not None and f.level == DAY and glue <= COMMA:
            step = _again(c, i, f)
        if step is None or step[1] <= i:
            break
        found = step
        f, i = step
        if c.kind(i) == "ABOUT" and c.tokens[i + 1].kind in _HOURS:
            i += 1
            f = f._replace(around=True)
    return found


def _joins(c: Cursor, i: int, f: Frame, glue: int) -> bool:
    if glue <= BLANK:
        return True
    if glue == OF:
        return f.level < HOUR
    return (
        glue == COMMA
        and f.level in {DAY, PART}
        and (c.tokens[i].kind in _HOURS or c.tokens[i].kind == "WEEKDAY")
    )


def _again(c: Cursor, i: int, f: Frame) -> Step | None:
    """周日, 二月十号: the day said a second time, more exactly."""
    if not f.outer or f.outer[-1].level != WEEK or c.tokens[i].kind not in {"NUM", "DATE", "MONTH_DAY"}:
        return None
    kept, c.turn = c.turn, 0
    step = expression(c, i)
    c.turn = kept
    if step and step[0].level == DAY and step[0].start.weekday() == f.start.weekday():
        return step[0]._replace(cycle=0), step[1]
    return None
