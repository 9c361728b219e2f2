"""A Telegram channel at work between a pretended Telegram and a house that only listens."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from bot.channels.base import Button, Incoming, Lane, Outgoing, Photo
from bot.channels.telegram import TelegramChannel
from tests.fakes.platforms_telegram import PlatformsTelegram, there
from tests.fakes.telegram import SECRET, FakeTelegram, FarSide, free_socket, push

#: The far sides that exist here.
FAR_SIDES: dict[str, Callable[[], FarSide]] = {"own": FakeTelegram}
if there():
    FAR_SIDES["platforms"] = PlatformsTelegram


@dataclass
class House:
    """What the house heard; `obey` may hang or raise before that."""

    channel: TelegramChannel
    url: str = ""
    heard: list[Incoming] = field(default_factory=list)
    obey: Callable[[Incoming], Awaitable[None]] | None = None

    async def handle(self, incoming: Incoming) -> None:
        if self.obey is not None:
            await self.obey(incoming)
        self.heard.append(incoming)

    @property
    def texts(self) -> list[str]:
        return [one.text for one in self.heard]

    async def told(self, update: object, *, secret: str = SECRET, tries: int = 1) -> list[int]:
        return await push(self.url, secret, update, tries)


def channel_to(far: FarSide, uploads: Path, **more: Any) -> TelegramChannel:
    api, files = f"{far.base}/bot", f"{far.base}/file/bot"
    return TelegramChannel(far.token, uploads=uploads, api_base=api, file_base=files, **more)


@asynccontextmanager
async def serving(far: FarSide, uploads: Path) -> AsyncIterator[House]:
    """By webhook, our username already known where Telegram is there to tell it."""
    held = free_socket()
    url = f"http://127.0.0.1:{held.getsockname()[1]}/telegram"
    house = House(channel_to(far, uploads, webhook_url=url, webhook_secret=SECRET), url)
    app = web.Application()
    app.add_routes(house.channel.routes())
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.01)
    await runner.setup()
    listening = asyncio.create_task(house.channel.listen(house.handle))
    await web.SockSite(runner, held).start()
    try:
        yield house
    finally:
        await _end(listening)
        await runner.cleanup()
        await house.channel.close()


@asynccontextmanager
async def polling(far: FarSide, uploads: Path, obey: Any = None) -> AsyncIterator[House]:
    house = House(channel_to(far, uploads), obey=obey)
    listening = asyncio.create_task(house.channel.listen(house.handle))
    try:
        yield house
    finally:
        await _end(listening)
        await house.channel.close()


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def until(true: Callable[[], object], seconds: float = 5.0) -> None:
    """Wait for something to become true, or fail."""
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.01)


def said(update_id: int, text: str, chat: int = 5, **more: Any) -> dict[str, Any]:
    """An update: somebody wrote something."""
    kind = {"type": "private", "first_name": "芳"} if chat > 0 else {"type": "supergroup", "title": "业主群"}
    sender = {"id": abs(chat), "is_bot": False, "first_name": "芳"}
    message = {"message_id": update_id, "from": sender, "chat": {"id": chat, **kind}, "date": 1741350900}
    return {"update_id": update_id, "message": message | ({"text": text} if text else {}) | more}


def owed(
    text: str,
    chat: int | str = 5,
    *,
    lane: Lane = Lane.REPLY,
    buttons: tuple[Button, ...] = (),
    photos: tuple[Photo, ...] = (),
) -> Outgoing:
    return Outgoing(1, "telegram", str(chat), text, lane, buttons, photos)
