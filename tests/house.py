"""A house for tests: everything real but the clock and the far side of the channel."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from itertools import count
from typing import Any
from unittest.mock import patch
from zoneinfo import ZoneInfo

from aiohttp import web
from tortoise.backends.base.client import BaseDBAsyncClient

from bot import app, outbox
from bot.app import House
from bot.channels.base import Handle, Limits
from bot.clock import TurnedClock
from bot.config import Settings
from bot.domain import people, roster
from bot.domain.people import Role
from bot.messages import Incoming, Lane, Outgoing
from bot.responses import Wording
from bot.store import Statement
from nlp.understanding import Understanding
from nlp.vocabulary import Vocabulary

EVENING = datetime(2025, 3, 7, 20, 15, tzinfo=ZoneInfo("Asia/Shanghai"))


@dataclass(frozen=True, slots=True)
class Who:
    """Somebody to declare; `home` is building, unit, room."""

    account: str
    name: str
    role: Role
    home: tuple[str, str, str] | None = None
    trades: tuple[str, ...] = ()
    channel: str = "web"


PEOPLE = (
    Who("wang", "王芳", Role.RESIDENT, ("3", "2", "501")),
    Who("zhou", "周明", Role.RESIDENT, ("8", "1", "302")),
    Who("li", "老李", Role.STAFF, trades=("水电",)),
    Who("zhang", "小张", Role.STAFF, trades=("水电",)),
    Who("chen", "陈班长", Role.LEAD),
    Who("zhuren", "李主任", Role.COMMITTEE),
)


class Capture:
    """A platform that takes everything down. `obey` is asked first: it may wait, or raise as platforms do."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.limits = Limits()
        self.sent: list[Outgoing] = []
        self.obey: Callable[[Outgoing], Any] | None = None

    def routes(self) -> Sequence[web.RouteDef]:
        return ()

    async def listen(self, handle: Handle) -> None:
        await asyncio.Event().wait()

    async def send(self, message: Outgoing) -> str:
        if self.obey is not None:
            waits = self.obey(message)
            if waits is not None:
                await waits
        self.sent.append(message)
        return str(message.id)

    async def close(self) -> None:
        pass

    async def probe(self) -> str:
        return ""

    def texts(self, chat: str) -> list[str]:
        """What arrived in a chat, in the order of arriving."""
        return [one.text for one in self.sent if one.chat == chat]


@cache
def _wording() -> Wording:
    return Wording.load()


class _Minds:
    """Reading the rules takes 0.3 s; what is read never changes, so that one reading serves every house."""

    def __init__(self) -> None:
        self._known: dict[str, Understanding] = {}

    def load(self, vocabulary: Vocabulary) -> Understanding:
        key = repr((vocabulary.places, sorted(vocabulary.words.items())))
        if key not in self._known:
            self._known[key] = Understanding.load(vocabulary)
        return self._known[key]


_MINDS = _Minds()


async def open_house(
    url: str,
    *,
    clock: TurnedClock | None = None,
    channels: Iterable[Capture] | None = None,
    **settings: str,
) -> House:
    """An open house with captured channels (web where none are given), its rules read once for all."""
    configured = Settings(database_url=url, _env_file=None, **settings)  # type: ignore[call-arg, arg-type]
    house = House(configured, clock or TurnedClock(EVENING))
    with patch.object(app, "Understanding", _MINDS):
        await house.open(serving=True, migrate=house.store.sqlite)
    for channel in channels if channels is not None else [Capture("web")]:
        house.add(channel)
    return house


@asynccontextmanager
async def opened(url: str, *, people: Iterable[Who] = PEOPLE) -> AsyncIterator[House]:
    """A house with its people, closed afterwards."""
    house = await open_house(url)
    try:
        await declare(house, *people)
        yield house
    finally:
        await house.close()


def captured(house: House, name: str = "web") -> Capture:
    channel = house.channels[name]
    assert isinstance(channel, Capture)
    return channel


async def declare(house: House, *everybody: Who) -> dict[str, int]:
    """Enter people into the sample community; their ids by account."""
    community = house.community("xingfuli")
    assert community is not None

    async def work(db: BaseDBAsyncClient) -> dict[str, int]:
        ids = {}
        for one in everybody:
            person = await people.meet(db, community.id, one.channel, one.account, one.name, 0)
            await people.grant(db, person, one.role, trades=one.trades)
            if one.role in roster.ROLES:  # on duty whatever the hour, as in scripts
                await roster.stand(db, person)
            if one.home:
                await people.settle(db, person, await people.home(db, community.id, *one.home))
            ids[one.account] = person.id
        return ids

    return await house.store.run(work)


_NUMBERS = count(1)


def message(account: str, text: str, *, id: str | None = None, chat: str | None = None) -> Incoming:  # noqa: A002
    """What an account writes, in private unless another chat is named."""
    there = chat or account
    return Incoming(
        "web", id or f"m{next(_NUMBERS)}", there, account, text, group=there != account, addressed=True
    )


async def say(house: House, account: str, text: str, *, id: str | None = None) -> list[str]:  # noqa: A002
    """Speak in private, let everything settle; what came back to the speaker."""
    web_chat = captured(house)
    before = len(web_chat.texts(account))
    await house.handle(message(account, text, id=id))
    await house.settle()
    return web_chat.texts(account)[before:]


def turn(house: House, **by: float) -> None:
    """Turn the clock on."""
    assert isinstance(house.clock, TurnedClock)
    house.clock.turn_to(house.clock.now() + timedelta(**by))


async def rows(house: House, sql: str, *values: object) -> list[dict[str, Any]]:
    """What the database holds; $1, $2 … for values."""
    return await house.store.run(lambda db: Statement(sql).rows(db, *values))


async def value(house: House, sql: str, *values: object) -> Any:
    """The one value of a one-row question."""
    (row,) = await rows(house, sql, *values)
    (found,) = row.values()
    return found


async def owe(
    house: House, *texts: str, chat: str = "a", lane: Lane = Lane.REPLY, channel: str = "web"
) -> None:
    """Owe messages to a chat, as a turn does."""

    async def work(db: BaseDBAsyncClient) -> None:
        for text in texts:
            await outbox.put(db, channel, chat, text, now=house.clock.now(), lane=lane)

    await house.store.run(work)


@asynccontextmanager
async def working(house: House) -> AsyncIterator[None]:
    """The worker at work, as in the service."""
    task = asyncio.create_task(house.delivery.run())
    try:
        yield
    finally:
        await house.delivery.finish(1)
        await asyncio.wait_for(task, 5)
