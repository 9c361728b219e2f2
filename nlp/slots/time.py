"""When: points, parts of the day, ranges and days, by the conventions of the contract.

A first parser: Gregorian festivals, relative days, weekdays, dates, parts of the day, clock times, ranges,
after / before / around. Lunar dates and recurrence come later.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from nlp.slots.time_grammar import Clock, Day, parse_clock, parse_day, scan

DAY = timedelta(days=1)

#: Windows of the parts of a day, hours from midnight (contract, conventions).
PARTS = {
    "dawn": (0, 6),
    "early": (6, 9),
    "morning": (8, 12),
    "noon": (11, 13),
    "afternoon": (12, 18),
    "dusk": (17, 19),
    "evening": (18, 24),
}
#: An hour without part of day is one at which people are up.
_UP, _DOWN = 7, 22


@dataclass(frozen=True)
class TimeWindow:
    """`end` only for a window or range; `grain`: how exactly it was said; `mod`: after, before, around."""

    start: datetime
    end: datetime | None
    grain: str
    mod: str | None = None

    def write(self) -> dict[str, str]:
        value = {"start": _iso(self.start)}
        if self.end is not None:
            value["end"] = _iso(self.end)
        value["grain"] = self.grain
        if self.mod:
            value["mod"] = self.mod
        return value


def _iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M") if moment.year >= 1000 else moment.isoformat()[:16]


def read(value: Mapping[str, str]) -> TimeWindow:
    end = value.get("end")
    return TimeWindow(
        datetime.fromisoformat(value["start"]),
        datetime.fromisoformat(end) if end else None,
        value["grain"],
        value.get("mod"),
    )


@dataclass(frozen=True)
class Found:
    window: TimeWindow
    span: tuple[int, int]
    #: Named a day, rather than an hour of an unnamed one.
    dated: bool


_SHARPNESS = {"minute": 4, "hour": 4, "part": 3, "day": 2, "week": 1, "month": 1, "year": 0}


def find(plain: str, now: datetime) -> list[Found]:
    """Every time in a normalised text, in order. Out of the calendar's range there is none."""
    found: list[Found] = []
    for said in scan(plain):
        try:
            day = parse_day(said.day, now, plain[said.end :]) if said.day else None
            window = _resolve(day, said.part, said.clock, said.until, said.until_part, now)
            if said.offset is not None:
                window = TimeWindow(
                    _minute(now + said.offset), None, "minute" if said.offset < DAY else "day"
                )
                if said.offset >= DAY:
                    start = _midnight(window.start)
                    window = TimeWindow(start, start + DAY, "day")
        except (ValueError, OverflowError):
            continue
        if window is None:
            continue
        if said.mod and window.grain in {"hour", "minute"} and window.end is None:
            window = TimeWindow(window.start, None, window.grain, said.mod)
        found.append(Found(window, (said.start, said.end), day is not None or said.offset is not None))
    return _inherit(found, now)


def _inherit(found: list[Found], now: datetime) -> list[Found]:
    """Said in two breaths (今天下午，四点吧) it is one time: the hour of the day named before."""
    merged: list[Found] = []
    for this in found:
        last = merged[-1] if merged else None
        if (
            last
            and not this.dated
            and this.window.grain in {"hour", "minute", "part"}
            and last.dated
            and last.window.grain in {"day", "part"}
            and this.span[0] - last.span[1] <= 6
        ):
            shift = _midnight(last.window.start) - _midnight(this.window.start)
            start, end = this.window.start + shift, this.window.end
            part_end = last.window.end
            if last.window.grain == "part" and part_end and not last.window.start <= start < part_end:
                half = timedelta(hours=12)
                if last.window.start <= start + half < part_end:
                    start += half
                elif last.window.start <= start - half < part_end:
                    start -= half
            merged[-1] = Found(
                TimeWindow(start, end + shift if end else None, this.window.grain, this.window.mod),
                (last.span[0], this.span[1]),
                True,
            )
            continue
        merged.append(this)
    return merged


def choose(found: Sequence[Found], now: datetime, ahead: bool = False, last: bool = False) -> Found | None:
    """The time that is meant: the sharpest, of equals the first; the last, where something changed."""
    kept = [f for f in found if not ahead or (f.window.end or f.window.start) > now]
    if not kept:
        return None
    if last:
        return max(enumerate(kept), key=lambda pair: (_SHARPNESS[pair[1].window.grain] > 2, pair[0]))[1]
    return max(kept, key=lambda f: (_SHARPNESS[f.window.grain] + f.dated, -f.span[0]))


def _midnight(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def _minute(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)


def _resolve(
    day: Day | None,
    part: str | None,
    clock: str | None,
    until: str | None,
    until_part: str | None,
    now: datetime,
) -> TimeWindow | None:
    if clock:
        start = _point(day, part, parse_clock(clock), now)
        if start is None:
            return None
        grain = parse_clock(clock).grain
        if until:
            end_clock = parse_clock(until)
            end = _point(Day(_midnight(start), None, "day"), until_part or part, end_clock, now, after=start)
            if end is None:
                return None
            while end <= start:
                end += timedelta(hours=12)
            return TimeWindow(start, end, "minute" if "minute" in {grain, end_clock.grain} else "hour")
        return TimeWindow(start, None, grain)
    if part:
        first, last = PARTS[part]
        base = _midnight(day.start if day else now)
        if day is None and base + timedelta(hours=last) <= now:
            base += DAY
        return TimeWindow(base + timedelta(hours=first), base + timedelta(hours=last), "part")
    return TimeWindow(day.start, day.end or day.start + DAY, day.grain) if day else None


def _point(
    day: Day | None, part: str | None, clock: Clock, now: datetime, after: datetime | None = None
) -> datetime | None:
    """A clock time on a day, by part of day or, without one, while people are up."""
    hour, minute = clock.hour, clock.minute
    if hour > 24 or minute > 59:
        return None
    base = _midnight(day.start if day else now)
    if part:
        at = base + _in_part(part, hour, minute)
        return at + DAY if day is None and at <= now and part != "dawn" else at
    if hour >= 13 or hour == 0:
        at = base + timedelta(hours=hour, minutes=minute)
        return at + DAY if day is None and at <= now else at
    if after is not None:
        at = base + timedelta(hours=hour, minutes=minute)
        return at if at > after else at + timedelta(hours=12)
    if day is not None:
        return base + timedelta(hours=hour + (12 if hour < _UP else 0), minutes=minute)
    for days in (0, 1):
        for add in (0, 12):
            at = base + timedelta(days=days, hours=hour + add, minutes=minute)
            awake = _UP * 60 <= (hour + add) * 60 + minute <= _DOWN * 60
            if awake and at > now:
                return at
    return None


def _in_part(part: str, hour: int, minute: int) -> timedelta:
    if part in {"afternoon", "evening", "dusk"} and hour < 12:
        night = part == "evening" and hour < 5
        hour += 24 if night else 12
    elif part == "evening" and hour == 12:
        hour = 24
    elif part == "noon" and hour < 4:
        hour += 12
    elif part == "dawn" and hour == 12:
        hour = 0
    return timedelta(hours=hour, minutes=minute)
