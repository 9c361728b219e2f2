"""The life of a message: remembered, understood, done and answered together, or not at all."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from weakref import WeakValueDictionary

from tortoise.backends.base.client import BaseDBAsyncClient

from bot import bookmarks, budget, conversation, inbox, outbox
from bot.clock import Clock
from bot.dialog import edits
from bot.dialog.dialogue import PHOTO_FOR, Dialogue
from bot.dialog.turn import Turn
from bot.domain import duty, invites, orders, people
from bot.domain.communities import Community
from bot.domain.people import Person
from bot.messages import Incoming, Outgoing
from bot.store import Store, StoreClosed
from bot.unit_of_work import Refusal
from nlp.understanding import Understanding

log = logging.getLogger(__name__)


def clean(message: Incoming) -> Incoming:
    """Without what no database can keep: NUL (PostgreSQL) and halves of characters (neither)."""
    text, name = (
        part.replace("\0", "").encode("utf-8", "replace").decode("utf-8")
        for part in (message.text, message.sender_name)
    )
    return replace(message, text=text, sender_name=name)


class Pipeline:
    """Takes messages from every channel, one at a time in a conversation, side by side between them."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        communities: Mapping[int, Community],
        minds: Mapping[int, Understanding],
        dialogue: Dialogue,
        delivered: Callable[[], None],
        keeps_history: frozenset[str] = frozenset({"web"}),
    ) -> None:
        self._store, self._clock, self._dialogue = store, clock, dialogue
        self._communities, self._minds = communities, minds
        self._wake_delivery = delivered
        self._keeps_history = keeps_history
        self._locks: WeakValueDictionary[tuple[str, str, str], asyncio.Lock] = WeakValueDictionary()
        self._turns: set[asyncio.Task[Outgoing | None]] = set()
        self.counts = {"turns": 0, "refusals": 0, "troubles": 0}

    async def handle(self, message: Incoming) -> Outgoing | None:
        """Returns when the message is kept and answered, or found to be a repeat.

        What it returns is the answer to put into the acknowledgement, where the message `answers_back`; of a
        repeat too. Raises only when nothing was kept. A caller that is cancelled does not stop the turn.
        """
        task = asyncio.create_task(self._handle(message))
        self._turns.add(task)
        task.add_done_callback(self._turns.discard)
        return await asyncio.shield(task)

    async def finish(self, seconds: float) -> None:
        """Wait for the turns under way, so many seconds at most."""
        if self._turns:
            await asyncio.wait(self._turns, timeout=seconds)

    async def _handle(self, message: Incoming) -> Outgoing | None:
        message = clean(message)
        lock = self._locks.setdefault(message.conversation, asyncio.Lock())
        async with lock:
            try:
                answer = await self._turn_or_refusal(message)
            except StoreClosed:
                raise
            except Exception:
                self.counts["troubles"] += 1
                log.exception("turn broke: %s %s", message.channel, message.id)
                answer = await self._only_say(message, Refusal("dialog.trouble"))
        self.counts["turns"] += 1
        self._wake_delivery()
        return answer

    async def _turn_or_refusal(self, message: Incoming) -> Outgoing | None:
        try:
            return await self._store.run(partial(self._turn, message))
        except Refusal as refusal:
            self.counts["refusals"] += 1
            return await self._only_say(message, refusal)

    async def _first_time(self, message: Incoming, db: BaseDBAsyncClient) -> int | None:
        """Remember the message, how far its channel has read with it, and what it lets us send."""
        now = self._clock.now()
        if message.bookmark is not None:
            await bookmarks.keep(db, *message.bookmark)
        row = await inbox.first_time(db, message, now)
        if row is not None and message.grant is not None:
            await budget.grant(db, message.channel, message.chat, message.grant, now)
            await outbox.again(db, message.channel, message.chat, now=now)
        return row

    @staticmethod
    async def _answer_again(message: Incoming, db: BaseDBAsyncClient) -> Outgoing | None:
        return await outbox.answer_to(db, message.channel, message.id) if message.answers_back else None

    async def _turn(self, message: Incoming, db: BaseDBAsyncClient) -> Outgoing | None:
        row = await self._first_time(message, db)
        if row is None:
            return await self._answer_again(message, db)
        turn, before = await self._open(message, db)
        heard = await self._dialogue.hear(turn, self._minds[turn.community.id])
        if not heard and message.channel not in self._keeps_history:
            await inbox.forget_words(db, row)
        if turn.traditional != turn.person.traditional and turn.person.id:
            await people.read_script(db, turn.person.id, turn.traditional)
        return await self._close(turn, before)

    async def _only_say(self, message: Incoming, refusal: Refusal) -> Outgoing | None:
        """Begin afresh: the message stays remembered, the answer goes out, the deed does not exist."""

        async def say(db: BaseDBAsyncClient) -> Outgoing | None:
            if await self._first_time(message, db) is None:
                return await self._answer_again(message, db)
            turn, before = await self._open(message, db)
            turn.say(refusal.key, **refusal.values)
            await edits.remember(turn, edits.known(turn), fresh=False)
            if message.order is not None:
                await orders.pass_on(turn, turn.person, message)
            return await self._close(turn, before)

        return await self._store.run(say)

    async def _open(self, message: Incoming, db: BaseDBAsyncClient) -> tuple[Turn, str]:
        now = self._clock.now()
        # The conversation first: it is locked, so that who speaks is read after an earlier message's commit.
        state, before = await conversation.open_state(db, message.conversation, now)
        if message.parts:
            state.parts = [part for part in state.parts if part[0] not in message.parts]
        person = await self._who(message, db)
        if state.photos and inbox.milliseconds(now) - state.photos_ms > PHOTO_FOR:
            state.photos = []
        turn = Turn(
            db,
            now,
            self._communities[person.community_id],
            people.route,
            people.crew,
            duty.rest,
            person=person,
            incoming=message,
            state=state,
            traditional=person.traditional and len(message.text) < 8,  # a short word shows no script
        )
        return turn, before

    @staticmethod
    async def _close(turn: Turn, before: str) -> Outgoing | None:
        await turn.post()
        await conversation.keep_state(turn.db, turn.incoming.conversation, turn.state, before)
        return turn.acknowledged

    async def _who(self, message: Incoming, db: BaseDBAsyncClient) -> Person:
        """The person of the account; a stranger belongs where the invite code is from, else to the first."""
        now_ms = inbox.milliseconds(self._clock.now())
        reachable = message.order is None
        person = await people.identify(db, message.channel, message.sender, now_ms, reachable=reachable)
        if person is None and message.known_as is not None:
            person = await people.identify(db, *message.known_as, now_ms)
            if person is not None:
                await people.add_account(
                    db, person, message.channel, message.sender, now_ms, reachable=reachable
                )
        if person is not None and person.bound:
            return person
        code = invites.looks_like_code(message.text)
        invited_to = await invites.community_of(db, code) if code is not None else None
        if person is not None:
            if invited_to in (None, person.community_id):
                return person
            return await people.move(db, person, invited_to)
        named = orders.community_of(message.order, self._communities) if message.order else None
        community_id = invited_to or named or next(iter(self._communities))
        person = await people.meet(
            db,
            community_id,
            message.channel,
            message.sender,
            message.sender_name,
            now_ms,
            reachable=reachable,
        )
        if message.order and message.order.phone:
            await people.note_phone(db, person.id, message.order.phone)
        return person
