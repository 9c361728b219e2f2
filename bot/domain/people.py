"""Persons: who they are on which channel, where they live, and what they may do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from tortoise import fields
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.indexes import Index
from tortoise.models import Model

from bot.store import Statement
from bot.unit_of_work import Address

SEEN_AGAIN = 60_000  # ms: an account that wrote within this, and last of the person's, is not noted anew


class Role(StrEnum):
    """What somebody is in a community. A stranger holds none."""

    STRANGER = "stranger"
    RESIDENT = "resident"
    STEWARD = "steward"
    STAFF = "staff"
    LEAD = "lead"
    COMMITTEE = "committee"
    ADMIN = "admin"

    @property
    def chinese(self) -> str:
        return _CHINESE[self]


_CHINESE = {
    Role.STRANGER: "未登记",
    Role.RESIDENT: "住户",
    Role.STEWARD: "楼长",
    Role.STAFF: "师傅",
    Role.LEAD: "班长",
    Role.COMMITTEE: "居委会、业委会",
    Role.ADMIN: "管理员",
}
#: Who may do what is asked of a role: a lead does what staff does, and so on.
_STANDS_FOR = {
    Role.RESIDENT: frozenset(Role) - {Role.STRANGER},
    Role.STEWARD: frozenset({Role.STEWARD, Role.COMMITTEE, Role.ADMIN}),
    Role.STAFF: frozenset({Role.STAFF, Role.LEAD, Role.ADMIN}),
    Role.LEAD: frozenset({Role.LEAD, Role.ADMIN}),
    Role.COMMITTEE: frozenset({Role.COMMITTEE, Role.ADMIN}),
    Role.ADMIN: frozenset({Role.ADMIN}),
}


class PersonRow(Model):
    """A human. Strangers have one too, so that they can be answered and approved."""

    id = fields.BigIntField(primary_key=True)
    community: fields.ForeignKeyRelation[Any] = fields.ForeignKeyField(
        "linli.CommunityRow", related_name=False, on_delete=fields.RESTRICT
    )
    name = fields.CharField(max_length=64)
    phone = fields.CharField(max_length=20)
    traditional = fields.BooleanField()

    class Meta:
        table = "person"
        indexes = (Index(fields=("community_id",)),)


class AccountRow(Model):
    """A person on a channel: a Telegram user, an openid, a visitor of the web page."""

    id = fields.BigIntField(primary_key=True)
    person: fields.ForeignKeyRelation[Any] = fields.ForeignKeyField(
        "linli.PersonRow", related_name=False, on_delete=fields.RESTRICT
    )
    channel = fields.CharField(max_length=32)
    address = fields.CharField(max_length=128)
    reachable = fields.BooleanField()
    seen_ms = fields.BigIntField()

    class Meta:
        table = "account"
        unique_together = (("channel", "address"),)
        indexes = (Index(fields=("person_id",)),)


class GrantRow(Model):
    """A role somebody holds, for some buildings and trades or (empty) for all: comma-separated."""

    id = fields.BigIntField(primary_key=True)
    person: fields.ForeignKeyRelation[Any] = fields.ForeignKeyField(
        "linli.PersonRow", related_name=False, on_delete=fields.RESTRICT
    )
    community: fields.ForeignKeyRelation[Any] = fields.ForeignKeyField(
        "linli.CommunityRow", related_name=False, on_delete=fields.RESTRICT
    )
    role = fields.CharField(max_length=16)
    buildings = fields.CharField(max_length=255)
    trades = fields.CharField(max_length=255)

    class Meta:
        table = "role_grant"
        unique_together = (("person", "role"),)
        indexes = (Index(fields=("community_id", "role")),)


class HomeRow(Model):
    """A flat. `unit` is "" where the building has none."""

    id = fields.BigIntField(primary_key=True)
    community: fields.ForeignKeyRelation[Any] = fields.ForeignKeyField(
        "linli.CommunityRow", related_name=False, on_delete=fields.RESTRICT
    )
    building = fields.CharField(max_length=16)
    unit = fields.CharField(max_length=16)
    room = fields.CharField(max_length=16)

    class Meta:
        table = "home"
        unique_together = (("community", "building", "unit", "room"),)


class ResidenceRow(Model):
    """Somebody lives (or stands in) there."""

    id = fields.BigIntField(primary_key=True)
    person: fields.ForeignKeyRelation[Any] = fields.ForeignKeyField(
        "linli.PersonRow", related_name=False, on_delete=fields.RESTRICT
    )
    home: fields.ForeignKeyRelation[Any] = fields.ForeignKeyField(
        "linli.HomeRow", related_name=False, on_delete=fields.RESTRICT
    )

    class Meta:
        table = "residence"
        unique_together = (("person", "home"),)
        indexes = (Index(fields=("home_id",)),)


@dataclass(frozen=True, slots=True)
class Home:
    """A flat, as known."""

    id: int
    building: str
    unit: str
    room: str

    @property
    def line(self) -> str:
        unit = f"{self.unit}单元" if self.unit else ""
        return f"{self.building}栋{unit}{self.room}"

    @property
    def short(self) -> str:
        """As typed into a command: 3-2-501."""
        return "-".join(part for part in (self.building, self.unit, self.room) if part)


@dataclass(frozen=True, slots=True)
class Grant:
    """A role with its limits; empty limits mean everything."""

    role: Role
    buildings: frozenset[str] = frozenset()
    trades: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Account:
    """A person on a channel."""

    name: str
    channel: str
    address: str


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody, with all that a turn needs to know of them."""

    id: int
    community_id: int
    name: str
    phone: str = ""
    traditional: bool = False
    grants: tuple[Grant, ...] = ()
    homes: tuple[Home, ...] = field(default=())

    @property
    def bound(self) -> bool:
        return bool(self.grants)

    @property
    def home(self) -> Home | None:
        return self.homes[0] if self.homes else None

    @property
    def roles(self) -> frozenset[Role]:
        return frozenset(grant.role for grant in self.grants)

    def may(self, role: Role) -> bool:
        """Whether this person may do what is asked of `role`."""
        return role is Role.STRANGER or bool(self.roles & _STANDS_FOR[role])

    @property
    def speaks_as(self) -> str:
        """The role as the understanding knows it: resident, staff or committee."""
        if self.roles & {Role.STAFF, Role.LEAD}:
            return "staff"
        if self.roles & {Role.COMMITTEE, Role.ADMIN}:
            return "committee"
        return "resident"

    @property
    def called(self) -> str:
        """How others are told of this person."""
        return self.name or "邻居"


