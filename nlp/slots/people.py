"""How many persons: 三个人, 一家四口, 我们俩, +2, 两大一小; and how many may come: 限20人, 名额30."""

from __future__ import annotations

import re

from nlp.slots.numbers import number

Span = tuple[int, int]

_GATE = re.compile(r"[0-9一二两俩仨三四五六七八九十百]|我[和跟同]")
_N = r"(?P<{}>\d{{1,4}}+|[一二两俩仨三四五六七八九十百]{{1,4}}+)"


def _n(name: str) -> str:
    return _N.format(name)


_FOLK = (
    r"(?:大|小)?(?:人(?![家工行孔困民品群们体物情事车数均类次参生高])"
    r"|朋友|孩子?|娃|同学|师傅|师父|客人|老人|老太婆?|老头|壮丁|壮汉|壮劳力|小伙子?"
    r"|队友|室友|亲戚|工人|司机"
    r"|阿姨|小孩|小朋友|女生|男生|大人|访客|乘客|学生|邻居|宝宝)"
)
#: Who comes along, of two kinds: 两大一小, 两个大人一个孩子.
_KINDS = re.compile(
    rf"{_n('big')}(?:大(?!人|桌|袋|箱|件|包|盒)|个?大人)[\s,和跟、带]{{0,2}}{_n('small')}(?:小(?!时|孩|朋|区|袋|箱|件|包|盒)|个?(?:小孩|孩子|小朋友|娃|宝宝))"
)
_COUNTED = re.compile(
    rf"""
    (?<![\d.第每几哪一之周拜期月]){_n("n")}(?:来|多|几)?
    (?:[个名号位]?{_FOLK}|口人|位(?![置于数移老]|子))
    """,
    re.VERBOSE,
)
#: The words around say that persons are counted: a family, we, seats, somebody missing.
_CUED = re.compile(
    rf"""
      (?:我们|咱们?|阿拉|哥|姐妹|夫妻|夫妇|母子|父子|娘|爷)(?P<pair>俩|仨)(?!月)
    | (?P<two>老两口|我[和跟同][^,。!?;\s\d]{{1,6}}?(?:都(?!是)|一起|一块|搭伙|(?:两个|俩)(?=$
      |[\s,。!?;都要去人报])))
    | (?:一家|全家|家里|家|屋企|我们|咱们?|阿拉|他们|连埋我|老公|老婆|老伴|爱人|阿嬷|阿嬤
      |妈|爸|一共|总共|共){_n("family")}个?(?=$|口|[\s,。!?;]|都|要|去|一起)
    | (?:\+|加)\s?{_n("plus")}(?![\d.天号个箱斤块])
    | (?:还差|仲差|仲争|(?<!三)缺|差|少|来|捎|载|坐|塞|能带|可带|拼|(?<!预)算|报|加|登记
      |登|留|写)\s?(?:我们|阿拉|上|得下)?{_n("short")}(?:个(?![月小半多钟]|座|菜|忙|活|车
      |电|包|箱|位子|字|快|东)|位)?(?=$|[\s,。!?;]|[去人走的了])
    | (?:空|有|还有|剩|余|多)\s?{_n("seats")}个?(?:座位?(?!椅)|位子?(?!置|于)|空位|空座)
    | (?:空座|座位|余座|空位)\s?(?:还有|有|剩)?{_n("left")}个?
    | {_n("head")}人(?=[一二两三四]?狗|$|[\s,。!])
    | (?:算|加|报|带|捎|登记|差|留)(?:上|给)?(?:我|俺|她|他)?(?P<one>一个(?:名额)?)(?=$
      |[\s,。!?;吧呗]|加我|人)
    | (?P<me>加我一个|算我一个|\+1|就我一人|就我一个)
    """,
    re.VERBOSE,
)
_WITH_KIDS = re.compile(
    rf"(?P<me>(?<!帮)我[^,。!?;帮]{{0,3}})?(?<!帮)(?<!帮忙)(?<!帮我)(?<!多)带{_n('kids')}个?(?:娃|孩子?|小孩|小朋友|宝宝|小的)"
)
_LAST = re.compile(rf"(?:^|[\s,。!?;]){_n('n')}[个位]$")
#: One of many, each of them: 一人三十, 每人两百, 一人一份.
_EACH = re.compile(r"一(?:人|位)\s?[\d一二两三四五六七八九]")
#: Somebody by himself is no number of persons, except where nothing else is told of him.
_ALONE = re.compile(r"一(?:个人|位)(?!$|[\s,。!?;、一吧呗])")
#: Whom one looks after doesn't come along; a team's size is not the number of guests.
_NOT_COMING = re.compile(r"(?:看|顾|护|哄|接|陪|管|多带|每[队组家户桌车])(?:一下)?$")
_CAPACITY = re.compile(
    rf"""
      (?:名额|名鹅|人数|上限|限额|限|限定|限招|最多|至多|不超过|只收|只招|招|收|容纳|满)(?:报|收|来)?[:\s是为有]{{0,2}}{_n("max")}
        (?:来|多)?(?:个|名|位|组|桌|家|户|人|队|对)?(?![\d岁天块元月点:.以号楼])
    | {_n("top")}(?:来)?(?:个|名|位|组|桌|家|户|对)?(?:人|小朋友|孩子|家庭)?(?:名额|名鹅
      |封顶|为限|就够|就行|就成|满员|先到先得)
    | (?<![\d.第每]){_n("seats")}个?(?:摊位|座位|席位|位子)
    """,
    re.VERBOSE,
)


