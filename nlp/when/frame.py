"""A stretch of the calendar, and the calendar's arithmetic."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

DAY_LONG = timedelta(days=1)
WEEK_LONG = timedelta(days=7)
HOUR_LONG = timedelta(hours=1)
MINUTE_LONG = timedelta(minutes=1)

#: How exactly a time was said, coarsest first. `NO_CYCLE`: said outright, nothing was to be chosen.
NO_CYCLE, CENTURY, DECADE, YEAR, QUARTER, MONTH, WEEK, DAY, PART, HOUR, MINUTE = range(11)
GRAINS = ("", "century", "decade", "year", "quarter", "month", "week", "day", "part", "hour", "minute")


class Frame(NamedTuple):
    """A stretch of time, as said, with the stretches it was said in (去年 around 三月 around 五号).

    `cycle`: in which round (year, month, week, day) the words left open which one is meant.
    """

    start: datetime
    end: datetime
    level: int
    outer: tuple[Frame, ...] = ()
    cycle: int = NO_CYCLE
    #: the part of the day that its hours belong to
    part: str = ""
    around: bool = False

    @property
    def dated(self) -> bool:
        return self.level <= DAY or any(frame.level <= DAY for frame in self.outer)


def inside(
    outer: Frame | None,
    start: datetime,
    end: datetime,
    level: int,
    *,
    cycle: int = NO_CYCLE,
    part: str = "",
    around: bool = False,
) -> Frame:
    """A finer frame in a coarser one, of which it keeps what was left open."""
    if outer is None:
        return Frame(start, end, level, (), cycle, part, around)
    return Frame(start, end, level, (*outer.outer, outer), outer.cycle, part or outer.part, around)


def midnight(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def add_months(moment: datetime, months: int) -> datetime:
    """The same day of another month, or its last one."""
    index = moment.year * 12 + moment.month - 1 + months
    year, month = divmod(index, 12)
    day = min(moment.day, days_in(year, month + 1))
    return moment.replace(year=year, month=month + 1, day=day)


def days_in(year: int, month: int) -> int:
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    return 30 if month in {4, 6, 9, 11} else 31


def monday(moment: datetime) -> datetime:
    return midnight(moment) - moment.weekday() * DAY_LONG


def first_weekday(start: datetime, weekday: int) -> datetime:
    """The first such day at or after `start`."""
    return start + ((weekday - start.weekday()) % 7) * DAY_LONG


def year_frame(year: int, now: datetime) -> Frame:
    """Raises ValueError for a year that the calendar doesn't know."""
    first = midnight(now).replace(year=year, month=1, day=1)
    return Frame(first, first.replace(year=year + 1), YEAR)


def month_frame(outer: Frame | None, first: datetime, cycle: int = NO_CYCLE) -> Frame:
    return inside(outer, first, add_months(first, 1), MONTH, cycle=cycle)
