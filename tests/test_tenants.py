"""One deployment, several communities: strictly apart."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.app import House
from bot.clock import TurnedClock
from bot.config import Settings
from bot.domain import invites
from bot.domain.people import Role
from tests.house import EVENING, Capture, captured, say


@pytest.fixture
def two_communities(tmp_path: Path) -> Path:
    folder = tmp_path / "files"
    folder.mkdir()
    for slug, name in (("guihua", "桂花苑"), ("yulan", "玉兰里")):
        text = f'name = "{name}"\nslug = "{slug}"\n[trades]\n"水电" = ["plumbing", "lighting"]\n'
        (folder / f"{slug}.toml").write_text(text, encoding="utf-8")
    return folder


async def invited(house: House, slug: str, role: Role, name: str, account: str) -> None:
    community = house.community(slug)
    assert community is not None
    flat = ("3", "2", "501") if role is Role.RESIDENT else ("", "", "")
    code = await house.store.run(
        lambda db: invites.make(db, community.id, role, house.clock.now(), name=name, home=flat)
    )
    (hello,) = await say(house, account, code)
    assert name in hello


async def test_two_communities_never_see_each_other(database_url: str, two_communities: Path) -> None:
    settings = Settings(database_url=database_url, community_dir=two_communities)
    house = House(settings, TurnedClock(EVENING))
    await house.open(migrate=house.store.sqlite)
    house.add(Capture("web"))
    try:
        for slug in ("guihua", "yulan"):
            await invited(house, slug, Role.RESIDENT, "王芳", f"wang-{slug}")
            await invited(house, slug, Role.STAFF, "老李", f"li-{slug}")
        (first,) = await say(house, "wang-guihua", "厨房水管漏水了")
        assert "#1" in first
        assert captured(house).texts("li-yulan")[1:] == []
        assert "新报修" in captured(house).texts("li-guihua")[-1]
        (absent,) = await say(house, "wang-yulan", "#1 怎么样了")
        assert absent == "没有找到 #1。"
        (refused,) = await say(house, "li-yulan", "接 1")
        assert refused == "没有找到 #1。"
        (second,) = await say(house, "wang-yulan", "客厅灯不亮了")
        assert "#1" in second, "each community counts by itself"
        (claimed,) = await say(house, "li-guihua", "接 1")
        assert "水管" in claimed
    finally:
        await house.close()


async def test_a_code_of_one_community_does_not_open_the_other(
    database_url: str, two_communities: Path
) -> None:
    settings = Settings(database_url=database_url, community_dir=two_communities)
    house = House(settings, TurnedClock(EVENING))
    await house.open(migrate=house.store.sqlite)
    house.add(Capture("web"))
    try:
        await invited(house, "guihua", Role.RESIDENT, "王芳", "wang")
        yulan = house.community("yulan")
        assert yulan is not None
        code = await house.store.run(
            lambda db: invites.make(db, yulan.id, Role.ADMIN, house.clock.now(), name="管理员")
        )
        await say(house, "wang", code)
        (still,) = await say(house, "wang", "同意 3-2-501")
        assert "居委会" in still, "a resident of 桂花苑 did not become an admin of 玉兰里"
        (hello,) = await say(house, "stranger", code)
        assert "管理员" in hello, "the code was not used up by who could not use it"
    finally:
        await house.close()
