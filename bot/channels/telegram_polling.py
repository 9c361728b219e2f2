"""Long polling: updates are handled side by side, and confirmed in order, each after it was kept."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from telegram import error

from bot.channels.base import Counters
from bot.channels.pace import Patience
from bot.channels.telegram_reading import KINDS
from bot.channels.telegram_wire import Wire, seconds

log = logging.getLogger(__name__)

LONG_POLL = 10  # seconds; short enough to notice within 15 that a line went dead
LOOK_AGAIN = 0.3  # seconds between looks while an update is still being handled
PAGE = 100  # updates that Telegram shows at once: behind them we see nothing
GIVE_UP = 12  # tries, which take a minute and a half

#: Takes one update, again until it is kept.
Take = Callable[[dict[str, Any], Patience], Coroutine[Any, Any, None]]
#: Keeps an update as it came, for people to look at: its number, and its JSON. Raises when it could not.
Aside = Callable[[int, str], Awaitable[None]]


@dataclass(slots=True)
class _Try:
    """An update under way; how often it had been put off when it was also kept aside, if ever."""

    update: dict[str, Any]
    task: asyncio.Task[None]
    patience: Patience
    aside: int | None = None


class Poller:
    """One bot's updates, by their numbers from the first that is not confirmed."""

    def __init__(
        self,
        wire: Wire,
        counters: Counters,
        take: Take,
        drop_webhook: Callable[[], Awaitable[None]],
        keep_aside: Aside | None,
    ) -> None:
        self._wire, self._counters, self._take, self._drop_webhook = wire, counters, take, drop_webhook
        self._keep_aside = keep_aside
        self._offset = 0
        self._window: dict[int, _Try] = {}

    async def run(self) -> None:
        """Until cancelled; what is under way then comes again after the next start."""
        patience = Patience()
        try:
            while True:
                self._pass()
                try:
                    batch = await self._wire.updates(self._offset, 0 if self._window else LONG_POLL, KINDS)
                except Exception as problem:
                    log.warning("getUpdates: %s", named(problem))
                    await self._after_refusal(problem, patience)
                    continue
                patience.again()
                if not batch and not self._window:
                    self._offset = 0  # all is confirmed; after a quiet week Telegram counts from anywhere
                if not self._start(batch) and len(batch) >= PAGE:
                    await self._look_at_the_first()
                if self._window:
                    await asyncio.wait([one.task for one in self._window.values()], timeout=LOOK_AGAIN)
                elif batch:
                    await patience.wait()  # only what has no id: nothing to confirm, nothing to spin on
        finally:
            tasks = [one.task for one in self._window.values()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _after_refusal(self, problem: Exception, patience: Patience) -> None:
        if isinstance(problem, error.RetryAfter):
            await asyncio.sleep(seconds(problem))
            return
        await patience.wait()
        if isinstance(problem, error.Conflict):  # a webhook of former days, or a second poller
            await self._drop_webhook()

    def _start(self, batch: list[Any]) -> int:
        """Begin with what is new; how much that is."""
        new = 0
        for update in batch:
            number = update_id(update)
            if number is None:
                self._counters.refuse("no update_id")
            elif number not in self._window and number >= self._offset:
                patience = Patience()
                task = asyncio.create_task(self._take(update, patience))
                self._window[number] = _Try(update, task, patience)
                new += 1
        return new

    async def _look_at_the_first(self) -> None:
        """A whole page stands behind an update that can't be handled: it goes, once it is kept as it came.

        That it can be kept aside shows that the database is there; if it fails again after that, the fault is
        its own. While nothing can be kept, all wait.
        """
        number = min(self._window)
        first = self._window[number]
        if self._keep_aside is None or first.task.done() or first.patience.waited < GIVE_UP:
            return
        if first.aside is not None:
            if first.patience.waited > first.aside + 1:
                first.task.cancel()
            return
        try:
            await self._keep_aside(number, json.dumps(first.update))
            first.aside = first.patience.waited
        except Exception:
            log.exception("update %s holds up all others, and could not be kept aside", number)

    def _pass(self) -> None:
        """Move the offset after every update that is handled, as are all before it."""
        for number in sorted(self._window):
            task = self._window[number].task
            if not task.done():
                break
            del self._window[number]
            if task.cancelled():
                self._counters.refuse("given up")
                log.error("update %s could not be handled and held up all others: kept aside", number)
            elif task.exception() is not None:  # a bug of ours: Telegram shows it again
                log.error("update %s broke", number, exc_info=task.exception())
                break
            self._offset = number + 1


def update_id(update: Any) -> int | None:
    number = update.get("update_id") if isinstance(update, dict) else None
    return number if isinstance(number, int) and not isinstance(number, bool) else None


def named(problem: Exception) -> str:
    """A failure by its kind; the library's own words may hold an address, and with it the token."""
    return type(problem).__name__
