"""How long: 两小时, 一个半钟头, 三天; and from now: 半小时后, 三天内, 未来七天, 前两天."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from nlp.when import workdays
from nlp.when.cursor import Cursor
from nlp.when.frame import (
    DAY,
    DAY_LONG,
    HOUR,
    HOUR_LONG,
    MINUTE,
    MONTH,
    QUARTER,
    WEEK,
    WEEK_LONG,
    YEAR,
    add_months,
    midnight,
    monday,
)
from nlp.when.lexer import few

_SECONDS = {
    "second": 1,
    "minute": 60,
    "five_minutes": 300,
    "quarter_hour": 900,
    "hour": 3600,
    "day": 86400,
    "week": 604800,
}
_MONTHS = {"month": 1, "quarter": 3, "year": 12, "century": 1200}
_SIZES = _SECONDS | {
    "workday": 86400,
    "month": 2592000,
    "quarter": 7776000,
    "year": 31536000,
    "century": 10**10,
}
_LEVELS = {
    "second": MINUTE,
    "minute": MINUTE,
    "five_minutes": MINUTE,
    "quarter_hour": MINUTE,
    "hour": HOUR,
    "day": DAY,
    "workday": DAY,
    "week": WEEK,
    "month": MONTH,
    "quarter": QUARTER,
    "year": YEAR,
    "century": YEAR,
}


class Length(NamedTuple):
    """Months and seconds are kept apart, because months differ in length."""

    months: float
    seconds: float
    level: int
    unit: str
    #: where it ends
    stop: int
    most: float = 0

    @property
    def total(self) -> float:
        """Seconds, with a month of 30 days and a year of 365."""
        years, months = divmod(self.months, 12)
        return years * 365 * 86400 + months * 30 * 86400 + self.seconds

    @property
    def minutes(self) -> int | None:
        """Whole minutes, where hours and minutes were said; 0 seconds were."""
        return round(self.seconds / 60) if self.level >= HOUR and not self.months else None


def length(c: Cursor, i: int, counted: bool = False) -> Length | None:
    """A duration at a token, with all its parts. `counted`: something around it says that 60日 is no date."""
    found = _one(c, i, counted)
    if found is None:
        return None
    while True:
        j = found.stop
        joined = c.kind(j) == "and"
        if found.unit == "day" and c.plain[c.tokens[i].start : c.tokens[i].end] in {"一", "1"} and not joined:
            return found  # 一天八小时
        more = _one(c, j + joined, True, found.unit == "hour") if c.tokens[j + joined].glue <= 1 else None
        if more is None or c.kind(j + joined) == "half":
            return found
        if not joined and _SIZES[more.unit] >= _SIZES[found.unit]:
            return found
        found = Length(
            found.months + more.months,
            found.seconds + more.seconds,
            max(found.level, more.level),
            more.unit,
            more.stop,
        )


def _one(c: Cursor, i: int, counted: bool, after_hours: bool = False) -> Length | None:
    """One number with its unit: 3天, 半小时, 个半钟, 四个多星期, 五分半, 俩礼拜."""
    j, value = i, 0.0
    kind = c.kind(i, 9)
    text = ""
    if kind == "NUM":
        token = c.tokens[i]
        if token.value is None:
            return None
        value, j = float(token.value), i + 1
        text = c.plain[token.start : token.end]
        value = few(text) or value
    elif kind == "half":
        return _half(c, i)
    elif kind == "piece" and c.kind(i + 1, 0) == "half":
        value, j = 1.0, i + 1  # 个半小时
    elif (
        kind == "minute"
        and c.kind(i + 1, 0) == "half"
        and not (i and c.tokens[i].glue == 0)
        and c.before(i) != "十"
    ):
        return _length(1.5, "minute", i + 2 + (c.kind(i + 2, 0) == "bell"))  # 分半钟
    else:
        return None
    more = False
    if c.kind(j) == "more":
        more, j = True, j + 1
    piece = c.kind(j) == "piece"
    j += piece
    if c.kind(j, 0) == "more":
        more, j = True, j + 1
    half = c.kind(j, 0) == "half"
    j += half
    unit = _unit(c, j, value, piece or half or more or kind == "piece", counted, after_hours)
    if unit is None:
        return None
    name, j = unit
    if not half and c.kind(j, 0) == "half" and c.kind(j + 1, 0) not in {"hour"} and not _half_starts(c, j):
        half, j = True, j + 1
        if c.kind(j, 0) == "bell":
            j += 1
    if c.kind(j, 0) == "more" and c.kind(j + 1) not in {"bell", "hour"}:
        j += 1  # 两年多
    return _length(value + (0.5 if half else 0), name, j)


def _half_starts(c: Cursor, j: int) -> bool:
    """两天半小时: the half belongs to what follows."""
    return c.kind(j + 1, 0) == "UNIT" and c.tokens[j + 1].value in {"hour", "day"}


def _half(c: Cursor, i: int) -> Length | None:
    """半小时, 半天, 半个月, 半年."""
    j = i + 1
    piece = c.kind(j, 0) == "piece"
    j += piece
    if c.kind(j, 0) == "more":
        j += 1
    unit = _unit(c, j, 0.5, True, True, False)
    if unit is None or c.before(i) in {"大", "小", "老", "上", "下", "前", "后", "点"}:
        return None
    return _length(0.5, unit[0], unit[1])


def _unit(
    c: Cursor, j: int, value: float, piece: bool, counted: bool, after_hours: bool
) -> tuple[str, int] | None:
    token = c.tokens[j]
    kind = c.kind(j)
    if kind == "UNIT":
        name = token.value
        if name == "quarter" and not piece:
            return None
        if name == "five_minutes" and not piece:
            return None
        if name == "quarter_hour" and token.end - token.start == 1 and value > 3:
            return None
        return name, j + 1
    if kind == "WORKDAYS" and piece and c.plain[token.start : token.end] == "工作日":
        return "workday", j + 1
    if kind == "CENTURY" and piece:
        return "century", j + 1
    if kind == "WHOLE" and c.plain[token.start] == "整":  # 三整天
        return str(token.value), j + 1
    if kind == "minute" and c.kind(j + 1, 0) == "more" and c.kind(j + 2, 0) == "bell":
        return "minute", j + 3
    if kind == "bell" and (piece or c.plain[token.start - 1] in "俩仨"):  # 三个钟, 半个钟
        return "hour", j + 1
    if kind == "month" and (piece or counted or c.plain[token.start - 1] in "俩仨"):
        return "month", j + 1
    if kind == "year" and not _calendar_year(c, j, value):
        return "year", j + 1
    if (
        kind == "date"
        and c.plain[token.start] == "日"
        and (counted or value > 31 or c.plain[token.start - 1] in "两俩")
    ):
        return "day", j + 1
    if kind == "hour" and after_hours is False and counted and c.plain[token.start] == "时":
        return "hour", j + 1
    if kind == "minute" and (after_hours or piece or c.kind(j + 1, 0) == "half"):
        return "minute", j + 1
    return None


_LASTING = frozenset("了过近约满做用住干教够整这那前后")


def _calendar_year(c: Cursor, j: int, value: float) -> bool:
    """2018年, 18年3月, 零六年: a year of the calendar, not so many years."""
    start = c.tokens[j - 1].start
    text = c.plain[start : c.tokens[j].start].strip()
    if (
        value >= 1000
        or (len(text) == 2 and text[0] in "零〇")
        or (len(text) == 2 and text.isalpha() and not set(text) & set("十廿卅百两俩"))
    ):
        return value >= 10 or text[0] in "零〇"
    if len(text) != 2 or not text.isdigit():
        return False
    behind = c.kind(j + 1)
    if behind in {"after", "before", "AFTER", "BEFORE", "half", "more", "WITHIN", "SINCE", "and"}:
        return c.tokens[j + 1].kind in {"before", "BEFORE"} and c.kind(j + 2) == "NUM"
    return c.plain[max(0, start - 1) : start] not in _LASTING


def _length(value: float, name: str, j: int) -> Length | None:
    if value > 100_000:
        return None
    if name in _MONTHS:
        return Length(value * _MONTHS[name], 0, _LEVELS[name], name, j)
    if name == "workday":
        return Length(0, value * 86400, DAY, name, j)
    return Length(0, value * _SECONDS[name], _LEVELS[name], name, j)


def later(now: datetime, long: Length, sign: int = 1) -> datetime:
    """The moment a length away from now. Raises OverflowError outside the calendar."""
    if long.unit == "workday":
        return workdays.away(midnight(now), sign * int(long.seconds // 86400))
    moment = now
    if long.months:
        whole = int(long.months)
        if not 1 <= now.year + sign * whole // 12 <= 9998:
            raise OverflowError
        moment = add_months(now, sign * whole) + sign * (long.months - whole) * 30 * DAY_LONG
    return moment + sign * timedelta(seconds=long.seconds)


def around(moment: datetime, level: int) -> tuple[datetime, datetime]:
    """The unit of the calendar that holds a moment: its day, week, month, year."""
    if level >= HOUR:
        return moment, moment
    day = midnight(moment)
    if level == DAY:
        return day, day + DAY_LONG
    if level == WEEK:
        start = monday(day)
        return start, start + WEEK_LONG
    first = day.replace(day=1)
    if level in {MONTH, QUARTER}:
        return first, add_months(first, 1)
    first = first.replace(month=1)
    return first, first.replace(year=first.year + 1)


def units(now: datetime, long: Length, sign: int) -> tuple[datetime, datetime]:
    """The whole units before or after the present one: 前两天, 后三个月."""
    start, end = around(now, long.level)
    if long.level == HOUR:
        start = now.replace(minute=0)
        end = start + HOUR_LONG
    elif long.level == MINUTE:
        end = start + timedelta(minutes=1)
    return (later(start, long, -1), start) if sign < 0 else (end, later(end, long))
