"""What staff and residents say, in a house with years of tickets beside an empty one, turn by turn."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from tortoise.backends.base.client import BaseDBAsyncClient

from bot.app import House
from bot.config import Settings
from bot.domain import people
from bot.domain.people import Role
from bot.inbox import milliseconds
from bot.messages import Incoming
from bot.store import Statement
from tests import postgres
from tests.bench import seed
from tests.bench.rows import Sink

OPEN = 10_000
ROUNDS = 40
CREW = 40  # plumbers, among whom the open tickets are in hand
AIM, ROUND = 3.0, 1.0  # times an empty house's; seconds of a round of what is due

_DAY = 86_400_000
# Spread over the residents (ids first $2, so many $3) and plumbers; open ones promised to in the far future.
_FILL = (
    "insert into ticket (community_id, ref, kind, category, brief, words, building, unit, floor, room, place,"
    " home_id, reporter_id, assignee_id, state, urgency, wanted, phone, made_ms, promised_ms, step, due_ms,"
    " closed_ms, waits_for) select 1, n, 'repair', case n % 5 when 0 then 'plumbing' when 1 then 'electrical'"
    " when 2 then 'lighting' when 3 then 'drainage' else 'hvac' end, '旧事', '旧事' || n,"
    " cast(n % 12 + 1 as {text}), cast(n % 3 + 1 as {text}), '', '101', '', $6 + n % $3, $2 + n % $3,"
    " case when n <= $4 and n % 2 = 0 then null else $5 + n % $7 end,"
    " case when n > $4 then '已解决' when n % 2 = 0 then '待接单' else '处理中' end, 'normal', '', '',"
    " $8 - n, case when n > $4 then null else $9 end, 0, case when n > $4 then null else $9 end,"
    " case when n > $4 then $8 - n else null end, '' from {series}"
)
_SERIES = {
    True: "(with recursive s(n) as (select 1 union all select n + 1 from s where n < $1) select n from s)",
    False: "generate_series(1, $1) as n",
}


@dataclass
class Found:
    """Milliseconds a verb, empty and full; seconds of a round of fifty that are due, full."""

    store: str
    closed: int
    verbs: dict[str, tuple[float, float]] = field(default_factory=dict)
    round: float = 0.0


async def settled(url: str, closed: int) -> House:
    """A house with its people and, where `closed` isn't 0, with years of tickets."""
    house = House(Settings(database_url=url, _env_file=None))  # type: ignore[call-arg]
    await house.open(migrate=True, serving=True)
    await seed.settle(house, "web")

    async def fill(db: BaseDBAsyncClient) -> None:
        first = None
        for number in range(CREW):
            one = await people.meet(db, 1, "web", f"crew{number}", f"师傅{number}", 0)
            await people.grant(db, one, Role.STAFF, trades=["水电"])
            first = first or one
        assert first is not None
        if not closed:
            return
        resident = await people.identify(db, "web", seed.resident(0), 0)
        assert resident is not None
        now = milliseconds(house.clock.now())
        text = "text"
        sql = _FILL.format(text=text, series=_SERIES[house.store.sqlite])
        total = closed + OPEN
        homes = resident.homes[0].id
        await Statement(sql).rows(
            db, total, resident.id, seed.RESIDENTS, OPEN, first.id, homes, CREW, now - _DAY, now + 30 * _DAY
        )
        await Statement("update community set last_ref = $1 where id = 1 returning id").rows(db, total)
        await Statement(
            "insert into subscriber (ticket_id, person_id) select id, reporter_id from ticket returning id"
        ).rows(db)

    await house.store.run(fill)
    house.add(Sink())
    return house


async def spoken(house: House, number: int, took: dict[str, list[float]]) -> None:
    """One repair from the first word to the points, and what is asked on the way."""
    who, worker = seed.resident(number), seed.STAFF

    async def say(verb: str, account: str, text: str) -> None:
        began = time.perf_counter()
        await house.handle(
            Incoming("web", f"{verb}-{number}-{time.perf_counter_ns()}", account, account, text)
        )
        took[verb].append(time.perf_counter() - began)

    before = await house.store.run(_last)
    ref = before + 1
    await say("report", who, seed.said(number))
    await say("status", who, f"{ref} 怎么样了")
    await say("urge", who, f"催一下 {ref}")
    await say("amend", who, f"{ref} 补充：下午在家")
    await say("waiting", worker, "待接")
    await say("claim", worker, f"接 {ref}")
    await say("mine", worker, "我的工单")
    await say("arrive", worker, f"{ref} 到了")
    await say("parts", worker, f"{ref} 等配件，后天到")
    await say("done", worker, f"{ref} 修好了")
    await say("confirm", who, f"#{ref} 修好了，没问题了")
    await say("rate", who, f"#{ref} 评 5 分")
    await say("again", who, f"#{ref} 还没修好")
    await say("back", worker, f"{ref} 退回，没有这个配件")
    await say("cancel", who, f"撤销 {ref}")


async def _last(db: BaseDBAsyncClient) -> int:
    row = await Statement("select last_ref from community where id = $1").row(db, 1)
    assert row is not None
    return int(row["last_ref"])


async def compared(empty: str, full: str, closed: int, store: str) -> Found:
    """Both houses in turn, so that what else the machine does falls on both."""
    houses = [await settled(empty, 0), await settled(full, closed)]
    took: list[dict[str, list[float]]] = [defaultdict(list), defaultdict(list)]
    found = Found(store, closed)
    try:
        for number in range(ROUNDS):
            for house, times in zip(houses, took, strict=True):
                await spoken(house, number, times)
        for verb in took[0]:
            middle = [statistics.median(times[verb]) * 1000 for times in took]
            found.verbs[verb] = (middle[0], middle[1])
        due = Statement("update ticket set due_ms = 1 where community_id = 1 and ref <= $1 returning id")
        await houses[1].store.run(lambda db: due.rows(db, 50))
        began = time.perf_counter()
        await houses[1].jobs.tick()
        found.round = time.perf_counter() - began
    finally:
        for house in houses:
            await house.close()
    return found


def on_sqlite(folder: Path) -> Found:
    (folder / "empty").mkdir()
    (folder / "full").mkdir()
    urls = seed.url(folder / "empty"), seed.url(folder / "full")
    return asyncio.run(compared(*urls, 100_000, "sqlite"))


def on_postgres() -> Found:
    with postgres.server() as server, server.database() as empty, server.database() as full:
        return asyncio.run(compared(empty, full, 1_000_000, "postgresql"))
