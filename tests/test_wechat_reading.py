"""Recorded messages and events of an Official Account, and what they say in the words of no platform."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.channels.base import Incoming
from bot.channels.wechat_envelope import Refused
from bot.channels.wechat_reading import MESSAGE, TAP, Aside, Heard, Lost, fields, read

WIRE = Path(__file__).parent / "wire" / "wechat_oa"
FANG = "oLINLI-fang_9Qx2mJ7cT1aVbZ"


def recorded(name: str) -> Heard | Aside:
    return read(fields((WIRE / f"{name}.xml").read_text(encoding="utf-8")), "wechat_oa")


def said(id_: str, text: str, **more: Any) -> Incoming:
    return replace(Incoming("wechat_oa", id_, FANG, FANG, text, grant=MESSAGE, answers_back=True), **more)


@pytest.mark.parametrize(
    ("name", "incoming"),
    [
        ("menu_reply", said("24801930000000028", "没人来")),
        ("image", said("24801930000000035", "")),
        ("location", said("24801930000000070", "幸福里 3号楼(幸福路18号)")),
        ("link", said("24801930000000077", "幸福里停水通知 https://mp.weixin.qq.com/s/invented0article")),
        ("unknown_kind", said("24801930000000189", "")),
        ("malformed_nested_text", said("24801930000001002", "")),
        ("subscribe", said(f"{FANG}:1772589612:subscribe:", "/start", grant=TAP)),
        (
            "subscribe_by_code",
            said(f"{FANG}:1772589613:subscribe_scan:invite-7K2M9Q", "invite-7K2M9Q", grant=TAP),
        ),
        ("scancode_waitmsg", said(f"{FANG}:1772589618:scancode_waitmsg:scan", "invite-7K2M9Q", grant=TAP)),
    ],
)
def test_a_recording_is_what_was_said(name: str, incoming: Incoming) -> None:
    heard = recorded(name)
    assert isinstance(heard, Heard)
    assert heard.incoming == incoming
    assert heard.picture == ("mEdIa-Image_0001" if name == "image" else "")


@pytest.mark.parametrize(
    ("name", "text", "voice"),
    [
        ("text", "厨房水管漏水了，麻烦派人来看看", False),
        ("text_emoji", None, False),
        ("text_from_article", None, False),
        ("voice", "", True),
        ("voice_recognized", None, True),
        ("video", "", False),
        ("shortvideo", "", False),
        ("scan", None, False),
        ("click", None, False),
    ],
)
def test_a_recording_is_taken(name: str, text: str | None, voice: bool) -> None:
    heard = recorded(name)
    assert isinstance(heard, Heard)
    assert heard.incoming.voice == voice
    assert (heard.incoming.text == text) if text is not None else heard.incoming.text


@pytest.mark.parametrize(
    ("name", "aside"),
    [
        ("unsubscribe", Aside("unsubscribed", gone=FANG)),
        ("view", Aside("event view")),
        ("location_event", Aside("event location")),
        ("unknown_event", Aside("event poi_check_notify")),
        ("template_sent", Aside("delivery report")),
        ("template_blocked", Aside("delivery report", lost=(Lost(FANG, "2000163841", "failed:user block"),))),
        ("subscribe_msg_sent", Aside("delivery report")),
        (
            "subscribe_msg_refused",
            Aside(
                "delivery report",
                lost=(Lost(FANG, "1700827132819554305", "43101 user refuse to accept the msg"),),
            ),
        ),
        ("subscribe_msg_popup", Aside("event subscribe_msg_popup_event")),
        ("subscribe_msg_popup_single", Aside("event subscribe_msg_popup_event")),
        ("subscribe_msg_change", Aside("event subscribe_msg_change_event")),
    ],
)
def test_a_recording_that_asks_for_nothing_is_put_aside(name: str, aside: Aside) -> None:
    assert recorded(name) == aside


@pytest.mark.parametrize("name", ["malformed_no_sender", "malformed_no_kind", "malformed_time"])
def test_a_recording_that_cannot_be_read_is_refused(name: str) -> None:
    with pytest.raises(Refused) as refused:
        recorded(name)
    assert refused.value.status == 400


def test_every_recording_is_read_in_one_of_these() -> None:
    tests: list[Any] = [
        test_a_recording_is_what_was_said,
        test_a_recording_is_taken,
        test_a_recording_that_asks_for_nothing_is_put_aside,
        test_a_recording_that_cannot_be_read_is_refused,
    ]
    lists = [mark.args[1] for test in tests for mark in test.pytestmark]
    named = {one if isinstance(one, str) else one[0] for listed in lists for one in listed}
    assert named == {path.stem for path in WIRE.glob("*.xml")}
