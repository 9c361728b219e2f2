"""The worker that carries what we owe: claims, sends, tries again, and writes down how each message ended."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from tortoise.backends.base.client import BaseDBAsyncClient

from bot import budget, outbox
from bot.channels.base import Channel, PermanentFailure, RetryLater, UnknownOutcome
from bot.clock import Clock
from bot.domain import people
from bot.domain.communities import Community
from bot.inbox import milliseconds
from bot.messages import Lane, Outgoing
from bot.outbox import State
from bot.passage import Parcel, Passage
from bot.store import Statement, Store, StoreClosed

log = logging.getLogger(__name__)

TRIES = 5
BACKOFF = (1.0, 2.0, 4.0, 8.0, 16.0)  # seconds after the 1st, 2nd … failed try, with jitter
PAUSE = 10.0  # seconds that a platform which is away is left alone at most: back within 15 of its return
LEASE = timedelta(minutes=3)  # longer than the slowest send; a crash holds its claims for so long at most
SEND_WITHIN = (
    120.0  # seconds; less than the lease, or the same message would be claimed while it is under way
)
#: Sends under way before a lane has to wait: the last places are kept for what is more urgent.
ROOM = ((Lane.NOTICE, 48), (Lane.REPLY, 56), (Lane.DANGER, 64))
ROOM_A_CHANNEL = 40  # a platform that hangs does not take the places of the others
GATHER = 0.01  # seconds between looks, so that messages of many turns share one claim and its write to disk
LOOK_AGAIN = 5.0  # seconds: clock jumps and other processes' messages are noticed within this

_RELEASE = Statement(
    "update outbox set due_ms = $1 where state = 0 and attempts > 0 and due_ms > $1 returning id"
)


@dataclass(frozen=True, slots=True)
class Ended:
    """How one try ended. `again` is when to try next (seconds from now), None when this was the last."""

    parcel: Parcel
    state: State = State.SENT
    reason: str = ""
    again: float | None = None
    counts: bool = True
    unreachable: bool = False
    closed: bool = False
    receipt: str = ""


def backoff(tries: int) -> float:
    """Seconds to wait after the `tries`-th failed try."""
    return BACKOFF[min(tries, len(BACKOFF)) - 1] * random.uniform(0.8, 1.2)  # noqa: S311 - jitter


class Delivery:
    """One per process. Messages of one chat go one after another, chats and channels side by side."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        channels: Mapping[str, Channel],
        communities: Mapping[int, Community],
        lease: timedelta = LEASE,
    ) -> None:
        self._store, self._clock, self._channels, self._lease = store, clock, channels, lease
        self._passage = Passage(channels, communities, lease)
        self._wake = asyncio.Event()
        self._under_way: dict[asyncio.Task[None], str] = {}
        self._ended: list[Ended] = []
        self._pauses: dict[str, tuple[datetime, int]] = {}
        self._round_at_a_time = asyncio.Lock()
        self._stopping = False
        self.counts = dict.fromkeys(State, 0)

    def wake(self) -> None:
        """Something is owed."""
        self._wake.set()

    async def release(self) -> None:
        """After a crash of the only process: its claims are nobody's, so they are due again at once."""
        now = milliseconds(self._clock.now())
        await self._store.run(lambda db: _RELEASE.rows(db, now))

    async def run(self) -> None:
        """Carry messages until `finish`."""
        while not self._stopping:
            self._wake.clear()
            try:
                if await self._round():
                    await asyncio.sleep(GATHER)
                    continue
                pause = await self._pause()
            except StoreClosed:
                return
            except Exception:
                log.exception("delivery: the database did not answer")
                await asyncio.sleep(1)
                continue
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), pause)
                await asyncio.sleep(GATHER)

    async def finish(self, seconds: float) -> None:
        """Claim nothing more, wait so long for what is under way, and write down how it ended.

        What is still under way then falls due again with the lease: it may arrive twice, never not at all.
        """
        self._stopping = True
        self._wake.set()
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=seconds)
        for task in self._under_way:
            task.cancel()
        with contextlib.suppress(StoreClosed):
            await self._round()

    async def settle(self) -> None:
        """Carry everything that is due now and wait for it: for stories and tests."""
        while await self._round() or self._under_way:
            if self._under_way:
                await asyncio.wait(self._under_way)

    async def _pause(self) -> float:
        """Seconds until there may be something to do, if nobody wakes us before."""
        if self._stopping or self._room() is None:
            return LOOK_AGAIN  # who ends, wakes
        now = self._clock.now()
        shut = self._paused() | self._full()
        due = await self._store.run(lambda db: outbox.next_due(db, shut))
        waits = [LOOK_AGAIN, *((until - now).total_seconds() for until, _ in self._pauses.values())]
        if due is not None:
            waits.append((due - milliseconds(now)) / 1000)
        return max(min(waits), 0.005)

    def _room(self) -> tuple[Lane, int] | None:
        """The least urgent lane that may send now, and how many; None when all places are taken."""
        taken = len(self._under_way)
        return next(((lane, most - taken) for lane, most in ROOM if taken < most), None)

    def _paused(self) -> set[str]:
        """The channels whose platform wants to be left alone, and those that others send for now."""
        now = self._clock.now()
        elsewhere = {name for name, channel in self._channels.items() if not channel.limits.here}
        return elsewhere | {name for name, (until, _) in self._pauses.items() if until > now}

    def _full(self) -> set[str]:
        """The channels that have all hands full."""
        return {name for name, n in Counter(self._under_way.values()).items() if n >= ROOM_A_CHANNEL}

    async def _claim(self, db: BaseDBAsyncClient, now: datetime) -> list[Parcel] | None:
        """What may go now; None when nothing was due."""
        room = None if self._stopping else self._room()
        if room is None:
            return None
        claimed: list[tuple[Outgoing, int]] = []
        lane, limit = room
        paused, full = self._paused(), self._full()
        if full:  # danger does not wait for a free hand
            claimed = await outbox.claim(
                db, now=now, lease=self._lease, limit=limit, lane=Lane.DANGER, but=paused
            )
        claimed += await outbox.claim(
            db, now=now, lease=self._lease, limit=limit - len(claimed), lane=lane, but=paused | full
        )
        parcels: list[Parcel] = []
        for message, tries in claimed:
            parcel = await self._passage.admit(db, message, tries, now)
            if parcel is not None:
                parcels.append(parcel)
        return parcels if claimed else None

    async def _round(self) -> bool:
        """Write down what ended, claim what is due, start sending it; whether there was anything."""
        async with self._round_at_a_time:
            ended = list(self._ended)
            if not ended and (self._stopping or self._room() is None):
                return False

            async def work(db: BaseDBAsyncClient) -> list[Parcel] | None:
                now = self._clock.now()
                for one in ended:
                    await self._write(db, one, now)
                return await self._claim(db, now)

            parcels = await self._store.run(work)
            del self._ended[: len(ended)]
        for one in ended:
            if one.again is None:
                self.counts[one.state] += len(one.parcel.rows)
        for parcel in parcels or ():
            task = asyncio.create_task(self._carry(parcel))
            self._under_way[task] = parcel.message.channel
            task.add_done_callback(self._done)
        return bool(ended) or parcels is not None

    def _done(self, task: asyncio.Task[None]) -> None:
        del self._under_way[task]
        self._wake.set()

    async def _write(self, db: BaseDBAsyncClient, one: Ended, now: datetime) -> None:
        message = one.parcel.message
        if one.again is not None:
            at = now + timedelta(seconds=one.again)
            for row in one.parcel.rows:
                await outbox.later(db, row.id, at, one.reason, counts=one.counts)
            if one.parcel.taken:
                await budget.give_back(db, message.channel, message.chat, one.parcel.taken, now=now)
            return
        if one.unreachable:
            await people.unreachable(db, message.channel, message.chat)
        if one.closed:
            await budget.close(db, message.channel, message.chat)
        for row in one.parcel.rows:
            if one.unreachable or one.closed:
                state = State.KEPT if one.closed else State.FAILED
                await self._passage.divert(db, row, state, one.reason, now)
            else:
                await outbox.end(db, row.id, one.state, now=now, reason=one.reason, receipt=one.receipt)

    async def _carry(self, parcel: Parcel) -> None:
        ended = await self._try(parcel)
        if ended.state is State.SENT and ended.again is None:
            self._pauses.pop(parcel.message.channel, None)
        self._ended.append(ended)

    async def _try(self, parcel: Parcel) -> Ended:
        message = parcel.message
        channel = self._channels.get(message.channel)
        if channel is None:
            reason = f"channel {message.channel} is not configured"
            return Ended(parcel, State.FAILED, reason, unreachable=True)
        limit = asyncio.timeout(SEND_WITHIN)
        try:
            async with limit:
                receipt = await channel.send(message)
        except RetryLater as later:
            return self._later(parcel, later)
        except PermanentFailure as failure:
            return Ended(
                parcel,
                State.FAILED,
                failure.reason,
                unreachable=failure.unreachable,
                closed=failure.closed,
            )
        except UnknownOutcome as unknown:
            return Ended(parcel, State.UNKNOWN, unknown.reason)
        except Exception as exc:
            if limit.expired():
                return Ended(parcel, State.UNKNOWN, f"no answer within {SEND_WITHIN:.0f} seconds")
            log.exception("channel %s broke on message %s", message.channel, message.id)
            return self._later(parcel, RetryLater(type(exc).__name__))
        return Ended(parcel, receipt=receipt)

    def _later(self, parcel: Parcel, later: RetryLater) -> Ended:
        """A platform's own pace does not count as a try; what failed for no stated time does."""
        if later.whole_channel:
            wait = self._pause_channel(parcel.message.channel, later.after)
            return Ended(parcel, reason=later.reason, again=wait, counts=False)
        if later.after is not None:
            return Ended(parcel, reason=later.reason, again=max(later.after, 0.05), counts=False)
        if parcel.tries >= TRIES:
            return Ended(parcel, State.FAILED, f"gave up after {parcel.tries} tries: {later.reason}")
        return Ended(parcel, reason=later.reason, again=backoff(parcel.tries))

    def _pause_channel(self, name: str, after: float | None) -> float:
        """Leave a channel alone for so long, longer each time nothing went through; seconds from now.

        Sends that were under way together and fail together count as one time.
        """
        now = self._clock.now()
        until, times = self._pauses.get(name, (now, 0))
        if until <= now:
            times += 1
            until = now + timedelta(seconds=min(backoff(times), PAUSE) if after is None else after)
        elif after is not None:
            until = max(until, now + timedelta(seconds=after))
        self._pauses[name] = (until, times)
        return (until - now).total_seconds()
