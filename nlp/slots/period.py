"""The days that a bill or report is about: 上个月, 一季度, 三月到六月; the latest such, not the next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import MAXYEAR, date, datetime, timedelta

from nlp.when.frame import midnight
from nlp.when.said import Said
from nlp.when.scan import scan

Span = tuple[int, int]
_GRAINS = frozenset({"day", "week", "month", "quarter", "year", "decade", "century"})


@dataclass(frozen=True, slots=True)
class Period:
    """Whole days; `end` is the first day after it."""

    start: date
    end: date

    def write(self) -> dict[str, str]:
        return {"start": self.start.isoformat(), "end": self.end.isoformat()}


def read(value: Mapping[str, str]) -> Period:
    return Period(date.fromisoformat(value["start"]), date.fromisoformat(value["end"]))


def find(plain: str, now: datetime) -> list[tuple[Period, Span]]:
    """Stretches of whole days in a normalised text, looked for backwards. Never raises."""
    found = []
    for said in scan(plain, now, backward=True):
        period = _period(said)
        if period is not None:
            found.append((period, said.span))
    return found


def _period(said: Said) -> Period | None:
    if (
        said.kind not in {"point", "range"}
        or said.grain not in _GRAINS
        or said.start is None
        or said.end is None
    ):
        return None
    end = midnight(said.end)
    if end < said.end:
        if end.year == MAXYEAR:
            return None
        end += timedelta(days=1)
    return Period(said.start.date(), end.date())
