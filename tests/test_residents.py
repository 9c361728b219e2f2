"""居民上报: orders that WeCom keeps become tickets, once each, whoever their reporter is."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tortoise.backends.base.client import BaseDBAsyncClient

from bot.app import House
from bot.channels import wechat_pictures, wecom_orders
from bot.channels.base import Outgoing, PermanentFailure
from bot.channels.pace import Patience
from bot.channels.wecom_residents import App, Residents
from bot.domain import households, people, work
from bot.messages import Incoming
from tests.fakes.telegram_house import until
from tests.fakes.wechat import FakeWeChat
from tests.fakes.wechat_credentials import NOBODY
from tests.house import captured, rows, say, value

WIRE = Path(__file__).parent / "wire/residents"
START = 1_772_589_600  # 2026-03-04 10:00 in Shanghai
LIST = "report/resident/get_order_list"
JPEG = b"\xff\xd8\xff\xe0" + b"a lamp that is dark"
FANG = "13800001111"


def recorded(name: str, **changed: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((WIRE / f"{name}.json").read_text("utf-8"))
    return found | changed


def order(number: str, desc: str, **changed: Any) -> dict[str, Any]:
    """An order of 王芳 without a place, made just after the door was opened."""
    given = {"order_id": number, "desc": desc, "create_time": START + 60} | changed
    return recorded("text", **given)


def understood(name: str) -> wecom_orders.Listed:
    found = wecom_orders.read(recorded(name), "residents")
    assert found is not None
    return found


@pytest.fixture
async def far() -> AsyncIterator[FakeWeChat]:
    far = FakeWeChat()
    await far.start()
    yield far
    await far.stop()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Patience, "FIRST", 0.02)


def residents(house: House, far: FakeWeChat, **given: Any) -> Residents:
    values: dict[str, Any] = {
        "desk": house.desk("residents"),
        "uploads": house.uploads,
        "api_base": far.base,
        "now": lambda: datetime.fromtimestamp(START, UTC),
        "every": 0.02,
    }
    return Residents(App(NOBODY.corp_id, NOBODY.wecom_secret), **(values | given))


@asynccontextmanager
async def polling(house: House, far: FakeWeChat, **given: Any) -> AsyncIterator[Residents]:
    """The door open, its first look taken; everything settles before it closes."""
    channel = residents(house, far, **given)
    house.add(channel)
    task = asyncio.create_task(channel.listen(house.handle))
    try:
        await looked(far)
        yield channel
        await looked(far)
        await house.settle()
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await channel.close()


async def looked(far: FakeWeChat, times: int = 2) -> None:
    """Until so many looks have begun from now on: the last but one has come to its end then."""
    before = len(far.calls(LIST))
    await until(lambda: len(far.calls(LIST)) >= before + times)


async def listed(house: House, home: tuple[str, str, str], name: str, phone: str) -> None:
    community = house.community("xingfuli")
    assert community is not None

    async def add(db: BaseDBAsyncClient) -> None:
        where = await people.home(db, community.id, *home)
        await households.add(db, where.id, name, phone)

    await house.store.run(add)


async def tickets(house: House) -> list[dict[str, Any]]:
    return await rows(house, "select * from ticket order by ref")


async def owed_there(house: House) -> int:
    """Messages to where nobody reads them."""
    return int(await value(house, "select count(*) as n from outbox where channel = 'residents'"))


# ------------------------------------------------------------------- an order, read


def test_an_order_is_read_whole() -> None:
    found = understood("full")
    assert (found.id, found.made, found.over) == ("ORDERinvented0001", 1772589660, False)
    assert found.pictures == (
        "https://wework.qpic.cn/wwpic/invented_report_1/0",
        "https://wework.qpic.cn/wwpic/invented_report_2/0",
    )
    incoming = found.incoming
    assert incoming.text == "3号楼2单元楼道灯不亮了\n地点：幸福里（幸福路18号3号楼）"
    assert (incoming.chat, incoming.sender) == ("ORDERinvented0001", "oUNION-invented-fang")
    assert (incoming.sender_name, incoming.group) == ("王芳", False)
    assert incoming.order is not None
    assert (incoming.order.phone, incoming.order.matter) == (FANG, "公共设施")
    assert "幸福里第一网格" in incoming.order.note
    assert "有 1 段视频" in incoming.order.note


def test_an_order_of_few_words() -> None:
    assert understood("picture").incoming.text == "公共设施\n地点：幸福里（幸福路18号3号楼）"
    assert understood("text").incoming.text == "小区门口垃圾没人收"
    nameless = understood("nameless").incoming
    assert (nameless.sender, nameless.sender_name) == ("order:ORDERinvented0004", "")


def test_an_order_that_is_done() -> None:
    assert understood("done").over


def test_an_order_that_is_odd_harms_nobody() -> None:
    assert wecom_orders.read(recorded("malformed_no_id"), "residents") is None
    assert understood("malformed_location").incoming.order is not None
    odd: object
    for odd in ("", [], {"order_id": 5}, {"order_id": ""}):
        assert wecom_orders.read(odd, "residents") is None
    bare = wecom_orders.read({"order_id": "1", "desc": 5, "process_list": ["x"]}, "residents")
    assert bare is not None
    assert bare.incoming.text == "（没有文字）"


@pytest.mark.parametrize("written", ["+86 138-0000-1111", "8613800001111", "138 0000 1111", FANG])
def test_a_phone_is_written_as_on_the_list(written: str) -> None:
    found = wecom_orders.read({"order_id": "1", "desc": "灯坏了", "reporter_mobile": written}, "residents")
    assert found is not None
    assert found.incoming.sender == f"tel:{FANG}"


# ------------------------------------------------------------------- whose it is


async def test_a_resident_on_the_list_has_a_ticket_at_once_and_hears_of_it_elsewhere(
    house: House, far: FakeWeChat
) -> None:
    await listed(house, ("3", "2", "501"), "王芳", FANG)
    async with polling(house, far):
        far.order(order("A1", "厨房水管漏水了", urge_type=3), START + 60)
    (ticket,) = await tickets(house)
    assert (ticket["building"], ticket["room"], ticket["category"]) == ("3", "501", "plumbing")
    assert (ticket["phone"], ticket["urgency"]) == (FANG, "urgent")
    (alert,) = captured(house).texts("li")
    assert "加急" in alert and "水管漏水，3栋2单元501厨房" in alert and "居民上报" in alert
    (answer,) = captured(house).texts("wang")
    assert answer.startswith("已报修 #1")
    assert await owed_there(house) == 0
    assert "王芳" in (await say(house, "li", "接 1"))[0]
    assert await owed_there(house) == 0


async def test_a_resident_on_the_list_who_never_wrote_to_us(house: House, far: FakeWeChat) -> None:
    await listed(house, ("5", "1", "1203"), "钱进", "13900002222")
    async with polling(house, far):
        far.order(
            order("A1", "厨房水管漏水了", reporter_name="钱进", reporter_mobile="13900002222", unionid="oQ"),
            START + 60,
        )
        await looked(far)
        far.order(
            order("A2", "卧室的灯不亮", reporter_name="钱进", reporter_mobile="13900002222", unionid="oQ"),
            START + 70,
        )
    first, second = await tickets(house)
    assert (first["room"], second["room"]) == ("1203", "1203")
    assert first["reporter_id"] == second["reporter_id"]
    assert await owed_there(house) == 0


async def test_a_home_and_a_phone_are_enough_as_everywhere(house: House, far: FakeWeChat) -> None:
    await listed(house, ("5", "1", "1203"), "钱进", "13900002222")
    async with polling(house, far):
        given = {"reporter_name": "小钱", "reporter_mobile": "13900002222"}
        far.order(order("A1", "5栋1单元1203 马桶堵了", **given), START + 60)
    (ticket,) = await tickets(house)
    assert (ticket["room"], ticket["state"]) == ("1203", "待接单")


async def test_a_name_alone_or_a_phone_alone_lets_nobody_in(house: House, far: FakeWeChat) -> None:
    await listed(house, ("3", "2", "501"), "王芳", "13700000000")
    await listed(house, ("4", "1", "101"), "孙平", FANG)
    async with polling(house, far):
        far.order(order("A1", "厨房水管漏水了"), START + 60)
    assert await tickets(house) == []


async def test_a_strangers_report_waits_with_its_pictures_for_the_committee(
    house: House, far: FakeWeChat
) -> None:
    given = {"reporter_name": "阿狸🦊", "image_urls": [far.picture(JPEG)], "unionid": "oAli"}
    async with polling(house, far):
        far.order(order("A1", "东门的路灯不亮了", **given), START + 60)
        await looked(far)
        assert await tickets(house) == []
        far.order(order("A2", "活动室门锁坏了", **given | {"image_urls": []}), START + 70)
    first, second = captured(house).texts("zhuren")
    assert "阿狸🦊（138****1111）报：东门的路灯不亮了" in first and "「同意 阿狸🦊」" in first
    assert "又报：活动室门锁坏了" in second
    assert FANG not in first + second
    assert len(captured(house).sent[0].photos) == 1
    (answer,) = await say(house, "zhuren", "同意 阿狸🦊")
    assert answer == "已同意：（没说住址） 阿狸🦊。"
    lamp, lock = await tickets(house)
    assert (lamp["place"], lamp["category"], lock["category"]) == ("东门", "lighting", "access")
    assert [row["ticket_id"] for row in await rows(house, "select ticket_id from photo")] == [lamp["id"]]
    assert any("路灯" in text and "居民上报" in text for text in captured(house).texts("li"))
    assert await owed_there(house) == 0
    async with polling(house, far):
        far.order(order("A3", "儿童乐园的灯坏了", **given | {"image_urls": []}), START + 80)
    assert len(await tickets(house)) == 3


async def test_a_stranger_whom_the_committee_does_not_know(house: House, far: FakeWeChat) -> None:
    async with polling(house, far):
        far.order(order("A1", "东门的路灯不亮了"), START + 60)
    assert await say(house, "zhuren", "拒绝 王芳") == ["已拒绝：（没说住址） 王芳。"]
    assert await tickets(house) == []
    assert await owed_there(house) == 0


async def test_two_of_one_name_are_told_apart(house: House, far: FakeWeChat) -> None:
    async with polling(house, far):
        far.order(order("A1", "东门的路灯不亮了"), START + 60)
        await looked(far)
        far.order(order("A2", "南门关不上", unionid="oOther", reporter_mobile="13900002222"), START + 61)
        await looked(far)
        far.order(
            order("A3", "路不平", unionid="", reporter_name="", reporter_mobile="13900003333"), START + 62
        )
    asked = captured(house).texts("zhuren")
    assert "「同意 王芳尾号2222」" in asked[1]
    assert "「同意 尾号3333」" in asked[2]
    assert await say(house, "zhuren", "同意 王芳尾号2222") == ["已同意：（没说住址） 王芳尾号2222。"]
    (ticket,) = await tickets(house)
    assert "南门" in ticket["words"]


# ------------------------------------------------------------------- what becomes of it


async def test_what_is_no_repair_is_a_ticket_too(house: House, far: FakeWeChat) -> None:
    await listed(house, ("3", "2", "501"), "王芳", FANG)
    async with polling(house, far):
        place = {"name": "南门", "address": "幸福路119号"}
        far.order(order("A1", "小区门口乱停车，出不去", location=place), START + 60)
        await looked(far)
        far.order(order("A2", "嗯", case_name="其他"), START + 61)
    parking, odd = await tickets(house)
    assert (parking["category"], parking["brief"]) == ("other", "小区门口乱停车")
    assert "幸福路119号" in parking["words"]
    assert odd["category"] == "other"
    assert captured(house).texts("chen"), "nobody has the trade, so the lead is told"


async def test_a_place_that_is_not_here_stops_nothing(house: House, far: FakeWeChat) -> None:
    await listed(house, ("3", "2", "501"), "王芳", FANG)
    async with polling(house, far):
        far.order(order("A1", "99栋1单元楼道灯不亮"), START + 60)
    (ticket,) = await tickets(house)
    assert (ticket["building"], ticket["place"]) == ("", "99栋1单元楼道？")


async def test_danger_waits_for_nobody(house: House, far: FakeWeChat) -> None:
    async with polling(house, far):
        far.order(order("A1", "着火了", location={"name": "幸福里3栋", "address": ""}), START + 60)
    (ticket,) = await tickets(house)
    assert (ticket["kind"], ticket["building"]) == ("emergency", "3")
    assert any("#1" in text for text in captured(house).texts("chen"))
    assert all(FANG in captured(house).texts(who)[0] for who in ("li", "chen"))
    assert await owed_there(house) == 0


async def test_what_breaks_is_read_by_a_human(
    house: House, far: FakeWeChat, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a slip of ours")

    await listed(house, ("3", "2", "501"), "王芳", FANG)
    monkeypatch.setattr(work, "report", broken)
    async with polling(house, far):
        far.order(order("A1", "厨房水管漏水了"), START + 60)
    (told,) = captured(house).texts("chen")
    assert "厨房水管漏水了" in told and "没能立上" in told


async def test_the_order_names_the_community(tmp_path: Path, far: FakeWeChat) -> None:
    from bot.config import Settings

    folder = tmp_path / "communities"
    folder.mkdir()
    for name in ("安和苑", "幸福里"):
        (folder / f"{name}.toml").write_text(f'name = "{name}"\n', encoding="utf-8")
    url = f"sqlite://{tmp_path}/two.db"
    house = House(Settings(database_url=url, community_dir=folder, _env_file=None))  # type: ignore[call-arg]
    await house.open(serving=True)
    try:
        async with polling(house, far):
            far.order(order("A1", "路灯不亮", unionid="o1"), START + 60)  # its grid: 幸福里第一网格
            await looked(far)
            far.order(order("A2", "路灯不亮", unionid="o2", grid_name="城东"), START + 61)
        found = await rows(
            house, "select c.name from person p join community c on c.id = p.community_id order by p.id"
        )
        assert [row["name"] for row in found] == ["幸福里", "安和苑"]
    finally:
        await house.close()


# ------------------------------------------------------------------- once, and none lost


async def test_a_changed_order_makes_no_second_ticket_not_even_after_a_restart(
    house: House, far: FakeWeChat
) -> None:
    await listed(house, ("3", "2", "501"), "王芳", FANG)
    taken = order("A1", "厨房水管漏水了")
    async with polling(house, far):
        far.order(taken, START + 60)
        await looked(far)
        far.order(taken | {"processor_userids": ["LiJianGuo"], "desc": "厨房水管漏水了！"}, START + 90)
    async with polling(house, far):
        far.order(taken | {"processor_userids": ["ChenBanZhang"]}, START + 120)
    assert len(await tickets(house)) == 1
    assert len(await rows(house, "select * from inbox where channel = 'residents'")) == 1


async def test_what_was_there_before_and_what_is_done_stays_in_wecom(house: House, far: FakeWeChat) -> None:
    await listed(house, ("3", "2", "501"), "王芳", FANG)
    far.order(order("OLD", "厨房水管漏水了", create_time=START - 86_400), START + 60)
    far.order(recorded("done", create_time=START + 30), START + 60)
    async with polling(house, far):
        pass
    assert await rows(house, "select * from inbox where channel = 'residents'") == []


async def test_where_it_has_read_to_is_kept_with_the_last_order(house: House, far: FakeWeChat) -> None:
    moment = START
    given = {"now": lambda: datetime.fromtimestamp(moment, UTC)}
    desk = house.desk("residents")
    async with polling(house, far, **given):
        assert await desk.bookmark("residents") == f"{START - 300} {START}"
        moment = START + 3600
        far.order(order("A1", "厨房水管漏水了"), START + 3500)
        await looked(far)
        assert await desk.bookmark("residents") == f"{START - 300} {START + 3600}"
    begins = {call.body["begin_modify_time"] for call in far.calls(LIST)}
    assert begins == {START - 300, START + 3300}
    before = len(far.calls(LIST))
    async with polling(house, far, **given | {"now": lambda: datetime.fromtimestamp(START + 9999, UTC)}):
        assert far.calls(LIST)[before].body["begin_modify_time"] == START + 3300


async def test_a_look_that_is_cut_short_begins_again_where_it_was(house: House, far: FakeWeChat) -> None:
    for number in range(3):
        far.order(order(f"A{number}", "厨房水管漏水了"), START + 60 + number)
    handled: list[Incoming] = []

    async def handle(incoming: Incoming) -> None:
        handled.append(incoming)
        if len(handled) == 2:
            raise OSError("the database is away")

    channel = residents(house, far)
    task = asyncio.create_task(channel.listen(handle))
    await until(lambda: len(handled) >= 4)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await channel.close()
    assert [one.id for one in handled] == ["A0", "A1", "A1", "A2"]
    assert [one.bookmark is not None for one in handled] == [False, False, False, True]


async def test_every_page_is_read(house: House, far: FakeWeChat) -> None:
    for number in range(120):
        far.order(order(f"A{number}", "厨房水管漏水了", unionid=f"o{number}"), START + 60 + number)
    handled: list[Incoming] = []

    async def handle(incoming: Incoming) -> None:
        handled.append(incoming)

    channel = residents(house, far)
    task = asyncio.create_task(channel.listen(handle))
    await until(lambda: len(handled) >= 120)
    await looked(far)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await channel.close()
    assert [one.id for one in handled] == [f"A{number}" for number in range(120)]
    assert [number for number, one in enumerate(handled) if one.bookmark] == [119]
    assert max(call.body["limit"] for call in far.calls(LIST)) == 50
    assert far.unknown() == []


@pytest.mark.parametrize("fault", ["502", "drop", "garbage", "token_expired", "busy"])
async def test_a_platform_that_is_unwell_is_asked_again(house: House, far: FakeWeChat, fault: Any) -> None:
    await listed(house, ("3", "2", "501"), "王芳", FANG)
    far.fault(LIST, fault, times=2)
    async with polling(house, far):
        far.order(order("A1", "厨房水管漏水了"), START + 60)
    assert len(await tickets(house)) == 1


async def test_it_starts_while_the_platform_is_away(house: House, far: FakeWeChat) -> None:
    await listed(house, ("3", "2", "501"), "王芳", FANG)
    await far.stop()
    channel = residents(house, far)
    task = asyncio.create_task(channel.listen(house.handle))
    await until(lambda: channel._trouble)
    assert "连不上企业微信" in await channel.probe()
    far.order(order("A1", "厨房水管漏水了"), START + 60)
    await far.start()
    await looked(far, 3)
    assert await channel.probe() == ""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await channel.close()
    assert len(await tickets(house)) == 1


# ------------------------------------------------------------------- pictures, and the way back


async def test_pictures_come_from_the_platform_only(house: House, far: FakeWeChat) -> None:
    await listed(house, ("3", "2", "501"), "王芳", FANG)
    urls = [
        far.picture(JPEG),
        "http://169.254.169.254/latest",
        "https://qq.com.evil.example/1",
        "https://[",
        "",
    ]
    async with polling(house, far) as channel:
        far.order(order("A1", "厨房水管漏水了", image_urls=urls), START + 60)
    (kept,) = await rows(house, "select path from photo")
    assert (house.uploads / kept["path"]).read_bytes() == JPEG
    assert channel.counters.items() == {"picture elsewhere": 1}


async def test_a_picture_that_is_slow_comes_after_its_ticket(
    house: House, far: FakeWeChat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wechat_pictures, "QUICK", 0.01)
    await listed(house, ("3", "2", "501"), "王芳", FANG)
    far.fault("wwpic", "502", times=3)
    async with polling(house, far):
        far.order(order("A1", "厨房水管漏水了", image_urls=[far.picture(JPEG)]), START + 60)
        await looked(far)
        (kept,) = await rows(house, "select path from photo")
        await until((house.uploads / kept["path"]).exists)


async def test_nothing_is_sent_there(house: House, far: FakeWeChat) -> None:
    channel = residents(house, far)
    with pytest.raises(PermanentFailure, match="在企业微信里回复"):
        await channel.send(Outgoing(1, "residents", "A1", "已报修"))
    assert not channel.limits.pushes
    await channel.close()


async def test_the_doctor_learns_what_to_do(house: House, far: FakeWeChat) -> None:
    async def says(**given: Any) -> str:
        channel = residents(house, far, **given)
        said = await channel.probe()
        await channel.close()
        return said

    assert await says() == ""
    far.fault("gettoken", "ip")
    assert "可信 IP" in await says()
    far.fault(LIST, "forbidden")
    assert "可调用接口的应用" in await says()
    far.credentials = replace(NOBODY, wecom_secret="another")
    far.work.credentials = far.credentials
    assert "LINLI_WECOM_SECRET" in await says()
    far.work.credentials = replace(NOBODY, corp_id="another")
    assert "LINLI_WECOM_CORP_ID" in await says()
    await far.stop()
    assert "连不上企业微信" in await says()
    await far.start()
