"""Who reports the same broken thing: a row for each person, with their own words and their own place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tortoise import fields
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.models import Model

from bot.domain.people import Person
from bot.domain.places import Place
from bot.domain.tickets import Ticket
from bot.inbox import milliseconds
from bot.store import Statement


class JoinedRow(Model):
    """One who reported it. `channel` and `chat` are the group where that was said, empty in private."""

    id = fields.BigIntField(primary_key=True)
    ticket: fields.ForeignKeyRelation[Any] = fields.ForeignKeyField(
        "linli.TicketRow", related_name=False, on_delete=fields.RESTRICT
    )
    person: fields.ForeignKeyRelation[Any] = fields.ForeignKeyField(
        "linli.PersonRow", related_name=False, on_delete=fields.RESTRICT
    )
    home_id = fields.BigIntField(null=True)
    from_id = fields.BigIntField(null=True)  # the ticket that brought them, where it was merged into this one
    category = fields.CharField(max_length=32)
    brief = fields.CharField(max_length=255)
    words = fields.TextField()
    building = fields.CharField(max_length=16)
    unit = fields.CharField(max_length=16)
    floor = fields.CharField(max_length=16)
    room = fields.CharField(max_length=16)
    place = fields.CharField(max_length=64)
    channel = fields.CharField(max_length=32)
    chat = fields.CharField(max_length=128)
    at_ms = fields.BigIntField()

    class Meta:
        table = "joined"
        unique_together = (("ticket", "person"),)


@dataclass(frozen=True, slots=True)
class Joined:
    """One who reported it. `where` and `home` are shown to who works on it, never to the others."""

    id: int
    ticket_id: int
    person_id: int
    category: str
    brief: str
    words: str
    where: Place
    at_ms: int
    from_id: int | None
    home: Place

    @property
    def line(self) -> str:
        """Which household, for who works on it; where there is none, the place that was said."""
        return (self.home or self.where).line


def _read(row: Mapping[str, Any]) -> Joined:
    where = Place(row["building"], row["unit"], row["floor"], row["room"], row["place"])
    home = Place(row["at_building"] or "", row["at_unit"] or "", "", row["at_room"] or "")
    return Joined(
        row["id"], row["ticket_id"], row["person_id"], row["category"], row["brief"], row["words"], where,
        row["at_ms"], row["from_id"], home,
    )  # fmt: skip


_ADD = Statement(
    "insert into joined (ticket_id, person_id, home_id, from_id, category, brief, words, building, unit,"
    " floor, room, place, channel, chat, at_ms)"
    " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)"
    " on conflict (ticket_id, person_id) do nothing returning id"
)
# Whoever has no flat here counts by themselves.
_HOMES = Statement(
    "select count(distinct coalesce(home_id, -person_id)) as n from joined where ticket_id = $1"
)
_OF = Statement(
    "select j.*, h.building as at_building, h.unit as at_unit, h.room as at_room from joined j"
    " left join home h on h.id = j.home_id where j.ticket_id = $1 order by j.id"
)
_ONE = Statement(
    "select j.*, h.building as at_building, h.unit as at_unit, h.room as at_room from joined j"
    " left join home h on h.id = j.home_id where j.ticket_id = $1 and j.person_id = $2"
)
_TAKE_OUT = Statement("delete from joined where ticket_id = $1 and person_id = $2 returning id")
_BROUGHT = Statement("delete from joined where ticket_id = $1 and from_id = $2 returning person_id")
_GROUPS = Statement("select distinct channel, chat from joined where ticket_id = $1 and chat <> ''")
_LET_GO = Statement("delete from subscriber where ticket_id = $1 and person_id = $2 returning id")
_AGREED = Statement(
    "select person_id from audit where subject = 'ticket' and subject_id = $1 and verb = 'agree'"
    " and at_ms >= $2 order by id limit 1"
)


async def add(
    db: BaseDBAsyncClient,
    ticket: Ticket,
    person: Person,
    where: Place,
    *,
    category: str,
    brief: str,
    words: str,
    now: datetime,
    group: tuple[str, str] = ("", ""),
    from_id: int | None = None,
) -> bool:
    """Note that somebody reports it, too; whether that is new. `group` is channel and chat."""
    home = person.home.id if person.home else None
    place = where.building[:16], where.unit[:16], where.floor[:16], where.room[:16], where.place[:64]
    row = await _ADD.row(
        db, ticket.id, person.id, home, from_id, category, brief[:255], words, *place, *group,
        milliseconds(now),
    )  # fmt: skip
    return row is not None


async def homes(db: BaseDBAsyncClient, ticket: Ticket) -> int:
    """How many households report it; 0 for what concerns one flat only."""
    row = await _HOMES.row(db, ticket.id)
    return int(row["n"]) if row else 0


async def shared(db: BaseDBAsyncClient, ticket: Ticket) -> bool:
    return await homes(db, ticket) > 1


async def of(db: BaseDBAsyncClient, ticket: Ticket) -> list[Joined]:
    """Everybody who reports it, the first one first."""
    return [_read(row) for row in await _OF.rows(db, ticket.id)]


async def one(db: BaseDBAsyncClient, ticket: Ticket, person_id: int) -> Joined | None:
    row = await _ONE.row(db, ticket.id, person_id)
    return _read(row) if row else None


async def take_out(db: BaseDBAsyncClient, ticket: Ticket, person_id: int) -> bool:
    """This person is not concerned any more; False when somebody was quicker."""
    gone = await _TAKE_OUT.row(db, ticket.id, person_id)
    await _LET_GO.rows(db, ticket.id, person_id)
    return gone is not None


async def take_out_brought(db: BaseDBAsyncClient, ticket: Ticket, from_id: int) -> None:
    """Those who came with another ticket are not concerned any more."""
    for row in await _BROUGHT.rows(db, ticket.id, from_id):
        if row["person_id"] != ticket.reporter_id:
            await _LET_GO.rows(db, ticket.id, row["person_id"])


async def groups(db: BaseDBAsyncClient, ticket: Ticket) -> list[tuple[str, str]]:
    """The groups (channel, chat) in which it was reported."""
    return [(row["channel"], row["chat"]) for row in await _GROUPS.rows(db, ticket.id)]


async def agreed(db: BaseDBAsyncClient, ticket: Ticket) -> int | None:
    """Who said first that it is solved, since it was reported as done."""
    row = await _AGREED.row(db, ticket.id, milliseconds(ticket.since))
    return int(row["person_id"]) if row else None
