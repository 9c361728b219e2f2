"""When a community is at work: its service hours with holidays, and the roster outside them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from nlp.when import workdays

Span = tuple[datetime, datetime]
_WEEK = "一二三四五六日"
_DAY = r"(?:周|星期)([一二三四五六日天])"
_DAYS = re.compile(rf"{_DAY}(?:\s*(到|至|-|、)\s*{_DAY})*")
_SPAN = re.compile(r"(\d{1,2}):(\d{2})\s*[-–—至到]\s*(\d{1,2}):(\d{2})")
LOOKS_AHEAD = 120  # days: whoever closes for longer is taken to be open again then


@dataclass(frozen=True, slots=True)
class Hours:
    """Service hours. `week` has for each weekday (0 is Monday) the spans in minutes after midnight.

    Public holidays are off and days worked instead (调休) are like Mondays; `closed` and `opened` are the
    community's own exceptions, an opened day being like a Monday too.
    """

    week: Mapping[int, tuple[tuple[int, int], ...]]
    closed: frozenset[date] = frozenset()
    opened: frozenset[date] = frozenset()

    def of(self, day: date) -> tuple[tuple[int, int], ...]:
        """The spans of a day, in minutes after midnight."""
        at = datetime.combine(day, time())
        if day in self.closed:
            return ()
        if day in self.opened or workdays.worked_instead(at):
            return self.week.get(0, ())
        return () if workdays.festival(at) else self.week.get(day.weekday(), ())


def read(table: Mapping[str, object]) -> Hours:
    """From a community's file: "周一到周六" = ["08:30-12:00", …]. ValueError with what is wrong."""
    week: dict[int, tuple[tuple[int, int], ...]] = {}
    dates: dict[str, frozenset[date]] = {}
    for key, value in table.items():
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise ValueError(f"hours.{key}: a list of texts in quotes")
        if key in ("closed", "opened"):
            try:
                dates[key] = frozenset(map(date.fromisoformat, value))
            except ValueError:
                raise ValueError(f'hours.{key}: dates like "2026-02-10"') from None
            continue
        for day in _weekdays(key):
            week[day] = tuple(_spans(key, value))
    if not any(week.values()):
        raise ValueError('hours: at least one day, like "周一到周五" = ["08:30-12:00", "13:30-18:00"]')
    return Hours(week, dates.get("closed", frozenset()), dates.get("opened", frozenset()))


def _weekdays(key: str) -> list[int]:
    if key == "每天":
        return list(range(7))
    if not _DAYS.fullmatch(key):
        raise ValueError(f"hours.{key}: 周一, 周一到周六, 周六、周日 or 每天")
    named = [_WEEK.index(char.replace("天", "日")) for char in re.findall(_DAY, key)]
    if re.search(r"到|至|-", key):
        return list(range(named[0], named[-1] + 1))
    return named


def _spans(key: str, texts: Iterable[str]) -> Iterator[tuple[int, int]]:
    before = 0
    for text in texts:
        match = _SPAN.fullmatch(text.strip())
        if match is None:
            raise ValueError(f"hours.{key}: {text} is not like 08:30-12:00")
        hour, minute, to_hour, to_minute = map(int, match.groups())
        start, end = hour * 60 + minute, to_hour * 60 + to_minute
        if not (before <= start < end <= 24 * 60):
            raise ValueError(f"hours.{key}: {text} does not come after what stands before it")
        before = end
        yield start, end


@dataclass(frozen=True, slots=True)
class Calendar:
    """When promises run. Without `hours` they always do; `duty` are the times the roster adds, in order.

    All instants are aware. A span of whole days is counted in days that are worked, the rest of it in hours
    that are: 24 hours from Friday 17:00 are Saturday 17:00 where Saturdays are worked, else Monday 17:00, and
    30 minutes from 23:00 are 09:00 where work begins at 08:30.
    """

    zone: ZoneInfo
    hours: Hours | None = None
    duty: Sequence[Span] = field(default=())

    def _open_on(self, day: date) -> list[Span]:
        """The open spans that begin on a day, the roster's shifts cut to it, joined where they meet."""
        assert self.hours is not None
        midnight = datetime.combine(day, time(), self.zone)
        following = datetime.combine(day + timedelta(days=1), time(), self.zone)
        spans = [
            (midnight + timedelta(minutes=start), midnight + timedelta(minutes=end))
            for start, end in self.hours.of(day)
        ]
        spans += [
            (max(a, midnight), min(b, following)) for a, b in self.duty if a < following and b > midnight
        ]
        joined: list[Span] = []
        for start, end in sorted(spans):
            if joined and start <= joined[-1][1]:
                joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
            else:
                joined.append((start, end))
        return joined

    def spans(self, at: datetime) -> Iterator[Span]:
        """The open spans from an instant on, the first cut to it."""
        local = at.astimezone(self.zone)
        for ahead in range(LOOKS_AHEAD):
            for start, end in self._open_on(local.date() + timedelta(days=ahead)):
                if end > local:
                    yield max(start, local), end

    def is_open(self, at: datetime) -> bool:
        return self.hours is None or self.next_open(at) <= at

    def next_open(self, at: datetime) -> datetime:
        """The instant itself, or when work begins next."""
        if self.hours is None:
            return at
        return next((start.astimezone(UTC) for start, _ in self.spans(at)), at)

    def add(self, at: datetime, span: timedelta) -> datetime:
        """So much working time later."""
        if self.hours is None or span <= timedelta():
            return at + span
        now = self.next_open(at)
        days, rest = divmod(span, timedelta(days=1))
        if days:
            now = self._days_later(now, days)
        if not rest:
            return now
        most = self._days_later(now, 1)  # twenty hours of work are not later than a day
        for start, end in self.spans(now):
            if end - start >= rest:
                return min((start + rest).astimezone(UTC), most)
            rest -= end - start
        return most

    def _days_later(self, at: datetime, days: int) -> datetime:
        local = at.astimezone(self.zone)
        day = local.date()
        for _ in range(LOOKS_AHEAD):
            day += timedelta(days=1)
            days -= bool(self._open_on(day))
            if not days:
                break
        return self._not_after_work(datetime.combine(day, local.timetz()))

    def _not_after_work(self, at: datetime) -> datetime:
        """The instant where it is open; in a break the break's end; after the day's work its end."""
        today = self._open_on(at.date())
        for start, end in today:
            if at <= end:
                return max(at, start).astimezone(UTC)
        return (today[-1][1] if today else at).astimezone(UTC)

    def between(self, start: datetime, end: datetime) -> timedelta:
        """How much working time lies between two instants."""
        if self.hours is None:
            return max(end - start, timedelta())
        total = timedelta()
        for a, b in self.spans(start):
            if a >= end:
                break
            total += min(b, end) - a
        return total

    def share(self, start: datetime, end: datetime, part: float) -> datetime:
        """When so large a part (0 to 1) of the working time between two instants is over, to the second.

        What is stored is read back as it was: an instant that the store rounds would be due before it is.
        """
        return max(start, self._share(start, end, part).replace(microsecond=0))

    def _share(self, start: datetime, end: datetime, part: float) -> datetime:
        if self.hours is None:
            return start + (end - start) * part
        rest = self.between(start, end) * part
        for a, b in self.spans(start):
            if b - a >= rest:
                return (a + rest).astimezone(UTC)
            rest -= b - a
        return start + (end - start) * part
