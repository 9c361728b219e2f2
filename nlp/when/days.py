"""Days: by name, weekday, number, literal date."""

from __future__ import annotations

import re
from itertools import pairwise

from nlp.when import lunar, workdays
from nlp.when.cursor import Cursor, Step
from nlp.when.frame import (
    DAY,
    DAY_LONG,
    MONTH,
    NO_CYCLE,
    WEEK,
    WEEK_LONG,
    YEAR,
    Frame,
    add_months,
    days_in,
    inside,
    monday,
    month_frame,
    year_frame,
)
from nlp.when.lexer import BLANK, OF
from nlp.when.months import lunar_date

#: Behind 12号: it numbers a thing, or somebody takes it.
_NUMBERED = re.compile(
    r"\s?(?:楼|院|门|线|梯|厅|房|室|机|柜|位|泵|车|单|工单|报修|栋|座|棟|桌|桩|店|铺|井|球|场|表|公寓|\d{3}|先生|师傅|啥"
    r"|的?(?:那个|这个|帖|活动|通知|投票|工单|单)|怎么|咋|接|我接|我来|给我|归我|撤|催|取消|完成|修好|搞定|处理|派|转"
    r"|退|进度|报名|有人|还|没|已经|不用|算了|投)"
)
#: Around 12号: it is a day.
_DATED_BEHIND = re.compile(
    r"\s?(?:早|上午|中午|下午|晚|傍晚|凌晨|夜|前|之前|以前|以后|之后|起|那天|当天|来(?!看)|到(?![场了达现楼家位货])|至|或|去|走"
    r"|回|要[停交搬办回上来开去出用]|交|停|从|都|放|搬|开|截止|截至|为止|周|星期|礼拜|办|举|出|行|也|才|就|[!~]"
    r"|上门|我(?!接|来|去|的|要|抢|报|这|家的)|约|安排|全天|一天|整天|需要|装|拉|送|入|进|结|吃|聚|和\d"
    r"|\d{1,2}[:点]|[一二三四五六七八九十]{1,3}点|[-~]?\d{1,2}[日号]|[一二三四五六七八九十廿]{1,3}[日号])"
)
_DATED_BEFORE = re.compile(
    r"(?:月|[日号]|到|至|在|是|于|截止|截至|改|挪|约|定|等|本月|说|讲|[日号]的?[、和跟])\s?$|(?:挪|推迟|延|提前|改期)[^。!?]{0,6}$"
)


def day_name(c: Cursor, i: int, f: Frame | None) -> Step | None:
    """今天, 听日, 大后天."""
    if f is not None:
        if c.tokens[i].value != 0:
            return None
        if f.level in {YEAR, MONTH} and c.plain[c.tokens[i].start] == "今":  # 去年今天, 上个月的今天
            month = f.start.replace(month=c.today.month) if f.level == YEAR else f.start
            start = month + (min(c.today.day, days_in(month.year, month.month)) - 1) * DAY_LONG
            return inside(f, start, start + DAY_LONG, DAY), i + 1
        return (f, i + 1) if f.level == DAY and c.tokens[i].glue == 0 else None  # 15号当天
    if _is_name(c, i):
        return None
    start = c.today + c.tokens[i].value * DAY_LONG
    return Frame(start, start + DAY_LONG, DAY), i + 1


_TITLE = re.compile(r"头条|之后》|之星|之子|学|地")


def _is_name(c: Cursor, i: int) -> bool:
    """今日头条, 《明日之后》, 三天后天气."""
    return c.before(i) == "《" or (
        _TITLE.match(c.plain, c.tokens[i].end) is not None and c.tokens[i].end - c.tokens[i].start == 2
    )


def days_name(c: Cursor, i: int, f: Frame | None) -> Step | None:
    """今明两天, 明后天."""
    token = c.tokens[i]
    j, (first, last) = i + 1, token.value
    if f is not None:
        return None
    if c.kind(j) == "NUM" and c.kind(j + 1) == "year":  # 今明两年
        start = year_frame(c.now.year + first, c.now)
        return Frame(start.start, year_frame(c.now.year + last - 1, c.now).end, YEAR), j + 2
    if token.end - token.start < 3 and c.plain[token.start : token.end] in {"今明", "明后"}:
        return None
    return Frame(c.today + first * DAY_LONG, c.today + last * DAY_LONG, DAY), j


