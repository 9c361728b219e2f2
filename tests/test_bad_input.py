"""What people send by accident or on purpose: a clear Chinese answer, nothing lost, nothing leaked."""

from __future__ import annotations

import random

import pytest

from tests.house import captured, message, opened, rows, say, value


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "文字"),
        ("   ", "文字"),
        ("😀😂🎉", "文字"),
        ("！！！……", "文字"),
        ("\x00\x00", "文字"),
        ("好" * 10_000, "太长"),
        ("厨房水管漏水了，" * 1_300, "太长"),
        ("接 1", "师傅"),
        ("1 修好了", "没有找到 #1"),
        ("#999999999999 怎么样了", "没有"),
        ("撤销 4242", "没有找到 #4242"),
        ("同意 3-2-501", "居委会"),
    ],
)
async def test_a_resident_gets_a_clear_answer(database_url: str, text: str, words: str) -> None:
    async with opened(database_url) as house:
        (answer,) = await say(house, "wang", text)
        assert words in answer
        assert await value(house, "select count(*) as n from ticket") == 0
        assert await value(house, "select count(*) as n from inbox") == 1
        assert house.pipeline.counts["troubles"] == 0


async def test_null_bytes_do_not_hide_a_request(database_url: str) -> None:
    async with opened(database_url) as house:
        (answer,) = await say(house, "wang", "厨房水管\x00漏水了，\x00麻烦派人来看看")
        assert "#1" in answer
        assert "\x00" not in answer


async def test_danger_is_heard_in_a_message_that_is_too_long(database_url: str) -> None:
    async with opened(database_url) as house:
        (answer,) = await say(house, "wang", "厨房着火了，快来人！" + "我好害怕，" * 400)
        assert "119" in answer


async def test_nonsense_files_nothing_and_breaks_nothing(database_url: str) -> None:
    """Random characters of every plane, half surrogates left out: the channels refuse those."""
    dice = random.Random(7)
    planes = [(0x20, 0x7F), (0x4E00, 0x9FFF), (0x1F300, 0x1FAFF), (0, 0x20), (0xFF00, 0xFFEF), (0x600, 0x6FF)]
    async with opened(database_url) as house:
        for number in range(120):
            low, high = planes[number % len(planes)]
            text = "".join(chr(dice.randint(low, high)) for _ in range(dice.randint(1, 60)))
            await house.handle(message("zhou", text, chat=f"zhou{number}"))
        await house.settle()
        assert await value(house, "select count(*) as n from ticket") == 0
        assert house.pipeline.counts["troubles"] == 0


async def test_the_very_long_id_and_name_of_a_platform_are_cut_not_refused(database_url: str) -> None:
    async with opened(database_url) as house:
        long = message("wang", "帮助", id="x" * 500)
        await house.handle(long)
        await house.handle(long)
        await house.settle()
        assert len(captured(house).texts("wang")) == 1


async def test_what_breaks_is_answered_with_an_apology_and_the_deed_does_not_exist(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def breaks(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    async with opened(database_url) as house:
        monkeypatch.setattr("bot.domain.dispatch.workers", breaks)  # after the ticket was written
        (answer,) = await say(house, "wang", "厨房水管漏水了")
        assert "抱歉" in answer
        assert await rows(house, "select * from ticket") == []
        monkeypatch.undo()
        (answer,) = await say(house, "wang", "厨房水管漏水了")
        assert "#1" in answer
