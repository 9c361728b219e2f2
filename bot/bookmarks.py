"""How far we have read: one value a name, kept with what was read up to there."""

from __future__ import annotations

from datetime import datetime, timedelta

from tortoise import fields
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.models import Model

from bot.inbox import milliseconds
from bot.store import Statement


class BookmarkRow(Model):
    """A place to read on from: a platform's cursor, or a moment."""

    id = fields.BigIntField(primary_key=True)
    name = fields.CharField(max_length=128, unique=True)
    value = fields.TextField()

    class Meta:
        table = "bookmark"


_KEEP = Statement(
    "insert into bookmark (name, value) values ($1, $2)"
    " on conflict (name) do update set value = excluded.value returning id"
)
# The no-op update locks the row on PostgreSQL: of two who want the same the second sees what the first wrote.
_HOLD = Statement(
    "insert into bookmark (name, value) values ($1, '')"
    " on conflict (name) do update set name = excluded.name returning value"
)
_READ = Statement("select value from bookmark where name = $1")


async def keep(db: BaseDBAsyncClient, name: str, value: str) -> None:
    await _KEEP.rows(db, name, value)


async def lease(db: BaseDBAsyncClient, name: str, owner: str, *, now: datetime, seconds: float) -> bool:
    """Have what the name stands for until then, unless another has it; with no seconds, give it back."""
    row = await _HOLD.row(db, f"lease:{name}")
    assert row is not None
    holder, _, until = str(row["value"]).partition(" ")
    if holder not in ("", owner) and int(until) > milliseconds(now):
        return False
    kept = f"{owner} {milliseconds(now + timedelta(seconds=seconds))}" if seconds else ""
    await keep(db, f"lease:{name}", kept)
    return True


async def read(db: BaseDBAsyncClient, name: str) -> str:
    """The value, or "" when nothing was kept under the name."""
    row = await _READ.row(db, name)
    return str(row["value"]) if row else ""
