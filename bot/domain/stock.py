"""How many of the common parts there are: counted down as they are used, never below nothing in silence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tortoise import fields
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.models import Model

from bot.domain import audit, dispatch
from bot.domain.communities import Work
from bot.domain.parts import Stocked, meant
from bot.domain.people import Person
from bot.domain.telling import without
from bot.domain.tickets import Ticket
from bot.store import Statement
from nlp.slots.costs import Part


class StockRow(Model):
    """One part of one community. `low_told` is 1 once the leads know that it gets low."""

    id = fields.BigIntField(primary_key=True)
    community: fields.ForeignKeyRelation[Any] = fields.ForeignKeyField(
        "linli.CommunityRow", related_name=False, on_delete=fields.RESTRICT
    )
    item = fields.CharField(max_length=64)
    count = fields.IntField()
    low_told = fields.SmallIntField()

    class Meta:
        table = "stock"
        unique_together = (("community", "item"),)


_BEGIN = Statement(
    "insert into stock (community_id, item, count, low_told) values ($1, $2, $3, 0)"
    " on conflict (community_id, item) do update set count = stock.count returning *"
)
# One statement reads and writes: of two who take the last one each is counted.
_TAKE = Statement("update stock set count = count - $2 where id = $1 and count >= $2 returning count")
_EMPTY = Statement("update stock set count = 0 where id = $1 returning id")
_SET = Statement("update stock set count = $2 where id = $1 returning count")
_ADD = Statement("update stock set count = count + $2 where id = $1 returning count")
_LOW = Statement(
    "update stock set low_told = 1 where id = $1 and low_told = 0 and count <= $2 returning count"
)
_ENOUGH = Statement("update stock set low_told = 0 where id = $1 and count > $2 returning id")


async def _row(db: BaseDBAsyncClient, community_id: int, part: Stocked) -> dict[str, Any]:
    """The row of a part, with the file's count when it is new; locked until the transaction ends."""
    row = await _BEGIN.row(db, community_id, part.name, part.count)
    assert row is not None
    return row


async def count(work: Work, part: Stocked) -> int:
    """How many there are."""
    return int((await _row(work.db, work.community.id, part))["count"])


async def use(work: Work, ticket: Ticket, by: Person, used: Sequence[Part]) -> list[tuple[Stocked, int, int]]:
    """Count down what was used; those of which there were fewer on the books: the part, had, used."""
    needed: dict[Stocked, int] = {}
    for one in used:
        part = meant(work.community.parts, one.name)
        if part is not None:
            needed[part] = needed.get(part, 0) + one.count
    short = []
    for part, pieces in sorted(needed.items(), key=lambda pair: pair[0].name):
        row = await _row(work.db, work.community.id, part)
        if await _TAKE.row(work.db, row["id"], pieces) is None:
            await _EMPTY.rows(work.db, row["id"])
            short.append((part, int(row["count"]), pieces))
        note = f"{part.name} {row['count']}→{max(row['count'] - pieces, 0)}（#{ticket.ref} 用 {pieces}）"
        await audit.write(work.db, work.community.id, work.now, by.id, "use", "stock", row["id"], note)
        await _warn(work, row["id"], part)
    leads = without(await dispatch.above(work, 0), by) if short else []
    for part, had, pieces in short:
        work.notify(
            leads, "stock.short_lead", ticket=ticket, item=part.name, had=had, used=pieces, who=by.name
        )
    return short


async def _warn(work: Work, row_id: int, part: Stocked) -> None:
    """The leads hear once that a part gets low, and again only after there was enough in between."""
    low = await _LOW.row(work.db, row_id, part.low) if part.low else None
    if low is not None:
        leads = await dispatch.above(work, 0)
        work.notify(leads, "stock.low", item=part.name, count=low["count"], low=part.low)


async def add(work: Work, by: Person, part: Stocked, pieces: int) -> int:
    """New ones came; how many there are now."""
    row = await _row(work.db, work.community.id, part)
    return await _changed(work, by, part, row, await _ADD.row(work.db, row["id"], pieces))


async def set_to(work: Work, by: Person, part: Stocked, pieces: int) -> int:
    """Counted by hand: so many there are."""
    row = await _row(work.db, work.community.id, part)
    return await _changed(work, by, part, row, await _SET.row(work.db, row["id"], pieces))


async def _changed(
    work: Work, by: Person, part: Stocked, before: dict[str, Any], after: dict[str, Any] | None
) -> int:
    assert after is not None
    note = f"{part.name} {before['count']}→{after['count']}"
    await audit.write(work.db, work.community.id, work.now, by.id, "count", "stock", before["id"], note)
    await _ENOUGH.rows(work.db, before["id"], part.low)
    await _warn(work, before["id"], part)
    return int(after["count"])
