"""What only one process may have: a lease that ends by itself."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from bot import bookmarks
from bot.app import House
from tests.house import open_house

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)


async def lease(house: House, owner: str, after: float = 0.0, seconds: float = 15.0) -> bool:
    now = NOON + timedelta(seconds=after)
    return await house.store.run(lambda db: bookmarks.lease(db, "aibot", owner, now=now, seconds=seconds))


async def test_it_belongs_to_one_until_it_ends_or_is_given_back(house: House) -> None:
    assert await lease(house, "one")
    assert not await lease(house, "two", 14)
    assert await lease(house, "one", 14)  # kept by asking again
    assert not await lease(house, "two", 28)
    assert await lease(house, "two", 30)  # the first is gone
    assert not await lease(house, "one", 31)
    assert await lease(house, "two", 32, seconds=0)
    assert await lease(house, "one", 33)


async def test_who_gives_back_what_another_has_takes_nothing(house: House) -> None:
    assert await lease(house, "one")
    assert not await lease(house, "two", 1, seconds=0)
    assert not await lease(house, "two", 2)


@pytest.mark.postgres
async def test_of_many_processes_that_want_it_at_once_one_gets_it(database_url: str) -> None:
    houses = [await open_house(database_url, channels=[]) for _ in range(3)]
    try:
        for name in ("a", "b", "c", "d"):
            got = await asyncio.gather(
                *(house.desk("aibot").lease(name, 15) for house in houses for _ in "123")
            )
            assert sum(got) == 3  # each of the three times that its one process asks
            owners = {n // 3 for n, one in enumerate(got) if one}
            assert len(owners) == 1
    finally:
        for house in houses:
            await house.close()


@pytest.mark.sqlite
async def test_the_only_process_has_everything(house: House) -> None:
    assert await house.desk("aibot").lease("aibot", 15)
    assert await house.desk("wecom").lease("aibot", 15)
