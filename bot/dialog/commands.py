"""What we tell people to write is understood whatever they add: 「接 1，半小时到」, 「1 到了」, /start."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from nlp.meaning import Item, Meaning

_END = r"(?=$|[\s，,。.；;：:！!、吧了啦咯])"
_REF = r"[#]?\s*(?P<ref>\d{1,9})\s*号?单?"
_OTHER = r"[#]?\s*(?P<other>\d{1,9})\s*号?单?"
_DONE = r"(?:修好|弄好|搞好|换好|装好|处理好|办好|查清|通好|做好|好|完工|搞定|修完|弄完|做完|恢复)"
_COMMANDS = (
    ("ticket.accept", re.compile(rf"(?:我来?)?(?:接单?|抢单?)\s*{_REF}{_END}")),
    ("ticket.progress", re.compile(rf"{_REF}\s*(?:已经?)?(?:到了|到场|处理中){_END}")),
    ("ticket.complete", re.compile(rf"{_REF}\s*(?:已经?)?{_DONE}[了啦]?(?=$|[\s，,。.；;：:！!、])")),
    ("ticket.transfer", re.compile(rf"{_REF}\s*(?:退回|退单){_END}")),
    ("ticket.cancel", re.compile(rf"(?:撤销|取消)\s*{_REF}$")),
    ("ticket.decline", re.compile(rf"(?:不接|接不了|去不了|不去)\s*{_REF}{_END}")),
    ("ticket.decline", re.compile(rf"{_REF}\s*(?:不接|接不了|不去){_END}")),
    ("ticket.ack", re.compile(rf"(?:收到|知道了?|晓得了?)\s*{_REF}$")),
    ("ticket.ack", re.compile(rf"{_REF}\s*(?:收到|知道了?|晓得了?)$")),
    ("ticket.show", re.compile(rf"看?看?\s*{_REF}\s*详情$")),
    ("ticket.rate", re.compile(rf"{_REF}\s*(?:评|打|给)\s*(?P<rating>[1-5])\s*[分星]{_END}")),
    (
        "incident.merge",
        re.compile(rf"(?:合并|并单)\s*{_REF}\s*(?P<into>到|进|入|并入|并到|和|跟|与)\s*{_OTHER}$"),
    ),
    ("incident.merge", re.compile(rf"(?:把)?\s*{_REF}\s*(?P<into>并到|并入|并进|合并到|合到)\s*{_OTHER}$")),
    (
        "incident.merge",
        re.compile(
            rf"{_REF}\s*[和跟与、]\s*{_OTHER}\s*(?:其实|就|都|应该|好像)?是?(?:一回事|同一件|同一个|一件事){_END}"
        ),
    ),
    ("incident.split", re.compile(rf"拆开?\s*{_REF}$")),
    ("incident.split", re.compile(rf"{_REF}\s*拆出\s*(?P<person>\d{{1,12}})$")),
    ("incident.link", re.compile(rf"关联\s*{_REF}\s*[和跟与、,，]?\s*{_OTHER}$")),
    ("incident.too", re.compile(rf"{_REF}\s*我们?家也(?:是|一样)")),
    ("incident.apart", re.compile(rf"{_REF}\s*(?:不是这个|不是一回事|不是同一[件个]){_END}")),
    ("duty.save", re.compile(r"保存值班表$")),
    ("duty.drop", re.compile(r"值班表不对$")),
    ("duty.agree", re.compile(rf"同意换班\s*{_REF}$")),
    ("duty.refuse", re.compile(rf"不换班\s*{_REF}$")),
    ("profile.approve", re.compile(r"(?:同意|通过)\s*(?:\d|$)")),
    ("help", re.compile(r"/(?:start|help)(?:@\w+)?$")),
)
#: Who waits to be let in may have given a name only: 「同意 张三」.
_OF_COMMITTEE = (
    ("profile.approve", re.compile(r"(?:同意|通过)\s+\S{1,20}$")),
    ("profile.refuse", re.compile(r"(?:拒绝|不同意|不通过)\s+\S{1,20}$")),
)
_DIGIT = re.compile(r"\s*(?:选|回)?\s*([1-9])\s*[.。、)）号!！]?\s*")
#: What residents mean by the same words.
_BY_RESIDENTS = {"ticket.complete": "ticket.confirm"}
#: What staff means by them.
_BY_STAFF = {"incident.apart": "incident.split"}


def read(text: str, role: str, meaning: Meaning) -> Meaning:
    """The command that a text begins with; else the meaning as it is."""
    plain = unicodedata.normalize("NFKC", text).strip()
    for command, pattern in _COMMANDS + (_OF_COMMITTEE if role == "committee" else ()):
        match = pattern.match(plain)
        if match is None:
            continue
        if command == "profile.approve" and role != "committee" and not any(c.isdigit() for c in plain):
            continue
        intent = (_BY_STAFF if role == "staff" else _BY_RESIDENTS).get(command, command)
        item = meaning.items[0]
        said = "ref" in item.slots and ("rating" not in pattern.groupindex or "rating" in item.slots)
        if meaning.sure and item.intent == intent and (said or intent == "help"):
            return meaning
        slots = {k: v for k, v in item.slots.items() if item.intent == intent or k == "location"}
        for name in ("ref", "rating", "other", "person"):
            if pattern.groupindex.get(name) and match[name]:
                slots[name] = int(match[name])
        if pattern.groupindex.get("into") and match["into"] not in "和跟与":
            slots["into"] = True
        return Meaning((Item(intent, 1.0, slots, text),), True, meaning.nearest, meaning.traditional)
    return meaning


_DONE_WORDS = (
    r"修好|恢复|办好|查清|弄好|搞好|换好|处理好|通好|做好|完工|搞定|弄完|做完|修完|好了|通了|到了|我?接"
)
_HEAD = re.compile(rf"^(?:接|[#＃])?\s*\d+\s*号?单?\s*(?:(?:{_DONE_WORDS})[了啦]?)?[，,。.；;：:！!\s]*")
_RECEIVED = re.compile(
    r"^(?:收到|好的?|知道了?|明白|OK|ok|马上[去来到]?|这就[去来]|来了|我[去来])[了啦，,。！!\s]*"
)
_THERE = re.compile(r"到了|到场|到现场|在[修看弄查通换]|处理中|开始|正在|已到|上门了|弄着|拆")


def beside(text: str) -> str:
    """What a worker added to a command: 「接1，二十分钟到」 says 二十分钟到."""
    text = text.strip()
    rest = _HEAD.sub("", text, count=1)
    return rest.rstrip("。.！!，,")[:200] if rest != text else ""


def received(text: str) -> str | None:
    """What stands beside 「收到」; None where it isn't said, or more: that the worker is there."""
    text = text.strip()
    if not _RECEIVED.match(text) or _THERE.search(text):
        return None
    return _RECEIVED.sub("", text)[:200]


def picked(text: str, offers: Sequence[Sequence[str]]) -> str | None:
    """The words that a digit stands for, when choices ([label, words]) were offered."""
    match = _DIGIT.fullmatch(unicodedata.normalize("NFKC", text)) if offers else None
    index = int(match.group(1)) - 1 if match else len(offers)
    return offers[index][1] if index < len(offers) else None
