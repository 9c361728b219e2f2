"""A text as words of time, each with what it means and how it hangs on the one before."""

from __future__ import annotations

import re
import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, NamedTuple

from nlp.slots.numbers import number
from nlp.when import literals

#: How a word hangs on the one before: touching, by a blank, by 的, by a comma, or not at all.
TOUCHING, BLANK, OF, COMMA, APART = range(5)
_GLUE: Final = {"": TOUCHING, " ": BLANK, "的": OF, "之": OF, ",": COMMA}

#: No message says more of time than this.
MOST: Final = 200


class Token(NamedTuple):
    kind: str
    value: Any
    start: int
    end: int
    glue: int


END: Final = Token("", None, -1, -1, APART)


def _load() -> dict[str, tuple[tuple[str, str, Any], ...]]:
    """Words by their first character, longest first; the kinds of lone characters are their meaning."""
    tables = tomllib.loads((Path(__file__).parent / "words.toml").read_text(encoding="utf-8"))
    index: dict[str, list[tuple[str, str, Any]]] = {}
    for kind, meanings in tables.items():
        for meaning, words in meanings.items():
            entry = (meaning, 0) if kind == "MARK" else (kind, _meaning(meaning))
            for word in words:
                index.setdefault(word[0], []).append((word, *entry))
    return {first: tuple(sorted(words, key=lambda w: -len(w[0]))) for first, words in index.items()}


def _meaning(text: str) -> Any:
    """`-1` is a number, `5,1` two, `0,evening` a number and a name."""
    parts = [int(part) if part.lstrip("-").isdigit() else part for part in text.split(",")]
    return parts[0] if len(parts) == 1 else tuple(parts)


_INDEX: Final = _load()
_HAN: Final = re.compile("[零〇一二两俩仨三四五六七八九十廿卅百千]+")
_HAN_FIRST: Final = frozenset("零〇一二两俩仨三四五六七八九十廿卅百千")
_WEEKDAY: Final = re.compile(
    r"(?:周|星期|礼拜)(?:(?P<days>[一二三四五六日天]{1,7})(?![次趟遍岁楼栋号]|个(?:月|小时|钟)|小时|天[一二两三]?次)|(?P<digit>[1-7])(?![\d点时号天个次小月分:]))"
)
#: Behind 一: 一早, 一整天, 一起 are words.
_ONE: Final = frozenset("早大整块起直共个趟次天些样道同家")
_WEEKDAYS: Final = {name: index % 7 for index, name in enumerate("一二三四五六日")} | {"天": 6}
_START: Final = re.compile(
    "[" + re.escape("".join(sorted(_INDEX.keys() | _HAN_FIRST | set("0123456789q")))) + "]"
)
#: Without one of these there is no time in a text, and nothing more is looked at.
_GATE: Final = re.compile(
    r"[\d天日号月年周星礼点时分钟秒早晚午夜晨晌昼季世刻春夏秋冬节旬末朝昏黑半今明昨听后前琴寻初廿腊旦庆]"
)
#: … or one of these words, made of characters that are too common to ask for.
_GATE_WORDS: Final = re.compile(
    r"现在|马上|立刻|即刻|此刻|目前|而家|宜家|依家|家下|[五六七八十双]一|端阳|除夕|重阳|圣诞|七夕|元宵|暑假|寒假|大年|平安"
    r"|大寒|小寒|大暑|小暑|处暑|寒露|白露|霜降|惊蛰|谷雨|小满|芒种|龙抬|隔|个字|双十|过年|工作日"
)
#: Words that begin like a numeral are festivals only where no count goes on.
_COUNTS_ON: Final = re.compile(
    r"[点号月日个时分秒周年层楼栋单元块天零〇一二三四五六七八九十百千\d:.岁米斤度次遍下次半人位路中]"
)
_ALONE: Final = re.compile(
    r"$|[,。!?;\s]|假|长假|期间|放假|那|去|前|后|当天|黄金|要|我|有|到|上班|小长假|值班|能|期"
)


def possible(plain: str) -> bool:
    """Whether a text may speak of time at all: the cheap question before the dear one."""
    return _GATE.search(plain) is not None or _GATE_WORDS.search(plain) is not None


