"""Which days are worked: weekends, public holidays and the days worked instead (调休) of the mainland."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache

from nlp.when.frame import DAY_LONG


def is_workday(moment: datetime) -> bool:
    """By the official calendar where it is known (it is announced a year ahead), else by the weekday."""
    announced = _announced(moment)
    return moment.weekday() < 5 if announced is None else announced


def _announced(moment: datetime) -> bool | None:
    """Whether a day is worked by the official calendar; None where that is not known yet."""
    import chinese_calendar  # noqa: PLC0415 - only a few words need it

    try:
        return bool(chinese_calendar.is_workday(moment.date()))
    except NotImplementedError:
        return None


@lru_cache(maxsize=64)
def off(festival: datetime) -> tuple[datetime, datetime]:
    """The first day off around a festival and the first that is worked again; not yet announced, its day."""
    start, end = festival, festival + DAY_LONG
    if _announced(festival) is not False:
        return start, end
    while not is_workday(start - DAY_LONG):
        start -= DAY_LONG
    while not is_workday(end):
        end += DAY_LONG
    return start, end


@lru_cache(maxsize=256)
def away(moment: datetime, count: int) -> datetime:
    """The day that is so many workdays later, or earlier; at most half a year."""
    day, step = moment, DAY_LONG if count > 0 else -DAY_LONG
    for _ in range(min(abs(count), 120)):
        day += step
        while not is_workday(day):
            day += step
    return day


@lru_cache(maxsize=1024)
def festival(moment: datetime) -> bool:
    """Whether a day is off because of a public holiday, and not just because it is a weekend."""
    import chinese_calendar  # noqa: PLC0415 - only a few words need it

    try:
        off_duty, name = chinese_calendar.get_holiday_detail(moment.date())
    except NotImplementedError:
        return False
    return bool(off_duty and name)


@lru_cache(maxsize=1024)
def worked_instead(moment: datetime) -> bool:
    """Whether a weekend day is worked for a holiday's sake (调休)."""
    return moment.weekday() >= 5 and _announced(moment) is True
