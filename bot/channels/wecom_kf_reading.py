"""What a customer of 微信客服 says, in the words of no platform. Source: WeCom doc 94670 (接收消息和事件)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bot.channels.base import Grant, Incoming
from bot.channels.text import clean
from bot.channels.wechat_envelope import Refused
from bot.channels.wechat_reading import HELLO, Aside, Heard, Lost, word

CUSTOMER, SYSTEM = 3, 4  # who a message is from; 5 is a person of the company
ANSWERS, WINDOW = 5, 48 * 3600.0  # messages of ours for one of the customer's, and seconds
GREETS = 20.0  # seconds that a welcome code lives (WeCom doc 96428)
#: In front of a grant's token: what follows is the customer service and the code of a welcome.
WELCOME = "welcome:"
#: In front of a menu's id: what follows is what the entry says. Menus that people made have ids of their own.
SAYS = "says:"
#: A link to the customer service may carry an invite code. It carries nothing else: whoever makes a link must
#: not speak for who opens it.
_CODE = re.compile(r"(?=.*\d)(?=.*[A-Za-z])[0-9A-Za-z-]{5,32}")
_FAILED = {
    1: "客服账号已删除",
    2: "应用已关闭",
    4: "超过 48 小时",
    5: "会话已关闭",
    6: "超过 5 条",
    8: "主体未验证",
    10: "对方拒收",
}
_REFUSES = 10


def read(message: Mapping[str, Any], channel: str, now: float) -> Heard | Aside:
    """One of `msg_list`; `now` is the platform's time, seconds since 1970.

    Raises Refused(400) where who or what is missing.
    """
    number, origin = word(message, "msgid"), message.get("origin")
    if not number:
        raise Refused(400, "no msgid")
    age = max(0.0, now - _seconds(message))
    if origin == SYSTEM:
        return _event(_inside(message, "event"), channel, number, age)
    if origin != CUSTOMER:
        return Aside("from the company")
    account, customer = word(message, "open_kfid"), word(message, "external_userid")
    if not account or not customer:
        raise Refused(400, "nobody, or nowhere")
    kind = word(message, "msgtype")
    incoming = Incoming(
        channel,
        number,
        customer,
        customer,
        _said(_inside(message, kind), kind),
        voice=kind == "voice",
        grant=Grant(ANSWERS, WINDOW - age, account) if age < WINDOW else None,
    )
    return Heard(incoming, word(_inside(message, "image"), "media_id", 255) if kind == "image" else "")


def _event(event: Mapping[str, Any], channel: str, number: str, age: float) -> Heard | Aside:
    kind, customer = word(event, "event_type"), word(event, "external_userid")
    match kind:
        case "enter_session":
            account, code = word(event, "open_kfid"), word(event, "welcome_code", 512)
            carried = word(event, "scene_param")
            said = carried if _CODE.fullmatch(carried) else HELLO if code else ""
            if not said or not customer or age >= GREETS:
                return Aside("event enter_session")
            grant = Grant(1, GREETS - age, f"{WELCOME}{account}:{code}") if code else None
            return Heard(Incoming(channel, number, customer, customer, said, grant=grant))
        case "msg_send_fail":
            type_ = event.get("fail_type")
            reason = _FAILED.get(type_, f"没有送到（{type_}）") if isinstance(type_, int) else "没有送到"
            lost = Lost(customer, word(event, "fail_msgid"), reason)
            return Aside("message lost", gone=customer if type_ == _REFUSES else "", lost=(lost,))
        case _:
            return Aside(f"event {kind}"[:40])


def _said(inside: Mapping[str, Any], kind: str) -> str:
    match kind:
        case "text":
            tapped = word(inside, "menu_id")
            words = tapped.removeprefix(SAYS) if tapped.startswith(SAYS) else ""
            return clean(words) or word(inside, "content", 20_000)
        case "location":
            place = " ".join(part for part in (word(inside, "name"), word(inside, "address", 500)) if part)
            return place or f"位置 {inside.get('latitude')},{inside.get('longitude')}"
        case "link":
            return " ".join(part for part in (word(inside, "title", 500), word(inside, "url", 1000)) if part)
        case _:
            return ""


def _inside(message: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = message.get(name)
    return value if isinstance(value, Mapping) else {}


def _seconds(message: Mapping[str, Any]) -> float:
    at = message.get("send_time")
    return float(at) if isinstance(at, int) and not isinstance(at, bool) else 0.0
