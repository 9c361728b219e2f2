"""Orders that a platform took down, without the platform: who is told, and who lets a stranger in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bot.domain import work
from bot.domain.people import Role
from bot.messages import Incoming, Order
from tests.chat import Town, town
from tests.test_turns import settle

Patch = Callable[[object, str, Any], None]


async def order(here: Town, number: str, text: str, name: str = "陈静", phone: str = "13800001111") -> None:
    taken = Order(phone=phone, note="（居民上报。）")
    message = Incoming("residents", number, number, f"tel:{phone}", text, sender_name=name, order=taken)
    await here.house.handle(message)
    await here.told()


async def waits() -> None:
    """A stranger reports twice; the committee is told of both, and one word opens both."""
    async with town() as here:
        await settle(here, "李主任", Role.COMMITTEE)
        await settle(here, "老李", Role.STAFF)
        await order(here, "1", "东门的路灯不亮了")
        assert "陈静（138****1111）报：东门的路灯不亮了" in here.last["李主任"]
        await order(here, "2", "活动室的灯不亮")
        assert "又报：活动室的灯不亮" in here.last["李主任"]
        assert await here.say("李主任", "同意 陈静") == "已同意：（没说住址） 陈静。"
        assert "#1" in here.last["老李"]
        assert "#2" in here.last["老李"]
        await order(here, "3", "南门的灯不亮")
        assert "#3" in here.last["老李"]


async def breaks(patch: Patch) -> None:
    """What could not be filed is read by a human."""

    async def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("on purpose")

    async with town() as here:
        await settle(here, "陈班长", Role.LEAD)
        await settle(here, "李主任", Role.COMMITTEE)
        await order(here, "1", "东门的路灯不亮了")
        await here.say("李主任", "同意 陈静")
        patch(work, "report", broken)
        await order(here, "2", "活动室的灯不亮")
        assert "活动室的灯不亮\n这一单没能立上" in here.last["陈班长"]


async def test_waits() -> None:
    await waits()


async def test_breaks(monkeypatch: pytest.MonkeyPatch) -> None:
    await breaks(monkeypatch.setattr)


async def test_whoever_waits_can_be_named() -> None:
    """By the whole name, the longest that is said; a name of nobody gets the list of who waits."""
    async with town() as here:
        await settle(here, "李主任", Role.COMMITTEE)
        await settle(here, "老李", Role.STAFF)
        for number, name in enumerate(("张三", "张三丰", "Lily")):
            await order(here, name, "东门的路灯不亮了", name, f"1380000111{number}")
        listed = await here.say("李主任", "同意 王五")
        assert all(name in listed for name in ("张三丰", "Lily"))
        assert await here.say("李主任", "同意 张三丰") == "已同意：（没说住址） 张三丰。"
        assert await here.say("李主任", "拒绝 Lily") == "已拒绝：（没说住址） Lily。"
        assert await here.say("李主任", "通过 张三") == "已同意：（没说住址） 张三。"
        assert await here.say("李主任", "同意 张三") == "现在没有等待登记的人。"


async def test_a_home_that_is_said_is_the_home_that_is_asked_for() -> None:
    async with town() as here:
        await settle(here, "李主任", Role.COMMITTEE)
        await settle(here, "老李", Role.STAFF)
        await order(here, "1", "5栋1单元1203 马桶堵了")
        assert "住址：5栋1单元1203" in here.last["李主任"]
        assert await here.say("李主任", "同意 5-1-1203") == "已同意：5栋1单元1203 陈静。"
        await order(here, "2", "厨房水管漏水")
        assert "水管漏水，5栋1单元1203厨房" in here.last["老李"]
        assert "李主任" not in here.last


async def test_two_things_in_one_order_are_two_tickets() -> None:
    async with town() as here:
        await settle(here, "李主任", Role.COMMITTEE)
        await settle(here, "老李", Role.STAFF)
        await order(here, "1", "3栋2单元楼道的灯不亮了，另外东门的门禁坏了")
        await here.say("李主任", "同意 陈静")
        assert "灯不亮，3栋2单元楼道" in here.last["老李"]
        assert "东门" in here.last["老李"]
        assert "#2" in here.last["老李"]
