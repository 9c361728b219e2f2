"""Several at once: exactly one gets through, nothing counts twice, nobody hears nothing.

On PostgreSQL two houses take turns in answering, as two processes would: each with connections of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from bot.app import House
from bot.domain.people import Role
from tests.house import PEOPLE, Who, captured, declare, message, open_house, rows, turn, value


@pytest.fixture
async def houses(house: House) -> AsyncIterator[list[House]]:
    if house.store.sqlite:
        yield [house]
        return
    second = await open_house(house.store.url)
    yield [house, second]
    await second.close()


async def at_once(houses: list[House], *messages: object) -> None:
    """All of them handed over in one instant, to one house after the other."""
    async with asyncio.timeout(60):
        await asyncio.gather(
            *(houses[n % len(houses)].handle(one) for n, one in enumerate(messages))  # type: ignore[arg-type]
        )


async def answers(house: House, chat: str) -> list[str]:
    return [
        row["text"] for row in await rows(house, "select text from outbox where chat = $1 order by id", chat)
    ]


async def test_of_two_claims_at_once_one_wins_and_the_other_hears_who(houses: list[House]) -> None:
    house = houses[0]
    winners = []
    for ref in range(1, 16):
        await house.handle(message("wang", f"5栋1单元{ref}01厨房水管漏水了"))
        before = {who: len(await answers(house, who)) for who in ("li", "zhang")}
        pair = [message("li", f"接 {ref}"), message("zhang", f"接 {ref}")]
        await at_once(houses, *(pair if ref % 2 else reversed(pair)))
        (ticket,) = await rows(
            house,
            "select p.name, t.state from ticket t join person p on p.id = t.assignee_id where t.ref = $1",
            ref,
        )
        assert ticket["state"] == "已接单"
        winner, loser = ("li", "zhang") if ticket["name"] == "老李" else ("zhang", "li")
        winners.append(winner)
        said = {who: (await answers(house, who))[before[who] :] for who in ("li", "zhang")}
        assert any("归您了" in text for text in said[winner])
        assert any(ticket["name"] in text for text in said[loser])
        assert not any("归您了" in text for text in said[loser])
    assert await value(house, "select count(*) as n from audit where verb = 'accept'") == 15
    assert set(winners) == {"li", "zhang"}  # it was a race, not an order


async def test_fifty_at_once_get_fifty_numbers_without_a_gap(houses: list[House]) -> None:
    house = houses[0]
    doors = [f"{floor}0{door}" for floor in range(1, 14) for door in range(1, 5)][:50]
    many = [Who(f"r{room}", f"住户{room}", Role.RESIDENT, ("5", "1", room)) for room in doors]
    await declare(house, *many)
    await at_once(houses, *(message(one.account, "厨房水管漏水了") for one in many))
    refs = [row["ref"] for row in await rows(house, "select ref from ticket order by ref")]
    assert refs == list(range(1, 51))
    for one in many:
        (answer,) = await answers(house, one.account)
        assert answer.startswith("已报修 #")


async def test_who_report_one_thing_at_once_make_one_incident(houses: list[House]) -> None:
    """Two of a staircase, of every building; then two of one flat the same thing of their own."""
    house = houses[0]
    for building in range(1, 11):
        both = [
            Who(f"{building}-{room}", f"住户{room}", Role.RESIDENT, (str(building), "1", room))
            for room in ("501", "1203", "802")
        ]
        await declare(house, *both)
        await at_once(houses, *(message(one.account, "电梯坏了") for one in both))
        assert await value(house, "select count(*) as n from ticket") == building
        assert await value(house, "select count(*) as n from joined") == 3 * building
        assert await value(house, "select count(*) as n from subscriber") == 3 * building
    await declare(house, Who("hua", "王华", Role.RESIDENT, ("3", "2", "501")))
    await at_once(houses, message("wang", "厨房水管漏水了"), message("hua", "厨房水管漏水"))
    assert await value(house, "select count(*) as n from ticket") == 11


async def test_joining_and_leaving_at_once_is_no_deadlock(houses: list[House]) -> None:
    """Who joins, who is taken out and who merges hold the same rows in another order."""
    house = houses[0]
    await declare(
        house, *(Who(f"r{n}", f"住户{n}", Role.RESIDENT, ("6", "1", f"{n}01")) for n in range(1, 18))
    )
    await house.handle(message("r1", "电梯坏了"))
    for n in range(2, 16, 2):
        await house.handle(message(f"r{n}", "电梯坏了"))
        await at_once(
            houses,
            message(f"r{n}", "#1 不是这个"),
            message(f"r{n + 1}", "电梯不动了"),
            message("chen", "1 怎么样了"),
        )
    assert await value(house, "select count(*) as n from ticket") == 8
    assert await value(house, "select count(*) as n from joined where ticket_id = 1") == 8


async def test_one_message_ten_times_at_once_counts_once(houses: list[House]) -> None:
    house = houses[0]
    for n in range(1, 11):
        await at_once(houses, *[message("wang", f"5栋1单元{n}01厨房水管漏水了", id=f"same-{n}")] * 10)
        assert await value(house, "select count(*) as n from ticket") == n
        assert len(await answers(house, "wang")) == n
    assert await value(house, "select count(*) as n from inbox") == 10


async def test_a_stranger_who_begins_in_two_chats_at_once_is_one_person(houses: list[House]) -> None:
    house = houses[0]
    for n in range(10):
        private = message(f"new{n}", "你好")
        group = replace(message(f"new{n}", "你好", chat="group"), id=f"g{n}")
        await at_once(houses, private, group)
    assert await value(house, "select count(*) as n from account where address like 'new%'") == 10
    assert await value(house, "select count(*) as n from person") == len(PEOPLE) + 10
    assert not any("出了点问题" in text for text in await answers(house, "group"))


async def test_two_remarks_at_once_are_both_kept(houses: list[House]) -> None:
    """Two of one household: each writes the whole ticket back, and neither writes the other's words away."""
    house = houses[0]
    await declare(house, Who("hua", "王华", Role.RESIDENT, ("3", "2", "501")))
    await house.handle(message("wang", "厨房水管漏水了"))
    for n in range(10):
        await at_once(
            houses, message("wang", f"1 补充：水流到甲{n}了"), message("hua", f"1 补充：水流到乙{n}了")
        )
    words = await value(house, "select words from ticket where ref = 1")
    assert [n for n in range(10) if f"甲{n}" not in words or f"乙{n}" not in words] == []


async def test_two_processes_that_tick_at_once_tell_everybody_once(houses: list[House]) -> None:
    house = houses[0]
    for building in range(1, 9):
        await house.handle(message("zhou", f"{building}栋着火了"))
    before = len(await answers(house, "chen"))
    assert before == 8
    for one in houses:
        turn(one, minutes=3)
    await asyncio.gather(*(one.jobs.tick() for one in (*houses, *houses)))
    again = (await answers(house, "chen"))[before:]
    assert len(again) == 8
    assert len(set(again)) == 8


async def test_two_who_answer_each_other_do_not_wait_for_ever(houses: list[House]) -> None:
    """Each turn writes into the other's conversation too: the order in which rows are locked differs."""
    house = houses[0]
    for ref in range(1, 9):
        await house.handle(message("wang", f"5栋1单元{ref}01厨房水管漏水了"))
        await house.handle(message("li", f"接 {ref}"))
        await at_once(
            houses,
            message("li", f"{ref} 修好了"),
            message("wang", f"{ref} 怎么样了"),
            message("li", f"{ref} 到了"),
            message("wang", "你好"),
        )
    assert await value(house, "select count(*) as n from inbox") == 8 * 6
    assert captured(house).sent == []
