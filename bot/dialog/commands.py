"""What we tell people to write is understood whatever they add: 「接 1，半小时到」, 「1 到了」, /start."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

from bot.domain.parts import Stocked
from nlp.meaning import Item, Meaning
from nlp.slots.costs import Costs, find

_END = r"(?=$|[\s，,。.；;：:！!、吧了啦咯])"
_REF = r"[#]?\s*(?P<ref>\d{1,9})\s*号?单?"
_OTHER = r"[#]?\s*(?P<other>\d{1,9})\s*号?单?"
_DONE = r"(?:修好|弄好|搞好|换好|装好|处理好|办好|查清|通好|做好|好|完工|搞定|修完|弄完|做完|恢复)"
#: The words behind an offered slot: 约擦玻璃 2026-03-07 09:00 刘阿姨; #12 改到 2026-03-08 14:00.
TAKE = re.compile(
    r"(?:[#]?\s*(?P<ref>\d{1,9})\s*改到|约(?P<what>[^\d\s，,]+))\s*"
    r"(?P<day>\d{4}-\d{2}-\d{2}) (?P<at>\d{2}:\d{2})(?: (?P<who>[^，,\s]+))?(?P<agreed>[，,]同意)?$"
)
_NEAR, _WHO = r"[^，,。？?\n]", r"(?:谁|哪位师傅|哪个师傅|哪位|什么人)"
_ONCE = r"(?:上一?次|上回|上一回|前一?次|最近一次|之前|以前)"
_WHO_DID = (
    rf"(?:{_WHO}(?:师傅)?(?:(?:来|给我|帮我)?(?:家)?[修弄做换装通洗擦打扫上]|来的)|{_WHO}(?:师傅)?(?:[?？。]|$)"
    rf"|(?:花|收|付)(?:了|的|过)?(?:我们?)?多少|费用是?多少|[修弄换通装](?:了|的|好)?{_NEAR}{{0,4}}多少钱)"
)
#: It is not the past that matters where the thing is broken again, nor where it is about a fee.
_NOW = r"(?!.*(?:又[^，,]{0,4}[漏坏堵断跳停滴灭]|没修好|还没好|物业费|水费|电费|停车费|燃气费|取暖费|管理费))"
_COMMANDS = (
    ("housekeeping.take", TAKE),
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
    ("memory.last", re.compile(rf"{_NOW}(?:{_REF})?{_NEAR}{{0,8}}{_ONCE}{_NEAR}{{0,10}}?{_WHO_DID}")),
    (
        "memory.last",
        re.compile(
            rf"{_NOW}(?:{_REF}\s*(?:是|的)?)?\s*是?{_WHO}[给来]?(?:我家)?[修弄做换通]的[^\n]{{0,12}}$"
        ),
    ),
    ("ticket.status", re.compile(rf"{_REF}\s*的?(?:费用|一共)?(?:是|花了?|收了?|要)?多少钱?[?？。了呢啊]*$")),
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
    (
        "cost.agree",
        re.compile(rf"{_REF}\s*(?:我?们?家?)?同意(?:费用)?\s*(?:\d+(?:\.\d+)?\s*[元块]?钱?)?[了吧。]*$"),
    ),
    (
        "cost.refuse",
        re.compile(
            rf"{_REF}\s*(?:我?们?家?)?(?:不同意|有异议)(?:费用)?\s*(?:\d+(?:\.\d+)?\s*[元块]?钱?)?[了吧。]*$"
        ),
    ),
    ("complaint.reply", re.compile(rf"{_REF}\s*(?:回复|答复|回话)[:：，,\s]")),
    ("complaint.courtesy", re.compile(rf"{_REF}\s*提醒(?:一下|邻居|那户|对方)?$")),
    ("profile.approve", re.compile(r"(?:同意|通过)\s*(?:\d|$)")),
    ("help", re.compile(r"/(?:start|help)(?:@\w+)?$")),
)
_PAY = r"(?:元|块(?!砖|玻|板)|¥|￥|钱)"
_REPLACES = r"(?:还|先)?(?:要|得|需要?|建议|必须)(?:再|先|把)?[^，,。\n]{0,8}?(?:换|加|装|买|配|补|疏通|拆)"
_ASK_THEM = r"问.{0,2}(?:业主|住户|人家|家里|户主)"
#: What staff say of money, before the work and after it. Nothing of that is waited for.
_OF_STAFF = (
    ("cost.quote", re.compile(rf"{_REF}[\s，,：:]*(?:先)?报(?:个|一下)?价")),
    ("cost.quote", re.compile(rf"报(?:个|一下)?价\s*{_REF}(?=$|[\s，,：:])")),
    (
        "cost.quote",
        re.compile(
            rf"{_REF}[\s，,：:]*(?!.*(?:等配件|等货|到货|[不没](?:收|要|用)钱|免费|自己[买换])){_REPLACES}.*{_PAY}"
        ),
    ),
    ("cost.quote", re.compile(rf"{_REF}[\s，,：:].*{_PAY}.*{_ASK_THEM}")),
    ("cost.quote", re.compile(rf"{_REF}[\s，,：:]*{_REPLACES}.*{_ASK_THEM}")),
    ("cost.quote", re.compile(rf"{_REPLACES}.*{_ASK_THEM}")),
    ("cost.quote", re.compile(r"报价(?=[\s，,：:\d])")),
    ("cost.charge", re.compile(rf"{_REF}\s*的?(?:费用|花费)(?!.*(?:怎么|多少|吗|[?？]))")),
)
#: Who waits to be let in may have given a name only: 「同意 张三」.
_OF_COMMITTEE = (
    ("profile.approve", re.compile(r"(?:同意|通过)\s+\S{1,20}$")),
    ("profile.refuse", re.compile(r"(?:拒绝|不同意|不通过)\s+\S{1,20}$")),
)
_COMPLAINS = re.compile(r"(?:我|我们)?(?:要|想)?投诉(?!电话|热线|箱)")
_ASKS = re.compile(r"怎么|吗|哪|谁|几|？|\?|进度|撤|取消")
#: What stays of what the words were heard as; of a question for the past the kind of thing, too.
_KEPT = {"memory.last": ("location", "category")}
_DIGIT = re.compile(r"\s*(?:选|回)?\s*([1-9])\s*[.。、)）号!！]?\s*")
#: What residents mean by the same words.
_BY_RESIDENTS = {"ticket.complete": "ticket.confirm"}
#: What staff means by them.
_BY_STAFF = {"incident.apart": "incident.split"}


def read(text: str, role: str, meaning: Meaning) -> Meaning:
    """The command that a text begins with; else the meaning as it is."""
    plain = unicodedata.normalize("NFKC", text).strip()
    more = {"committee": _OF_COMMITTEE, "staff": _OF_STAFF}.get(role, ())
    for command, pattern in more + _COMMANDS:
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
        kept = _KEPT.get(command, ("location",))
        slots = {k: v for k, v in item.slots.items() if item.intent == intent or k in kept}
        for name in ("ref", "rating", "other", "person"):
            if pattern.groupindex.get(name) and match[name]:
                slots[name] = int(match[name])
        if pattern.groupindex.get("into") and match["into"] not in "和跟与":
            slots["into"] = True
        return Meaning((Item(intent, 1.0, slots, text),), True, meaning.nearest, meaning.traditional)
    return meaning


def complains(text: str) -> bool:
    """Whether a text says in so many words that it is a complaint."""
    plain = unicodedata.normalize("NFKC", text).strip()
    return bool(_COMPLAINS.match(plain)) and not _ASKS.search(plain)


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


_COUNTS = r"\s*[个只根条套米卷台块盒桶袋瓶片副支节对颗把枚双组段元毛]"
_OF_ONE = re.compile(
    rf"^(?:接|[#＃])?\s*\d+(?!\d|\.\d|{_COUNTS})\s*号?单?\s*的?(?:(?:{_DONE_WORDS})[了啦]?)?[，,。.；;：:！!\s]*"
    rf"|^报(?:个|一下)?价\s*[#＃]?\s*\d+(?=[\s，,：:]|$)"
)
_PRICED = re.compile(rf"报(?:个|一下)?价|[，,]?\s*(?:先)?{_ASK_THEM}.*$")
_AMOUNT = re.compile(rf"[¥￥]?\d+(?:\.\d+)?\s*{_PAY}*|[零一二两三四五六七八九十百千万]+{_PAY}+")


def costs(text: str, known: Iterable[Stocked] = ()) -> Costs:
    """What stands beside a ticket's number of parts and money; `known` are the parts that are kept."""
    plain = unicodedata.normalize("NFKC", text).strip()
    rest = _OF_ONE.sub("", plain, count=1)
    rest = re.sub(r"报(?:个|一下)?价\s*", "报价", re.sub(r"改成|改为|应该是|其实是", "", rest))
    return find(
        re.sub(rf"[，,]?\s*先?{_ASK_THEM}.*$", "", rest), [name for one in known for name in one.names]
    )


def purpose(text: str) -> str:
    """What a price is for, in the worker's words, where no parts were counted."""
    plain = unicodedata.normalize("NFKC", text).strip()
    rest = _AMOUNT.sub("", _PRICED.sub(" ", _OF_ONE.sub("", plain, count=1)))
    return rest.strip(" ，,。.；;：:、！!\n")[:60]


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
