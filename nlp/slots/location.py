"""Where: building, unit, floor and room, as a community writes its addresses; places are words, not ours."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace

from nlp.slots.numbers import digits, number

Span = tuple[int, int]
Parts = dict[str, str]

#: Without one of these there is no address.
_GATE = re.compile(r"[0-9栋幢座楼层室户洞]|单元|[零〇一二三四五六七八九]{3}")
#: Where a part may begin; letters and digits only where no word or number runs on. 两 only counts.
_BEGIN = re.compile(
    r"(?<![0-9a-z])(?<!\d[.,:])[0-9a-z]"
    r"|[零〇一二三四五六七八九十廿卅负]|[东西南北中左右](?=单元|门洞)|地(?=下|库)"
)
#: Nobody tells an address behind this; it keeps a flood of digits cheap.
_FAR = 3000
_ROOM = r"(?:\d{3,4}+|[零〇一二三四五六七八九]{3,4}+)"
#: A numeral and what makes it a part. Possessive: a number is read whole or not at all.
_PART = re.compile(
    rf"""
    (?P<below>地下|地库|负|-)?
    (?P<n>[a-z]?\d{{1,4}}+|[a-z]|[零〇一二三四五六七八九十廿卅]{{1,5}}+|[东西南北中左右])
    (?:
      [-–—](?P<u3>\d{{1,2}}+)[-–—](?P<r3>\d{{3,4}}+)(?![\d-])
    | [-–—](?P<r2>\d{{3,4}}+)(?![-\d:元块年])
    | (?P<b>号楼|栋|幢|座|号院|洞(?=的)|\#(?!\#)楼?)
    | 号(?P<rs>{_ROOM})(?:室|房)?(?!\d)
    | (?P<u>单元|门洞)(?!门禁?费)
    | (?P<f>楼|层|/?f(?![a-z0-9]))
    | (?P<r>室|房(?!间?[价租东贷])|户)
    | (?P<rn>号)(?!楼)
    | (?P<bare>)
    )
    """,
    re.VERBOSE,
)
_DASHES = re.compile(r"[-–—/]")
#: Between two parts of one address.
_JOINT = re.compile(r"[\s,、的·\-/–—]{0,3}(?:门牌号?|靠|房号|房间号?)?[\s:]?")
#: Before a floor: it is climbed, counted, passed; behind it: it is more than one, or a measure.
_NO_FLOOR_BEFORE = re.compile(r"(?:[爬走差共每第几隔按]|按了|[爬走跑上下坐按]到)$")
_NO_FLOOR_BEHIND = re.compile(
    r"高|半|楼(?![道上下梯口顶面])|层|的?以[上下]|往[上下](?=$|[\s,。!?;])|的?按|道灯费"
    r"|的?(?:住户|邻居|业主|那家|人家)?(?:说|讲|话|反映)"
)
#: Layers and shelves, not floors: 刷了三层漆, 三层的架子.
_LAYERS_BEFORE, _LAYERS_BEHIND = (
    re.compile(r"[了有共台]$"),
    re.compile(r"的?(?:架子|[柜屉蒸饭床布纸漆膜皮蛋货玻水油灰])"),
)
#: 一层 is mostly a layer; a floor only where something stands on it.
_ON_FIRST = re.compile(
    r"的?(?:大[厅堂]|楼道|走廊|过道|电梯|门口|架空|商铺|住户|那[家户]|[东西南北][边侧]|$|[,。!?;\s\d])"
)
#: Behind a lone number: it counts, costs or dates something.
_NO_ROOM_BEHIND = re.compile(
    r"[\d.元块蚊年月日号分秒%度层楼栋幢座单天条张份个次克斤米瓦路级万兆k℃]|毛|平|公里|小时|-\d|人|位|户"
)
_NO_ROOM_BEFORE = re.compile(
    r"(?:[.a-z#¥$+*=_/:第打拨共约价卖收花费近超]|[a-z] ?|错误|代码|型号|尾号|编号"
    r"|工单|预算|才|给|了|出|让|要|办的|热线)$"
)
_PUBLIC = frozenset({"110", "119", "120", "122", "114", "911", "999", "800", "400", "211", "985"})
_SHAPE = re.compile(r"(?:[1-9]|[1-5]\d|0[1-9])(?:0[1-9]|1[0-2])$")
#: Where a lone room stands when it is one: at the edge of a clause, next to home, neighbours, coming.
_HOME_BEFORE = re.compile(r"(?:^|[\s,。!?;:、@(]|隔壁|楼上|楼下|对[门面]|[来在找住家是到叫去我们的见])$")
_HOME_BEHIND = re.compile(r"$|[\s,。!?;:、)]|[的那这又把在敲取家门漏拿天昨半上老住业租太吵闹滴响](?!单)")
_ROOM_CUE = re.compile(r"(?:门牌号?|房号|房间号?|住|我家|改成)[\s:是在]{0,2}$")
#: Before a value: it is not this one. Behind a value: that was wrong.
_NOT_THIS = re.compile(r"(?:不是|不在|并非|不住|别送|而非)$")
_WRONG = re.compile(
    r"(?:楼|那边|的)?[\s,]{0,2}(?:(?:哦|噢|啊|呃|额|诶)?[\s,]*"
    r"(?:不对|不是(?=[,\s是]|$)|哦不|错了|说错|写错|搞错|讲错|打错))"
)
_FORMERLY = re.compile(r"(?:原来|以前|之前|原先)(?:是|住|在)$")
_FROM = re.compile(r"(?:从|由|自(?![己家提取行动])|离)[^,。!?;\n0-9]{0,6}$")
_TO = re.compile(r"(?:(?<![看听找闻见收碰遇想得感])到|回|往|送去?|抬上|搬上|扛上|去|至)$")
_BETWEEN = re.compile(r"[和同与跟及、~]$")
_MIDDLE = re.compile(r"之?(?:间|中间|当中)")
_LIFT = re.compile(r"梯[^,。!?;]{0,10}$")
_ORDER = ("building", "unit", "floor", "room")
_RANK = {name: rank for rank, name in enumerate(_ORDER)}


@dataclass(frozen=True)
class Location:
    """Parts are strings without their words: 三号楼二单元五零一 is 3, 2, 501; 地下二层 is floor B2."""

    building: str | None = None
    unit: str | None = None
    floor: str | None = None
    room: str | None = None
    place: str | None = None

    def write(self) -> dict[str, str]:
        return {field.name: value for field in fields(self) if (value := getattr(self, field.name))}

    def __bool__(self) -> bool:
        return any(getattr(self, field.name) for field in fields(self))


def read(value: Mapping[str, str]) -> Location:
    """The location that was written; unknown fields are dropped."""
    known = {field.name for field in fields(Location)}
    return Location(**{name: str(part) for name, part in value.items() if name in known and part})


def write(value: Location) -> dict[str, str]:
    return value.write()


@dataclass(frozen=True)
class Found:
    """An address in a text.

    `bare`: a lone number that only the intent can tell from a ticket's; `likely` if it looks and stands like
    a room. `way`: "from" and "to" are ends of a way, "range" one of several that mean none.
    """

    location: Location
    span: Span
    bare: bool = False
    corrected: bool = False
    denied: bool = False
    likely: bool = False
    way: str = ""


class _Draft:
    """An address while its parts are being collected."""

    __slots__ = ("bare", "corrected", "denied", "end", "likely", "parts", "start", "way")

    def __init__(self, parts: Parts, span: Span) -> None:
        self.parts = parts
        self.start, self.end = span
        self.bare = self.corrected = self.denied = self.likely = False
        self.way = ""

    def done(self) -> Found:
        where, span = Location(**self.parts), (self.start, self.end)
        return Found(where, span, self.bare, self.corrected, self.denied, self.likely, self.way)


def find(plain: str) -> list[Found]:
    """Addresses in a normalised text, without places; parts that stand together are one address."""
    if not _GATE.search(plain):
        return []
    drafts: list[_Draft] = []
    for parts, bare, (start, end) in _pieces(plain):
        last = drafts[-1] if drafts else None
        joins = last is not None and _joins(last, parts, plain, start)
        if bare and not joins and not _room_alone(plain, parts["room"], start, end):
            continue
        not_this = bool(_NOT_THIS.search(plain, max(0, start - 4), start))
        wrong = bool(_WRONG.match(plain, end, end + 12))
        if last is not None and joins and not not_this:
            last.parts |= parts
            last.end, last.bare, last.denied = end, False, wrong
            continue
        draft = _Draft(parts, (start, end))
        draft.denied = not_this or wrong
        if bare:
            draft.bare = not _ROOM_CUE.search(plain, max(0, start - 6), start)
            draft.likely = _likely(plain, parts["room"], start, end)
        if last is not None and last.denied and not draft.denied:
            _correct(draft, drafts)
        _way(draft, last, plain)
        drafts.append(draft)
    return [draft.done() for draft in drafts]


def _pieces(plain: str) -> Iterator[tuple[Parts, bool, Span]]:
    """Parts from left to right, and whether a part is a number alone."""
    at, floor_end = 0, -1
    while (begin := _BEGIN.search(plain, at)) and begin.start() < _FAR:
        start = begin.start()
        minus = plain[start - 1 : start] == "-" and not plain[max(0, start - 2) : start - 1].isalnum()
        match = _PART.match(plain, start - minus)
        at = start + 1
        if match is None:
            continue
        at = max(at, match.end() if match.lastgroup in {"r2", "r3"} else match.end("n"))
        kind = match.lastgroup or ""
        parts = _read(plain, match, kind, floor_end)
        if parts:
            at = max(at, match.end())
            floor_end = match.end() if "floor" in parts else -1
            yield parts, kind == "bare" and "room" in parts, match.span()


def _read(plain: str, match: re.Match[str], kind: str, floor_end: int) -> Parts | None:
    """What a numeral with its word is, if it can be."""
    n, below = match["n"], match["below"]
    if below and kind not in {"f", "bare"}:
        return _read_plain(plain, match, kind, floor_end) if below == "-" else None
    if kind == "f":
        return _floor(plain, match)
    if kind == "bare":
        if n[0] == "b" and n[1:] in {"1", "2", "3", "4"}:
            return {"floor": n.upper()}
        if below == "负" and digits(n) in {"1", "2", "3", "4"}:
            return {"floor": f"B{digits(n)}"}
        room = not below and (n.isdigit() or not n.isascii()) and 3 <= len(n) <= 4
        return {"room": digits(n)} if room and not set(n) & set("十廿卅") else None
    return _read_plain(plain, match, kind, floor_end)


def _read_plain(plain: str, match: re.Match[str], kind: str, floor_end: int) -> Parts | None:
    n = match["n"]
    value = digits(n).upper()
    small = n[0].isalpha() if n.isascii() else False
    small = small or (value.isdigit() and len(value) <= 2)
    if kind in {"r3", "r2"}:
        if not small or not n.isascii() or int(match[kind]) // 100 > 60:
            return None
        if kind == "r3":
            return {"building": value, "unit": match["u3"], "room": match["r3"]}
        if n[0] == "b" and "车位" in plain:  # a bay in the garage, not a flat
            return None if plain.endswith("车位", 0, match.start()) else {"floor": value}
        return {"building": value, "room": match["r2"]}
    if kind == "b":
        return {"building": value} if small and _building(plain, match) else None
    if kind == "rs":
        room = small and plain[match.start() - 1 : match.start()] not in {"月", "第", "#"}
        return {"building": value, "room": digits(match["rs"])} if room else None
    if kind == "u":
        return {"unit": value} if small or len(n) == 1 else None
    if kind == "rn":
        return {"room": value} if match.start() == floor_end and small else None
    letter = n.isalpha() and n.isascii() and match["r"] == "室"
    long = 3 <= len(value) <= 4 and value.isdigit() and not set(n) & set("十廿卅")
    if match["r"] == "户":
        long = long and bool(_SHAPE.match(value))
    after_floor = match.start() == floor_end and small and match["r"] == "室"
    return {"room": value} if letter or long or after_floor else None


def _building(plain: str, match: re.Match[str]) -> bool:
    before, word = plain[match.start() - 1 : match.start()], match["b"]
    if before and before in "月第每几哪空有剩#":
        return False
    behind = plain[match.end() : match.end() + 1]
    if word == "座":
        return behind not in set("位椅子机谈桥山塔城") or not behind
    return not (match["n"] == "一" and behind == "楼") and not (word[0] == "#" and match["n"].isalpha())


def _floor(plain: str, match: re.Match[str]) -> Parts | None:
    n, start, end = match["n"], match.start(), match.end()
    if n.isascii() and n[0] == "b" and n[1:].isdigit():
        return {"floor": n.upper()}
    value = number(n)
    if value is None or not 1 <= value <= 99:
        return None
    if match["below"]:
        return {"floor": f"B{value}"} if value < 10 else None
    if _NO_FLOOR_BEHIND.match(plain, end) or _NO_FLOOR_BEFORE.search(plain, max(0, start - 2), start):
        return None
    if match["f"] == "层" and (
        _LAYERS_BEHIND.match(plain, end) or _LAYERS_BEFORE.search(plain, max(0, start - 1), start)
    ):
        return None
    if n == "一" and plain[start - 1 : start] in {"同", "这", "整", "那"}:
        return None
    if n == "一" and match["f"] == "层" and not _ON_FIRST.match(plain, end):
        return None
    return {"floor": str(value)}


def _joins(last: _Draft, parts: Parts, plain: str, start: int) -> bool:
    """Whether parts continue the address before them: close by, and finer than all of it."""
    if last.denied or start - last.end > 8:
        return False
    between = _JOINT.fullmatch(plain, last.end, start)
    return bool(between) and max(_RANK[name] for name in last.parts) < min(_RANK[name] for name in parts)


def _room_alone(plain: str, room: str, start: int, end: int) -> bool:
    return not (
        room in _PUBLIC
        or _NO_ROOM_BEHIND.match(plain, end)
        or (start and _NO_ROOM_BEFORE.search(plain, max(0, start - 3), start))
    )


def _likely(plain: str, room: str, start: int, end: int) -> bool:
    return bool(
        _SHAPE.match(room)
        and _HOME_BEFORE.search(plain, max(0, start - 2), start)
        and _HOME_BEHIND.match(plain, end)
    )


def _correct(draft: _Draft, drafts: Sequence[_Draft]) -> None:
    """What follows a denied value corrects it, and keeps what was coarser: 3栋501，不对，502."""
    finest = min(_RANK[name] for name in draft.parts)
    kept: Parts = {}
    for earlier in drafts:
        kept |= {name: part for name, part in earlier.parts.items() if _RANK[name] < finest}
    draft.parts = kept | draft.parts
    draft.corrected = True


def _way(draft: _Draft, last: _Draft | None, plain: str) -> None:
    """Marks the ends of a way, and neighbours of which none is meant: 七楼和八楼之间, 24栋到26栋."""
    start = draft.start
    if last is not None and start - last.end <= 2 and last.parts.keys() == draft.parts.keys():
        between = plain[last.end : start]
        through = between in {"到", "至", "-", "~"} and last.way != "from"
        if through or (_BETWEEN.match(between) and _MIDDLE.match(plain, draft.end)):
            last.way = draft.way = "range"
            return
    if _FORMERLY.search(plain, max(0, start - 3), start):
        draft.way = "range"
    elif _FROM.search(plain, max(0, start - 8), start):
        draft.way = "from"
    elif _TO.search(plain, max(0, start - 3), start):
        draft.way = "to"
        if (
            "floor" in draft.parts
            and len(draft.parts) == 1
            and _LIFT.search(plain, max(0, start - 14), start)
        ):
            draft.way = "range"


def choose(
    found: Sequence[Found], bare: bool = True, *, journey: bool = False, moved: bool = False
) -> Found | None:
    """The address that is meant: no denied one; what follows a correction; else the fullest.

    `bare`: a lone number may be a room; else only a likely one. `journey`: ends of a way are other slots.
    `moved`: of from where to where one moved, the new one is meant; else a way to another is none.
    """
    kept = [f for f in kept_of(found, journey, moved) if not f.bare or bare or f.likely]
    if not kept:
        return None
    for first, one in enumerate(kept):
        if one.corrected:
            merged = one.location
            for other in kept[first + 1 :]:
                merged = replace(merged, **other.location.write())
            return replace(one, location=merged)
    return max(kept, key=lambda f: (len(f.location.write()), not f.bare, -f.span[0]))


def kept_of(found: Sequence[Found], journey: bool = False, moved: bool = False) -> list[Found]:
    """Addresses that may be meant at all."""
    kept = [f for f in found if not f.denied and f.way != "range"]
    if journey:
        return [f for f in kept if not f.way]
    ways = {f.way for f in kept}
    if {"from", "to"} <= ways:
        return [f for f in kept if f.way != "from" and (moved or f.way != "to")]
    return kept


def fill(found: Iterable[Found], base: Location) -> Location:
    """Parts that the chosen address lacks, from the other addresses of the message."""
    for other in found:
        if not other.denied and not other.bare:
            missing = {k: v for k, v in other.location.write().items() if not getattr(base, k)}
            base = replace(base, **missing)
    return base
