"""The jobs of the clock: each a unit of work that nobody spoke in. Rows say what is due, a tick looks."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial

from tortoise.backends.base.client import BaseDBAsyncClient

from bot.clock import Clock
from bot.domain import duty, people
from bot.domain.communities import Community
from bot.store import Store, StoreClosed
from bot.unit_of_work import UnitOfWork
from scheduler.due import SOURCES, Source

log = logging.getLogger(__name__)

AT_ONCE = 50
PUT_OFF = timedelta(minutes=5)


class Jobs:
    """What a tick does."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        communities: Mapping[int, Community],
        wake_delivery: Callable[[], None],
    ) -> None:
        self._store, self._clock, self._communities = store, clock, communities
        self._wake_delivery = wake_delivery

    async def tick(self) -> int:
        """Do what is due, each row in its own transaction; how many there were."""
        done = 0
        try:
            for source in SOURCES:
                done += await self._tick(source)
        except StoreClosed:
            return 0
        if done:
            self._wake_delivery()
        return done

    async def _tick(self, source: Source) -> int:
        now = self._clock.now()
        ids = await self._store.run(lambda db: source.due(db, now, AT_ONCE))
        for row in ids:
            try:
                await self._store.run(partial(self._act, source, row))
            except StoreClosed:
                raise
            except Exception:
                log.exception("%s %s: what was due could not be done", source.table, row)
                await self._store.run(partial(self._put_off, source, row))
        return len(ids)

    async def _act(self, source: Source, row: int, db: BaseDBAsyncClient) -> None:
        now = self._clock.now()
        tenant = await source.hold(db, row, now)
        if tenant is None:
            return  # another process was first, or somebody did something about it
        community = self._communities.get(tenant)
        if community is None:  # its file is not here; nothing is told in words that nobody chose
            await self._put_off(source, row, db)
            return
        work = UnitOfWork(db, now, community, people.route, people.crew, duty.rest)
        await source.act(work, row)
        await work.post()

    async def _put_off(self, source: Source, row: int, db: BaseDBAsyncClient) -> None:
        """What can't be done now must not stand in the way of all that can."""
        now = self._clock.now()
        await source.put_off(db, row, now, now + PUT_OFF)
