"""A roster as people write it: 「国庆值班：1-3号张师傅，4-7号李师傅」 says who is on duty when."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from nlp.script import to_simplified
from nlp.slots import time
from nlp.when.workdays import off

DAY = timedelta(days=1)
WEEKS_AHEAD = 4  # a shift of every week is entered for so long
LONGEST = timedelta(days=40)  # of one entry; more is a slip of the pen
#: Hours of the shifts that have names; a day is on duty until the next morning.
_PARTS = (
    (re.compile(r"白班|白天|日班|早班|上午班|早上"), (8, 20)),
    (re.compile(r"中班|下午班"), (12, 20)),
    (re.compile(r"夜班|晚班|夜里|夜间|晚上|夜晚|通宵"), (20, 32)),
    (re.compile(r"全天|24\s*小时|整天|全日"), (8, 32)),
)
WHOLE = (8, 32)  # hours of a day of duty, from its midnight
_CLOCK = r"(\d{1,2})(?:[:点](\d{2})?分?)"
_HOURS = re.compile(rf"{_CLOCK}\s*(?:到|至|[-~—–])\s*(次日|第二天|凌晨|早上)?\s*{_CLOCK}")
_ABOUT = re.compile(r"值班|排班|当班|值守|轮值|[白夜晚早中日]班")
_HEADLINE = re.compile(
    r"^(?P<when>[^:\n]{0,14}?)(?:的)?(?:值班|排班|当班|值守|轮值)(?:人员|安排|名单|表)*"
    r"(?:(?:如下|定了|更新)?\s*[:\s]|是|改成|改为|换成)"
)
_OTHERWISE = re.compile(
    r"换班|调班|替班|代班|顶班|[替代顶]我|谁|哪|几点|吗|什么|怎么|\?|通知|公告|提醒|群发|发给|转发|发我|给我|看看|看一下"
)
_PIECES = re.compile(r"[,;。\n]+|(?<=[一-龥])\s+(?=\S{0,3}(?:\d|周|星期|礼拜|明|后天|今))")
_WEEKDAYS = re.compile(
    r"(?P<every>每)?(?:周|星期|礼拜)(?P<first>[一二三四五六日天])"
    r"(?P<more>(?:[、和]?(?:周|星期|礼拜)?[一二三四五六日天])+)(?![到至\-])"
)
_BARE = re.compile(r"[一二三四五六日天](?:[、和]?[一二三四五六日天])*")
_NUMBERS = re.compile(r"(?:(?P<month>\d{1,2})月)?(?P<days>\d{1,2}(?:[号日]?[、和]\d{1,2})+)[号日]")
_NAME = re.compile(r"[一-龥]{1,4}(?:师傅|班长|队长|主任|经理|工)?|[A-Za-z]{2,20}")
_NOISE = re.compile(r"^[:：是由归的为轮到排、和\s\-~]+|(?:值班|当班|值守|上班|负责|轮值)")
_NOBODY = re.compile(r"轮休|休息|休假|放假|没人|无人|空着|调休")
_SEVEN = "一二三四五六日"


@dataclass(frozen=True, slots=True)
class Entry:
    """Who has duty, as said, in local time without zone."""

    start: datetime
    end: datetime
    name: str


@dataclass(frozen=True, slots=True)
class Roster:
    """What a text says of duty, in its order, and the pieces that were not understood."""

    entries: tuple[Entry, ...]
    unread: tuple[str, ...]


def read(text: str, now: datetime) -> Roster | None:
    """The roster that a text is; None where it isn't one. Never raises."""
    plain = to_simplified(unicodedata.normalize("NFKC", text)).strip()
    if not _ABOUT.search(plain) or _OTHERWISE.search(plain):
        return None
    base, days, rest = _headed(plain, now)
    entries: list[Entry] = []
    unread: list[str] = []
    waiting: list[datetime] = []
    weekly = False
    for piece in filter(None, (one.strip() for one in _PIECES.split(rest))):
        found, words, every = _days(piece, base, weekly=weekly)
        if found:
            days, weekly = waiting + found, every or bool(_WEEKDAYS.search(piece))
        hours, words = _hours(words)
        names = _names(words)
        if _NOBODY.search(words):
            waiting = []
            continue
        if not names and found and not words.strip():
            waiting = days  # 「1号、3号，老李」
            continue
        if not names or not days:
            unread.append(piece)
            continue
        waiting = []
        for name in names:
            entries += (Entry(*_span(day, hours), name) for day in days)
    return Roster(tuple(entries), tuple(unread)) if entries else None


def days_in(text: str, now: datetime) -> list[datetime]:
    """The days (their midnights) that a sentence names, in its order."""
    rest = to_simplified(unicodedata.normalize("NFKC", text))
    days: list[datetime] = []
    while True:
        found, left, _ = _days(rest, now, weekly=False)
        if not found or len(left) >= len(rest):
            return list(dict.fromkeys(days + found))
        days, rest = days + found, left


def hours_in(text: str) -> tuple[int, int] | None:
    """The shift that a sentence names, in hours from the day's midnight; None where it names none."""
    plain = to_simplified(unicodedata.normalize("NFKC", text))
    return next((span for pattern, span in _PARTS if pattern.search(plain)), None)


def _headed(plain: str, now: datetime) -> tuple[datetime, list[datetime], str]:
    """From when days are counted, the days that the headline names, and the text behind it."""
    match = _HEADLINE.match(plain)
    if match is None:
        return now, [], plain
    days, _, _ = _days(match["when"], now, weekly=False)
    if match["when"].strip() and not days:
        return now, [], plain
    base = now
    if len(days) > 1:  # a week, a month, a holiday: its days are meant, and the eve of 春节
        base = min(days) if "周" in match["when"] else max(min(days) - DAY, now)
    return base, days, plain[match.end() :]


