"""Photos that people sent: kept, and shown to who works on the ticket."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from tortoise import fields
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.indexes import Index
from tortoise.models import Model

from bot.inbox import milliseconds
from bot.messages import Photo
from bot.store import Statement


class PhotoRow(Model):
    """A picture of a ticket. The file lies in the folder of uploads."""

    id = fields.BigIntField(primary_key=True)
    ticket: fields.ForeignKeyRelation[Any] = fields.ForeignKeyField(
        "linli.TicketRow", related_name=False, on_delete=fields.RESTRICT
    )
    person_id = fields.BigIntField()
    path = fields.CharField(max_length=160)
    media_type = fields.CharField(max_length=32)
    at_ms = fields.BigIntField()

    class Meta:
        table = "photo"
        indexes = (Index(fields=("ticket_id", "id")),)


_ADD = Statement(
    "insert into photo (ticket_id, person_id, path, media_type, at_ms) values ($1, $2, $3, $4, $5)"
    " returning id"
)
_OF = Statement("select path, media_type from photo where ticket_id = $1 order by id")


async def attach(
    db: BaseDBAsyncClient, ticket_id: int, person_id: int, photos: Sequence[Photo], now: datetime
) -> None:
    for photo in photos:
        await _ADD.rows(db, ticket_id, person_id, photo.path, photo.media_type, milliseconds(now))


async def of(db: BaseDBAsyncClient, ticket_id: int) -> tuple[Photo, ...]:
    return tuple(Photo(row["path"], row["media_type"]) for row in await _OF.rows(db, ticket_id))
