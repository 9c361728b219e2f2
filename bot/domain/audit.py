"""Who did what, when and why: lines that are written once and never changed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tortoise import fields
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.indexes import Index
from tortoise.models import Model

from bot.inbox import milliseconds
from bot.store import Statement


class AuditRow(Model):
    """One deed. `subject` is what it was done to: ticket, person, invite, application …"""

    id = fields.BigIntField(primary_key=True)
    community: fields.ForeignKeyRelation[Any] = fields.ForeignKeyField(
        "linli.CommunityRow", related_name=False, on_delete=fields.RESTRICT
    )
    at_ms = fields.BigIntField()
    person_id = fields.BigIntField(null=True)  # null: the clock did it
    verb = fields.CharField(max_length=32)
    subject = fields.CharField(max_length=16)
    subject_id = fields.BigIntField()
    note = fields.TextField()

    class Meta:
        table = "audit"
        indexes = (Index(fields=("subject", "subject_id", "id")),)


_WRITE = Statement(
    "insert into audit (community_id, at_ms, person_id, verb, subject, subject_id, note)"
    " values ($1, $2, $3, $4, $5, $6, $7) returning id"
)
_READ = Statement("select * from audit where subject = $1 and subject_id = $2 order by id")


async def write(
    db: BaseDBAsyncClient,
    community_id: int,
    now: datetime,
    person_id: int | None,
    verb: str,
    subject: str,
    subject_id: int,
    note: str = "",
) -> None:
    """Add a line."""
    await _WRITE.rows(db, community_id, milliseconds(now), person_id, verb, subject, subject_id, note)


async def story(db: BaseDBAsyncClient, subject: str, subject_id: int) -> list[dict[str, Any]]:
    """All lines about one thing, oldest first."""
    return await _READ.rows(db, subject, subject_id)
