"""Buttons on Telegram whose words are longer than a button holds: a handle finds them, for its own chat."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tortoise.backends.base.client import BaseDBAsyncClient

from bot import outbox
from tests.fakes.telegram import USERNAME, FarSide
from tests.fakes.telegram_house import GROUP, LI, NEIGHBOURS, WANG, Lived, lived_in
from tests.house import rows, turn

LONG = "三栋二单元五零一的厨房水管漏水了，麻烦师傅明天上午过来看一下"
NOTHING = "收到，不过我只看得懂文字和照片。请用文字说一下。"
_updates = itertools.count(9000)


@pytest.fixture
async def lived(
    far_side: FarSide, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Lived]:
    monkeypatch.chdir(tmp_path)
    async with lived_in(far_side, database_url, *NEIGHBOURS) as lived:
        yield lived


async def offered(lived: Lived, chat: str) -> str:
    """What stands behind a button with LONG words that a chat is offered."""

    async def put(db: BaseDBAsyncClient) -> None:
        buttons = (("不用了", "不用"), ("报修", LONG))
        await outbox.put(db, "telegram", chat, "要报修吗？", now=lived.house.clock.now(), buttons=buttons)

    await lived.house.store.run(put)
    lived.house.delivery.wake()
    await lived.hears(int(chat.partition(":")[0]), "要报修吗？")
    call = [call for call in lived.far.calls("sendMessage") if call.data["text"] == "要报修吗？"][-1]
    keyboard = call.data["reply_markup"]["inline_keyboard"]
    assert keyboard[0][0]["callback_data"] == "不用"
    data: str = keyboard[1][0]["callback_data"]
    assert LONG not in data
    assert len(data.encode()) <= 64
    return data


def tap(data: str, sender: int = WANG, chat: int = WANG, **more: Any) -> dict[str, Any]:
    kind = {"type": "private", "first_name": "芳"} if chat > 0 else {"type": "supergroup", "title": "群"}
    bot = {"id": 7000001, "is_bot": True, "first_name": "邻里", "username": USERNAME}
    number = next(_updates)
    return {
        "update_id": number,
        "callback_query": {
            "id": str(number),
            "from": {"id": sender, "is_bot": False, "first_name": "芳"},
            "chat_instance": "1",
            "data": data,
            "message": {
                "message_id": 1,
                "date": 1741350900,
                "chat": {"id": chat, **kind},
                "from": bot,
                "text": "x",
            }
            | more,
        },
    }


async def words(lived: Lived) -> list[str]:
    return [row["words"] for row in await rows(lived.house, "select words from ticket order by id")]


async def test_a_tap_says_what_the_button_had_no_room_for(lived: Lived) -> None:
    data = await offered(lived, str(WANG))
    press = tap(data)
    await lived.told(press, press)
    await lived.hears(WANG, "已报修 #1", "水管")
    assert await words(lived) == [LONG]


async def test_it_works_after_a_restart(
    far_side: FarSide, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with lived_in(far_side, database_url, *NEIGHBOURS) as lived:
        data = await offered(lived, str(WANG))
    async with lived_in(far_side, database_url) as lived:
        await lived.told(tap(data))
        await lived.hears(WANG, "已报修 #1")


async def test_it_works_in_the_topic_of_a_group_for_who_taps(lived: Lived) -> None:
    data = await offered(lived, f"{GROUP}:17")
    await lived.told(tap(data, chat=GROUP, message_thread_id=17, is_topic_message=True))
    assert "501" not in await lived.hears(GROUP, "#1")
    assert await words(lived) == [LONG]


async def test_another_chat_has_no_use_for_it(lived: Lived) -> None:
    data = await offered(lived, str(WANG))
    await lived.told(tap(data, sender=LI, chat=LI))
    assert await lived.hears(LI, "") == NOTHING
    await lived.told(tap(data, chat=GROUP))
    assert await lived.hears(GROUP, "") == NOTHING
    assert await words(lived) == []


async def test_after_a_month_it_says_nothing(lived: Lived) -> None:
    data = await offered(lived, str(WANG))
    turn(lived.house, days=31)
    await lived.told(tap(data))
    assert await lived.hears(WANG, "文字") == NOTHING


@pytest.mark.parametrize("data", ["button:999999.0", "button:0.0", "button:999999999999999999.999"])
async def test_what_was_never_offered_says_nothing(lived: Lived, data: str) -> None:
    await lived.told(tap(data))
    assert await lived.hears(WANG, "") == NOTHING


async def test_a_button_that_is_not_there_says_nothing(lived: Lived) -> None:
    data = await offered(lived, str(WANG))
    await lived.told(tap(data.rpartition(".")[0] + ".7"))
    assert await lived.hears(WANG, "文字") == NOTHING
