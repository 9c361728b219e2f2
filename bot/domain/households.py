"""The household list that the committee imported: to recognise a resident by room and name or phone."""

from __future__ import annotations

from typing import Any

from tortoise import fields
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.models import Model

from bot.domain.people import Home
from bot.store import Statement


class HouseholdRow(Model):
    """One person of a flat, as the list has them."""

    id = fields.BigIntField(primary_key=True)
    home: fields.ForeignKeyRelation[Any] = fields.ForeignKeyField(
        "linli.HomeRow", related_name=False, on_delete=fields.RESTRICT
    )
    name = fields.CharField(max_length=64)
    phone = fields.CharField(max_length=20)

    class Meta:
        table = "household"
        unique_together = (("home", "name", "phone"),)


_ADD = Statement(
    "insert into household (home_id, name, phone) values ($1, $2, $3)"
    " on conflict (home_id, name, phone) do nothing returning id"
)
_OF = Statement("select name, phone from household where home_id = $1")


_FIND = Statement(
    "select h.id, h.building, h.unit, h.room from household l join home h on h.id = l.home_id"
    " where h.community_id = $1 and l.phone = $2 and l.name = $3 limit 2"
)


async def add(db: BaseDBAsyncClient, home_id: int, name: str, phone: str) -> bool:
    """Enter one line; whether it is new."""
    return bool(await _ADD.rows(db, home_id, name, phone))


async def recognise(db: BaseDBAsyncClient, home_id: int, name: str, phone: str) -> str | None:
    """The list's full name of who gives this name or phone for this flat; None when it doesn't match.

    A surname alone proves nothing: it stands on many a letter box.
    """
    for row in await _OF.rows(db, home_id):
        if phone and row["phone"] == phone:
            return str(row["name"])
        if len(name) >= 2 and row["name"] == name:
            return str(row["name"])
    return None


async def find(db: BaseDBAsyncClient, community_id: int, name: str, phone: str) -> Home | None:
    """The flat of who has both this name and this phone on the list; None for nobody, and for two flats."""
    if len(name) < 2 or not phone:
        return None
    rows = await _FIND.rows(db, community_id, phone, name)
    return Home(**rows[0]) if len(rows) == 1 else None
