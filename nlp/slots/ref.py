"""The running number of a ticket, post, notice or poll: #12, 12号, 编号12, 工单十二, 接12."""

from __future__ import annotations

import re
from collections.abc import Sequence

from nlp.slots.numbers import HAN, number

_N = rf"(?:\d{{1,6}}|{HAN}{{1,6}})"
_CUED = re.compile(
    rf"""
      \#\s?(?P<hash>\d{{1,6}})(?!\d)
    | (?:工单|单子|单号|编号|序号|报修单|维修单|公单|订单|任务单?|报修)(?:编号|号)?
        [\s:是为]{{0,2}}(?P<cued>{_N})(?![\d天个年月日点时元块度次条张:.-])
    | 第?(?<![\d第.])(?P<numbered>{_N})(?:号|號)
        (?:工单|单子?|报修|那个|这个|那单|这单|的)?(?!楼|院|门|线|梯|厅|房|室|机|柜|位|泵|车|\d)
    | (?<![\d.])(?P<sheet>{_N})(?:那|这|张|的)?(?:单子?|工单)(?!元|位|人|身|独|间)
    """,
    re.VERBOSE,
)
_BARE = re.compile(r"(?<![\d.#\-:a-z¥])(?P<bare>\d{1,6})(?![\d.:a-z%]|-\d)")
_COMMAND = re.compile(
    rf"(?:接单?|抢单?|取消|撤销|撤掉|撤回|撤|删掉?|催|关掉?|结|退回?|转|完成|领|查|看)\s?(?P<n>\d{{1,6}}|{HAN}{{2,6}})(?=$|[\s,。!;?~吧了啊的])"
)
#: Behind a lone number: it counts something.
_UNIT = re.compile(
    r"^\s?(?:[点时分秒年月日天周元块毛角万千百度%个只台张条根扇盏件套位名户人口家次遍回岁斤米平层楼栋幢座室房瓦兆寸倍折把双块盒箱袋瓶桶]|小时|分钟|单元|号|公里|厘米|平米|蚊|刀|星|kg|m)"
)
#: A date, not a number: 8月15号, 15号上午.
_DATE_BEFORE = re.compile(r"[月\-/到至周]\s?$")
_DATE_BEHIND = re.compile(
    r"^\s?(?:上午|下午|早|晚|中午|傍晚|凌晨|夜|前|之前|以前|那天|到(?!了|场|楼|现|家|位|达)|至|[0-9一二三四五六七八九十]+[点:])"
)
Span = tuple[int, int]


def _overlaps(span: Span, taken: Sequence[Span]) -> bool:
    return any(span[0] < end and start < span[1] for start, end in taken)


def find(plain: str, taken: Sequence[Span] = (), bare: bool = False) -> list[tuple[int, Span]]:
    """Numbers of things, in order. `taken`: spans of addresses, times and phones, which are none.

    `bare`: a number alone (305我来) counts as well; only an intent about tickets may say so.
    """
    found: dict[Span, int] = {}
    for match in _CUED.finditer(plain):
        group = str(match.lastgroup)
        span = match.span()
        # an address or a time wins over 12号, but not over #12 and 编号12
        if group in {"numbered", "sheet"} and _overlaps(match.span(group), taken):
            continue
        if group == "numbered" and (
            _DATE_BEFORE.search(plain[: match.start(group)]) or _DATE_BEHIND.match(plain[match.end() :])
        ):
            continue
        _add(found, match[group], span)
    for match in _COMMAND.finditer(plain):
        if not _overlaps(match.span("n"), taken):
            _add(found, match["n"], match.span("n"))
    if bare and not found:
        for match in _BARE.finditer(plain):
            behind = plain[match.end() :]
            if not _overlaps(match.span(), taken) and not _UNIT.match(behind):
                _add(found, match["bare"], match.span())
    ordered = sorted(found.items())
    return [(value, span) for span, value in ordered]


def _add(found: dict[Span, int], text: str, span: Span) -> None:
    value = number(text)
    if value is not None and 0 < value < 1_000_000 and not _overlaps(span, list(found)):
        found[span] = value


def write(value: int) -> int:
    return value


def read(value: int) -> int:
    return int(value)
