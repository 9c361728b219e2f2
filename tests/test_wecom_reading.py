"""Recorded messages and events of a WeCom app, and what they say in the words of no platform."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from wechatpy.enterprise.parser import parse_message

from bot.channels.base import Incoming
from bot.channels.wechat_envelope import Refused
from bot.channels.wechat_reading import Aside, Heard, fields
from bot.channels.wecom_reading import Rung, Tapped, read

WIRE = Path(__file__).parent / "wire" / "wecom"
LI = "LiJianGuo"


def recorded(name: str, **changed: str) -> Heard | Tapped | Rung | Aside:
    found = fields((WIRE / f"{name}.xml").read_text(encoding="utf-8"), parse_message)
    return read(dict(found) | changed, "wecom")


def said(number: str, text: str, **more: Any) -> Incoming:
    return replace(Incoming("wecom", number, LI, LI, text, answers_back=True), **more)


@pytest.mark.parametrize(
    ("name", "incoming"),
    [
        ("text", said("7300000000000319", "接 12")),
        ("image", said("7300000000000330", "")),
        ("voice", said("7300000000000341", "", voice=True)),
        ("video", said("7300000000000352", "")),
        ("location", said("7300000000000363", "幸福里东门")),
        ("link", said("7300000000000374", "配件清单 https://example.com/parts")),
    ],
)
def test_a_recorded_message_is_what_was_said(name: str, incoming: Incoming) -> None:
    heard = recorded(name)
    assert isinstance(heard, Heard)
    assert heard.incoming == incoming
    assert heard.picture == ("1invented-wecom-media-0001" if name == "image" else "")


@pytest.mark.parametrize(("name", "text"), [("subscribe", "/start"), ("click", "my_tickets")])
def test_a_recorded_event_says_its_words(name: str, text: str) -> None:
    heard = recorded(name)
    assert isinstance(heard, Heard)
    assert heard.incoming == said(heard.incoming.id, text)


@pytest.mark.parametrize(
    ("name", "words", "code"),
    [
        ("template_card_event", "accept", "invented-response-code-0001"),
        ("template_card_selected", "submit", "invented-response-code-0002"),
    ],
)
def test_a_tap_says_what_its_button_says(name: str, words: str, code: str) -> None:
    tapped = recorded(name)
    assert isinstance(tapped, Tapped)
    assert tapped.code == code
    # the acknowledgement changes the card: it can't carry the answer too
    assert tapped.incoming == said(tapped.incoming.id, words, answers_back=False)


def test_a_customer_service_rings() -> None:
    assert recorded("kf_msg_or_event") == Rung(
        "ENCinventedTokenOfAKfEvent0001", "wk51a0C0FFEE51a0C0FFEE51a0C0FFEE"
    )


@pytest.mark.parametrize(
    ("name", "aside"),
    [
        ("unsubscribe", Aside("unsubscribed", gone=LI)),
        ("enter_agent", Aside("event enter_agent")),
        ("view", Aside("event view")),
        ("location_event", Aside("event location")),
        ("template_card_menu_event", Aside("event template_card_menu_event")),
        ("change_contact_create_user", Aside("event change_contact")),
        ("change_contact_update_user", Aside("event change_contact")),
        ("change_contact_delete_user", Aside("event change_contact")),
        ("change_external_chat", Aside("event change_external_chat")),
        ("open_approval_change", Aside("event open_approval_change")),
    ],
)
def test_a_recording_that_asks_for_nothing_is_put_aside(name: str, aside: Aside) -> None:
    assert recorded(name) == aside


@pytest.mark.parametrize("name", ["malformed_no_sender", "malformed_card"])
def test_a_recording_that_cannot_be_read_is_refused(name: str) -> None:
    with pytest.raises(Refused) as refused:
        recorded(name)
    assert refused.value.status == 400


def number(**changed: str) -> str:
    tapped = recorded("template_card_event", **changed)
    assert isinstance(tapped, Tapped)
    return tapped.incoming.id


@pytest.mark.parametrize(
    "other",
    [{"FromUserName": "Zhang"}, {"CreateTime": "1772589642"}, {"EventKey": "done"}, {"TaskId": "13-abc"}],
)
def test_a_repeated_tap_has_the_number_of_the_first_and_another_tap_another(other: dict[str, str]) -> None:
    assert number() == number(ResponseCode="another")
    assert number() != number(**other)
    assert len(number(FromUserName="x" * 128)) <= 160


def test_every_recording_is_read_in_one_of_these() -> None:
    tests: list[Any] = [
        test_a_recorded_message_is_what_was_said,
        test_a_recorded_event_says_its_words,
        test_a_tap_says_what_its_button_says,
        test_a_recording_that_asks_for_nothing_is_put_aside,
        test_a_recording_that_cannot_be_read_is_refused,
    ]
    lists = [mark.args[1] for test in tests for mark in test.pytestmark]
    named = {one if isinstance(one, str) else one[0] for listed in lists for one in listed}
    assert named | {"kf_msg_or_event"} == {path.stem for path in WIRE.glob("*.xml")}
