"""How much in yuan: 80元, 一百二, 三块五, 7k, 预算五百, 50以内, 80一小时; 免费 is no number."""

from __future__ import annotations

import re

from nlp.slots.numbers import number

Span = tuple[int, int]

_HAN = "零〇一二两三四五六七八九十百千万"
_N = rf"(?:\d{{1,7}}+(?:\.\d{{1,2}}+)?[kw万千]?|[{_HAN}]{{1,8}}+)"
_GATE = re.compile(rf"[0-9{_HAN}半]")
_COUNTERS = (
    r"(?:小时|钟头|个钟|天|日|晚|次|回|趟|节|月|个月|年"
    r"|周|斤|张|个(?![人老男女大小阿师邻月钟])|只|件|顶|罐|位|人|份"
    r"|盒|箱|瓶|度|平|间|台|辆|场|课|单|家|米|吨|套|条|袋|把|本|双)"
)
_MONEY = r"\s?[元块蚊圆毛]"
_COUNTED = (
    r"[个只根张条台套件箱袋瓶盒斤米平户位人号楼栋幢层室"
    r"点天月年日周岁次回遍趟节度层小分钟口辆把扇盏本双包公吨瓦寸兆级顿餐到至~、]"
)
#: The number is called money, or stands where money stands.
_PRICE = re.compile(
    rf"""
      (?P<unit>{_N})\s?(?:来|多)?(?:元|块(?!地|瓷|砖|玻|板|布|儿|堆|空地|电瓶|电池|表|牌|豆腐)|蚊|圆|rmb|r(?![a-z]))
        (?:钱)?(?:(?P<tenths>[\d一二三四五六七八九半])(?![\d个人次回月天小斤只张位件百千万顶块]))?
    | [¥￥]\s?(?P<sign>{_N})
    | (?P<dimes>[\d一二两三四五六七八九]{{1,2}}+)毛(?![巾病衣毯线])(?:钱)?
    | (?:预算|收费?|收了|费用?|材料费?|料钱|收款|结账|工资|薪水|月薪|时薪|月租|租金|年租
      |人均|均摊|aa|卖价|开价|价格?|价钱|单价|现价|红包|辛苦费|报酬|打包价?|打包卖|凑了|
        招租|出租|转租|出价|只要|就要|现在|垫|门票|票价|报名费|场地费|工本费|课时费)
        [:\s是为约大概了]{{0,3}}(?P<cue>{_N})(?!{_COUNTED}|\d|[:.-]\d|号|成新|{_MONEY})
    | (?:(?<![送转派交还借发])给(?:你|您|师傅)?|出|才|仅|卖|转让?|平?让|付)[:\s,]?(?P<weak>{_N})
        (?=$|[\s,。!?;吧行也能算可就不怎一/])(?!{_MONEY})
    | (?:每|一|1|两|半){_COUNTERS}(?<!一米)(?<!一平)(?:收|给|算|只要|是|才)?\s?(?P<per>{_N})(?!{_COUNTED}
      |[:.\d-]|成|{_MONEY})
    | (?<![\d.:#-])(?P<rate>\d{{1,7}}+(?:\.\d+)?[kw千万]?|[{_HAN}]{{1,8}}?)\s?(?:一|1|/|每){_COUNTERS}(?![\d])
    | (?<![\d.:#-])(?P<bound>{_N})\s?(?:以内|以下|左右|上下|封顶(?!^)|之内|内(?=$|[\s,。!?;]))(?!\d)
    | (?<![\d.:#-])(?P<taken>{_N})\s?(?:不讲价|可小刀|小刀|可刀|可议|出(?=$|[\s,。!?;了掉])
      |转(?=$|[\s,。!?;了])|卖(?=$|[\s,。!?;了掉])|拿走|带走|拉走|搬走|抱走|骑走|自提|包邮
      |谁要|我也|自己来|一口价|两清)
    """,
    re.VERBOSE,
)
#: A number alone between marks, as sellers write: 「电脑椅转让 80 可小刀」「让，500，」.
_ALONE = re.compile(
    rf"(?:(?:^|[\s,。!?;、])(?P<n>{_N})|(?<=[\u4e00-\u9fff])(?<![第周月日号点栋楼层座幢共码到])(?P<stuck>\d{{2,5}}+))(?=$|[\s,。!?;])"
)
#: What was paid for a thing, and what it is worth, is no price.
_BOUGHT = re.compile(r"多?(?:块|元)?钱?(?:多)?(?:买|入的|入手|购|淘)")
_WORTH = re.compile(r"(?:值|价值|花了?|省了?|减|满|押金)[:\s约了]?$")
_PARTED = ("转", "出", "拿走", "带走", "卖")
_FEW, _HANDS = frozenset("一两三四五六七八九"), frozenset("拿带买那这切掉")
_FORMER = re.compile(
    r"(?:原价|买的?时候?花?了?|买价|入手价?|专柜|当初花了?|官网|标价|吊牌价?)[:\s是为]{0,2}$"
)
_SCALES = {"k": 1000, "千": 1000, "w": 10_000, "万": 10_000}