# A row for every pair of a role and a home. `last_ms` is when the person last wrote, from any account.
_FIND = Statement(
    "select p.id, p.community_id, p.name, p.phone, p.traditional,"
    " a.id as account_id, a.reachable, a.seen_ms,"
    " (select max(o.seen_ms) from account o where o.person_id = p.id) as last_ms,"
    " g.role, g.buildings, g.trades, h.id as home_id, h.building, h.unit, h.room"
    " from account a join person p on p.id = a.person_id"
    " left join role_grant g on g.person_id = p.id"
    " left join residence r on r.person_id = p.id left join home h on h.id = r.home_id"
    " where a.channel = $1 and a.address = $2 order by g.id, r.id"
)
_HOMES = Statement(
    "select h.id, h.building, h.unit, h.room from residence r join home h on h.id = r.home_id"
    " where r.person_id = $1 order by r.id"
)
_SEEN = Statement("update account set seen_ms = $2, reachable = $3 where id = $1 returning id")
_NEW_PERSON = Statement(
    "insert into person (community_id, name, phone, traditional) values ($1, $2, '', $3) returning id"
)
_ACCOUNTS = Statement(
    "select p.name, a.channel, a.address from account a join person p on p.id = a.person_id"
    " order by a.seen_ms desc, a.id"
)
_NEW_ACCOUNT = Statement(
    "insert into account (person_id, channel, address, reachable, seen_ms) values ($1, $2, $3, $4, $5)"
    " returning id"
)
_GIVE = Statement("update account set person_id = $3 where channel = $1 and address = $2 returning id")
_ACCOUNTS_OF = Statement(
    "select channel, address, reachable from account where person_id = $1 order by seen_ms desc, id desc"
)
_SCRIPT = Statement("update person set traditional = $2 where id = $1 returning id")
_MOVE = Statement("update person set community_id = $2 where id = $1 returning id")
_RENAME = Statement("update person set name = $2 where id = $1 returning id")
_PHONE = Statement("update person set phone = $2 where id = $1 returning id")
_GRANT = Statement(
    "insert into role_grant (person_id, community_id, role, buildings, trades) values ($1, $2, $3, $4, $5)"
    " on conflict (person_id, role) do update set buildings = excluded.buildings, trades = excluded.trades"
    " returning id"
)
_HOME = Statement(
    "insert into home (community_id, building, unit, room) values ($1, $2, $3, $4)"
    " on conflict (community_id, building, unit, room) do update set room = excluded.room returning id"
)
_LIVES = Statement(
    "insert into residence (person_id, home_id) values ($1, $2)"
    " on conflict (person_id, home_id) do nothing returning id"
)
_UNREACHABLE = Statement(
    "update account set reachable = $3 where channel = $1 and address = $2 returning person_id"
)
_REWRITE = (
    Statement("update inbox set chat = $3 where channel = $1 and chat = $2 returning id"),
    Statement("update outbox set chat = $3 where channel = $1 and chat = $2 returning id"),
    # a conversation that began under the new address already is the living one
    Statement(
        "update conversation set chat = $3 where channel = $1 and chat = $2 and sender not in"
        " (select sender from conversation where channel = $1 and chat = $3) returning id"
    ),
)
_BY_ID = Statement("select id, community_id, name, phone, traditional from person where id = $1")
_GRANTS = Statement("select role, buildings, trades from role_grant where person_id = $1 order by id")
_HOLDERS = Statement(
    "select p.id, p.community_id, p.name, p.phone, p.traditional, g.role, g.buildings, g.trades"
    " from role_grant g join person p on p.id = g.person_id"
    " where g.community_id = $1 and g.role in ($2, $3) order by g.id"
)
_HOUSEHOLD = Statement(
    "select distinct p.id, p.community_id, p.name, p.phone, p.traditional from residence r"
    " join person p on p.id = r.person_id where r.home_id = $1 order by p.id"
)
_FIND_HOME = Statement(
    "select id, building, unit, room from home"
    " where community_id = $1 and building = $2 and unit = $3 and room = $4"
)
_WORKS = Statement(
    "select a.address from role_grant g left join account a"
    " on a.person_id = g.person_id and a.channel in ('wecom', 'aibot')"  # a userid is the same in both
    " where g.person_id = $1 and g.role in ($2, $3) order by a.seen_ms desc, a.id desc limit 1"
)
_ADDRESSES = Statement(
    "select a.person_id, a.channel, a.address, p.traditional"
    " from account a join person p on p.id = a.person_id"
    " where a.person_id = $1 and a.reachable = $2 order by a.seen_ms desc, a.id desc limit 1"
)


