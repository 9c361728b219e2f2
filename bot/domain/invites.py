"""Invite codes: whoever sends one to the bot holds the role that it was made for. Each works once."""

from __future__ import annotations

import re
import secrets
from datetime import datetime, timedelta
from typing import Any

from tortoise import fields
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.models import Model

from bot.domain import audit, people
from bot.domain.people import Person, Role
from bot.inbox import milliseconds
from bot.store import Statement

ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # nothing that is read for something else
LENGTH = 7
VALID_FOR = timedelta(days=30)
_CODE = re.compile(rf"[{ALPHABET}]{{5,12}}")


class InviteRow(Model):
    """A code and what it gives."""

    id = fields.BigIntField(primary_key=True)
    community: fields.ForeignKeyRelation[Any] = fields.ForeignKeyField(
        "linli.CommunityRow", related_name=False, on_delete=fields.RESTRICT
    )
    code = fields.CharField(max_length=16, unique=True)
    role = fields.CharField(max_length=16)
    name = fields.CharField(max_length=64)
    building = fields.CharField(max_length=16)
    unit = fields.CharField(max_length=16)
    room = fields.CharField(max_length=16)
    buildings = fields.CharField(max_length=255)
    trades = fields.CharField(max_length=255)
    until_ms = fields.BigIntField()
    used_ms = fields.BigIntField(null=True)

    class Meta:
        table = "invite"


_MAKE = Statement(
    "insert into invite (community_id, code, role, name, building, unit, room, buildings, trades, until_ms)"
    " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict (code) do nothing returning code"
)
# Used in the same statement that finds it: of two who send one code at once, one gets the role.
_USE = Statement(
    "update invite set used_ms = $2 where code = $1 and community_id = $3 and used_ms is null"
    " and until_ms > $2 returning *"
)
_COMMUNITY = Statement("select community_id from invite where code = $1 and used_ms is null")


def looks_like_code(text: str) -> str | None:
    """The code that the text is, or None. A word in capitals is none: a code has a digit and a letter."""
    code = text.strip().upper().replace("-", "").replace(" ", "")
    if _CODE.fullmatch(code) and re.search(r"\d", code) and re.search(r"[A-Z]", code):
        return code
    return None


async def make(
    db: BaseDBAsyncClient,
    community_id: int,
    role: Role,
    now: datetime,
    *,
    name: str = "",
    home: tuple[str, str, str] = ("", "", ""),
    trades: str = "",
    buildings: str = "",
) -> str:
    """A new code. `home` is building, unit, room; `trades` and `buildings` are comma-separated."""
    while True:
        code = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
        if not looks_like_code(code):
            continue
        until = milliseconds(now + VALID_FOR)
        row = await _MAKE.row(db, community_id, code, str(role), name, *home, buildings, trades, until)
        if row:
            return code


async def community_of(db: BaseDBAsyncClient, code: str) -> int | None:
    """Whose code it is, unused."""
    row = await _COMMUNITY.row(db, code)
    return int(row["community_id"]) if row else None


async def use(db: BaseDBAsyncClient, code: str, person: Person, now: datetime) -> Person | None:
    """Give the person what the code was made for; None when there is no such code, or not any more."""
    row = await _USE.row(db, code, milliseconds(now), person.community_id)
    if row is None:
        return None
    await people.grant(
        db,
        person,
        Role(row["role"]),
        [b for b in row["buildings"].split(",") if b],
        [t for t in row["trades"].split(",") if t],
    )
    if row["room"]:
        where = await people.home(db, person.community_id, row["building"], row["unit"], row["room"])
        await people.settle(db, person, where)
    if row["name"]:
        await people.rename(db, person.id, row["name"])
    await audit.write(db, person.community_id, now, person.id, "invite", "person", person.id, row["role"])
    return await people.get(db, person.id)
