"""Whole phrases of time: an expression or a range of two, with 以后, 前 or 左右; the coming one."""

from __future__ import annotations

import re
from datetime import datetime
from typing import NamedTuple

from nlp.when.clocks import twenty_four
from nlp.when.cursor import Cursor, Step
from nlp.when.durations import later, length
from nlp.when.frame import (
    DAY,
    DAY_LONG,
    GRAINS,
    HOUR,
    MINUTE,
    MINUTE_LONG,
    MONTH,
    NO_CYCLE,
    PART,
    WEEK,
    YEAR,
    Frame,
    year_frame,
)
from nlp.when.grammar import expression
from nlp.when.lexer import BLANK, COMMA, OF
from nlp.when.said import Said

_NOT_AFTER = re.compile(r"[面天日门勤边头备续者果来代院台排座半]|厨|卫|阳台")
_NOT_BEFORE = re.compile(r"[面天日门台边头后进往院排座半]|厅|阳台")
#: 约三点 is booked for three; only behind these it is about three.
_MEASURED = frozenset("间在于是为")
#: 六点到家以后, 八点上班前: still after and before.
_THEN_AFTER = re.compile(r"[,\s]?[^,。!?\d\s]{1,6}?(?:以后|之后|过后|(?<=[班学家来饭完课会])后)(?!面|天)")
_THEN_BEFORE = re.compile(
    r"[,\s]?[^,。!?\d\s]{1,5}?(?:以前|之前)|(?:我|孩子)?(?:上班|出门|开会|放学|睡觉|关门|下班|放假|上课|天黑|吃饭|开学|退租|走)前(?!面|台)"
)
_AT_LATEST = re.compile(
    r"(?:最晚|最迟|赶在|不晚于|[不别](?:要)?超过|最多到|顶多到|截[止至](?:时间|日期)?[到至是为在]?|直[到至])$"
)
_NOT_SINCE = re.compile(r"[床来夜火诉重]|码")
_ABOUT = frozenset({"NUM", "CLOCK", "PART", "PART_TAIL", "DAY_PART", "DAY_NAME", "WEEKDAY", "POINTER"})
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
#: Undated parts of the day that nobody waits for: said of the night that was.
_NIGHT = frozenset({"dawn", "midnight", "late"})


class Phrase(NamedTuple):
    first: Frame
    #: the second frame of a range
    last: Frame | None
    mod: str | None
    stop: int


def phrase(c: Cursor, i: int) -> tuple[Said, int] | None:
    """The phrase at a token, taken from the round of the calendar that is meant."""
    kept_backward, backward = c.backward, c.backward or _lasts_till_now(c, i)
    c.backward = backward
    kept: Phrase | None = None
    for turn in (1, 0, -1, -2, -3, -4, -8) if backward else (0, 1, 2, 3, 4, 5, 6, 7, 8):
        c.turn, c.failed = turn, False
        try:
            found = _phrase(c, i)
        except (ValueError, OverflowError):
            found, c.failed = None, True
        if found is None:
            if not c.failed:
                break
            continue
        if kept is None or backward:
            kept = found
        if found.first.cycle == NO_CYCLE or _fits(c, found):
            kept = found
            break
    c.turn, c.backward = 0, kept_backward
    return (_said(c, i, kept), kept.stop) if kept else None


def _lasts_till_now(c: Cursor, i: int) -> bool:
    """年初到现在, 早上至今: what began is gone."""
    for j in range(i + 1, i + 6):
        if c.tokens[j].glue > OF:
            return False
        if c.up_to_now(j):
            return True
    return False


def _fits(c: Cursor, found: Phrase) -> bool:
    """Whether it lies ahead: a window not yet over, a point not yet gone; or behind, where that is asked."""
    first, last = found.first, found.last or found.first
    if c.backward:
        return first.start <= c.now
    if first.cycle == DAY and first.part in _NIGHT and c.turn == 0:
        return True
    if first.cycle == WEEK and found.last is not None and first.end <= c.now:
        return False  # 周一到周三 said on a Wednesday is next week's
    return (last.start if last.level >= HOUR else last.end) > c.now