def _set(text: str) -> frozenset[str]:
    return frozenset(part for part in text.split(",") if part)


def _home(row: dict[str, Any]) -> Home:
    return Home(row["home_id"], row["building"], row["unit"], row["room"])


def _grant(row: dict[str, Any]) -> Grant:
    return Grant(Role(row["role"]), _set(row["buildings"]), _set(row["trades"]))


def _person(row: dict[str, Any], grants: Iterable[Grant] = (), homes: Iterable[Home] = ()) -> Person:
    return Person(
        id=row["id"],
        community_id=row["community_id"],
        name=row["name"],
        phone=row["phone"],
        traditional=bool(row["traditional"]),
        grants=tuple(grants),
        homes=tuple(homes),
    )


async def identify(
    db: BaseDBAsyncClient, channel: str, address: str, now_ms: int, *, reachable: bool = True
) -> Person | None:
    """Who speaks from this account; None for one never seen. Whoever writes can be reached again.

    Unless the channel only takes: then the account never is `reachable`.
    """
    rows = await _FIND.rows(db, channel, address)
    if not rows:
        return None
    first = rows[0]
    lately = now_ms - SEEN_AGAIN < first["seen_ms"] == first["last_ms"]
    if not (lately and bool(first["reachable"]) is reachable):
        await _SEEN.rows(db, first["account_id"], now_ms, reachable)
    grants = {row["role"]: _grant(row) for row in rows if row["role"]}
    homes = {row["home_id"]: _home(row) for row in rows if row["home_id"]}
    return _person(first, grants.values(), homes.values())


async def meet(
    db: BaseDBAsyncClient,
    community_id: int,
    channel: str,
    address: str,
    name: str,
    now_ms: int,
    *,
    reachable: bool = True,
) -> Person:
    """Remember a stranger."""
    row = await _NEW_PERSON.row(db, community_id, name[:64], False)
    assert row is not None
    await _NEW_ACCOUNT.rows(db, row["id"], channel, address, reachable, now_ms)
    return Person(id=row["id"], community_id=community_id, name=name[:64])


async def accounts(db: BaseDBAsyncClient) -> list[Account]:
    """Every account, whoever wrote last first."""
    return [Account(**row) for row in await _ACCOUNTS.rows(db)]


async def add_account(
    db: BaseDBAsyncClient, person: Person, channel: str, address: str, now_ms: int, *, reachable: bool = True
) -> None:
    """The person writes from there too."""
    await _NEW_ACCOUNT.rows(db, person.id, channel, address, reachable, now_ms)


async def give_account(db: BaseDBAsyncClient, channel: str, address: str, person: Person) -> None:
    """The account turns out to be of somebody whom we know already."""
    await _GIVE.rows(db, channel, address, person.id)


