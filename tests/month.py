"""A community lives on: residents report, workers claim, forget, wait and finish; and nothing may go silent.

Everybody acts at random (from a seed) through the real pipeline, on a clock that stops wherever something is
due. What must hold is looked at after every step, in the database and in what people were told.
"""

from __future__ import annotations

import asyncio
import heapq
import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count, product
from typing import Any

from tortoise.backends.base.client import BaseDBAsyncClient

from bot.app import House
from bot.clock import TurnedClock
from bot.domain import people, roster
from bot.domain.people import Role
from bot.domain.tickets import EMERGENCY
from bot.messages import Incoming
from scheduler.due import next_due
from tests.house import Capture, captured, rows

BEGIN = datetime(2026, 3, 2, 0, 0, tzinfo=UTC)
WORKERS = ("老李", "小孟", "老周", "小韩")
QUICK = ("老李", "小孟")
SAID = (
    "厨房水管漏水了", "卫生间灯不亮", "家里没电了，赶紧来人", "马桶堵了", "空调不制冷", "插座没电",
    "水龙头关不紧，明天上午来", "客厅灯不亮，后天下午在家", "地漏返水，快点来人", "燃气灶打不着火",
    "门锁坏了", "窗户关不严",
)  # fmt: skip
AT_WORK = ("归您了", "【转给您】", "【快到时间了】", "【超时】", "【返修】", "【催】")
CLOSED = ("已解决", "未确认关闭", "已撤销")


@dataclass
class Seen:
    """What the month showed; `silent` and `doubled` must stay empty."""

    filed: int = 0
    said: int = 0
    states: Counter[str] = field(default_factory=Counter)
    silent: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    broken: int = 0


