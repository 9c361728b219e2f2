"""Who is watching which chats just now; one who cannot keep up is let go, comes back and reads again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection, Mapping

from aiohttp import web

from bot.channels.web_door import SECURITY_HEADERS, Refused

HEARTBEAT_SECONDS = 15.0
STUCK_SECONDS = 30.0  # a write that takes longer has nobody at its other end
BACKLOG = 200  # events kept for one listener
LISTENERS = 1000


class Listener:
    """One open page: the chats it watches, and what it has not been sent yet."""

    def __init__(self, chats: Collection[str]) -> None:
        self.chats = frozenset(chats)
        self.events: asyncio.Queue[bytes | None] = asyncio.Queue()

    def let_go(self) -> None:
        while not self.events.empty():
            self.events.get_nowait()
        self.events.put_nowait(None)


class Live:
    """Server-sent events. Publishing never waits and never fails."""

    def __init__(self) -> None:
        self._listeners: set[Listener] = set()

    def __len__(self) -> int:
        return len(self._listeners)

    def watched(self, chat: str) -> bool:
        return any(chat in one.chats for one in self._listeners)

    def publish(self, chat: str, line: Mapping[str, object]) -> None:
        event = f"id: {line['id']}\ndata: {json.dumps(line)}\n\n".encode()
        for listener in [one for one in self._listeners if chat in one.chats]:
            if listener.events.qsize() >= BACKLOG:
                self._drop(listener)
            else:
                listener.events.put_nowait(event)

    def close(self) -> None:
        """Let everybody go; open requests end by themselves."""
        for listener in list(self._listeners):
            self._drop(listener)

    async def stream(self, request: web.Request, chats: Collection[str]) -> web.StreamResponse:
        """Tell the page what happens in the chats until either side leaves."""
        if len(self._listeners) >= LISTENERS:
            raise Refused(503, "crowded", "看的人太多了，请稍后再来。")
        response = web.StreamResponse(headers=SECURITY_HEADERS | {"X-Accel-Buffering": "no"})
        response.content_type, response.charset = "text/event-stream", "utf-8"
        listener = Listener(chats)
        self._listeners.add(listener)
        try:
            await response.prepare(request)
            await self._tell(response, listener)
        except (ConnectionError, TimeoutError):
            pass  # the page has gone
        finally:
            self._drop(listener)
        return response

    async def _tell(self, response: web.StreamResponse, listener: Listener) -> None:
        event: bytes | None = b": hello\n\n"
        while event is not None:
            async with asyncio.timeout(STUCK_SECONDS):
                await response.write(event)
            try:
                async with asyncio.timeout(HEARTBEAT_SECONDS):
                    event = await listener.events.get()
            except TimeoutError:
                event = b": still here\n\n"

    def _drop(self, listener: Listener) -> None:
        self._listeners.discard(listener)
        listener.let_go()
