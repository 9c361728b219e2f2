"""How good a service was, 1 to 5: 打五星, 三颗星, 给四分, 满分, ⭐⭐."""

from __future__ import annotations

import re

_GATE = re.compile(r"[分星心⭐★🌟]")
_VALUES = (
    {c: i for i, c in enumerate("一二三四五", 1)} | {"两": 2, "俩": 2} | {str(i): i for i in range(1, 6)}
)
_RATING = re.compile(
    r"""
      (?P<full>满分|五星好评)(?!的话)
    | (?<![\d.一二三四五六七八九十百几扣差减])(?P<n>[1-5一二两俩三四五])
      (?:分(?!钱|钟|之|半|期|公司|别|类|贝|米|店|机|体|手)|[颗个粒]?星(?!期)|[颗粒个]?心(?!意|情|里|思))
    | (?:评分|打分|评价|分数)[:是为\s]{0,2}(?P<marked>[1-5])(?![\d.号分星])
    | (?P<stars>(?:⭐\ufe0f?|★|🌟){1,5})
    """,
    re.VERBOSE,
)


def find(plain: str) -> list[tuple[int, tuple[int, int]]]:
    """Ratings in order; what is taken off (扣一分) is none."""
    if not _GATE.search(plain):
        return []
    found = []
    for match in _RATING.finditer(plain):
        if match["full"]:
            value = 5
        elif match["stars"]:
            value = sum(match["stars"].count(star) for star in "⭐★🌟")
        else:
            value = _VALUES[match["n"] or match["marked"]]
        found.append((value, match.span()))
    return found


def write(value: int) -> int:
    return value


def read(value: int) -> int:
    return int(value)
