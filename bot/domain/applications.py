"""Who asks to be let in: a stranger's home and name, waiting for the committee, with what was reported."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tortoise import fields
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.indexes import Index
from tortoise.models import Model

from bot.domain import audit, people
from bot.domain.communities import Work
from bot.domain.people import Home, Person, Role
from bot.inbox import milliseconds
from bot.store import Statement
from bot.unit_of_work import Refusal

NO_HOME = "（没说住址）"


class ApplicationRow(Model):
    """Open until `decided_ms`. `kept` is the JSON of the reports that wait for the answer."""

    id = fields.BigIntField(primary_key=True)
    community: fields.ForeignKeyRelation[Any] = fields.ForeignKeyField(
        "linli.CommunityRow", related_name=False, on_delete=fields.RESTRICT
    )
    person: fields.ForeignKeyRelation[Any] = fields.ForeignKeyField(
        "linli.PersonRow", related_name=False, on_delete=fields.RESTRICT
    )
    building = fields.CharField(max_length=16)
    unit = fields.CharField(max_length=16)
    room = fields.CharField(max_length=16)
    name = fields.CharField(max_length=64)
    kept = fields.TextField()
    made_ms = fields.BigIntField()
    decided_ms = fields.BigIntField(null=True)
    approved = fields.BooleanField()

    class Meta:
        table = "application"
        indexes = (Index(fields=("community_id", "decided_ms")), Index(fields=("person_id",)))


@dataclass(frozen=True, slots=True)
class Application:
    """An open application."""

    id: int
    person_id: int
    building: str
    unit: str
    room: str
    name: str
    kept: list[dict[str, Any]]

    @property
    def home(self) -> str:
        """3栋2单元501, or that no home was given."""
        return Home(0, self.building, self.unit, self.room).line if self.room else NO_HOME

    @property
    def short(self) -> str:
        """What the committee types after 「同意」: the home, else the name."""
        return Home(0, self.building, self.unit, self.room).short if self.room else self.name


_NEW = Statement(
    "insert into application (community_id, person_id, building, unit, room, name, kept, made_ms, approved)"
    " values ($1, $2, $3, $4, $5, $6, $7, $8, $9) returning id"
)
_OPEN = Statement(
    "select id, person_id, building, unit, room, name, kept from application"
    " where community_id = $1 and decided_ms is null order by id"
)
_OF = Statement(
    "select id, person_id, building, unit, room, name, kept from application"
    " where person_id = $1 and decided_ms is null order by id desc limit 1"
)
_KEEP = Statement("update application set kept = $2 where id = $1 returning id")
_DECIDE = Statement(
    "update application set decided_ms = $2, approved = $3 where id = $1 and decided_ms is null returning id"
)


def _read(row: dict[str, Any]) -> Application:
    return Application(**(row | {"kept": json.loads(row["kept"])}))


async def of(db: BaseDBAsyncClient, person: Person) -> Application | None:
    """The open application of a person."""
    row = await _OF.row(db, person.id)
    return _read(row) if row else None


async def waiting(db: BaseDBAsyncClient, community_id: int) -> list[Application]:
    """All open ones, oldest first."""
    return [_read(row) for row in await _OPEN.rows(db, community_id)]


async def apply(
    work: Work,
    person: Person,
    home: tuple[str, str, str],
    name: str,
    kept: Sequence[dict[str, Any]],
    *,
    told: str = "profile.asked",
    **values: Any,
) -> Application:
    """Ask to be let in. The committee (or the admin) is told; asking again replaces the first.

    `told` is the wording for the committee, filled with the application and `values`. A `home` without a
    room is none.
    """
    before = await of(work.db, person)
    if before is not None:
        await _DECIDE.rows(work.db, before.id, milliseconds(work.now), False)
        kept = [*before.kept, *kept]
    text = json.dumps(list(kept), ensure_ascii=False)
    row = await _NEW.row(
        work.db, work.community.id, person.id, *home, name[:64], text, milliseconds(work.now), False
    )
    assert row is not None
    new = Application(row["id"], person.id, *home, name, list(kept))
    work.notify(await deciders(work), told, application=new, **values)
    await audit.write(work.db, work.community.id, work.now, person.id, "apply", "person", person.id, new.home)
    return new


async def deciders(work: Work) -> list[Person]:
    """Who lets people in."""
    return await people.holders(work.db, work.community.id, Role.COMMITTEE, Role.ADMIN)


async def keep(db: BaseDBAsyncClient, application: Application, more: dict[str, Any]) -> None:
    """Keep one more report until the answer."""
    text = json.dumps([*application.kept, more], ensure_ascii=False)
    await _KEEP.rows(db, application.id, text)


async def decide(work: Work, application: Application, by: Person, *, approve: bool) -> Person:
    """Let the person in, or don't. Of two who decide at once the first counts."""
    if not await _DECIDE.rows(work.db, application.id, milliseconds(work.now), approve):
        raise Refusal("profile.decided_before", application=application)
    person = await people.get(work.db, application.person_id)
    verb = "approve" if approve else "refuse"
    await audit.write(
        work.db, work.community.id, work.now, by.id, verb, "person", person.id, application.home
    )
    if approve:
        await let_in(
            work, person, (application.building, application.unit, application.room), application.name
        )
    return await people.get(work.db, person.id)


async def let_in(work: Work, person: Person, home: tuple[str, str, str], name: str) -> None:
    """The person is a resident of this flat from now on; of the community, where the home has no room."""
    line = NO_HOME
    if home[2]:
        where = await people.home(work.db, work.community.id, *home)
        await people.settle(work.db, person, where)
        line = where.line
    await people.grant(work.db, person, Role.RESIDENT)
    if len(name) >= 2:
        await people.rename(work.db, person.id, name)
    await audit.write(work.db, work.community.id, work.now, person.id, "bind", "person", person.id, line)
