"""A whole house with its doors on HTTP, between a pretended WeChat and its users."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from aiohttp import web
from tortoise.backends.base.client import BaseDBAsyncClient

from bot import app
from bot.app import House
from bot.clock import SystemClock
from bot.config import Settings
from bot.domain import people, roster
from bot.domain.people import Role
from bot.doors import open_doors
from tests.fakes.telegram import free_socket
from tests.fakes.wechat_side import WeChatFarSide
from tests.house import _MINDS, rows


@dataclass
class Served:
    """`url` is without a slash at the end."""

    house: House
    url: str

    async def rows(self, sql: str, *values: object) -> list[dict[str, Any]]:
        return await rows(self.house, sql, *values)

    async def person(
        self,
        channel: str,
        address: str,
        name: str = "王芳",
        role: Role = Role.RESIDENT,
        *more: tuple[str, str],
    ) -> int:
        """Somebody with an account there, and on others used longer ago."""
        community = self.house.community("xingfuli")
        assert community is not None

        async def work(db: BaseDBAsyncClient) -> int:
            person = await people.meet(db, community.id, channel, address, name, 2)
            await people.grant(db, person, role)
            if role in roster.ROLES:
                await roster.stand(db, person)
            if role is Role.RESIDENT:
                await people.settle(db, person, await people.home(db, community.id, "3", "2", "501"))
            for other, there in more:
                await people.add_account(db, person, other, there, 1)
            return person.id

        return await self.house.store.run(work)


async def until(true: Callable[[], object], seconds: float = 5.0) -> None:
    """Wait for something to become true, or fail."""
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.01)


def settings_for(far: WeChatFarSide, url: str, parts: tuple[str, ...], **more: Any) -> Settings:
    """As the environment would give them."""
    given = far.credentials.environment(far.base, parts)
    names = {name.removeprefix("LINLI_").lower(): value for name, value in given.items()}
    return Settings(**{"_env_file": None, "database_url": url} | names | more)


@asynccontextmanager
async def serving(
    far: WeChatFarSide, url: str, *parts: str, community: Path | None = None, **more: Any
) -> AsyncIterator[Served]:
    """The house at work, its doors of `parts` open, the clock the machine's."""
    given = (
        settings_for(far, url, parts, **more)
        if community is None
        else settings_for(far, url, parts, community_dir=community, **more)
    )
    house = House(given, SystemClock())
    with patch.object(app, "Understanding", _MINDS):
        await house.open(serving=True, migrate=house.store.sqlite)
    open_doors(house, demo_people=False)
    held = free_socket()
    runner = web.AppRunner(house.application(), access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    house.listen()
    await web.SockSite(runner, held).start()
    try:
        yield Served(house, f"http://127.0.0.1:{held.getsockname()[1]}")
    finally:
        await house.close()
        await runner.cleanup()
