"""Whom work is handed to, as said: 转给李师傅, 让小王去, 单子给张伟."""

from __future__ import annotations

import re

from nlp.slots import name

Span = tuple[int, int]

_GATE = re.compile(r"[给让转派交换拨叫喊请找由归麻推]")
#: Before a person: work is handed over.
_HANDED = re.compile(
    r"(?:转派?给?|专给|交给?|移交给?|交接给|改派给?|改给|派给?|派单给?|让给?|给到?|由|归|找|麻烦|叫|喊|换成?|请|推给?|拨给?|拜托|辛苦|安排|指派给?|分给)"
    r"[:\s]{0,2}(?:[^,。!?;\s]{0,5}的)?(?:那个)?$"
)
_FULL = re.compile(
    r"(?:转派?给?|转交给?|专给|交给|移交给|改派给?|改给|派给?|派单给?|让给?|拨给?|指派给?|分给|给)[:\s]{0,2}"
    r"(?P<who>[\u4e00-\u9fff]{2,3}?)(?=$|[\s,。!?;]|吧|去|接|来|跑|处理|做|跟|弄|干|了|那)"
)
_DA = re.compile(
    r"(?:给|让|转|叫|喊|派|拨|跟|找|请)(?P<who>[大][\u4e00-\u9fff])(?=$|[\s,。!?;]|吧|去|接|来|跑|处理|做|跟|弄|干|换)"
)
_NOBODY = re.compile(
    r"我|你|他|她|别人|别的|其他|其它|前台|大家|大伙|人家|师傅|业主|公司|物业|居民|客户|客服|回去|出去|过去|派给|人|班长|领导|经理|一下|一趟|厂家|专业|技术|电工|水工|木工|保安|保洁|工程|维保|弱电|强电|下一|白班|夜班|早班|晚班|同事|徒弟|值班|部门|绿化|消防|电梯"
)


def find(plain: str) -> list[tuple[str, Span]]:
    """Persons that something is handed to, the clearest first; then anybody named."""
    if not _GATE.search(plain):
        return []
    named = [one for one in name.said(plain) if "我是" not in plain[max(0, one.span[0] - 3) : one.span[0]]]
    handed = [one.span for one in named if _HANDED.search(plain, max(0, one.span[0] - 14), one.span[0])]
    for match in (*_FULL.finditer(plain), *_DA.finditer(plain)):
        span = match.span("who")
        clash = any(start < span[1] and span[0] < end for start, end in handed)
        if not clash and not _NOBODY.match(plain, span[0]) and plain[span[0]] in name.SURNAMES | {"大"}:
            handed.append(span)
    spans = handed + [one.span for one in named if not one.full and one.span not in handed]
    return [(plain[start:end], (start, end)) for start, end in spans]


def write(who: str) -> str:
    return who


def read(value: str) -> str:
    return value
