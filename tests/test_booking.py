"""Bookings: the last place is taken once, whatever happens at once; and what no story can set up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from bot.app import House
from bot.domain import hours, series
from bot.domain.catalogue import Catalogue, Service, Worker
from bot.domain.communities import CommunityError, read_file
from bot.domain.people import Role
from bot.responses import Wording
from tests.chat import Town, town
from tests.house import Who, captured, declare, message, open_house, rows, say, value
from tests.test_dispatch import HOME, settle

DAILY = hours.read({"每天": ["09:00-12:00"]})
GLASS = Service("擦玻璃", "window_cleaning", 120, 100, DAILY, trades=frozenset({"保洁"}))
ROOM = Service("会议室", "facility", 60, 0, DAILY, capacity=1, ahead=1)


@asynccontextmanager
async def stocked(catalogue: Catalogue) -> AsyncIterator[Town]:
    """A household and a cleaner in a community with this catalogue."""
    async with town() as here:
        own = here.community
        here.house.communities[own.id] = replace(own, catalogue=catalogue)
        await settle(here, "王芳", Role.RESIDENT, HOME)
        await settle(here, "刘阿姨", Role.STAFF, trades=("保洁",))
        yield here


def restock(here: Town, catalogue: Catalogue) -> None:
    own = here.house.communities[here.community.id]
    here.house.communities[own.id] = replace(own, catalogue=catalogue)


async def without_catalogue() -> None:
    """Nothing is guessed where a community keeps no catalogue."""
    async with stocked(Catalogue()) as here:
        assert "还没有开家政目录" in await here.say("王芳", "约个保洁")
        assert "还没有开家政目录" in await here.say("王芳", "擦玻璃多少钱")
        assert "还没有开放场地预订" in await here.say("王芳", "明晚七点订羽毛球场一小时")


async def full() -> None:
    """Every slot of all days is taken; and a service that the file forgets."""
    short = replace(GLASS, ahead=2)
    async with stocked(Catalogue((short,), (ROOM,))) as here:
        # 10:00: of today nothing is left in time, tomorrow has one slot
        assert "明天 09:00–11:00" in await here.say("王芳", "约擦玻璃")
        assert "已约 #1" in await here.say("王芳", "1")
        assert "一个空也没有" in await here.say("王芳", "约擦玻璃")
        await here.say("王芳", "订会议室今天上午十一点")
        assert "最近都订满了" in await here.say("王芳", "订会议室明天上午九点")
        assert "1 每周五" in await _weekly(here)
        restock(here, Catalogue())
        assert "目录里已经没有「擦玻璃」" in await here.say("王芳", "1改到明天上午十点")


async def _weekly(here: Town) -> str:
    restock(here, Catalogue((GLASS,)))
    return await here.say("王芳", "每周五上午擦玻璃")


async def forgotten() -> None:
    """A series whose service is no longer in the file says so, once, and ends."""
    async with stocked(Catalogue((GLASS,))) as here:
        await here.say("王芳", "每周五上午擦玻璃")
        assert "约好了" in await here.say("王芳", "1")
        restock(here, Catalogue())
        told = await here.wait(days=8)
        assert "目录里没有这一项了，以后的不再约" in told["王芳"]


async def test_a_community_without_catalogue_says_so() -> None:
    await without_catalogue()


async def test_what_is_full_is_said_to_be_full() -> None:
    await full()


async def test_a_series_of_a_forgotten_service_ends() -> None:
    await forgotten()


async def test_workers_have_their_own_hours_and_skills() -> None:
    own = {
        "刘阿姨": Worker(hours.read({"每天": ["10:00-12:00"]})),
        "孙阿姨": Worker(services=frozenset({"做饭"})),
    }
    async with stocked(Catalogue((GLASS,), workers=own)) as here:
        await settle(here, "孙阿姨", Role.STAFF, trades=("保洁",))
        offered = await here.say("王芳", "明天上午九点擦玻璃")
        assert "明天 10:00–12:00，刘阿姨" in offered
        assert "孙阿姨" not in offered
        assert "09:00" not in offered.partition("约满了")[2]


async def test_a_service_may_have_fewer_places_than_workers() -> None:
    async with stocked(Catalogue((replace(GLASS, capacity=1),))) as here:
        await settle(here, "孙阿姨", Role.STAFF, trades=("保洁",))
        await here.say("王芳", "明天上午九点擦玻璃")
        assert "已约 #1" in await here.say("王芳", "1")
        assert "那个时间约满了" in await here.say("王芳", "明天上午九点擦玻璃")


# ------------------------------------------------------------------------- at the same time


@pytest.fixture
async def houses(house: House) -> AsyncIterator[list[House]]:
    """On PostgreSQL two, as two processes would be."""
    if house.store.sqlite:
        yield [house]
        return
    second = await open_house(house.store.url)
    yield [house, second]
    await second.close()


async def _neighbours(house: House, count: int) -> list[Who]:
    doors = [f"{floor}0{door}" for floor in range(1, 14) for door in range(1, 5)][:count]
    many = [Who(f"r{room}", f"住户{room}", Role.RESIDENT, ("5", "1", room)) for room in doors]
    await declare(house, *many)
    return many


async def _at_once(houses: list[House], many: list[Who], text: str) -> list[str]:
    """All say it in one instant; what each hears."""
    async with asyncio.timeout(60):
        await asyncio.gather(
            *(houses[n % len(houses)].handle(message(one.account, text)) for n, one in enumerate(many))
        )
    found = []
    for one in many:
        said = await rows(
            houses[0], "select text from outbox where chat = $1 order by id desc limit 1", one.account
        )
        found.append(said[0]["text"])
    return found


async def test_the_last_place_is_taken_once(houses: list[House]) -> None:
    """One cleaner, one slot, twelve households who see it and answer in the same instant."""
    house = houses[0]
    await declare(house, Who("liu", "刘阿姨", Role.STAFF, trades=("保洁",)))
    many = await _neighbours(house, 12)
    for one in many:
        (offered,) = await say(house, one.account, "明天上午九点擦玻璃")
        assert "1 明天 09:00–11:00，刘阿姨" in offered
    answers = await _at_once(houses, many, "1")
    won = [text for text in answers if text.startswith("已约 #1")]
    assert len(won) == 1
    lost = [text for text in answers if "刚刚被约走了" in text]
    assert len(lost) == 11
    assert all("1 明天" in text or "1 后天" in text for text in lost), "alternatives at once"
    assert await value(house, "select count(*) as n from ticket") == 1
    assert await value(house, "select count(*) as n from booking") == 1
    assert await value(house, "select count(*) as n from taken") == 4
    # and again, for what is left: every round has one winner, nobody gets a half
    for _ in range(3):
        answers = await _at_once(houses, many, "1")
        assert sum(text.startswith("已约 #") for text in answers) >= 1
    assert await value(
        house,
        "select count(*) as n from booking a join booking b on a.worker_id = b.worker_id and a.id < b.id"
        " and a.start_ms < b.end_ms and b.start_ms < a.end_ms",
    ) == 0  # fmt: skip


async def test_a_room_holds_as_many_as_it_has_places(houses: list[House]) -> None:
    house = houses[0]
    many = await _neighbours(house, 9)
    answers = await _at_once(houses, many, "明晚七点订羽毛球场一小时")
    assert sum(text.startswith("订好了") for text in answers) == 2
    assert sum("1 明天" in text for text in answers) == 7


async def test_slots_that_overlap_count_as_taken_too(houses: list[House]) -> None:
    """A cleaning of three hours and a window of two, begun at different times, with one cleaner."""
    house = houses[0]
    await declare(house, Who("liu", "刘阿姨", Role.STAFF, trades=("保洁",)))
    many = await _neighbours(house, 10)
    day = (house.clock.now() + timedelta(days=2)).strftime("%Y-%m-%d")
    texts = [f"约日常保洁 {day} 09:00 刘阿姨", f"约擦玻璃 {day} 10:00 刘阿姨"]
    async with asyncio.timeout(60):
        await asyncio.gather(
            *(
                houses[n % len(houses)].handle(message(one.account, texts[n % 2]))
                for n, one in enumerate(many)
            )
        )
    assert await value(house, "select count(*) as n from booking") == 1


async def test_a_household_has_its_share_and_no_more(houses: list[House]) -> None:
    """Ten of one family at once: two open bookings of the badminton court, whoever asks."""
    house = houses[0]
    family = [Who(f"f{n}", f"家人{n}", Role.RESIDENT, ("5", "1", "101")) for n in range(6)]
    await declare(house, *family)
    async with asyncio.timeout(60):
        await asyncio.gather(
            *(
                houses[n % len(houses)].handle(message(one.account, f"后天上午{n + 8}点订羽毛球场"))
                for n, one in enumerate(family)
            )
        )
    assert await value(house, "select count(*) as n from booking") == 2
    refused = [text for one in family for text in captured(house).texts(one.account)]
    assert refused == []  # nothing was delivered yet: what was said is in the outbox
    said = await rows(house, "select text from outbox where text like '您家在羽毛球场已有 2 个%'")
    assert len(said) == 4


# -------------------------------------------------------------------------------- the rules


@pytest.mark.parametrize(
    ("rule", "said", "days"),
    [
        ("FREQ=WEEKLY;BYDAY=WE", "每周三", [4, 11, 18]),
        ("FREQ=WEEKLY;BYDAY=MO,FR", "每周一、五", [2, 6, 9]),
        ("FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", "工作日", [2, 3, 4]),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO", "每 2 周的周一", [2, 16, 30]),
        ("FREQ=DAILY", "每天", [2, 3, 4]),
        ("FREQ=DAILY;INTERVAL=3", "每 3 天", [2, 5, 8]),
        ("FREQ=MONTHLY;BYMONTHDAY=5", "每月 5 号", [5]),
    ],
)
def test_a_rule_names_its_days(rule: str, said: str, days: list[int]) -> None:
    march = [date(2026, 3, n) for n in range(1, 32)]
    assert series.say(rule) == said
    assert series.readable(rule + ";BYHOUR=9;BYMINUTE=0")
    found = [day.day for day in march if series.falls(rule, date(2026, 3, 2), day)]
    assert found[: len(days)] == days


@pytest.mark.parametrize("rule", ["FREQ=YEARLY", "FREQ=WEEKLY", "FREQ=MONTHLY;BYDAY=1MO", "FREQ=HOURLY"])
def test_other_rules_are_not_guessed(rule: str) -> None:
    assert not series.readable(rule)


def test_a_day_is_in_its_hours() -> None:
    at = datetime(2026, 4, 6)  # noqa: DTZ001 - 清明
    assert GLASS.spans(at.date()) == ()
    assert GLASS.closed_for_festival(at.date())
    assert replace(GLASS, festivals=True).spans(at.date()) == ((540, 720),)
    assert GLASS.starts(date(2026, 4, 8), 120) == [540, 570, 600]


WORKER = "[[workers]]\nname = '刘'\nservices = ['做饭']"
ROOMS = "name = '甲'\n[[facilities]]\nname = '球场'\n"
BASE = "name = '甲'\n[trades]\n'保洁' = []\n[[services]]\n"
GOOD = (
    "category = 'cleaning'\nname = '保洁'\nminutes = 60\nprice = 50\nhours = { '每天' = ['09:00-12:00'] }\n"
)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (BASE, "services[1].name: 要写名字"),
        (BASE + GOOD.replace("cleaning", "洗"), "services[1]（保洁）.category"),
        (BASE + GOOD.replace("price = 50", "price = '50'"), "（保洁）.price: 要写整数（元，免费写 0）"),
        (BASE + GOOD.replace("price = 50\n", ""), "services[1]（保洁）.price"),
        (BASE + GOOD.replace("minutes = 60", "minutes = 0"), "services[1]（保洁）.minutes: 要写整数（分钟）"),
        (BASE + GOOD.replace("09:00-12:00", "9点"), "services[1]（保洁）.hours.每天"),
        (BASE + GOOD + "trades = ['木工']", "services[1]（保洁）.trades: [trades] 里没有「木工」"),
        (BASE + GOOD + "colour = 1", "services[1]: 不认识 colour"),
        (BASE + GOOD + "festivals = 1", "festivals: true 或 false"),
        (BASE + GOOD + "words = '洗'", "words: 写成一串"),
        (BASE + GOOD.replace("'保洁'", "'保洁2'"), "名字里不要数字和空格"),
        (BASE + GOOD.replace("hours = { '每天' = ['09:00-12:00'] }", "hours = 3"), "hours: 写成"),
        (BASE + GOOD.replace("hours = { '每天' = ['09:00-12:00'] }\n", ""), "hours: 哪天几点可以约"),
        (BASE + GOOD + "[[services]]\n" + GOOD, "「保洁」写了两遍"),
        (BASE + GOOD + WORKER, "workers[1].services: [[services]] 里没有「做饭」"),
        ("name = '甲'\n[services]\na = 1", "services: 一项一个表"),
        (ROOMS + GOOD.split("\n", 2)[2] + "trades = []", "facilities[1]: 不认识 trades"),
    ],
)  # fmt: skip
def test_a_fault_in_the_catalogue_is_told_with_its_place(tmp_path: Path, text: str, fault: str) -> None:
    path = tmp_path / "a.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(CommunityError) as told:
        read_file(path, Wording.load())
    assert str(told.value).startswith("a.toml: ")
    assert fault in str(told.value)
    assert "\n" not in str(told.value)
