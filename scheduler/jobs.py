"""The jobs of the clock: each a unit of work that nobody spoke in. Rows say what is due, a tick looks."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial

from tortoise.backends.base.client import BaseDBAsyncClient

from bot.clock import Clock
from bot.domain import duty, people, promises, tickets
from bot.domain.communities import Community
from bot.inbox import milliseconds
from bot.store import Statement, Store, StoreClosed
from bot.unit_of_work import UnitOfWork

log = logging.getLogger(__name__)

AT_ONCE = 50
PUT_OFF = timedelta(minutes=5)

# The no-op update locks the row on PostgreSQL: of two processes that tick at once the second finds it done.
_HOLD = Statement("update ticket set due_ms = due_ms where id = $1 and due_ms <= $2 returning community_id")
_PUT_OFF = Statement("update ticket set due_ms = $3 where id = $1 and due_ms <= $2 returning id")


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
            except StoreClosed:
                return 0
            except Exception:
                log.exception("ticket %s: what was due could not be done", ticket_id)
                await self._store.run(partial(self._put_off, ticket_id))
        if ids:
            self._wake_delivery()
        return len(ids)

    async def _act(self, ticket_id: int, db: BaseDBAsyncClient) -> None:
        now = self._clock.now()
        held = await _HOLD.row(db, ticket_id, milliseconds(now))
        if held is None:
            return  # another process was first, or somebody did something about it
        community = self._communities.get(held["community_id"])
        if community is None:  # its file is not here; nothing is told in words that nobody chose
            await self._put_off(ticket_id, db)
            return
        work = UnitOfWork(db, now, community, people.route, people.crew, duty.rest)
        await promises.act(work, ticket_id)
        await work.post()

    async def _put_off(self, ticket_id: int, db: BaseDBAsyncClient) -> None:
        """What can't be done now must not stand in the way of all that can."""
        now = self._clock.now()
        await _PUT_OFF.rows(db, ticket_id, milliseconds(now), milliseconds(now + PUT_OFF))
