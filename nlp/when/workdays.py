"""Which days are worked: weekends, public holidays and the days worked instead (调休) of the mainland."""

from __future__ import annotations

from datetime import datetime

from nlp.when.frame import DAY_LONG


def is_workday(moment: datetime) -> bool:
    """By the official calendar where it is known (it is announced a year ahead), else by the weekday."""
    import chinese_calendar  # noqa: PLC0415 - only a few words need it

    try:
        return bool(chinese_calendar.is_workday(moment.date()))
    except NotImplementedError:
        return moment.weekday() < 5


def after(moment: datetime, count: int) -> datetime:
    """The day that is so many workdays later; at most a few years."""
    day = moment
    for _ in range(min(count, 1000)):
        day += DAY_LONG
        while not is_workday(day):
            day += DAY_LONG
    return day