class Month:
    """Households, four plumbers of whom two are seldom quick, a lead, a manager and a committee member."""

    def __init__(self, house: House, *, households: int, seed: int) -> None:
        self.house, self.dice, self.households = house, random.Random(seed), households
        assert isinstance(house.clock, TurnedClock)
        self.clock: TurnedClock = house.clock
        self.far: Capture = captured(house)
        self.seen = Seen()
        self._todo: list[tuple[datetime, int, str, str]] = []
        self._numbers = count(1)
        self._read = 0
        self._promised: dict[int, Any] = {}
        self._homes: dict[str, tuple[str, str, str]] = {}

    async def settle(self, *, kept: bool = True) -> None:
        """Everybody moves in. Where a roster is `kept`, one plumber has each night and the others rest."""
        community = next(iter(self.house.communities))
        flats = product(map(str, range(1, 13)), "123", range(1, 19), ("01", "02", "03", "04"))

        async def work(db: BaseDBAsyncClient) -> None:
            staff = []
            for name in WORKERS:
                person = await people.meet(db, community, "web", name, name, 0)
                await people.grant(db, person, Role.STAFF)
                staff.append(person)
            for name, role in (("陈班长", Role.LEAD), ("张经理", Role.ADMIN), ("李主任", Role.COMMITTEE)):
                person = await people.meet(db, community, "web", name, name, 0)
                await people.grant(db, person, role)
            for night in range(45) if kept else ():
                start = BEGIN + timedelta(days=night, hours=12)  # 20:00 there
                if night % 7 != 6:  # nobody has Sunday nights
                    who = staff[night % len(staff)]
                    await roster.put(db, who, start, start + timedelta(hours=12), now=BEGIN)
            for number in range(self.households):
                building, unit, floor, door = next(flats)
                name = f"住户{number}"
                person = await people.meet(db, community, "web", name, name, 0)
                await people.grant(db, person, Role.RESIDENT)
                home = await people.home(db, community, building, unit, f"{floor}{door}")
                await people.settle(db, person, home)

        await self.house.store.run(work)

    # ------------------------------------------------------------------ who does what

    def plan(self, days: int, reports_a_day: float) -> None:
        """Reports come mostly by day, some at night."""
        for day in range(days):
            for _ in range(round(reports_a_day)):
                hour = self.dice.choice((0, 3, *range(7, 24), *range(8, 21), *range(9, 19)))
                at = BEGIN + timedelta(days=day, hours=hour - 8, minutes=self.dice.randrange(60))
                who = f"住户{self.dice.randrange(self.households)}"
                if at > BEGIN:
                    self._at(at, who, self.dice.choice(SAID))

    def _at(self, at: datetime, who: str, text: str) -> None:
        heapq.heappush(self._todo, (at, next(self._numbers), who, text))

    def _soon(self, who: str, text: str, low: float, high: float) -> None:
        """Somebody says it in so many minutes."""
        self._at(self.clock.now() + timedelta(minutes=self.dice.uniform(low, high)), who, text)

    async def live(self, until: datetime) -> Seen:
        """On to an instant, through everything that is said and due on the way."""
        while True:
            due = await self.house.store.run(next_due)
            following = min(filter(None, (due, self._todo[0][0] if self._todo else None)), default=until)
            if following > until:
                break
            if following > self.clock.now():
                self.clock.turn_to(following)
            spoke = set()
            while self._todo and self._todo[0][0] <= self.clock.now():
                _, _, who, text = heapq.heappop(self._todo)
                spoke.add(who)
                await self._say(who, text)
            await self.house.settle()
            await self._look()
            self._react()
        self.clock.turn_to(until)
        await self.house.settle()
        await self._look()
        for row in await rows(self.house, "select state from ticket"):
            self.seen.states[row["state"]] += 1
        self.seen.filed = sum(self.seen.states.values())
        self.seen.broken = self.house.pipeline.counts["troubles"]
        return self.seen

    async def _say(self, who: str, text: str) -> None:
        if text.startswith("接 ") and self.dice.random() < 0.4:  # another worker says so in the same instant
            other = self.dice.choice([name for name in WORKERS if name != who])
            await asyncio.gather(self._hand(who, text), self._hand(other, text))
            self.seen.said += 2
            return
        await self._hand(who, text)
        self.seen.said += 1

    async def _hand(self, who: str, text: str) -> None:
        await self.house.handle(Incoming("web", f"n{next(self._numbers)}", who, who, text))

    def _react(self) -> None:
        """Read what came, and answer like people: often late, sometimes never."""
        arrived, self._read = self.far.sent[self._read :], len(self.far.sent)
        for one in arrived:
            ref = next((word for word in one.text.replace("#", " #").split() if word.startswith("#")), "")
            number = "".join(filter(str.isdigit, ref[:6]))
            if not number:
                continue
            if one.chat.startswith("住户"):
                self._resident(one.chat, one.text, number)
            else:
                self._staff(one.chat, one.text, number)

    def _resident(self, who: str, text: str, number: str) -> None:
        chance = self.dice.random()
        if "好了吗" in text:
            if chance < 0.6:
                self._soon(who, f"#{number} 修好了，没问题了", 5, 900)
            elif chance < 0.75:
                self._soon(who, f"#{number} 还没修好", 5, 900)
        elif "打个分" in text and chance < 0.5:
            self._soon(who, f"#{number} 评 {self.dice.randint(1, 5)} 分", 1, 60)
        elif "方便了就说个时间" in text and chance < 0.5:
            self._soon(who, "明天上午来吧", 10, 2000)
        elif "还没有人接" in text and chance < 0.2:
            self._soon(who, f"催一下 {number}", 5, 600)
        elif "已报修" in text and chance < 0.08:
            self._soon(who, f"撤销 {number}", 5, 2000)

    def _staff(self, who: str, text: str, number: str) -> None:
        chance = self.dice.random()
        quick = 0.5 if who in QUICK else 0.15
        if "【紧急" in text and chance < quick:
            self._soon(who, f"接 {number}", 1, 20)
            self._soon(who, f"{number} 处理好了", 30, 90)
        elif "报修】" in text and chance < quick:
            self._soon(who, f"接 {number}", 1, 240)
        elif "【没人接】" in text and chance < 0.5:
            self._soon(who, f"{number} 转给 {self.dice.choice(WORKERS)}", 5, 300)
        elif "【超时】" in text and who in ("陈班长", "张经理") and chance < 0.3:
            self._soon(who, f"收到 {number}", 5, 120)
        elif who in WORKERS and any(word in text for word in AT_WORK):
            self._works(who, number, chance)

    def _works(self, who: str, number: str, chance: float) -> None:
        if chance < 0.35:
            self._soon(who, f"{number} 到了", 10, 1200)
            self._soon(who, f"{number} 修好了，换了个垫圈", 1250, 1500)
        elif chance < 0.55:
            self._soon(who, f"{number} 修好了", 20, 2500)
        elif chance < 0.65:
            self._soon(who, f"{number} 等配件，后天下午到货", 10, 600)
        elif chance < 0.73:
            self._soon(who, f"{number} 业主不在家，敲门没人应", 10, 600)
        elif chance < 0.79:
            self._soon(who, f"{number} 退回，不是我会的", 5, 600)

    # -------------------------------------------------------------------- what must hold

    async def _look(self) -> None:
        """No open ticket is past its promise or without a next one; what the clock moved was told."""
        now = round(self.clock.now().timestamp() * 1000)
        open_rows = await rows(
            self.house,
            "select id, ref, state, kind, promised_ms, due_ms from ticket where state not in ($1, $2, $3)",
            *CLOSED,
        )
        for row in open_rows:
            if row["promised_ms"] is None or row["promised_ms"] <= now:
                self.seen.silent.append(
                    f"#{row['ref']} {row['state']}: promised {row['promised_ms']} at {now}"
                )
            elif row["due_ms"] is None or row["due_ms"] > row["promised_ms"]:
                self.seen.silent.append(f"#{row['ref']} {row['state']}: nothing due before its promise")
            before = self._promised.get(row["id"])
            if before is not None and before <= now and not await self._told(row["id"], row["ref"], now):
                self.seen.silent.append(f"#{row['ref']} {row['state']}: lapsed, and nobody was")
            self._promised[row["id"]] = row["promised_ms"]

    async def _told(self, ticket: int, ref: int, now: int) -> bool:
        """Whether the household heard of this ticket at this instant; of danger, whoever is to come."""
        found = await rows(
            self.house,
            "select o.text from outbox o join ticket t on t.id = $1 where o.made_ms = $2 and (t.kind = $3"
            " or exists (select 1 from subscriber s where s.ticket_id = t.id and s.person_id = o.person_id))",
            ticket,
            now,
            EMERGENCY,
        )
        return any(f"#{ref}" in row["text"] for row in found)

    async def claims(self) -> list[str]:
        """Tickets that two had at once: claimed again though nobody had given them back."""
        lines = await rows(
            self.house, "select subject_id, verb, note from audit where subject = 'ticket' order by id"
        )
        held: dict[int, bool] = {}
        doubled = []
        for line in lines:
            ticket = line["subject_id"]
            if line["verb"] == "accept":
                if held.get(ticket):
                    doubled.append(str(ticket))
                held[ticket] = True
            elif line["verb"] in ("give_back", "cancel", "lapse", "confirm"):
                held[ticket] = False
        return doubled


async def month(
    house: House, *, households: int, days: int, reports_a_day: float, seed: int, kept: bool = True
) -> Seen:
    """Live so many days, and one more week in which nobody reports anything new."""
    one = Month(house, households=households, seed=seed)
    await one.settle(kept=kept)
    one.plan(days, reports_a_day)
    seen = await one.live(BEGIN + timedelta(days=days + 7))
    seen.doubled = await one.claims()
    return seen
