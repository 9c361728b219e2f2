"""The first time that a recurrence happens."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from nlp.when.frame import DAY_LONG, add_months, days_in, first_weekday, midnight
from nlp.when.said import Said


class Rule(NamedTuple):
    """What RFC 5545 can say of a recurrence, hours apart."""

    freq: str
    interval: int = 1
    days: tuple[int, ...] = ()
    #: of the month: its days, -1 the last; or which of its weekdays
    on: tuple[int, ...] = ()
    nth: int = 0
    months: tuple[int, ...] = ()


def occurrence(rule: Rule, hours: Said | None, now: datetime) -> Said:
    """The first day of the rule that is not over, with the hour or window that was said."""
    day = _next(rule, midnight(now))
    if hours is None or hours.start is None:
        return Said("point", (0, 0), day, day + DAY_LONG, "day")
    said = _at(day, hours)
    end = said.end or said.start
    return _at(_next(rule, day + DAY_LONG), hours) if end is not None and end <= now else said


def _at(day: datetime, hours: Said) -> Said:
    assert hours.start is not None
    shift = day - midnight(hours.start)
    return hours._replace(start=hours.start + shift, end=hours.end + shift if hours.end else None)


def _next(rule: Rule, day: datetime) -> datetime:
    """The first day of the rule at or after a day."""
    if rule.freq == "WEEKLY" and rule.days:
        return min(first_weekday(day, weekday) for weekday in rule.days)
    if not (rule.on or rule.nth or rule.months):
        return day
    first = day.replace(day=1)
    for count in range(60):
        month = add_months(first, count)
        if rule.months and month.month not in rule.months:
            continue
        ahead = [found for found in _in_month(rule, month) if found >= day]
        if ahead:
            return min(ahead)
    return day


def _in_month(rule: Rule, month: datetime) -> list[datetime]:
    length = days_in(month.year, month.month)
    if rule.nth:
        weekday = rule.days[0]
        if rule.nth < 0:
            return [first_weekday(month + timedelta(days=length - 7), weekday)]
        found = first_weekday(month, weekday) + timedelta(days=7 * (rule.nth - 1))
        return [found] if found.month == month.month else []
    days = [length if day < 0 else day for day in rule.on or (1,)]
    return [month + timedelta(days=day - 1) for day in days if day <= length]