def _phrase(c: Cursor, i: int) -> Phrase | None:
    start = i
    if c.tokens[i].kind in {"FROM", "ABOUT"}:
        if c.tokens[i].kind == "ABOUT" and c.tokens[i + 1].kind not in _ABOUT:
            return None
        i += 1
        if c.tokens[i].glue > BLANK:
            return None
    about = c.tokens[start].kind == "ABOUT"
    step = expression(c, i)
    if step is None or c.failed:
        return None
    first, j = step
    if about and (c.plain[c.tokens[start].start] != "约" or c.before(start) in _MEASURED):
        first = first._replace(around=True)
    if c.tokens[j].kind == "SINCE" and c.tokens[j + 1].kind == "TO":
        j += 1
    second = _second(c, first, j) or _lasting(c, first, j)
    last = None
    if second and (second[0].start if second[0].level >= HOUR else second[0].end) > first.start:
        last, j = second
        if c.tokens[j].kind in {"BETWEEN", "UNTIL"} and c.tokens[j].glue <= BLANK:
            j += 1
    mod, j = _mod(c, last or first, start, j, c.tokens[start].kind == "FROM")
    return Phrase(first, last, mod if last is None else None, j)


def _second(c: Cursor, first: Frame, j: int) -> Step | None:
    """The other end of a range; it takes what it doesn't say from the first."""
    token = c.tokens[j]
    if token.glue > COMMA or (c.tokens[j + 1].glue > BLANK and token.kind in {"TO", "AND"}):
        return None
    if token.kind == "TO":
        step = _end(c, first, j + 1)
        return step if step else _now(c, j + 1)
    if token.kind == "TO_NOW" and token.glue <= BLANK:
        return Frame(c.now, c.now + MINUTE_LONG, MINUTE), j + 1
    if token.kind == "AND":
        step = _end(c, first, j + 1)
        if step is None:
            return None
        if c.kind(step[1]) == "BETWEEN":
            return step[0], step[1]
        return _next_day(c, first, step)
    if token.kind in {"NUM", "WEEKDAY", "DAY_NAME"} and first.level == DAY and token.glue == 0:
        return _next_day(c, first, _end(c, first, j))  # 18号19号, 周六周日
    if c.kind(j + 1) == "date" and token.kind == "NUM" and first.level == DAY:
        return _next_day(c, first, _end(c, first, j))  # 10号, 11号
    return None


def _lasting(c: Cursor, first: Frame, j: int) -> Step | None:
    """明天起三天, 3月1号开始连续一个月: so long from a day on."""
    if first.level != DAY or c.tokens[j].kind != "SINCE" or c.tokens[j].glue > BLANK:
        return None
    between = c.plain[c.tokens[j].end : max(c.tokens[j + 1].start, 0)]
    long = length(c, j + 1) if between in {"", "连续", "连着", "的"} else None
    if (
        long is None
        or not DAY >= long.level >= YEAR
        or c.tokens[long.stop].kind in {"WITHIN", "AFTER", "after"}
    ):
        return None
    return first._replace(end=later(first.start, long)), long.stop


def _next_day(c: Cursor, first: Frame, step: Step | None) -> Step | None:
    """The day right behind another, and those right behind it: 18号、19号、20号."""
    if step is None or step[0].level != DAY or first.level != DAY or step[0].start != first.end:
        return None
    further = _second(c, step[0], step[1])
    return further if further and further[0].level == DAY and further[0].start >= step[0].end else step


def _end(c: Cursor, first: Frame, j: int) -> Step | None:
    if c.kind(j) == "NEXT_YEAR":
        year = year_frame(first.start.year + 1, c.now)
        return expression(c, j + 1, year) or (year, j + 1)
    for around in (*reversed(first.outer), None):
        kept = c.turn
        for turn in (kept, kept + 1):
            c.turn = turn
            inner = c.failed
            step = _clock_end(c, first, j, around)
            c.failed = inner
            if step and _after(first, step[0]):
                c.turn = kept
                return step
            if around is not None:
                break
        c.turn = kept
    return None


def _after(first: Frame, last: Frame) -> bool:
    return (last.start if last.level >= HOUR else last.end) > first.start and not (
        last.start <= first.start and last.level < HOUR and last.level != first.level
    )


