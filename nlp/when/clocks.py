"""Parts of the day and hours of the clock."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from nlp.when.cursor import Cursor, Step
from nlp.when.frame import DAY, DAY_LONG, HOUR, HOUR_LONG, MINUTE, MINUTE_LONG, PART, Frame, inside
from nlp.when.lexer import BLANK, COMMA, few

_Read = tuple[int, int, bool, int, int]
#: Windows of the parts of a day, hours from midnight.
PARTS = {
    "dawn": (0, 6),
    "early": (6, 9),
    "morning": (8, 12),
    "noon": (11, 13),
    "afternoon": (12, 18),
    "dusk": (17, 19),
    "evening": (18, 24),
    "midnight": (0, 6),
    "late": (2, 6),
}
#: An hour without part of day is one at which people are up.
_UP, _DOWN = 7 * 60, 22 * 60
#: Words that begin like a part of the day: 晚饭, 早教, 夜班, 下午茶.
_NO_PART = re.compile(
    r"班|饭|餐|点(?!钟|半|\d|[一二三四五])|市|教|恋|高峰|期|辈|霜|宵|会(?!儿|有|来|议|展)|礼服|茶|了|些|一点|就|已|过|该|产|早|晚|不|课"
)
_NO_LONG = re.compile(r"班(?!车|里|上|级)|茶|高峰|教育|宵")
_NO_TAIL = re.compile(r"到|个|一|日|年|间|熟|起|跑|操|修|退|安|自习|回|来|睡|归|报|报纸|教")
#: 三点 of a list or a liking is no hour: 一点儿, 三点建议, 24点5度.
_NO_HOUR = re.compile(
    r"[儿水评数火赞击名滴燃声]|心|小事|意见|建议|要求|疑|一?点|\d+度|[零一二三四五六七八九十]+度|\d*%"
)
_NO_DATED_HOUR = re.compile(r"意见|建议|要求|疑|\d+度|[零一二三四五六七八九十]+度|\d*%")
_NO_TIME = re.compile(r"[间候常不代刻光段尚]")


def part(c: Cursor, i: int, f: Frame | None) -> Step | None:
    """上午, 今晚's 晚 …; a lone 早 or 晚 only behind a day or before an hour."""
    token = c.tokens[i]
    if f is not None and (f.level != DAY or token.glue > COMMA or f.end - f.start > DAY_LONG):
        return None
    end = token.end
    if c.plain[end - 1] in "早晚夜晨午" and (_NO_PART if end - token.start == 1 else _NO_LONG).match(
        c.plain, end
    ):
        return None
    if token.kind == "PART_TAIL":
        alone = end - token.start == 2 and len(c.plain.strip()) == 2
        if not _hour_follows(c, i + 1) and not alone and (f is None or _NO_TAIL.match(c.plain, end)):
            return None
        if f is not None and token.glue > BLANK:
            return None
    return _window(c, token.value, f, i + 1)


def _hour_follows(c: Cursor, i: int) -> bool:
    return c.kind(i) == "CLOCK" or (c.kind(i) == "NUM" and c.kind(i + 1) == "hour")


def day_part(c: Cursor, i: int, f: Frame | None) -> Step | None:
    """今晚, 听朝."""
    if f is not None or re.match(r"班|饭|餐|点(?!钟|半)|报", c.plain[c.tokens[i].end :][:3]):
        if f is None and c.plain[c.tokens[i].start] in "今明听后昨" and c.behind(i + 1) != "报":
            return _only_day(c, i)
        return None
    days, name = c.tokens[i].value
    start = c.today + days * DAY_LONG
    j = i + 1
    if c.kind(j, 0) == "PART":  # 今晚夜里, 今早上午
        name, j = c.tokens[j].value, j + 1
    return _window(c, name, Frame(start, start + DAY_LONG, DAY), j)


def _only_day(c: Cursor, i: int) -> Step:
    """明晚饭, 今早班: the day alone."""
    start = c.today + c.tokens[i].value[0] * DAY_LONG
    return Frame(start, start + DAY_LONG, DAY), i + 1


def _window(c: Cursor, name: str, f: Frame | None, j: int) -> Step:
    first, last = PARTS[name]
    cycle = 0
    base = f.start if f else c.today + c.turn * DAY_LONG
    if f is None:
        cycle = DAY
    return inside(f, base + first * HOUR_LONG, base + last * HOUR_LONG, PART, cycle=cycle, part=name), j


