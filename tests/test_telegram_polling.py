"""Telegram by long polling: nothing is confirmed before it is kept, and no chat waits for another."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from bot.channels import telegram_polling
from bot.channels.base import Incoming
from bot.channels.pace import Patience
from tests.fakes.telegram import FarSide
from tests.fakes.telegram_house import polling, said, until


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Patience, "FIRST", 0.05)
    monkeypatch.setattr(Patience, "MOST", 0.1)
    monkeypatch.setattr(telegram_polling, "LOOK_AGAIN", 0.05)
    monkeypatch.setattr(telegram_polling, "LONG_POLL", 1)


async def test_updates_come_in_order_and_are_confirmed_after(far_side: FarSide, tmp_path: Path) -> None:
    for number in range(1, 6):
        far_side.queue(said(number, str(number)))
    async with polling(far_side, tmp_path) as house:
        await until(lambda: house.texts == ["1", "2", "3", "4", "5"] and not far_side.waiting())
        assert not house.channel.routes()


async def test_what_was_not_kept_is_not_confirmed(far_side: FarSide, tmp_path: Path) -> None:
    broken = True
    tried = []

    async def obey(incoming: Incoming) -> None:
        tried.append(incoming.text)
        if broken and incoming.chat == "5":
            raise RuntimeError("database away")

    for number, (text, chat) in enumerate([("甲", 6), ("一", 5), ("二", 5), ("乙", 6)], 1):
        far_side.queue(said(number, text, chat))
    async with polling(far_side, tmp_path, obey) as house:
        await until(lambda: tried.count("一") >= 3 and far_side.waiting() == [2, 3, 4])
        assert house.texts == ["甲", "乙"]
        assert "二" not in tried
        broken = False
        await until(lambda: not far_side.waiting())
        assert house.texts == ["甲", "乙", "一", "二"]
        assert house.channel.counters.items()["not kept"] >= 3


async def test_what_can_never_be_handled_does_not_hide_the_others_for_ever(
    far_side: FarSide, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Telegram shows a hundred updates; the hundred and first is seen when the first is confirmed."""
    monkeypatch.setattr(telegram_polling, "GIVE_UP", 3)
    tried: Counter[str] = Counter()
    aside: list[tuple[int, Any]] = []

    async def obey(incoming: Incoming) -> None:
        tried[incoming.text] += 1
        if incoming.text == "毒":
            raise RuntimeError("never")

    async def keep_aside(number: int, update: str) -> None:
        aside.append((number, json.loads(update)))

    poison = said(1, "毒")
    far_side.queue(poison)
    for number in range(2, 131):
        far_side.queue(said(number, str(number), chat=number % 40 + 6))
    async with polling(far_side, tmp_path, obey, keep_aside) as house:
        await until(lambda: len(house.heard) == 129 and not far_side.waiting())
        assert tried["毒"] >= 5
        assert house.channel.counters.items()["given up"] == 1
    assert aside == [(1, poison)]
    assert "毒" not in caplog.text


