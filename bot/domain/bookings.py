"""A booking: the appointment behind a ticket, and the places it takes. The last place is taken once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from tortoise import fields
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.indexes import Index
from tortoise.models import Model

from bot.inbox import milliseconds
from bot.store import Statement

CELL = 30 * 60 * 1000  # ms: time is taken in pieces of half an hour


class BookingRow(Model):
    """One row a booking. `due_ms` is when the house speaks of it next by itself, null when it does not."""

    id = fields.BigIntField(primary_key=True)
    community: fields.ForeignKeyRelation[Any] = fields.ForeignKeyField(
        "linli.CommunityRow", related_name=False, on_delete=fields.RESTRICT
    )
    ticket_id = fields.BigIntField(null=True)  # null only within the transaction that makes both
    service = fields.CharField(max_length=64)
    start_ms = fields.BigIntField()
    end_ms = fields.BigIntField()
    worker_id = fields.BigIntField(null=True)
    person_id = fields.BigIntField()
    home_id = fields.BigIntField(null=True)
    series_id = fields.BigIntField(null=True)
    people = fields.IntField()
    price = fields.IntField()  # yuan
    consent = fields.TextField()  # what was agreed to, word by word; "" where nothing had to be
    due_ms = fields.BigIntField(null=True)

    class Meta:
        table = "booking"
        indexes = (
            Index(fields=("due_ms",)),
            Index(fields=("ticket_id",)),
            Index(fields=("series_id", "start_ms")),
            Index(fields=("home_id", "start_ms")),
        )


class TakenRow(Model):
    """A piece of time of a worker, a court or a household's allowance, taken by a booking."""

    id = fields.BigIntField(primary_key=True)
    resource = fields.CharField(max_length=128)
    cell = fields.BigIntField()
    booking: fields.ForeignKeyRelation[Any] = fields.ForeignKeyField(
        "linli.BookingRow", related_name=False, on_delete=fields.RESTRICT
    )

    class Meta:
        table = "taken"
        unique_together = (("resource", "cell"),)
        indexes = (Index(fields=("booking_id",)),)


@dataclass(frozen=True, slots=True)
class Booking:
    """A booking as it stands. Times are aware, in UTC."""

    id: int
    ticket_id: int
    service: str
    start: datetime
    end: datetime
    worker_id: int | None
    person_id: int
    home_id: int | None
    series_id: int | None
    people: int
    price: int
    consent: str

    @property
    def minutes(self) -> int:
        return round((self.end - self.start).total_seconds() / 60)


def read(row: Mapping[str, Any]) -> Booking:
    return Booking(
        id=row["id"],
        ticket_id=row["ticket_id"],
        service=row["service"],
        start=datetime.fromtimestamp(row["start_ms"] / 1000, UTC),
        end=datetime.fromtimestamp(row["end_ms"] / 1000, UTC),
        worker_id=row["worker_id"],
        person_id=row["person_id"],
        home_id=row["home_id"],
        series_id=row["series_id"],
        people=row["people"],
        price=row["price"],
        consent=row["consent"],
    )


_INSERT = Statement(
    "insert into booking (community_id, ticket_id, service, start_ms, end_ms, worker_id, person_id, home_id,"
    " series_id, people, price, consent, due_ms)"
    " values ($1, null, $2, $3, $4, null, $5, $6, $7, $8, $9, $10, null) returning *"
)
_OF_TICKET = Statement("select * from booking where ticket_id = $1")
_BY_ID = Statement("select * from booking where id = $1")
_OF_SERIES = Statement("select * from booking where series_id = $1 and start_ms >= $2 order by start_ms")
_LAST_WORKER = Statement(
    "select worker_id from booking where home_id = $1 and start_ms < $2 and worker_id is not null"
    " order by start_ms desc limit 1"
)
_SETTLE = Statement(
    "update booking set ticket_id = $2, start_ms = $3, end_ms = $4, worker_id = $5, due_ms = $6"
    " where id = $1 returning *"
)
_DUE = Statement("update booking set due_ms = $2 where id = $1 returning id")
_FORGET = Statement("delete from booking where id = $1")
# Of two who take the same piece at once the second gets no row for it: on PostgreSQL it waits until the
# first is through.
_TAKE = Statement(
    "insert into taken (resource, cell, booking_id)"
    " with recursive cells(n) as (select cast($2 as bigint) union all"
    " select n + 1 from cells where n < cast($3 as bigint))"
    " select cast($1 as varchar(128)), n, cast($4 as bigint) from cells where true"
    " on conflict (resource, cell) do nothing returning cell"
)
_TAKEN = Statement("select cell from taken where resource = $1 and cell >= $2 and cell <= $3")
_LEAVE = Statement("delete from taken where booking_id = $1 and resource = $2")
_LEAVE_ALL = Statement("delete from taken where booking_id = $1")