def weekday(c: Cursor, i: int, f: Frame | None) -> Step | None:
    """周三, 周六日; in a week that was named, else of the coming seven days, or the last seven."""
    days = c.tokens[i].value
    if len(days) > 1 and any(b - a != 1 for a, b in pairwise(days)):
        return None
    if f is not None and f.level == DAY:  # 10月12号, 星期一: said twice; where they differ the date counts
        number = c.tokens[i - 1].kind in {"date", "NUM", "DATE", "MONTH_DAY"} and c.tokens[i].glue <= BLANK
        return (f, i + 1) if number or f.start.weekday() == days[0] else None
    if f is not None and f.level != WEEK:
        return None
    week = f or _week(c, c.turn, WEEK)
    start = week.start + days[0] * DAY_LONG
    return inside(week, start, start + len(days) * DAY_LONG, DAY), i + 1


def _week(c: Cursor, turn: int, cycle: int = NO_CYCLE) -> Frame:
    start = monday(c.today) + turn * WEEK_LONG
    return Frame(start, start + WEEK_LONG, WEEK, (), cycle)


def weekday_pointer(c: Cursor, i: int, f: Frame | None) -> Step | None:
    """下周三, 这个礼拜天."""
    if f is not None:
        return None
    return weekday(c, i + 1, _week(c, c.tokens[i].value))


def day_number(c: Cursor, i: int, f: Frame | None, j: int) -> Step | None:
    """15号, 二十九日, in a month or, without one, in the next one that has it ahead; `j` is where it ends."""
    value = c.tokens[i].value
    if not isinstance(value, int) or not 1 <= value <= 31:
        return None
    month = f
    if f is None:
        if c.plain[c.tokens[i].start : j and c.tokens[j - 1].end][-1:] == "号" and not _dated(c, i, j):
            return None
        if i and c.tokens[i].glue == 0 and c.tokens[i - 1].kind == "month":
            return None  # 2月30号
        if c.before(i) in _ADDRESS or c.before(i).isdigit():
            return None
        if c.before(i) in _LASTING and c.plain[c.tokens[j - 1].start] == "日":
            return None
        start = add_months(c.today.replace(day=1), c.turn)
        month = month_frame(None, start, MONTH)
    if month is None or month.level != MONTH:
        return None
    if value > days_in(month.start.year, month.start.month):
        c.failed = True
        return None
    start = month.start + (value - 1) * DAY_LONG
    return inside(month, start, start + DAY_LONG, DAY), j


#: In front of 五日: it is how long, as in Cantonese.
_LASTING = frozenset("了过足满等住坏塞")
#: In front of 2号: it is a door, or numbers something.
_ADDRESS = frozenset("第#楼栋幢座元门院区路弄巷排层梯单编")


def _dated(c: Cursor, i: int, j: int) -> bool:
    """Whether 12号 is a day rather than the number of something."""
    end = c.tokens[j - 1].end
    if c.kind(i, 9) and c.tokens[i - 1].kind == "TO" and c.tokens[i].glue <= 1:
        return not _NUMBERED.match(c.plain, end)
    if _NUMBERED.match(c.plain, end):
        return False
    if _DATED_BEFORE.search(c.before(i, 9)):
        return True
    return _DATED_BEHIND.match(c.plain, end) is not None and (end < len(c.plain) or c.tokens[i].start > 2)


def bare_day(c: Cursor, i: int, f: Frame | None) -> Step | None:
    """1月3, 十月31: a day without 日; 八月十五 and 五月廿二 are lunar."""
    token = c.tokens[i]
    if f is None or f.level != MONTH or token.glue > 1 or not isinstance(token.value, int):
        return None
    text = c.plain[token.start : token.end]
    behind = c.plain[token.end : token.end + 1]
    if not 1 <= token.value <= 31 or behind in _MEASURES or len(text) > 3:
        return None
    outer = f.outer[-1] if f.outer else None
    clear_year = outer is not None and c.tokens[0].kind == "NUM"
    if (text == "十五" and f.start.month == 8 and not clear_year) or text.startswith("廿"):
        year = f.start.year if outer else c.now.year - 1 + c.turn
        return lunar_date(c, i, outer, year, f.start.month)
    return day_number(c, i, f, i + 1)


_MEASURES = frozenset("点时个年月天周栋楼号单层元块万千百岁人次期度%.")


def initial_day(c: Cursor, i: int, f: Frame | None) -> Step | None:
    """初五: of the lunar month named before; alone, of 正月."""
    token = c.tokens[i + 1]
    if c.kind(i + 1, 0) != "NUM" or not isinstance(token.value, int) or not 1 <= token.value <= 10:
        return None
    if c.behind(i + 2) in {"中", "级", "班", "步", "期"} or c.plain[token.start].isdigit():
        return None
    if f is not None and f.level == MONTH:
        outer = f.outer[-1] if f.outer else None
        year = f.start.year if outer else c.now.year - 1 + c.turn
        return lunar_date(c, i + 1, outer, year, f.start.month)
    if f is not None and f.level != YEAR:
        return None
    return lunar_date(c, i + 1, f, f.start.year if f else c.now.year - 1 + c.turn, 1)


