"""What an Official Account's callback says, in the words of no platform.

Source: OA doc, 接收普通消息 and 接收事件推送.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from wechatpy.parser import parse_message

from bot.channels.base import Grant, Incoming
from bot.channels.text import clean
from bot.channels.wechat_envelope import Refused

#: What a follower's message, and a tap, a follow or a scan, lets us send. OA doc, 客服消息.
MESSAGE, TAP = Grant(5, 48 * 3600.0), Grant(3, 60.0)
HELLO = "/start"


@dataclass(frozen=True, slots=True)
class Heard:
    """Somebody said something; `picture` is a media id whose file is still to be fetched."""

    incoming: Incoming
    picture: str = ""


@dataclass(frozen=True, slots=True)
class Lost:
    """A message of ours that did not arrive after all: whose, the platform's id of it, and why."""

    chat: str
    receipt: str
    reason: str


@dataclass(frozen=True, slots=True)
class Aside:
    """Nothing to handle, and why; `gone` is who left us, `lost` what did not arrive."""

    reason: str
    gone: str = ""
    lost: tuple[Lost, ...] = ()


def fields(text: str, parse: Callable[[str], Any] = parse_message) -> Mapping[str, Any]:
    """The fields of a decrypted message, read by wechatpy; raises Refused(400) for whatever it stumbles over.

    Unknown kinds come out as their raw fields too, so that we map them ourselves.
    """
    try:
        found = parse(text)._data
    except Exception:  # KeyError, TypeError, ExpatError …: the library checks nothing
        raise Refused(400, "unreadable") from None
    if not isinstance(found, Mapping):
        raise Refused(400, "unreadable")
    return found


def word(found: Mapping[str, Any], name: str, most: int = 128) -> str:
    """A field as a text; "" where it is none."""
    value = found.get(name)
    return clean(value)[:most] if isinstance(value, str) else str(value) if isinstance(value, int) else ""


def read(found: Mapping[str, Any], channel: str) -> Heard | Aside:
    """A message or event of the account. Raises Refused(400) where who or what is missing."""
    sender, kind = word(found, "FromUserName"), word(found, "MsgType").lower()
    if not sender or not kind:
        raise Refused(400, "nobody, or nothing")
    if kind == "event":
        return _event(found, channel, sender)
    number = word(found, "MsgId", 64)
    if not number:
        raise Refused(400, "no MsgId")
    picture = word(found, "MediaId", 255) if kind == "image" else ""
    incoming = Incoming(
        channel=channel,
        id=number,
        chat=sender,
        sender=sender,
        text=said(found, kind),
        voice=kind == "voice",
        grant=MESSAGE,
        answers_back=True,
    )
    return Heard(incoming, picture)


def said(found: Mapping[str, Any], kind: str) -> str:
    """The words of a message; a voice has some only where the account has speech recognition."""
    match kind:
        case "text":
            return word(found, "Content", 20_000)
        case "voice":
            return word(found, "Recognition", 20_000)
        case "location":
            point = f"{word(found, 'Location_X')},{word(found, 'Location_Y')}"
            return word(found, "Label", 500) or f"位置 {point}"
        case "link":
            return " ".join(part for part in (word(found, "Title", 500), word(found, "Url", 1000)) if part)
        case _:
            return ""


def _event(found: Mapping[str, Any], channel: str, sender: str) -> Heard | Aside:
    event, key = word(found, "Event").lower(), word(found, "EventKey", 500)
    match event:
        case "unsubscribe":
            return Aside("unsubscribed", gone=sender)
        # By a code with parameters: what it carries is said at once, mostly an invite code. wechatpy gives
        # that following a name of its own.
        case "subscribe" | "subscribe_scan":
            said = key.removeprefix("qrscene_") or HELLO
        case "scan":
            said = key or HELLO
        case "scancode_waitmsg":
            said = word(_inside(found, "ScanCodeInfo"), "ScanResult", 500)
        case "click":
            said = key
        case "templatesendjobfinish" | "subscribe_msg_sent_event":
            return Aside("delivery report", lost=tuple(_lost(found, sender)))
        case _:
            return Aside(f"event {event}"[:40])
    moment = word(found, "CreateTime", 32)
    if not moment.isdecimal() or not said:
        raise Refused(400, "an event without its moment or key")
    incoming = Incoming(
        channel=channel,
        id=f"{sender}:{moment}:{event}:{key}"[:160],
        chat=sender,
        sender=sender,
        text=clean(said),
        grant=TAP,
        answers_back=True,
    )
    return Heard(incoming)


def _inside(found: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = found.get(name)
    return value if isinstance(value, Mapping) else {}


def _lost(found: Mapping[str, Any], sender: str) -> Iterator[Lost]:
    """What the platform reports as not delivered: of a template message, and of subscribed notices."""
    status = word(found, "Status")
    if status and status != "success":
        yield Lost(sender, word(found, "MsgID"), status)
    listed = _inside(found, "SubscribeMsgSentEvent").get("List", [])
    for one in listed if isinstance(listed, list) else [listed]:
        if isinstance(one, Mapping) and word(one, "ErrorCode") not in ("", "0"):
            reason = f"{word(one, 'ErrorCode')} {word(one, 'ErrorStatus')}"
            yield Lost(sender, word(one, "MsgID"), reason)