def _value(text: str) -> float | None:
    scale = _SCALES.get(text[-1], 1) if text[0].isdigit() else 1
    if scale > 1:
        text = text[:-1]
    if text[0].isascii():
        return float(text) * scale
    value = number(text)
    return None if value is None else float(value)


def _tidy(value: float) -> int | float:
    return int(value) if value == int(value) else round(value, 2)


def find(plain: str) -> list[tuple[int | float, Span]]:
    """Prices in order (每月, 每小时 alike); what it cost once (原价399) is none."""
    if not _GATE.search(plain):
        return []
    found: list[tuple[int | float, Span]] = []
    for match in _PRICE.finditer(plain):
        kind = match.lastgroup or ""
        value = _worth(match, "unit" if kind == "tenths" else kind)
        if value is None or not 0 < value < 10_000_000:
            continue
        start = match.start("unit" if kind == "tenths" else kind)
        if _BOUGHT.match(plain, match.end()) or _WORTH.search(plain, max(0, start - 3), start):
            continue
        once = not plain.startswith(_PARTED, match.end(kind)) and _FORMER.search(
            plain, max(0, start - 8), start
        )
        if not once and not _pieces(plain, match, start):
            found.append((_tidy(value), match.span()))
    return found


def _pieces(plain: str, match: re.Match[str], start: int) -> bool:
    """两块 and 一块 are pieces, or together, unless 钱 or a tenth says otherwise (一块钱, 一块二)."""
    small = match["unit"] is not None and match["unit"] in _FEW and plain[match.end("unit")] == "块"
    if not small or match["tenths"] or "钱" in match[0]:
        return False
    return match["unit"] == "一" or plain[start - 1 : start] in _HANDS


def _worth(match: re.Match[str], kind: str) -> float | None:
    text = match[kind]
    if kind not in {"unit", "sign", "dimes"} and not _said_alone(text, kind, match[0]):
        return None
    if kind == "dimes":
        dimes = number(text)
        return None if dimes is None else dimes / 10
    if kind == "rate" and text[-1] == "十" and match[0][-1] in "年岁日天":
        return None
    value = _value(text)
    if value is not None and match["tenths"]:
        value += 0.5 if match["tenths"] == "半" else (number(match["tenths"]) or 0) / 10
    return value


def _said_alone(text: str, kind: str, whole: str) -> bool:
    """Whether a number without 元 can be money: 一 counts things, 二四 are weekdays."""
    if not text[0].isascii():
        return len(text) > 1 and bool(set(text) & set("十百千万"))
    return len(text) > 1 or (kind == "per" and "周" not in whole)


def alone(plain: str, stuck: bool = False) -> list[tuple[int | float, Span]]:
    """Numbers that stand alone between marks: in an offer to sell they are the price.

    `stuck`: also behind the thing (吸尘器600).
    """
    found = []
    for match in _ALONE.finditer(plain):
        kind = str(match.lastgroup)
        if kind == "stuck" and not stuck:
            continue
        value = _value(match[kind])
        if value is not None and _said_alone(match[kind], kind, "") and 5 <= value < 10_000_000:
            found.append((_tidy(value), match.span(kind)))
    return found


def write(value: float) -> int | float:
    return _tidy(value)


def read(value: float) -> int | float:
    return _tidy(value)
