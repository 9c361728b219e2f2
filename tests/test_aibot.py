"""The smart bot by callback: groups and private, streams, cards, pictures, the address for later words."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot import outbox
from bot.channels import aibot, aibot_saying
from bot.channels.aibot_reading import Asked, Picture, Spoken, Tapped, read
from bot.channels.wechat_envelope import Refused
from bot.channels.wechat_reading import Aside
from bot.domain.people import Role
from bot.messages import Button, Grant, Incoming, Lane, Outgoing
from bot.outbox import State
from tests.fakes.aibot_users import AibotUsers
from tests.fakes.wechat_house import Served, serving, until
from tests.fakes.wechat_post import Forged
from tests.fakes.wechat_side import WeChatFarSide, needs
from tests.fakes.wechat_users import Click

pytestmark = pytest.mark.sqlite
WIRE = Path(__file__).parent / "wire" / "aibot"
JPEG = b"\xff\xd8\xff\xe0" + b"picture of a leak"
GROUP = "wrGROUP00000001"


def recorded(name: str) -> Spoken | Tapped | Asked | Aside:
    return read(json.loads((WIRE / f"{name}.json").read_text(encoding="utf-8")), "aibot")


@pytest.mark.parametrize(
    ("name", "text", "group", "pictures"),
    [
        ("text_single", None, False, 0),
        ("text_group", "楼道灯坏了", True, 0),
        ("text_group_name_later", "麻烦 看看电梯", True, 0),
        ("text_group_only_name", "", True, 0),
        ("voice", "楼道的灯不亮了", False, 0),
        ("image", "", False, 1),
        ("image_with_key", "", False, 1),
        ("mixed", "墙皮掉了", True, 1),
        ("quote_text", "这个报修一下", True, 0),
        ("quote_mixed", "这个", False, 0),
        ("file", "", False, 0),
        ("video", "", False, 0),
        ("unknown_kind", "", False, 0),
        ("malformed_mixed", "", False, 0),
        ("malformed_text_is_null", "", False, 0),
        ("enter_chat", "/start", False, 0),
    ],
)
def test_a_recording_is_what_was_said(name: str, text: str | None, group: bool, pictures: int) -> None:
    spoken = recorded(name)
    assert isinstance(spoken, Spoken)
    heard = spoken.incoming
    assert (heard.text == text) if text is not None else heard.text
    assert (heard.group, len(spoken.pictures), spoken.hello) == (group, pictures, name == "enter_chat")
    assert heard.addressed
    assert heard.voice == (name == "voice")
    assert heard.known_as == ("wecom", heard.sender)
    assert heard.chat == ("wrINVENTEDgroup00000001" if group else heard.sender)


def test_a_picture_may_have_a_key_of_its_own() -> None:
    spoken = recorded("image_with_key")
    assert isinstance(spoken, Spoken)
    assert spoken.pictures[0].aes_key == "c21hcnQgcm9ib3QgY2FsbGJhY2sga2V5IG5vYm9keTE"
    plain = recorded("image")
    assert isinstance(plain, Spoken)
    assert plain.pictures == (Picture(spoken.pictures[0].url),)


def test_the_other_recordings() -> None:
    tapped = recorded("template_card_event")
    assert isinstance(tapped, Tapped)
    assert (tapped.incoming.text, tapped.task) == ("claim", "ticket-12-1@linli")
    assert isinstance(recorded("template_card_selected"), Tapped)
    assert isinstance(recorded("stream"), Asked)
    assert recorded("feedback_event") == Aside("event feedback_event")
    assert isinstance(recorded("unknown_event"), Aside)
    with pytest.raises(Refused):
        recorded("malformed_no_sender")


def test_the_address_for_later_is_good_for_one() -> None:
    spoken = recorded("text_group")
    assert isinstance(spoken, Spoken)
    url = "https://qyapi.weixin.qq.com/cgi-bin/aibot/response?response_code=INVENTED0050"
    assert spoken.incoming.grant == Grant(1, 3600.0, url)


def test_what_residents_wrote_mentions_nobody() -> None:
    said = aibot_saying.markdown("<@all> 看 [这里](http://evil.example) `x`")
    assert "<@" not in said
    assert "](" not in said
    assert "`" not in said


# ------------------------------------------------------------------------ through HTTP


@pytest.fixture
async def served(wechat_far: WeChatFarSide, tmp_path: Path) -> AsyncIterator[Served]:
    async with serving(wechat_far, f"sqlite://{tmp_path}/linli.db", "aibot") as found:
        yield found


@pytest.fixture
async def users(served: Served, wechat_far: WeChatFarSide) -> AsyncIterator[AibotUsers]:
    async with AibotUsers(served.url, far=wechat_far) as found:
        yield found


def bot(served: Served) -> aibot.SmartBot:
    channel = served.house.channels["aibot"]
    assert isinstance(channel, aibot.SmartBot)
    return channel


async def states(served: Served) -> list[State]:
    return [State(row["state"]) for row in await served.rows("select state from outbox order by id")]


async def test_the_platform_tries_the_address(users: AibotUsers) -> None:
    answer = await users.check()
    assert (answer.status, answer.text) == (200, answer.sent.plain)
    assert (await users.check("signature")).status == 401


@pytest.mark.parametrize(
    ("forged", "status"),
    [("signature", 401), ("unsigned", 401), ("stale", 401), ("tampered", 401), ("plaintext", 400)],
)
async def test_what_is_not_from_the_platform_changes_nothing(
    users: AibotUsers, served: Served, forged: Forged, status: int
) -> None:
    answer = await users.text("WangFang", "厨房水管漏水了", forged=forged)
    assert answer.status == status
    assert await served.rows("select * from inbox") == []


async def test_a_member_known_to_the_app_is_known_to_the_bot(users: AibotUsers, served: Served) -> None:
    await served.person("wecom", "WangFang")
    heard = await users.say("WangFang", "厨房水管漏水了")
    assert heard.finished
    assert heard.content.startswith("已报修 #1：")
    again = await users.retried(heard.first)
    assert again.reply is not None
    assert again.reply["stream"]["content"] == heard.content
    assert len(await served.rows("select * from ticket")) == 1


async def test_in_a_group_it_answers_and_shows_no_door(users: AibotUsers, served: Served) -> None:
    await served.person("wecom", "WangFang")
    heard = await users.say("WangFang", "3栋2单元501厨房水管漏水了", chatid=GROUP)
    assert "#1" in heard.content
    assert "501" not in heard.content


async def test_a_picture_in_a_group_is_kept(
    users: AibotUsers, served: Served, wechat_far: WeChatFarSide
) -> None:
    needs(wechat_far, "files")
    await served.person("wecom", "WangFang")
    await users.mixed("WangFang", "墙皮掉了，3号楼一楼大厅", wechat_far.file(JPEG), chatid=GROUP)
    (photo,) = await served.rows("select path from photo")
    assert (served.house.uploads / photo["path"]).read_bytes() == JPEG


async def test_a_turn_that_takes_long_is_a_stream(
    users: AibotUsers, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aibot, "READY", 0.02)
    await served.person("wecom", "WangFang")
    handle, go_on = bot(served)._handle, asyncio.Event()
    assert handle is not None

    async def slow(incoming: Incoming) -> Outgoing | None:
        await go_on.wait()
        return await handle(incoming)

    monkeypatch.setattr(bot(served), "_handle", slow)
    first = await users.text("WangFang", "厨房水管漏水了")
    assert first.reply is not None
    assert first.reply["stream"]["finish"] is False
    stream = first.reply["stream"]["id"]
    waiting = await users.poll("WangFang", stream)
    assert waiting.reply is not None
    assert waiting.reply["stream"]["finish"] is False
    go_on.set()
    async with asyncio.timeout(5):
        while True:
            done = await users.poll("WangFang", stream)
            assert done.reply is not None
            if done.reply["stream"]["finish"]:
                break
    assert done.reply["stream"]["content"].startswith("已报修 #1：")
    # after a start it is still there to be asked for; what was never kept says so
    bot(served)._streams.clear()
    kept = await users.poll("WangFang", stream)
    assert kept.reply is not None
    assert kept.reply["stream"]["content"] == done.reply["stream"]["content"]
    lost = await users.poll("WangFang", "never-heard-of")
    assert lost.reply is not None
    assert lost.reply["stream"] == {"id": "never-heard-of", "finish": True, "content": aibot.LOST}


async def test_a_late_answer_that_nobody_asks_for_comes_by_its_address(
    users: AibotUsers, served: Served, wechat_far: WeChatFarSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aibot, "READY", 0.0)
    monkeypatch.setattr(aibot, "ASKS", 0.05)
    await served.person("wecom", "WangFang")
    first = await users.text("WangFang", "厨房水管漏水了")
    assert first.reply is not None
    assert first.reply["stream"]["finish"] is False
    await until(lambda: [call for call in wechat_far.calls("aibot/response") if call.delivered])
    (call,) = wechat_far.calls("aibot/response")
    assert call.body["markdown"]["content"].startswith("已报修 #1：")


async def test_who_opens_the_chat_is_welcomed(users: AibotUsers) -> None:
    answer = await users.enter("LiSi")
    assert answer.reply is not None
    assert answer.reply["msgtype"] == "text"
    assert "小区助手" in answer.reply["text"]["content"]


async def test_what_is_told_later_goes_once_and_the_rest_is_kept(
    users: AibotUsers, served: Served, wechat_far: WeChatFarSide
) -> None:
    person = await served.person("wecom", "WangFang")
    await users.text("WangFang", "帮助")
    now = served.house.clock.now()
    for text in ("一", "二"):
        await served.house.store.run(
            lambda db, text=text: outbox.put(  # type: ignore[misc]
                db, "aibot", "WangFang", text, now=now, lane=Lane.ALERT, person_id=person
            )
        )
        served.house.delivery.wake()
        async with asyncio.timeout(5):
            while State.QUEUED in await states(served):
                await asyncio.sleep(0.01)
    assert await states(served) == [State.SENT, State.SENT, State.KEPT]
    calls = wechat_far.calls("aibot/response")
    assert [call.body["markdown"]["content"] for call in calls] == ["一"]


async def test_a_tapped_button_says_its_words_and_the_card_shows_it(
    users: AibotUsers, served: Served, wechat_far: WeChatFarSide
) -> None:
    await served.person("web", "wang")
    await served.person("wecom", "LaoLi", "老李", Role.STAFF)
    async with asyncio.timeout(5):
        await served.house.handle(Incoming("web", "w1", "wang", "wang", "厨房水管漏水了"))
    answer = await users.click("LaoLi", Click("task-1", "接 1", ""))
    assert answer.reply is not None
    assert answer.reply["response_type"] == "update_template_card"
    assert answer.reply["template_card"]["task_id"] == "task-1"
    await until(lambda: wechat_far.calls("aibot/response"))
    said = wechat_far.calls("aibot/response")[0].body["markdown"]["content"]
    assert "#1 归您了" in said


def test_an_answer_with_buttons_has_a_card() -> None:
    message = Outgoing(7, "aibot", "LaoLi", "【新报修】#1 水管漏水。", buttons=(Button("接单", "接 1"),))
    said: dict[str, Any] = aibot_saying.answer("m1", message, "7-abc")
    assert said["msgtype"] == "stream_with_template_card"
    assert said["template_card"]["task_id"] == "7-abc"
    assert said["template_card"]["button_list"][0]["key"] == "接 1"


async def test_what_cannot_be_kept_is_not_acknowledged(
    users: AibotUsers, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def breaks(*_: object) -> None:
        raise OSError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(served.house.pipeline, "_handle", breaks)
        assert (await users.text("WangFang", "帮助")).status == 503
