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

from bot.app import House as RealHouse
from bot.channels.base import Button, Incoming, Lane, Outgoing, Photo
from bot.channels.telegram import TelegramChannel
from bot.domain.people import Role
from bot.doors import open_doors
from tests.fakes.platforms_telegram import PlatformsTelegram, there
from tests.fakes.telegram import SECRET, FakeTelegram, FarSide, free_socket, push
from tests.house import Who, declare, open_house

#: The far sides that exist here.
FAR_SIDES: dict[str, Callable[[], FarSide]] = {"own": FakeTelegram}
#: Who lives in a house that Telegram talks to, by their accounts there; and a group of theirs.
WANG, LI, GROUP = 111, 222, -100
NEIGHBOURS = (
    Who(str(WANG), "王芳", Role.RESIDENT, ("3", "2", "501"), channel="telegram"),
    Who(str(LI), "老李", Role.STAFF, trades=("水电",), channel="telegram"),
)
if there():
    FAR_SIDES["platforms"] = PlatformsTelegram


@dataclass
class House:
    """What the house heard; `obey` may hang or raise before that."""

    channel: TelegramChannel
    url: str = ""
    heard: list[Incoming] = field(default_factory=list)
    obey: Callable[[Incoming], Awaitable[object]] | None = None

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
async def polling(
    far: FarSide, uploads: Path, obey: Any = None, keep_aside: Any = None
) -> AsyncIterator[House]:
    house = House(channel_to(far, uploads), obey=obey)
    house.channel.keep_aside = keep_aside
    listening = asyncio.create_task(house.channel.listen(house.handle))
    try:
        yield house
    finally:
        await _end(listening)
        await house.channel.close()


@dataclass
class Lived:
    """The real house with its Telegram door open, and what each chat was told."""

    house: RealHouse
    far: FarSide
    url: str

    async def told(self, *updates: dict[str, Any]) -> None:
        """Telegram brings updates, one after the other, and has each acknowledged."""
        for update in updates:
            if self.url:
                assert await push(self.url, SECRET, update) == [200]
            else:
                self.far.queue(update)
        await until(lambda: self.url or not self.far.waiting())

    def heard(self, chat: int) -> list[str]:
        """The texts that arrived in a chat, oldest first; a picture without words is \"\"."""
        calls = [*self.far.calls("sendMessage"), *self.far.calls("sendPhoto")]
        return [
            str(call.data.get("text", call.data.get("caption", "")))
            for call in calls
            if call.delivered and str(call.data["chat_id"]) == str(chat)
        ]

    async def hears(self, chat: int, *words: str) -> str:
        """Wait until a chat is told one message with all these words; that message."""

        def found() -> list[str]:
            return [text for text in self.heard(chat) if all(word in text for word in words)]

        try:
            await until(found)
        except TimeoutError:
            raise AssertionError(f"{chat} was not told {words}, but: {self.heard(chat)}") from None
        return found()[-1]

    @property
    def channel(self) -> TelegramChannel:
        channel = self.house.channels["telegram"]
        assert isinstance(channel, TelegramChannel)
        return channel


@asynccontextmanager
async def lived_in(far: FarSide, url: str, *who: Who, webhook: bool = True) -> AsyncIterator[Lived]:
    """The house as `linli run` puts it together, with these people; its clock stands still."""
    held = free_socket()
    address = f"http://127.0.0.1:{held.getsockname()[1]}/telegram" if webhook else ""
    settings: dict[str, Any] = {"telegram_webhook_url": address, "telegram_webhook_secret": SECRET}
    house = await open_house(
        url,
        channels=(),
        telegram_token=far.token,
        telegram_api_base=f"{far.base}/bot",
        telegram_file_base=f"{far.base}/file/bot",
        **(settings if webhook else {}),
    )
    await declare(house, *who)
    open_doors(house, demo_people=False)
    runner = web.AppRunner(house.application(), access_log=None, shutdown_timeout=0.01)
    await runner.setup()
    house.listen()
    await web.SockSite(runner, held).start()
    try:
        await until(lambda: not webhook or (far.webhook() and far.calls("getMe")))
        yield Lived(house, far, address)
    finally:
        await house.close()
        await runner.cleanup()


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