def _days(piece: str, now: datetime, *, weekly: bool) -> tuple[list[datetime], str, bool]:
    """The days that a piece begins with, what else it says, and whether it means every week."""
    listed = _WEEKDAYS.search(piece)
    if listed:
        words = piece[: listed.start()] + piece[listed.end() :]
        of = _SEVEN + "天"
        numbers = [of.index(c) % 7 if c != "天" else 6 for c in listed["first"] + listed["more"] if c in of]
        monday = now.replace(hour=0, minute=0) - DAY * now.weekday()
        base = {"本": monday, "这": monday, "下": monday + 7 * DAY}.get(piece[: listed.start()][-1:], now)
        return (
            _weekdays(numbers, base, every=bool(listed["every"])),
            words.strip("下本这"),
            bool(listed["every"]),
        )
    bare = _BARE.match(piece) if weekly else None
    if bare and _names(piece[bare.end() :]):
        numbers = [6 if c == "天" else _SEVEN.index(c) for c in bare[0] if c in _SEVEN + "天"]
        return _weekdays(numbers, now, every=True), piece[bare.end() :], True
    dates = _NUMBERS.search(piece)
    if dates:
        month = int(dates["month"]) if dates["month"] else None
        said = [int(number) for number in re.findall(r"\d+", dates["days"])]
        found = [day for number in said for day in _of_month(number, month, now)]
        return found, piece[: dates.start()] + piece[dates.end() :], False
    dotted = _DOTTED.match(piece)
    if dotted and 1 <= int(dotted[1]) <= 12:
        return _of_month(int(dotted[2]), int(dotted[1]), now), piece[dotted.end() :], False
    found, words = _stretch(piece, now)
    return found, words, "每周" in piece


def _stretch(piece: str, now: datetime) -> tuple[list[datetime], str]:
    """The days of the first expression of time in a piece, and what stands around it."""
    for one in time.find(piece, now):
        if one.start is None or not (one.dated or one.kind == "set"):
            continue
        words = piece[: one.span[0]] + piece[one.span[1] :]
        said = piece[one.span[0] : one.span[1]]
        words += "".join(m[0] for pattern, _ in _PARTS if (m := pattern.search(said)))
        if said.endswith("晚"):
            words += "晚班"
        if hours := _HOURS.search(said):
            words += hours[0]
        if one.kind == "set":
            return _weekly(one.rrule or "", now), words
        start = one.start.replace(hour=0, minute=0)
        end = one.end or start + DAY
        if one.grain == "day" and end - start == DAY and _HOLIDAY.search(said):
            start, end = off(start)
        count = min((end - start + DAY - timedelta(minutes=1)) // DAY, LONGEST // DAY)
        return [start + DAY * i for i in range(max(count, 1))], words
    alone = _NUMBER.search(piece)
    if alone:
        return _of_month(int(alone[1]), None, now), piece[: alone.start()] + piece[alone.end() :]
    return [], piece


def _of_month(number: int, month: int | None, now: datetime) -> list[datetime]:
    """The next day with this number, of that month where one is said; [] where there is none."""
    day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    for _ in range(366):
        if day.day == number and month in (None, day.month):
            return [day]
        day += DAY
    return []


_DOTTED = re.compile(r"(\d{1,2})[./](\d{1,2})(?![\d./~-]|\s*[到至])")
_NUMBER = re.compile(r"(?<!\d)(\d{1,2})[号日]")
_HOLIDAY = re.compile(r"国庆|春节|元旦|清明|五一|劳动节|端午|中秋|十一")


def _weekdays(numbers: list[int], now: datetime, *, every: bool) -> list[datetime]:
    first = now.replace(hour=0, minute=0, second=0, microsecond=0)
    found = [first + DAY * ((number - first.weekday()) % 7) for number in numbers]
    return [day + DAY * 7 * week for week in range(WEEKS_AHEAD if every else 1) for day in found]


_BYDAY = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


def _weekly(rrule: str, now: datetime) -> list[datetime]:
    rule = dict(part.split("=", 1) for part in rrule.split(";") if "=" in part)
    if rule.get("FREQ") == "DAILY":
        return _weekdays(list(range(7)), now, every=True)
    numbers = [_BYDAY.index(day) for day in rule.get("BYDAY", "").split(",") if day in _BYDAY]
    return _weekdays(numbers, now, every=True)


def _hours(words: str) -> tuple[tuple[int, int], str]:
    """The hours of a shift from its day's midnight, and the words without them."""
    said = _HOURS.search(words)
    if said:
        begin, end = int(said[1]), int(said[4])
        if (said[3] or end <= begin) and end < 24:
            end += 24
        if begin < 24 and begin < end <= begin + 24:
            return (begin, end), words[: said.start()] + words[said.end() :]
    for pattern, span in _PARTS:
        match = pattern.search(words)
        if match:
            return span, words[: match.start()] + words[match.end() :]
    return WHOLE, words


def _span(day: datetime, hours: tuple[int, int]) -> tuple[datetime, datetime]:
    midnight = day.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + timedelta(hours=hours[0]), midnight + timedelta(hours=hours[1])


def _names(words: str) -> list[str]:
    """The names in what is left of a piece."""
    left = _NOISE.sub("", words)
    left = _NOISE.sub("", left)
    return list(_each(left))


def _each(words: str) -> Iterator[str]:
    for part in re.split(r"[、和与及/+&\s]+", words.strip(" :：的是由")):
        match = _NAME.fullmatch(part)
        if match:
            yield part
