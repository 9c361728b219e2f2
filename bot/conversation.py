"""Where a conversation stands: one small row a chat and speaker, read and written with every turn."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tortoise import fields as columns
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.models import Model

from bot.inbox import milliseconds
from bot.store import Statement

Key = tuple[str, str, str]


class ConversationRow(Model):
    """Channel, chat and sender, and the state as JSON."""

    id = columns.BigIntField(primary_key=True)
    channel = columns.CharField(max_length=32)
    chat = columns.CharField(max_length=128)
    sender = columns.CharField(max_length=128)
    state = columns.TextField()
    at_ms = columns.BigIntField()

    class Meta:
        table = "conversation"
        unique_together = (("channel", "chat", "sender"),)


@dataclass(slots=True)
class State:
    """What is open between us and one person in one chat. Unknown keys of a row are dropped when read."""

    #: The open form: {"intent", "slots", "asking", "asked", "brief", "text"}; None when nothing is open.
    form: dict[str, Any] | None = None
    #: Forms that wait for the open one: several requests came in one message.
    waiting: list[dict[str, Any]] = field(default_factory=list)
    #: What a digit picks: [label, the words it stands for].
    offers: list[list[str]] = field(default_factory=list)
    #: The numbers of what we last spoke about here, newest first.
    recent: list[int] = field(default_factory=list)
    #: When that was (milliseconds).
    recent_ms: int = 0
    #: Photos that came before their words: [path, media type, name].
    photos: list[list[str]] = field(default_factory=list)
    photos_ms: int = 0
    #: The parts of an album that is not whole yet: [message, album, the channel's note] (bot/albums.py).
    parts: list[list[str]] = field(default_factory=list)
    #: The last messages that can be changed, and what came of each (bot/dialog/edits.py).
    heard: list[list[Any]] = field(default_factory=list)
    #: What is being booked and waits for a digit (bot/dialog/booking.py).
    draft: dict[str, Any] | None = None
    #: What was read in a copy of a group's talk and waits for a yes: {"at_ms", "found": […]}.
    pasted: dict[str, Any] | None = None
    #: A roster that waits for a yes: [from, until (milliseconds), person].
    roster: list[list[int]] = field(default_factory=list)
    #: What was not understood, since something last was.
    missed: list[str] = field(default_factory=list)
    #: The person (id) who talks with this one instead of us.
    human: int | None = None
    #: The conversation that this person, as staff, has taken over.
    talking_to: list[str] | None = None

    @classmethod
    def read(cls, text: str) -> State:
        return cls(**{name: value for name, value in json.loads(text).items() if name in cls.__slots__})

    def write(self) -> str:
        said = {name: value for name in self.__slots__ if (value := getattr(self, name))}
        return json.dumps(said, ensure_ascii=False)


# The no-op update locks the row on PostgreSQL: several processes take one conversation one message at a time.
_OPEN = Statement(
    "insert into conversation (channel, chat, sender, state, at_ms) values ($1, $2, $3, '{}', $4)"
    " on conflict (channel, chat, sender) do update set at_ms = excluded.at_ms returning state"
)
_KEEP = Statement(
    "update conversation set state = $4 where channel = $1 and chat = $2 and sender = $3 returning id"
)


async def open_state(db: BaseDBAsyncClient, key: Key, now: datetime) -> tuple[State, str]:
    """The state of a conversation, held until the transaction ends, and the same as it was written."""
    row = await _OPEN.row(db, *key, milliseconds(now))
    assert row is not None
    return State.read(row["state"]), row["state"]


async def keep_state(db: BaseDBAsyncClient, key: Key, state: State, before: str) -> None:
    """Write the state back if it changed."""
    text = state.write()
    if text != before:
        await _KEEP.rows(db, *key, text)
