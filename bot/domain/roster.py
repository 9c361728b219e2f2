"""The roster: who is on duty when. A duty has a beginning and an end, or stands: always on duty."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tortoise import fields
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.indexes import Index
from tortoise.models import Model

from bot.domain.people import Person, Role
from bot.inbox import milliseconds
from bot.store import Statement

#: Who can be on duty.
ROLES = frozenset({Role.STAFF, Role.LEAD, Role.COMMITTEE, Role.ADMIN})
ALWAYS, FOREVER = 0, 2**53  # ms: the bounds of a standing duty, so that one condition finds both kinds


class DutyRow(Model):
    """One shift of one person, `end_ms` exclusive. A standing duty runs from ALWAYS to FOREVER."""

    id = fields.BigIntField(primary_key=True)
    community: fields.ForeignKeyRelation[Any] = fields.ForeignKeyField(
        "linli.CommunityRow", related_name=False, on_delete=fields.RESTRICT
    )
    person: fields.ForeignKeyRelation[Any] = fields.ForeignKeyField(
        "linli.PersonRow", related_name=False, on_delete=fields.RESTRICT
    )
    start_ms = fields.BigIntField()
    end_ms = fields.BigIntField()
    note = fields.CharField(max_length=64)  # what the shift is called: 夜班, 门岗
    made_by_id = fields.BigIntField(null=True)  # null: nobody said so, it came with the role
    made_ms = fields.BigIntField()

    class Meta:
        table = "duty"
        unique_together = (("person", "start_ms", "end_ms"),)
        indexes = (Index(fields=("community_id", "end_ms", "start_ms")),)


@dataclass(frozen=True, slots=True)
class Shift:
    """Somebody's duty from `start` until before `end`, aware and in UTC; without bounds it stands."""

    id: int
    person_id: int
    name: str
    start: datetime | None
    end: datetime | None
    note: str = ""

    @property
    def standing(self) -> bool:
        return self.start is None


_PUT = Statement(
    "insert into duty (community_id, person_id, start_ms, end_ms, note, made_by_id, made_ms)"
    " values ($1, $2, $3, $4, $5, $6, $7) on conflict (person_id, start_ms, end_ms)"
    " do update set note = excluded.note, made_by_id = excluded.made_by_id returning id"
)
_STAND = Statement(
    "insert into duty (community_id, person_id, start_ms, end_ms, note, made_ms)"
    " values ($1, $2, $3, $4, '', $5) on conflict (person_id, start_ms, end_ms) do nothing returning id"
)
_READ = "select d.id, d.person_id, p.name, d.start_ms, d.end_ms, d.note from duty d join person p"
_OVERLAPPING = Statement(
    f"{_READ} on p.id = d.person_id where d.community_id = $1 and d.end_ms > $2 and d.start_ms < $3"
    " order by d.start_ms, d.id"
)
_BY_ID = Statement(f"{_READ} on p.id = d.person_id where d.id = $1")
_AT = Statement(
    "select distinct person_id from duty where community_id = $1 and end_ms > $2 and start_ms <= $2"
)
_HAND = Statement("update duty set person_id = $3 where id = $1 and person_id = $2 returning id")
_DROP = Statement("delete from duty where id = $1 returning id")


def moment(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


def _shift(row: dict[str, Any]) -> Shift:
    stands = row["end_ms"] == FOREVER
    return Shift(
        id=row["id"],
        person_id=row["person_id"],
        name=row["name"],
        start=None if stands else moment(row["start_ms"]),
        end=None if stands else moment(row["end_ms"]),
        note=row["note"],
    )


async def shifts(db: BaseDBAsyncClient, community_id: int, start: datetime, end: datetime) -> list[Shift]:
    """The dated shifts that lie in `start`..`end` at least in part, and the standing ones, by beginning."""
    rows = await _OVERLAPPING.rows(db, community_id, milliseconds(start), milliseconds(end))
    return [_shift(row) for row in rows]


async def get(db: BaseDBAsyncClient, shift_id: int) -> Shift | None:
    row = await _BY_ID.row(db, shift_id)
    return _shift(row) if row else None


async def on_duty(db: BaseDBAsyncClient, community_id: int, at: datetime) -> frozenset[int]:
    """The ids of the persons who are on duty at that instant, standing duty included."""
    rows = await _AT.rows(db, community_id, milliseconds(at))
    return frozenset(row["person_id"] for row in rows)


async def begins(
    db: BaseDBAsyncClient, community_id: int, at: datetime, until: datetime
) -> dict[int, datetime]:
    """When the next shift of each person begins, where one does after `at` and before `until`."""
    found = await shifts(db, community_id, at, until)
    return {one.person_id: one.start for one in reversed(found) if one.start and one.start > at}


async def covers(
    db: BaseDBAsyncClient, community_id: int, start: datetime, end: datetime
) -> list[tuple[datetime, datetime]]:
    """When somebody is on duty within `start`..`end`: stretches in order that do not touch."""
    found = await shifts(db, community_id, start, end)
    return merged((max(one.start or start, start), min(one.end or end, end)) for one in found)


def merged(stretches: Iterable[tuple[datetime, datetime]]) -> list[tuple[datetime, datetime]]:
    """The same time in as few stretches as possible, in order."""
    out: list[tuple[datetime, datetime]] = []
    for start, end in sorted(stretches):
        if out and start <= out[-1][1]:
            out[-1] = (out[-1][0], max(end, out[-1][1]))
        else:
            out.append((start, end))
    return out


async def stand(db: BaseDBAsyncClient, person: Person) -> None:
    """Somebody is always on duty; said again it changes nothing."""
    await _STAND.rows(db, person.community_id, person.id, ALWAYS, FOREVER, 0)


async def put(
    db: BaseDBAsyncClient,
    person: Person,
    start: datetime,
    end: datetime,
    *,
    note: str = "",
    by: Person | None = None,
    now: datetime,
) -> int:
    """A dated shift of a person; the same one again only changes its note. Its id."""
    bounds = milliseconds(start), milliseconds(end)
    made = by.id if by else None, milliseconds(now)
    row = await _PUT.row(db, person.community_id, person.id, *bounds, note[:64], *made)
    assert row is not None
    return int(row["id"])


async def hand(db: BaseDBAsyncClient, shift: Shift, to: Person) -> bool:
    """The shift is somebody else's from now on; False where it was no longer whose it is said to be."""
    return bool(await _HAND.rows(db, shift.id, shift.person_id, to.id))


async def drop(db: BaseDBAsyncClient, found: Sequence[Shift]) -> None:
    """These shifts are nobody's any more."""
    for one in found:
        await _DROP.rows(db, one.id)
