"""How fast and in what order: a platform's pace, one thing at a time in a chat, and waits that grow."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from secrets import SystemRandom

log = logging.getLogger(__name__)
_random = SystemRandom()


class Spaced:
    """One each `every` seconds, and up to `burst` at once after a pause."""

    def __init__(self, every: float, burst: int = 1) -> None:
        self._every, self._slack, self._due = every, every * (burst - 1), 0.0

    def wait(self, now: float) -> float:
        return max(0.0, self._due - self._slack - now)

    def book(self, at: float) -> None:
        self._due = max(self._due, at) + self._every

    def idle(self, now: float) -> bool:
        return self._due <= now


class Counted:
    """At most `most` within any `seconds`."""

    def __init__(self, most: int, seconds: float) -> None:
        self._seconds, self._booked = seconds, deque[float](maxlen=most)

    def wait(self, now: float) -> float:
        full = len(self._booked) == self._booked.maxlen
        return max(0.0, self._booked[0] + self._seconds - now) if full else 0.0

    def book(self, at: float) -> None:
        self._booked.append(at)

    def idle(self, now: float) -> bool:
        return not self._booked or self._booked[-1] + self._seconds <= now


class Both:
    """Two limits on the same thing: it waits for the slower."""

    def __init__(self, one: Spaced, other: Counted) -> None:
        self._limits = (one, other)

    def wait(self, now: float) -> float:
        return max(limit.wait(now) for limit in self._limits)

    def book(self, at: float) -> None:
        for limit in self._limits:
            limit.book(at)

    def idle(self, now: float) -> bool:
        return all(limit.idle(now) for limit in self._limits)


class Pace:
    """So many a second over all, and each chat at its own pace; a chat at rest is forgotten."""

    #: As many chats are remembered before those at rest are dropped.
    REMEMBERED = 2000

    def __init__(self, per_second: float, chat_every: float, chat_burst: int, group_minute: int) -> None:
        self._all = Spaced(1 / per_second)
        self._chat_every, self._chat_burst, self._group_minute = chat_every, chat_burst, group_minute
        self._chats: dict[int, Spaced | Both] = {}

    async def turn(self, chat: int, *, group: bool, patience: float) -> float:
        """Wait for this chat's turn: 0.0. Or, where that takes longer than `patience`, its length at once.

        Seconds of the machine's clock, because the platform counts by its own. The common pace is booked only
        when the chat's turn has come: a chat that waits takes nothing from the others.
        """
        now = asyncio.get_running_loop().time()
        slots = self._slots(chat, group=group, now=now)
        wait = slots.wait(now)
        if wait > patience:
            return wait
        slots.book(now + wait)
        await asyncio.sleep(wait)
        now = asyncio.get_running_loop().time()
        wait = self._all.wait(now)
        self._all.book(now + wait)
        await asyncio.sleep(wait)
        return 0.0

    def _slots(self, chat: int, *, group: bool, now: float) -> Spaced | Both:
        if chat not in self._chats:
            if len(self._chats) >= self.REMEMBERED:
                self._chats = {key: slots for key, slots in self._chats.items() if not slots.idle(now)}
            spaced = Spaced(self._chat_every, self._chat_burst)
            # A second more than the minute: the platform counts from when it received.
            self._chats[chat] = Both(spaced, Counted(self._group_minute, 61.0)) if group else spaced
        return self._chats[chat]


class Turns:
    """One thing at a time within a chat, first come first served; chats side by side."""

    def __init__(self) -> None:
        self._chats: dict[str, tuple[asyncio.Lock, int]] = {}

    @asynccontextmanager
    async def of(self, chat: str) -> AsyncIterator[None]:
        lock, waiting = self._chats.get(chat, (asyncio.Lock(), 0))
        self._chats[chat] = (lock, waiting + 1)
        try:
            async with lock:
                yield
        finally:
            lock, waiting = self._chats.pop(chat)
            if waiting > 1:
                self._chats[chat] = (lock, waiting - 1)


async def insist(what: str, call: Callable[[], Awaitable[object]]) -> None:
    """Until it works: the house opens its doors whether the platform is there or not."""
    patience = Patience()
    while True:
        try:
            await call()
        except (
            Exception
        ) as problem:  # by its kind: a library's own words may hold an address, and a token in it
            log.warning("%s: %s", what, type(problem).__name__)
        else:
            return
        await patience.wait()


class Patience:
    """Waits that double from FIRST to MOST seconds, each up to a quarter shorter by chance."""

    FIRST, MOST = 1.0, 10.0

    def __init__(self) -> None:
        self._next = self.FIRST
        self.waited = 0

    def again(self) -> None:
        """It went well: the next wait is short."""
        self._next = self.FIRST

    async def wait(self) -> None:
        seconds, self._next = self._next, min(self._next * 2, self.MOST)
        self.waited += 1
        await asyncio.sleep(seconds * _random.uniform(0.75, 1.0))
