"""The smart bot's long connection: frames both ways, one holder, and coming back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.channels import aibot_connection
from bot.channels.aibot import SmartBot
from bot.channels.aibot_connection import Connection, State
from bot.channels.aibot_saying import WORKING
from bot.channels.pace import Patience
from bot.domain.people import Role
from bot.messages import Incoming, Lane, Outgoing
from bot.outbox import State as Owed
from tests.fakes.aibot_users import AibotUsers
from tests.fakes.wechat_house import Served, serving, until
from tests.fakes.wechat_side import Call, WeChatFarSide
from tests.test_aibot import Slowly, owe

FANG, LI, GROUP = "WangFang", "LiJianGuo", "wrINVENTEDgroup00000001"
WIRE = Path(__file__).parent / "wire/aibot_frames"
MESSAGE, EVENT = "aibot_msg_callback", "aibot_event_callback"
SAID, WELCOME, UPDATE, PUSH = (
    "ws/aibot_respond_msg",
    "ws/aibot_respond_welcome_msg",
    "ws/aibot_respond_update_msg",
    "ws/aibot_send_msg",
)


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Patience, "FIRST", 0.02)
    monkeypatch.setattr(Patience, "MOST", 0.1)


@pytest.fixture
async def served(wechat_far: WeChatFarSide, database_url: str) -> AsyncIterator[Served]:
    async with serving(wechat_far, database_url, "gateway") as found:
        await until(wechat_far.live)
        yield found


@pytest.fixture
def users(served: Served, wechat_far: WeChatFarSide) -> AibotUsers:
    """They only make bodies here: nothing is posted."""
    return AibotUsers(served.url, far=wechat_far)


def bot(served: Served) -> SmartBot:
    channel = served.house.channels["aibot"]
    assert isinstance(channel, SmartBot)
    return channel


def line(served: Served) -> Connection:
    found = bot(served)._line
    assert found is not None
    return found


async def calls(far: WeChatFarSide, path: str, count: int = 1) -> list[Call]:
    await until(lambda: len(far.calls(path)) >= count)
    return far.calls(path)


def text(users: AibotUsers, member: str, said: str, chat: str = "") -> dict[str, Any]:
    return users.message(member, "text", chat, text={"content": f"@邻里 {said}" if chat else said})


# ------------------------------------------------------------------------------ in


async def test_a_frame_is_answered_under_its_number(
    users: AibotUsers, served: Served, wechat_far: WeChatFarSide
) -> None:
    await served.person("aibot", FANG)
    body = text(users, FANG, "厨房水管漏水了", GROUP)
    req_id = await wechat_far.push(MESSAGE, body)
    (said,) = await calls(wechat_far, SAID)
    assert said.delivered
    assert said.query == {"req_id": req_id}
    stream = said.body["stream"]
    assert (stream["id"], stream["finish"]) == (body["msgid"], True)
    assert stream["content"].startswith("已报修 #1：水管漏水，3栋＊单元厨房。")
    subscribed = wechat_far.calls("ws/aibot_subscribe")[0].body
    assert subscribed == {
        "bot_id": wechat_far.credentials.aibot_id,
        "secret": wechat_far.credentials.aibot_secret,
    }
    await wechat_far.push(MESSAGE, body)  # brought twice, done once, answered twice
    again = (await calls(wechat_far, SAID, 2))[1]
    assert again.body == said.body
    assert len(await served.rows("select * from ticket")) == 1


async def test_recorded_frames_are_taken(served: Served, wechat_far: WeChatFarSide) -> None:
    for name in ("msg_callback", "event_callback", "ack", "ack_refused"):
        frame = json.loads((WIRE / f"{name}.json").read_text("utf-8"))
        line(served)._take(frame)
    line(served)._take({"cmd": MESSAGE, "headers": None, "body": {"msgtype": "text"}})
    line(served)._take({"cmd": MESSAGE, "body": []})
    line(served)._take({"cmd": "something new", "body": {}})
    await until(lambda: wechat_far.calls(SAID) and wechat_far.calls(WELCOME))
    await until(lambda: bot(served).counters.items() == {"nobody, or nothing": 1})
    assert line(served).state is State.LIVE


async def test_whoever_comes_in_is_welcomed(
    users: AibotUsers, served: Served, wechat_far: WeChatFarSide
) -> None:
    req_id = await wechat_far.push(EVENT, users.event(FANG, "enter_chat"))
    (welcome,) = await calls(wechat_far, WELCOME)
    assert welcome.query == {"req_id": req_id}
    assert welcome.delivered
    assert welcome.body["msgtype"] == "text"
    assert "小区助手" in welcome.body["text"]["content"]


async def test_a_tap_updates_its_card_and_the_answer_is_pushed(
    users: AibotUsers, served: Served, wechat_far: WeChatFarSide
) -> None:
    await served.person("aibot", FANG)
    tap = users.event(
        FANG, "template_card_event", card_type="button_interaction", event_key="我的报修进度", task_id="7-x"
    )
    req_id = await wechat_far.push(EVENT, tap)
    (update,) = await calls(wechat_far, UPDATE)
    assert update.query == {"req_id": req_id}
    assert update.delivered
    assert update.body["response_type"] == "update_template_card"
    assert update.body["template_card"]["task_id"] == "7-x"
    (answer,) = await calls(wechat_far, PUSH)
    assert answer.delivered
    assert answer.body["chatid"] == FANG
    assert "没有正在办的事项" in answer.body["markdown"]["content"]


async def test_an_answer_that_takes_long_says_so_first(
    users: AibotUsers, served: Served, wechat_far: WeChatFarSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    await served.person("aibot", FANG)
    house = Slowly(served, monkeypatch)
    await wechat_far.push(MESSAGE, text(users, FANG, "厨房水管漏水了"))
    (working,) = await calls(wechat_far, SAID)
    assert working.body["stream"]["content"] == WORKING
    assert working.body["stream"]["finish"] is False
    house.go.set()
    done = (await calls(wechat_far, SAID, 2))[1]
    assert done.query == working.query
    assert done.body["stream"]["id"] == working.body["stream"]["id"]
    assert "已报修 #1" in done.body["stream"]["content"]
    await asyncio.sleep(0.3)
    assert wechat_far.calls(PUSH) == []


async def test_in_a_chat_one_after_another_chats_side_by_side(
    users: AibotUsers, served: Served, wechat_far: WeChatFarSide
) -> None:
    handle, go, began = served.house.handle, asyncio.Event(), list[str]()

    async def slow_for_one(message: Incoming) -> Outgoing | None:
        began.append(message.text)
        if message.text == "一":
            await go.wait()
        return await handle(message)

    bot(served)._handle = slow_for_one
    for member, said in ((FANG, "一"), (FANG, "二"), (FANG, "三"), (LI, "四")):
        await wechat_far.push(MESSAGE, text(users, member, said))
    await calls(wechat_far, SAID)
    assert began == ["一", "四"]
    go.set()
    await calls(wechat_far, SAID, 4)
    assert began == ["一", "四", "二", "三"]


async def test_an_answer_that_is_not_taken_goes_by_itself(
    users: AibotUsers, served: Served, wechat_far: WeChatFarSide
) -> None:
    await served.person("aibot", FANG)
    wechat_far.fault("ws/aibot_respond_msg", "quota")
    await wechat_far.push(MESSAGE, text(users, FANG, "厨房水管漏水了"))
    (answer,) = await calls(wechat_far, PUSH)
    assert "已报修 #1" in answer.body["markdown"]["content"]
    assert answer.body["chat_type"] == 1


# ------------------------------------------------------------------------------ out


async def test_news_is_pushed_to_whoever_wrote_before(
    users: AibotUsers, served: Served, wechat_far: WeChatFarSide
) -> None:
    await wechat_far.push(MESSAGE, text(users, FANG, "你好"))
    await wechat_far.push(MESSAGE, text(users, FANG, "你好", GROUP))
    await calls(wechat_far, SAID, 2)
    await owe(served, "老李到了 <@all>。")
    await owe(served, "明天停水。", f"group:{GROUP}", lane=Lane.NOTICE)
    await owe(
        served,
        "【新报修】#1 水管漏水，3栋2单元501厨房，已经淹到客厅。\n" + "住户说：快来。" * 20,
        buttons=(("接单", "接 1"),),
    )
    sent = await calls(wechat_far, PUSH, 4)
    assert all(call.delivered for call in sent)
    first, group = (next(call for call in sent if call.body["chat_type"] == kind) for kind in (1, 2))
    assert first.body["markdown"]["content"] == "老李到了 ＜@all＞。"
    assert (group.body["chatid"], group.body["markdown"]["content"]) == (GROUP, "明天停水。")
    words, card = (call for call in sent if "新报修" in str(call.body))
    assert "住户说" in words.body["markdown"]["content"]
    assert card.body["template_card"]["button_list"][0]["key"] == "接 1"
    assert wechat_far.calls("aibot/response") == []


async def test_who_never_wrote_here_is_told_elsewhere(database_url: str) -> None:
    from tests.fakes.wechat import FakeWeChat

    far = FakeWeChat()
    await far.start()
    far.members.add(LI)
    try:
        async with serving(far, database_url, "gateway", "wecom") as served:
            await until(far.live)
            person = await served.person("aibot", LI, "老李", Role.STAFF, ("wecom", LI))
            await owe(served, "【新报修】#1。", LI, person_id=person)
            assert (await calls(far, "message/send"))[0].body["touser"] == LI
            assert far.calls(PUSH)[0].errcode == 846607
    finally:
        await far.stop()


async def test_what_is_owed_waits_for_the_connection_and_loses_no_try(
    users: AibotUsers, served: Served, wechat_far: WeChatFarSide
) -> None:
    await wechat_far.push(MESSAGE, text(users, FANG, "你好"))
    await calls(wechat_far, SAID)
    await wechat_far.stop()
    await until(lambda: line(served).state is State.AWAY)
    await owe(served, "老李到了。")
    await asyncio.sleep(0.2)
    (row,) = await served.rows("select state, attempts from outbox where lane = 2")
    assert row == {"state": int(Owed.QUEUED), "attempts": 0}
    assert "检查网络" in await bot(served).probe()
    await wechat_far.start()
    await until(lambda: line(served).state is State.LIVE)
    assert await bot(served).probe() == ""
    served.house.delivery.wake()
    await calls(wechat_far, PUSH)


# --------------------------------------------------------------------- coming back


async def test_a_line_that_was_cut_comes_back(
    users: AibotUsers, served: Served, wechat_far: WeChatFarSide
) -> None:
    for times in (1, 2):
        await wechat_far.cut()
        await until(lambda: len(wechat_far.calls("ws/aibot_subscribe")) == times + 1)  # noqa: B023
        await until(wechat_far.live)
    await wechat_far.push(MESSAGE, text(users, FANG, "你好"))
    await calls(wechat_far, SAID)


async def test_a_line_whose_pings_are_not_answered_is_dead(
    wechat_far: WeChatFarSide, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Connection, "PING", 0.05)
    monkeypatch.setattr(aibot_connection, "ACK", 0.05)
    async with serving(wechat_far, database_url, "gateway"):
        await until(lambda: len(wechat_far.calls("ws/ping")) >= 3)
        assert len(wechat_far.calls("ws/aibot_subscribe")) == 1
        wechat_far.fault("ws/ping", "hang")  # one is not enough
        seen = len(wechat_far.calls("ws/ping"))
        await until(lambda: len(wechat_far.calls("ws/ping")) >= seen + 4)
        assert len(wechat_far.calls("ws/aibot_subscribe")) == 1
        wechat_far.fault("ws/ping", "hang", times=2)
        await until(lambda: len(wechat_far.calls("ws/aibot_subscribe")) == 2)


async def test_who_was_pushed_off_does_not_come_back(
    users: AibotUsers, served: Served, wechat_far: WeChatFarSide
) -> None:
    await wechat_far.push(MESSAGE, text(users, FANG, "你好"))
    await calls(wechat_far, SAID)
    await wechat_far.kick()
    await until(lambda: line(served).state is State.TAKEN)
    assert "被别处接走" in await bot(served).probe()
    await asyncio.sleep(0.3)  # many waits of a line that looks for its way back
    assert len(wechat_far.calls("ws/aibot_subscribe")) == 1
    await owe(served, "老李到了。")  # by the address that came with the last message
    await until(lambda: wechat_far.calls("aibot/response"))


async def test_a_secret_that_is_refused_is_said_and_tried_again_slowly(
    wechat_far: WeChatFarSide, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Connection, "SLOWLY", 0.3)
    async with serving(wechat_far, database_url, "gateway", wecom_aibot_secret="not-the-one") as served:
        await until(lambda: line(served).state is State.REFUSED)
        said = await bot(served).probe()
        assert "853000" in said
        assert "LINLI_WECOM_AIBOT_SECRET" in said
        assert "not-the-one" not in said
        await asyncio.sleep(0.2)
        assert len(wechat_far.calls("ws/aibot_subscribe")) == 1
        right = (wechat_far.credentials.aibot_id, wechat_far.credentials.aibot_secret)
        line(served)._credentials = lambda: right
        await until(lambda: line(served).state is State.LIVE)
        assert await bot(served).probe() == ""


async def test_a_subscription_that_is_not_answered_is_made_again(
    wechat_far: WeChatFarSide, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aibot_connection, "ACK", 0.1)
    for fault in ("hang", "busy", "drop"):
        wechat_far.fault("ws/aibot_subscribe", fault)
    async with serving(wechat_far, database_url, "gateway"):
        await until(wechat_far.live)
        assert len(wechat_far.calls("ws/aibot_subscribe")) == 4


async def test_both_ways_at_once_bring_a_message_once(wechat_far: WeChatFarSide, database_url: str) -> None:
    async with serving(wechat_far, database_url, "aibot", "gateway") as served:
        await until(wechat_far.live)
        await served.person("aibot", FANG)
        async with AibotUsers(served.url, far=wechat_far) as users:
            body = text(users, FANG, "厨房水管漏水了")
            answer, _ = await asyncio.gather(users.post(body), wechat_far.push(MESSAGE, body))
            (said,) = await calls(wechat_far, SAID)
            assert answer.reply is not None
            assert answer.reply["stream"] == said.body["stream"]
            assert len(await served.rows("select * from ticket")) == 1
            await owe(served, "老李到了。")
            await calls(wechat_far, PUSH)
            assert wechat_far.calls("aibot/response") == []


# ------------------------------------------------------------------------ one holder


async def test_who_was_pushed_off_by_another_process_of_ours_waits_for_its_turn(
    wechat_far: WeChatFarSide, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aibot_connection, "LEASE", 0.3)
    async with serving(wechat_far, database_url, "gateway") as served:
        await until(lambda: line(served).state is State.LIVE)
        ours = line(served)._lease

        async def theirs(*_: object) -> bool:
            return False

        monkeypatch.setattr(line(served), "_lease", theirs)
        await wechat_far.kick()
        await until(lambda: line(served).state is State.ELSEWHERE)
        await asyncio.sleep(0.2)
        assert len(wechat_far.calls("ws/aibot_subscribe")) == 1
        assert not bot(served).limits.here
        monkeypatch.setattr(line(served), "_lease", ours)
        await until(lambda: line(served).state is State.LIVE)
        assert bot(served).limits.here


@pytest.mark.postgres
async def test_of_two_processes_one_connects_and_the_other_takes_over(
    wechat_far: WeChatFarSide, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aibot_connection, "LEASE", 0.6)
    async with (
        serving(wechat_far, database_url, "gateway") as second,
        serving(wechat_far, database_url, "gateway") as first,
    ):
        both = [line(first), line(second)]
        await until(lambda: {one.state for one in both} == {State.LIVE, State.ELSEWHERE})
        holder, waiting = (first, second) if line(first).state is State.LIVE else (second, first)
        await asyncio.sleep(0.8)  # longer than a lease that nobody renews
        assert len(wechat_far.calls("ws/aibot_subscribe")) == 1
        assert await bot(waiting).probe() == ""
        users = AibotUsers(first.url, far=wechat_far)
        await wechat_far.push(MESSAGE, text(users, FANG, "你好"))
        await calls(wechat_far, SAID)
        await owe(waiting, "老李到了。")  # whoever owes it, the holder sends it
        holder.house.delivery.wake()
        (push,) = await calls(wechat_far, PUSH)
        assert push.delivered

        async def given_up(*_: object) -> bool:
            return False

        monkeypatch.setattr(line(holder), "_lease", given_up)
        await until(lambda: line(waiting).state is State.LIVE)
        await until(lambda: line(holder).state is State.ELSEWHERE)
        assert len(wechat_far.calls("ws/aibot_subscribe")) == 2


@pytest.mark.postgres
async def test_who_stops_lets_another_connect_at_once(
    wechat_far: WeChatFarSide, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aibot_connection, "LEASE", 30.0)
    async with serving(wechat_far, database_url, "gateway"):
        await until(wechat_far.live)
    monkeypatch.setattr(aibot_connection, "LEASE", 0.6)
    async with serving(wechat_far, database_url, "gateway") as served:
        await until(lambda: line(served).state is State.LIVE)
