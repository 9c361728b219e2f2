"""The words of time: what people say for days, parts of the day and hours, and where it stands in a text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from nlp.slots.numbers import number

DAY = timedelta(days=1)

_N = r"(?:\d{1,2}|[零〇一二两三四五六七八九十廿]{1,3})"

_RELATIVE = {
    "大前天": -3, "前天": -2, "前日": -2, "前儿": -2, "昨天": -1, "昨日": -1, "昨儿": -1, "昨": -1,
    "琴日": -1, "寻日": -1,
    "今天": 0, "今日": 0, "今儿": 0, "今朝": 0, "今": 0, "当天": 0, "明天": 1, "明日": 1, "明儿": 1,
    "明朝": 1, "名天": 1,
    "听日": 1, "明": 1, "听": 1, "后天": 2, "后日": 2, "后儿": 2, "后朝": 2, "大后天": 3, "大后日": 3,
    "大后儿": 3, "当日": 0,
}  # fmt: skip
_PART_WORDS = {
    "凌晨": "dawn", "半夜": "dawn",
    "大清早": "early", "清早": "early", "清晨": "early", "一大早": "early", "一早": "early",
    "早上": "early", "早晨": "early",
    "早起": "early", "朝早": "early", "早浪": "early", "早间": "early", "早": "early",
    "上午": "morning", "上半日": "morning", "上半天": "morning", "上昼": "morning", "前半晌": "morning",
    "中午": "noon", "晌午": "noon", "正午": "noon", "晏昼": "noon", "午间": "noon",
    "下午": "afternoon", "下半日": "afternoon", "下半天": "afternoon", "下昼": "afternoon",
    "下晌": "afternoon", "后晌": "afternoon", "午后": "afternoon",
    "傍晚": "dusk", "黄昏": "dusk", "擦黑儿": "dusk", "擦黑": "dusk", "晚边子": "dusk", "傍黑": "dusk",
    "晚上": "evening", "夜里": "evening", "夜晚": "evening", "夜间": "evening", "夜头": "evening",
    "晚间": "evening", "今夜": "evening",
    "深夜": "evening", "夜里向": "evening", "晚黑": "evening", "晚": "evening", "夜": "evening",
}  # fmt: skip
_FESTIVALS = {
    "元旦": (1, 1), "情人节": (2, 14), "妇女节": (3, 8), "三八节": (3, 8), "植树节": (3, 12),
    "五一": (5, 1), "劳动节": (5, 1), "青年节": (5, 4),
    "六一": (6, 1), "儿童节": (6, 1), "建军节": (8, 1), "教师节": (9, 10), "国庆节": (10, 1),
    "国庆": (10, 1), "双十一": (11, 11),
    "双十二": (12, 12), "平安夜": (12, 24), "圣诞节": (12, 25), "圣诞": (12, 25),
}  # fmt: skip
_WEEKDAYS = {
    "一": 0,
    "二": 1,
    "三": 2,
    "四": 3,
    "五": 4,
    "六": 5,
    "日": 6,
    "天": 6,
    "1": 0,
    "2": 1,
    "3": 2,
    "4": 3,
    "5": 4,
    "6": 5,
    "7": 6,
}


def _words(words: Iterable[str]) -> str:
    return "|".join(sorted(map(re.escape, words), key=len, reverse=True))


_LONG_RELATIVE = _words(w for w in _RELATIVE if len(w) > 1)
_WEEK = r"(?:(?:下下|上上|下|上|这|本|今)个?)?(?:周|星期|礼拜)"
_DAYS = rf"""
    (?:{_LONG_RELATIVE})(?:个)?
  | (?:今|明|昨|听|后)(?=晚|早(?!教|恋)|夜|晨)
  | {_WEEK}(?:[一二三四五六日天](?!周|[个楼栋])|[1-7](?!\d|[号点:天]))
  | (?:(?:这|本|下下|下|上)个?)?(?:周|星期|礼拜)末|周末
  | (?:(?:下下|下|上|这|本)个?)(?:周|星期|礼拜)(?![一二三四五六日天末1-7])
  | \d{{4}}[年/.-]\d{{1,2}}[月/.-]\d{{1,2}}[日号]?
  | {_N}月(?:底|初|{_N}[日号]?)
  | (?:这个?|本|下个?|上个?)月(?:底|末|初|{_N}[日号])?
  | 月底|月末|月初|年底
  | {_N}[日号](?=\s?(?:早|上午|中午|下午|晚|傍晚|凌晨|{_N}点|之?前|以前|以后|那天|来|\d{{1,2}}:))
  | (?:{_words(_FESTIVALS)})(?:节)?(?:那天|当天|第[二三四五六七]天)?
