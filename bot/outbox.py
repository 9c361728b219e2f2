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

from bot.inbox import milliseconds, read_photos, write_photos
from bot.messages import Button, Lane, Outgoing, Photo
from bot.store import Statement

NEWS_FOR = timedelta(days=7)  # what was kept for longer is not sent any more


class State(IntEnum):
    """Where an owed message stands."""

    QUEUED = 0
    SENT = 1
    FAILED = 2
    UNKNOWN = 3
    #: The platform takes nothing for this chat now: kept until somebody writes there.
    KEPT = 4


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
    receipt = fields.CharField(max_length=255, db_default="")
    mentions = fields.TextField(db_default="")

    class Meta:
        table = "outbox"
        indexes = (
            Index(fields=("state", "lane", "due_ms")),  # what is due, the most urgent first
            Index(fields=("channel", "chat", "state", "id")),  # what is owed to a chat before this
            Index(fields=("channel", "chat", "id")),  # what we wrote into a chat
        )


_PUT = Statement(
    "insert into outbox (channel, chat, person_id, text, buttons, photos, lane, once, state, attempts,"
    " due_ms, made_ms, done_ms, reason, receipt, mentions)"
    " values ($1, $2, $3, $4, $5, $6, $7, $8, $10, 0, $9, $9, $11, $12, '', $13)"
    " on conflict (once) do nothing returning id"
)
# Within a chat the oldest goes first, whatever failed before it: a later message waits for an earlier one of
# its own or a more urgent lane. OFFSET keeps PostgreSQL from joining the table with itself: a good plan for
# the few rows it knows of, and one of minutes for the thousands of a notice that it has not counted yet.
# What was put off when it was made (`now` of `put` lies ahead) holds up nothing that is said before it.
_FIRST = (
    " not exists (select 1 from outbox e where e.channel = o.channel and e.chat = o.chat and e.state = 0"
    " and e.id < o.id and e.lane <= o.lane and e.made_ms <= o.made_ms limit 1 offset 0)"
)


_READ = "id, channel, chat, text, buttons, photos, lane, attempts, person_id, mentions"


def _claim(locking: str) -> str:
    """Find the first ones once, then the rows by their ids: hence MATERIALIZED and the plus signs."""
    return (
        "with first as materialized ("
        "select o.id from outbox o where o.state = 0 and o.due_ms <= $1 and o.lane <= $4"
        f" and $5 not like '%,' || o.channel || ',%' and {_FIRST}"
        f" order by o.lane, o.due_ms, o.id limit $3{locking})"
        " update outbox set due_ms = $2, attempts = attempts + 1"
        " where +state = 0 and +due_ms <= $1 and id in (select id from first)"
        f" returning {_READ}"
    )


# The lease keeps two claimers apart. SKIP LOCKED, which SQLite has not, spares the second of them to wait for
# the first and then to find nothing left of what it had chosen.
_CLAIM = Statement(_claim(""), postgres=_claim(" for update of o skip locked"))
_END = Statement(
    "update outbox set state = $2, done_ms = $3, reason = $4, receipt = $5 where id = $1 returning id"
)
# What waits behind a message of its chat, and could go with it.
_WITH = Statement(
    "update outbox set due_ms = $4, attempts = attempts + 1 where +state = 0 and +due_ms <= $3 and id in ("
    "select id from outbox where channel = $1 and chat = $2 and state = 0 and due_ms <= $3 and photos = ''"
    f" and id <> $5 order by lane, id limit 20) returning {_READ}"
)
_UNCLAIM = Statement("update outbox set due_ms = $2, attempts = attempts - 1 where id = $1 returning id")
_READDRESS = Statement(
    "update outbox set channel = $2, chat = $3, state = 0, attempts = 0, due_ms = $4, done_ms = null,"
    " reason = $5 where id = $1 returning id"
)
_AGAIN = Statement(
    "update outbox set state = 0, due_ms = $3, attempts = 0"
    " where channel = $1 and chat = $2 and state = 4 and made_ms > $4 returning id"
)
_ANSWER = Statement(f"select {_READ} from outbox where once = $1 and state = $2 and reason = $3")
_RELEASE = Statement(
    "update outbox set state = 0, due_ms = $2, done_ms = null, reason = ''"
    " where id = $1 and state = $3 and reason = $4 returning id"
)
_LOST = Statement(
    "update outbox set state = $5, reason = $6"
    " where channel = $1 and chat = $2 and state = $4 and receipt = $3 returning id"
)
_OF = Statement("select channel, chat, person_id, lane from outbox where id = $1")
_LATER = Statement(
    "update outbox set due_ms = $2, reason = $3, attempts = attempts - $4 where id = $1 returning id"
)
_NEXT = Statement(
    "select min(o.due_ms) as due_ms from outbox o where o.state = 0"
    f" and $1 not like '%,' || o.channel || ',%' and {_FIRST}"
)
_RECENT = Statement("select * from outbox where channel = $1 and chat = $2 order by id desc limit $3")
_BUTTONS = Statement("select channel, chat, buttons, made_ms from outbox where id = $1")
_UNDELIVERED = Statement(
    "select state, reason, count(*) as n from outbox where state in ($1, $2, $3) and done_ms > $4"
    " group by state, reason order by n desc, reason"
)
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
    by_acknowledgement: bool = False,
    mentions: Iterable[str] = (),
) -> int | None:
    """Owe a message; its id, or None when `once` was owed before. No name in `mentions` has a blank.

    `now` may lie ahead: then it is said then. One that goes `by_acknowledgement` is the channel's to give,
    and none of delivery's (see `carry_answer`).
    """
    row = await _PUT.row(
        db,
        channel,
        chat,
        person_id,
        text,
        json.dumps(buttons, ensure_ascii=False) if buttons else "",
        write_photos(photos),
        int(lane),
        once,
        milliseconds(now),
        int(State.SENT if by_acknowledgement else State.QUEUED),
        milliseconds(now) if by_acknowledgement else None,
        BY_ACKNOWLEDGEMENT if by_acknowledgement else "",
        " ".join(mentions),
    )
    return int(row["id"]) if row else None


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
    return [(_outgoing(row), int(row["attempts"])) for row in rows]


