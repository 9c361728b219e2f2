"""Who is to be told or asked: everybody, some buildings, owners, tenants, staff or the committee."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from nlp.slots.numbers import digits

Span = tuple[int, int]

_GATE = re.compile(
    r"[伙邻坊民户租委栋幢座洞们]|[大各]家|业主|单元|全[体员小区楼]|所有|各位|保[安洁]|号楼|员工|师傅|房[东客主]|同事|乡亲|门[卫岗]|每[家个户]|物业"
)
_N = r"(?:\d{1,2}+|[一二三四五六七八九十廿]{1,3}+|(?<![a-z])[a-z]\d?)"
#: One building or several: 3号楼, 3、5栋, 1到3号楼, 三栋四栋, 10号楼和11号楼; with units.
_BUILDINGS = re.compile(
    rf"(?<![\d第每几])(?:{_N}(?:号楼|号|栋|幢|座|洞|\#)?\s?[、,和跟与及到至~-]?\s?){{0,9}}?{_N}(?:号楼|栋|幢|座|洞(?=的)|\#楼?)"
    rf"(?:\s?[、,和跟与及]?\s?{_N}(?:号楼|栋|幢|座))*(?:\s?的?(?P<units>{_N}(?:[、,和跟与及到至-]{_N})*单元(?:[、和跟与及]?{_N}单元)*))?"
)
_UNITS = re.compile(
    rf"(?<![\d第每几栋幢座楼]){_N}(?:[、和跟与及到至-]{_N})*单元(?:[、和跟与及]?{_N}单元)*(?!门(?!口的))"
)
_RANGE = re.compile(rf"(?P<first>{_N})(?:号楼|栋|幢|座|号|单元)?[到至~-](?P<last>{_N})")
_NUMBER = re.compile(_N)
#: The command before those it names: 通知3栋, 发给3号楼和5号楼的住户, 以9号楼全体住户为对象.
_TOLD = re.compile(
    r"(?:通知(?:一下|下|到)?|告诉(?:一下|下)?|告知(?:一下)?|转告|提醒(?:一下|下|一遍|一回)?|(?:发|推|推送|播|广播|转发|转|群发|单发|下发|发送|发布|发一条|发条|发个通知|喊话|交代)(?:到|至)|(?<![返还退交])(?:给|畀|向|对)|"
    r"(?<!我)跟|和|同|叫|让|请|喊|问问?|问下|问一下|征求|征集|发(?:一下|个|条|下)?|以|仅限|只限|只|限|面向|针对|给)"
    r"(?:在?[^,。!?;:\s0-9]{0,2})?$"
)
#: Behind buildings: their people are spoken of as such.
_FOLK = re.compile(
    r"\s?(?:那栋楼?|那边|这边|整栋|全)?的?\s?(?:全体|所有|各位|各家|各户|每家)?(?:业主|住户|邻居|居民|街坊|各位|老少|人家|租户|租客|朋友|家里|家家)|\s?的(?=都|注意|请|$|[,。!?\s])|全体|内部|投[个票]|表[个决]|"
    r"的?表决|的?投票|的?意愿"
)
_SENT = re.compile(
    r"[,。!?;:\s]*(?:请)?(?:发|推|播|转告|通知|告知|告诉|转发|发一下|发出去|发群|都说|说一[声下])"
)
#: A building named before: 通知那栋楼的.
_THAT_HOUSE = re.compile(r"(?:通知|告诉|给|让|叫|跟|提醒)(?:[那这该]栋|[他她它]们[那这]?[楼栋])")
#: At the start of an order, right before the matter: 8栋今晚停水，发一下.
_AT_END = re.compile(r"(?:发一下|发给|发到|通知|告诉|转告|推给|发)[\s]?$")

_SCOPES: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "committee",
        re.compile(
            r"业委会(?:的?(?:成员|委员|几位|各位|全体|诸位|内部|群|人|同事))?|(?:各位|全体|所有|诸位)?委员(?:会)?(?:们|专用|内部|几位)?|居委(?:会)?(?:同事|成员|内部)|筹备组"
        ),
    ),
    (
        "staff",
        re.compile(
            r"(?:全体|所有|各位|物业|咱们?)?的?(?:员工|职工|工作人员|物业(?:前台|人员|同事)|同事们?|师傅们|维修(?:工|组|班|部|人员)|水电(?:工|班)|值班(?:员|人员)|工程部|保安(?:们|队|亭|室|师傅|大哥|同志)?|保洁(?:们|阿姨|员|队|大姐)?|门卫|门岗|秩序队|绿化(?:工|队)|园丁|物管人员|客服们?)"
        ),
    ),
    (
        "tenants",
        re.compile(
            r"(?:全体|所有|各位|全部)?(?:租客|租户|房客|租房(?:子)?的|租住的|租赁户|承租人)(?:们|朋友们?)?"
        ),
    ),
    (
        "owners",
        re.compile(
            r"(?:全体|所有|各位|全部|广大|每位|每户)?(?:业主|房东|房主|产权人)(?!群|大会|委|会|反映|问|信息|家里|投诉|代表|拒|不配合)(?:们|朋友们?)?"
        ),
    ),
    (
        "all",
        re.compile(
            r"@?(?:所有人|全体成员|all(?![a-z]))|大家伙儿?|大家|大伙儿?|(?:各位|所有|全体|全部|左右)?(?:邻居|街坊|居民|住户)(?:们|朋友们?)?|全小区|整个小区|全体(?!业主|租|员|委|保|物)|全员|"
            r"全区(?:居民|住户)?|各家各户|家家户户|每家每户|每一户|各户|所有(?:楼|家)|老少爷们儿?|父老乡亲|街坊四邻|左邻右舍|群里(?:所有人|各位|的各位)|家人们|小伙伴们|每个人|人人|全楼|老邻居们|姐妹们|各位(?=[,:\s])"
        ),
    ),
)
#: Who only tells of somebody: 有业主问, 有人反映.
_MENTIONED = re.compile(r"(?:有|个|位|那|这|某|的|名|户|是|借|住在?|楼上|楼下)(?:些|位|个|户|几个?)?$")
#: What makes an order of a word for people: it is addressed before or behind.
_ADDRESSED = re.compile(
    r"(?:给|畀|跟|和|让|请|向|对|问问?|问下|问一下|提醒|通知|告诉|告知|转告|发|推|播|喊|叫|全体|各位|所有|征求|征集|只|限|转发|发到|推到|给到|回复(?:一下|下)?|关照(?:一下)?)(?:一下|下|声|一声|一遍|一回|给|俾|了|到|我们?|咱们?|一条|的)?\s?$"
)
_CALLED = re.compile(r"们|那边|这边|[\s,:]*(?:注意|请|好|都|收到|周知|参与|专用|投票|表决|务必|须|收好|,|:)")


@dataclass(frozen=True)
class Audience:
    """`buildings` and `units` as in an address; scope `buildings` when any is named."""

    scope: str
    buildings: tuple[str, ...] = ()
    units: tuple[str, ...] = ()

    def write(self) -> dict[str, object]:
        lists = {"buildings": list(self.buildings), "units": list(self.units)}
        return {"scope": self.scope} | {name: values for name, values in lists.items() if values}


def read(value: Mapping[str, object]) -> Audience:
    """The audience that was written; without a scope it is everybody."""

    def strings(name: str) -> tuple[str, ...]:
        given = value.get(name)
        return tuple(str(one) for one in given) if isinstance(given, list | tuple) else ()

    return Audience(str(value.get("scope") or "all"), strings("buildings"), strings("units"))


def write(value: Audience) -> dict[str, object]:
    return value.write()


def find(plain: str) -> list[tuple[Audience, Span]]:
    """Who is addressed, the likeliest first: buildings, then groups of people, then everybody."""
    if not _GATE.search(plain):
        return []
    return [*_places(plain), *_groups(plain)]


def choose(plain: str) -> Audience | None:
    found = find(plain)
    return found[0][0] if found else None


def _places(plain: str) -> list[tuple[Audience, Span]]:
    found: list[tuple[bool, Audience, Span]] = []
    for match in _BUILDINGS.finditer(plain):
        units = match["units"] or ""
        stop = match.start("units") if units else match.end()
        where = Audience("buildings", _list(plain[match.start() : stop]), _list(units))
        _keep(found, plain, where, match.span())
    taken = [span for *_, span in found]
    for match in _UNITS.finditer(plain):
        if not any(start < match.end() and match.start() < end for start, end in taken):
            _keep(found, plain, Audience("buildings", (), _list(match[0])), match.span())
    if not found and _THAT_HOUSE.search(plain):
        meant = _BUILDINGS.search(plain)
        if meant:
            found.append((True, Audience("buildings", _list(meant[0])), meant.span()))
    found.sort(key=lambda one: not one[0])
    return [(where, span) for _, where, span in found]


def _keep(found: list[tuple[bool, Audience, Span]], plain: str, where: Audience, span: Span) -> None:
    start, end = span
    left = plain[max(0, start - 14) : start]
    told, folk = bool(_TOLD.search(left)), bool(_FOLK.match(plain, end))
    rest = plain[end:].strip(" ,。!?")
    first = start == 0 and bool(re.search(r"(?:发|推|转告|通知|告知|说)[^,]{0,4}$|投[个票]|表[个决]", plain))
    last = not rest and bool(_AT_END.search(left))
    if told or folk or first or last:
        found.append(((told and (folk or last)) or told, where, span))


def _list(text: str) -> tuple[str, ...]:
    """The numbers of a list, ranges counted out."""
    values: list[str] = []
    at = 0
    while at < len(text) and len(values) < 60:
        through = _RANGE.match(text, at)
        one = _NUMBER.match(text, at)
        if through and digits(through["first"]).isdigit() and digits(through["last"]).isdigit():
            first, last = int(digits(through["first"])), int(digits(through["last"]))
            values += [str(n) for n in range(first, min(last, first + 60) + 1)]
            at = through.end()
        elif one:
            values.append(digits(one[0]).upper())
            at = one.end()
        else:
            at += 1
    return tuple(dict.fromkeys(values))


def _groups(plain: str) -> list[tuple[Audience, Span]]:
    found: list[tuple[float, int, Audience, Span]] = []
    for scope, pattern in _SCOPES:
        for match in pattern.finditer(plain):
            weight = _weight(plain, match.span(), scope)
            if weight > 0:
                found.append((-weight, match.start(), Audience(scope), match.span()))
    found.sort(key=lambda one: one[:2])
    return [(where, span) for *_, where, span in found]


def _weight(plain: str, span: Span, scope: str) -> float:
    """How surely somebody is addressed here; not at all where one is only told of."""
    start, end = span
    left = plain[max(0, start - 10) : start]
    word = plain[start:end]
    if re.search(r"(?:不是|别|不用|不)(?:通知|告诉|给|发给?)?$", left):
        return 0
    whole = word[0] in "全所各@广"
    addressed = bool(_ADDRESSED.search(left))
    if not (whole or addressed) and _MENTIONED.search(left):
        return 0
    asked = addressed and left.endswith("请") and not whole
    if asked and (scope == "staff" or word in {"邻居", "住户"}):
        return 0
    if re.search(r"[返还退交][给畀]$", left):
        return 0
    weight = 2.0 * addressed + 1.0 * whole + 1.0 * bool(_CALLED.match(plain, end) or word.endswith("们"))
    weight += 1.0 * bool(_SENT.match(plain, end)) + 0.5 * (start < 3)
    if scope == "all" and word in {"大家", "大伙", "大伙儿", "大家伙", "大家伙儿", "全小区", "全员"}:
        weight += 0.6
    return weight if weight >= 1 or scope == "committee" else weight / 2 if weight >= 0.6 else 0
