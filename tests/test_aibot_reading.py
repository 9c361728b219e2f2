"""What the smart bot is told, from recordings; and what it says, as the platform takes it."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.channels.aibot_reading import Asked, Entered, Heard, Tapped, Told, read, unaddressed
from bot.channels.aibot_saying import MOST, answered, parts, plain, stream, with_card
from bot.channels.base import Button, Grant, Incoming
from bot.channels.text import octets
from bot.channels.wechat_envelope import Refused
from bot.channels.wechat_reading import Aside
from tests.fakes.wechat_credentials import NOBODY

WIRE = Path(__file__).parent / "wire"
FANG, GROUP = "WangFang", "group:wrINVENTEDgroup00000001"
PICTURE = (
    "https://ww-aibot-img-1258476243.cos.ap-guangzhou.myqcloud.com/invented/1?sign=q-sign-algorithm%3Dsha1"
)


def recorded(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((WIRE / f"aibot/{name}.json").read_text("utf-8"))
    return found


def told(name: str) -> Told:
    return read(recorded(name), "aibot", NOBODY.corp_id)


def heard(name: str) -> Heard:
    found = told(name)
    assert isinstance(found, Heard)
    return found


@pytest.mark.parametrize(
    ("name", "chat", "text", "pictures"),
    [
        ("text_single", FANG, "厨房水管漏水了", ()),
        ("text_group", GROUP, "楼道灯坏了", ()),
        ("text_group_name_later", GROUP, "麻烦 看看电梯", ()),
        ("text_group_only_name", GROUP, "/start", ()),
        ("quote_text", GROUP, "这个报修一下", ()),
        ("quote_mixed", FANG, "这个", ()),
        ("mixed", GROUP, "墙皮掉了", (PICTURE,)),
        ("image", FANG, "", (PICTURE,)),
        ("image_with_key", FANG, "", (f"{PICTURE} c21hcnQgcm9ib3QgY2FsbGJhY2sga2V5IG5vYm9keTE",)),
        ("voice", FANG, "楼道的灯不亮了", ()),
        ("file", FANG, "", ()),
        ("video", FANG, "", ()),
        ("unknown_kind", FANG, "", ()),
    ],
)
def test_a_message(name: str, chat: str, text: str, pictures: tuple[str, ...]) -> None:
    found, body = heard(name), recorded(name)
    assert found.pictures == pictures
    assert found.incoming == Incoming(
        "aibot",
        body["msgid"],
        chat,
        FANG,
        text,
        group=chat == GROUP,
        voice=name == "voice",
        grant=Grant(1, 3600.0, body["response_url"]),
        answers_back=True,
        known_as=("wecom", FANG),
    )


def test_whoever_comes_in_is_welcomed() -> None:
    found = told("enter_chat")
    assert isinstance(found, Entered)
    assert (found.incoming.text, found.incoming.chat, found.incoming.grant) == ("/start", FANG, None)


def test_a_tap_says_the_words_of_its_button() -> None:
    found = told("template_card_event")
    assert isinstance(found, Tapped)
    assert (found.incoming.text, found.card) == ("claim", "ticket-12-1@linli")
    assert not found.incoming.answers_back
    assert found.incoming.grant == Grant(1, 3600.0, recorded("template_card_event")["response_url"])
    selected = told("template_card_selected")
    assert isinstance(selected, Tapped)
    assert selected.incoming.text == "submit"


def test_what_is_left_of_a_tapped_button_says_nothing() -> None:
    body = recorded("template_card_event")
    card = answered("ticket-12-1@linli", "接 1")["template_card"]
    body["event"]["template_card_event"]["event_key"] = card["button_list"][0]["key"]
    assert read(body, "aibot") == Aside("tapped again")


def test_the_platform_asks_for_an_answer() -> None:
    assert told("stream") == Asked("invented-stream-0001", GROUP)


@pytest.mark.parametrize(
    ("name", "reason"), [("feedback_event", "feedback_event"), ("unknown_event", "room_changed")]
)
def test_what_says_nothing_is_put_aside(name: str, reason: str) -> None:
    assert told(name) == Aside(f"event {reason}")


@pytest.mark.parametrize("name", ["malformed_no_sender", "malformed_text_is_null", "malformed_mixed"])
def test_what_is_broken_is_refused(name: str) -> None:
    with pytest.raises(Refused) as refused:
        told(name)
    assert refused.value.status == 400


def test_every_recording_is_read() -> None:
    for path in (WIRE / "aibot").glob("*.json"):
        if not path.name.startswith("malformed"):
            told(path.stem)


def test_an_event_without_a_number_is_known_by_who_when_and_what() -> None:
    body = recorded("enter_chat")
    del body["msgid"]
    found = read(body, "aibot")
    assert isinstance(found, Entered)
    assert found.incoming.id == "WangFang:1772589662:enter_chat"
    del body["create_time"]
    with pytest.raises(Refused):
        read(body, "aibot")


def test_a_userid_of_another_company_is_somebody_else() -> None:
    body = recorded("text_single")
    body["from"]["corpid"] = NOBODY.corp_id
    assert read(body, "aibot", NOBODY.corp_id) == told("text_single")
    body["from"]["corpid"] = "ww0000000000000000"
    assert read(body, "aibot", NOBODY.corp_id) == Aside("of another company")
    found = read(body, "aibot")  # no app of ours to compare it with
    assert isinstance(found, Heard)
    assert found.incoming.known_as is None


def test_a_member_called_like_a_group_is_not_that_group() -> None:
    body = recorded("text_single")
    body["from"]["userid"] = recorded("text_group")["chatid"]
    found = read(body, "aibot")
    assert isinstance(found, Heard)
    assert found.incoming.chat != GROUP


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("@邻里 楼道灯坏了", "楼道灯坏了"),
        ("@邻里\u2005楼道灯坏了", "楼道灯坏了"),
        ("＠邻里 楼道灯坏了", "楼道灯坏了"),
        ("  @小区助手  电梯停了 ", "电梯停了"),
        ("@邻里小助手 电梯停了", "电梯停了"),
        ("@老李 @邻里 接 1", "@老李 接 1"),
        ("@邻里 1 转给 @老李", "1 转给 @老李"),
        ("1 转给 @老李 和 @小张", "1 转给 @老李 和 @小张"),
        ("发邮件到 a@b.cn", "发邮件到 a@b.cn"),
        ("@邻里", ""),
    ],
)
def test_the_name_is_taken_out_of_what_is_said(said: str, meant: str) -> None:
    assert unaddressed(said) == meant


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("<@LiJianGuo> 来一下", "＜@LiJianGuo＞ 来一下"),
        ("**急** `x` ~~y~~ _z_", "＊＊急＊＊ ｀x｀ ～～y～～ ＿z＿"),
        ("[点我](https://evil.example)", "［点我］(https://evil.example)"),
        ("# 通知\n- 一\n---\n    码\n> 引", "＃ 通知\n－ 一\n－－－\n　　　　码\n＞ 引"),
        ("#1 水管漏水，3栋*单元\n要接请回「接 1」。", "#1 水管漏水，3栋＊单元\n要接请回「接 1」。"),
        ("看 https://linli.example/my/a_b-c?x=1~2 。", "看 https://linli.example/my/a_b-c?x=1~2 。"),
    ],
)
def test_no_words_become_markup_or_call_anybody(said: str, shown: str) -> None:
    assert plain(said) == shown


def test_a_long_text_goes_in_pieces_that_the_platform_takes() -> None:
    text = "\n".join(f"{number} <水管> 漏水" for number in range(3000))
    pieces = parts(text)
    assert len(pieces) > 1
    assert all(octets(piece) <= MOST for piece in pieces)
    assert "\n".join(pieces) == plain(text)


def test_an_answer_takes_its_buttons_along() -> None:
    said = stream("m1", "修好了吗？")
    assert with_card(said, "7-x", "修好了吗？", ()) == said
    both = with_card(said, "7-x", "修好了吗？", [Button("好了", "好了，谢谢")])
    assert both["msgtype"] == "stream_with_template_card"
    assert both["stream"] == said["stream"]
    assert both["template_card"]["button_list"][0]["key"] == "好了，谢谢"


def _broken(found: Any) -> Iterator[Any]:
    """The same with one part of it left out or of another kind, at every depth."""
    if not isinstance(found, dict | list):
        return
    places = list(found) if isinstance(found, dict) else list(range(len(found)))
    for place in places:
        for strange in (None, True, -1, 1e308, "", "\0\ud800", "长" * 5000, [], {}, [None], {"": None}):
            made = copy.deepcopy(found)
            made[place] = strange
            yield made
        for inner in _broken(found[place]):
            made = copy.deepcopy(found)
            made[place] = inner
            yield made


@pytest.mark.parametrize("path", sorted((WIRE / "aibot").glob("*.json")), ids=lambda path: path.stem)
def test_no_shape_breaks_the_reading(path: Path) -> None:
    """What comes out fits into the database's columns, whatever went in."""
    count = 0
    for body in _broken(json.loads(path.read_text("utf-8"))):
        count += 1
        try:
            found = read(body, "aibot", NOBODY.corp_id)
        except Refused as refused:
            assert refused.status == 400
            continue
        if isinstance(found, Heard | Entered | Tapped):
            incoming = found.incoming
            assert 0 < len(incoming.id) <= 160
            assert 0 < len(incoming.chat) <= 128
            assert 0 < len(incoming.sender) <= 128
            assert incoming.text == incoming.text.encode("utf-8").decode().replace("\0", "")
    assert count > 50
