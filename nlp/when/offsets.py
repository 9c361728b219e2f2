"""Durations, and moments and stretches counted from now: 半小时后, 三天内, 未来七天, 前两天, 近三个月."""

from __future__ import annotations

import re

from nlp.when.cursor import Cursor
from nlp.when.durations import Length, around, later, length, units
from nlp.when.frame import DAY, DAY_LONG, GRAINS, HOUR, MINUTE, MONTH, PART, WEEK, Frame, midnight
from nlp.when.grammar import expression
from nlp.when.lexer import BLANK, OF
from nlp.when.said import Said

_NOT_AFTER = re.compile(r"[面日门勤边头备续者代排座]|天(?!$)")
_NOT_BEFORE = re.compile(r"[面门台边头进往排座后]|天(?!$)")
Read = tuple[Said, int]


def offset(c: Cursor, i: int) -> Read | None:
    """A duration at a token, alone or as a distance from now."""
    kind = c.tokens[i].kind
    try:
        if kind in {"FUTURE", "RECENT", "LEFT", "LATER", "before", "after", "POINTER"}:
            return _led(c, i, kind)
        return _plain(c, i)
    except (ValueError, OverflowError):
        return None


def _led(c: Cursor, i: int, kind: str) -> Read | None:
    """With a word in front: 未来七天, 过去的一周, 前两天, 再过十分钟."""
    if c.tokens[i + 1].glue > OF or (kind == "POINTER" and c.tokens[i].value not in {-1, 0, 1}):
        return None
    if kind in {"before", "after"} and (
        c.before(i) in {"以", "之", "年", "月", "天", "往"} or c.tokens[i + 1].kind != "NUM"
    ):
        return None
    if kind == "POINTER" and c.tokens[i].value == 0:
        return _this(c, i)
    long = length(c, i + 1, kind != "POINTER")
    if long is None or (long.unit == "second" and kind == "POINTER"):
        return None
    j = long.stop
    span_start = c.tokens[i].start
    if kind == "POINTER":
        if c.tokens[i + 1].kind != "NUM" or c.tokens[i + 1].value == 1:
            return None
        kind = "before" if c.tokens[i].value < 0 else "after"
    if c.kind(j) == "WITHIN":
        j += 1
    span = (span_start, c.tokens[j - 1].end)
    grain = GRAINS[min(long.level, MINUTE)]
    if kind in {"before", "after"}:
        if c.tokens[j].kind in {"AFTER", "BEFORE", "after", "before"} and c.tokens[j].glue <= BLANK:
            return None
        start, end = units(c.now, long, -1 if kind == "before" else 1)
        return Said("range", span, start, end, grain, dated=long.level <= DAY), j
    if kind == "LATER":
        if c.tokens[j].kind == "times" or c.before(i) in {"不", "通", "经", "路", "超", "难"}:
            return None
        return _point(c, span, long, "after" if long.level <= DAY else None, j)
    if kind == "LEFT" and (long.level <= DAY or j - i > 3):
        return None
    if kind == "RECENT":
        return Said("range", span, later(c.now, long, -1), c.now, grain, dated=True), j
    end = later(c.now, long)
    return Said("range", span, c.now, midnight(end) if long.months else end, grain, dated=True), j


