"""How far we have read: one value a name, kept with what was read up to there."""

from __future__ import annotations

from datetime import datetime

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
# Ours already, or nobody's any more: the value begins with when it ends, in digits of one length.
_HOLD = Statement(
    "insert into bookmark (name, value) values ($1, $2)"
    " on conflict (name) do update set value = excluded.value"
    " where bookmark.value < $3 or bookmark.value like $4 returning id"
)
_READ = Statement("select value from bookmark where name = $1")


async def keep(db: BaseDBAsyncClient, name: str, value: str) -> None:
    await _KEEP.rows(db, name, value)


async def read(db: BaseDBAsyncClient, name: str) -> str:
    """The value, or "" when nothing was kept under the name."""
    row = await _READ.row(db, name)
    return str(row["value"]) if row else ""


async def hold(db: BaseDBAsyncClient, name: str, owner: str, *, now: datetime, seconds: float) -> bool:
    """Take or keep what only one process may have, for so many seconds; whether it is the owner's now."""
    now_ms = milliseconds(now)
    until = f"{now_ms + round(seconds * 1000):015} {owner}"
    return bool(await _HOLD.rows(db, name, until, f"{now_ms:015}", f"% {owner}"))
