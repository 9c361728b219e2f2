"""What a callback of the WeCom app says, in the words of no platform. Source: WeCom docs 90239 and 90240."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.channels.base import Incoming
from bot.channels.text import clean
from bot.channels.wechat_envelope import Refused
from bot.channels.wechat_reading import HELLO, Aside, Heard, said, word


@dataclass(frozen=True, slots=True)
class Tapped:
    """A button of a card; `code` is good for one update of it within 72 hours (WeCom doc 94888)."""

    incoming: Incoming
    code: str


@dataclass(frozen=True, slots=True)
class Rung:
    """Customer service `account` has something for us, to be fetched with `token` within ten minutes."""

    token: str
    account: str


def read(found: Mapping[str, Any], channel: str) -> Heard | Tapped | Rung | Aside:
    """A message or event of the app. Raises Refused(400) where who or what is missing."""
    kind = word(found, "MsgType").lower()
    event = word(found, "Event").lower() if kind == "event" else ""
    if event == "kf_msg_or_event":  # it has no sender
        account = word(found, "OpenKfId")
        if not account:
            raise Refused(400, "a customer service without its name")
        return Rung(word(found, "Token"), account)
    sender = word(found, "FromUserName")
    if not sender or not kind:
        raise Refused(400, "nobody, or nothing")
    if kind == "event":
        return _event(found, channel, sender, event)
    number = word(found, "MsgId", 64)
    if not number:
        raise Refused(400, "no MsgId")
    picture = word(found, "MediaId", 255) if kind == "image" else ""
    heard = _incoming(channel, number, sender, said(found, kind), voice=kind == "voice")
    return Heard(heard, picture)


def _event(found: Mapping[str, Any], channel: str, sender: str, event: str) -> Heard | Tapped | Aside:
    key = word(found, "EventKey", 1024)
    match event:
        case "unsubscribe":  # out of the app's reach, or out of the company
            return Aside("unsubscribed", gone=sender)
        case "subscribe":
            words = HELLO
        case "click" | "template_card_event":
            words = clean(key)
        case _:
            return Aside(f"event {event}"[:40])
    moment, task = word(found, "CreateTime", 32), word(found, "TaskId")
    if not moment.isdecimal() or not words:
        raise Refused(400, "an event without its moment or key")
    about = hashlib.sha256(f"{key}\0{task}".encode("utf-8", "replace")).hexdigest()[:16]
    number = f"{sender}:{moment}:{event}"[:140] + f":{about}"
    if event != "template_card_event":
        return Heard(_incoming(channel, number, sender, words))
    code = word(found, "ResponseCode", 512)
    if not task or not code:
        raise Refused(400, "a card without its name or code")
    # The acknowledgement is the card's: the answer goes by itself.
    return Tapped(_incoming(channel, number, sender, words, answers_back=False), code)


def _incoming(
    channel: str, number: str, sender: str, text: str, *, voice: bool = False, answers_back: bool = True
) -> Incoming:
    return Incoming(channel, number, sender, sender, text, voice=voice, answers_back=answers_back)