def date(c: Cursor, i: int, f: Frame | None) -> Step | None:
    """2026-03-05, 20260305."""
    if f is not None:
        return None
    year, month, day = c.tokens[i].value
    if not 1 <= year <= 9998 or day > days_in(year, month):
        return None
    first = c.today.replace(year=year, month=month, day=1)
    start = first.replace(day=day)
    return inside(month_frame(year_frame(year, c.now), first), start, start + DAY_LONG, DAY), i + 1


def month_literal(c: Cursor, i: int, f: Frame | None) -> Step | None:
    """2008.03."""
    if f is not None:
        return None
    year, month = c.tokens[i].value
    return month_frame(year_frame(year, c.now), c.today.replace(year=year, month=month, day=1)), i + 1


def dotted(c: Cursor, i: int, f: Frame | None) -> Step | None:
    """The end of 2020.5.26-5.29."""
    month, _, day = c.plain[c.tokens[i].start : c.tokens[i].end].partition(".")
    if not 1 <= int(month) <= 12 or not 1 <= int(day) <= 31:
        return None
    return _of_year(c, i, f, int(month), int(day))


def month_day(c: Cursor, i: int, f: Frame | None) -> Step | None:
    """3/5, 6·30, 09-01."""
    return _of_year(c, i, f, *c.tokens[i].value)


def _of_year(c: Cursor, i: int, f: Frame | None, month: int, day: int) -> Step | None:
    if f is not None and f.level != YEAR:
        return None
    year = f.start.year if f else c.now.year + c.turn
    if day > days_in(year, month):
        c.failed = True
        return None
    first = c.today.replace(year=year, month=month, day=1)
    around = month_frame(f, first, NO_CYCLE if f else YEAR)
    start = first.replace(day=day)
    return inside(around, start, start + DAY_LONG, DAY), i + 1


def festival(c: Cursor, i: int, f: Frame | None) -> Step | None:
    """国庆, 母亲节."""
    if f is not None and f.level != YEAR:
        return None
    token = c.tokens[i]
    year = f.start.year if f else c.now.year + c.turn
    if token.kind == "FESTIVAL":
        month, day = token.value
        start = c.today.replace(year=year, month=month, day=day)
    else:
        month, nth, on = token.value
        first = c.today.replace(year=year, month=month, day=1)
        start = first + ((on - first.weekday()) % 7 + 7 * (nth - 1)) * DAY_LONG
    return inside(f, start, start + DAY_LONG, DAY, cycle=NO_CYCLE if f else YEAR), i + 1


def lunar_festival(c: Cursor, i: int, f: Frame | None) -> Step | None:
    """端午, 除夕, 年初三; 今年除夕 is the one that still lies ahead this year."""
    if f is not None and f.level != YEAR:
        return None
    token, j = c.tokens[i], i + 1
    if token.kind == "YEAR_DAY":
        if c.kind(j, 0) != "NUM" or not isinstance(c.tokens[j].value, int):
            return None
        month, day, j = 1, c.tokens[j].value, j + 1
    else:
        month, day = token.value
    year = f.start.year if f else c.now.year - 1 + c.turn
    start = lunar.day(year, month, day)
    if f is not None and month == 12 and year == c.now.year:
        earlier = lunar.day(year - 1, month, day)
        if earlier and earlier.year == year and earlier >= c.today:
            start = earlier
    if start is None:
        c.failed = True
        return None
    return inside(f, start, start + DAY_LONG, DAY, cycle=NO_CYCLE if f else YEAR), j


_FESTIVALS = frozenset({"FESTIVAL", "NTH_FESTIVAL", "LUNAR_FESTIVAL", "TERM"})


def holiday(c: Cursor, i: int, f: Frame | None) -> Step | None:
    """国庆期间, 春节假期: all the days off around the festival, where they are announced already."""
    if f is None or f.level != DAY or c.tokens[i].glue > OF or c.tokens[i - 1].kind not in _FESTIVALS:
        return None
    if c.tokens[i].kind == "BETWEEN" and c.plain[c.tokens[i].start : c.tokens[i].end] != "期间":
        return None
    start, end = workdays.off(f.start)
    return f._replace(start=start, end=end), i + 1


def solar_term(c: Cursor, i: int, f: Frame | None) -> Step | None:
    """清明, 冬至."""
    if f is not None and f.level != YEAR:
        return None
    start = lunar.term(f.start.year if f else c.now.year + c.turn, c.tokens[i].value)
    if start is None:
        c.failed = True
        return None
    return inside(f, start, start + DAY_LONG, DAY, cycle=NO_CYCLE if f else YEAR), i + 1
