"""Whether a time is told or asked for: 早上坏的 was this morning, 早上来 is the next one."""

from __future__ import annotations

import re
from typing import Final

from nlp.when.said import Span

#: Something happened: it was lost, found, broke, woke somebody.
_HAPPENED: Final = re.compile(
    r"丢了|丢的|掉了|掉的|捡到|捡着|捡了|拾到|拾着|拾了|忘在|忘了拿|落在|落了|不见了|没了|被偷|偷了|发现|遗失|找不到|刚才|刚刚|上次|上回|差点|吵到|吵得|吵醒|闹到|闹得|失窃"
)
#: Behind the time, in the same breath: it is over.
_OVER: Final = re.compile(
    r"[^,。!?;\n]{0,12}?(?:了(?!吧|吗|没|再|就|解)|过(?!来|去|年|生日)|的时候|打完|就来了|就开始|还好好|没拿|报的|报修的|说的|提的|约的|修的|坏的|漏的|买的|来的|弄的|起就)"
)
#: A wish or a plan in the same breath speaks against it.
_WANTED: Final = re.compile(
    r"要|能|可以|可唔可以|请|麻烦|想|会(?!所|议|馆)|来(?!了|过|的)|吗|(?<!什)么|是不是|吧|改|约(?!的)|行不|得不|有空|有没有|上门|在家|前|以后|之后|记得|提醒|别|截止|报名|打算|准备|预约|订|集合|开始|到(?!了)|\?"
)
_BREATH: Final = re.compile(r"[,。!?;\n]")


def told(plain: str, span: Span) -> bool:
    """Whether the words around a time say that it is gone."""
    start, end = span
    head = max(plain.rfind(mark, 0, start) for mark in ",。!?;\n") + 1
    tail = _BREATH.search(plain, end)
    stop = tail.start() if tail else len(plain)
    behind = plain[end:stop]
    if _WANTED.search(behind):
        return False
    if _OVER.match(plain[end:stop]):
        return True
    if _WANTED.search(plain, head, start):
        return False
    return _HAPPENED.search(plain) is not None
