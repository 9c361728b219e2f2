"""`linli run`: the house with its doors open, until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
from collections.abc import Callable

from aiohttp import web

from bot import demo
from bot.app import House
from bot.config import Settings
from bot.doors import open_doors
from nlp import segment


async def serve(settings: Settings, *, demo_people: bool, say: Callable[[str], None]) -> None:
    """Open the house and serve until SIGTERM or SIGINT. `say` is told the address when it is ready."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    segment.warm(settings.data_dir)
    house = House(settings)
    await house.open(serving=True)
    runner: web.AppRunner | None = None
    try:
        if demo_people:
            community = house.community("xingfuli") or next(iter(house.communities.values()))
            await house.store.run(lambda db: demo.load(db, community))
        open_doors(house, demo_people=demo_people)
        runner = web.AppRunner(house.application(), access_log=None, shutdown_timeout=3)
        await runner.setup()
        house.listen()
        site = web.TCPSite(runner, settings.host, settings.port)
        await site.start()
        port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        # What was made so far stays until the end: looking through it again and again is what made some
        # turns slow. `linli run` does without collecting until here.
        gc.freeze()
        gc.enable()
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
