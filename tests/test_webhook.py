"""Group robots: what is asked of WeCom, what each answer means, and how many a minute."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot import outbox
from bot.channels.base import PermanentFailure, RetryLater, UnknownOutcome
from bot.channels.wecom_webhook import GroupRobots
from bot.channels.wecom_webhook_table import read_keys, read_table
from bot.domain import communities
from bot.domain.communities import CommunityError
from bot.doors import Misconfigured, open_doors
from bot.messages import Lane, Outgoing, Photo
from bot.responses import Wording
from tests.fakes.wechat_house import serving, until
from tests.fakes.wechat_side import Fault, WeChatFarSide
from tests.house import open_house

SEND = "webhook/send"
ROBOT, KEY = "物业群", "693a91f6-7a00-4bc4-97a0-0ec2b6bd8e5a"
JPEG = b"\xff\xd8\xff\xe0" + b"the poster"


@pytest.fixture
async def robots(wechat_far: WeChatFarSide, tmp_path: Path) -> AsyncIterator[GroupRobots]:
    keys = dict(wechat_far.credentials.webhooks) | {"旧群": "no-such-key-0123456789"}
    channel = GroupRobots(lambda: keys, uploads=tmp_path, api_base=wechat_far.base)
    yield channel
    await channel.close()
    assert wechat_far.unknown() == []


def post(text: str, chat: str = ROBOT, lane: Lane = Lane.NOTICE, **more: Any) -> Outgoing:
    return Outgoing(7, "webhook", chat, text, lane, **more)


async def test_words_go_into_the_group_of_their_robot(robots: GroupRobots, wechat_far: WeChatFarSide) -> None:
    await robots.send(post("明天 9:00 到 12:00 停水。"))
    (call,) = wechat_far.calls(SEND)
    assert call.delivered
    assert call.query == {"key": dict(wechat_far.credentials.webhooks)[ROBOT]}
    assert call.body == {"msgtype": "text", "text": {"content": "明天 9:00 到 12:00 停水。"}}


async def test_who_is_mentioned_is_called_once_at_the_end(
    robots: GroupRobots, wechat_far: WeChatFarSide
) -> None:
    await robots.send(post("【新报修】#1 水管漏水。\n" * 100, mentions=("LiJianGuo", "zhang")))
    calls = wechat_far.calls(SEND)
    assert [call.body["text"].get("mentioned_list") for call in calls] == [None, ["LiJianGuo", "zhang"]]
    assert all(len(call.body["text"]["content"].encode()) <= 2048 for call in calls)


async def test_a_picture_follows_with_its_sum(
    robots: GroupRobots, wechat_far: WeChatFarSide, tmp_path: Path
) -> None:
    (tmp_path / "poster.jpg").write_bytes(JPEG)
    (tmp_path / "large.jpg").write_bytes(JPEG + b"\0" * (2 * 1024 * 1024))
    (tmp_path / "moving.gif").write_bytes(b"GIF89a")
    names = ("poster.jpg", "large.jpg", "moving.gif", "gone.jpg", "../secret.key")
    await robots.send(post("活动报名", photos=tuple(Photo(name, "image/jpeg") for name in names)))
    words, picture = wechat_far.calls(SEND)
    assert (words.delivered, picture.delivered) == (True, True)
    assert base64.b64decode(picture.body["image"]["base64"]) == JPEG
    assert picture.body["image"]["md5"] == hashlib.md5(JPEG).hexdigest()


async def test_too_often_holds_up_this_robot_only(robots: GroupRobots, wechat_far: WeChatFarSide) -> None:
    wechat_far.fault(SEND, "quota")
    with pytest.raises(RetryLater) as later:
        await robots.send(post("停水"))
    assert (later.value.after, later.value.whole_channel) == (60, False)


async def test_a_robot_that_was_removed_is_named_to_whoever_asks(robots: GroupRobots) -> None:
    assert await robots.probe() == ""
    with pytest.raises(PermanentFailure, match="93000"):
        await robots.send(post("停水", "旧群"))
    assert "「旧群」" in await robots.probe()
    with pytest.raises(PermanentFailure, match="LINLI_WECOM_WEBHOOK_KEY"):
        await robots.send(post("停水", "没有的群"))
    assert "没有的群" not in await robots.probe()


@pytest.mark.parametrize(
    ("fault", "lane", "meant"),
    [
        ("busy", Lane.NOTICE, RetryLater),
        ("500", Lane.NOTICE, RetryLater),
        ("drop", Lane.ALERT, RetryLater),
        ("drop", Lane.NOTICE, UnknownOutcome),
        ("lost", Lane.NOTICE, UnknownOutcome),
        ("garbage", Lane.NOTICE, UnknownOutcome),
    ],
)
async def test_what_went_wrong(
    fault: Fault, lane: Lane, meant: type[Exception], robots: GroupRobots, wechat_far: WeChatFarSide
) -> None:
    wechat_far.fault(SEND, fault)
    with pytest.raises(meant) as failed:
        await robots.send(post("停水", lane=lane))
    assert KEY not in f"{failed.value} {failed.value.__cause__}"


@pytest.mark.sqlite
async def test_a_burst_keeps_to_twenty_a_minute_by_itself(
    wechat_far: WeChatFarSide, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Thirty alerts at once: the platform never has to say no, and each of them arrives."""
    async with serving(wechat_far, f"sqlite://{tmp_path}/linli.db", "webhook") as served:
        house, now = served.house, served.house.clock.now()
        long = "，厨房水管漏水，已经淹到客厅了，请马上带工具过来" * 20

        async def owe(db: Any) -> None:
            for number in range(30):
                text = f"【新报修】#{number}{long}"
                await outbox.put(db, "webhook", "default", text, now=now, lane=Lane.ALERT, mentions=["li"])

        with caplog.at_level(logging.DEBUG):
            await house.store.run(owe)
            house.delivery.wake()
            await until(lambda: len(wechat_far.calls(SEND)) >= 20)
            waiting = "select count(*) as n from outbox where state = 0"
            async with asyncio.timeout(5):
                while (await served.rows(waiting))[0]["n"] != 10:
                    await asyncio.sleep(0.01)
            assert [call.errcode for call in wechat_far.calls(SEND)] == [0] * 20
        assert KEY not in caplog.text


