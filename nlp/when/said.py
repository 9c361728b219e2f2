"""What was said of time, resolved: the outcome of reading."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

Span = tuple[int, int]


class Said(NamedTuple):
    """`kind`: point, range, open, duration or set. `start` and `end` are naive local moments."""

    kind: str
    span: Span
    start: datetime | None = None
    end: datetime | None = None
    grain: str = "minute"
    mod: str | None = None
    rrule: str | None = None
    seconds: int | None = None
    #: Named a day, rather than an hour of an unnamed one.
    dated: bool = False
    #: A duration in hours and minutes.
    minutes: int | None = None
    #: 现在, 马上: how urgent it is rather than when.
    now: bool = False
    #: The words left open which one is meant, and the coming one was taken.
    chosen: bool = False
