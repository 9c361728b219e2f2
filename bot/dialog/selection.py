"""What people answer to a list whose lines are marked ①②③: without some of them, or more about one."""

from __future__ import annotations

import re

#: So that a digit alone stays free for the choices below a list.
MARKS = "①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳"
_ONE = rf"[{MARKS}]|\d{{1,2}}(?!\d)"
_MARK = re.compile(_ONE)
_SOME = rf"(?:第?\s*(?:{_ONE})\s*[件条个和、,，\s]*)+"
_DROP = re.compile(
    rf"(?:不要|去掉|删掉?|除了|除去|别登记?)\s*(?P<after>{_SOME})"
    rf"|(?P<before>{_SOME})(?:都?不要|去掉|不用|删掉?)了?"
)
_ABOUT = re.compile(rf"第?\s*(?P<mark>{_ONE})\s*[件条个]?\s*[：:，,.、]?\s*(?P<rest>.{{2,60}})")


def _index(mark: str) -> int:
    return MARKS.index(mark) if mark in MARKS else int(mark) - 1


def dropped(text: str, count: int) -> set[int] | None:
    """The lines (from 0) that 「不要2」 takes out of so many; None when the words are not that."""
    match = _DROP.fullmatch(text)
    if match is None:
        return None
    out = {_index(mark) for mark in _MARK.findall(match["after"] or match["before"])}
    return out if out <= set(range(count)) else None


def about(text: str, count: int) -> tuple[int, str] | None:
    """The line (from 0) of so many that 「2 在东门」 is about, and the rest of the words."""
    match = _ABOUT.fullmatch(text)
    index = _index(match["mark"]) if match else count
    return (index, match["rest"]) if match and 0 <= index < count else None
