"""What comes again: 每天, 每周五晚八点, 工作日, 隔周, 一周两次, as RFC 5545 rules."""

from __future__ import annotations

import re
from itertools import pairwise

from nlp.when.cursor import Cursor
from nlp.when.first import Rule, occurrence
from nlp.when.frame import DAY, DAY_LONG, Frame
from nlp.when.grammar import expression
from nlp.when.lexer import APART, BLANK, COMMA, OF
from nlp.when.phrases import WEEKDAYS, phrase
from nlp.when.said import Said

_WORK = (0, 1, 2, 3, 4)
_FREQ = {"day": "DAILY", "week": "WEEKLY", "month": "MONTHLY", "year": "YEARLY"}
_JOINS = re.compile(r"\s?(?:[和、跟同与,及]|还有|以及)?\s?(?:每|逢)?$")
#: 周一、三、五
_LONE_DAY = re.compile("[一二三四五六](?=[、,和跟与及。]|[上下早晚中]|$|的|每)")
_OFTEN = re.compile(
    r"\s?[一两二三四五六七八九\d]{1,2}(?:次|回|趟|遍)|\s?(?:来|去)[一两二三四五六\d]{1,2}(?:次|回|趟|遍|个小时|小时)"
)
Read = tuple[Said, int]


def write(rule: Rule, hour: int | None = None, minute: int = 0) -> str:
    """The rule as RFC 5545 has it."""
    parts = [f"FREQ={rule.freq}"]
    if rule.interval > 1:
        parts.append(f"INTERVAL={rule.interval}")
    if rule.months:
        parts.append("BYMONTH=" + ",".join(map(str, rule.months)))
    if rule.on:
        parts.append("BYMONTHDAY=" + ",".join(map(str, rule.on)))
    if rule.days:
        nth = str(rule.nth) if rule.nth else ""
        parts.append("BYDAY=" + ",".join(nth + WEEKDAYS[d] for d in rule.days))
    if hour is not None:
        parts.append(f"BYHOUR={hour};BYMINUTE={minute}")
    return ";".join(parts)


def recurrence(c: Cursor, i: int) -> Read | None:
    """A recurrence at a token, with its hour and first occurrence."""
    try:
        found = _rule(c, i)
        if found is None:
            return None
        rule, j, at = found
        return _dated(c, i, rule, j, at)
    except (ValueError, OverflowError):
        return None


def _rule(c: Cursor, i: int) -> tuple[Rule, int, int] | None:
    """The rule, where it ends, and where the words begin that say when it first happens."""
    kind = c.tokens[i].kind
    if kind == "EVERY_NAME":
        return _named(c, i)
    if kind == "WORKDAYS":
        return _workdays(c, i)
    if kind == "EVERY_OTHER":
        return _other(c, i)
    if kind == "EVERY":
        return _every(c, i)
    if kind == "WEEKDAY":
        return _weekdays(c, i)
    if kind in {"NUM", "half"}:
        return _often(c, i)
    return None


def _named(c: Cursor, i: int) -> tuple[Rule, int, int]:
    rule = Rule(c.tokens[i].value)
    if c.kind(i + 1) == "WORKDAYS":
        return Rule("WEEKLY", days=_WORK), i + 2, i + 2
    return rule, i + 1, i + 1


def _workdays(c: Cursor, i: int) -> tuple[Rule, int, int] | None:
    if c.behind(i + 1) in {"内", "之"} or (
        i and c.tokens[i].glue == 0 and c.tokens[i - 1].kind in {"NUM", "piece"}
    ):
        return None
    j = i + 1
    if c.tokens[j].kind in {"EVERY_NAME"} and c.tokens[j].glue <= COMMA:
        j += 1
    return Rule("WEEKLY", days=_WORK), j, j


def _every(c: Cursor, i: int) -> tuple[Rule, int, int] | None:
    """每 and what follows: a unit, so many units, a weekday, a part of the day."""
    j = i + 1
    token = c.tokens[j]
    kind = c.kind(j, OF)
    if kind == "WORKDAYS":
        return Rule("WEEKLY", days=_WORK), j + 1, j + 1
    if kind == "WEEKEND":
        return Rule("WEEKLY", days=(5, 6)), j + 1, j + 1
    if kind == "WEEKDAY":
        days, k = _more_days(c, j)
        if c.kind(k) == "TO" and c.kind(k + 1) == "WEEKDAY" and days[0] < c.tokens[k + 1].value[0]:
            return Rule("WEEKLY", days=tuple(range(days[0], c.tokens[k + 1].value[0] + 1))), k + 2, j
        return Rule("WEEKLY", days=days), k, j
    if kind in {"PART", "PART_TAIL"} and token.glue == 0:
        return Rule("DAILY"), j, j
    interval = 1
    if kind == "NUM" and isinstance(token.value, int) and 1 <= token.value <= 99:
        interval, j = token.value, j + 1
        if c.kind(j) == "hour":
            return None
    elif kind == "half":
        return _half(c, j)
    if c.kind(j) == "piece":
        j += 1
    return _unit(c, j, interval)


