"""The running number of a ticket, post, notice or poll: #12, 12号, 编号12, 工单十二, 接12."""

from __future__ import annotations

import re
from collections.abc import Sequence

from nlp.slots.numbers import HAN, number

_N = rf"(?:\d{{1,6}}+|{HAN}{{1,6}}+)"
#: Without a numeral there is none; a lone 一 is mostly 一下.
_GATE = re.compile(r"[0-9]|[零〇二三四五六七八九十廿卅百]|一(?:号|[零〇一二三四五六七八九十百])|单[号子]?一")
_THING = r"(?:工单|单子?|那单|这单|帖子?|接龙|投票|求助|报修|订单|任务)"
_CUED = re.compile(
    rf"""
      (?<!\d)\#\s?(?P<hash>\d{{1,6}}+)(?!\d)
    | (?:工单|单子|单号|编号|序号|报修单|维修单|公单|订单|任务单?|报修|帖子?)(?:编号|号)?
        [\s:是为]{{0,2}}(?P<cued>{_N})(?![天个年月日点时元块度次回遍趟条张栋楼层户家人:.-])
    | (?<![\d.])(?P<thing>{_N})号\s?的?{_THING}
    | (?<![\d.])(?P<numbered>{_N})号
        (?:那个|这个|的)?(?![楼院门线梯厅房室机柜位泵车桩风馆方码墙桌坑球井闸令文店铺]|选项|\d)
    | (?<![\d.])(?P<sheet>{_N})(?:那|这|张|的)?(?:单子?|工单)(?![元位人身独间])
    """,
    re.VERBOSE,
)
_BARE = re.compile(r"(?<![\d.#\-:a-z¥+])(?P<bare>\d{1,6}+)(?![\d.:a-z%]|-\d)")
#: What a lone number stands behind when it is none: a choice, a mark, a call, a price, a home.
_OTHER_BEFORE = re.compile(
    r"(?:投|选择?|改成|第|方案|选项|评分|评价|打|拨|给|尾号|接龙|凭啥|收|费|价|我们|我家|隔壁|楼[上下]|\d[,、])[\s:]?$"
)
_COMMAND = re.compile(
    rf"(?:接单?|抢单?|取消|撤销|撤掉|撤回|撤|删掉?|催|关掉?|结|退回?|转|完成|领|查|看)\s?(?P<n>\d{{1,6}}|{HAN}{{2,6}})(?=$|[\s,。!;?~吧了啊的])"
)
#: Behind a lone number: it counts something.
_UNIT = re.compile(
    r"\s?(?:[点时分秒年月日天周元块毛角万千百度%个只台张条根扇盏件套位名户人口家次遍回岁斤米平层楼栋幢座室房瓦兆寸倍折把双块盒箱袋瓶桶吨]|小时|分钟|单元|号|公里|厘米|平米|蚊|刀|星|kg|m)"
)
#: A date, not a number: 8月15号, 15号上午.
_DATE_BEFORE = re.compile(r"(?:[月\-/周]|[号日\d][到至]|[改推挪延迟前][到至为在])\s?$")
_DATE_BEHIND = re.compile(
    r"\s?(?:上午|下午|早|晚|中午|傍晚|凌晨|夜|前|之前|以前|那天|[到至](?=[\d一二三四五六七八九十周下晚])|[0-9一二三四五六七八九十]+[点:])"
)
Span = tuple[int, int]


def possible(plain: str) -> bool:
    """Whether there may be one at all: the cheap question before the dear one."""
    return _GATE.search(plain) is not None


class _Taken:
    """Which characters belong to something else."""

    def __init__(self, length: int, spans: Sequence[Span]) -> None:
        self._marks = bytearray(length + 1)
        for span in spans:
            self.add(span)

    def add(self, span: Span) -> None:
        self._marks[span[0] : span[1]] = b"x" * (min(span[1], len(self._marks)) - span[0])

    def overlap(self, span: Span) -> bool:
        return self._marks.find(b"x", span[0], span[1]) >= 0


def find(plain: str, taken: Sequence[Span] = (), bare: bool = False) -> list[tuple[int, Span]]:
    """Numbers of things, in order. `taken`: spans of addresses, times and phones, which are none.

    `bare`: a number alone (305我来) counts as well; only an intent about tickets may say so.
    """
    if not possible(plain):
        return []
    found: dict[Span, int] = {}
    others, mine = _Taken(len(plain), taken), _Taken(len(plain), ())
    for match in _CUED.finditer(plain):
        group = str(match.lastgroup)
        # an address or a time wins over 12号, but not over #12, 编号12 and 12号单
        if group in {"numbered", "sheet"} and others.overlap(match.span(group)):
            continue
        if group == "numbered" and _dated(plain, match.start(group), match.end()):
            continue
        _add(found, mine, match[group], match.span())
    for match in _COMMAND.finditer(plain):
        if not others.overlap(match.span("n")):
            _add(found, mine, match["n"], match.span("n"))
    if bare and not found:
        for match in _BARE.finditer(plain):
            start, end = match.span()
            other = others.overlap((start, end)) or _UNIT.match(plain, end)
            if not other and not _OTHER_BEFORE.search(plain, max(0, start - 4), start):
                _add(found, mine, match["bare"], (start, end))
    ordered = sorted(found.items())
    return [(value, span) for span, value in ordered]


def _dated(plain: str, start: int, end: int) -> bool:
    return bool(_DATE_BEFORE.search(plain, max(0, start - 3), start) or _DATE_BEHIND.match(plain, end))


def _add(found: dict[Span, int], mine: _Taken, text: str, span: Span) -> None:
    value = number(text)
    if value is not None and 0 < value < 1_000_000 and not mine.overlap(span):
        found[span] = value
        mine.add(span)


def write(value: int) -> int:
    return value


def read(value: int) -> int:
    return int(value)
