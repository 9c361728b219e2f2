"""What time it is: the only module that asks the machine."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """The time the house lives in. `now` is aware and in UTC; `sleep` counts seconds of that time."""

    def now(self) -> datetime: ...

    async def sleep(self, seconds: float) -> None: ...


class SystemClock:
    """The machine's own time."""

    def now(self) -> datetime:
        return datetime.now(UTC)  # noqa: TID251 - the one place

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class RehearsalClock:
    """Lives at `start` and runs `speed` times as fast as the machine (LINLI_CLOCK_*)."""

    def __init__(self, start: datetime, speed: float = 1.0) -> None:
        self._start, self._speed, self._began = start, speed, time.monotonic()

    def now(self) -> datetime:
        return self._start + timedelta(seconds=(time.monotonic() - self._began) * self._speed)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / self._speed)


class TurnedClock:
    """Stands still until somebody turns it: for stories and tests. Never turns back."""

    def __init__(self, at: datetime) -> None:
        self._at = at

    def now(self) -> datetime:
        return self._at

    def turn_to(self, at: datetime) -> None:
        self._at = max(at, self._at)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(min(seconds, 0.01))
