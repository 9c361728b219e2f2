"""Until when: 周五前, 月底截止, 报名到周三; a deadline that names only a day is its last minute."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from nlp.slots.time import Found, iso

Span = tuple[int, int]
#: In front of the time: something is open until then.
_LEADS = re.compile(
    r"(?:截止|截至|截|最晚|最迟|不晚于)(?:报名|投票|时间|日期|期限|期)?[\s:是为在于]{0,2}(?:到|至)?\s?$"
    r"|[报名投票记集龙填选收交放续挂受效求开等给留](?:时间|日期|期)?[\s:]?(?:截止)?(?:到|至)\s?$|(?:^|[,。;\s])到\s?$"
)
#: Behind it: something closes then.
_FOLLOWS = re.compile(
    r"\s?(?:就|要|会|准时)?\s?(?:截止|截至|为止|止|收票|收|截|封盘|关闭|停止|唱票|结束|出结果|公布|统计|开票|计票|点票|汇总)"
)
_WITHIN = re.compile(r"(?:之内|以内|内)$")


def find(plain: str, times: Sequence[Found]) -> list[tuple[datetime, Span]]:
    """The deadlines among the times of a text: those with 前, and those that a word of closing marks."""
    found = []
    for one in times:
        if not one.wanted or one.start is None or one.mod == "after":
            continue
        start, end = one.span
        if one.mod == "before":
            found.append((one.start, one.span))
        elif (
            _FOLLOWS.match(plain, end)
            or _LEADS.search(plain, max(0, start - 12), start)
            or (one.end is not None and _WITHIN.search(plain, start, end))
        ):
            found.append((_last(one), one.span))
    return found


def _last(one: Found) -> datetime:
    """The end of what was said: an hour is itself, a day its 23:59."""
    window = one.window
    if window.grain in {"hour", "minute"} or window.end is None:
        return window.end or window.start
    if window.grain == "part" and window.start.hour == 11:
        return window.start.replace(hour=12)
    return window.end - timedelta(minutes=1)


def write(value: datetime) -> str:
    return iso(value)


def read(value: str) -> datetime:
    return datetime.fromisoformat(value)
