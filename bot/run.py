"""`linli run`: the house with its doors open, until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from bot import demo, outbox
from bot.app import House
from bot.channels.web import Line, WebChannel
from bot.config import Settings, secret
from bot.domain import people
from bot.messages import Button, Photo


def doors(house: House, *, demo_people: bool) -> None:
    """Add the channels that are configured; the web chat always."""
    settings = house.settings
    first = next(iter(house.communities.values()))

    async def history(chat: str, limit: int) -> list[Line]:
        return [line(chat, row) for row in await house.spoken("web", chat, limit)]

    house.add(
        WebChannel(
            secret=secret(settings),
            uploads=house.uploads,
            people=demo.persons() if demo_people else [],
            groups=[demo.GROUP] if demo_people else [],
            history=history,
            now=house.clock.now,
            title=first.name,
            zone=first.zone,
        )
    )
    if settings.telegram_token:
        from bot.channels.telegram import TelegramChannel  # noqa: PLC0415 - 400 ms that most don't need

        telegram = TelegramChannel(
            settings.telegram_token,
            webhook_url=settings.telegram_webhook_url,
            webhook_secret=settings.telegram_webhook_secret,
            api_base=settings.telegram_api_base,
            file_base=settings.telegram_file_base,
            uploads=house.uploads,
        )

        async def migrated(old: str, new: str) -> None:
            await house.store.run(lambda db: people.rewrite_chat(db, "telegram", old, new))

        telegram.on_migrate = migrated
        house.add(telegram)


def line(chat: str, row: dict[str, Any]) -> Line:
    """A row of inbox or outbox as the page shows it."""
    at = datetime.fromtimestamp((row["at_ms"] if row["mine"] else row["made_ms"]) / 1000, UTC)
    photos: tuple[Photo, ...] = outbox.read_photos(row["photos"])
    if row["mine"]:
        return Line(
            id=f"in-{row['message']}",
            chat=chat,
            mine=True,
            sender=row["sender"],
            sender_name=row["sender_name"],
            text=row["text"],
            at=at,
            photos=photos,
        )
    buttons: tuple[Button, ...] = outbox.read_buttons(row["buttons"])
    return Line(
        id=f"out-{row['id']}",
        chat=chat,
        mine=False,
        sender="",
        sender_name="邻里",
        text=row["text"],
        at=at,
        buttons=buttons,
        photos=photos,
    )


async def serve(settings: Settings, *, demo_people: bool, say: Callable[[str], None]) -> None:
    """Open the house and serve until SIGTERM or SIGINT. `say` is told the address when it is ready."""
    house = House(settings)
    await house.open()
    runner: web.AppRunner | None = None
    try:
        if demo_people:
            community = house.community("xingfuli") or next(iter(house.communities.values()))
            await house.store.run(lambda db: demo.load(db, community))
        doors(house, demo_people=demo_people)
        runner = web.AppRunner(house.application(), access_log=None, shutdown_timeout=3)
        await runner.setup()
        house.listen()
        site = web.TCPSite(runner, settings.host, settings.port)
        await site.start()
        port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        say(f"http://{host}:{port}/")
        await _told_to_stop()
    finally:
        if runner is not None:
            for site_ in list(runner.sites):
                with contextlib.suppress(RuntimeError):
                    await site_.stop()
        await house.close()
        if runner is not None:
            await runner.cleanup()


async def _told_to_stop() -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await stop.wait()
