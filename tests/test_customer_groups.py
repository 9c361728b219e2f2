"""Tasks for customer groups: what is asked of WeCom, and what each answer means."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.channels.base import PermanentFailure, RetryLater, UnknownOutcome
from bot.channels.wechat_api import WeChatApi
from bot.channels.wecom_groups import CustomerGroups
from bot.messages import Lane, Outgoing, Photo
from tests.fakes.wechat_side import WeChatFarSide

TASK = "externalcontact/add_msg_template"
OWNER = "ChenBanZhang"
JPEG = b"\xff\xd8\xff\xe0" + b"the poster"


@pytest.fixture
async def groups(wechat_far: WeChatFarSide, tmp_path: Path) -> AsyncIterator[CustomerGroups]:
    wechat_far.members.add(OWNER)
    known = wechat_far.credentials
    channel = CustomerGroups(
        known.corp_id, known.wecom_secret, [OWNER], uploads=tmp_path, api_base=wechat_far.base
    )
    yield channel
    await channel.close()
    assert wechat_far.unknown() == []


def notice(text: str, chat: str = OWNER, **more: Any) -> Outgoing:
    return Outgoing(7, "customer_groups", chat, text, Lane.NOTICE, **more)


async def test_a_notice_stands_as_a_task_of_its_owner(
    groups: CustomerGroups, wechat_far: WeChatFarSide
) -> None:
    receipt = await groups.send(notice("明天 9:00 到 12:00 停水。"))
    (call,) = wechat_far.calls(TASK)
    assert call.body == {
        "chat_type": "group",
        "sender": OWNER,
        "text": {"content": "明天 9:00 到 12:00 停水。"},
    }
    assert receipt
    assert call.delivered


async def test_its_picture_is_attached(
    groups: CustomerGroups, wechat_far: WeChatFarSide, tmp_path: Path
) -> None:
    (tmp_path / "poster.jpg").write_bytes(JPEG)
    photos = (Photo("poster.jpg", "image/jpeg"), Photo("gone.jpg", "image/jpeg"))
    await groups.send(notice("活动报名", photos=photos))
    (call,) = wechat_far.calls(TASK)
    (attached,) = call.body["attachments"]
    assert attached["msgtype"] == "image"
    assert attached["image"]["media_id"]
    assert call.body["text"] == {"content": "活动报名"}


async def test_a_long_notice_is_several_tasks(groups: CustomerGroups, wechat_far: WeChatFarSide) -> None:
    await groups.send(notice("停水通知。" * 500))
    sizes = [len(call.body["text"]["content"].encode()) for call in wechat_far.calls(TASK)]
    assert len(sizes) == 2
    assert max(sizes) <= 4000


async def test_only_owners_that_were_named_are_asked(
    groups: CustomerGroups, wechat_far: WeChatFarSide
) -> None:
    with pytest.raises(PermanentFailure, match="LINLI_WECOM_CUSTOMER_GROUPS"):
        await groups.send(notice("停水", chat="somebody"))
    assert wechat_far.calls(TASK) == []


async def test_groups_that_it_cannot_reach_are_named(
    groups: CustomerGroups, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def answered(*_: object, **__: object) -> dict[str, object]:
        return {"errcode": 0, "errmsg": "ok", "msgid": "task9", "fail_list": ["wrGroupOfNobody"]}

    monkeypatch.setattr(WeChatApi, "call", answered)
    with pytest.raises(PermanentFailure, match=r"1 个群发不到：wrGroupOfNobody；任务 task9 已建"):
        await groups.send(notice("停水"))


@pytest.mark.parametrize(
    ("fault", "raised"),
    [
        ("busy", RetryLater),
        ("minute", RetryLater),
        ("ip", RetryLater),
        ("502", RetryLater),
        ("forbidden", RetryLater),
        ("lost", UnknownOutcome),  # the task may stand: a second one would be a second notice
        ("drop", UnknownOutcome),
        ("garbage", UnknownOutcome),
    ],
)
async def test_what_each_failure_means(
    groups: CustomerGroups, wechat_far: WeChatFarSide, fault: Any, raised: type[Exception]
) -> None:
    wechat_far.fault(TASK, fault)
    with pytest.raises(raised):
        await groups.send(notice("停水"))
    assert len(wechat_far.calls(TASK)) == 1


async def test_a_group_takes_one_a_day_on_average(groups: CustomerGroups) -> None:
    assert groups.limits.counted
    assert [most / seconds for most, seconds in groups.limits.per_chat] == [1 / 86400]
