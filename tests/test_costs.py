"""Money and parts with several at once, and what no story can bring about."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.app import House
from bot.domain import parts
from bot.domain.people import Role
from tests.house import Who, captured, declare, message, open_house, rows, say, turn, value
from tests.test_race import at_once
from tests.test_staff_group import staffed

FAMILY = tuple(Who(f"w{n}", f"王{n}", Role.RESIDENT, ("3", "2", "501")) for n in range(4))


@pytest.fixture
async def houses(house: House) -> AsyncIterator[list[House]]:
    if house.store.sqlite:
        yield [house]
        return
    second = await open_house(house.store.url)
    yield [house, second]
    await second.close()


async def quoted(house: House, price: str = "60元") -> None:
    await declare(house, *FAMILY)
    await say(house, "wang", "厨房水管漏水了")
    await say(house, "li", "接1")
    await say(house, "li", f"1 报价 {price} 换角阀")


async def test_of_a_yes_and_a_no_at_once_the_first_counts(houses: list[House]) -> None:
    house = houses[0]
    await quoted(house)
    answers = [
        message(one.account, f"#1 {'同意' if n % 2 else '不同意'} 60 元") for n, one in enumerate(FAMILY)
    ]
    await at_once(houses, *answers)
    await house.settle()
    (cost,) = await rows(house, "select state, answered_id from cost")
    assert cost["state"] in ("agreed", "refused")
    assert await value(house, "select state from ticket") == "处理中"
    said = [text for one in FAMILY for text in captured(house).texts(one.account)]
    assert sum(text.startswith("好的，#1") for text in said) == 1
    assert sum("已经答复过了" in text for text in said) == len(FAMILY) - 1
    told = [text for text in captured(house).texts("li") if "同意" in text and "报价" not in text[:8]]
    assert sum(text.startswith("王") for text in told) == 1


async def test_the_last_pieces_are_counted_once_each(houses: list[House]) -> None:
    """Twenty on the books, five times six used at once: the books say zero, and that it can't be."""
    house = houses[0]
    for ref, room in enumerate(("厨房", "卫生间", "阳台", "主卧", "书房"), 1):
        await say(house, "wang", f"{room}水管漏水了")
        await say(house, "li", f"接{ref}")
    tickets = await value(house, "select count(*) as n from ticket where state = '已接单'")
    done = [message("li", f"{ref} 修好了，换了6个角阀，没收钱", chat="li") for ref in range(1, tickets + 1)]
    await at_once(houses, *done)
    await house.settle()
    assert await value(house, "select count from stock where item = '角阀'") == max(20 - 6 * tickets, 0)
    low = [text for text in captured(house).texts("chen") if text.startswith("【库存少】")]
    assert len(low) == 1


async def test_the_price_of_who_has_left_is_void(house: House) -> None:
    await quoted(house)
    await say(house, "li", "1 退回，我弄不了")
    await say(house, "zhang", "接1")
    (said,) = await say(house, "wang", "#1 同意 60 元")
    assert "已经答复过了" in said or "没有要您同意" in said
    assert await value(house, "select state from cost") == "asked"
    await say(house, "zhang", "1 报价 50元 换角阀")
    (said,) = await say(house, "wang", "#1 同意 60 元")
    assert "现在是 50 元" in said
    (said,) = await say(house, "wang", "1")
    assert "您同意了" in said
    assert [row["state"] for row in await rows(house, "select state from cost order by id")] == [
        "replaced",
        "agreed",
    ]


async def test_nothing_is_ever_agreed_by_silence(house: House) -> None:
    await quoted(house)
    for _ in range(40):
        turn(house, days=1)
        await house.settle()
    assert await value(house, "select state from cost") == "asked"
    assert await value(house, "select state from ticket") == "等待"
    assert any(text.startswith("【费用没答复】") for text in captured(house).texts("chen"))


async def test_a_booking_was_agreed_to_by_booking(house: House) -> None:
    """What is on the catalogue's price needs no second yes; more does."""
    await declare(house, Who("liu", "刘阿姨", Role.STAFF, trades=("保洁",)))
    await say(house, "wang", "明天上午九点擦玻璃")
    await say(house, "wang", "1")
    ref = await value(house, "select ref from ticket")
    assert await value(house, "select assignee_id is not null as yes from ticket")
    (said,) = await say(house, "liu", f"{ref} 做完了，收了100元")
    assert "费用 100 元，已同意" in said


async def test_staff_s_group_reads_nothing_of_money() -> None:
    """Prices, answers, disputes and reminders go to the persons alone."""
    async with staffed() as (here, posted):
        await here.say("王芳", "厨房水管漏水了")
        await here.say("老李", "接1")
        await here.say("老李", "1 报价 67元 换角阀")
        await here.say("王芳", "67元太贵了，能不能便宜点")
        await here.say("王芳", "2")
        assert "没同意" in here.last["老李"]
        await here.say("老李", "1 报价 58元 换角阀")
        await here.wait(days=1)
        await here.wait(days=3)
        await here.say("王芳", "1 同意")
        assert "同意了" in here.last["老李"]
        await here.say("老李", "1 修好了，收了79元")
        await here.say("王芳", "有异议")
        await here.wait(days=8)
        assert posted
        money = re.compile(r"67|58|79|\d\s*元")
        assert [one.text for one in posted if money.search(one.text)] == []


@pytest.mark.parametrize(
    ("table", "fault"),
    [
        ({"name": "角阀", "counts": 3}, "不认识 counts"),
        ({"name": "角阀", "count": -1}, "count"),
        ({"name": "角阀", "low": "3"}, "low"),
        ({"name": "角 阀"}, "name"),
        ({"name": ""}, "name"),
        ({"name": "角阀", "words": "三角阀"}, "words"),
        ({"name": "角阀", "price": 0.005}, "price"),
        ({"name": "角阀", "price": -1}, "price"),
        ({"name": "角阀", "words": ["角阀"]}, "写了两遍"),
    ],
)
def test_a_wrong_table_of_parts_is_named(table: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        parts.read([table])


def test_parts_of_the_file() -> None:
    (valve,) = parts.read([{"name": "角阀", "words": ["三角阀"], "count": 3, "low": 1, "price": 29.9}])
    assert valve.price == 2990
    assert parts.meant((valve,), "铜三角阀") is valve
    assert parts.meant((valve,), "软管") is None
    with pytest.raises(ValueError, match="parts"):
        parts.read({"name": "角阀"})