def _outgoing(row: dict[str, Any]) -> Outgoing:
    return Outgoing(
        id=row["id"],
        channel=row["channel"],
        chat=row["chat"],
        text=row["text"],
        lane=Lane(row["lane"]),
        buttons=read_buttons(row["buttons"]),
        photos=read_photos(row["photos"]),
        person=row["person_id"],
        mentions=tuple(row["mentions"].split()),
    )


async def claim_with(
    db: BaseDBAsyncClient, message: Outgoing, *, now: datetime, lease: timedelta
) -> list[Outgoing]:
    """Take what waits behind a claimed message in its chat, pictures left out; the most urgent first."""
    rows = await _WITH.rows(
        db, message.channel, message.chat, milliseconds(now), milliseconds(now + lease), message.id
    )
    return [_outgoing(row) for row in sorted(rows, key=lambda row: (row["lane"], row["id"]))]


async def unclaim(db: BaseDBAsyncClient, message: int, *, now: datetime) -> None:
    """Taken for nothing: due again as if nobody had."""
    await _UNCLAIM.rows(db, message, milliseconds(now))


async def end(
    db: BaseDBAsyncClient,
    message: int,
    state: State,
    *,
    now: datetime,
    reason: str = "",
    receipt: str = "",
) -> None:
    """A message's last word: sent (and the platform's id of it), failed with the reason, unknown, or kept."""
    await _END.rows(db, message, int(state), milliseconds(now), reason[:500], receipt[:255])


async def readdress(
    db: BaseDBAsyncClient, message: int, channel: str, chat: str, *, now: datetime, reason: str
) -> None:
    """Carry it to another account of its reader instead."""
    await _READDRESS.rows(db, message, channel, chat, milliseconds(now), reason[:500])


async def again(db: BaseDBAsyncClient, channel: str, chat: str, *, now: datetime) -> None:
    """Somebody wrote there: what was kept for the chat is due, if it is still news."""
    await _AGAIN.rows(db, channel, chat, milliseconds(now), milliseconds(now - NEWS_FOR))


async def lost(db: BaseDBAsyncClient, channel: str, chat: str, receipt: str, reason: str) -> None:
    """The platform reports later that it did not deliver what it had taken."""
    values = (int(State.SENT), int(State.FAILED), reason[:500])
    if receipt:
        await _LOST.rows(db, channel, chat, receipt, *values)


# ------------------------------------------------------- answers that go with the acknowledgement

BY_ACKNOWLEDGEMENT = "with the acknowledgement"


def answer_key(channel: str, message: str) -> str:
    """What makes the answer to a message one: its `once`."""
    return f"re:{channel}:{message}"[:160]


async def answer_to(db: BaseDBAsyncClient, channel: str, message: str) -> Outgoing | None:
    """The answer to a message that came before, if it goes with the acknowledgement.

    A platform repeats what it got no acknowledgement of, and so no answer to: it goes again.
    """
    row = await _ANSWER.row(db, answer_key(channel, message), int(State.SENT), BY_ACKNOWLEDGEMENT)
    return _outgoing(row) if row else None


async def carry_answer(db: BaseDBAsyncClient, message: int, *, now: datetime, rest: str = "") -> None:
    """The acknowledgement could not take the answer: delivery shall carry it, or the `rest` of it."""
    if not rest:
        await _RELEASE.rows(db, message, milliseconds(now), int(State.SENT), BY_ACKNOWLEDGEMENT)
    elif row := await _OF.row(db, message):
        lane = Lane(row["lane"])
        await put(
            db,
            row["channel"],
            row["chat"],
            rest,
            now=now,
            lane=lane,
            person_id=row["person_id"],
            once=f"rest:{message}",  # the platform may ask again, and it is owed once
        )


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


async def undelivered(db: BaseDBAsyncClient, since: datetime) -> list[tuple[State, str, int]]:
    """What did not arrive, or perhaps not, since then: state, reason, and how many; the most first."""
    states = (int(State.FAILED), int(State.UNKNOWN), int(State.KEPT))
    rows = await _UNDELIVERED.rows(db, *states, milliseconds(since))
    return [(State(row["state"]), row["reason"], row["n"]) for row in rows]
