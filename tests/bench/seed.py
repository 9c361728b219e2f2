"""A database in which everybody is known already: residents of many flats, and one plumber."""

from __future__ import annotations

from itertools import product
from pathlib import Path

from tortoise.backends.base.client import BaseDBAsyncClient

from bot.app import House
from bot.config import Settings
from bot.domain import people
from bot.domain.people import Role

SAID = "厨房水管漏水了，麻烦派人来看看"
RESIDENTS = 1000
STAFF = "900000"


_ROOMS = ("厨房", "卫生间", "阳台", "主卧", "次卧", "客厅", "书房", "餐厅", "浴室", "洗手间")


def said(number: int) -> str:
    """What is reported: of a household that reports again, another room; the same would join the first."""
    return SAID.replace("厨房", _ROOMS[number // RESIDENTS % len(_ROOMS)])


def url(folder: Path) -> str:
    return f"sqlite://{folder / 'linli.db'}"


def resident(number: int) -> str:
    """The account of a resident, on whichever channel."""
    return str(100000 + number % RESIDENTS)


async def settle(house: House, channel: str, staff: str = "") -> None:
    """Residents of the sample community, one in each flat, and who gets their alerts (by `staff`)."""
    community = next(iter(house.communities))
    flats = product(map(str, range(1, 13)), "123", range(1, 19), ("01", "02", "03", "04"))

    async def work(db: BaseDBAsyncClient) -> None:
        worker = await people.meet(db, community, staff or channel, STAFF, "老李", 0)
        await people.grant(db, worker, Role.STAFF, trades=["水电"])
        for number in range(RESIDENTS):
            building, unit, floor, door = next(flats)
            person = await people.meet(db, community, channel, resident(number), "王芳", 0)
            await people.grant(db, person, Role.RESIDENT)
            flat = await people.home(db, community, building, unit, f"{floor}{door}")
            await people.settle(db, person, flat)

    await house.store.run(work)


async def fill(folder: Path, channel: str, staff: str = "") -> None:
    """A new database in `folder`, settled."""
    house = House(Settings(database_url=url(folder)))
    await house.open(migrate=True)
    try:
        await settle(house, channel, staff)
    finally:
        await house.close()