def _half(c: Cursor, j: int) -> tuple[Rule, int, int] | None:
    """每半年, 每半个钟头."""
    k = j + 2 if c.kind(j + 1) == "piece" else j + 1
    unit = c.tokens[k].value if c.kind(k) == "UNIT" else c.kind(k)
    rule = {
        "year": Rule("MONTHLY", 6),
        "month": Rule("DAILY", 15),
        "hour": Rule("MINUTELY", 30),
        "bell": Rule("MINUTELY", 30),
    }.get(str(unit))
    return (rule, k + 1, k + 1) if rule else None


def _unit(c: Cursor, j: int, interval: int) -> tuple[Rule, int, int] | None:
    token = c.tokens[j]
    if token.glue > BLANK:
        return None
    unit = token.value if token.kind == "UNIT" else token.kind
    if unit == "MONTH_PART":
        last = token.value[1] == 31
        return Rule("MONTHLY", interval, on=(-1,) if last else ()), j + 1, j
    if unit == "date":
        unit = "day"
    if unit == "quarter":
        return Rule("MONTHLY", 3 * interval), j + 1, j + 1
    if unit == "hour" and token.kind == "UNIT":
        return Rule("HOURLY", interval), j + 1, j + 1
    if unit == "minute" and token.kind == "UNIT":
        return Rule("MINUTELY", interval), j + 1, j + 1
    if unit not in _FREQ:
        return None
    rule = Rule(_FREQ[unit], interval)
    j += 1
    if unit == "week":
        return _in_week(c, rule, j)
    if unit == "month":
        return _in_month(c, rule, j)
    return _in_year(c, rule, j) if unit == "year" else (rule, j, j)


def _in_week(c: Cursor, rule: Rule, j: int) -> tuple[Rule, int, int]:
    kind = c.kind(j, OF)
    if kind == "WEEKDAY":
        days, k = _more_days(c, j)
        return rule._replace(days=days), k, j
    if kind == "WORKDAYS":
        return rule._replace(days=_WORK), j + 1, j + 1
    if kind == "WEEKEND":
        return rule._replace(days=(5, 6)), j + 1, j + 1
    return rule, j, j


def _in_month(c: Cursor, rule: Rule, j: int) -> tuple[Rule, int, int]:
    """15号, 最后一天, 第一个周六, 月底."""
    kind, token = c.kind(j, OF), c.tokens[j]
    if kind == "NUM" and c.kind(j + 1) == "date" and isinstance(token.value, int) and 1 <= token.value <= 31:
        return _days(c, rule._replace(on=(token.value,)), j)
    if kind in {"ordinal", "LAST"} and c.kind(j + 1) == "NUM":
        nth = -1 if kind == "LAST" else c.tokens[j + 1].value
        k = j + 3 if c.kind(j + 2) == "piece" else j + 2
        if c.kind(k) == "WEEKDAY" and isinstance(nth, int) and nth <= 5:
            return rule._replace(days=c.tokens[k].value, nth=nth), k + 1, j
        if c.tokens[k].value == "day" and isinstance(nth, int) and nth <= 31:
            return rule._replace(on=(nth,)), k + 1, j
    if kind == "end":
        return rule._replace(on=(-1,)), j + 1, j + 1
    if kind == "MONTH_PART":
        return rule._replace(on=(-1,) if token.value[1] == 31 else ()), j + 1, j
    return rule, j, j


def _days(c: Cursor, rule: Rule, j: int) -> tuple[Rule, int, int]:
    """每月15号和30号, 每月1号、16号."""
    k = j + 2
    while c.kind(k) == "AND" and c.kind(k + 1) == "NUM" and c.kind(k + 2) == "date":
        day = c.tokens[k + 1].value
        if not isinstance(day, int) or not rule.on[-1] < day <= 31:
            break
        rule, k = rule._replace(on=(*rule.on, day)), k + 3
    return rule, k, j


def _in_year(c: Cursor, rule: Rule, j: int) -> tuple[Rule, int, int]:
    token, month = c.tokens[j], c.tokens[j].value
    if c.kind(j, OF) == "NUM" and isinstance(month, int) and 1 <= month <= 12 and c.kind(j + 1) == "month":
        k = j + 2
        rule = rule._replace(months=(month,))
        if c.kind(k) == "NUM" and c.kind(k + 1) == "date" and isinstance(c.tokens[k].value, int):
            return rule._replace(on=(c.tokens[k].value,)), k + 2, j
        last = c.tokens[k + 1].value
        if c.kind(k) == "TO" and c.kind(k + 2) == "month" and isinstance(last, int) and month < last <= 12:
            return rule._replace(months=tuple(range(month, last + 1))), k + 3, j
        return rule, k, j
    kind = c.kind(j, OF)
    if kind == "FESTIVAL":
        month, day = token.value
        return rule._replace(months=(month,), on=(day,)), j + 1, j
    if kind in {"LUNAR_FESTIVAL", "NTH_FESTIVAL", "TERM", "SEASON", "YEAR_PART"}:
        return rule, j + 1, j
    return rule, j, j


