"""Telegram and the house together: what one chat's trouble does to the others, and to what is owed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from tortoise.backends.base.client import BaseDBAsyncClient

from bot import outbox
from bot.channels import telegram_wire
from bot.domain import people
from bot.messages import Lane
from bot.outbox import State
from bot.store import Statement
from tests.fakes.telegram import SECRET, FarSide, push
from tests.fakes.telegram_house import LI, NEIGHBOURS, WANG, Lived, lived_in, said, until
from tests.house import owe, rows, turn, value

OLD, NEW = -41, -1002100000077


@pytest.fixture
async def lived(
    far_side: FarSide, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Lived]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(telegram_wire, "READ", 1.5)
    async with lived_in(far_side, database_url, *NEIGHBOURS) as lived:
        yield lived


async def owed(lived: Lived, chat: int, *texts: str) -> None:
    await owe(lived.house, *texts, chat=str(chat), channel="telegram")
    lived.house.delivery.wake()


async def ended(lived: Lived, text: str) -> tuple[State, str]:
    (row,) = await rows(lived.house, "select state, reason from outbox where text = $1", text)
    return State(row["state"]), row["reason"]


async def arrive(lived: Lived, chats: range) -> float:
    """Owe each chat a word; seconds until the last has it."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    for chat in chats:
        await owed(lived, chat, "来水了")
    await until(lambda: all("来水了" in lived.heard(chat) for chat in chats))
    return loop.time() - begun


@pytest.mark.parametrize("kind", ["hang", "429", "500"])
async def test_a_chat_in_trouble_delays_no_other(lived: Lived, far_side: FarSide, kind: str) -> None:
    far_side.fault("sendMessage", kind, times=-1, body='"chat_id": "?5[1-5]"?[,}]')
    for chat in range(51, 56):
        await owed(lived, chat, "停水了", "又停了")
    await until(lambda: len(far_side.calls("sendMessage")) >= 5)
    assert await arrive(lived, range(61, 66)) < 1
    assert not any(lived.heard(chat) for chat in range(51, 56))


async def test_a_chat_that_is_limited_hears_it_after_its_time(lived: Lived, far_side: FarSide) -> None:
    far_side.fault("sendMessage", "429")  # retry after 2
    await owed(lived, WANG, "一", "二")
    await until(lambda: far_side.calls("sendMessage"))
    begun = asyncio.get_running_loop().time()
    turn(lived.house, seconds=1.9)
    lived.house.delivery.wake()
    await asyncio.sleep(0.2)
    assert len(far_side.calls("sendMessage")) == 1
    turn(lived.house, seconds=0.2)
    while len(lived.heard(WANG)) < 2:
        await asyncio.sleep(0.05)
        turn(lived.house, seconds=0.05)
        lived.house.delivery.wake()
    assert asyncio.get_running_loop().time() - begun > 1.9
    assert lived.heard(WANG) == ["一", "二"]


async def test_what_timed_out_is_unknown_and_not_sent_again(
    lived: Lived, far_side: FarSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    far_side.fault("sendMessage", "hang")
    await owed(lived, WANG, "停水了")
    async with asyncio.timeout(5):
        while (await ended(lived, "停水了"))[0] is State.QUEUED:
            await asyncio.sleep(0.05)
    assert await ended(lived, "停水了") == (State.UNKNOWN, "Telegram 没有及时回答，可能已送达")
    turn(lived.house, hours=1)
    lived.house.delivery.wake()
    await owed(lived, WANG, "来水了")
    await lived.hears(WANG, "来水了")
    assert lived.heard(WANG) == ["来水了"]
    assert len(far_side.calls("sendMessage")) == 2


async def test_who_blocked_us_is_unreachable_until_he_writes(lived: Lived, far_side: FarSide) -> None:
    reachable = "select reachable from account where address = $1"
    far_side.fault("sendMessage", "403")
    await owed(lived, WANG, "停水了")
    async with asyncio.timeout(5):
        while await value(lived.house, reachable, str(WANG)):
            await asyncio.sleep(0.02)
    assert (await ended(lived, "停水了"))[0] is State.FAILED
    assert await value(lived.house, reachable, str(LI))
    await lived.told(said(1, "你好", WANG))
    assert await value(lived.house, reachable, str(WANG))


async def test_what_telegram_refuses_is_not_a_network_in_trouble(lived: Lived, far_side: FarSide) -> None:
    """BadRequest is a NetworkError to the library: tried once, and not five times."""
    far_side.fault("sendMessage", "400", times=-1)
    await owed(lived, WANG, "停水了")
    async with asyncio.timeout(5):
        while (await ended(lived, "停水了"))[0] is State.QUEUED:
            await asyncio.sleep(0.02)
    assert await ended(lived, "停水了") == (State.FAILED, "Telegram 不收：Chat not found")
    assert len(far_side.calls("sendMessage")) == 1


async def test_a_group_that_moves_takes_everything_along(lived: Lived) -> None:
    sender = {"from": {"id": WANG, "is_bot": False, "first_name": "芳"}}
    await lived.told(said(1, "@邻里 路灯不亮了", OLD, **sender))
    await lived.hears(OLD, "哪里")
    await owe_later(lived, "明天停水")
    await lived.told(said(2, "", OLD, migrate_to_chat_id=NEW, **sender))
    assert await chats(lived) == {str(NEW)}
    await lived.told(said(3, "东门口", NEW, **sender))
    assert "#1" in await lived.hears(NEW, "东门")
    turn(lived.house, hours=2)
    lived.house.delivery.wake()
    await lived.hears(NEW, "明天停水")


async def test_a_group_moves_whole_or_not_at_all(lived: Lived, monkeypatch: pytest.MonkeyPatch) -> None:
    sender = {"from": {"id": WANG, "is_bot": False, "first_name": "芳"}}
    await lived.told(said(1, "@邻里 路灯不亮了", OLD, **sender))
    await lived.hears(OLD, "哪里")
    await owe_later(lived, "明天停水")
    moved = said(2, "", OLD, migrate_to_chat_id=NEW, **sender)
    with monkeypatch.context() as patch:
        patch.setattr(
            people, "_REWRITE", (*people._REWRITE, Statement("update nowhere set x = $1, y = $2, z = $3"))
        )
        assert await push(lived.url, SECRET, moved) == [503]
    assert await chats(lived) == {str(OLD)}
    await lived.told(moved)
    assert await chats(lived) == {str(NEW)}


async def owe_later(lived: Lived, text: str) -> None:
    """A message to the old group that is not due yet."""
    now = lived.house.clock.now()

    async def put(db: BaseDBAsyncClient) -> None:
        id_ = await outbox.put(db, "telegram", str(OLD), text, now=now, lane=Lane.NOTICE)
        assert id_ is not None
        await outbox.later(db, id_, now + timedelta(hours=1), "")

    await lived.house.store.run(put)


async def chats(lived: Lived) -> set[str]:
    """Every group address that a row names."""
    found: set[str] = set()
    for table in ("inbox", "outbox", "conversation"):
        found |= {row["chat"] for row in await rows(lived.house, f"select chat from {table}")}
    return {chat for chat in found if chat.startswith("-")}


async def test_what_cannot_be_handled_lies_in_the_inbox_as_it_came(lived: Lived) -> None:
    keep_aside = lived.channel.keep_aside
    assert keep_aside is not None
    for _ in range(2):
        await keep_aside(7, '{"update_id": 7}')
    found = await rows(lived.house, "select message, text from inbox")
    assert found == [{"message": "aside:7", "text": '{"update_id": 7}'}]