async def test_while_the_database_is_away_nothing_is_given_up(
    far_side: FarSide, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor when it is back, from what had been tried in vain before."""
    monkeypatch.setattr(telegram_polling, "GIVE_UP", 1)
    tried: Counter[str] = Counter()
    away, asked = True, []

    async def obey(incoming: Incoming) -> None:
        tried[incoming.text] += 1
        if away:
            raise RuntimeError("database away")

    async def keep_aside(number: int, _: str) -> None:
        asked.append(number)
        if away:
            raise RuntimeError("database away")

    for number in range(1, 131):
        far_side.queue(said(number, str(number), chat=number))
    async with polling(far_side, tmp_path, obey, keep_aside) as house:
        await until(lambda: tried["1"] >= 4 and len(asked) >= 2)
        assert not house.heard
        away = False
        await until(lambda: len(house.heard) == 130 and not far_side.waiting(), 10)
        assert "given up" not in house.channel.counters.items()


async def test_a_second_poller_is_survived(far_side: FarSide, tmp_path: Path) -> None:
    far_side.fault("getUpdates", "409", times=3)
    far_side.queue(said(1, "一"))
    async with polling(far_side, tmp_path) as house:
        await until(lambda: house.texts == ["一"] and not far_side.waiting())


async def test_it_leaves_telegram_alone_for_as_long_as_it_is_told(far_side: FarSide, tmp_path: Path) -> None:
    far_side.fault("getUpdates", "429")  # retry after 2
    far_side.queue(said(1, "一"))
    async with polling(far_side, tmp_path) as house:
        begun = asyncio.get_running_loop().time()
        await until(lambda: house.texts == ["一"])
        assert 1.9 < asyncio.get_running_loop().time() - begun < 4


async def test_a_group_that_moved_is_kept_before_it_is_confirmed(far_side: FarSide, tmp_path: Path) -> None:
    moves: list[tuple[str, str]] = []

    async def moved(old: str, new: str) -> None:
        moves.append((old, new))
        if len(moves) == 1:
            raise RuntimeError("database away")

    async with polling(far_side, tmp_path) as house:
        house.channel.on_migrate = moved
        far_side.queue(said(1, "", chat=-41, migrate_to_chat_id=-1002))
        far_side.queue(said(2, "", chat=-1002, migrate_from_chat_id=-41))
        await until(lambda: not far_side.waiting())
    assert moves == [("-41", "-1002")] * 2  # the first was not kept; the new group's word is the same


async def test_a_slow_chat_delays_no_other(far_side: FarSide, tmp_path: Path) -> None:
    slow = asyncio.Event()

    async def obey(incoming: Incoming) -> None:
        if incoming.text == "慢":
            await slow.wait()

    far_side.queue(said(1, "慢"))
    async with polling(far_side, tmp_path, obey) as house:
        await until(lambda: not slow.is_set() and far_side.calls("getMe"))
        for number in range(2, 5):
            far_side.queue(said(number, str(number), chat=6))
            await until(lambda wanted=str(number): wanted in house.texts, 1)  # type: ignore[misc]
        assert far_side.waiting() == [1, 2, 3, 4]
        slow.set()
        await until(lambda: not far_side.waiting())
        assert house.texts == ["2", "3", "4", "慢"]


async def test_after_a_restart_what_was_not_confirmed_comes_again(far_side: FarSide, tmp_path: Path) -> None:
    async def never(_: Incoming) -> None:
        await asyncio.Event().wait()

    far_side.queue(said(1, "水管漏了"))
    async with polling(far_side, tmp_path, never) as house:
        await until(lambda: far_side.calls("getMe"))
        await asyncio.sleep(0.1)
        assert not house.heard
    async with polling(far_side, tmp_path) as house:
        await until(lambda: house.heard)
        assert [one.id for one in house.heard] == ["1"]


async def test_a_restart_after_the_answer_brings_the_same_id(far_side: FarSide, tmp_path: Path) -> None:
    heard, stopped = [], asyncio.Event()

    async def obey(incoming: Incoming) -> None:
        heard.append(incoming.id)
        if len(heard) == 1:
            await far_side.stop()  # kept, but Telegram cannot be told any more
            stopped.set()

    far_side.queue(said(1, "水管漏了"))
    async with polling(far_side, tmp_path, obey):
        await until(stopped.is_set)
    await far_side.start()
    async with polling(far_side, tmp_path, obey):
        await until(lambda: not far_side.waiting())
    assert heard == ["1", "1"]


async def test_it_survives_telegram_being_away(far_side: FarSide, tmp_path: Path) -> None:
    await far_side.stop()
    async with polling(far_side, tmp_path) as house:
        await asyncio.sleep(0.2)
        await far_side.start()
        far_side.queue(said(1, "一"))
        await until(lambda: house.texts == ["一"])
        await far_side.stop()
        await asyncio.sleep(0.2)
        await far_side.start()
        far_side.queue(said(2, "二"))
        await until(lambda: house.texts == ["一", "二"])


@pytest.mark.parametrize("kind", ["500", "401", "garbage", "drop"])
async def test_it_survives_what_telegram_answers(far_side: FarSide, tmp_path: Path, kind: str) -> None:
    far_side.fault("getUpdates", kind, times=2)
    far_side.queue(said(1, "一"))
    async with polling(far_side, tmp_path) as house:
        await until(lambda: house.texts == ["一"])


async def test_a_webhook_of_former_days_is_taken_away(far_side: FarSide, tmp_path: Path) -> None:
    far_side.occupy()
    async with polling(far_side, tmp_path) as house:
        await until(lambda: far_side.calls("deleteWebhook") and not far_side.webhook())
        assert far_side.calls("deleteWebhook")[0].data.get("drop_pending_updates") in ("false", "False")
        far_side.occupy()  # and again while we poll
        far_side.queue(said(1, "一"))
        await until(lambda: house.texts == ["一"])


async def test_unreadable_updates_stop_nothing(far_side: FarSide, tmp_path: Path) -> None:
    far_side.queue({"update_id": 1, "message": "?"})
    far_side.queue({"update_id": 2, "quantum": {}})
    far_side.queue(said(3, "一"))
    async with polling(far_side, tmp_path) as house:
        await until(lambda: house.texts == ["一"] and not far_side.waiting())
        assert house.channel.counters.items() == {"unreadable": 1, "unknown": 1}


async def test_after_a_quiet_week_telegram_counts_from_anywhere(
    far_side: FarSide, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telegram_polling, "LONG_POLL", 0)
    far_side.queue(said(5000, "一"))
    async with polling(far_side, tmp_path) as house:
        await until(lambda: not far_side.waiting())
        await asyncio.sleep(0.1)  # polls that brought nothing
        far_side.queue(said(17, "二"))
        await until(lambda: house.texts == ["一", "二"])
