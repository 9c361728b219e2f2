"""Until when: 周五前, 月底截止, 报名到周三; a deadline that names only a day is its last minute."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from nlp.slots.time import Found, iso

Span = tuple[int, int]
#: Right before the time, or right behind it: somebody closes a list then.
_LEADS = re.compile(
    r"(?:截止|截至|截|截止报名|报名|投票|投|报|收集|收|征集|征求|结束|登记|有效|持续)(?:时间|日期|期限|期)?[\s:是为在于]{0,2}(?:到|至)?\s?$|(?:报名|投票|投|截止|截至|报|登记|收集|接龙)(?:时间|日期)?(?:到|至|截止到?|截至)\s?$|(?:最晚|最迟)\s?$"
)
_FOLLOWS = re.compile(r"\s?(?:就|要|会|准时)?\s?(?:截止|截至|为止|止|收票|结束|收|截|封盘|关闭|停止|唱票|出结果)")
_LEADS_ONLY = re.compile(r"(?:报名|投票|投|报|收集|收|登记|持续|征集|征求|结束|有效)[\s:是为在于]{0,2}$")


def find(plain: str, times: Sequence[Found]) -> list[tuple[datetime, Span]]:
    """The deadlines among the times of a text; those with 前 as well as those that a word of closing marks."""
    found = []
    for one in times:
        if not one.wanted or one.start is None or one.mod == "after":
            continue
        start, end = one.span
        lead = _LEADS.search(plain, max(0, start - 12), start)
        if one.mod == "before":
            found.append((one.start, one.span))
        elif _FOLLOWS.match(plain, end) or (lead and not _LEADS_ONLY.search(plain, max(0, start - 12), start)):
            found.append((_last(one), one.span))
        elif one.kind == "range" and plain[start : start + 2] in {"截止"}:
            found.append((_last(one), one.span))
    return found


def _last(one: Found) -> datetime:
    """The end of what was said: an hour is itself, a day its 23:59."""
    window = one.window
    if window.grain in {"hour", "minute"} or window.end is None:
        return window.end or window.start
    return window.end - timedelta(minutes=1)


def write(value: datetime) -> str:
    return iso(value)


def read(value: str) -> datetime:
    return datetime.fromisoformat(value)
