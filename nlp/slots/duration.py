"""How long something takes, in minutes; hours and minutes only."""

from __future__ import annotations

import re
from collections.abc import Sequence

from nlp.slots.time import Found

Span = tuple[int, int]
#: Open all hours (24小时热线) is no duration.
_ALWAYS = re.compile(r"\s?(?:热线|保安|监控|快递|便利|营业|服务|值班|自助|门|药店|开)")


def find(plain: str, times: Sequence[Found]) -> list[tuple[int, Span]]:
    return [
        (one.said.minutes, one.span)
        for one in times
        if one.kind == "duration"
        and one.said.minutes
        and not (one.said.minutes >= 1440 and _ALWAYS.match(plain, one.span[1]))
    ]


def write(value: int) -> int:
    return value


def read(value: int) -> int:
    return int(value)
