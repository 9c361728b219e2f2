"""`kill -9` at any moment, to the real service: what was acknowledged is there, once, and it goes on."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, closing
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.serving import Service, serving

pytestmark = pytest.mark.sqlite

KILLS = 12
REPORTERS = ("wangfang", "linainai")


@dataclass
class Platform:
    """Sends each message until it is acknowledged, in order, with the same id: as platforms do."""

    session: aiohttp.ClientSession
    address: str | None = None
    acknowledged: list[tuple[str, str]] = field(default_factory=list)
    repeated: int = 0
    over: bool = False

    async def say(self, account: str, id_: str, text: str) -> None:
        for attempt in range(10_000):
            if self.address is not None:
                url = f"{self.address}api/chat/{account}/messages"
                said = {"id": id_, "as": account, "text": text}
                self.repeated += attempt > 0
                try:
                    async with self.session.post(url, json=said) as answer:
                        if answer.status == 200:
                            self.acknowledged.append((f"{account}:{id_}", text))
                            return
                        assert answer.status == 503, await answer.text()
                except (aiohttp.ClientError, TimeoutError):
                    pass
            await asyncio.sleep(0.01)
        raise AssertionError(f"{id_} was never taken")

    async def report(self, account: str) -> None:
        for number, flat in enumerate(flats(REPORTERS.index(account)), 1):
            if self.over:
                return
            await self.say(account, f"report-{number:04}", f"{flat}厨房水管漏水了")


def flats(part: int) -> Iterator[str]:
    """Every flat of a half of the community: no two reports are of the same matter."""
    for unit, floor, door, building in product(range(1, 4), range(1, 19), range(1, 5), range(1, 7)):
        yield f"{building + 6 * part}栋{unit}单元{floor}0{door}"


@asynccontextmanager
async def life(folder: Path, platform: Platform) -> AsyncIterator[Service]:
    """The service from start to end, whatever the end is."""
    with ExitStack() as stack:
        service = await asyncio.to_thread(stack.enter_context, serving(folder, "--demo"))
        platform.address = service.address
        try:
            yield service
        finally:
            platform.address = None


def read(folder: Path, sql: str) -> list[Any]:
    with closing(sqlite3.connect(folder / "data" / "linli.db")) as db:
        return [row[0] if len(row) == 1 else row for row in db.execute(sql)]


async def carried(folder: Path) -> None:
    """Until nothing is owed any more."""
    async with asyncio.timeout(20):
        while read(folder, "select count(*) from outbox where state = 0") != [0]:
            await asyncio.sleep(0.05)


async def test_killed_again_and_again_it_loses_nothing_and_doubles_nothing(tmp_path: Path) -> None:
    chance = random.Random(9)
    timeout = aiohttp.ClientTimeout(total=5)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        platform = Platform(session)
        reporters = [asyncio.create_task(platform.report(account)) for account in REPORTERS]
        for _ in range(KILLS):
            async with life(tmp_path, platform) as service:
                await asyncio.sleep(chance.uniform(0.02, 0.5))
                service.process.kill()
        async with life(tmp_path, platform) as service:  # told to stop in the middle of it
            await asyncio.sleep(0.3)
            assert await asyncio.to_thread(service.stop) == 0
        async with life(tmp_path, platform) as service:
            await asyncio.sleep(0.3)
            platform.over = True
            await asyncio.gather(*reporters)
            await carried(tmp_path)
            await self_check(platform, tmp_path)
            # a form that is open when the power goes is open when it comes back
            await platform.say("linainai", "form-begin", "我要报修")
            service.process.kill()
        async with life(tmp_path, platform) as service:
            before = read(tmp_path, "select max(ref) from ticket")[0]
            await platform.say("linainai", "form-answer", "卫生间地漏堵了")
            await carried(tmp_path)
            (last,) = read(tmp_path, "select words from ticket order by ref desc limit 1")
            assert "地漏" in last
            assert read(tmp_path, "select max(ref) from ticket") == [before + 1]
            assert await asyncio.to_thread(service.stop) == 0
    assert platform.repeated > KILLS  # there was something to repeat


async def self_check(platform: Platform, folder: Path) -> None:
    """Each acknowledged report has one row, one ticket and one answer; the numbers have no gap."""
    said = platform.acknowledged
    assert len(said) > KILLS
    assert sorted(read(folder, "select message from inbox")) == sorted(id_ for id_, _ in said)
    assert sorted(read(folder, "select words from ticket")) == sorted(text for _, text in said)
    refs = read(folder, "select ref from ticket order by ref")
    assert refs == list(range(1, len(said) + 1))
    assert read(folder, "select last_ref from community") == [len(said)]
    assert sorted(read(folder, "select subject_id from audit where verb = 'file'")) == sorted(
        read(folder, "select id from ticket")
    )
    answers = read(folder, "select text from outbox where text like '已报修 #%'")
    assert sorted(int(text.split("#")[1].split("：")[0]) for text in answers) == refs
    asked = read(folder, "select text from outbox where chat = 'laoli'")
    assert len(asked) == len(set(asked)) == len(refs)
    assert read(folder, "select count(*) from outbox where state <> 1") == [0]
