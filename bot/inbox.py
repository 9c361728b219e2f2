"""What reached us: every message once, whatever the platform repeats."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from tortoise import fields
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.indexes import Index
from tortoise.models import Model

from bot.messages import Incoming, Photo
from bot.store import Statement


class InboxRow(Model):
    """A message that we accepted. Written by hand below, the model is its schema."""

    id = fields.BigIntField(primary_key=True)
    channel = fields.CharField(max_length=32)
    message = fields.CharField(max_length=160)
    chat = fields.CharField(max_length=128)
    sender = fields.CharField(max_length=128)
    sender_name = fields.CharField(max_length=128)
    text = fields.TextField()
    photos = fields.TextField()
    at_ms = fields.BigIntField()

    class Meta:
        table = "inbox"
        unique_together = (("channel", "message"),)
        indexes = (Index(fields=("channel", "chat", "id")),)


_PUT = Statement(
    "insert into inbox (channel, message, chat, sender, sender_name, text, photos, at_ms)"
    " values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (channel, message) do nothing returning id"
)
_KNOWN = Statement("select id from inbox where channel = $1 and message = $2")
_FORGET = Statement("update inbox set text = '' where id = $1 returning id")
_PICTURES = Statement(
    "select photos from inbox where channel = $1 and photos <> '' and at_ms > $2 order by id desc limit 1000"
)
_RECENT = Statement("select * from inbox where channel = $1 and chat = $2 order by id desc limit $3")


def milliseconds(at: datetime) -> int:
    """Milliseconds since 1970 in UTC: the time format of the hot rows."""
    return round(at.timestamp() * 1000)


def write_photos(photos: Sequence[Photo]) -> str:
    """Pictures as a row keeps them; the platform's name of one only where it has one."""
    if not photos:
        return ""
    return json.dumps([[p.path, p.media_type, p.name, *([p.source] if p.source else [])] for p in photos])


def read_photos(text: str) -> tuple[Photo, ...]:
    return tuple(Photo(*one) for one in json.loads(text)) if text else ()


async def first_time(db: BaseDBAsyncClient, message: Incoming, now: datetime) -> int | None:
    """Remember a message; its row, or None when we had it already."""
    photos = write_photos(message.photos)
    row = await _PUT.row(
        db,
        message.channel,
        message.id[:160],
        message.chat,
        message.sender,
        message.sender_name[:128],
        message.text,
        photos,
        milliseconds(now),
    )
    return int(row["id"]) if row else None


async def known(db: BaseDBAsyncClient, channel: str, message: str) -> bool:
    """Whether we accepted a message with this id."""
    return await _KNOWN.row(db, channel, message[:160]) is not None


async def forget_words(db: BaseDBAsyncClient, row: int) -> None:
    """Keep that a message came, not what it said: words in a group that were not meant for us."""
    await _FORGET.rows(db, row)


async def recent(db: BaseDBAsyncClient, channel: str, chat: str, limit: int) -> list[dict[str, Any]]:
    """The newest messages of a chat, newest first."""
    return await _RECENT.rows(db, channel, chat, limit)


async def pictures(db: BaseDBAsyncClient, channel: str, since: datetime) -> list[Photo]:
    """The pictures that came through a channel since then, of its last thousand messages with any."""
    rows = await _PICTURES.rows(db, channel, milliseconds(since))
    return [photo for row in rows for photo in read_photos(row["photos"])]
