"""How somebody becomes a resident: by code, by the household list, by a second community's code."""

from __future__ import annotations

from tortoise.backends.base.client import BaseDBAsyncClient

from bot.domain import households, invites, people
from bot.domain.people import Role
from tests.chat import Town, town


async def invite(town: Town, role: Role, **given: object) -> str:
    async def make(db: BaseDBAsyncClient) -> str:
        return await invites.make(db, town.community.id, role, town.clock.now(), **given)  # type: ignore[arg-type]

    return await town.house.store.run(make)


async def listed(town: Town, home: tuple[str, str, str], name: str, phone: str = "") -> None:
    async def add(db: BaseDBAsyncClient) -> None:
        where = await people.home(db, town.community.id, *home)
        await households.add(db, where.id, name, phone)

    await town.house.store.run(add)


async def test_by_code() -> None:
    async with town() as here:
        code = await invite(here, Role.RESIDENT, name="小蔡", home=("2", "1", "402"))
        assert await here.say("cai", code.lower()) == "小蔡您好，登记好了：住户 2栋1单元402。"
        assert "不对、用过了或过期了" in await here.say("other", code)
        assert "#1" in await here.say("cai", "厨房水管漏水")


async def test_a_code_makes_staff_who_are_asked_at_once() -> None:
    async with town() as here:
        code = await invite(here, Role.STAFF, name="老李", trades="水电", buildings="2,3")
        assert "师傅" in await here.say("li", code)
        home = await invite(here, Role.RESIDENT, name="王芳", home=("3", "2", "501"))
        await here.say("wang", home)
        await here.say("wang", "厨房水管漏水")
        assert "接 1" in here.last["li"]


async def test_an_old_code_is_no_code() -> None:
    async with town() as here:
        code = await invite(here, Role.RESIDENT, home=("2", "1", "402"))
        await here.wait(days=31)
        assert "过期" in await here.say("cai", code)


async def test_the_report_that_waited_for_the_code_is_filed() -> None:
    async with town() as here:
        await here.say("li", await invite(here, Role.STAFF, name="老李"))
        assert "几栋几单元" in await here.say("cai", "洗衣机不转了")
        assert "li" not in here.last
        answer = await here.say("cai", await invite(here, Role.RESIDENT, home=("2", "1", "402")))
        assert "登记好了" in answer
        assert "已报修 #1：洗衣机不转，2栋1单元402" in answer
        assert "#1" in here.last["li"]


async def test_by_the_list() -> None:
    async with town() as here:
        await listed(here, ("8", "1", "302"), "周明", "13800138000")
        assert "登记好了：住户 8栋1单元302" in await here.say("zhou", "我叫周明，住8栋1单元302")
        answer = await here.say("wife", "8栋1单元302，13800138000")
        assert "登记好了" in answer


async def test_a_surname_alone_proves_nothing() -> None:
    async with town() as here:
        await listed(here, ("7", "1", "1503"), "陈志强")
        await here.say("boss", await invite(here, Role.COMMITTEE, name="李主任"))
        assert "居委会核对" in await here.say("chen", "绑定7栋1单元1503，我姓陈")
        assert "同意 7-1-1503" in here.last["boss"]


async def test_more_reports_while_waiting_are_kept_too() -> None:
    async with town() as here:
        await here.say("boss", await invite(here, Role.COMMITTEE, name="李主任"))
        await here.say("lu", "洗衣机不转了")
        await here.say("lu", "7栋1单元1503，我叫鹿鸣")
        assert "住户登记" in here.last["boss"]
        assert await here.say("lu", "厨房水管也漏水")
        await here.say("boss", "同意 7-1-1503")
        assert "#1" in here.last["lu"]
        assert "#2" in here.last["lu"]


async def test_two_decide_at_once_the_first_counts() -> None:
    async with town() as here:
        for name in ("李主任", "王主任"):
            await here.say(name, await invite(here, Role.COMMITTEE, name=name))
        await here.say("lu", "我叫鹿鸣，住7栋1单元1503")
        assert "已同意" in await here.say("李主任", "同意 7-1-1503")
        assert "没有等待登记" in await here.say("王主任", "拒绝 7-1-1503")
