"""What a platform still lets us send to a chat: counted here, so that it never has to say no.

Two kinds of bounds, in one row a chat: what the chat's own messages granted (`Grant`: five within 48 hours),
and the platform's pace (30 within a minute). Both are taken before a message goes, in the transaction that
claims it; a crash costs a message of the budget, never one too many.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tortoise import fields
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.models import Model

from bot.inbox import milliseconds
from bot.messages import Grant
from bot.store import Statement

GRANTED = 5  # the most that any platform grants at once: a longer message goes as far as it can


class BudgetRow(Model):
    """`remaining` messages until `until_ms`, and in `spent` (JSON) the moments (ms) of sends that count."""

    id = fields.BigIntField(primary_key=True)
    channel = fields.CharField(max_length=32)
    chat = fields.CharField(max_length=128)
    remaining = fields.IntField()
    until_ms = fields.BigIntField()
    token = fields.TextField()
    spent = fields.TextField()

    class Meta:
        table = "budget"
        unique_together = (("channel", "chat"),)


@dataclass(frozen=True, slots=True)
class Verdict:
    """`wait`: None when it may go now, else seconds until it may. `closed`: not before the chat writes.

    `bare`: without its extras.
    """

    wait: float | None = None
    closed: bool = False
    token: str = ""
    bare: bool = False


# What lasts longer counts: a tap on a menu grants a minute, and does not end the two days of a message. Some
# seconds make no difference: platforms say in whole seconds when something was written.
_GRANT = Statement(
    "insert into budget (channel, chat, remaining, until_ms, token, spent) values ($1, $2, $3, $4, $5, '')"
    " on conflict (channel, chat) do update set remaining = excluded.remaining, until_ms = excluded.until_ms,"
    " token = excluded.token where budget.until_ms - 5000 <= excluded.until_ms returning id"
)
# The no-op update locks the row on PostgreSQL.
_OPEN = Statement(
    "insert into budget (channel, chat, remaining, until_ms, token, spent) values ($1, $2, 0, 0, '', '')"
    " on conflict (channel, chat) do update set channel = excluded.channel"
    " returning id, remaining, until_ms, token, spent"
)
_LOOK = Statement("select remaining, until_ms from budget where channel = $1 and chat = $2")
_SPEND = Statement("update budget set remaining = $2, spent = $3 where id = $1 returning id")
_BACK = Statement(
    "update budget set remaining = remaining + $3"
    " where channel = $1 and chat = $2 and until_ms > $4 returning id"
)
_CLOSE = Statement("update budget set remaining = 0 where channel = $1 and chat = $2 returning id")


async def grant(db: BaseDBAsyncClient, channel: str, chat: str, given: Grant, now: datetime) -> None:
    """The chat wrote: from now on so many messages within so many seconds."""
    until = milliseconds(now + timedelta(seconds=given.seconds))
    await _GRANT.rows(db, channel, chat, given.messages, until, given.token)


async def take(
    db: BaseDBAsyncClient,
    channel: str,
    chat: str,
    messages: int,
    *,
    now: datetime,
    per_chat: Sequence[tuple[int, float]] = (),
    windowed: bool = False,
    reserve: int = 0,
    extra: int = 0,
) -> Verdict:
    """Take so many messages of the chat's budget, or say why not. `reserve` of the window are left untouched.

    More than a bound has at all are let through when nothing else was sent: they could never go otherwise.
    `extra` ones are taken too while a third of every bound stays free: in a storm the words go first.
    """
    row = await _OPEN.row(db, channel, chat)
    assert row is not None
    at = milliseconds(now)
    left = row["remaining"] if row["until_ms"] > at else 0
    if windowed and left - reserve < min(messages, GRANTED - reserve):
        return Verdict(closed=True)
    spent: list[int] = json.loads(row["spent"]) if row["spent"] else []
    longest = max((seconds for _, seconds in per_chat), default=0.0) * 1000
    spent = [moment for moment in spent if moment > at - longest]
    wait = max((_wait(spent, at, messages, *bound) for bound in per_chat), default=0.0)
    if wait > 0:
        return Verdict(wait=wait)
    bare = extra > 0 and any(
        _wait(spent, at, messages + extra, most * 2 // 3, seconds) > 0 for most, seconds in per_chat
    )
    messages += 0 if bare else extra
    if per_chat:
        spent += [at] * messages
    await _SPEND.rows(db, row["id"], max(left - messages, 0), json.dumps(spent) if spent else "")
    return Verdict(token=row["token"] if windowed else "", bare=bare)


def _wait(spent: Sequence[int], at: int, messages: int, most: int, seconds: float) -> float:
    """Seconds until `messages` more fit into `most` within any `seconds`."""
    within = [moment for moment in spent if moment > at - seconds * 1000]
    over = len(within) + messages - most
    if over <= 0 or not within:
        return 0.0
    return (within[min(over, len(within)) - 1] + seconds * 1000 - at) / 1000 + 0.001


async def give_back(db: BaseDBAsyncClient, channel: str, chat: str, messages: int, *, now: datetime) -> None:
    """The platform did not take them: the window has them again."""
    await _BACK.rows(db, channel, chat, messages, milliseconds(now))


async def close(db: BaseDBAsyncClient, channel: str, chat: str) -> None:
    """The platform says that the window is shut, whatever we counted."""
    await _CLOSE.rows(db, channel, chat)


async def is_open(db: BaseDBAsyncClient, channel: str, chat: str, now: datetime) -> bool:
    """Whether the window has a message left."""
    row = await _LOOK.row(db, channel, chat)
    return row is not None and row["remaining"] > 0 and row["until_ms"] > milliseconds(now)
