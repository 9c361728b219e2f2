"""Whole turns without HTTP, beside hand-written statements that write the same rows."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from aiohttp import web

from bot.app import House
from bot.channels.base import Handle, Incoming, Limits, Outgoing
from bot.config import Settings
from tests import postgres
from tests.bench import seed

SECONDS = 2.0
CHATS = (1, 50)


class Sink:
    """A channel that takes everything at once."""

    name = "web"
    limits = Limits()

    def routes(self) -> Sequence[web.RouteDef]:
        return ()

    async def listen(self, handle: Handle) -> None:
        await asyncio.Event().wait()

    async def send(self, message: Outgoing) -> str:
        return ""

    async def close(self) -> None:
        return

    async def probe(self) -> str:
        return ""


@dataclass(frozen=True)
class Found:
    """Turns a second at 1 chat and at 50."""

    store: str
    rates: tuple[float, ...]


async def turns(url: str, store: str) -> Found:
    """The house in this process, delivery and clock included."""
    house = House(Settings(database_url=url))
    await house.open(migrate=True, serving=True)
    try:
        await seed.settle(house, "web")
        house.add(Sink())
        house.listen()
        numbers = count()
        rates = [await _pressed(house, chats, numbers) for chats in CHATS]
    finally:
        await house.close()
    return Found(store, tuple(rates))


async def _pressed(house: House, chats: int, numbers: count[int]) -> float:
    began, done = time.perf_counter(), 0

    async def chat() -> None:
        nonlocal done
        while time.perf_counter() - began < SECONDS:
            number = next(numbers)
            who = seed.resident(number)
            await house.handle(Incoming("web", f"row-{number}", who, who, seed.said(number)))
            done += 1

    await asyncio.gather(*(chat() for _ in range(chats)))
    return done / (time.perf_counter() - began)


_WRITES = (
    "insert into inbox (channel, message, chat, sender, sender_name, text, photos, at_ms)"
    " values ('web', :m, :who, :who, '', :said, '', :at)",
    "update community set last_ref = last_ref + 1 where id = 1",
    "insert into ticket (community_id, ref, kind, category, brief, words, building, unit, floor, room, place,"
    " reporter_id, state, urgency, wanted, phone, made_ms, promised_ms, step, due_ms) values (1,"
    " (select last_ref from community where id = 1), 'repair', 'plumbing', '水管漏水', :said, '1', '2', '',"
    " '101', '厨房', :person, '待接单', 'normal', '', '', :at, :at, 0, :at)",
    "insert into subscriber (ticket_id, person_id) values (last_insert_rowid(), :person)",
    "insert into audit (community_id, at_ms, person_id, verb, subject, subject_id, note)"
    " values (1, :at, :person, 'file', 'ticket', 1, '')",
    "insert into outbox (channel, chat, person_id, text, buttons, photos, lane, state, attempts, due_ms,"
    " made_ms, reason) values ('web', :who, :person, :text, '', '', 1, 0, 0, :at, :at, '')",
    "insert into outbox (channel, chat, person_id, text, buttons, photos, lane, state, attempts, due_ms,"
    " made_ms, reason) values ('web', 'staff', 1, :text, '', '', 2, 0, 0, :at, :at, '')",
    "insert into conversation (channel, chat, sender, state, at_ms) values ('web', :who, :who, :state, :at)"
    " on conflict (channel, chat, sender) do update set state = excluded.state, at_ms = excluded.at_ms",
)


def by_hand(folder: Path) -> Found:
    """The rows of a turn and nothing else: no understanding, no rules, no wording, no delivery."""
    db = sqlite3.connect(folder / "linli.db", isolation_level=None)
    db.execute("pragma journal_mode = wal")
    db.execute("pragma synchronous = full")
    text = "已报修 #1：水管漏水，1栋2单元101厨房。20:45 前会有人接单，哪里不对直接说。"
    began, done = time.perf_counter(), 0
    while time.perf_counter() - began < SECONDS:
        values = {
            "m": f"hand-{done}",
            "who": seed.resident(done),
            "said": seed.SAID,
            "at": 1741350900000,
            "person": done % seed.RESIDENTS + 1,
            "text": text,
            "state": '{"recent": [1], "recent_ms": 1741350900000}',
        }
        db.execute("begin immediate")
        for statement in _WRITES:
            db.execute(statement, values)
        db.execute("commit")
        done += 1
    db.close()
    return Found("sqlite by hand", (done / SECONDS,))


def on_postgres() -> Found:
    """The house on a server of this run's own, or on the one of LINLI_TEST_POSTGRES."""
    with postgres.server() as server, server.database() as url:
        return asyncio.run(turns(url, "postgresql"))


def measure(folder: Path) -> list[Found]:
    (folder / "house").mkdir()
    (folder / "hand").mkdir()
    asyncio.run(seed.fill(folder / "hand", "web"))
    return [
        by_hand(folder / "hand"),
        asyncio.run(turns(seed.url(folder / "house"), "sqlite full")),
        on_postgres(),
    ]
