"""When: points, windows, ranges and open ends, durations and recurrences, by the contract's conventions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from nlp.when.frame import midnight
from nlp.when.said import Said
from nlp.when.scan import scan
from nlp.when.told import Telling

Span = tuple[int, int]
#: Of a window's kinds: a moment or stretch; a duration and a recurrence are none.
WINDOWS = frozenset({"point", "range", "open"})
#: Between 今天下午 and 四点, said in two breaths, so many characters at most become one span.
_BREATH = 6
#: … and so far an hour still belongs to the day named before.
_REACH = 60
_HALF_DAY = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class TimeWindow:
    """`end` only for a window or range; `grain`: how exactly it was said; `mod`: after, before, around."""

    start: datetime
    end: datetime | None
    grain: str
    mod: str | None = None

    def write(self) -> dict[str, str]:
        value = {"start": iso(self.start)}
        if self.end is not None:
            value["end"] = iso(self.end)
        value["grain"] = self.grain
        if self.mod:
            value["mod"] = self.mod
        return value


def iso(moment: datetime) -> str:
    """To the minute, as the contract writes it."""
    return moment.isoformat(timespec="minutes")


def read(value: Mapping[str, str]) -> TimeWindow:
    end = value.get("end")
    return TimeWindow(
        datetime.fromisoformat(value["start"]),
        datetime.fromisoformat(end) if end else None,
        value["grain"],
        value.get("mod"),
    )


@dataclass(frozen=True, slots=True)
class Found:
    """One phrase: a point, range, open end, duration (`seconds`) or set (`rrule`; it starts at `start`)."""

    said: Said

    @property
    def kind(self) -> str:
        return self.said.kind

    @property
    def span(self) -> Span:
        return self.said.span

    @property
    def start(self) -> datetime | None:
        return self.said.start

    @property
    def end(self) -> datetime | None:
        return self.said.end

    @property
    def grain(self) -> str:
        return self.said.grain

    @property
    def mod(self) -> str | None:
        return self.said.mod

    @property
    def rrule(self) -> str | None:
        return self.said.rrule

    @property
    def seconds(self) -> int | None:
        return self.said.seconds

    @property
    def dated(self) -> bool:
        """Named a day, rather than an hour of an unnamed one."""
        return self.said.dated

    @property
    def wanted(self) -> bool:
        """A window of time; 现在 and 马上 say how urgent it is instead."""
        return self.said.kind in WINDOWS and not self.said.now

    @property
    def window(self) -> TimeWindow:
        said = self.said
        assert said.start is not None
        return TimeWindow(said.start, said.end, said.grain, said.mod)

    def write(self) -> dict[str, object]:
        """As `linli parse --slot time` answers."""
        value: dict[str, object] = {"span": list(self.span), "kind": self.kind}
        if self.start is not None:
            value |= self.window.write()
        if self.kind == "set":
            value["rrule"] = self.rrule
        if self.seconds is not None:
            value["seconds"] = self.seconds
        return value


def find(plain: str, now: datetime) -> list[Found]:
    """Everything a normalised text says of time, in order. Never raises."""
    said = scan(plain, now)
    telling = Telling(plain)
    told = {one.span for one in said if one.chosen and telling.told(one.span, one.dated)}
    if told:
        said = _looked_back(said, told, plain, now)
    return [Found(one) for one in _together(said, plain, telling)]


def _looked_back(said: Sequence[Said], told: set[Span], plain: str, now: datetime) -> list[Said]:
    """What is told rather than asked for is the last such time, not the next."""
    earlier = {one.span: one for one in scan(plain, now, backward=True) if one.dated or _today(one, now)}
    return [earlier.get(one.span, one) if one.span in told else one for one in said]


def _today(said: Said, now: datetime) -> bool:
    """An hour of no day that is told of was today's, or it is yet to come."""
    return said.start is not None and said.start.date() == now.date()


def _together(said: Sequence[Said], plain: str, telling: Telling) -> list[Said]:
    """An hour said apart from its day (周日有老师来，下午两点) is an hour of that day."""
    merged: list[Said] = []
    day: Said | None = None
    for this in said:
        last = merged[-1] if merged else None
        if last is not None and _hourly(this) and day is not None and this.span[0] - day.span[1] <= _REACH:
            if this.grain == day.grain == "part":
                day = None
            else:
                moved = _on(day, this, plain)
                if last is day and this.span[0] - last.span[1] <= _BREATH:
                    day = merged[-1] = moved._replace(span=(last.span[0], this.span[1]))
                else:
                    merged.append(moved)
                continue
        elif last is not None and _holds(this, last) and this.span[0] - last.span[1] <= _BREATH:
            merged[-1] = _on(this, last, plain)._replace(span=(last.span[0], this.span[1]))
            day = None
            continue
        elif this.kind in WINDOWS and this.dated:
            holds = (
                this.mod is None and (_is_day(this) or this.grain == "part") and not telling.told(this.span)
            )
            day = this if holds else None
        merged.append(this)
    return merged


def _hourly(said: Said) -> bool:
    return (
        said.kind in WINDOWS
        and not said.dated
        and not said.now
        and said.grain in {"hour", "minute", "part"}
        and said.start is not None
    )


def _holds(day: Said, hour: Said) -> bool:
    """A day named right behind its hour: 三点来吧，后天; 四点，明天下午."""
    part = day.grain == "part" and day.dated and hour.grain != "part" and day.mod is None
    return _hourly(hour) and (_is_day(day) or part)


def _is_day(said: Said) -> bool:
    return said.kind == "point" and said.grain == "day" and said.mod is None


def _on(day: Said, hour: Said, plain: str) -> Said:
    """The hour as it is said of that day, and in the part of it that was named."""
    assert day.start is not None
    base = midnight(day.start)
    head, tail = hour.span
    again = [one for one in scan(plain[head:tail], base) if one.start is not None]
    moved = again[0]._replace(span=hour.span, dated=True, kind=hour.kind, mod=hour.mod) if again else hour
    if moved.start is None:
        return hour
    if moved.start.date() != base.date() and moved.grain == "part":
        moved = hour
    start, end = moved.start or base, moved.end
    if day.grain == "part" and day.end and not day.start <= start < day.end:
        for shift in (_HALF_DAY, -_HALF_DAY):
            if day.start <= start + shift < day.end:
                return moved._replace(start=start + shift, end=end + shift if end else None)
    return moved


_SHARPNESS = {"minute": 4, "hour": 4, "part": 3, "day": 2, "week": 1, "month": 1}


def choose(found: Sequence[Found], now: datetime, ahead: bool = False, last: bool = False) -> Found | None:
    """The time that is meant: the sharpest, of equals the first; the last, where something changed."""
    kept = [f for f in found if f.wanted and (not ahead or (f.end or f.window.start) > now)]
    if not kept:
        return None
    if last:
        return max(enumerate(kept), key=lambda pair: (_SHARPNESS.get(pair[1].grain, 0) > 2, pair[0]))[1]
    return max(kept, key=lambda f: (_SHARPNESS.get(f.grain, 0) + f.dated, -f.span[0]))