def cells(start: datetime, end: datetime) -> tuple[int, int]:
    """The first and the last piece of time of a span."""
    return milliseconds(start) // CELL, -(-milliseconds(end) // CELL) - 1


async def begin(
    db: BaseDBAsyncClient,
    community_id: int,
    *,
    service: str,
    start: datetime,
    minutes: int,
    person_id: int,
    home_id: int | None,
    series_id: int | None,
    people: int,
    price: int,
    consent: str,
) -> Booking:
    """A booking that has no place and no ticket yet: it gets both, or is forgotten, in this transaction."""
    end = start + timedelta(minutes=minutes)
    row = await _INSERT.row(
        db, community_id, service, milliseconds(start), milliseconds(end), person_id, home_id, series_id,
        people, price, consent,
    )  # fmt: skip
    assert row is not None
    return read(row)


async def forget(db: BaseDBAsyncClient, booking: Booking) -> None:
    """As if it never was."""
    await leave(db, booking)
    await _FORGET.rows(db, booking.id)


async def settle(
    db: BaseDBAsyncClient,
    booking: Booking,
    *,
    ticket_id: int,
    start: datetime,
    end: datetime,
    worker_id: int | None,
    due: datetime | None,
) -> Booking:
    """Write when it is, with whom, and when the house speaks of it."""
    row = await _SETTLE.row(
        db, booking.id, ticket_id, milliseconds(start), milliseconds(end), worker_id,
        milliseconds(due) if due else None,
    )  # fmt: skip
    assert row is not None
    return read(row)


async def quiet(db: BaseDBAsyncClient, booking_id: int) -> None:
    """Nothing more is owed on it."""
    await _DUE.rows(db, booking_id, None)


async def of_ticket(db: BaseDBAsyncClient, ticket_id: int) -> Booking | None:
    row = await _OF_TICKET.row(db, ticket_id)
    return read(row) if row else None


async def by_id(db: BaseDBAsyncClient, booking_id: int) -> Booking:
    row = await _BY_ID.row(db, booking_id)
    assert row is not None, f"booking {booking_id} vanished"
    return read(row)


async def of_series(db: BaseDBAsyncClient, series_id: int, since: datetime) -> list[Booking]:
    """The bookings of a series that begin then or later, in order."""
    return [read(row) for row in await _OF_SERIES.rows(db, series_id, milliseconds(since))]


async def last_worker(db: BaseDBAsyncClient, home_id: int | None, before: datetime) -> int | None:
    """Who came to a flat last."""
    row = await _LAST_WORKER.row(db, home_id, milliseconds(before)) if home_id else None
    return int(row["worker_id"]) if row else None


# ------------------------------------------------------------------------------------- places


async def taken(db: BaseDBAsyncClient, resource: str, start: datetime, end: datetime) -> frozenset[int]:
    """The pieces of a resource's time that somebody has."""
    rows = await _TAKEN.rows(db, resource, *cells(start, end))
    return frozenset(row["cell"] for row in rows)


async def take(
    db: BaseDBAsyncClient, booking: Booking, groups: Sequence[Iterable[str]], start: datetime, end: datetime
) -> list[str] | None:
    """Take one resource of each group for a span; which ones. None, and nothing taken, where none is left.

    Not looked for and then written: the unique index decides who was first.
    """
    got: list[str] = []
    for group in groups:
        for resource in group:
            if await _take(db, booking, resource, *cells(start, end)):
                got.append(resource)
                break
        else:
            for resource in got:
                await _LEAVE.rows(db, booking.id, resource)
            return None
    return got


async def take_one_of(db: BaseDBAsyncClient, booking: Booking, resource: str, count: int) -> bool:
    """Take one of so many that a resource has, whatever the time: a household's allowance."""
    for number in range(count):
        if await _take(db, booking, resource, number, number):
            return True
    return False


async def _take(db: BaseDBAsyncClient, booking: Booking, resource: str, first: int, last: int) -> bool:
    got = await _TAKE.rows(db, resource, first, last, booking.id)
    if len(got) == last - first + 1:
        return True
    if got:
        await _LEAVE.rows(db, booking.id, resource)
    return False


async def leave_one(db: BaseDBAsyncClient, booking: Booking, resource: str) -> None:
    await _LEAVE.rows(db, booking.id, resource)


async def leave(db: BaseDBAsyncClient, booking: Booking) -> None:
    """Give back all that it took."""
    await _LEAVE_ALL.rows(db, booking.id)
