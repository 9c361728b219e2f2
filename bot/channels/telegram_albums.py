"""Albums on Telegram: each picture is an update of its own, and people mean one message.

The next part of a chat comes only when the one before is acknowledged (the Bot API's server sends the updates
of a chat one by one), so no part can wait for the others: it is kept in the database, acknowledged, and the
whole has its turn when it has been quiet for a moment, after a crash as well.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any, Protocol

from bot.channels.pace import Patience, Turns
from bot.channels.telegram_reading import Heard
from bot.messages import Part

log = logging.getLogger(__name__)

QUIET = 1.0  # seconds after a part in which another one may come

Conversation = tuple[str, str, str]
#: Gives the house an album, its updates in the order they were written; raises when nothing was kept.
Whole = Callable[[list[dict[str, Any]]], Awaitable[None]]


class Parts(Protocol):
    """Where parts are kept until they are a whole."""

    async def keep(self, part: Part) -> bool:
        """Remember a part; False when we had it. Raises when it could not be kept."""
        ...

    async def of(self, key: Conversation) -> list[Part]:
        """The parts of a conversation that no message was made of yet."""
        ...

    async def waiting(self) -> list[Part]:
        """Those of all conversations."""
        ...


class Albums:
    """The unfinished albums of each conversation, oldest first. Who calls `keep` or `settle` has its turn.

    What they are made of is in the database, where another process may have added to it; here are the waits.
    """

    def __init__(self, turns: Turns, whole: Whole) -> None:
        self._turns, self._whole = turns, whole
        self._waits: dict[Conversation, dict[str, asyncio.Task[None]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.kept: Parts | None = None

    async def load(self) -> None:
        """What a former life of the house kept and did not come round to."""
        for part in await self.kept.waiting() if self.kept is not None else ():
            self._wait(part)

    async def keep(self, heard: Heard, update: dict[str, Any]) -> None:
        """A part of an album; what was said before it had its turn already."""
        assert self.kept is not None
        said = heard.incoming
        part = Part(said.channel, said.id, said.chat, said.sender, heard.album, json.dumps(update))
        if await self.kept.keep(part):
            self._wait(part)

    async def settle(self, conversation: Conversation, but: str = "") -> None:
        """The albums of a conversation are over (`but` one): something else was said."""
        for album in [album for album in self._waits.get(conversation, ()) if album != but]:
            await self._finish(conversation, album)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _wait(self, part: Part) -> None:
        """Begin to wait for the next part, or anew."""
        waits = self._waits.setdefault(part.conversation, {})
        if part.album in waits:
            waits[part.album].cancel()
        task = asyncio.create_task(self._when_quiet(part.conversation, part.album))
        waits[part.album] = task
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _when_quiet(self, conversation: Conversation, album: str) -> None:
        await asyncio.sleep(QUIET)
        patience = Patience()
        while True:
            try:
                async with self._turns.of(conversation[1]):
                    return await self._finish(conversation, album)
            except Exception:  # it stays in the database, and we here
                log.exception("album %s had no turn; once more", album)
            await patience.wait()

    async def _finish(self, conversation: Conversation, album: str) -> None:
        assert self.kept is not None
        parts = [part for part in await self.kept.of(conversation) if part.album == album]
        if parts:
            await self._whole(_in_order(parts))
        waits = self._waits.get(conversation, {})
        task = waits.pop(album, None)
        if not waits:
            self._waits.pop(conversation, None)
        if task is not None and task is not asyncio.current_task():
            task.cancel()


def _in_order(parts: Sequence[Part]) -> list[dict[str, Any]]:
    updates: list[dict[str, Any]] = [json.loads(part.content) for part in parts]
    return sorted(updates, key=lambda update: int(update["message"]["message_id"]))


def one(parts: Sequence[Heard]) -> Heard:
    """The whole of an album: the words of whichever part has any, every picture once.

    Its id is made of its first part's, so that it is the same after a crash, and another for what comes late.
    """
    first = parts[0].incoming
    said = list(dict.fromkeys(part.incoming.text for part in parts if part.incoming.text))
    worded = next((part.incoming for part in parts if part.incoming.text), first)
    whole = replace(
        first,
        mark=worded.mark,
        id=f"album:{first.id}",
        text="\n".join(said),
        addressed=any(part.incoming.addressed for part in parts),
        parts=tuple(part.incoming.id for part in parts),
    )
    pictures = dict.fromkeys(picture for part in parts for picture in part.pictures)
    return Heard(whole, tuple(pictures))
