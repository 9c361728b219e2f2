"""Turns that take longer than the platform waits: it asks every so often how the answer goes on.

WeCom docs 100719 and 101031: a first `stream` that is not finished makes the platform ask for its id again
and again, for six minutes at most. The id is that of the message, so that a house that was started anew finds
what became of it.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass, field

from bot.channels.base import Desk, Handle, Incoming, Outgoing

log = logging.getLogger(__name__)

ASKS = 1.0  # seconds that one question waits for the turn
NOBODY_ASKS = 15.0  # seconds after its end, and the answer goes by itself
ELSEWHERE = 10.0  # seconds that a turn may be under way in another process of ours


class Slow(Exception):
    """The turn goes on; it may be asked for."""


class Unkept(Exception):
    """There is no such message: it has to be said again."""


@dataclass(slots=True)
class _Running:
    task: asyncio.Task[Outgoing | None]
    chat: str
    #: Somebody was told to ask, and has asked since it ended.
    slow: bool = False
    asked: asyncio.Event = field(default_factory=asyncio.Event)


class Streams:
    """The turns of one bot that are under way."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._running: dict[str, _Running] = {}
        self._seen_off: set[asyncio.Task[None]] = set()
        #: When somebody first asked for what nobody here knows of.
        self._unknown: dict[str, float] = {}

    async def begin(self, handle: Handle, incoming: Incoming, within: float) -> Outgoing | None:
        """Have it handled; the answer. Raises Slow when that takes longer, and what `handle` raises."""
        running = self._running.get(incoming.id)
        if running is None:
            task = asyncio.create_task(_handled(handle, incoming))
            running = self._running[incoming.id] = _Running(task, incoming.chat)
            seeing = asyncio.create_task(self._see_off(incoming.id, running))
            self._seen_off.add(seeing)
            seeing.add_done_callback(self._seen_off.discard)
        done, _ = await asyncio.wait({running.task}, timeout=within)
        if not done:
            running.slow = True
            raise Slow
        running.asked.set()
        return running.task.result()

    async def ask(self, number: str, chat: str) -> Outgoing | None:
        """The answer to this message; None when there is none, or it goes by itself.

        Raises Slow while the turn goes on, Unkept when nobody in this chat said such a thing.
        """
        running = self._running.get(number)
        if running is not None and running.chat == chat:
            done, _ = await asyncio.wait({running.task}, timeout=ASKS)
            if not done:
                raise Slow
            running.asked.set()
        kept, answer = await self._desk.remembered(number)
        if not kept and not self._desk.alone and self._perhaps_elsewhere(number):
            raise Slow
        if not kept or (answer is not None and answer.chat != chat):
            raise Unkept
        return answer

    def _perhaps_elsewhere(self, number: str) -> bool:
        now = asyncio.get_running_loop().time()
        self._unknown = {known: at for known, at in self._unknown.items() if now - at < 600}
        return now - self._unknown.setdefault(number, now) < ELSEWHERE

    async def _see_off(self, number: str, running: _Running) -> None:
        """Once the turn is over, somebody fetches its answer; or delivery carries it."""
        try:
            await asyncio.wait({running.task})
            answer = _answer(running.task)
            if answer is None or not running.slow:
                return
            with suppress(TimeoutError):
                async with asyncio.timeout(NOBODY_ASKS):
                    await running.asked.wait()
                    return
            await self._desk.carry_answer(answer.id, "")
        except Exception:
            log.exception("the answer to %s was not kept for delivery", number)
        finally:
            del self._running[number]

    async def close(self) -> None:
        """What was promised and not fetched yet is delivery's, from the next start on."""
        for running in list(self._running.values()):
            answer = _answer(running.task)
            if answer is not None and running.slow and not running.asked.is_set():
                with suppress(Exception):
                    await self._desk.carry_answer(answer.id, "")
        tasks = [*self._seen_off, *(running.task for running in self._running.values())]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _answer(task: asyncio.Task[Outgoing | None]) -> Outgoing | None:
    """What a turn that is over has to say."""
    return None if not task.done() or task.cancelled() or task.exception() else task.result()


async def _handled(handle: Handle, incoming: Incoming) -> Outgoing | None:
    return await handle(incoming)
