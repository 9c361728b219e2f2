"""What a smart bot hears, in the words of no platform. Source: WeCom docs 100719, 101027 and 101463."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from bot.channels.base import Grant, Incoming
from bot.channels.text import clean
from bot.channels.wechat_envelope import Refused
from bot.channels.wechat_reading import HELLO, Aside, word

ANSWERS_FOR = 3600.0  # seconds that a response_url is good, once (WeCom doc 101138)
#: The name that a group's message begins with; whatever the bot is called there.
_NAMED = re.compile(r"^\s*[@＠]\S+?[\s\u2005，,：:]+|^\s*[@＠]\S+\s*$")
_US = re.compile(r"\s*[@＠]邻里[\s\u2005，,：:]*")


@dataclass(frozen=True, slots=True)
class Picture:
    """Where an encrypted picture lies for five minutes, and its own key ("" where it is the bot's)."""

    url: str
    aes_key: str = ""


@dataclass(frozen=True, slots=True)
class Spoken:
    """Somebody wrote; `pictures` are still to be fetched. `hello`: somebody opened the chat."""

    incoming: Incoming
    pictures: tuple[Picture, ...] = ()
    hello: bool = False


@dataclass(frozen=True, slots=True)
class Tapped:
    """A button of the card `task`. The answer to it is how the card looks from now on."""

    incoming: Incoming
    task: str


@dataclass(frozen=True, slots=True)
class Asked:
    """How does the answer with this stream id go on?"""

    stream: str


def read(found: Mapping[str, Any], channel: str) -> Spoken | Tapped | Asked | Aside:
    """The body of a callback or a frame. Raises Refused(400) where who or what is missing."""
    kind = word(found, "msgtype").lower()
    if kind == "stream":
        stream = word(inside(found, "stream"), "id", 200)
        if not stream:
            raise Refused(400, "a stream without its id")
        return Asked(stream)
    event = word(inside(found, "event"), "eventtype").lower() if kind == "event" else ""
    if kind == "event" and event not in ("enter_chat", "template_card_event"):
        return Aside(f"event {event}"[:40])
    number, sender = word(found, "msgid", 150), word(inside(found, "from"), "userid")
    if not number or not sender or not kind:
        raise Refused(400, "nobody, or nothing")
    heard = _incoming(found, channel, number, sender)
    if event == "enter_chat":
        return Spoken(replace(heard, text=HELLO), hello=True)
    if event == "template_card_event":
        tap = inside(inside(found, "event"), "template_card_event")
        key = word(tap, "event_key", 1024)
        if not key:
            raise Refused(400, "a tap without its key")
        return Tapped(replace(heard, text=key, answers_back=False), word(tap, "task_id"))
    text, pictures = _content(found, kind)
    return Spoken(replace(heard, text=_unnamed(text, heard.group), voice=kind == "voice"), pictures)


def _incoming(found: Mapping[str, Any], channel: str, number: str, sender: str) -> Incoming:
    group = word(found, "chattype") == "group"
    chat = word(found, "chatid") if group else sender
    if not chat:
        raise Refused(400, "a group without its id")
    url = word(found, "response_url", 2000)
    return Incoming(
        channel=channel,
        id=number,
        chat=chat,
        sender=sender,
        text="",
        group=group,
        addressed=True,  # nothing else of a group reaches us
        grant=Grant(1, ANSWERS_FOR, url) if url else None,
        answers_back=True,
        known_as=("wecom", sender),
    )


def _content(found: Mapping[str, Any], kind: str) -> tuple[str, tuple[Picture, ...]]:
    """Words and pictures of a message of any kind; neither of one that we don't know."""
    own = inside(found, kind)
    if kind in ("text", "voice"):
        return word(own, "content", 20_000), ()
    if kind == "image":
        return "", _pictures(own)
    if kind != "mixed":
        return "", ()
    texts, pictures = [], list[Picture]()
    items = own.get("msg_item")
    for item in items if isinstance(items, list) else ():
        if isinstance(item, Mapping):
            text, more = _content(item, word(item, "msgtype").lower()) if "mixed" not in item else ("", ())
            texts.append(text)
            pictures += more
    return "\n".join(text for text in texts if text), tuple(pictures[:9])


def _pictures(own: Mapping[str, Any]) -> tuple[Picture, ...]:
    url = word(own, "url", 2000)
    return (Picture(url, word(own, "aeskey", 64)),) if url else ()


def _unnamed(text: str, group: bool) -> str:
    """Without our name: at the beginning in a group whatever it is, elsewhere only the one we know."""
    text = _US.sub(" ", clean(text)).strip()
    return _NAMED.sub("", text, count=1).strip() if group else text


def inside(found: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """A field with fields; none where it is something else."""
    value = found.get(name)
    return value if isinstance(value, Mapping) else {}
