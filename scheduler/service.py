"""APScheduler ticks; rows are the truth. The only module that knows it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

TICK = 1.0  # seconds


def _scheduler() -> Any:
    from apscheduler.schedulers.asyncio import AsyncIOScheduler  # noqa: PLC0415

    return AsyncIOScheduler


class Ticker:
    """Calls `tick` every second, one at a time; after a standstill once, not for every second missed."""

    def __init__(self, tick: Callable[[], Awaitable[Any]]) -> None:
        self._tick = tick
        self._scheduler: Any = None

    async def start(self) -> None:
        """Begin. The library is read in a thread meanwhile: 100 ms that nobody need wait for."""
        scheduler = await asyncio.to_thread(_scheduler)
        self._scheduler = scheduler(timezone="UTC")
        self._scheduler.add_job(
            self._tick, "interval", seconds=TICK, coalesce=True, max_instances=1, misfire_grace_time=None
        )
        self._scheduler.start()

    def stop(self) -> None:
        if self._scheduler is not None:
            self._scheduler.shutdown(wait=False)
            self._scheduler = None
