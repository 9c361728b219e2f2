"""Who is on duty at an instant, and when somebody is, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from tortoise.backends.base.client import BaseDBAsyncClient

from bot.app import House
from bot.domain import people, roster
from bot.domain.roster import Shift
from bot.store import Statement
from tests.house import rows

_CLEAR = Statement("delete from duty where id > $1 returning id")


@pytest.fixture(autouse=True)
async def nobody_stands(house: House) -> None:
    """Who is declared in tests is on duty whatever the hour: not here."""
    await house.store.run(lambda db: _CLEAR.rows(db, 0))


NOON = datetime(2026, 10, 1, 4, 0, tzinfo=UTC)  # 12:00 there
HOUR = timedelta(hours=1)


async def ids(house: House) -> dict[str, int]:
    return {row["name"]: row["id"] for row in await rows(house, "select id, name from person")}


async def enter(house: House, *entries: tuple[str, datetime, datetime]) -> None:
    """Put shifts into the roster: the name, from, until."""
    by_name = await ids(house)

    async def work(db: BaseDBAsyncClient) -> None:
        for name, start, end in entries:
            await roster.put(db, await people.get(db, by_name[name]), start, end, now=NOON)

    await house.store.run(work)


async def stand(house: House, name: str) -> None:
    number = (await ids(house))[name]

    async def work(db: BaseDBAsyncClient) -> None:
        await roster.stand(db, await people.get(db, number))

    await house.store.run(work)


async def community(house: House) -> int:
    found = house.community("xingfuli")
    assert found is not None
    return found.id


async def on_duty(house: House, at: datetime) -> set[str]:
    number = await community(house)
    found = await house.store.run(lambda db: roster.on_duty(db, number, at))
    return {name for name, person in (await ids(house)).items() if person in found}


async def covers(house: House, start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
    number = await community(house)
    return await house.store.run(lambda db: roster.covers(db, number, start, end))


async def shifts(house: House, start: datetime, end: datetime) -> list[Shift]:
    number = await community(house)
    return await house.store.run(lambda db: roster.shifts(db, number, start, end))


async def test_on_duty_from_the_first_instant_to_before_the_last(house: House) -> None:
    await enter(house, ("老李", NOON, NOON + HOUR), ("小张", NOON + HOUR, NOON + 2 * HOUR))
    assert await on_duty(house, NOON - timedelta(milliseconds=1)) == set()
    assert await on_duty(house, NOON) == {"老李"}
    assert await on_duty(house, NOON + HOUR) == {"小张"}
    assert await on_duty(house, NOON + 2 * HOUR) == set()


async def test_a_standing_duty_is_always_and_once(house: House) -> None:
    await stand(house, "陈班长")
    await stand(house, "陈班长")
    assert await on_duty(house, NOON) == {"陈班长"}
    (one,) = await shifts(house, NOON, NOON + HOUR)
    assert (one.name, one.start, one.end, one.standing) == ("陈班长", None, None, True)


async def test_shifts_that_touch_a_span_only_at_its_ends_are_not_in_it(house: House) -> None:
    await enter(
        house,
        ("老李", NOON - HOUR, NOON),
        ("小张", NOON - HOUR, NOON + timedelta(minutes=1)),
        ("陈班长", NOON + HOUR, NOON + 2 * HOUR),
    )
    assert [one.name for one in await shifts(house, NOON, NOON + HOUR)] == ["小张"]


async def test_the_same_shift_twice_is_one(house: House) -> None:
    await enter(house, ("老李", NOON, NOON + HOUR), ("老李", NOON, NOON + HOUR))
    assert len(await shifts(house, NOON, NOON + HOUR)) == 1


async def test_covers(house: House) -> None:
    assert await covers(house, NOON, NOON + 4 * HOUR) == []
    await enter(
        house,
        ("老李", NOON - HOUR, NOON + HOUR),
        ("小张", NOON + HOUR, NOON + 2 * HOUR),
        ("陈班长", NOON + 3 * HOUR, NOON + 9 * HOUR),
    )
    wanted = [(NOON, NOON + 2 * HOUR), (NOON + 3 * HOUR, NOON + 4 * HOUR)]
    assert await covers(house, NOON, NOON + 4 * HOUR) == wanted
    await stand(house, "李主任")
    assert await covers(house, NOON, NOON + 4 * HOUR) == [(NOON, NOON + 4 * HOUR)]


async def test_another_community_has_a_roster_of_its_own(house: House) -> None:
    await enter(house, ("老李", NOON, NOON + HOUR))
    number = await community(house)
    assert await house.store.run(lambda db: roster.on_duty(db, number + 1, NOON)) == frozenset()
