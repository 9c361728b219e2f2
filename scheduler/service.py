"""APScheduler ticks; rows are the truth. The only module that knows it."""

from __future__ import annotations

import asyncio
import contextlib
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
        self._one = asyncio.Lock()

    async def _once(self) -> None:
        async with self._one:
            await self._tick()

    async def start(self) -> None:
        """Begin. The library is read in a thread meanwhile: 100 ms that nobody need wait for."""
        scheduler = await asyncio.to_thread(_scheduler)
        self._scheduler = scheduler(timezone="UTC")
        self._scheduler.add_job(
            self._once, "interval", seconds=TICK, coalesce=True, max_instances=1, misfire_grace_time=None
        )
        self._scheduler.start()

    async def stop(self) -> None:
        """End, after the tick under way (3 seconds at most): cut short it would be logged as a failure."""
        if self._scheduler is None:
            return
        self._scheduler.pause()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(3), self._one:
                pass
        self._scheduler.shutdown(wait=False)
        self._scheduler = None
