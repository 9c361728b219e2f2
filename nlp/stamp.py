"""The times that chat programs print beside what was said: 昨天 22:15, 星期三 10:05, 2026/3/4 10:05:22.

They tell what was, so each is the last such moment before now. What people say of time is in `nlp.when`.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta

_YEARLY = r"\d{4}\s*[-/.年]\s*\d{1,2}\s*[-/.月]\s*\d{1,2}\s*日?"
_WEEKDAY = r"(?:星期|周|礼拜)[一二三四五六日天]"
_DAY = rf"(?:{_YEARLY}|\d{{1,2}}月\d{{1,2}}日|\d{{1,2}}[-/]\d{{1,2}}|今天|昨天|前天|{_WEEKDAY})"
_PART = r"(?:凌晨|清晨|早上|早晨|上午|中午|下午|傍晚|晚上|[AaPp][Mm])"
_CLOCK = r"\d{1,2}[:：]\d{2}(?:[:：]\d{2})?"
_TAIL = r"(?:\s*[AaPp][Mm])?"
#: A moment as a pattern, without groups: a clock time, with or without its day.
MOMENT = rf"(?:{_DAY}\s*[,，]?\s*)?(?:{_PART}\s*)?{_CLOCK}{_TAIL}"
#: A moment with its year: what may stand before a name without being part of what is said.
DATED = rf"{_YEARLY}\s*[,，]?\s*(?:{_PART}\s*)?{_CLOCK}{_TAIL}"

_WHOLE = re.compile(
    rf"(?P<day>{_DAY})?\s*[,，]?\s*(?:(?P<part>{_PART})\s*)?(?P<clock>{_CLOCK})?(?P<tail>{_TAIL})"
)
_NUMBERS = re.compile(r"\d+")
_AGO = {"今天": 0, "昨天": 1, "前天": 2}
_WEEK = "一二三四五六日"
_EVENING = frozenset({"下午", "傍晚", "晚上", "pm"})
_MORNING = frozenset({"凌晨", "上午", "am"})
#: How far a clock of another machine may be ahead.
_SLACK = timedelta(minutes=5)


def read(text: str, now: datetime, day: date | None = None) -> tuple[date, datetime | None] | None:
    """The day, and the moment where a clock time is printed; None when the text is no such print, or of the
    future. `day` is the one that was printed last: a clock time alone is of it. All naive, local."""
    match = _WHOLE.fullmatch(text.strip())
    if match is None or not (match["day"] or match["clock"]):
        return None
    clock = (
        _clock(match["clock"], (match["part"] or match["tail"]).strip().lower()) if match["clock"] else None
    )
    if match["clock"] and clock is None:
        return None
    found = _day(match["day"], clock, now) if match["day"] else day or _last(now.date(), 1, clock, now)
    if found is None or datetime.combine(found, clock or time.min) > now + _SLACK:
        return None
    return found, datetime.combine(found, clock) if clock else None


def _clock(text: str, part: str) -> time | None:
    hour, minute, second = ([int(n) for n in _NUMBERS.findall(text)] + [0])[:3]
    if (part in _EVENING and hour < 12) or (part == "中午" and hour < 3):
        hour += 12
    elif part in _MORNING and hour == 12:
        hour = 0
    return time(hour, minute, second) if hour < 24 and minute < 60 and second < 60 else None


def _day(text: str, clock: time | None, now: datetime) -> date | None:
    if text in _AGO:
        return now.date() - timedelta(days=_AGO[text])
    if text[0] in "星周礼":
        weekday = _WEEK.index(text[-1].replace("天", "日"))
        return _last(now.date() - timedelta(days=(now.weekday() - weekday) % 7), 7, clock, now)
    numbers = [int(n) for n in _NUMBERS.findall(text)]
    try:
        if len(numbers) == 3:
            return date(*numbers)
        this_year = date(now.year, *numbers)
        return this_year if this_year <= now.date() else date(now.year - 1, *numbers)
    except ValueError:  # 2月30日
        return None


def _last(day: date, step: int, clock: time | None, now: datetime) -> date:
    """The day, or the one `step` days before where its clock time is still to come."""
    ahead = datetime.combine(day, clock or time.min) > now + _SLACK
    return day - timedelta(days=step) if ahead else day