def _value(text: str) -> int | None:
    if len(text) == 2 and not set(text) & set("十百0123456789"):
        return None  # 四五个人 is no number
    return number(text.replace("俩", "两").replace("仨", "三"))


def find(plain: str) -> list[tuple[int, Span]]:
    """Numbers of persons; the sum of two kinds (两大一小) stands for both, a total (一共三个) comes first."""
    if not _GATE.search(plain):
        return []
    found: list[tuple[int, Span]] = []
    taken = bytearray(len(plain) + 1)

    def add(value: int | None, span: Span) -> None:
        if value and 0 < value < 1000 and taken.find(b"x", *span) < 0:
            found.append((value, span))
            taken[span[0] : span[1]] = b"x" * (span[1] - span[0])

    for match in _KINDS.finditer(plain):
        big, small = _value(match["big"]), _value(match["small"])
        add(big + small if big and small else None, match.span())
    for match in _WITH_KIDS.finditer(plain):
        kids = _value(match["kids"])
        add(kids + bool(match["me"]) if kids else None, match.span())
    for match in _COUNTED.finditer(plain):
        start = match.start()
        one = match["n"] == "一" and (_EACH.match(plain, start) or _ALONE.match(plain, start))
        if not one and not _NOT_COMING.search(plain, max(0, start - 4), start):
            add(_value(match["n"]), match.span())
    for match in _CUED.finditer(plain):
        kind = match.lastgroup
        text = match[kind] if kind else None
        if kind in {"one", "me"}:
            add(1, match.span())
        elif kind == "two":
            add(2, match.span())
        elif text and not _NOT_COMING.search(plain, max(0, match.start() - 4), match.start()):
            add(_value(text), match.span(kind or 0))
    found.sort(key=lambda pair: pair[1])
    return found


def alone(plain: str) -> list[tuple[int, Span]]:
    """A number with 个 or 位 that ends the text: 「接龙，四个」."""
    match = _LAST.search(plain)
    value = _value(match["n"]) if match else None
    return [(value, match.span("n"))] if match and value and value < 1000 else []


def capacity(plain: str) -> list[tuple[int, Span]]:
    """How many an activity takes, in order: 限20人, 名额三十, 八桌封顶; else a number of persons."""
    if not _GATE.search(plain) and "封顶" not in plain:
        return []
    found = []
    for match in _CAPACITY.finditer(plain):
        value = _value(str(match[match.lastgroup or 0]))
        if value and 0 < value < 10_000:
            found.append((value, match.span()))
    return found or [pair for pair in find(plain) if pair[0] > 1]


def write(value: int) -> int:
    return value


def read(value: int) -> int:
    return int(value)