def test_the_keys_of_the_setting() -> None:
    assert read_keys(KEY) == {"default": KEY}
    assert read_keys(f" 物业群={KEY} , 值班={KEY[::-1]},") == {"物业群": KEY, "值班": KEY[::-1]}
    assert read_keys("") == {}


@pytest.mark.parametrize(
    "setting",
    [
        f"https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={KEY}",
        f"物业群={KEY[:8]}",
        f"物业群={KEY},物业群={KEY}",
        f"物业 群={KEY}",
    ],
)
def test_a_setting_that_is_no_key_is_refused_without_showing_it(setting: str) -> None:
    with pytest.raises(ValueError, match="LINLI_WECOM_WEBHOOK_KEY") as refused:
        read_keys(setting)
    assert KEY[:8] not in str(refused.value)


def test_the_table_of_a_community() -> None:
    assert read_table({"staff": "值班"}) == "值班"
    assert read_table({}) == ""
    for wrong in ({"staff": 1}, {"staff": "a=b"}, {"notices": "群"}):
        with pytest.raises(ValueError, match=r"channels\.webhook"):
            read_table(wrong)


def test_a_wrong_table_is_told_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "here.toml"
    path.write_text('name = "幸福里"\n\n[channels.webhook]\nstaf = "值班"\n', encoding="utf-8")
    with pytest.raises(CommunityError, match=r"here\.toml: channels\.webhook: unknown staf \(at line 3\)"):
        communities.read_file(path, Wording.load())


@pytest.mark.sqlite
async def test_a_staff_group_without_its_key_keeps_the_house_shut(tmp_path: Path) -> None:
    """Alerts that go nowhere would be found out in the night that they matter."""
    folder = tmp_path / "communities"
    folder.mkdir()
    text = 'name = "幸福里"\nslug = "xingfuli"\n[channels.webhook]\nstaff = "值班"\n'
    (folder / "here.toml").write_text(text, encoding="utf-8")
    house = await open_house(f"sqlite://{tmp_path}/linli.db", channels=[])
    try:
        for given in (None, KEY, f"物业群={KEY}"):
            house.settings = house.settings.model_copy(update={"wecom_webhook_key": given})
            with pytest.raises(Misconfigured, match="值班=key"):
                open_doors(house, demo_people=False)
        house.settings = house.settings.model_copy(update={"wecom_webhook_key": f"值班={KEY}"})
        open_doors(house, demo_people=False)
        assert "webhook" in house.channels
    finally:
        await house.close()
