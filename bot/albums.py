"""Albums: what a platform brings in parts is kept part by part, until the channel makes one message of it."""

from __future__ import annotations

from datetime import datetime

from tortoise.backends.base.client import BaseDBAsyncClient

from bot import conversation, inbox
from bot.clock import Clock
from bot.conversation import State
from bot.messages import Incoming, Part
from bot.store import Statement, Store

# Read whole, once a start: a column of its own would be empty in all rows but a few, for a second.
_WAITING = Statement(
    "select chat, sender from conversation where channel = $1 and state like '%\"parts\": [%'"
)
_OF = Statement("select state from conversation where channel = $1 and chat = $2 and sender = $3")


async def keep(db: BaseDBAsyncClient, part: Part, now: datetime) -> bool:
    """Remember a part until its whole has had its turn; False when we had it, however long ago.

    What it shows and says stays in its note: nothing is understood before the whole is there.
    """
    came = Incoming(part.channel, part.id, part.chat, part.sender, "")
    if await inbox.first_time(db, came, now) is None:
        return False
    state, before = await conversation.open_state(db, part.conversation, now)
    state.parts.append([part.id, part.album, part.content])
    await conversation.keep_state(db, part.conversation, state, before)
    return True


async def of(db: BaseDBAsyncClient, key: conversation.Key) -> list[Part]:
    """The parts in a conversation that no message was made of yet, in the order they came."""
    channel, chat, sender = key
    row = await _OF.row(db, channel, chat, sender)
    parts = State.read(row["state"]).parts if row else []
    return [Part(channel, message, chat, sender, album, content) for message, album, content in parts]


async def waiting(db: BaseDBAsyncClient, channel: str) -> list[Part]:
    """Those of all conversations of a channel."""
    rows = await _WAITING.rows(db, channel)
    return [part for row in rows for part in await of(db, (channel, row["chat"], row["sender"]))]


class KeptParts:
    """What a channel is given: its parts in the database, each kept in a transaction of its own."""

    def __init__(self, store: Store, clock: Clock, channel: str) -> None:
        self._store, self._clock, self._channel = store, clock, channel

    async def keep(self, part: Part) -> bool:
        return await self._store.run(lambda db: keep(db, part, self._clock.now()))

    async def of(self, key: conversation.Key) -> list[Part]:
        return await self._store.run(lambda db: of(db, key))

    async def waiting(self) -> list[Part]:
        return await self._store.run(lambda db: waiting(db, self._channel))