def _clock_end(c: Cursor, first: Frame, j: int, around: Frame | None) -> Step | None:
    """An hour after an hour: in the same part of the day, or the next such hour on the clock."""
    step = expression(c, j, around)
    spoken = around is None and step is not None and step[0].dated
    if around is None and first.level >= HOUR and not first.outer and not spoken:
        day = first.start.replace(hour=0, minute=0)
        step = expression(c, j, Frame(day, day + DAY_LONG, DAY))
    if step is None or first.level < HOUR or step[0].level < HOUR:
        return step
    last = step[0]
    half_day = DAY_LONG / 2
    if not spoken and twenty_four(c, j):
        days = max(0, -((last.start - first.start) // DAY_LONG)) * DAY_LONG
        last = last._replace(start=last.start + days, end=last.end + days)
    elif not spoken and (
        last.start <= first.start or (not last.part and last.start - first.start > half_day)
    ):
        start = last.start
        while start - half_day > first.start:
            start -= half_day
        while start <= first.start:
            start += half_day
        last = last._replace(start=start, end=start + (last.end - last.start))
    if around is None and not spoken and not first.outer:
        last = last._replace(outer=())
    return last, step[1]


def _now(c: Cursor, j: int) -> Step | None:
    if c.tokens[j].kind != "NOW":
        return None
    return Frame(c.now, c.now + MINUTE_LONG, MINUTE), j + 1


def _mod(c: Cursor, f: Frame, start: int, j: int, since: bool) -> tuple[str | None, int]:
    """以后, 前, 左右 and the like behind the phrase."""
    token = c.tokens[j]
    kind, end = token.kind, token.end
    if token.glue > BLANK:
        kind = ""
    if kind == "AFTER":
        return "after", j + 1
    if kind == "after" and not _NOT_AFTER.match(c.plain, end) and c.kind(j + 1) != "NUM":
        return "after", j + 1
    if kind == "SINCE" and not _NOT_SINCE.match(c.plain, end):
        opening = c.plain[token.start : end] == "开始"
        if not opening or f.level <= YEAR or any(outer.level <= YEAR for outer in f.outer):
            return "after", j + 1
    if kind in {"BEFORE", "UNTIL"} and not (
        c.plain[token.start : end] in {"截止", "截至"} and c.kind(j + 1, 9) == "TO"
    ):
        return "before", j + 1
    if kind == "before" and not _NOT_BEFORE.match(c.plain, end) and c.kind(j + 1) != "NUM":
        return "before", j + 1
    if kind == "AROUND":
        return ("around" if f.level >= HOUR else None), j + 1
    if kind == "WITHIN" and f.level <= WEEK and c.plain[token.start : end] != "里":
        return None, j + 1
    if c.plain.startswith("自从", c.tokens[start].start) or (since and YEAR <= f.level <= MONTH):
        return "after", j
    if f.level >= HOUR and _THEN_AFTER.match(c.plain, c.tokens[j - 1].end):
        return "after", j
    if f.level >= DAY and f.level != PART and _THEN_BEFORE.match(c.plain, c.tokens[j - 1].end):
        return "before", j
    if f.level >= YEAR and _AT_LATEST.search(c.before(start, 5)):
        return "before", j
    if f.around and f.level >= HOUR:
        return "around", j
    return None, j


def _said(c: Cursor, i: int, found: Phrase) -> Said:
    first, last, mod, j = found
    span = (c.tokens[i].start, c.tokens[j - 1].end)
    chosen, dated = first.cycle != NO_CYCLE, first.dated
    days = (
        c.tokens[i].kind == c.tokens[j - 1].kind == "WEEKDAY"
        and c.tokens[i + 1].kind == "TO"
        and last is not None
        and last.level == DAY
    )
    if last is not None:
        end = last.start if last.level >= HOUR else last.end
        level = min(max(first.level, last.level), MINUTE)
        if PART in {first.level, last.level}:
            level = max(first.level, last.level)
        return Said(
            "range",
            span,
            first.start,
            end,
            GRAINS[level],
            None,
            _rule(first, last) if days else None,
            dated=dated or last.dated,
            chosen=chosen,
        )
    grain = GRAINS[min(first.level, MINUTE)]
    if mod == "before":
        return Said("open", span, *_deadline(first, grain), "before", dated=dated, chosen=chosen)
    if mod == "after":
        return Said("open", span, first.start, None, grain, "after", dated=dated, chosen=chosen)
    if first.level >= HOUR:
        return Said("point", span, first.start, None, grain, mod, dated=dated, chosen=chosen)
    single = first.level == DAY and first.end - first.start == DAY_LONG
    return Said(
        "point" if single else "range", span, first.start, first.end, grain, dated=dated, chosen=chosen
    )


def _rule(first: Frame, last: Frame) -> str:
    """周一到周四 may as well come again every week."""
    return "FREQ=WEEKLY;BYDAY=" + ",".join(
        WEEKDAYS[first.start.weekday() : (last.end - DAY_LONG).weekday() + 1]
    )


def _deadline(f: Frame, grain: str) -> tuple[datetime, None, str]:
    """What 前 means: a day's last minute, 中午 12:00, the beginning of another part of the day."""
    if f.level <= DAY:
        return f.end - MINUTE_LONG, None, "day"
    if f.level == PART and f.part == "noon":
        return f.start.replace(hour=12), None, "hour"
    return f.start, None, grain
