"""What work cost, as staff write it: 换了2个角阀，60元; 角阀两个60，人工30; 材料费一百二; 没收钱.

Money is in fen (分), whole numbers: nothing is rounded. What could be read in two ways is not read at all.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from math import ceil

from nlp.slots.numbers import number

_HAN = "零〇一二两三四五六七八九十百千万"
_N = rf"(?:\d+(?:\.\d+)?[百千万]?|[{_HAN}]+)"
_U = "[个只根条套米卷台块盒桶袋瓶片副支节对颗把枚双组粒张盏扇段]"
#: 两块瓷砖 are pieces, 两块钱 is money.
_YUAN = r"(?:元|圆|rmb|块(?!地|瓷|砖|玻|板|布|堆|电瓶|电池|表|牌|石|木))"
_MONEY = re.compile(
    rf"(?P<about>大概|大约|差不多|约|不到|最多|至少)?(?P<minus>[-−负])?"
    rf"(?:(?:¥\s?(?P<sign>{_N}))|(?P<n>{_N})\s?(?P<more>[多来几])?{_YUAN}(?:钱|整)?"
    rf"(?:(?P<tenths>[\d一二三四五六七八九半])毛?(?!\d|{_U}|[号月天次小层栋楼点]))?|(?P<dimes>{_N})毛钱?)"
    r"(?P<after>左右|上下|以内|以上|起|多)?"
)
#: Fewer than this and a noun behind 块 are pieces, unless one of these words stands there.
_FEW = 10
_MONEY_BEHIND = re.compile(
    rf"[换修加装买做疏配补请问每或到]|一{_U}|人工|材料|工时|工费|上门|一共|总共|合计|共|就"
)
_RANGE = re.compile(
    rf"{_N}\s?(?:元|块)?\s?(?:-|~|—|到|至|或)\s?{_N}\s?{_YUAN}|[几十百]几[十百]?{_YUAN}|几[十百]块?"
    rf"|[一二三四五六七八九][二三四五六七八九][十百千](?!零|点)"  # 五六十块
    rf"|(?:大概|大约|差不多)\s?{_N}(?=$|[\s,。;、!])"  # 大概一百
    rf"|{_YUAN}\s?[x×*]\s?\d|找零|找回"  # 60元×2: for both, or each?
)
_FREE = re.compile(
    r"免费|免单|(?:没|不|未|不用|没有)(?:收|要|花|用|产生)?(?:他|她|您|住户|业主)?(?:任何)?(?:钱|费用?)"
)
_TOTAL = r"一共|总共|共计|合计|总计|总价|全部|加起来|一起|费用|收费|收款|收了?|花了?|报价|报|共|总"
_LABEL = r"人工费?|工时费?|工费|工钱|手工费?|上门费|安装费|维修费|辛苦费|材料费?|料钱|料费|配件费?|零件费?|运费|疏通费"
_EACH = rf"每{_U}|单价|一{_U}|各"
_BEHIND_EACH = rf"(?:/|一|每){_U}"
_LINKS = r"[:：是要为得了]{0,3}"
_VERBS = r"(?:更换|要换|换|用|装|加|领|买|修|补|做)(?:了|上|掉)?"
_NOT_NAMES = re.compile(
    r"[好完了过吗的没不]|小时|钟头|师傅|业主|住户|一下|地方|问题|分钟|^[人月天次趟户班新]"
)
_NAME = r"[一-鿿A-Za-z][一-鿿A-Za-z0-9]{0,9}"
_MARK = "\ue000"
FEW = 10  # behind a part's name alone such a number may count
_CLAUSE = re.compile(r"[，,。;；、!！\n\s()（）]+|和(?=[^气])|外加|加上|另外|还有")
_COUNTED = re.compile(rf"(?:^|.*?{_VERBS}|{_TOTAL})(?P<n>{_N})(?P<u>{_U})(?P<name>{_NAME})$")
_ONE = re.compile(rf".*?{_VERBS}(?P<u>{_U})(?P<name>{_NAME})$")
_BACK = re.compile(
    rf"(?:.*?{_VERBS})?(?P<name>[一-鿿A-Za-z]{{1,10}}?)(?:[x×*](?P<times>\d+){_U}?|(?P<n>{_N})(?P<u>{_U}))$"
)
_PLAIN = re.compile(rf".*?{_VERBS}(?P<name>[一-鿿A-Za-z]{{2,8}})$")
_BARE = re.compile(
    rf"^(?:(?P<cue>(?:(?:{_TOTAL}|{_LABEL}|{_EACH}){_LINKS})+)|(?P<part>.*{_U}))?(?P<n>{_N})(?P<each>{_BEHIND_EACH})?$"
)

_NAMED = re.compile(rf"^(?P<cue>(?!))?(?P<part>[一-鿿a-z]{{2,14}}?)(?P<n>{_N})(?P<each>(?!))?$")


class Why(StrEnum):
    """Why an amount can't be told."""

    ABOUT = "about"  # 六七十块, 60到80元
    NEGATIVE = "negative"
    TWO = "two"  # more than one way to add it up
    SMALL = "small"  # less than a fen
    EACH = "each"  # a price a piece, and no number of pieces


