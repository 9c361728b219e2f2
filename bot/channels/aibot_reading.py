"""What a smart bot (智能机器人) is told, by callback or over its connection, in the words of no platform.

WeCom docs 100719 (messages) and 101027 (events): the same JSON both ways. In groups only what mentions the
bot comes at all, and nothing says by what name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from bot.channels.aibot_saying import ANSWERED, GROUP
from bot.channels.base import Grant, Incoming
from bot.channels.text import clean
from bot.channels.wechat_envelope import Refused
from bot.channels.wechat_reading import HELLO, Aside, word

LONGEST = 20_000  # characters
PICTURES = 9
ANSWER_FOR = 3600.0  # seconds that a response_url may be used, once (WeCom doc 101138)
_NAME = "邻里"
_MENTION = re.compile(r"(?<!\S)[@＠]\S+")


@dataclass(frozen=True, slots=True)
class Heard:
    """Somebody said something. A picture is its address, and behind a blank its own key where it has one."""

    incoming: Incoming
    pictures: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Entered:
    """Somebody opened the chat for the first time today, and may be welcomed."""

    incoming: Incoming


@dataclass(frozen=True, slots=True)
class Tapped:
    """A button of a card of ours; `card` is its task_id."""

    incoming: Incoming
    card: str


@dataclass(frozen=True, slots=True)
class Asked:
    """The platform asks how an answer goes on (callbacks only)."""

    stream: str
    chat: str


Told = Heard | Entered | Tapped | Asked | Aside


def read(found: Mapping[str, Any], channel: str, company: str = "") -> Told:
    """A message or event. Raises Refused(400) where who or what is missing.

    `company` is the CorpID of the app's door, whose members are the same; "" where there is none.
    """
    sender, kind = word(_inside(found, "from"), "userid", 64), word(found, "msgtype").lower()
    if not sender or not kind:
        raise Refused(400, "nobody, or nothing")
    theirs = word(_inside(found, "from"), "corpid", 64)
    if theirs and company and theirs != company:  # a userid means somebody else there
        return Aside("of another company")
    group = word(found, "chattype").lower() == "group"
    place = word(found, "chatid", 100) if group else sender
    if not place:
        raise Refused(400, "a group without its address")
    incoming = Incoming(
        channel=channel,
        id=_number(found, sender),
        chat=GROUP + place if group else place,
        sender=sender,
        text="",
        group=group,
        grant=_grant(found),
        answers_back=True,
        known_as=None if theirs and theirs != company else ("wecom", sender),
    )
    match kind:
        case "stream":
            return Asked(word(_inside(found, "stream"), "id", 160), incoming.chat)
        case "event":
            return _event(_inside(found, "event"), incoming)
        case _:
            return _message(found, kind, incoming)


def _number(found: Mapping[str, Any], sender: str) -> str:
    """What makes it the same when it comes again."""
    if number := word(found, "msgid", 128):
        return number
    moment, event = word(found, "create_time", 32), word(_inside(found, "event"), "eventtype", 40)
    if not moment or not event:
        raise Refused(400, "no msgid")
    return f"{sender}:{moment}:{event}"


def _grant(found: Mapping[str, Any]) -> Grant | None:
    url = word(found, "response_url", 2000)
    return Grant(1, ANSWER_FOR, url) if url else None


def _event(found: Mapping[str, Any], incoming: Incoming) -> Entered | Tapped | Aside:
    event = word(found, "eventtype", 40).lower()
    match event:
        case "enter_chat":
            return Entered(_with(incoming, HELLO))
        case "template_card_event":
            tapped = _inside(found, event)
            key, card = word(tapped, "event_key", 1024), word(tapped, "task_id")
            if key == ANSWERED:  # what is left of a button that was tapped before
                return Aside("tapped again")
            if not key or not card:
                raise Refused(400, "a card without its name or key")
            # The acknowledgement is the card's: the answer goes by itself.
            return Tapped(_with(incoming, key, answers_back=False), card)
        case _:
            return Aside(f"event {event}"[:40])


def _message(found: Mapping[str, Any], kind: str, incoming: Incoming) -> Heard:
    pictures: tuple[str, ...] = ()
    match kind:
        case "text" | "voice":
            text = _words(found, kind)
        case "image":
            text, pictures = "", _pictures([found])
        case "mixed":
            items = _inside(found, "mixed").get("msg_item")
            if not isinstance(items, list):
                raise Refused(400, "nothing in it")
            parts = [one for one in items if isinstance(one, Mapping)]
            text = "\n".join(_words(one, "text") for one in parts if word(one, "msgtype") == "text")
            pictures = _pictures([one for one in parts if word(one, "msgtype") == "image"])
        case _:  # files, videos, and what comes in later years: nothing that we could read
            text = ""
    if incoming.group:
        text = unaddressed(text) or ("" if pictures else HELLO)  # who only calls us wants to know what we do
    return Heard(_with(incoming, text, voice=kind == "voice"), pictures)


def unaddressed(text: str) -> str:
    """The words without the mention that brought them: ours by name, else the first, else the only one."""
    mentions = list(_MENTION.finditer(text))
    ours = [one for one in mentions if one[0][1:].startswith(_NAME)]
    if not ours and mentions and (len(mentions) == 1 or not text[: mentions[0].start()].strip()):
        ours = mentions[:1]
    if not ours:
        return text.strip()
    before, behind = text[: ours[0].start()].strip(), text[ours[0].end() :].strip()
    return f"{before} {behind}".strip()


def _words(found: Mapping[str, Any], kind: str) -> str:
    inside = found.get(kind)
    if not isinstance(inside, Mapping):
        raise Refused(400, "no words")
    return word(inside, "content", LONGEST)


def _pictures(parts: list[Mapping[str, Any]]) -> tuple[str, ...]:
    found = []
    for image in (_inside(part, "image") for part in parts):
        url, key = word(image, "url", 2000), word(image, "aeskey", 64)
        if url and not re.search(r"\s", url + key):
            found.append(f"{url} {key}".strip())
    return tuple(found[:PICTURES])


def _inside(found: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = found.get(name)
    return value if isinstance(value, Mapping) else {}


def _with(incoming: Incoming, text: str, *, voice: bool = False, answers_back: bool = True) -> Incoming:
    return replace(incoming, text=clean(text), voice=voice, answers_back=answers_back)
