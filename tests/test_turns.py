"""Corners of a turn that no story can bring about: a deed that breaks, two at once, one of several."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import count
from typing import Any

import pytest
from tortoise.backends.base.client import BaseDBAsyncClient

from bot.domain import applications, households, people, tickets
from bot.domain.people import Role
from bot.messages import Incoming
from tests.chat import Town, town

Patch = Callable[[object, str, Any], None]


async def settle(town: Town, name: str, role: Role, home: tuple[str, str, str] | None = None) -> None:
    async def enter(db: BaseDBAsyncClient) -> None:
        person = await people.meet(db, town.community.id, "web", name, name, 0)
        await people.grant(db, person, role)
        if home:
            await people.settle(db, person, await people.home(db, town.community.id, *home))

    await town.house.store.run(enter)


async def trouble() -> None:
    """A deed that breaks is undone, and said so."""
    async with town() as here:
        await settle(here, "王芳", Role.RESIDENT, ("3", "2", "501"))
        deed = here.house.dialogue.actions["repair.report"]

        async def broken(turn: Any, form: Any) -> None:
            await deed.deed(turn, form)
            raise RuntimeError("on purpose")

        here.house.dialogue.actions["repair.report"] = replace(deed, deed=broken)
        assert "没有办成" in await here.say("王芳", "厨房水管漏水")
        here.house.dialogue.actions["repair.report"] = deed
        assert "已报修 #1" in await here.say("王芳", "厨房水管漏水")


async def too_late(patch: Patch) -> None:
    """A ticket has gone on since it was read: the second word is not done on what is no more."""
    async with town() as here:
        await settle(here, "王芳", Role.RESIDENT, ("3", "2", "501"))
        await settle(here, "老李", Role.STAFF)
        await here.say("王芳", "厨房水管漏水")
        await here.say("老李", "接 1")
        seen = await here.house.store.run(lambda db: tickets.get(db, here.community.id, 1))
        await here.say("老李", "1 修好了")

        async def stale(*_: Any) -> Any:
            return seen

        patch(tickets, "get", stale)
        patch(tickets, "hold", stale)
        assert "刚刚被别人改动了" in await here.say("老李", "1 到了")


async def decided_twice(patch: Patch) -> None:
    """Two of the committee decide at once: the second is told."""
    async with town() as here:
        await settle(here, "李主任", Role.COMMITTEE)
        await settle(here, "王主任", Role.COMMITTEE)
        await here.say("鹿鸣", "我叫鹿鸣，住7栋1单元1503")
        seen = await here.house.store.run(lambda db: applications.waiting(db, here.community.id))
        await here.say("李主任", "同意 7-1-1503")

        async def stale(*_: Any) -> Any:
            return seen

        patch(applications, "waiting", stale)
        assert "已经有人处理过了" in await here.say("王主任", "拒绝 7-1-1503")


async def one_of_several() -> None:
    """Two open, neither spoken of today: which one?"""
    async with town() as here:
        await settle(here, "王芳", Role.RESIDENT, ("3", "2", "501"))
        await here.say("王芳", "厨房水管漏水")
        await here.say("王芳", "空调不制冷")
        await here.wait(days=2)
        answer = await here.say("王芳", "催一下")
        assert "哪一件" in answer
        assert "#1" in answer
        assert "#2" in answer
        assert "已催（第 1 次）。#2" in await here.say("王芳", "催一下2")


async def anonymous() -> None:
    """Who speaks as the group is nobody: nothing is filed for it, but danger is danger, and help is help."""
    async with town() as here:

        async def listed(db: BaseDBAsyncClient) -> None:
            home = await people.home(db, here.community.id, "8", "1", "302")
            await households.add(db, home.id, "周明", "13800138000")

        await here.house.store.run(listed)
        numbers = count(1)

        async def say(text: str) -> str:
            said = Incoming("web", f"a{next(numbers)}", "qun", "as:qun", text, group=True, anonymous=True)
            await here.house.handle(said)
            return (await here.told()).get("qun", "")

        nobody = "用群的身份说话，我认不出您是谁。请取消匿名再说一遍，或者私下跟我说。"
        assert await say("活动室的灯坏了") == nobody
        assert await say("我叫周明，住8栋1单元302，13800138000") == nobody
        assert "报修" in await say("你能做什么")
        assert "119" in await say("活动室着火了")
        person = await here.house.store.run(lambda db: people.identify(db, "web", "as:qun", 0))
        assert person is not None
        assert not person.bound


async def test_anonymous() -> None:
    await anonymous()


async def test_trouble() -> None:
    await trouble()


async def test_too_late(monkeypatch: pytest.MonkeyPatch) -> None:
    await too_late(monkeypatch.setattr)


async def test_decided_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    await decided_twice(monkeypatch.setattr)


async def test_one_of_several() -> None:
    await one_of_several()
