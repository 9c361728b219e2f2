"""The worker that carries what we owe: claims, sends, tries again, and writes down how each message ended."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from tortoise.backends.base.client import BaseDBAsyncClient

from bot import outbox
from bot.channels.base import Channel, PermanentFailure, RetryLater, UnknownOutcome
from bot.clock import Clock
from bot.domain import people
from bot.inbox import milliseconds
from bot.messages import Outgoing
from bot.outbox import State
from bot.store import Statement, Store, StoreClosed

log = logging.getLogger(__name__)

TRIES = 5
BACKOFF = (1.0, 2.0, 4.0, 8.0, 16.0)  # seconds after the 1st, 2nd … failed try, with jitter
LEASE = timedelta(minutes=3)  # longer than the slowest send; a crash holds its claims for so long at most
AT_ONCE = 64  # sends under way
LOOK_AGAIN = 5.0  # seconds: clock jumps and other processes' messages are noticed within this

_RELEASE = Statement(
    "update outbox set due_ms = $1 where state = 0 and attempts > 0 and due_ms > $1 returning id"
)


@dataclass(frozen=True, slots=True)
class Ended:
    """How one try ended. `again` is when to try next (seconds from now), None when this was the last."""

    message: Outgoing
    state: State = State.SENT
    reason: str = ""
    again: float | None = None
    counts: bool = True
    unreachable: bool = False


def backoff(tries: int) -> float:
    """Seconds to wait after the `tries`-th failed try."""
    return BACKOFF[min(tries, len(BACKOFF)) - 1] * random.uniform(0.8, 1.2)  # noqa: S311 - jitter


class Delivery:
    """One per process. Messages of one chat go one after another, chats and channels side by side."""

    def __init__(
        self, store: Store, clock: Clock, channels: Mapping[str, Channel], lease: timedelta = LEASE
    ) -> None:
        self._store, self._clock, self._channels, self._lease = store, clock, channels, lease
        self._wake = asyncio.Event()
        self._under_way: set[asyncio.Task[None]] = set()
        self._ended: list[Ended] = []
        self.counts = dict.fromkeys(State, 0)

    def wake(self) -> None:
        """Something is owed."""
        self._wake.set()

    async def release(self) -> None:
        """After a crash of the only process: its claims are nobody's, so they are due again at once."""
        now = milliseconds(self._clock.now())
        await self._store.run(lambda db: _RELEASE.rows(db, now))

    async def run(self) -> None:
        """Carry messages until cancelled; what is under way then is finished or falls due again."""
        while True:
            self._wake.clear()
            try:
                busy = await self._round()
            except StoreClosed:
                return
            except Exception:
                log.exception("delivery: the database did not answer")
                busy = False
                await asyncio.sleep(1)
            if busy:
                await asyncio.sleep(0)
                continue
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), await self._pause())

    async def settle(self) -> None:
        """Carry everything that is due now and wait for it: for stories, tests and a clean stop."""
        while await self._round() or self._under_way:
            if self._under_way:
                await asyncio.wait(self._under_way)

    async def _pause(self) -> float:
        due = await self._store.run(outbox.next_due)
        if due is None:
            return LOOK_AGAIN
        return min(max((due - milliseconds(self._clock.now())) / 1000, 0.005), LOOK_AGAIN)

    async def _round(self) -> bool:
        """Write down what ended, claim what is due, start sending it; whether there was anything."""
        ended, self._ended = self._ended, []
        room = AT_ONCE - len(self._under_way)

        async def work(db: BaseDBAsyncClient) -> list[tuple[Outgoing, int]]:
            for one in ended:
                await self._write(db, one)
            if room <= 0:
                return []
            return await outbox.claim(db, now=self._clock.now(), lease=self._lease, limit=room)

        try:
            claimed = await self._store.run(work)
        except BaseException:
            self._ended = ended + self._ended
            raise
        for message, tries in claimed:
            task = asyncio.create_task(self._carry(message, tries))
            self._under_way.add(task)
            task.add_done_callback(self._done)
        return bool(claimed or ended)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        self._wake.set()

    async def _write(self, db: BaseDBAsyncClient, one: Ended) -> None:
        now = self._clock.now()
        if one.again is not None:
            at = now + timedelta(seconds=one.again)
            await outbox.later(db, one.message.id, at, one.reason, counts=one.counts)
            return
        self.counts[one.state] += 1
        await outbox.end(db, one.message.id, one.state, now=now, reason=one.reason)
        if one.unreachable:
            await people.unreachable(db, one.message.channel, one.message.chat)

    async def _carry(self, message: Outgoing, tries: int) -> None:
        self._ended.append(await self._try(message, tries))

    async def _try(self, message: Outgoing, tries: int) -> Ended:
        channel = self._channels.get(message.channel)
        if channel is None:
            return Ended(message, State.FAILED, f"channel {message.channel} is not configured")
        try:
            await channel.send(message)
        except RetryLater as later:
            counts = later.after is None and not later.whole_channel
            if counts and tries >= TRIES:
                return Ended(message, State.FAILED, f"gave up after {tries} tries: {later.reason}")
            wait = BACKOFF[min(tries, len(BACKOFF)) - 1] * random.uniform(0.8, 1.2)  # noqa: S311 - jitter
            return Ended(
                message,
                reason=later.reason,
                again=max(wait if counts else 0.0, later.after or 1.0),
                counts=counts,
            )
        except PermanentFailure as failure:
            return Ended(message, State.FAILED, failure.reason, unreachable=failure.unreachable)
        except UnknownOutcome as unknown:
            return Ended(message, State.UNKNOWN, unknown.reason)
        except Exception as exc:
            log.exception("channel %s broke on message %s", message.channel, message.id)
            if tries >= TRIES:
                return Ended(message, State.FAILED, f"{type(exc).__name__}")
            return Ended(message, reason=type(exc).__name__, again=backoff(tries))
        return Ended(message)