def lex(plain: str) -> list[Token]:
    """The words of time in a text, ended by some of no kind, so that a look ahead is always safe."""
    tokens: list[Token] = []
    at = last = 0
    search = _START.search
    while (match := search(plain, at)) and len(tokens) < MOST:
        at = match.start()
        read = _read(plain, at)
        if read is None:
            at += 1
            continue
        kind, value, end = read
        glue = APART
        if tokens:
            between = plain[last:at]
            glue = _GLUE.get(between, APART)
            if glue == APART and at - last < 4:
                glue = _GLUE.get(between.strip() or " ", APART)
        tokens.append(Token(kind, value, at, end, glue))
        at = last = end
    tokens += (END,) * 6
    return tokens


_EDGES: Final = frozenset("底初末尾终头中")


def _read(plain: str, at: int) -> tuple[str, Any, int] | None:
    first = plain[at]
    if first.isdigit():
        return literals.read(plain, at) if first.isascii() else None
    if first in "周星礼":
        day = _weekday(plain, at)
        if day:
            return day
    numeral = _han(plain, at) if first in _HAN_FIRST else None
    for word, kind, value in _INDEX.get(first, ()):
        if plain.startswith(word, at):
            end = at + len(word)
            if kind == "EVERY_NAME" and plain[end : end + 1] in _EDGES:
                continue  # 每月月底, 今年年初
            if numeral is not None and kind == "FESTIVAL" and not _festive(plain, at, end):
                continue
            if numeral is not None and numeral[2] > end:
                continue
            return kind, value, end
    if numeral is not None:
        return numeral
    if (
        first == "q"
        and plain[at + 1 : at + 2] in {"1", "2", "3", "4"}
        and not plain[at + 2 : at + 3].isdigit()
    ):
        return "QUARTER_NO", int(plain[at + 1]), at + 2
    return None


def _festive(plain: str, at: int, end: int) -> bool:
    """五一, 十一: a festival; 五一二, 十一点, 第十一: a numeral."""
    before = plain[at - 1 : at]
    if before.isdigit() or before in _HAN_FIRST or before in {"第", "周", "号", "栋", "期", "-", "."}:
        return False
    if len(plain[at:end]) > 2 and not plain[at:end].startswith("双"):
        return True
    behind = plain[end : end + 1]
    if plain[at:end] in {"十一", "七一", "八一"}:
        return _ALONE.match(plain, end) is not None and (at == 0 or before not in "楼层室号选")
    return not _COUNTS_ON.match(behind)


def _weekday(plain: str, at: int) -> tuple[str, Any, int] | None:
    match = _WEEKDAY.match(plain, at)
    if match is None:
        return None
    if match["digit"]:
        return "WEEKDAY", ((int(match["digit"]) - 1) % 7,), match.end()
    days = match["days"]
    end = match.end()
    if len(days) > 1 and days[-1] == "一" and plain[end : end + 1] in _ONE:
        days, end = days[:-1], end - 1  # 周六一早
    if at and plain[at - 1] in "一两1" and len(days) == 1 and plain[end : end + 1] in {"次", "回", "趟"}:
        return None  # 一周三次
    if len(days) > 1 and days[-1] in "一二三四五六" and plain[end : end + 1] in {"点", "时", ":"}:
        # 周三八点 is 周三, 八点
        days, end = days[:1], match.start("days") + 1
    if len(days) > 1 and (len(set(days)) < len(days) or plain[end : end + 1] in {"月", "天", "个"}):
        days, end = days[:1], match.start("days") + 1
    return "WEEKDAY", tuple(_WEEKDAYS[day] for day in days), end


#: Two neighbours in one breath, 七八点, 两三天, are either of them.
_FEW: Final = {
    pair: first
    for first, pair in enumerate(("一二", "二三", "三四", "四五", "五六", "六七", "七八", "八九"), 1)
} | {"一两": 1, "两三": 2}


def few(text: str) -> int | None:
    """The smaller of two numbers said as alternatives."""
    return _FEW.get(text)


_SOME: Final = re.compile("[来几][天个年周分秒日小]")


def _han(plain: str, at: int) -> tuple[str, Any, int] | None:
    match = _HAN.match(plain, at)
    if match is None or match.end() - at > 9:
        return None
    end = match.end()
    if plain[end - 1] in "十百" and _SOME.match(plain, end):
        end += 1  # 十来天, 二十几个小时
    return "NUM", _value(match[0]), end


@lru_cache(maxsize=4096)
def _value(text: str) -> int | None:
    return number(text)
