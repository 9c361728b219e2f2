"""How pressing the speaker says it is. Decided by word alone: 现在, 马上, 尽快 are urgency, never time."""

from __future__ import annotations

import re

Span = tuple[int, int]

_GATE = re.compile(r"[急快马赶紧速立即尽抓忙慌空闲等拖越即麻务现优第a便哪啥随慢顺改小打碍]")
_NORMAL = re.compile(
    r"""
      (?<!急)不(?:用|必|要|是很|是特别|是太|算|使)?(?:着|太|很|特别|那么|怎么|是)?急(?!诊|救|死|不行)(?!不(?!急|慌))
    | [别没莫]急(?!诊|救)|不慌(?:不忙)?|不忙(?=$|[\s,。!?;着的])|不打紧|不碍事|不要紧|不赶(?:时间
      |紧|着|工)?(?!紧)
    | (?<![没不末午天早晚上])有空(?:再|的时候|时|了再|了就|来(?:给|帮|看看就)|就[行好成]|了来
      |帮|看|修|弄|安排|麻烦)|(?:你们|师傅|您|你|谁)有空(?:再|来|帮|看|修|弄)(?![吗不么])|(?<!没)有时间(?:再|的时候|了再)|(?<![没冒不能])抽[个点]?空(?!能不能)
    | (?<![冒没不])得空(?!带)|(?<![有没不傅])得闲(?:再|先|的|时)|空了(?:再|就|过?来)|闲(?:了|下来)再
    | 方便的时候|方便了?再|顺路
    | (?:什么|啥|几|哪个)时候?(?:来|修|弄|上门|有空|方便|安排)?(?:都行|都可以|都得|都好
      |都成|都中)|哪天(?:来|有空|方便|修)?(?:都行|方便|有空|都可以|来都行|都成)
    | 随时(?:来)?都(?:行|可以)|看着(?:安排|办)|慢慢来|(?<!大)小事(?=[,。\s]|$)|改天(?:来
      |再|也行)(?:都行|也行)?|排着就行|先忙(?:别的|你们的)|排队也行
      |不是(?:什么|啥|很)?急|[没不](?:有)?那么急|空闲(?:时|的时候)|看(?:你们|师傅|您)的?(?:时间|方便|安排)
    """,
    re.VERBOSE,
)
_URGENT = re.compile(
    r"""
      急急|(?:很|好|特别|挺|比较|超|非常|真|蛮|老|巨|十分|太|最|有点|有些|较)急(?!诊|救|性|躁)
    | (?<![着不焦心情别没说救应])急(?=$|[\s,。!?;~]|啊|呀|的(?:$|[\s,。!]))|(?<!不)(?<!别)着急(?!的话|忙慌)
    | (?<!不)急(?:用|需|等|求|着|找|招|死|得|要(?!不)|件|单|活|疯)|救急|加急|紧急|火急|火烧眉毛|刻不容缓|燃眉
    | 急~|快快|快(?=[!~])|(?<![网车风转])速度(?=来|点|[,!。\s]|$)|立等
    | 赶紧|赶快|赶进|感紧|赶忙|尽快|尽早|尽速|从速|火速|速速|速(?=来|修|派|到|办|联系|处理)
      |立刻|立马|立即|即刻|马上(?!就?(?:要|到|快|过年|开学|中秋|国庆|春节|冬|夏))
    | 快(?:点|些|啲|一点)(?!没|坏|断|掉)|搞快|快搞|快手|快来|快派|快叫|快喊|快停|快修|快请
      |快弄|快整|快处理|麻烦快|越快越好|越早越好|抓紧|麻溜|麻利(?:点|儿)|优先(?:处理|安排)
    | 等不(?:及|了|得|起)|不能等|拖不(?:得|起|了(?!地))|别拖|第一时间|在线等|(?<![a-z])asap(?![a-z])
      |现在(?:就|立刻|能不能|可以|能|请)?(?:来(?!不)|派|过来|上门)
    """,
    re.VERBOSE,
)


def find(plain: str) -> list[tuple[str, Span]]:
    """`normal` or `urgent` with its span, in order; a calm word unsays a hasty one."""
    if not _GATE.search(plain):
        return []
    calm = [("normal", match.span()) for match in _NORMAL.finditer(plain)]
    taken = bytearray(len(plain) + 1)
    for _, (start, end) in calm:
        taken[start:end] = b"x" * (end - start)
    hasty = [
        ("urgent", match.span()) for match in _URGENT.finditer(plain) if taken.find(b"x", *match.span()) < 0
    ]
    return sorted(calm + hasty, key=lambda pair: pair[1])


def choose(plain: str) -> str | None:
    """What holds for the whole text: a calm word wins (不急, 您赶快忙别的)."""
    found = find(plain)
    if not found:
        return None
    return "normal" if any(value == "normal" for value, _ in found) else "urgent"


def write(value: str) -> str:
    return value


def read(value: str) -> str:
    return value
