"""The smart bot by callback: what members and groups say, what they get, and what can go wrong."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot import delivery, outbox
from bot.channels import aibot, aibot_streams
from bot.channels.aibot import SmartBot
from bot.channels.aibot_saying import LOST, NOTED, WORKING
from bot.domain.people import Role
from bot.messages import Incoming, Lane, Outgoing, Photo
from bot.outbox import State
from tests.fakes.aibot_users import AibotUsers
from tests.fakes.wechat import FakeWeChat
from tests.fakes.wechat_credentials import aes_key
from tests.fakes.wechat_house import Served, serving, until
from tests.fakes.wechat_post import Answer, Forged
from tests.fakes.wechat_side import Fault, WeChatFarSide
from tests.fakes.wechat_users import Click, WeComUsers
from tests.test_wecom import settled

pytestmark = pytest.mark.sqlite
RESPONSE = "aibot/response"
FANG, LI, GROUP = "WangFang", "LiJianGuo", "wrINVENTEDgroup00000001"
JPEG = b"\xff\xd8\xff\xe0" + b"picture of a leak"


@pytest.fixture
async def served(wechat_far: WeChatFarSide, tmp_path: Path) -> AsyncIterator[Served]:
    async with serving(wechat_far, f"sqlite://{tmp_path}/linli.db", "aibot") as found:
        yield found


@pytest.fixture
async def users(served: Served, wechat_far: WeChatFarSide) -> AsyncIterator[AibotUsers]:
    async with AibotUsers(served.url, far=wechat_far) as found:
        yield found


def bot(served: Served) -> SmartBot:
    channel = served.house.channels["aibot"]
    assert isinstance(channel, SmartBot)
    return channel


def pushed(far: WeChatFarSide) -> list[dict[str, Any]]:
    return [call.body for call in far.calls(RESPONSE) if call.delivered]


def content(answer: Answer) -> str:
    """What a finished stream says."""
    assert answer.reply is not None
    assert answer.reply["stream"]["finish"] is True
    return str(answer.reply["stream"]["content"])


async def owe(served: Served, text: str, chat: str = FANG, **more: Any) -> None:
    now, given = served.house.clock.now(), {"lane": Lane.ALERT} | more
    await served.house.store.run(lambda db: outbox.put(db, "aibot", chat, text, now=now, **given))
    served.house.delivery.wake()


# ------------------------------------------------------------------------------ in


async def test_the_platform_tries_the_address(users: AibotUsers) -> None:
    answer = await users.check()
    assert (answer.status, answer.text) == (200, answer.sent.plain)  # bare: no quotes, no line
    for forged in ("signature", "unsigned", "stale", "foreign_receiver"):
        refused = await users.check(forged)
        assert refused.status == 401
        assert len(refused.text.splitlines()) == 1


FORGED: dict[Forged, int] = {
    "signature": 401,
    "unsigned": 401,
    "stale": 401,
    "future": 401,
    "tampered": 401,
    "foreign_receiver": 401,
    "foreign_account": 401,
    "plaintext": 400,
    "malformed": 400,
}


@pytest.mark.filterwarnings("ignore:Sending a large body")
async def test_what_is_not_from_the_platform_changes_nothing(users: AibotUsers, served: Served) -> None:
    assert (await users.enter(FANG)).status == 200  # the first tells our name
    before = await served.rows("select * from inbox")
    for forged, status in FORGED.items():
        answer = await users.text(FANG, "接 1", forged=forged)
        assert (forged, answer.status) == (forged, status)
        assert len(answer.text.splitlines()) == 1
    for body in (b"", b"[]", b"\xff", b'{"encrypt": 1}', b"[" * 100_000, b"x" * (1024 * 1024 + 1)):
        answer = await users.raw(body, {"msg_signature": "0", "timestamp": "1", "nonce": "n"})
        assert answer.status == (413 if len(body) > 1024 * 1024 else 400)
    assert await served.rows("select * from inbox") == before
    assert sum(bot(served).counters.items().values()) == len(FORGED) + 6


async def test_what_the_platform_sends_and_nobody_can_read_is_refused(users: AibotUsers) -> None:
    for broken in ("[]", "{", '{"msgtype": "text"}', "[" * 100_000):
        assert (await users.post(broken)).status == 400


async def test_a_member_is_answered_at_once_and_only_once(
    users: AibotUsers, served: Served, wechat_far: WeChatFarSide
) -> None:
    await served.person("aibot", FANG)
    answer = await users.text(FANG, "厨房水管漏水了")
    assert content(answer).startswith("已报修 #1：水管漏水，3栋2单元501厨房。")
    for again in (await users.retried(answer), await users.replayed(answer)):
        assert again.reply == answer.reply
    assert len(await served.rows("select * from ticket")) == 1
    assert pushed(wechat_far) == []


async def test_in_a_group_no_door_is_shown_and_the_chat_is_the_groups(
    users: AibotUsers, served: Served
) -> None:
    await served.person("aibot", FANG)
    said = content(await users.text(FANG, "厨房水管漏水了", GROUP))
    assert said.startswith("已报修 #1：水管漏水，3栋＊单元厨房。")
    private = content(await users.text(FANG, "怎么样了"))
    assert "501" in private
    chats = {row["chat"] for row in await served.rows("select chat from conversation")}
    assert chats == {f"group:{GROUP}", FANG}


async def test_a_member_of_the_apps_door_is_the_same_person(
    wechat_far: WeChatFarSide, tmp_path: Path
) -> None:
    wechat_far.members.add(LI)
    async with serving(wechat_far, f"sqlite://{tmp_path}/linli.db", "aibot", "wecom") as served:
        person = await served.person("wecom", LI, "老李", Role.STAFF)
        async with AibotUsers(served.url, far=wechat_far) as users:
            assert content(await users.text(LI, "我的工单")) == "现在没有待办，也没有待接的。"
        accounts = await served.rows("select person_id from account where channel = 'aibot'")
        assert [row["person_id"] for row in accounts] == [person]


async def test_a_voice_is_words(users: AibotUsers, served: Served) -> None:
    await served.person("aibot", FANG)
    assert "已报修 #1" in content(await users.voice(FANG, "厨房水管漏水了"))


async def test_what_says_nothing_gets_an_empty_answer(users: AibotUsers, served: Served) -> None:
    feedback = await users.post(users.event(FANG, "feedback_event", id="x", type=2))
    assert (feedback.status, feedback.text) == (200, "")
    assert await served.rows("select * from inbox") == []


async def test_whoever_comes_in_is_welcomed_once(users: AibotUsers, served: Served) -> None:
    welcome = await users.enter(FANG)
    assert welcome.reply is not None
    assert welcome.reply["msgtype"] == "text"
    assert "小区助手" in welcome.reply["text"]["content"]
    assert (await users.retried(welcome)).reply == welcome.reply
    assert len(await served.rows("select * from outbox")) == 1


# ------------------------------------------------------------------------ slow turns


class Slowly:
    """A house that thinks until it is let go."""

    def __init__(self, served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
        self.go = asyncio.Event()
        channel, handle = bot(served), served.house.handle

        async def slow(message: Incoming) -> Outgoing | None:
            await self.go.wait()
            return await handle(message)

        channel._handle = slow
        monkeypatch.setattr(aibot, "IN_TIME", 0.05)
        monkeypatch.setattr(aibot, "CARD_IN_TIME", 0.05)
        monkeypatch.setattr(aibot_streams, "ASKS", 0.05)
        monkeypatch.setattr(aibot_streams, "NOBODY_ASKS", 0.2)


async def test_an_answer_that_takes_long_is_asked_for_until_it_is_there(
    users: AibotUsers, served: Served, wechat_far: WeChatFarSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    await served.person("aibot", FANG)
    house = Slowly(served, monkeypatch)
    first = await users.text(FANG, "厨房水管漏水了")
    assert first.reply is not None
    stream = first.reply["stream"]
    assert stream == {"id": stream["id"], "finish": False, "content": WORKING}
    assert (await users.retried(first)).reply == first.reply  # the same turn, not another
    assert (await users.poll(FANG, stream["id"])).reply == first.reply
    house.go.set()
    async with asyncio.timeout(5):
        while not (answer := await users.poll(FANG, stream["id"])).reply["stream"]["finish"]:  # type: ignore[index]
            await asyncio.sleep(0.01)
    assert content(answer).startswith("已报修 #1")
    assert (await users.poll(FANG, stream["id"])).reply == answer.reply
    await asyncio.sleep(0.3)  # longer than an answer waits that nobody asks for
    assert pushed(wechat_far) == []
    assert len(await served.rows("select * from ticket")) == 1


async def test_an_answer_that_nobody_asks_for_goes_by_itself(
    users: AibotUsers, served: Served, wechat_far: WeChatFarSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    await served.person("aibot", FANG)
    house = Slowly(served, monkeypatch)
    first = await users.text(FANG, "厨房水管漏水了")
    house.go.set()
    await until(lambda: pushed(wechat_far))
    (body,) = pushed(wechat_far)
    assert body["markdown"]["content"].startswith("已报修 #1")
    late = await users.poll(FANG, first.reply["stream"]["id"])  # type: ignore[index]
    assert content(late) == NOTED


async def test_after_a_restart_the_answer_is_in_the_house(wechat_far: WeChatFarSide, tmp_path: Path) -> None:
    url = f"sqlite://{tmp_path}/linli.db"
    async with serving(wechat_far, url, "aibot") as served:
        await served.person("aibot", FANG)
        async with AibotUsers(served.url, far=wechat_far) as users:
            answer = await users.text(FANG, "厨房水管漏水了")
            number = json.loads(answer.sent.plain)["msgid"]
    async with serving(wechat_far, url, "aibot") as served, AibotUsers(served.url, far=wechat_far) as users:
        assert (await users.poll(FANG, number)).reply == answer.reply
        assert content(await users.poll(LI, number)) == LOST  # whose it is not
        assert content(await users.poll(FANG, "never-heard-of")) == LOST


@pytest.mark.parametrize("alone", [True, False])
async def test_a_turn_of_another_process_is_waited_for(
    users: AibotUsers, served: Served, monkeypatch: pytest.MonkeyPatch, alone: bool
) -> None:
    """Whoever is the only process knows at once that nobody is at it."""
    monkeypatch.setattr(aibot_streams, "ELSEWHERE", 0.2)
    streams = bot(served)._streams
    streams._desk = replace(streams._desk, alone=alone)
    first = await users.poll(FANG, "m1")
    assert first.reply is not None
    assert first.reply["stream"]["finish"] is alone
    await asyncio.sleep(0.25)
    assert content(await users.poll(FANG, "m1")) == LOST


async def test_a_turn_that_was_not_kept_is_said_again(
    users: AibotUsers, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(_: Incoming) -> Outgoing | None:
        raise RuntimeError("the database is gone")

    kept = bot(served)._handle
    bot(served)._handle = broken
    answer = await users.text(FANG, "你好")
    assert (answer.status, answer.text) == (503, "not kept\n")
    house = Slowly(served, monkeypatch)

    async def late(message: Incoming) -> Outgoing | None:
        await house.go.wait()
        return await broken(message)

    bot(served)._handle = late
    first = await users.text(FANG, "你好")
    house.go.set()
    async with asyncio.timeout(5):
        while not (answer := await users.poll(FANG, first.reply["stream"]["id"])).reply["stream"]["finish"]:  # type: ignore[index]
            await asyncio.sleep(0.01)
    assert content(answer) == LOST
    bot(served)._handle = kept
    assert (await users.text(FANG, "你好")).reply is not None


async def test_a_welcome_that_comes_too_late_is_none(
    users: AibotUsers, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = Slowly(served, monkeypatch)
    assert ((await users.enter(FANG)).status, (await users.enter(FANG)).text) == (200, "")
    house.go.set()


# ---------------------------------------------------------------------------- cards


async def test_a_choice_is_a_card_and_a_tap_answers(
    users: AibotUsers, served: Served, wechat_far: WeChatFarSide
) -> None:
    await served.person("aibot", FANG)
    await served.person("aibot", LI, "老李", Role.STAFF)
    await users.text(FANG, "厨房水管漏水了")
    claimed = await users.text(LI, "接 1")
    assert claimed.reply is not None
    assert claimed.reply["msgtype"] == "stream_with_template_card"
    card = claimed.reply["template_card"]
    assert [one["key"] for one in card["button_list"]] == ["1 到了", "1 修好了"]
    tapped = await users.click(LI, Click(card["task_id"], "1 到了", ""))
    assert tapped.reply is not None
    assert tapped.reply["response_type"] == "update_template_card"
    assert tapped.reply["template_card"]["task_id"] == card["task_id"]
    assert "1 到了" in tapped.reply["template_card"]["main_title"]["title"]
    assert "userids" not in tapped.reply
    await until(lambda: any("记下了" in str(body) for body in pushed(wechat_far)))
    done = tapped.reply["template_card"]["button_list"][0]["key"]
    assert (await users.click(LI, Click(card["task_id"], done, ""))).text == ""
    assert len(await served.rows("select * from audit where verb = 'progress'")) == 1
    assert wechat_far.unknown() == []


async def test_in_a_group_there_are_no_cards_and_a_tap_changes_the_tappers_only(
    users: AibotUsers, served: Served
) -> None:
    await served.person("aibot", FANG)
    await served.person("aibot", LI, "老李", Role.STAFF)
    await users.text(FANG, "楼道灯坏了", GROUP)
    claimed = await users.text(LI, "接 1", GROUP)
    assert claimed.reply is not None
    assert claimed.reply["msgtype"] == "stream"
    tapped = await users.click(LI, Click("old-card", "1 到了", ""), GROUP)
    assert tapped.reply is not None
    assert tapped.reply["userids"] == [LI]


async def test_a_tap_that_takes_long_leaves_the_card_to_be_tapped_again(
    users: AibotUsers, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = Slowly(served, monkeypatch)
    tapped = await users.click(LI, Click("card", "帮助", ""))
    assert (tapped.status, tapped.text) == (200, "")
    house.go.set()


# ------------------------------------------------------------------------- pictures


@pytest.fixture
async def pictured(tmp_path: Path) -> AsyncIterator[tuple[FakeWeChat, Served, AibotUsers]]:
    """Encrypted files are known to our own far side only."""
    far = FakeWeChat()
    await far.start()
    async with serving(far, f"sqlite://{tmp_path}/linli.db", "aibot") as served:
        await served.person("aibot", FANG)
        async with AibotUsers(served.url, far=far) as users:
            yield far, served, users
    await far.stop()


def kept(served: Served) -> list[bytes]:
    return [path.read_bytes() for path in sorted(served.house.uploads.glob("*.jpg"))]


async def test_a_picture_is_opened_with_the_callbacks_key(
    pictured: tuple[FakeWeChat, Served, AibotUsers],
) -> None:
    far, served, users = pictured
    content(await users.image(FANG, far.file(JPEG)))
    assert kept(served) == [JPEG]
    said = content(await users.mixed(FANG, "厨房水管漏水了", far.file(JPEG + b"2"), far.file(JPEG + b"3")))
    assert "已报修 #1" in said
    assert len(await served.rows("select * from photo")) == 3
    assert sorted(kept(served)) == [JPEG, JPEG + b"2", JPEG + b"3"]


async def test_a_picture_that_belongs_to_an_open_question_needs_no_answer(
    pictured: tuple[FakeWeChat, Served, AibotUsers],
) -> None:
    far, _, users = pictured
    assert "什么" in content(await users.text(FANG, "我要报修"))
    silent = await users.image(FANG, far.file(JPEG))
    assert (silent.status, silent.text) == (200, "")


async def test_a_picture_with_a_key_of_its_own(pictured: tuple[FakeWeChat, Served, AibotUsers]) -> None:
    far, served, users = pictured
    own = aes_key(os.urandom(32))
    url = far.file(JPEG, own)
    await users.post(users.message(FANG, "image", image={"url": url, "aeskey": own + "="}))
    assert kept(served) == [JPEG]


@pytest.mark.parametrize("what", ["another key", "no picture", "no file", "gone", "elsewhere"])
async def test_a_picture_that_is_not_to_be_had_takes_no_words_with_it(
    pictured: tuple[FakeWeChat, Served, AibotUsers], what: str
) -> None:
    far, served, users = pictured
    url = {
        "another key": far.file(JPEG, aes_key(os.urandom(32))),
        "no picture": far.file(b"#!/bin/sh"),
        "no file": f"{far.base}/aibot/file/none",
        "gone": far.file(JPEG),
        "elsewhere": "http://169.254.169.254/latest/meta-data",
    }[what]
    if what == "gone":
        far.forward(301)
    assert "已报修 #1" in content(await users.mixed(FANG, "厨房水管漏水了", url))
    assert kept(served) == []


# ------------------------------------------------------------------------------ out


async def test_news_goes_once_to_the_address_that_came_with_a_message(
    users: AibotUsers, served: Served, wechat_far: WeChatFarSide
) -> None:
    await users.text(FANG, "你好")
    await owe(served, "老李接了 #1 <@all>，明天上门。")
    await until(lambda: pushed(wechat_far))
    assert pushed(wechat_far) == [
        {"msgtype": "markdown", "markdown": {"content": "老李接了 #1 ＜@all＞，明天上门。"}}
    ]
    await owe(served, "老李到了。")  # the address is used
    await settled(served, State.SENT, State.SENT, State.KEPT)
    await users.text(FANG, "好的")
    await until(lambda: len(pushed(wechat_far)) == 2)
    assert "老李到了" in str(pushed(wechat_far)[1])


async def test_what_waits_goes_together_and_buttons_make_it_a_card(
    users: AibotUsers, served: Served, wechat_far: WeChatFarSide
) -> None:
    await owe(served, "一件事。")
    await owe(served, "另一件事。")
    await settled(served, State.KEPT, State.KEPT)
    await users.text(FANG, "你好")
    await until(lambda: pushed(wechat_far))
    assert pushed(wechat_far)[0]["markdown"]["content"] == "一件事。\n\n另一件事。"
    await users.text(FANG, "你好")
    await owe(served, "【新报修】#1 水管漏水。\n要接请回「接 1」。", buttons=(("接单", "接 1"),))
    await until(lambda: len(pushed(wechat_far)) == 2)
    card = pushed(wechat_far)[1]["template_card"]
    assert (card["main_title"]["title"], card["sub_title_text"]) == (
        "【新报修】#1 水管漏水。",
        "要接请回「接 1」。",
    )
    await users.text(FANG, "你好")
    await owe(served, "长" * 200, buttons=(("接单", "接 1"),), photos=(Photo("a.jpg", "image/jpeg"),))
    await until(lambda: len(pushed(wechat_far)) == 3)
    assert "另有照片 1 张" in pushed(wechat_far)[2]["markdown"]["content"]


async def test_an_address_that_is_not_the_platforms_is_never_called(
    users: AibotUsers, served: Served, wechat_far: WeChatFarSide
) -> None:
    urls = ("http://169.254.169.254/", f"{wechat_far.base}.evil.example/", "http://qyapi.weixin.qq.com/x")
    for number, url in enumerate(urls, 1):
        await users.text(FANG, "你好", response_url=url)
        await owe(served, "新消息。")
        await settled(served, *[State.SENT, State.KEPT] * number)
    assert wechat_far.calls(RESPONSE) == []


@pytest.mark.parametrize(
    ("fault", "lane", "state"),
    [
        ("busy", Lane.ALERT, State.SENT),
        ("500", Lane.ALERT, State.SENT),
        ("drop", Lane.ALERT, State.SENT),
        ("drop", Lane.NOTICE, State.UNKNOWN),
        ("garbage", Lane.ALERT, State.UNKNOWN),
    ],
)
async def test_what_goes_wrong_on_the_way(
    users: AibotUsers,
    served: Served,
    wechat_far: WeChatFarSide,
    monkeypatch: pytest.MonkeyPatch,
    fault: Fault,
    lane: Lane,
    state: State,
) -> None:
    monkeypatch.setattr(delivery, "BACKOFF", (0.02,))
    await users.text(FANG, "你好")
    wechat_far.fault(RESPONSE, fault)
    await owe(served, "老李到了。", lane=lane)
    await settled(served, State.SENT, state)
    assert len(pushed(wechat_far)) == int(state is State.SENT)


async def test_who_has_no_address_here_is_told_in_the_app(wechat_far: WeChatFarSide, tmp_path: Path) -> None:
    wechat_far.members.add(LI)
    async with serving(wechat_far, f"sqlite://{tmp_path}/linli.db", "aibot", "wecom") as served:
        person = await served.person("aibot", LI, "老李", Role.STAFF, ("wecom", LI))
        await owe(served, "【新报修】#1。", LI, person_id=person)
        await until(lambda: wechat_far.calls("message/send"))
        assert wechat_far.calls("message/send")[0].body["touser"] == LI
        async with WeComUsers(served.url) as members:
            assert (await members.text(LI, "你好")).status == 200


async def test_a_callback_without_a_connection_has_nothing_to_try(served: Served) -> None:
    assert await bot(served).probe() == ""
    assert bot(served).limits.windowed
