"""What the doors promise, counted through the real protocol: nothing doubled or lost, nobody kept waiting.

The service is `linli run` in a process of its own; we are the platform of an Official Account. Small runs of
the same are tests (tests/test_doors.py).
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager, closing, contextmanager
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from statistics import quantiles

import aiohttp

from bot.channels import wechat_xml
from bot.channels.wechat_envelope import Envelope, Secret
from bot.clock import SystemClock
from tests.bench import bare, seed
from tests.serving import Service, serving

SECRET = Secret(bare.OA_TOKEN, bare.AES_KEY)
ENVELOPE = Envelope(lambda: [SECRET], bare.APP_ID, lambda: SystemClock().now().timestamp())
BROKEN = ("厨房水管漏水了", "客厅的灯不亮了", "插座没电了", "马桶堵了")  # all of one trade
STOPS = 10.0  # seconds that a stop may take


def matters() -> Iterator[tuple[str, str]]:
    """(openid, words): no two of the same matter, each from the next of the residents who are known."""
    flats = product(BROKEN, range(1, 4), range(1, 19), range(1, 5), range(1, 13))
    for number, (words, unit, floor, door, building) in enumerate(flats):
        yield seed.resident(number), f"{building}栋{unit}单元{floor}0{door}{words}"


def settings(api: str) -> dict[str, str]:
    return {
        "LINLI_WECHAT_OA_APP_ID": bare.APP_ID,
        "LINLI_WECHAT_OA_APP_SECRET": "pretended secret",
        "LINLI_WECHAT_OA_TOKEN": bare.OA_TOKEN,
        "LINLI_WECHAT_OA_AES_KEY": bare.AES_KEY,
        "LINLI_WECHAT_API_BASE": api,
    }


@dataclass
class Platform:
    """Tells the service what residents write, each message until it is acknowledged, as platforms do."""

    session: aiohttp.ClientSession
    address: str | None = None
    acknowledged: list[str] = field(default_factory=list)
    answers: dict[str, set[str]] = field(default_factory=dict)
    took: list[float] = field(default_factory=list)
    repeats: int = 0

    async def post(self, openid: str, number: str, words: str) -> int:
        """One delivery; the status. The answer that came with it is remembered."""
        fields = {"ToUserName": "gh_pretended", "FromUserName": openid, "CreateTime": 1741350900}
        said = wechat_xml.write(fields | {"MsgType": "text", "Content": words, "MsgId": number})
        sealed = ENVELOPE.seal(said, SECRET)
        query = {"msg_signature": sealed["msgsignature"], "encrypt_type": "aes"}
        query |= {name: sealed[name] for name in ("timestamp", "nonce")}
        body = wechat_xml.write({"ToUserName": "gh_pretended", "Encrypt": sealed["encrypt"]})
        began = time.perf_counter()
        async with self.session.post(f"{self.address}wechat/oa", params=query, data=body.encode()) as answer:
            text = await answer.text()
        self.took.append(time.perf_counter() - began)
        if answer.status == 200 and text != "success":
            outer = wechat_xml.read(text)
            inner = ENVELOPE.open(outer["MsgSignature"], outer["TimeStamp"], outer["Nonce"], outer["Encrypt"])
            self.answers.setdefault(number, set()).add(wechat_xml.read(inner.text)["Content"])
        return answer.status

    async def say(self, openid: str, number: str, words: str) -> None:
        """Until it is acknowledged, whatever dies meanwhile."""
        for attempt in range(20_000):
            if self.address is not None:
                self.repeats += attempt > 0
                try:
                    if await self.post(openid, number, words) == 200:
                        self.acknowledged.append(number)
                        return
                except (aiohttp.ClientError, TimeoutError):
                    pass
            await asyncio.sleep(0.01)
        raise AssertionError(f"{number} was never taken")


@asynccontextmanager
async def platform() -> AsyncIterator[Platform]:
    timeout = aiohttp.ClientTimeout(total=10)
    async with aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(limit=0)) as session:
        yield Platform(session)


@contextmanager
def service(folder: Path, api: str) -> Iterator[Service]:
    database = {"LINLI_DATABASE_URL": seed.url(folder)}
    with serving(folder, **settings(api), **database) as running:
        yield running


def read(folder: Path, sql: str) -> list[object]:
    with closing(sqlite3.connect(folder / "linli.db")) as db:
        return [row[0] for row in db.execute(sql)]


@dataclass(frozen=True)
class Counted:
    """What became of `messages`, of which `repeats` came again."""

    messages: int
    repeats: int
    lost: int
    doubled: int

    @property
    def sound(self) -> bool:
        return not (self.lost or self.doubled)


def count(folder: Path, told: Platform, said: Mapping[str, str]) -> Counted:
    """Each acknowledged message is one row, one ticket, one answer and one alert."""
    lost = doubled = 0
    for wanted, sql in (
        (set(said), "select message from inbox"),
        (set(said.values()), "select words from ticket"),
        (set(said), "select substr(once, 14) from outbox where once like 're:wechat_oa:%'"),
    ):
        found = Counter(read(folder, sql))
        lost += len(wanted - set(found))
        doubled += sum(found.values()) - len(wanted)
    told_to_staff = Counter(read(folder, "select text from outbox where channel = 'web'"))
    lost += max(0, len(said) - len(told_to_staff))
    alerts = Counter(read(folder, "select channel || chat || text from outbox where once is null"))
    doubled += sum(alerts.values()) - len(alerts)
    doubled += sum(len(texts) > 1 for texts in told.answers.values())
    by_service = "select substr(once, 14) from outbox where once like 're:wechat_oa:%' and reason = ''"
    lost += len(set(said) - set(told.answers) - set(read(folder, by_service)))
    return Counted(len(said), told.repeats, lost, doubled)


async def repeated(folder: Path, api: str, messages: int, *, at_once: int = 50) -> Counted:
    """A tenth comes again: half of that at the same time, half of it later."""
    await seed.fill(folder, "wechat_oa", staff="web")
    chance, said = random.Random(4), dict[str, str]()
    with service(folder, api) as running:
        async with platform() as told:
            told.address = running.address
            waiting = iter(enumerate(matters()))

            async def resident() -> None:
                for number, (openid, words) in waiting:
                    if number >= messages:
                        return
                    said[str(number)] = words
                    again = chance.random() < 0.1
                    now = again and chance.random() < 0.5
                    deliveries = [told.say(openid, str(number), words) for _ in range(2 if now else 1)]
                    await asyncio.gather(*deliveries)
                    if again and not now:
                        await told.say(openid, str(number), words)
                    told.repeats += again

            await asyncio.gather(*(resident() for _ in range(at_once)))
            await _carried(folder)
            return count(folder, told, said)


async def _writes(
    told: Platform, waiting: Iterator[tuple[int, tuple[str, str]]], said: dict[str, str], over: asyncio.Event
) -> None:
    """A resident, who reports one matter after another until it is over."""
    for number, (openid, words) in waiting:
        if over.is_set():
            return
        said[str(number)] = words
        await told.say(openid, str(number), words)


async def killed(folder: Path, api: str, kills: int) -> Counted:
    """kill -9 at random moments while residents write; every message is repeated until it is acknowledged."""
    await seed.fill(folder, "wechat_oa", staff="web")
    chance, said, over = random.Random(9), dict[str, str](), asyncio.Event()
    async with platform() as told:
        waiting = iter(enumerate(matters()))

        residents = [asyncio.create_task(_writes(told, waiting, said, over)) for _ in range(4)]
        for _ in range(kills):
            async with _life(folder, api, told) as running:
                await asyncio.sleep(chance.uniform(0.02, 0.5))
                running.process.kill()
        async with _life(folder, api, told) as running:
            await asyncio.sleep(0.3)
            over.set()
            await asyncio.gather(*residents)
            await _carried(folder)
            running.process.kill()
        return count(folder, told, said)


@asynccontextmanager
async def _life(folder: Path, api: str, told: Platform) -> AsyncIterator[Service]:
    with ExitStack() as stack:
        running = await asyncio.to_thread(stack.enter_context, service(folder, api))
        told.address = running.address
        try:
            yield running
        finally:
            told.address = None


async def _carried(folder: Path) -> None:
    async with asyncio.timeout(900):  # one chat of the staff gets them all, one after another
        while read(folder, "select count(*) from outbox where state = 0") != [0]:
            await asyncio.sleep(0.05)


@dataclass(frozen=True)
class Waited:
    """How long acknowledgements took (seconds), and how many were no 200."""

    middle: float
    p99: float
    most: float
    refused: int


async def paced(folder: Path, api: str, *, per_second: float, seconds: float) -> Waited:
    """Messages at a steady pace, whether the earlier ones are answered or not."""
    await seed.fill(folder, "wechat_oa", staff="web")
    with service(folder, api) as running:
        async with platform() as told:
            told.address = running.address
            said = iter(enumerate(matters()))
            for _ in range(20):
                number, (openid, words) = next(said)
                await told.post(openid, str(number), words)
            told.took.clear()
            began, tasks = time.perf_counter(), []
            for tick in range(int(per_second * seconds)):
                await asyncio.sleep(max(0.0, began + tick / per_second - time.perf_counter()))
                number, (openid, words) = next(said)
                tasks.append(asyncio.create_task(told.post(openid, str(number), words)))
            states = await asyncio.gather(*tasks)
    cuts = quantiles(told.took, n=100)
    return Waited(cuts[49], cuts[98], max(told.took), sum(status != 200 for status in states))


@dataclass(frozen=True)
class Stopped:
    """Seconds that SIGTERM took under load, and what the next start found."""

    seconds: float
    status: int
    counted: Counted


async def told_to_stop(folder: Path, api: str) -> Stopped:
    """SIGTERM in the middle of it, then a new start."""
    await seed.fill(folder, "wechat_oa", staff="web")
    said, over = dict[str, str](), asyncio.Event()
    async with platform() as told:
        waiting = iter(enumerate(matters()))

        residents = [asyncio.create_task(_writes(told, waiting, said, over)) for _ in range(8)]
        async with _life(folder, api, told) as running:
            await asyncio.sleep(1)
            began = time.perf_counter()
            running.process.send_signal(signal.SIGTERM)
            status = await asyncio.to_thread(running.process.wait, STOPS)
            seconds = time.perf_counter() - began
        async with _life(folder, api, told):
            over.set()
            await asyncio.gather(*residents)
            await _carried(folder)
        return Stopped(seconds, status, count(folder, told, said))


@asynccontextmanager
async def hanging() -> AsyncIterator[str]:
    """A platform that takes every call and never answers."""

    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.CancelledError, OSError):
            while await reader.read(65536):
                pass
        writer.close()

    server = await asyncio.start_server(hear, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.close()