def clock(c: Cursor, i: int, f: Frame | None) -> Step | None:
    """三点半, 9:30, 差一刻八点, 三点搭六; on the day and in the part of the day named before."""
    if f is not None and (f.level not in {DAY, PART} or f.end - f.start > DAY_LONG):
        return None
    read = _digits(c, i) or _spoken(c, i, f) or _short(c, i, f)
    if read is None:
        return None
    hour, minute, exact, level, j = read
    exact = exact or (not (f and f.part) and _of_twenty_four(c, i, j))
    if hour > 24 and level == HOUR and f is not None:
        return None
    at = _at(c, f, hour, minute, exact)
    if at is None:
        c.failed = c.failed or f is None
        return None
    long = HOUR_LONG if level == HOUR else MINUTE_LONG
    said = c.plain[c.tokens[i].start : c.tokens[i].end]
    around = c.kind(j - 1, 9) == "more" or few(said) is not None or (f is not None and f.around)
    name = f.part if f else ""
    return inside(f, at, at + long, level, cycle=0 if f else DAY, part=name, around=around), j


def twenty_four(c: Cursor, i: int) -> bool:
    """Whether the hour at a token can only be one of twenty-four."""
    value = c.tokens[i].value
    if c.tokens[i].kind == "CLOCK":
        return bool(value[0] > 12)
    return c.tokens[i].kind == "NUM" and c.kind(i + 1) == "hour" and isinstance(value, int) and value > 12


def _of_twenty_four(c: Cursor, i: int, j: int) -> bool:
    """The other end of 9:00-17:30, 22:00-次日6:00: one such hour makes both so."""
    if c.kind(j) == "TO":
        return twenty_four(c, j + 1)
    if i and c.tokens[i - 1].kind == "DAY_NAME":
        i -= 1
    if i < 2 or c.tokens[i - 1].kind != "TO":
        return False
    return twenty_four(c, i - 2) or (i > 2 and twenty_four(c, i - 3))


_ENDS = re.compile(r"\s?(?:$|[,。!~-]|左右|来|到|吧|行|可以)")


def _short(c: Cursor, i: int, f: Frame | None) -> _Read | None:
    """上午9.30, 下午3: behind a part of the day, without 点."""
    token = c.tokens[i]
    text = c.plain[token.start : token.end]
    if (
        token.kind != "NUM"
        or f is None
        or token.glue > BLANK
        or not text.replace(".", "").isdigit()
        or not text.isascii()
    ):
        return None
    hour, dot, minute = text.partition(".")
    if dot and len(minute) == 2 and int(hour) <= 24 and int(minute) < 60 and c.behind(i + 1) not in _COSTS:
        return int(hour), int(minute), False, MINUTE, i + 1
    if (
        not dot
        and f.level == PART
        and token.glue == 0
        and len(hour) < 3
        and 1 <= int(hour) <= 12
        and _ENDS.match(c.plain, token.end)
    ):
        return int(hour), 0, False, HOUR, i + 1
    return None


_COSTS = frozenset("元块万米平%度斤公吨")


def _digits(c: Cursor, i: int) -> _Read | None:
    token = c.tokens[i]
    if token.kind != "CLOCK":
        return None
    hour, minute, exact = token.value
    return hour, minute, exact, MINUTE, i + 1


def _spoken(c: Cursor, i: int, f: Frame | None) -> _Read | None:
    j, to_go = i, 0
    if c.kind(i, 9) == "to_go":  # 差五分三点, 差一刻八点
        to_go, j = _quantity(c, i + 1)
        if not to_go or c.kind(j) != "NUM":
            return None
    token = c.tokens[j]
    hour = token.value
    either = few(c.plain[token.start : token.end])
    if either:
        hour = either
    if not isinstance(hour, int) or not 0 <= hour <= 24:
        return None
    k = j + 1
    spread = c.kind(k) == "TO" and c.kind(k + 1) == "NUM" and c.kind(k + 2) == "hour"
    if spread:
        return hour, 0, False, HOUR, k
    if c.kind(k) != "hour":
        return None
    mark = c.plain[c.tokens[k].start : c.tokens[k].end]
    k += 1
    if c.kind(k, 0) == "to_go" and not to_go:  # 八点差五分
        to_go, stop = _quantity(c, k + 1)
        if to_go and c.kind(stop) != "NUM":
            return *divmod(hour * 60 - to_go, 60), False, MINUTE, stop
        to_go = 0
    minute, after, level = _minutes(c, k, f is not None)
    if to_go:
        if level == MINUTE:
            return None
        total = hour * 60 - to_go
        return total // 60, total % 60, False, MINUTE, k
    if after == k and not _is_hour(c, j, k, mark, f):
        return None
    if minute > 59:
        return None
    return hour, minute, hour == 0, level, after


def _is_hour(c: Cursor, j: int, k: int, mark: str, f: Frame | None) -> bool:
    """Whether 三点 with nothing behind it is a time at all."""
    end = c.tokens[k - 1].end
    if mark == "时":
        return not _NO_TIME.match(c.plain, end)
    if mark == "点钟":
        return True
    if (_NO_HOUR if f is None else _NO_DATED_HOUR).match(c.plain, end) or c.before(j) in {"第", "."}:
        return False
    if c.kind(k, 0) == "NUM" and f is None and not c.plain[c.tokens[k].start].isdigit():
        return False  # 八点八, 三点一四
    if f is None and c.tokens[j].value == 1:
        # 一点 alone is mostly 一点儿: 快一点, 一点都不
        return c.kind(k) in {"TO", "more", "bell", "sharp"} or c.before(j) in {"到", "至", "-"}
    return True


