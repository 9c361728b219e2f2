"""Weeks of bookings at random: no worker is in two places, nothing stays taken, nobody waits in silence."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest

from bot.domain.people import Role
from bot.inbox import milliseconds
from scheduler.due import next_due
from tests.chat import Town, town
from tests.house import rows
from tests.test_dispatch import settle

RESIDENTS = {f"住户{n}": ("3", "1", f"{n + 1}01") for n in range(6)}
WORKERS = {"刘阿姨": "保洁", "孙阿姨": "保洁", "何师傅": "综合"}
SERVICES = ("擦玻璃", "保洁", "深度保洁", "搬运", "除虫")
DAYS = ("明天上午", "后天下午", "周六上午九点", "周日下午", "周一上午十点", "下周三下午两点")


class Weeks:
    """Who says what next, and what must hold after it."""

    def __init__(self, here: Town, seed: int) -> None:
        self.here, self.dice, self.said = here, random.Random(seed), 0

    async def step(self) -> None:
        resident = self.dice.choice(list(RESIDENTS))
        ticket = await self._some("state in ('待接单', '已接单') and kind = 'booking'")
        match self.dice.randrange(10):
            case 0 | 1 | 2 | 3:
                await self._say(resident, f"{self.dice.choice(DAYS)}约个{self.dice.choice(SERVICES)}")
                await self._say(resident, self.dice.choice("1123"))
            case 4:
                await self._say(resident, f"{self.dice.choice(DAYS)}订羽毛球场")
                await self._say(resident, "1")
            case 5 if ticket:
                who = await self._of(ticket)
                await self._say(who, f"{ticket['ref']}改到{self.dice.choice(DAYS)}")
                await self._say(who, self.dice.choice("123"))
            case 6 if ticket:
                await self._say(await self._of(ticket), f"取消 {ticket['ref']}")
            case 7 if ticket and ticket["worker"]:
                await self._say(ticket["worker"], f"不接 {ticket['ref']}，家里有事")
                if self.dice.random() < 0.7:
                    await self._say(await self._of(ticket), self.dice.choice("123"))
            case 8 if ticket and ticket["worker"]:
                await self._say(ticket["worker"], f"{ticket['ref']} 到了")
                await self._say(ticket["worker"], f"{ticket['ref']} 做完了")
            case _:
                await self._later()

    async def _say(self, who: str, text: str) -> None:
        self.said += 1
        answer = await self.here.say(who, text)
        assert "出了点问题" not in answer, (who, text)

    async def _some(self, where: str) -> dict[str, str] | None:
        found = await rows(
            self.here.house,
            "select t.ref, p.name as who, w.name as worker from ticket t"
            " join person p on p.id = t.reporter_id left join person w on w.id = t.assignee_id"
            f" where {where} order by t.id",
        )
        return self.dice.choice(found) if found else None

    async def _of(self, ticket: dict[str, str]) -> str:
        return ticket["who"]

    async def _later(self) -> None:
        """On for some hours, stopping wherever something is due."""
        clock = self.here.clock
        until = clock.now() + timedelta(hours=self.dice.choice((1, 3, 9)))
        while (due := await self.here.house.store.run(next_due)) is not None and due <= until:
            clock.turn_to(max(due, clock.now()))
            await self.here.told()
            await self.hold()
        clock.turn_to(until)
        await self.hold()

    async def hold(self) -> None:
        """What must be true at any moment."""
        house, now = self.here.house, milliseconds(self.here.clock.now())
        twice = await rows(
            house,
            "select a.id, b.id as other from booking a"
            " join booking b on a.worker_id = b.worker_id and a.id < b.id"
            " join ticket s on s.id = a.ticket_id join ticket t on t.id = b.ticket_id"
            " where a.start_ms < b.end_ms and b.start_ms < a.end_ms"
            " and s.state in ('已接单', '处理中') and t.state in ('已接单', '处理中')",
        )
        assert twice == [], "a worker is in two places"
        left = await rows(
            house,
            "select t.ref, t.state from taken k join booking b on b.id = k.booking_id"
            " join ticket t on t.id = b.ticket_id where t.state in ('已撤销', '已解决', '未确认关闭')",
        )
        assert left == [], "what is over takes no place"
        bare = await rows(
            house,
            "select t.ref from ticket t join booking b on b.ticket_id = t.id where t.state = '已接单'"
            " and not exists (select 1 from taken k where k.booking_id = b.id)",
        )
        assert bare == [], "what is booked has its place"
        unlike = await rows(
            house,
            "select t.ref from ticket t join booking b on b.ticket_id = t.id"
            " where t.state in ('已接单', '待接单')"
            " and coalesce(t.assignee_id, 0) <> coalesce(b.worker_id, 0)",
        )
        assert unlike == [], "ticket and booking name the same worker"
        silent = await rows(
            house,
            "select ref, state, promised_ms - $1 as late from ticket"
            " where state not in ('已解决', '未确认关闭', '已撤销')"
            " and (promised_ms is null or promised_ms < $1 or due_ms is null)",
            now,
        )
        assert silent == [], "nothing open is silent past its promise"


@pytest.mark.sqlite
@pytest.mark.parametrize("seed", range(3))
async def test_weeks_of_bookings_hold_together(seed: int) -> None:
    async with town() as here:
        for name, home in RESIDENTS.items():
            await settle(here, name, Role.RESIDENT, home)
        for name, trade in WORKERS.items():
            await settle(here, name, Role.STAFF, trades=(trade,))
        await settle(here, "陈班长", Role.LEAD)
        weeks = Weeks(here, seed)
        for _ in range(90):
            await weeks.step()
            await weeks.hold()
        assert weeks.said > 100
        (made,) = await rows(here.house, "select count(*) as n from booking")
        assert made["n"] > 20
