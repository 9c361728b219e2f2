"""Staff's group beside the private alerts: what it reads, whom it calls, and what it never sees."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from tortoise.backends.base.client import BaseDBAsyncClient

from bot.app import House
from bot.channels.base import Limits, Outgoing, PermanentFailure
from bot.domain import people
from bot.domain.people import Role
from bot.messages import Lane
from bot.script import Captured
from tests.chat import Town, town
from tests.house import Who, declare, rows, value
from tests.test_turns import settle

ROBOT = "值班群"


@asynccontextmanager
async def staffed() -> AsyncIterator[tuple[Town, list[Outgoing]]]:
    """A town whose staff has a group: 老李 is known to WeCom, 小张 is not; 王芳 lives there."""
    async with town() as here:
        house, posted = here.house, list[Outgoing]()
        (row,) = house.communities
        house.communities[row] = replace(here.community, channels={"webhook": {"staff": ROBOT}})
        robot = Captured("webhook", posted)
        robot.limits = Limits(octets=2048, per_chat=((20, 60.0),), digests=True)
        house.add(robot)
        await settle(here, "王芳", Role.RESIDENT, ("3", "2", "501"))
        await settle(here, "老李", Role.STAFF)
        await settle(here, "小张", Role.STAFF)

        async def known(db: BaseDBAsyncClient) -> None:
            person = await people.identify(db, "web", "老李", 0)
            assert person is not None
            await people.add_account(db, person, "wecom", "LiJianGuo", 0)
            await people.unreachable(db, "wecom", "LiJianGuo")  # the app is not connected here

        await house.store.run(known)
        yield here, posted


async def told() -> None:
    """One post for each news, whoever it goes to; who can be called is."""
    async with staffed() as (here, posted):
        await here.say("王芳", "厨房水管漏水了，我电话13800001111，让师傅先打给我")
        assert "3栋2单元501厨房" in here.last["老李"]
        assert "小张" in here.last
        (post,) = posted
        assert post.chat == ROBOT
        assert post.text.startswith("【新报修】#1 水管漏水，3栋*单元厨房。")
        assert post.text.endswith("\n（这里回话我听不见，请在您和邻里的聊天里回。）")
        assert post.mentions == ("LiJianGuo",)
        assert "138****1111" in post.text
        assert "501" not in post.text
        assert "13800001111" not in post.text


async def unreached() -> None:
    """Whoever works here and can't be alerted anywhere is called in the group, once a day."""
    async with staffed() as (here, posted):
        shut_out(here, "老李")
        await here.say("王芳", "厨房水管漏水了")
        called = [post for post in posted if "送不到" in post.text]
        assert [(post.text, post.mentions) for post in called] == [
            (
                "老李师傅：有一条提醒送不到您那里。请打开您和邻里的聊天看看，说句话就能再收到。",
                ("LiJianGuo",),
            )
        ]
        await here.say("王芳", "客厅的灯不亮了")
        assert sum("送不到" in post.text for post in posted) == 1
        await here.wait(days=1)
        await here.say("王芳", "马桶堵了")
        assert sum("送不到" in post.text for post in posted) == 2


def shut_out(here: Town, name: str) -> None:
    """The platform takes nothing for this chat."""
    web = here.house.channels["web"]
    send = web.send

    async def closed(message: Outgoing) -> str:
        if message.chat == name:
            raise PermanentFailure("closed", closed=True)
        return await send(message)

    web.send = closed  # type: ignore[method-assign]


async def test_the_group_hears_of_it_once_and_reads_no_door() -> None:
    await told()


async def test_who_cannot_be_reached_is_called_there() -> None:
    await unreached()


async def test_a_resident_who_cannot_be_reached_is_nobody_of_the_groups_business() -> None:
    async with staffed() as (here, posted):
        await here.say("王芳", "厨房水管漏水了")
        shut_out(here, "王芳")
        posted.clear()
        await here.say("老李", "接 1")
        assert posted == []


async def test_what_a_resident_confides_to_a_person_stays_there() -> None:
    """A conversation with a human, who wants to be let in, news for a worker as a resident."""
    async with staffed() as (here, posted):
        await settle(here, "李主任", Role.COMMITTEE)
        await here.say("王芳", "转人工")
        await here.say("王芳", "隔壁天天吵架，我害怕")
        assert "隔壁天天吵架" in str(here.last)
        await here.say("周明", "我叫周明，住8栋1单元302")
        assert "周明" in here.last["李主任"]
        assert posted == []
        await here.say("老李", "我要报修，东门的路灯不亮了")
        posted.clear()
        await here.say("小张", "接 1")
        assert "接了 #1" in here.last["老李"]
        assert posted == []


async def test_danger_goes_there_before_anything_else() -> None:
    async with staffed() as (here, posted):
        await here.say("王芳", "我家3栋2单元501着火了")
        assert "【紧急】#1" in posted[0].text
        assert posted[0].lane is Lane.DANGER
        assert "501" not in posted[0].text
        before = len(posted)
        await here.wait(minutes=2)
        assert ["还没人回应" in post.text for post in posted[before:]] == [True]


async def test_what_waits_for_the_groups_pace_makes_one_message() -> None:
    async with staffed() as (here, posted):
        for number in range(24):  # of one minute, in which the robot may write twenty times
            await here.say("王芳", f"{number // 2 + 1}号楼{number % 2 + 1}单元的电梯坏了")
        assert len(posted) == 20
        assert (
            await value(here.house, "select count(*) from outbox where channel = 'webhook' and state = 0")
            == 4
        )
        await here.wait(minutes=2)
        assert len(posted) == 21
        assert [f"#{ref} " in posted[20].text for ref in (21, 22, 23, 24)] == [True] * 4
        assert posted[20].mentions == ("LiJianGuo",)
        left = await rows(here.house, "select state from outbox where channel = 'webhook' and state <> 1")
        assert left == []


async def test_without_a_group_nothing_is_posted() -> None:
    async with staffed() as (here, posted):
        (row,) = here.house.communities
        here.house.communities[row] = replace(here.community, channels={})
        shut_out(here, "老李")
        await here.say("王芳", "厨房水管漏水了")
        assert posted == []


async def test_who_works_here_and_what_wecom_calls_them(house: House) -> None:
    ids = await declare(
        house,
        Who("LiJianGuo", "老李二", Role.STAFF, channel="wecom"),
        Who("banzhang", "班长", Role.LEAD, channel="wecom"),
        Who("fang", "王芳二", Role.RESIDENT, channel="wecom"),
        Who("zhuren2", "主任", Role.COMMITTEE, channel="wecom"),
        Who("nobody", "小赵", Role.STAFF),
    )
    crew = await house.store.run(lambda db: people.crew(db, list(ids.values())))
    assert crew == {ids["LiJianGuo"]: "LiJianGuo", ids["banzhang"]: "banzhang", ids["nobody"]: ""}
