"""The WeCom app through its real protocol: what members write, tap and get, and what can go wrong."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from bot import outbox
from bot.channels import callback, wecom_api
from bot.channels.base import PermanentFailure
from bot.channels.wechat_api import ApiError
from bot.channels.wecom import WeComApp
from bot.channels.wecom_cards import answered, pressable, read_table, whole
from bot.domain.people import Role
from bot.messages import Button, Lane, Outgoing, Photo
from bot.outbox import State
from tests.fakes.wechat_house import Served, serving, until
from tests.fakes.wechat_post import Forged
from tests.fakes.wechat_side import Call, Fault, WeChatFarSide
from tests.fakes.wechat_users import Click, WeComUsers
from tests.test_wechat_oa import with_channel

pytestmark = pytest.mark.sqlite
JPEG = b"\xff\xd8\xff\xe0" + b"picture of a leak"
LI, FANG = "LiJianGuo", "fang"
CLAIM = (("接单", "接 1"),)
ALERT = "【新报修】#1 水管漏水，3栋2单元501厨房。\n要接请回「接 1」。"


@pytest.fixture
async def served(wechat_far: WeChatFarSide, tmp_path: Path) -> AsyncIterator[Served]:
    wechat_far.members.update((LI, FANG))
    async with serving(wechat_far, f"sqlite://{tmp_path}/linli.db", "wecom") as found:
        yield found


@pytest.fixture
async def users(served: Served) -> AsyncIterator[WeComUsers]:
    async with WeComUsers(served.url) as found:
        yield found


def app(served: Served) -> WeComApp:
    channel = served.house.channels["wecom"]
    assert isinstance(channel, WeComApp)
    return channel


def sent(far: WeChatFarSide, member: str = LI, kind: str = "") -> list[Call]:
    """What reached a member, oldest first."""
    calls = far.calls("message/send")
    return [
        call
        for call in calls
        if call.delivered and call.body["touser"] == member and kind in ("", call.body["msgtype"])
    ]


def texts(far: WeChatFarSide, member: str = LI) -> list[str]:
    return [str(call.body["text"]["content"]) for call in sent(far, member, "text")]


def cards(far: WeChatFarSide, member: str = LI) -> list[dict[str, Any]]:
    return [call.body["template_card"] for call in sent(far, member, "template_card")]


async def staff(served: Served, member: str = LI, name: str = "老李") -> int:
    return await served.person("wecom", member, name, Role.STAFF)


async def owe(
    served: Served,
    text: str,
    buttons: tuple[tuple[str, str], ...] = (),
    *,
    member: str = LI,
    lane: Lane = Lane.ALERT,
    photos: tuple[Photo, ...] = (),
    person: int | None = None,
) -> None:
    now = served.house.clock.now()
    await served.house.store.run(
        lambda db: outbox.put(
            db, "wecom", member, text, now=now, lane=lane, buttons=buttons, photos=photos, person_id=person
        )
    )
    served.house.delivery.wake()


async def settled(served: Served, *wanted: State) -> None:
    async def states() -> list[State]:
        return [State(row["state"]) for row in await served.rows("select state from outbox order by id")]

    async with asyncio.timeout(5):
        while await states() != list(wanted):
            await asyncio.sleep(0.01)


# ------------------------------------------------------------------------------ in


async def test_the_platform_tries_the_address(users: WeComUsers) -> None:
    answer = await users.check()
    assert (answer.status, answer.text) == (200, answer.sent.plain)  # bare: no quotes, no line
    for forged in ("signature", "unsigned", "stale", "foreign_receiver"):
        refused = await users.check(forged)
        assert refused.status == 401
        assert len(refused.text.splitlines()) == 1


#: What is forged, and the status that refuses it.
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


async def test_what_is_not_from_the_platform_changes_nothing(users: WeComUsers, served: Served) -> None:
    for forged, status in FORGED.items():
        answer = await users.text(LI, "接 1", forged)
        assert (forged, answer.status) == (forged, status)
        assert len(answer.text.splitlines()) == 1
    assert await served.rows("select * from inbox") == []
    assert sum(app(served).counters.items().values()) == len(FORGED)


async def test_a_message_to_another_app_of_the_company_is_refused(users: WeComUsers, served: Served) -> None:
    head = {"ToUserName": served.house.settings.wecom_corp_id, "FromUserName": LI, "CreateTime": 1}
    other = head | {"MsgType": "text", "Content": "接 1", "MsgId": 7, "AgentID": 1000009}
    assert (await users.post(other)).status == 401
    assert await served.rows("select * from inbox") == []


async def test_an_answer_without_buttons_comes_with_the_acknowledgement(
    users: WeComUsers, served: Served, wechat_far: WeChatFarSide
) -> None:
    await served.person("wecom", FANG)
    answer = await users.text(FANG, "厨房水管漏水了")
    assert answer.reply is not None
    assert answer.reply["MsgType"] == "text"
    assert (answer.reply["ToUserName"], answer.reply["FromUserName"]) == (FANG, users._account)
    assert answer.reply["Content"].startswith("已报修 #1：")
    for again in (await users.retried(answer), await users.replayed(answer)):
        assert again.reply is not None
        assert again.reply["Content"] == answer.reply["Content"]
    assert len(await served.rows("select * from ticket")) == 1
    assert sent(wechat_far, FANG) == []


async def test_an_alert_is_words_and_a_card_and_a_tap_claims(
    users: WeComUsers, served: Served, wechat_far: WeChatFarSide
) -> None:
    await served.person("wecom", FANG)
    await staff(served)
    await users.text(FANG, "厨房水管漏水了")
    await until(lambda: cards(wechat_far))
    (alert,) = texts(wechat_far)
    assert "【新报修】#1" in alert
    assert "接 1" in alert  # who reads in WeChat sees no card, and can answer
    (card,) = cards(wechat_far)
    assert card["card_type"] == "button_interaction"
    assert card["main_title"] == {"title": "【新报修】#1 水管漏水，3栋2单元501厨房。"}
    assert [(one["text"], one["key"]) for one in card["button_list"]] == [("接单", "接 1")]

    click = Click(card["task_id"], card["button_list"][0]["key"], wechat_far.response_code())
    tapped = await users.click(LI, click)
    assert tapped.reply is not None
    assert tapped.reply["MsgType"] == "update_button"
    assert tapped.reply["Button"] == {"ReplaceName": "已回「接 1」"}
    await until(lambda: len(cards(wechat_far)) == 2)
    assert texts(wechat_far)[1].startswith("#1 归您了")
    following = [one["key"] for one in cards(wechat_far)[1]["button_list"]]
    assert following == ["1 到了", "1 修好了"]
    again = await users.retried(tapped)
    assert again.reply is not None
    assert again.reply["Button"] == tapped.reply["Button"]
    assert [row["verb"] for row in await served.rows("select verb from audit where verb = 'accept'")] == [
        "accept"
    ]
    assert len(texts(wechat_far)) == 2
    assert wechat_far.unknown() == []


async def test_a_card_says_only_what_was_tapped_and_the_answer_what_came_of_it(
    users: WeComUsers, served: Served, wechat_far: WeChatFarSide
) -> None:
    await served.person("wecom", FANG)
    await staff(served)
    wechat_far.members.add("zhang")
    await staff(served, "zhang", "小张")
    await users.text(FANG, "厨房水管漏水了")
    await until(lambda: cards(wechat_far) and cards(wechat_far, "zhang"))
    for member in (LI, "zhang"):
        (card,) = cards(wechat_far, member)
        await users.click(member, Click(card["task_id"], "接 1", wechat_far.response_code()))
    await until(lambda: any("已经接了" in text for text in texts(wechat_far, "zhang")))


async def test_who_may_not_is_refused_whatever_the_card_says(
    users: WeComUsers, served: Served, wechat_far: WeChatFarSide
) -> None:
    await served.person("wecom", FANG)
    await users.text(FANG, "厨房水管漏水了")
    tapped = await users.click(FANG, Click("1-card", "接 1", wechat_far.response_code()))
    assert tapped.status == 200
    await until(lambda: texts(wechat_far, FANG))
    assert await served.rows("select * from audit where verb = 'accept'") == []


async def test_a_tap_that_takes_long_changes_its_card_afterwards(
    users: WeComUsers, served: Served, wechat_far: WeChatFarSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(callback, "IN_TIME", -1.0)
    code = wechat_far.response_code()
    tapped = await users.click(LI, Click("1-card", "帮助", code))
    assert (tapped.status, tapped.text) == (200, "")
    await until(lambda: wechat_far.calls("message/update_template_card"))
    (update,) = wechat_far.calls("message/update_template_card")
    assert update.body["response_code"] == code
    assert update.body["userids"] == [LI]
    assert update.body["button"] == {"replace_name": "已回「帮助」"}
    assert update.errcode == 0


async def test_an_answer_with_buttons_goes_as_an_alert_does(
    users: WeComUsers, served: Served, wechat_far: WeChatFarSide
) -> None:
    await served.person("wecom", FANG)
    await staff(served)
    await users.text(FANG, "厨房水管漏水了")
    await until(lambda: cards(wechat_far))
    answer = await users.text(LI, "接 1")
    assert (answer.status, answer.text) == (200, "")
    await until(lambda: len(cards(wechat_far)) == 2)
    again = await users.retried(answer)
    assert again.reply is None
    assert [text[:6] for text in texts(wechat_far)[1:]] == ["#1 归您了"]


async def test_who_joins_is_welcomed_who_leaves_is_not_written_to(users: WeComUsers, served: Served) -> None:
    welcome = await users.event(LI, "subscribe")
    assert welcome.reply is not None
    assert "小区助手" in welcome.reply["Content"]
    assert (await users.event(LI, "enter_agent")).text == ""
    assert (await users.event(LI, "view", "https://example.org")).text == ""
    assert (await served.rows("select count(*) as n from inbox"))[0]["n"] == 1
    await users.event(LI, "unsubscribe")
    assert (await served.rows("select reachable from account"))[0]["reachable"] == 0


async def test_an_entry_of_the_menu_says_its_words(users: WeComUsers, served: Served) -> None:
    await served.person("wecom", FANG)
    answer = await users.event(FANG, "click", "我要报修")
    assert answer.reply is not None
    assert "什么东西坏了" in answer.reply["Content"]


async def test_a_picture_is_kept(users: WeComUsers, served: Served, wechat_far: WeChatFarSide) -> None:
    await served.person("wecom", FANG)
    wechat_far.media("LEAK", JPEG)
    await users.text(FANG, "厨房水管漏水了")
    answer = await users.image(FANG, "LEAK")
    assert answer.reply is not None
    assert "#1" in answer.reply["Content"]
    (photo,) = await served.rows("select path from photo")
    assert (served.house.uploads / photo["path"]).read_bytes() == JPEG


async def test_a_ringing_that_nobody_waits_for_is_put_aside(users: WeComUsers, served: Served) -> None:
    assert (await users.kf("ENC")).status == 200
    assert app(served).counters.items() == {"event kf_msg_or_event": 1}


async def test_what_cannot_be_kept_is_not_acknowledged(
    users: WeComUsers, served: Served, wechat_far: WeChatFarSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def breaks(*_: object) -> None:
        raise OSError("the disk is full")

    click = Click("1-card", "帮助", wechat_far.response_code())
    with monkeypatch.context() as patch:
        patch.setattr(served.house.pipeline, "_handle", breaks)
        written, tapped = await users.text(LI, "帮助"), await users.click(LI, click)
        assert (written.status, tapped.status) == (503, 503)
    assert (await users.retried(written)).reply is not None
    assert (await users.retried(tapped)).reply is not None


# ----------------------------------------------------------------------------- out


async def test_more_than_thirty_a_minute_wait_and_none_is_dropped(
    served: Served, wechat_far: WeChatFarSide
) -> None:
    for number in range(34):
        await owe(served, f"第{number}条")
    await settled(served, *[State.SENT] * 30, *[State.QUEUED] * 4)
    await served.house.delivery.settle()
    calls = wechat_far.calls("message/send")
    assert len(calls) == 30
    assert not any(call.dropped for call in calls)
    now = served.house.clock.now().timestamp() * 1000
    (first, *_) = await served.rows("select due_ms from outbox where state = 0 order by id")
    assert 60_000 < first["due_ms"] - now <= 70_000  # the others wait behind it
    await owe(served, "别人的", member=FANG)
    await until(lambda: texts(wechat_far, FANG))


async def test_in_a_storm_the_words_go_and_the_cards_are_left_out(
    served: Served, wechat_far: WeChatFarSide
) -> None:
    for number in range(20):
        await owe(served, f"【新报修】#{number}", (("接单", f"接 {number}"),))
    await settled(served, *[State.SENT] * 20)
    assert len(texts(wechat_far)) == 20
    assert len(cards(wechat_far)) == 10
    assert not any(call.dropped for call in wechat_far.calls("message/send"))


async def test_the_receipt_has_the_number_of_the_message_and_the_code_of_its_card(
    served: Served, wechat_far: WeChatFarSide
) -> None:
    await owe(served, ALERT, CLAIM)
    await settled(served, State.SENT)
    ((receipt),) = await served.rows("select receipt from outbox")
    msgid, code = receipt["receipt"].split()
    assert msgid
    assert code
    body = {"userids": [LI], "response_code": code, "button": {"replace_name": "已接走"}}
    agent = {"agentid": wechat_far.credentials.agent_id}
    answer = await app(served)._company.call("/cgi-bin/message/update_template_card", body | agent)
    assert answer["errcode"] == 0


@pytest.mark.parametrize(
    ("cards_are", "lane", "wanted"),
    [
        ("also", Lane.ALERT, ["text", "template_card"]),
        ("only", Lane.ALERT, ["template_card"]),
        ("only", Lane.DANGER, ["text", "template_card"]),
        ("never", Lane.ALERT, ["text"]),
    ],
)
async def test_a_community_says_how_its_staff_read(
    wechat_far: WeChatFarSide, tmp_path: Path, cards_are: str, lane: Lane, wanted: Sequence[str]
) -> None:
    folder = with_channel(tmp_path, f'[channels.wecom]\ncards = "{cards_are}"\n')
    wechat_far.members.add(LI)
    url = f"sqlite://{tmp_path}/linli.db"
    async with serving(wechat_far, url, "wecom", community=folder) as served:
        await owe(served, ALERT, CLAIM, lane=lane)
        await settled(served, State.SENT)
        assert [call.body["msgtype"] for call in sent(wechat_far)] == list(wanted)
        if wanted == ["template_card"]:
            (card,) = cards(wechat_far)
            assert card["main_title"]["title"] + "\n" + card["sub_title_text"] == ALERT


async def test_a_card_that_is_refused_takes_no_words_with_it(
    wechat_far: WeChatFarSide, tmp_path: Path
) -> None:
    folder = with_channel(tmp_path, '[channels.wecom]\ncards = "only"\n')
    wechat_far.members.add(LI)
    url = f"sqlite://{tmp_path}/linli.db"
    async with serving(wechat_far, url, "wecom", community=folder) as served:
        wechat_far.fault("message/send", "forbidden", 1, body="template_card")
        await owe(served, ALERT, CLAIM)
        await until(lambda: texts(wechat_far) == [ALERT])


async def test_a_long_text_goes_as_several_and_is_never_cut(
    served: Served, wechat_far: WeChatFarSide
) -> None:
    text = "".join(f"第{n}句话说的是小区里的一件小事，大家都要知道。" for n in range(60))
    await owe(served, text)
    await settled(served, State.SENT)
    assert "".join(texts(wechat_far)) == text
    assert not any(call.cut for call in wechat_far.calls())


FAULTS: tuple[Fault, ...] = ("busy", "500", "502", "drop", "garbage", "lost", "token_bad")


async def test_what_fails_for_a_while_arrives_once(
    served: Served, wechat_far: WeChatFarSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bot import delivery

    monkeypatch.setattr(delivery, "BACKOFF", (0.01,) * 5)
    for number, fault in enumerate(FAULTS):
        wechat_far.fault("message/send", fault, 1)
        await owe(served, f"明天停水：{fault}")
        await settled(served, *[State.SENT] * (number + 1))
        assert len(wechat_far.calls("message/send")) == 2 * (number + 1)
        assert texts(wechat_far)[number:] == [f"明天停水：{fault}"]


async def test_a_part_that_fails_is_sent_again_and_the_parts_before_it_are_not(
    served: Served, wechat_far: WeChatFarSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bot import delivery

    monkeypatch.setattr(delivery, "BACKOFF", (0.01,) * 5)
    wechat_far.fault("message/send", "500", 1, body="template_card")
    wechat_far.fault("message/send", "lost", 1, body="template_card")
    await owe(served, ALERT, CLAIM)
    await settled(served, State.SENT)
    assert texts(wechat_far) == [ALERT]
    assert len(cards(wechat_far)) == 1


async def test_the_same_words_twice_are_two_messages(served: Served, wechat_far: WeChatFarSide) -> None:
    await owe(served, "还没人接，请看一下。")
    await owe(served, "还没人接，请看一下。")
    await settled(served, State.SENT, State.SENT)
    assert len(texts(wechat_far)) == 2


async def test_danger_is_not_held_back_as_a_double(served: Served, wechat_far: WeChatFarSide) -> None:
    await owe(served, "【紧急】有人困在电梯里", lane=Lane.DANGER)
    await settled(served, State.SENT)
    (call,) = sent(wechat_far)
    assert "enable_duplicate_check" not in call.body


async def test_who_is_no_member_is_reached_elsewhere(served: Served, wechat_far: WeChatFarSide) -> None:
    person = await served.person("wecom", "gone", "老李", Role.STAFF)
    await owe(served, "【新报修】#1", member="gone", person=person)
    await settled(served, State.FAILED)
    assert len(wechat_far.calls("message/send")) == 1
    assert (await served.rows("select reachable from account"))[0]["reachable"] == 0


@pytest.mark.parametrize("missed", [{"invaliduser": "lijianguo|x"}, {"unlicenseduser": LI}])
async def test_a_yes_that_leaves_the_member_out_is_a_no(
    served: Served, monkeypatch: pytest.MonkeyPatch, missed: dict[str, str]
) -> None:
    async def yes(*_: object, **__: object) -> dict[str, Any]:
        return {"errcode": 0, "msgid": "m1"} | missed

    monkeypatch.setattr(app(served)._company, "call", yes)
    with pytest.raises(PermanentFailure) as failed:
        await app(served).send(Outgoing(1, "wecom", LI, "明天停水"))
    assert failed.value.unreachable


async def test_an_unknown_address_is_for_the_administrator(served: Served, wechat_far: WeChatFarSide) -> None:
    assert await app(served).probe() == ""
    wechat_far.fault("message/send", "ip", 1)
    await owe(served, "明天停水")
    await until(lambda: wechat_far.calls("message/send"))
    async with asyncio.timeout(5):
        while not (said := await app(served).probe()):
            await asyncio.sleep(0.01)
    assert "可信 IP" in said
    await until(lambda: texts(wechat_far))
    assert await app(served).probe() == ""


async def test_a_picture_is_given_to_the_platform_once_for_all(
    served: Served, wechat_far: WeChatFarSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    (served.house.uploads / "leak.jpg").write_bytes(JPEG)
    (served.house.uploads / "leak.webp").write_bytes(b"RIFF....WEBP")
    photos = (Photo("leak.jpg", "image/jpeg"), Photo("leak.webp", "image/webp"))
    await owe(served, "【新报修】#1", photos=photos)
    await settled(served, State.SENT)
    await owe(served, "【新报修】#1", member=FANG, photos=photos)
    await settled(served, State.SENT, State.SENT)
    for member in (LI, FANG):
        assert [call.body["msgtype"] for call in sent(wechat_far, member)] == ["text", "image"]
    assert len(wechat_far.calls("media/upload")) == 1
    # and again when it has forgotten it
    call = wecom_api.Company.call
    tries: list[str] = []

    async def forgetful(company: wecom_api.Company, path: str, body: Any = None, **more: Any) -> Any:
        if "image" in (body or {}):
            tries.append(body["image"]["media_id"])
            if len(tries) == 1:
                raise ApiError(40007, "invalid media_id", {})
        return await call(company, path, body, **more)

    monkeypatch.setattr(wecom_api.Company, "call", forgetful)
    monkeypatch.setattr("bot.delivery.BACKOFF", (0.01,) * 5)
    await owe(served, "【返修】#1", photos=photos[:1])
    await settled(served, State.SENT, State.SENT, State.SENT)
    assert len(wechat_far.calls("media/upload")) == 2
    assert len(tries) == 2


# --------------------------------------------------------------------------- cards


def test_a_card_has_six_buttons_and_none_with_cut_words() -> None:
    many = tuple(Button(f"选{n}", f"选 {n}") for n in range(8))
    assert pressable(many) == many[:6]
    assert pressable((Button("长", "长" * 342), Button("短", "短"), Button("空", ""))) == (
        Button("短", "短"),
    )


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("短", ("短", "")),
        (ALERT, tuple(ALERT.split("\n"))),
        (
            "3栋2单元501厨房水管漏水了，住户说从昨晚开始就在漏，请来。",
            ("3栋2单元501厨房水管漏水了，", "住户说从昨晚开始就在漏，请来。"),
        ),
        ("题\n" + "长" * 113, None),
        ("", None),
    ],
)
def test_a_card_says_all_or_is_not_enough(text: str, found: tuple[str, str] | None) -> None:
    assert whole(text) == found


def test_a_tapped_card_shows_the_words_or_their_beginning() -> None:
    assert answered("接 1") == "已回「接 1」"
    assert answered("#1 修好了，没问题了") == "已回「#1 修好了，没问…」"


@pytest.mark.parametrize("table", [{"cards": "sometimes"}, {"cards": True}, {"card": "also"}])
def test_what_the_community_says_to_the_app_is_checked(table: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"channels\.wecom"):
        read_table(table)
