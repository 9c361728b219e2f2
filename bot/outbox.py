"""What we owe: messages written with the deed, carried after it, each ending sent, failed or unknown."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Any

from tortoise import fields
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.indexes import Index
from tortoise.models import Model

from bot.inbox import milliseconds
from bot.messages import Button, Lane, Outgoing, Photo
from bot.store import Statement


class State(IntEnum):
    """Where an owed message stands."""

    QUEUED = 0
    SENT = 1
    FAILED = 2
    UNKNOWN = 3


class OutboxRow(Model):
    """A message we owe. Due when queued and `due_ms` has passed. Claiming pushes `due_ms` on by a lease."""

    id = fields.BigIntField(primary_key=True)
    channel = fields.CharField(max_length=32)
    chat = fields.CharField(max_length=128)
    person_id = fields.BigIntField(null=True)
    text = fields.TextField()
    buttons = fields.TextField()
    photos = fields.TextField()
    lane = fields.SmallIntField()
    once = fields.CharField(max_length=160, null=True, unique=True)
    state = fields.SmallIntField()
    attempts = fields.IntField()
    due_ms = fields.BigIntField()
    made_ms = fields.BigIntField()
    done_ms = fields.BigIntField(null=True)
    reason = fields.TextField()

    class Meta:
        table = "outbox"
        indexes = (
            Index(fields=("state", "lane", "due_ms")),  # what is due, the most urgent first
            Index(fields=("channel", "chat", "state", "id")),  # what is owed to a chat before this
            Index(fields=("channel", "chat", "id")),  # what we wrote into a chat
        )


_PUT = Statement(
    "insert into outbox (channel, chat, person_id, text, buttons, photos, lane, once, state, attempts,"
    " due_ms, made_ms, reason) values ($1, $2, $3, $4, $5, $6, $7, $8, 0, 0, $9, $9, '')"
    " on conflict (once) do nothing returning id"
)
# Within a chat the oldest goes first, whatever failed before it: a later message waits for an earlier one of
# its own or a more urgent lane. OFFSET keeps PostgreSQL from joining the table with itself: a good plan for
# the few rows it knows of, and one of minutes for the thousands of a notice that it has not counted yet.
_FIRST = (
    " not exists (select 1 from outbox e where e.channel = o.channel and e.chat = o.chat and e.state = 0"
    " and e.id < o.id and e.lane <= o.lane limit 1 offset 0)"
)


def _claim(locking: str) -> str:
    """Find the first ones once, then the rows by their ids: hence MATERIALIZED and the plus signs."""
    return (
        "with first as materialized ("
        "select o.id from outbox o where o.state = 0 and o.due_ms <= $1 and o.lane <= $4"
        f" and $5 not like '%,' || o.channel || ',%' and {_FIRST}"
        f" order by o.lane, o.due_ms, o.id limit $3{locking})"
        " update outbox set due_ms = $2, attempts = attempts + 1"
        " where +state = 0 and +due_ms <= $1 and id in (select id from first)"
        " returning id, channel, chat, text, buttons, photos, lane, attempts"
    )


# The lease keeps two claimers apart. SKIP LOCKED, which SQLite has not, spares the second of them to wait for
# the first and then to find nothing left of what it had chosen.
_CLAIM = Statement(_claim(""), postgres=_claim(" for update of o skip locked"))
_END = Statement("update outbox set state = $2, done_ms = $3, reason = $4 where id = $1 returning id")
_LATER = Statement(
    "update outbox set due_ms = $2, reason = $3, attempts = attempts - $4 where id = $1 returning id"
)
_NEXT = Statement(
    "select min(o.due_ms) as due_ms from outbox o where o.state = 0"
    f" and $1 not like '%,' || o.channel || ',%' and {_FIRST}"
)
_RECENT = Statement("select * from outbox where channel = $1 and chat = $2 order by id desc limit $3")
_BUTTONS = Statement("select channel, chat, buttons, made_ms from outbox where id = $1")
_COUNTS = Statement("select state, count(*) as n from outbox group by state")


async def put(
    db: BaseDBAsyncClient,
    channel: str,
    chat: str,
    text: str,
    *,
    now: datetime,
    lane: Lane = Lane.REPLY,
    person_id: int | None = None,
    buttons: tuple[tuple[str, str], ...] = (),
    photos: tuple[Photo, ...] = (),
    once: str | None = None,
) -> int | None:
    """Owe a message; its id, or None when `once` was owed before."""
    row = await _PUT.row(
        db,
        channel,
        chat,
        person_id,
        text,
        json.dumps(buttons, ensure_ascii=False) if buttons else "",
        json.dumps([[p.path, p.media_type, p.name] for p in photos]) if photos else "",
        int(lane),
        once,
        milliseconds(now),
    )
    return int(row["id"]) if row else None


def read_photos(text: str) -> tuple[Photo, ...]:
    return tuple(Photo(*one) for one in json.loads(text)) if text else ()


def read_buttons(text: str) -> tuple[Button, ...]:
    return tuple(Button(label, says) for label, says in json.loads(text)) if text else ()


def _listed(names: Iterable[str]) -> str:
    """Names as one value for `like`: a statement has as many values whatever the number of names."""
    return "".join(f",{name}," for name in names)


async def claim(
    db: BaseDBAsyncClient,
    *,
    now: datetime,
    lease: timedelta,
    limit: int,
    lane: Lane = Lane.NOTICE,
    but: Iterable[str] = (),
) -> list[tuple[Outgoing, int]]:
    """Take up to `limit` due messages for `lease`, at most one of a lane a chat; each with its attempts.

    Only lanes as urgent as `lane`, and not those of the channels in `but`.
    """
    until = milliseconds(now + lease)
    rows = await _CLAIM.rows(db, milliseconds(now), until, limit, int(lane), _listed(but))
    rows.sort(key=lambda row: (row["lane"], row["id"]))
    return [
        (
            Outgoing(
                id=row["id"],
                channel=row["channel"],
                chat=row["chat"],
                text=row["text"],
                lane=Lane(row["lane"]),
                buttons=read_buttons(row["buttons"]),
                photos=read_photos(row["photos"]),
            ),
            int(row["attempts"]),
        )
        for row in rows
    ]


async def end(db: BaseDBAsyncClient, message: int, state: State, *, now: datetime, reason: str = "") -> None:
    """A message's last word: sent, failed with the reason, or unknown."""
    await _END.rows(db, message, int(state), milliseconds(now), reason[:500])