"""
_PARTS = _words(_PART_WORDS)
_MINUTES = (
    r"钟|整|半|一刻|三刻|[0-5]?\d分?(?!\d|[个元块])"
    r"|[零〇一二三四五]?十?[一二三四五六七八九]分?|[二三四五]?十分?"
)
#: 一点儿, 一点都不, 这点火 … are no hours.
_NO_HOUR = r"(?![儿水意评数火赞心击名滴燃头]|一?点)"
_CLOCK = rf"(?:(?:\d{{1,2}}[:：]\d{{2}})(?!\d)|{_N}点(?:{_MINUTES})?{_NO_HOUR}|{_N}时(?![间候常不代刻]))"

_TIME = re.compile(
    rf"""
    (?P<day>{_DAYS})?
    (?:[的,\s]{{0,2}}(?P<part>{_PARTS}))?
    (?:[的,\s]{{0,2}}(?:大概|大约|差不多)?(?P<clock>{_CLOCK})
       (?:\s?(?:到|至|-|~|—|–)\s?(?P<until_part>{_PARTS})?(?P<until>{_CLOCK}))?
    )?
    """,
    re.VERBOSE,
)
#: No regex is run where no word of time can begin.
_START = re.compile(
    r"[\d零一二两三四五六七八九十廿今明昨听后前大琴寻这本下上周星礼月年元情妇植劳青儿建教国双平圣早晚夜凌清朝中晌正晏傍黄擦午深半一当名]"
)
_OFFSET = re.compile(
    r"(?P<half>半)个?(?P<u1>小时|钟头|钟)(?:之后|以后|后)|(?P<n>\d{1,3}|[一二两三四五六七八九十]{1,3})个?(?P<h>半)?(?P<u2>小时|钟头|钟|分钟|天|周|星期|礼拜)(?P<h2>半)?(?:之后|以后|后(?!面|天))"
)
_AFTER = re.compile(r"^[\s,]?(?:钟)?(?:以后|之后|过后|往后|后(?!面|天|日|门|勤|边|头)|起(?!床|来|夜))")
_BEFORE = re.compile(r"^(?:钟)?(?:以前|之前|前(?!面|天|日|门|台|边|头|后)|截止)")
_AROUND = re.compile(r"^(?:钟)?(?:左右|前后|上下|来钟)")
_AROUND_BEFORE = re.compile(r"(?:大概|大约|差不多|约莫)(?:[一-鿿]{0,4})$")
#: 晚 and 早 are often no time: 别太晚, 晚点到, 晚饭, 早饭, 早就.
_NO_PART = re.compile(
    r"^(?:点|饭|了|些|一点|一个|到|晚|不|就|过|已|日|该|餐|市|晨|早|教|产|高峰|期|年|辈|霜)"
)


@dataclass(frozen=True)
class Said:
    """The pieces of one time expression, as said."""

    start: int
    end: int
    day: str | None = None
    part: str | None = None
    clock: str | None = None
    until: str | None = None
    until_part: str | None = None
    mod: str | None = None
    offset: timedelta | None = None


@dataclass(frozen=True)
class Day:
    """A stretch of the calendar: a day, or a week, a month (then with `end`)."""

    start: datetime
    end: datetime | None
    grain: str


@dataclass(frozen=True)
class Clock:
    hour: int
    minute: int
    grain: str


def scan(plain: str) -> Iterator[Said]:
    """Time expressions from left to right, each as long as it goes."""
    position = 0
    while match := _START.search(plain, position):
        at = match.start()
        position = at + 1
        said = _offset(plain, at) or _expression(plain, at)
        if said is not None:
            position = max(position, said.end)
            yield said


def _offset(plain: str, at: int) -> Said | None:
    match = _OFFSET.match(plain, at)
    if not match or (at and plain[at - 1] in "第.每"):
        return None
    count = (
        0.5 if match["half"] else float(number(match["n"]) or 0) + (0.5 if match["h"] or match["h2"] else 0)
    )
    unit = match["u1"] or match["u2"]
    minutes = {"分钟": 1, "小时": 60, "钟头": 60, "钟": 60, "天": 1440}.get(unit, 7 * 1440)
    return Said(at, match.end(), offset=timedelta(minutes=count * minutes))


def _expression(plain: str, at: int) -> Said | None:
    match = _TIME.match(plain, at)
    if not match or match.end() == at:
        return None
    part, clock, end = match["part"], match["clock"], match.end()
    if part and not clock and len(part) == 1:
        single_ok = bool(match["day"]) and not _NO_PART.match(plain[match.end("part") :])
        if not single_ok:
            part = None
            end = match.end("day") if match["day"] else at
    if end == at or (not match["day"] and clock and at and plain[at - 1] in ".第0123456789-:年半"):
        return None
    if (
        clock
        and not part
        and not match["day"]
        and re.match(r"[一1]点(?!钟|半|\d|[一二三四五十])", clock + plain[end : end + 1])
    ):
        return None  # 一点 alone is mostly 一点儿: 快一点, 一点都不
    if (
        match["day"]
        and not part
        and not clock
        and match["day"] in {"当天", "五一", "六一", "双十一", "双十二"}
        and at
        and plain[at - 1].isdigit()
    ):
        return None
    start = at
    behind = plain[end : end + 6]
    mod = None
    for name, rule in (("after", _AFTER), ("before", _BEFORE), ("around", _AROUND)):
        found = rule.match(behind)
        if found and (clock or name != "around"):
            mod, end = name, end + found.end()
            break
    if (
        mod is None
        and clock
        and (_AROUND_BEFORE.search(plain[max(0, match.start("clock") - 6) : match.start("clock")]))
    ):
        mod = "around"
    until_part = _PART_WORDS[match["until_part"]] if match["until_part"] else None
    return Said(
        start, end, match["day"], _PART_WORDS[part] if part else None, clock, match["until"], until_part, mod
    )


def parse_clock(text: str) -> Clock:
    """三点半, 9:30, 十点十分 … as hour and minute; an hour that is none is 99."""
    if ":" in text or "：" in text:
        hour, minute = re.split("[:：]", text)
        return Clock(int(hour), int(minute), "minute")
    head, _, rest = text.replace("时", "点").partition("点")
    hour_value = number(head)
    rest = rest.removesuffix("分")
    minute_value = {"": 0, "钟": 0, "整": 0, "半": 30, "一刻": 15, "三刻": 45}.get(rest)
    if minute_value is None:
        minute_value = number(rest)
    return Clock(
        99 if hour_value is None else hour_value,
        99 if minute_value is None else minute_value,
        "hour" if rest in {"", "钟", "整"} else "minute",
    )


def parse_day(text: str, now: datetime, behind: str = "") -> Day | None:

    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    word = text.strip()
    plain = word.removesuffix("个") if word.endswith(("天个", "儿个", "日个")) else word
    if plain in _RELATIVE:
        return Day(today + _RELATIVE[plain] * DAY, None, "day")
    return _week(word, today, behind) or _month(word, today) or _festival(word, today) or _date(word, today)


def _week(word: str, today: datetime, behind: str) -> Day | None:
    match = re.match(r"^(下下|上上|下|上|这|本|今)?个?(?:周|星期|礼拜)([一二三四五六日天末1-7])?$", word)
    if not match:
        return None
    which, name = match[1], match[2]
    monday = today - today.weekday() * DAY
    weeks = {"下": 1, "下下": 2, "上": -1, "上上": -2}.get(which or "", 0)
    if name is None:
        start = monday + weeks * 7 * DAY
        return Day(start, start + 7 * DAY, "week")
    if name == "末":
        start = monday + (weeks * 7 + 5) * DAY
        return Day(start, start + 2 * DAY, "day")
    if which is None:
        ahead = (_WEEKDAYS[name] - today.weekday()) % 7
        if re.match(r"(?:上午|下午|晚上|早上)?(?:报|提的|反映|投诉|登记|说的|约过)", behind):
            return Day(today - ((7 - ahead) % 7) * DAY, None, "day")
        return Day(today + ahead * DAY, None, "day")
    return Day(monday + (weeks * 7 + _WEEKDAYS[name]) * DAY, None, "day")


def _next_month(first: datetime, months: int = 1) -> datetime:
    index = first.year * 12 + first.month - 1 + months
    return first.replace(year=index // 12, month=index % 12 + 1, day=1)


def _month(word: str, today: datetime) -> Day | None:
    match = re.match(rf"^(这个?|本|下个?|上个?)?月(底|末|初|{_N}[日号])?$", word)
    first = today.replace(day=1)
    if word == "年底":
        december = today.replace(month=12, day=1)
        return Day(december, december.replace(year=december.year + 1, month=1), "month")
    if not match:
        return None
    which = (match[1] or "").removesuffix("个")
    first = _next_month(first, {"下": 1, "上": -1}.get(which, 0))
    if match[2] is None:
        return Day(first, _next_month(first), "month") if match[1] else None
    return _within(first, match[2])


def _within(first: datetime, rest: str) -> Day | None:
    if rest in {"底", "末"}:
        return Day(_next_month(first) - DAY, None, "day")
    if rest == "初":
        return Day(first, first + 10 * DAY, "day")
    day = number(rest.rstrip("日号"))
    return Day(first.replace(day=day), None, "day") if day else None


def _festival(word: str, today: datetime) -> Day | None:
    match = re.match(rf"^({_words(_FESTIVALS)})节?(?:那天|当天|第([二三四五六七])天)?$", word)
    if not match:
        return None
    month, day = _FESTIVALS[match[1]]
    date = today.replace(month=month, day=day)
    if date < today:
        date = date.replace(year=date.year + 1)
    return Day(date + ((number(match[2]) or 1) - 1) * DAY if match[2] else date, None, "day")


def _date(word: str, today: datetime) -> Day | None:
    full = re.match(r"^(\d{4})[年/.-](\d{1,2})[月/.-](\d{1,2})", word)
    if full:
        return Day(today.replace(year=int(full[1]), month=int(full[2]), day=int(full[3])), None, "day")
    of_month = re.match(rf"^({_N})月(底|初|{_N})[日号]?$", word)
    if of_month:
        month = number(of_month[1]) or 0
        first = today.replace(month=month, day=1)
        found = _within(first, of_month[2])
        if found and found.start < today:
            found = _within(first.replace(year=first.year + 1), of_month[2])
        return found
    alone = re.match(rf"^({_N})[日号]$", word)
    if alone:
        day = number(alone[1]) or 0
        first = today.replace(day=1)
        if day < today.day:
            first = _next_month(first)
        return Day(first.replace(day=day), None, "day")
    return None
