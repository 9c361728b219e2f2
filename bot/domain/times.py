"""When somebody wants it: the contract's time value, kept as written and said back as people speak."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

_DAYS = {-1: "昨天", 0: "今天", 1: "明天", 2: "后天"}
_WEEKDAYS = "一二三四五六日"
_PARTS = {
    (0, 6): "凌晨",
    (6, 9): "早上",
    (8, 12): "上午",
    (11, 13): "中午",
    (12, 18): "下午",
    (17, 19): "傍晚",
    (18, 24): "晚上",
}
_MODS = {"after": "以后", "before": "前", "around": "左右"}


@dataclass(frozen=True, slots=True)
class Window:
    """A wanted time. Naive local times, as in the contract; `end` None for a point."""

    start: datetime
    end: datetime | None = None
    grain: str = "minute"
    mod: str = ""

    @classmethod
    def read(cls, text: str) -> Window | None:
        """From a row; None where nothing was wanted."""
        return cls.of(json.loads(text)) if text else None

    @classmethod
    def of(cls, value: Mapping[str, Any]) -> Window:
        """From a slot value."""
        end = value.get("end")
        return cls(
            datetime.fromisoformat(value["start"]),
            datetime.fromisoformat(end) if end else None,
            value.get("grain") or "minute",
            value.get("mod") or "",
        )

    def last(self, zone: ZoneInfo) -> datetime:
        """When it has to have happened, aware: the window's end, or an hour after a point."""
        end = self.end or (self.start if self.mod == "before" else self.start + timedelta(hours=1))
        return end.replace(tzinfo=zone)

    def say(self, now: datetime) -> str:
        """明天早上, 周六 14:00 以后, 3月9日 09:00–10:00; `now` naive and local.

        After a digit comes a blank, for the words that follow.
        """
        day = _day(self.start, now)
        if self.end is None:
            return f"{day} {self.start:%H:%M} {_MODS.get(self.mod, '')}"
        hours = self.end - self.start
        if hours >= timedelta(days=1) and self.start.hour == 0:
            last = self.end - timedelta(days=1)
            return day if last.date() == self.start.date() else f"{day}到{_day(last, now)}"
        part = _PARTS.get((self.start.hour, self.start.hour + round(hours.total_seconds() / 3600)))
        if part and self.start.minute == 0 and self.grain == "part":
            return f"{day}{part}"
        return f"{day} {self.start:%H:%M}–{self.end:%H:%M} "


def _day(at: datetime, now: datetime) -> str:
    days = (at.date() - now.date()).days
    if days in _DAYS:
        return _DAYS[days]
    if 0 < days < 7:
        return f"周{_WEEKDAYS[at.weekday()]}"
    return f"{at.month}月{at.day}日"
