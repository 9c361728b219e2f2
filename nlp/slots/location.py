"""Where: building, unit, floor, room, and a named place, as a community writes its addresses."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace

from nlp.slots.numbers import HAN, digits

_N = rf"(?:\d{{1,2}}|{HAN}{{1,3}})"
_LETTER = r"(?<![a-z])[a-z]\d?"
_ROOM = r"(?:\d{3,4}|[零〇一二两三四五六七八九]{3,4})"

#: Dashes and # first: they hold several parts in one piece.
_PIECES = re.compile(
    rf"""
      (?<![\w-])(?P<b3>[a-z]?\d{{1,2}}|[a-z])[-–—](?P<u3>\d{{1,2}})[-–—](?P<r3>\d{{3,4}})(?![\d-])
    | (?<![\w-])(?P<b2>[a-z]?\d{{1,2}}|[a-z])[-–—](?P<r2>\d{{3,4}})(?![\d-])
    | (?<![\w\#])(?P<bh>\d{{1,2}})\#(?!\#)楼?(?:(?P<rh>\d{{3,4}})(?!\d))?
    | (?<![\d月第.])(?P<b>{_N}|{_LETTER})(?:号楼|栋|幢|座(?![位椅子])|号院|洞(?=[的一-龥]))
    | (?<!\d)(?P<bs>{_N})号(?P<rs>{_ROOM})(?:室|房)?(?!\d)
    | (?P<u>{_N}|[东西南北中左右])(?:单元|门洞)(?!门禁?费)
    | (?P<fb>(?:地下|负)(?:[1-4一二三四])(?:层|楼)|b[1-4](?:层)?(?![\w-]))
    | (?<![\d爬走差共每第几零〇一二两三四五六七八九十廿百])(?<!号)(?P<f>{_N})(?:楼|层)(?!高|楼高|楼道灯费|半)
    | (?<![a-z])(?P<rl>[a-z])室
    | (?<=[楼层])(?P<rn>\d{{1,2}})号(?!楼)
    | (?P<r>{_ROOM})(?:室|房间|户)
    | (?P<rb>(?<![\da-zA-Z.#-]){_ROOM}(?![\d.元块蚊年月日号分秒%度层楼栋幢座单天条张份个次]|-\d|毛|平|万))
    """,
    re.VERBOSE,
)

#: What may stand between two parts of one address.
_JOINT = re.compile(r"^[\s,、的·]{0,3}(?:门牌|门牌号|靠|房号)?[\s:]?$")
#: Before a value: it is not this one. Behind a value: that was wrong.
_NOT_THIS = re.compile(r"(?:不是|不在|并非|从|原来(?:是|住)?|别送)$")
_WRONG = re.compile(
    r"^(?:楼|那边|的)?[\s,]{0,2}(?:(?:哦|噢|啊|呃|额)?[\s,]*(?:不对|不是(?!不)|哦不|错了|说错|写错|搞错))"
)
_BARE_CUE = re.compile(r"(?:门牌|房号|房间号|住|家|改成|是|单元|[栋幢座]|号楼)[\s:是]{0,2}$")
_ORDER = ("building", "unit", "floor", "room")


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


@dataclass(frozen=True)
class Found:
    """An address in a text. `bare`: a lone number that only the intent can tell from a ticket's."""

    location: Location
    span: tuple[int, int]
    bare: bool = False
    corrected: bool = False
    denied: bool = False


def _part(name: str, text: str) -> str:
    if name == "floor" and text[0] in "地负b":
        number = digits(re.sub("[^0-9一二三四]", "", text))
        return f"B{number}"
    return digits(text).upper()


_FIELDS = {
    "b3": "building",
    "u3": "unit",
    "r3": "room",
    "b2": "building",
    "r2": "room",
    "bh": "building",
    "rh": "room",
    "b": "building",
    "bs": "building",
    "rs": "room",
    "u": "unit",
    "fb": "floor",
    "f": "floor",
    "rl": "room",
    "rn": "room",
    "r": "room",
    "rb": "room",
}


def find(plain: str) -> list[Found]:
    """Addresses in a normalised text, without places; parts that stand together are one address."""
    found: list[Found] = []
    for match in _PIECES.finditer(plain):
        parts = {_FIELDS[g]: _part(_FIELDS[g], text) for g, text in match.groupdict().items() if text}
        bare = match.lastgroup == "rb" or (match["rb"] is not None)
        piece = Location(**parts)
        denied = bool(_NOT_THIS.search(plain[: match.start()][-4:]))
        wrong = bool(_WRONG.match(plain[match.end() :][:12]))
        previous = found[-1] if found else None
        if previous and not denied and _joins(previous, piece, plain[previous.span[1] : match.start()]):
            merged = replace(previous.location, **parts)
            found[-1] = Found(
                merged, (previous.span[0], match.end()), False, previous.corrected, previous.denied or wrong
            )
            continue
        if bare and _BARE_CUE.search(plain[: match.start()][-5:]):
            bare = False
        corrected = bool(previous and previous.denied)
        found.append(Found(piece, match.span(), bare, corrected, denied or wrong))
    return found


def _joins(previous: Found, piece: Location, between: str) -> bool:
    """Whether a part continues the address before it: close by, and finer than all of it."""
    if previous.denied or not _JOINT.match(between):
        return False
    had = [name for name in _ORDER if getattr(previous.location, name)]
    new = [name for name in _ORDER if getattr(piece, name)]
    return bool(had and new) and _ORDER.index(had[-1]) < _ORDER.index(new[0])


def choose(found: Sequence[Found], bare: bool = True) -> Found | None:
    """The address that is meant: no denied one; what follows a correction; else the fullest."""
    kept = [f for f in found if not f.denied and (bare or not f.bare)]
    if not kept:
        return None
    if any(f.corrected for f in kept):
        first = next(i for i, f in enumerate(kept) if f.corrected)
        later = kept[first:]
        merged = later[0].location
        for other in later[1:]:
            merged = replace(merged, **other.location.write())
        return Found(merged, later[0].span, False, True)
    return max(kept, key=lambda f: (len(f.location.write()), not f.bare, -f.span[0]))


def fill(found: Iterable[Found], base: Location) -> Location:
    """Parts that the chosen address lacks, from the other addresses of the message."""
    for other in found:
        if not other.denied and not other.bare:
            missing = {k: v for k, v in other.location.write().items() if not getattr(base, k)}
            base = replace(base, **missing)
    return base
