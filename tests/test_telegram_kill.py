"""`kill -9` at any moment, to the real service behind Telegram: nothing lost or doubled, and albums whole."""

from __future__ import annotations

import asyncio
import itertools
import random
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot import office
from bot.config import Settings
from tests.fakes.telegram import JPEG, SECRET, FakeTelegram, free_socket, push
from tests.fakes.telegram_house import said, until
from tests.serving import serving
from tests.test_kill import flats

pytestmark = pytest.mark.sqlite

KILLS, EACH = 3, 8  # lives that end in the middle; reports of each resident
RESIDENTS = (501, 502, 503)


class World:
    """What residents write, in the order of each chat; every second report is an album of three."""

    def __init__(self, codes: dict[int, str]) -> None:
        numbers, homes = itertools.count(1), flats(0)
        self.chats: dict[int, list[dict[str, Any]]] = {}
        self.reports: list[str] = []
        self.albums: set[str] = set()
        for resident, code in codes.items():
            updates = self.chats[resident] = [said(next(numbers), code, resident)]
            for report in range(EACH):
                words = f"{next(homes)}厨房水管漏水了"
                self.reports.append(words)
                if report % 2:
                    self.albums.add(words)
                    updates += self._album(words, resident, numbers)
                else:
                    updates.append(said(next(numbers), words, resident))

    @staticmethod
    def _album(words: str, resident: int, numbers: Iterator[int]) -> Iterator[dict[str, Any]]:
        for part in range(3):
            number = next(numbers)
            photo = [{"file_id": "F", "file_unique_id": f"u{number}", "width": 9, "height": 9}]
            caption = {"caption": words} if part == 0 else {}
            yield said(number, "", resident, photo=photo, media_group_id=words, **caption)

    @property
    def updates(self) -> list[dict[str, Any]]:
        """All of them, the chats mixed, numbered in the order they are brought."""
        mixed = [one for row in itertools.zip_longest(*self.chats.values()) for one in row if one]
        for number, update in enumerate(mixed, 1):
            update["update_id"] = number
        return mixed


async def deliver(url: str, updates: list[dict[str, Any]]) -> None:
    """As the Bot API's server does: one update of a chat after the other, until acknowledged; some twice."""
    for update in updates:
        for _ in range(10_000):
            with suppress(aiohttp.ClientError):
                if await push(url, SECRET, update) == [200]:
                    break
            await asyncio.sleep(0.02)
        if update["update_id"] % 3 == 0:
            with suppress(aiohttp.ClientError):
                await push(url, SECRET, update)
        await asyncio.sleep(0.03)


async def feed(far: FakeTelegram, updates: list[dict[str, Any]], alive: asyncio.Event) -> None:
    """So slowly, and only while somebody listens, that there is something to do in every life."""
    for update in updates:
        await alive.wait()
        far.queue(update)
        await asyncio.sleep(0.03)


def read(folder: Path, sql: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(folder / "data" / "linli.db")) as db:
        return db.execute(sql).fetchall()


@pytest.mark.parametrize("webhook", [True, False], ids=["webhook", "polling"])
async def test_killed_again_and_again_it_loses_no_message_and_no_picture(
    tmp_path: Path, webhook: bool
) -> None:
    chance = random.Random(11)
    far = FakeTelegram()
    await far.start()
    far.file("F", JPEG)
    with free_socket() as held:
        port = held.getsockname()[1]
    url = f"http://127.0.0.1:{port}/telegram"
    settings = {
        "LINLI_PORT": str(port),
        "LINLI_TELEGRAM_TOKEN": far.token,
        "LINLI_TELEGRAM_API_BASE": f"{far.base}/bot",
        "LINLI_TELEGRAM_FILE_BASE": f"{far.base}/file/bot",
    }
    if webhook:
        settings |= {"LINLI_TELEGRAM_WEBHOOK_URL": url, "LINLI_TELEGRAM_WEBHOOK_SECRET": SECRET}
    house = Settings(database_url=f"sqlite://{tmp_path}/data/linli.db", _env_file=None)  # type: ignore[call-arg]
    codes = {
        resident: await office.invite(
            house, slug="xingfuli", role="resident", name=f"住户{n}", home=f"{n}-1-101"
        )
        for n, resident in enumerate(RESIDENTS, 1)
    }
    world = World(codes)
    updates, alive = world.updates, asyncio.Event()
    if webhook:
        bringing = [asyncio.create_task(deliver(url, one)) for one in world.chats.values()]
    else:
        bringing = [asyncio.create_task(feed(far, updates, alive))]
    with ExitStack() as stack:
        for _ in range(KILLS):
            service = await asyncio.to_thread(stack.enter_context, serving(tmp_path, **settings))
            alive.set()
            await asyncio.sleep(chance.uniform(0.05, 0.35))
            assert not all(one.done() for one in bringing)  # it is struck in the middle
            service.process.kill()
            alive.clear()
            await asyncio.to_thread(service.process.wait)
        await asyncio.to_thread(stack.enter_context, serving(tmp_path, **settings))
        alive.set()
        await asyncio.gather(*bringing)
        await until(lambda: not far.waiting(), 10)
        photos = "select count(*) from photo"
        await until(lambda: read(tmp_path, photos) == [(3 * len(world.albums),)], 10)
    await far.stop()
    came = sorted(
        int(row[0]) for row in read(tmp_path, "select message from inbox where message not like 'album:%'")
    )
    assert came == list(range(1, len(updates) + 1))
    tickets = read(
        tmp_path,
        "select t.words, count(p.id) from ticket t left join photo p on p.ticket_id = t.id group by t.id",
    )
    assert sorted(tickets) == sorted((words, 3 if words in world.albums else 0) for words in world.reports)
    answers = read(tmp_path, "select text from outbox where text like '已报修 #%'")
    assert len(answers) == len({row[0] for row in answers}) == len(world.reports)
    kept = [row[0] for row in read(tmp_path, "select path from photo")]
    assert len(set(kept)) == len(kept)
    assert all((tmp_path / "data" / "uploads" / path).is_file() for path in kept)
    wholes = read(tmp_path, "select count(*) from inbox where message like 'album:%'")[0][0]
    assert (
        len(world.albums) <= wholes <= len(world.albums) + KILLS * len(RESIDENTS)
    )  # one a kill comes in two
