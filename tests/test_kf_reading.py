"""Recorded messages and events of a customer service, and what they say in the words of no platform."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.channels.base import Grant, Incoming
from bot.channels.wechat_envelope import Refused
from bot.channels.wechat_reading import Aside, Heard, Lost
from bot.channels.wecom_kf_reading import read

WIRE = Path(__file__).parent / "wire" / "kf"
DESK, FANG = "wk51a0C0FFEE51a0C0FFEE51a0C0FFEE", "wmINVENTEDcustomer0000001"
HOURS = 3600.0


def message(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((WIRE / f"{name}.json").read_text(encoding="utf-8"))
    return found


def recorded(name: str, later: float = 0.0) -> Heard | Aside:
    found = message(name)
    return read(found, "kf", found["send_time"] + later)


def said(name: str, text: str, **more: Any) -> Incoming:
    grant = Grant(5, 48 * HOURS, DESK)
    return replace(Incoming("kf", message(name)["msgid"], FANG, FANG, text, grant=grant), **more)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("text", "厨房水管漏水了"),
        ("menu_click", "没人来"),
        ("image", ""),
        ("file", ""),
        ("location", "幸福里 幸福路18号"),
        ("link", "停水通知 https://example.com/water"),
        ("unknown_kind", ""),
        ("malformed_text_is_null", ""),
    ],
)
def test_a_recorded_message_is_what_was_said(name: str, text: str) -> None:
    heard = recorded(name)
    assert isinstance(heard, Heard)
    assert heard.incoming == said(name, text)
    assert heard.picture == ("1invented-kf-media-0001" if name == "image" else "")


def test_a_voice_has_no_words() -> None:
    heard = recorded("voice")
    assert isinstance(heard, Heard)
    assert heard.incoming == said("voice", "", voice=True)


def test_an_entry_of_our_menu_says_its_words_and_of_anybody_elses_what_it_shows() -> None:
    tapped = message("menu_click")
    tapped["text"] = {"content": "好了", "menu_id": "says:#1 修好了，没问题了"}
    heard = read(tapped, "kf", tapped["send_time"])
    assert isinstance(heard, Heard)
    assert heard.incoming.text == "#1 修好了，没问题了"


@pytest.mark.parametrize(("hours", "left"), [(0, 48), (47, 1), (48, None), (60, None), (-1, 48)])
def test_the_window_began_when_it_was_written(hours: float, left: float | None) -> None:
    heard = recorded("text", hours * HOURS)
    assert isinstance(heard, Heard)
    assert heard.incoming.grant == (None if left is None else Grant(5, left * HOURS, DESK))


def test_who_comes_in_is_greeted_while_the_code_lives() -> None:
    heard = recorded("enter_session", 5)
    assert isinstance(heard, Heard)
    grant = Grant(1, 15.0, f"welcome:{DESK}:inventedWelcomeCode0001")
    # a link may carry an invite code, which is said at once
    assert heard.incoming == said("enter_session", "invite-7K2M9Q", grant=grant)
    assert recorded("enter_session", 20) == Aside("event enter_session")


@pytest.mark.parametrize(
    ("carried", "words"),
    [
        ("", "/start"),
        ("撤销 1", "/start"),
        ("#1 没问题了", "/start"),
        ("1024", "/start"),
        ("7K2M9QX", "7K2M9QX"),
    ],
)
def test_a_link_speaks_for_nobody(carried: str, words: str) -> None:
    entered = message("enter_session")
    entered["event"]["scene_param"] = carried
    heard = read(entered, "kf", entered["send_time"])
    assert isinstance(heard, Heard)
    assert heard.incoming.text == words


@pytest.mark.parametrize(
    ("name", "aside"),
    [
        ("staff_text", Aside("from the company")),
        ("enter_session_no_code", Aside("event enter_session")),
        ("msg_send_fail", Aside("message lost", lost=(Lost(FANG, "linli-000012", "超过 48 小时"),))),
        ("session_status_change", Aside("event session_status_change")),
        ("user_recall_msg", Aside("event user_recall_msg")),
    ],
)
def test_a_recording_that_asks_for_nothing_is_put_aside(name: str, aside: Aside) -> None:
    assert recorded(name) == aside


def test_who_refuses_our_messages_has_left() -> None:
    failed = message("msg_send_fail")
    failed["event"]["fail_type"] = 10
    found = read(failed, "kf", 0)
    assert isinstance(found, Aside)
    assert found.gone == FANG


@pytest.mark.parametrize("missing", ["msgid", "open_kfid", "external_userid"])
def test_a_message_without_who_or_what_is_refused(missing: str) -> None:
    found = message("text")
    del found[missing]
    with pytest.raises(Refused):
        read(found, "kf", 0)


def test_every_recording_is_read_in_one_of_these() -> None:
    tests: list[Any] = [
        test_a_recorded_message_is_what_was_said,
        test_a_recording_that_asks_for_nothing_is_put_aside,
    ]
    lists = [mark.args[1] for test in tests for mark in test.pytestmark]
    named = {one[0] for listed in lists for one in listed} | {"voice", "enter_session"}
    assert named == {path.stem for path in WIRE.glob("*.json")}