async def later(
    db: BaseDBAsyncClient, message: int, at: datetime, reason: str, *, counts: bool = True
) -> None:
    """Try again, not before `at`. A try that the platform's pace put off does not count as one."""
    await _LATER.rows(db, message, milliseconds(at), reason[:500], 0 if counts else 1)


async def next_due(db: BaseDBAsyncClient, but: Iterable[str] = ()) -> int | None:
    """When the next message can be claimed, in milliseconds; None when there is none.

    What waits for an earlier message of its chat is not counted: looking for it before would be in vain.
    """
    row = await _NEXT.row(db, _listed(but))
    return row["due_ms"] if row else None


async def recent(db: BaseDBAsyncClient, channel: str, chat: str, limit: int) -> list[dict[str, Any]]:
    """The newest messages we wrote into a chat, newest first."""
    return await _RECENT.rows(db, channel, chat, limit)


async def button(
    db: BaseDBAsyncClient, channel: str, message: int, number: int, *, since: datetime
) -> tuple[str, str] | None:
    """The chat a message went to, and the words behind its button `number` (from 0).

    None where there is none such, or the message is from before `since`.
    """
    row = await _BUTTONS.row(db, message) if 0 < message < 2**63 else None
    if row is None or row["channel"] != channel or row["made_ms"] < milliseconds(since):
        return None
    buttons = read_buttons(row["buttons"])
    return (row["chat"], buttons[number].says) if 0 <= number < len(buttons) else None


async def counts(db: BaseDBAsyncClient) -> dict[State, int]:
    """How many messages stand where."""
    return {State(row["state"]): row["n"] for row in await _COUNTS.rows(db)}