def _other(c: Cursor, i: int) -> tuple[Rule, int, int] | None:
    """隔天, 隔周的星期四, 每隔三天."""
    j, interval = i + 1, 2
    token = c.tokens[j]
    if c.kind(j) == "NUM" and isinstance(token.value, int) and 1 <= token.value <= 99:
        interval, j = max(2, token.value), j + 1
    elif c.kind(j) == "half":
        return _half(c, j)
    if c.kind(j) == "piece":
        j += 1
    if c.tokens[j].kind == "WEEKDAY":
        days, k = _more_days(c, j)
        return Rule("WEEKLY", interval, days), k, j
    return _unit(c, j, interval)


def _weekdays(c: Cursor, i: int) -> tuple[Rule, int, int] | None:
    """Several weekdays, 周一三五 or 周一到周五, come again; a lone one is a day."""
    if i and c.tokens[i - 1].kind in {"POINTER", "TO"} and c.tokens[i].glue <= BLANK:
        return None
    days, j = _more_days(c, i)
    if c.kind(j) == "TO" and len(days) == 1 and c.kind(j + 1) == "WEEKDAY":
        last = c.tokens[j + 1].value[0]
        every = c.tokens[j + 2].kind == "EVERY_NAME" and c.tokens[j + 2].glue <= BLANK
        if (days[0], last) != (0, 4) and not (every and days[0] < last):
            return None
        return Rule("WEEKLY", days=tuple(range(days[0], last + 1))), j + 2 + every, j + 2 + every
    if len(days) < 2 or all(b - a == 1 for a, b in pairwise(days)):
        return None
    return Rule("WEEKLY", days=days), j, i


def _more_days(c: Cursor, j: int) -> tuple[tuple[int, ...], int]:
    """Weekdays said one after another, and where they end."""
    days = list(c.tokens[j].value)
    j += 1
    while True:
        k = j
        while c.tokens[k].kind in {"AND", "EVERY"} and c.tokens[k].glue < APART:
            k += 1
        if c.tokens[k].kind == "NUM" and k > j and _LONE_DAY.match(c.plain, c.tokens[k].start):
            days.append("一二三四五六日".index(c.plain[c.tokens[k].start]))
            j = k + 1
            continue
        if c.tokens[k].kind != "WEEKDAY" or not _JOINS.match(
            c.plain[c.tokens[j - 1].end : c.tokens[k].start]
        ):
            return tuple(sorted(set(days))), j
        days += c.tokens[k].value
        j = k + 1


def _often(c: Cursor, i: int) -> tuple[Rule, int, int] | None:
    """一周两次, 一天一次, 一个月两回."""
    token = c.tokens[i]
    if token.kind != "NUM" or not isinstance(token.value, int) or not 1 <= token.value <= 12:
        return None
    j = i + 2 if c.kind(i + 1) == "piece" else i + 1
    unit = c.tokens[j].value if c.kind(j) == "UNIT" else c.kind(j)
    if unit not in _FREQ or not _OFTEN.match(c.plain, c.tokens[j].end):
        return None
    k = j + 1
    while c.tokens[k].kind in {"NUM", "times"} and c.tokens[k].glue <= BLANK:
        k += 1
    return Rule(_FREQ[unit], token.value), k, k


def _dated(c: Cursor, i: int, rule: Rule, j: int, at: int) -> Read:
    """With the hour that follows, and the first time it happens."""
    step = None
    if rule.freq in {"DAILY", "WEEKLY", "MONTHLY", "YEARLY"} and c.tokens[j].glue <= COMMA:
        step = _hours(c, j)
    hour = minute = None
    if step is not None:
        said, j = step
        if said.grain in {"hour", "minute"} and said.start:
            hour, minute = said.start.hour, said.start.minute
    first = _lead(c, at, rule) or occurrence(rule, step[0] if step else None, c.now)
    span = (c.tokens[i].start, c.tokens[j - 1].end)
    text = write(rule, hour, minute or 0)
    return Said("set", span, first.start, first.end, first.grain, rrule=text, dated=True), j


def _lead(c: Cursor, at: int, rule: Rule) -> Said | None:
    """A month, season or festival of every year is read as it stands."""
    if rule.freq != "YEARLY" or c.tokens[at].glue > OF or rule.on:
        return None
    lead = phrase(c, at)
    return lead[0] if lead and lead[0].start and lead[0].grain in {"day", "month", "quarter"} else None


def _hours(c: Cursor, j: int) -> Read | None:
    """A part of the day or an hour behind the rule."""
    if c.tokens[j].kind not in {"PART", "PART_TAIL", "NUM", "CLOCK", "ABOUT", "to_go"}:
        return None
    now, c.now = c.now, c.today  # 九点 is nine in the morning, whatever time it is now
    said = phrase(c, j)
    if said is None and c.tokens[j].kind == "PART_TAIL":  # 每晚
        step = expression(c, j, Frame(c.today, c.today + DAY_LONG, DAY))
        said = (Said("range", (0, 0), step[0].start, step[0].end, "part"), step[1]) if step else None
    c.now = now
    if said is None or said[0].grain not in {"part", "hour", "minute"} or said[0].dated:
        return None
    return said