def _minutes(c: Cursor, k: int, dated: bool) -> tuple[int, int, int]:
    """What follows 三点: minutes, where they end, and the level."""
    kind = c.kind(k)
    if kind == "half" and c.kind(k + 1, 0) not in {"piece"} and c.behind(k + 1, 1) not in {"小", "天", "年"}:
        return 30, k + 1 + (c.kind(k + 1, 0) in {"bell", "more"}), MINUTE
    if kind in {"sharp", "bell"}:
        return 0, k + 1, HOUR
    if kind == "more" and c.plain[c.tokens[k].start] == "多":
        return 0, k + 1 + (c.kind(k + 1, 0) == "bell"), HOUR
    past = kind == "LATER"
    j = k + 1 if past or kind == "tick" else k
    token = c.tokens[j]
    if c.kind(j, 0 if j == k else BLANK) == "NUM" and isinstance(token.value, int):
        unit = c.tokens[j + 1]
        name = unit.value if c.kind(j + 1, 0) == "UNIT" else c.kind(j + 1, 0)
        if name == "quarter_hour" and token.value <= 3:
            return token.value * 15, j + 2, MINUTE
        if c.kind(j + 1, 0) == "piece" and c.tokens[j + 2].value == "five_minutes" and token.value < 12:
            return token.value * 5, j + 3, MINUTE
        if name == "minute":
            return token.value, j + 2, MINUTE
        text = c.plain[token.start : token.end]
        if kind == "tick" or (dated and len(text) == 1 and not text.isdigit() and not _counts(c, token.end)):
            return token.value * 5 % 60, j + 1, MINUTE
        if not dated and text[0] == "零" and c.plain[c.tokens[k - 2].start : c.tokens[k - 1].end] == "零点":
            return 0, k, HOUR  # 零点零五 is a number
        if not text.isdigit() and not set(text) & set("十零〇廿卅"):
            return 0, k, HOUR  # 三点一四
        if not past and len(text) >= 2 and token.value < 60 and not _counts(c, token.end):
            return token.value, j + 1, MINUTE
    if kind == "tick" and c.kind(j) == "half":
        return 30, j + 1, MINUTE
    return 0, k, HOUR


_COUNTED = re.compile(r"\s?(?:[个元块人栋楼号度岁%点单]|分钟)")


def _counts(c: Cursor, end: int) -> bool:
    """Whether a number counts things rather than minutes: 三点20个人."""
    return _COUNTED.match(c.plain, end) is not None


def _quantity(c: Cursor, i: int) -> tuple[int, int]:
    """一刻, 五分: minutes, and where they end."""
    if c.kind(i) != "NUM" or not isinstance(c.tokens[i].value, int):
        return 0, i
    unit = c.tokens[i + 1]
    if unit.value == "quarter_hour":
        return c.tokens[i].value * 15, i + 2
    return (c.tokens[i].value, i + 2) if unit.kind == "minute" or unit.value == "minute" else (0, i)


def _at(c: Cursor, f: Frame | None, hour: int, minute: int, exact: bool) -> datetime | None:
    base = _day_of(f) if f else c.today + c.turn * DAY_LONG
    name = f.part if f else ""
    if name and not (exact and hour):
        return base + _in_part(name, hour, minute)
    if hour >= 13 or exact:
        return base + timedelta(hours=hour, minutes=minute)
    if f is not None:
        return base + timedelta(hours=hour + (12 if hour * 60 < _UP else 0), minutes=minute)
    awake = [add for add in (0, 12) if _UP <= (hour % 12 + add) * 60 + minute <= _DOWN]
    times = [base + timedelta(hours=hour % 12 + add, minutes=minute) for add in awake]
    if c.turn == 0:
        times = [at for at in times if (at <= c.now if c.backward else at > c.now)]
    if not times:
        return None
    return times[-1] if c.backward else times[0]


def _day_of(f: Frame) -> datetime:
    return f.start.replace(hour=0, minute=0)


def _in_part(name: str, hour: int, minute: int) -> timedelta:
    if name in {"afternoon", "evening", "dusk"} and hour < 12:
        hour += 24 if name == "evening" and hour < 5 else 12
    elif name in {"evening", "midnight"} and hour == 12:
        hour = 24
    elif (name in {"midnight", "late"} and 9 <= hour < 12) or (name == "noon" and hour < 4):
        hour += 12
    elif name == "dawn" and hour == 12:
        hour = 0
    return timedelta(hours=hour, minutes=minute)
