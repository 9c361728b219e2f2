"""What can fall due: one kind of row a source, each with when it is due and what is done then."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime

from tortoise.backends.base.client import BaseDBAsyncClient

from bot.domain import appointments, briefs, costs, promises, series, swaps
from bot.domain.communities import Work
from bot.inbox import milliseconds
from bot.store import Statement

#: Does what is due on the row with this id, if it still is, and writes when it is due next, or never.
Act = Callable[[Work, int], Awaitable[None]]


class Source:
    """A table with `community_id` and an indexed `due_ms`, null where nothing is owed."""

    def __init__(self, table: str, act: Act) -> None:
        self.table, self.act = table, act
        self._due = Statement(
            f"select id from {table} where due_ms is not null and due_ms <= $1 order by due_ms, id limit $2"
        )
        self._next = Statement(f"select min(due_ms) as due_ms from {table} where due_ms is not null")
        # The no-op update locks the row on PostgreSQL: of two processes that tick at once the second finds
        # it done.
        self._hold = Statement(
            f"update {table} set due_ms = due_ms where id = $1 and due_ms <= $2 returning community_id"
        )
        self._put_off = Statement(
            f"update {table} set due_ms = $3 where id = $1 and due_ms <= $2 returning id"
        )
        self.statements = (self._due, self._next, self._hold, self._put_off)

    async def due(self, db: BaseDBAsyncClient, now: datetime, limit: int) -> list[int]:
        """Ids of the rows that are due, longest overdue first."""
        return [row["id"] for row in await self._due.rows(db, milliseconds(now), limit)]

    async def next_due(self, db: BaseDBAsyncClient) -> datetime | None:
        row = await self._next.row(db)
        due = row["due_ms"] if row else None
        return datetime.fromtimestamp(due / 1000, UTC) if due is not None else None

    async def hold(self, db: BaseDBAsyncClient, row_id: int, now: datetime) -> int | None:
        """The community of a row that is still due, which is ours until the transaction ends."""
        row = await self._hold.row(db, row_id, milliseconds(now))
        return int(row["community_id"]) if row else None

    async def put_off(self, db: BaseDBAsyncClient, row_id: int, now: datetime, until: datetime) -> None:
        await self._put_off.rows(db, row_id, milliseconds(now), milliseconds(until))


#: All there are. A new one stands here, and both the service and the stories turn its clock.
SOURCES: Sequence[Source] = (
    Source("ticket", promises.act),
    Source("swap", swaps.act),
    Source("cost", costs.act),
    Source("booking", appointments.act),
    Source("series", series.act),
    Source("brief", briefs.act),
)
STATEMENTS = tuple(one for source in SOURCES for one in source.statements)


async def next_due(db: BaseDBAsyncClient) -> datetime | None:
    """When the house has to act next by itself."""
    found = [await source.next_due(db) for source in SOURCES]
    return min((at for at in found if at is not None), default=None)
