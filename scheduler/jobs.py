"""The jobs of the clock: each a unit of work that nobody spoke in. Rows say what is due, a tick looks."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import partial

from tortoise.backends.base.client import BaseDBAsyncClient

from bot.clock import Clock
from bot.domain import people, promises, tickets
from bot.domain.communities import Community
from bot.store import Store
from bot.unit_of_work import UnitOfWork

log = logging.getLogger(__name__)

AT_ONCE = 50


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
        """Do what is due on tickets, each in its own transaction; how many there were."""
        now = self._clock.now()
        ids = await self._store.run(lambda db: tickets.due(db, now, AT_ONCE))
        for ticket_id in ids:
            try:
                await self._store.run(partial(self._act, ticket_id))
            except Exception:
                log.exception("ticket %s: what was due could not be done", ticket_id)
        if ids:
            self._wake_delivery()
        return len(ids)

    async def _act(self, ticket_id: int, db: BaseDBAsyncClient) -> None:
        ticket = await tickets.by_id(db, ticket_id)
        community = self._communities.get(ticket.community_id)
        if community is None:
            return  # its file is not here; nothing is told in words that nobody chose
        work = UnitOfWork(db, self._clock.now(), community, people.route)
        await promises.act(work, ticket_id)
        await work.post()