async def move(db: BaseDBAsyncClient, stranger: Person, community_id: int) -> Person:
    """A stranger who turns out to belong to another community."""
    assert not stranger.bound
    await _MOVE.rows(db, stranger.id, community_id)
    return await get(db, stranger.id)


async def get(db: BaseDBAsyncClient, person_id: int) -> Person:
    row = await _BY_ID.row(db, person_id)
    assert row is not None, f"person {person_id} vanished"
    grants = [_grant(one) for one in await _GRANTS.rows(db, person_id)]
    homes = [Home(**one) for one in await _HOMES.rows(db, person_id)]
    return _person(row, grants, homes)


async def read_script(db: BaseDBAsyncClient, person_id: int, traditional: bool) -> None:
    await _SCRIPT.rows(db, person_id, traditional)


async def rename(db: BaseDBAsyncClient, person_id: int, name: str) -> None:
    await _RENAME.rows(db, person_id, name[:64])


async def note_phone(db: BaseDBAsyncClient, person_id: int, phone: str) -> None:
    await _PHONE.rows(db, person_id, phone)


async def grant(
    db: BaseDBAsyncClient,
    person: Person,
    role: Role,
    buildings: Iterable[str] = (),
    trades: Iterable[str] = (),
) -> None:
    """Give a role in the person's community; the same role again replaces its limits."""
    limits = ",".join(sorted(buildings)), ",".join(sorted(trades))
    await _GRANT.rows(db, person.id, person.community_id, str(role), *limits)


async def home(db: BaseDBAsyncClient, community_id: int, building: str, unit: str, room: str) -> Home:
    """A flat, made when nobody spoke of it before."""
    row = await _HOME.row(db, community_id, building, unit, room)
    assert row is not None
    return Home(row["id"], building, unit, room)


async def find_home(
    db: BaseDBAsyncClient, community_id: int, building: str, unit: str, room: str
) -> Home | None:
    row = await _FIND_HOME.row(db, community_id, building, unit, room)
    return Home(**row) if row else None


async def settle(db: BaseDBAsyncClient, person: Person, where: Home) -> None:
    """Somebody lives there from now on."""
    await _LIVES.rows(db, person.id, where.id)


async def unreachable(db: BaseDBAsyncClient, channel: str, address: str) -> None:
    """The platform says that this account can't be written to; a message from it lifts that."""
    await _UNREACHABLE.rows(db, channel, address, False)


async def rewrite_chat(db: BaseDBAsyncClient, channel: str, old: str, new: str) -> None:
    """A platform gave a chat another address: everything that names it follows, in one transaction."""
    for statement in _REWRITE:
        await statement.rows(db, channel, old, new)


async def accounts_of(db: BaseDBAsyncClient, person_id: int) -> dict[tuple[str, str], bool]:
    """The person's accounts (channel, address), the last used first, and whether each can be written to."""
    rows = await _ACCOUNTS_OF.rows(db, person_id)
    return {(row["channel"], row["address"]): bool(row["reachable"]) for row in rows}


async def household(db: BaseDBAsyncClient, home_id: int) -> list[Person]:
    """Everyone of a flat."""
    return [_person(row) for row in await _HOUSEHOLD.rows(db, home_id)]


async def holders(
    db: BaseDBAsyncClient,
    community_id: int,
    role: Role,
    or_role: Role | None = None,
    *,
    building: str | None = None,
    trades: frozenset[str] | None = None,
) -> list[Person]:
    """Who holds the role (or the other one), for this building and one of these trades.

    A grant without trades counts for every trade, one without buildings for every building.
    """
    found: dict[int, Person] = {}
    for row in await _HOLDERS.rows(db, community_id, str(role), str(or_role or role)):
        one = _grant(row)
        if building and one.buildings and building not in one.buildings:
            continue
        if trades is not None and one.trades and not one.trades & trades:
            continue
        found.setdefault(row["id"], _person(row, [one]))
    return list(found.values())


async def crew(db: BaseDBAsyncClient, person_ids: Sequence[int]) -> dict[int, str]:
    """Those of the persons who are staff or leads, with their userid in WeCom; "" where there is none."""
    found = {}
    for person_id in person_ids:
        row = await _WORKS.row(db, person_id, str(Role.STAFF), str(Role.LEAD))
        if row:
            found[person_id] = row["address"] or ""
    return found


async def route(db: BaseDBAsyncClient, person_ids: Sequence[int]) -> dict[int, Address]:
    """The account each person wrote from last and can still be reached at."""
    found = {}
    for person_id in person_ids:
        row = await _ADDRESSES.row(db, person_id, True)
        if row:
            found[person_id] = Address(row["channel"], row["address"], bool(row["traditional"]))
    return found
