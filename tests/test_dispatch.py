"""The ways of dispatch, and who is left alone at night: what no script can set up."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from tortoise.backends.base.client import BaseDBAsyncClient

from bot.domain import people, roster, tickets
from bot.domain.communities import Dispatch, Mode
from bot.domain.people import Person, Role
from bot.domain.tickets import Ticket
from tests.chat import Town, town

HOME = ("3", "2", "501")


async def settle(
    here: Town,
    name: str,
    role: Role,
    home: tuple[str, str, str] | None = None,
    trades: tuple[str, ...] = (),
    buildings: tuple[str, ...] = (),
) -> Person:
    async def enter(db: BaseDBAsyncClient) -> Person:
        person = await people.meet(db, here.community.id, "web", name, name, 0)
        await people.grant(db, person, role, buildings, trades)
        if home:
            await people.settle(db, person, await people.home(db, here.community.id, *home))
        return person

    return await here.house.store.run(enter)


async def ticket(here: Town, ref: int) -> Ticket:
    found = await here.house.store.run(lambda db: tickets.get(db, here.community.id, ref))
    assert found is not None
    return found


@asynccontextmanager
async def crew(mode: Mode) -> AsyncIterator[Town]:
    """A household, three plumbers of whom one looks after building 3, and a lead."""
    async with town() as here:
        own = here.community
        here.house.communities[own.id] = replace(own, dispatch=Dispatch(mode, timedelta(minutes=10)))
        await settle(here, "王芳", Role.RESIDENT, HOME)
        await settle(here, "老李", Role.STAFF, trades=("水电",))
        await settle(here, "小孟", Role.STAFF, trades=("水电",), buildings=("3",))
        await settle(here, "小郭", Role.STAFF, trades=("电梯",))
        await settle(here, "陈班长", Role.LEAD)
        yield here


async def automatic() -> None:
    """The best is asked, then the next, then the lead; known and with less to do is better."""
    async with crew(Mode.AUTOMATIC) as here:
        await here.say("王芳", "厨房水管漏水了")
        assert set(here.last) == {"王芳", "小孟"}, "who looks after the building, and nobody else"
        assert "10:10 前回「接 1」" in here.last["小孟"]
        assert "归您了" in await here.say("小孟", "接 1")
        await here.say("小孟", "1 修好了")
        await here.say("王芳", "好了")

        await here.say("王芳", "卫生间灯不亮")
        assert "【派给您】#2" in here.last["小孟"]
        assert "不派给您了" in await here.say("小孟", "不接 2")
        assert "【派给您】#2" in here.last["老李"]
        told = await here.wait(minutes=9)
        assert "陈班长" not in told
        told = await here.wait(minutes=2)
        assert "【没人接】#2" in told["陈班长"], "老李 did not answer within ten minutes, nobody is left"
        assert "已经在您手上" not in await here.say("老李", "不接 2")
        await here.say("老李", "接 2")
        assert "老李师傅已经接了" in await here.say("小孟", "不接 2")
        assert "已经在您手上" in await here.say("老李", "不接 2")
        assert "不在您手上" in await here.say("小郭", "收到 2")
        assert "老李师傅手上" in await here.say("陈班长", "看 2 详情")

        await here.say("王芳", "空调不制冷")
        assert "【派给您】#3" in here.last["小孟"], "known to the household, and 老李 has something in hand"
        assert "要接请回「接 3」" in await here.say("小孟", "看 3 详情")
        await here.say("王芳", "撤销 3")
        assert "已撤销" in await here.say("小孟", "看 3 详情")


async def by_the_lead() -> None:
    """The lead hears of it, with whom we would take and why."""
    async with crew(Mode.ASSIGN) as here:
        await here.say("王芳", "厨房水管漏水了")
        assert set(here.last) == {"王芳", "陈班长"}
        assert "建议小孟（管这栋，手上 0 件）" in here.last["陈班长"]
        await here.say("陈班长", "1 转给 小孟")
        assert "【转给您】#1" in here.last["小孟"]
        await here.say("小孟", "1 修好了")
        await here.say("王芳", "好了")
        await here.say("王芳", "卫生间灯不亮")
        assert "建议小孟（管这栋，上次去过这家，手上 0 件）" in here.last["陈班长"]


async def night() -> None:
    """With a roster, who is off duty is left alone until work begins; the clocks wait as well."""
    async with crew(Mode.CLAIM) as here:
        nightly = await settle(here, "老周", Role.STAFF)

        async def enter(db: BaseDBAsyncClient) -> None:
            start = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)  # 20:00 there
            await roster.put(db, nightly, start, start + timedelta(hours=4), now=here.clock.now())

        await here.house.store.run(enter)
        here.clock.turn_to(datetime(2026, 3, 4, 11, 30, tzinfo=UTC))  # 19:30
        await here.say("王芳", "厨房水管漏水了")
        assert set(here.last) == {"王芳"}
        told = await here.wait(minutes=30)
        assert "【新报修】#1" in told["老周"], "his shift begins, of another trade as he is"
        here.clock.turn_to(datetime(2026, 3, 4, 13, 0, tzinfo=UTC))
        answer = await here.say("王芳", "阳台水管漏水了")
        assert "21:30 前会有人接单" in answer, "somebody is on duty until midnight"
        assert set(here.last) == {"王芳", "老周"}

        here.clock.turn_to(datetime(2026, 3, 4, 17, 0, tzinfo=UTC))  # 01:00
        await here.told()
        answer = await here.say("王芳", "卫生间灯不亮")
        assert "09:00 前会有人接单" in answer
        assert set(here.last) == {"王芳"}, "nobody is woken"
        await here.say("王芳", "厨房着火了")
        assert {"小孟", "老李", "陈班长"} <= set(here.last), "but for danger"
        await here.say("陈班长", "收到 4")
        told = await here.wait(hours=7, minutes=30)
        assert "【新报修】#3" in told["小孟"]


async def test_automatic() -> None:
    await automatic()


async def test_by_the_lead() -> None:
    await by_the_lead()


async def test_night() -> None:
    await night()