@dataclass(frozen=True, slots=True)
class Part:
    """Some pieces of a thing; `fen` is what these cost together, where that was said."""

    name: str
    count: int = 1
    unit: str = ""
    fen: int | None = None

    @property
    def said(self) -> str:
        return f"{self.count}{self.unit}{self.name}" if self.unit else self.name


@dataclass(frozen=True, slots=True)
class Line:
    """Something that has a price: parts together, or work."""

    what: str
    fen: int


@dataclass(frozen=True, slots=True)
class Costs:
    """Parts, and money in fen: None when none was spoken of, 0 when it was free. `why` is set when unclear."""

    parts: tuple[Part, ...] = ()
    lines: tuple[Line, ...] = ()
    fen: int | None = None
    why: Why | None = None

    @property
    def words(self) -> str:
        """What it was for: 2个角阀; with prices where there are several: 2个角阀 60 元、人工 30 元."""
        if len(self.lines) > 1:
            return "、".join(f"{one.what} {yuan(one.fen)} 元" for one in self.lines)
        named = [one.said for one in self.parts]
        return "、".join(named or [one.what for one in self.lines if one.what])


def yuan(fen: int) -> str:
    """Fen as yuan, exactly: 60, 45.5, 0.05."""
    whole, rest = divmod(abs(fen), 100)
    tail = f".{rest:02d}".rstrip("0") if rest else ""
    return f"{'-' if fen < 0 else ''}{whole}{tail}"


def _value(text: str) -> Fraction | None:
    """A numeral, in digits or characters; 1千 and 1.5万 too."""
    scale = {"百": 100, "千": 1000, "万": 10000}.get(text[-1], 1) if text[0].isdigit() else 1
    if text[0].isdigit():
        return Fraction(text[:-1] if scale > 1 else text) * scale
    value = number(text)
    return None if value is None else Fraction(value)


class _Unclear(Exception):
    def __init__(self, why: Why) -> None:
        super().__init__(why)
        self.why = why


def _fen(value: Fraction) -> int:
    fen = value * 100
    if fen.denominator != 1:
        raise _Unclear(Why.SMALL)
    return int(fen)


def _worth(match: re.Match[str]) -> int:
    if match["minus"]:
        raise _Unclear(Why.NEGATIVE)
    if match["about"] or match["more"] or match["after"]:
        raise _Unclear(Why.ABOUT)
    value = _value(match["sign"] or match["n"] or match["dimes"])
    if value is None:
        raise _Unclear(Why.ABOUT)
    if match["dimes"]:
        value /= 10
    if match["tenths"]:
        value += Fraction(1, 2) if match["tenths"] == "半" else Fraction(number(match["tenths"]) or 0, 10)
    return _fen(value)


def _pieces(match: re.Match[str], plain: str) -> bool:
    """两块面板 are pieces of something; 两块钱, 两块五 and 60块换角阀 are money."""
    if match["n"] is None or not match[0].endswith("块") or not re.match("[一-鿿]", plain[match.end() :]):
        return False
    value = _value(match["n"])
    return value is not None and value < _FEW and not _MONEY_BEHIND.match(plain, match.end())


def find(text: str, known: Iterable[str] = ()) -> Costs:
    """What a sentence without its ticket's number says of parts and money. `Costs.why` is set when unclear.

    Behind the `known` names of parts a number is money without saying so: 角阀60.
    """
    plain = unicodedata.normalize("NFKC", text).lower()
    plain = re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", plain)
    plain = re.sub(rf"(?<=[\d{_HAN}])\s+(?=[元块¥个只根条套米毛])|(?<=[¥])\s+", "", plain)
    plain = re.sub(rf"({_LABEL}|{_TOTAL})\s+(?=[\d¥{_HAN}])", r"\1", plain)
    plain = re.sub(rf"(?<=[一-鿿])(?=(?:每{_U}|单价)[:：是要]?\s?{_N})", ",", plain)
    try:
        return _Reader(known).read(plain)
    except _Unclear as unclear:
        return Costs(why=unclear.why)


