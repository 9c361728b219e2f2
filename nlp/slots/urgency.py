"""How pressing the speaker says it is. Decided by word alone: 现在, 马上, 尽快 are urgency, never time."""

from __future__ import annotations

import re

_NORMAL = re.compile(
    r"不(?:着|太)?急(?!诊)|不打紧|不赶时间|有空(?:再|的时候|时)|抽空|得空|得闲再|顺路|什么时候都行|哪天(?:都行|方便)|看着安排|慢慢来|小事"
)
_URGENT = re.compile(
    r"急急|(?:很|好|特别|挺|比较)急|(?<![着不焦心])急(?=$|[\s,。!?;])|着急(?!的话)|加急|紧急|火急|急死|急得|赶紧|赶快|赶进|感紧|尽快|尽速|从速|马上(?!就?到)|立刻|立马|快点|快些|快啲|搞快|速来|快来|麻烦快|快派|抓紧|越快越好|快叫|快停"
)


def find(plain: str) -> list[tuple[str, tuple[int, int]]]:
    """`normal` or `urgent` with its span, in order; a calm word unsays a hasty one."""
    calm = [("normal", match.span()) for match in _NORMAL.finditer(plain)]
    spans = [span for _, span in calm]
    hasty = [
        ("urgent", match.span())
        for match in _URGENT.finditer(plain)
        if not any(start < match.end() and match.start() < end for start, end in spans)
    ]
    return sorted(calm + hasty, key=lambda pair: pair[1])


def choose(plain: str) -> str | None:
    found = find(plain)
    if not found:
        return None
    return "normal" if any(value == "normal" for value, _ in found) else "urgent"


def write(value: str) -> str:
    return value


def read(value: str) -> str:
    return value