def _this(c: Cursor, i: int) -> Read | None:
    """这一个小时, 这一个钟头: a duration."""
    token = c.tokens[i]
    if not c.plain[token.start : token.end].endswith("一个") or c.kind(i + 1, 0) != "UNIT":
        return None
    seconds = {"hour": 3600, "minute": 60}.get(c.tokens[i + 1].value)
    if seconds is None:
        return None
    return Said("duration", (token.start, c.tokens[i + 1].end), seconds=seconds, minutes=seconds // 60), i + 2


def _plain(c: Cursor, i: int) -> Read | None:
    long = length(c, i)
    if long is None:
        counted = length(c, i, True)
        if counted is not None and counted.unit != "hour" and _distance(c, counted.stop):
            if _calendar(c, i, counted.stop):
                return None
            long = counted
        elif c.kind(i + 1) == "TO" or (counted and counted.unit == "month"):
            return _between(c, i)
        else:
            return None
    j = long.stop
    if c.before(i) in {"第", "."} or (c.before(i) in {"每", "隔"}):
        return None
    word = _distance(c, j)
    span = (c.tokens[i].start, c.tokens[j].end if word else c.tokens[j - 1].end)
    if word == "within":
        end = later(c.now, long)
        if long.level <= DAY:
            end = midnight(end) + DAY_LONG
        return Said(
            "range", span, c.now, end, GRAINS[min(long.level, MINUTE)], dated=long.level <= DAY
        ), j + 1
    if word == "since":
        return Said(
            "range", span, later(c.now, long, -1), c.now, GRAINS[min(long.level, MINUTE)], dated=True
        ), j + 1
    if word:
        loose = c.tokens[j].kind in {"AFTER", "BEFORE"}
        after = c.tokens[j].kind in {"AFTER", "after"}
        mod = ("after" if after else "before") if loose else None
        now = c.up_to_now(j + 1)
        if now and not after:  # 五年前至今
            span = (span[0], c.tokens[now - 1].end)
            return Said(
                "range", span, later(c.now, long, -1), c.now, GRAINS[min(long.level, MINUTE)], dated=True
            ), now
        return _point(c, span, long, mod, j + 1, 1 if after else -1)
    night = c.kind(j) == "NUM" and c.kind(j + 1, 0) in {"PART_TAIL", "PART"}
    if night:  # 6天5晚
        span, j = (span[0], c.tokens[j + 1].end), j + 2
    if c.kind(j) == "TO":
        other = length(c, j + 1, True)
        if other:
            span, j = (span[0], c.tokens[other.stop - 1].end), other.stop
    return Said("duration", span, seconds=round(long.total), minutes=long.minutes), j


def _calendar(c: Cursor, i: int, stop: int) -> bool:
    """12月之前, 3月5日以前: a month of the calendar; 3月后 and 3月内 are three months."""
    value = c.tokens[i].value
    if c.kind(i + 1) != "month" or not isinstance(value, int) or not 1 <= value <= 12:
        return False
    return stop > i + 2 or c.tokens[stop].kind in {"AFTER", "BEFORE", "SINCE"}


def _between(c: Cursor, i: int) -> Read | None:
    """3~6个月, 30~90日: the shorter, in the unit of the longer."""
    if c.tokens[i].kind != "NUM" or c.kind(i + 1) != "TO" or not isinstance(c.tokens[i].value, int | float):
        return None
    long = length(c, i + 2)
    number = c.tokens[i + 2].value
    if long is None or not number or c.tokens[i + 2].kind != "NUM":
        return None
    share = c.tokens[i].value / number
    span = (c.tokens[i].start, c.tokens[long.stop - 1].end)
    minutes = round(long.minutes * share) if long.minutes else None
    return Said("duration", span, seconds=round(long.total * share), minutes=minutes), long.stop


def _distance(c: Cursor, j: int) -> str:
    """What the word behind a duration makes of it."""
    token = c.tokens[j]
    if token.glue > BLANK:
        return ""
    if token.kind in {"AFTER", "BEFORE"}:
        return "" if c.plain[token.start : token.end] in {"截止", "截至"} else "from"
    if token.kind == "after" and not _NOT_AFTER.match(c.plain, token.end):
        return "from"
    if token.kind == "before" and not _NOT_BEFORE.match(c.plain, token.end):
        return "from"
    if token.kind == "WITHIN":
        return "within" if c.plain[token.start : token.end] != "里" else ""
    if token.kind == "SINCE" and c.plain[token.start : token.end] == "以来":
        return "since"
    return ""


def _point(
    c: Cursor, span: tuple[int, int], long: Length, mod: str | None, j: int, sign: int = 1
) -> Read | None:
    """A moment so far away: a minute for hours, the day for days, the week for weeks."""
    at = later(c.now, long, sign)
    level = long.level
    if level < WEEK and long.months % 12:
        level = MONTH if not long.months % 1 else DAY
    if level >= HOUR:
        return Said("point" if mod is None else "open", span, at, None, "minute", mod), j
    start, end = around(at, level)
    if mod is None:  # 三天后下午三点, 两周后的周六, 一年前的今天
        step = _inside(c, Frame(start, end, level), j)
        if step:
            return step[0]._replace(span=(span[0], step[0].span[1])), step[1]
    if mod:
        return Said("open", span, start, None, GRAINS[level], mod, dated=True), j
    return Said("point" if level == DAY else "range", span, start, end, GRAINS[level], dated=True), j


def _inside(c: Cursor, f: Frame, j: int) -> Read | None:
    """What is said more exactly of a day, week, month or year."""
    if c.tokens[j].glue > OF or (f.level == DAY and c.tokens[j].kind not in _HOURS):
        return None
    step = expression(c, j, f)
    if step is None:
        return None
    found, k = step
    end = found.end if found.level <= PART else None
    kind = "point" if end is None or (found.level == DAY and end - found.start == DAY_LONG) else "range"
    span = (c.tokens[j].start, c.tokens[k - 1].end)
    return Said(kind, span, found.start, end, GRAINS[min(found.level, MINUTE)], dated=True), k


_HOURS = frozenset({"PART", "NUM", "CLOCK", "PART_TAIL"})