class _Reader:
    """Clause by clause: what is counted, what it costs, and how that adds up."""

    def __init__(self, known: Iterable[str]) -> None:
        self.named = re.compile(rf"(?:.*?{_VERBS})?(?P<name>{'|'.join(map(re.escape, known)) or '(?!)'})")
        self.parts: list[Part] = []
        self.lines: list[Line] = []
        self.totals: list[int] = []
        self.loose: list[int] = []  # money that nothing was said of before it
        self.unpriced = 0  # parts since the last price
        self.free = False

    def read(self, plain: str) -> Costs:
        if _RANGE.search(plain):
            raise _Unclear(Why.ABOUT)
        amounts: list[int] = []

        def mark(match: re.Match[str]) -> str:
            if _pieces(match, plain):
                return match[0]
            amounts.append(_worth(match))
            return _MARK

        marked = _MONEY.sub(mark, plain)
        # What comes behind an amount is another clause, but for 60元一个.
        marked = re.sub(rf"{_MARK}(?!{_BEHIND_EACH})", _MARK + ",", marked)
        queue = iter(amounts)
        for clause in filter(None, _CLAUSE.split(marked)):
            if _MARK in clause:
                before, _, behind = clause.partition(_MARK)
                self._priced(before, behind, next(queue))
            elif not self._said_bare(clause):
                self._unpriced(clause)
        return self._sum()

    def _unpriced(self, clause: str) -> None:
        if _FREE.search(clause):
            label = re.match(_LABEL, clause)
            if label:
                self.lines.append(Line(label[0], 0))
            else:
                self.free = True
            return
        part = _part(clause)
        if part:
            self.parts.append(part)
            self.unpriced += 1

    def _said_bare(self, clause: str) -> bool:
        """Money without 元 where only money can stand: 人工30, 角阀两个60, a lone 60 behind the parts."""
        match = _BARE.fullmatch(clause) or _NAMED.fullmatch(clause)
        if match is None or not (match["n"][0].isdigit() or set(match["n"]) & set("十百千万")):
            return False
        alone = not (match["cue"] or match["part"] or match["each"])
        if alone and (not self.unpriced or len(match["n"]) > 6):
            return False
        if match["part"] and not (_part(match["part"]) or self.named.fullmatch(match["part"])):
            return False
        value = _value(match["n"])
        if value is None:
            return False
        if match["part"] and value < FEW and self.named.fullmatch(match["part"]):
            raise _Unclear(Why.TWO)  # 角阀2: two of them, or for two yuan?
        self._priced(match["part"] or match["cue"] or "", match["each"] or "", _fen(value))
        return True

    def _priced(self, before: str, behind: str, fen: int) -> None:
        before = re.sub(rf"{_LINKS}$", "", before)
        label = re.fullmatch(rf"(?:.*?)(?P<label>{_LABEL})", before)
        if behind or (re.fullmatch(rf".*(?:{_EACH})", before) and not _part(before)):
            own = _part(before)
            if own:
                self.parts.append(own)
                self.unpriced += 1
            self._each(fen)
        elif label:
            self.lines.append(Line(label["label"], fen))
            self.unpriced = 0
        elif part := _part(before) or _named(before):
            self.parts.append(Part(part.name, part.count, part.unit, fen))
            self.lines.append(Line(part.said, fen))
            self.unpriced = 0
        elif before and re.search(rf"(?:{_TOTAL})$", before):
            self.totals.append(fen)
        elif self.unpriced:
            self._together(fen)
        else:
            self.loose.append(fen)

    def _each(self, fen: int) -> None:
        if not self.unpriced:
            raise _Unclear(Why.EACH)
        last = self.parts[-1]
        self.parts[-1] = Part(last.name, last.count, last.unit, fen * last.count)
        self.lines.append(Line(last.said, fen * last.count))
        self.unpriced -= 1

    def _together(self, fen: int) -> None:
        """An amount behind several parts is for all of them."""
        group = self.parts[-self.unpriced :]
        if len(group) == 1:
            self.parts[-1] = Part(group[0].name, group[0].count, group[0].unit, fen)
        self.lines.append(Line("、".join(one.said for one in group), fen))
        self.unpriced = 0

    def _sum(self) -> Costs:
        parts, lines = tuple(self.parts), tuple(self.lines)
        if len(set(self.totals)) > 1 or len(self.loose) > 1:
            raise _Unclear(Why.TWO)
        if self.loose and (self.totals or lines):
            if self.totals and self.totals[0] == self.loose[0] and not lines:
                return Costs(parts, lines, self.loose[0])
            raise _Unclear(Why.TWO)
        total = self.totals[0] if self.totals else self.loose[0] if self.loose else None
        added = sum(one.fen for one in lines)
        if self.free and (total or added):
            raise _Unclear(Why.TWO)
        if total is None:
            return Costs(parts, lines, added if lines else 0 if self.free else None)
        if added > total or (len(lines) > 1 and added != total):
            raise _Unclear(Why.TWO)
        if lines and added < total:
            lines = (*lines, Line("其他", total - added))
        return Costs(parts, lines, total)


def _part(clause: str) -> Part | None:
    """The pieces that a clause counts: 换了2个角阀, 角阀两个, 换了个密封圈, 要换角阀."""
    for pattern in (_COUNTED, _ONE, _BACK, _PLAIN):
        match = pattern.fullmatch(clause)
        if match is None or _NOT_NAMES.search(match["name"]):
            continue
        said = match.groupdict()
        text = said.get("n") or said.get("times") or "1"
        value = _value(text)
        if not value or value <= 0 or value > 10_000:
            continue
        unit = said.get("u") or ("个" if said.get("times") else "")
        return Part(match["name"], ceil(value), unit)
    return None


def _named(before: str) -> Part | None:
    """角阀 of 角阀60元."""
    short = re.fullmatch(r"[一-鿿a-z]{2,6}", before)
    if short is None or _NOT_NAMES.search(before) or re.search(rf"(?:{_TOTAL})$", before):
        return None
    return Part(re.sub(rf"^{_VERBS}", "", before) or before)
