"""How long: minutes."""

from __future__ import annotations

import re

from nlp.slots.numbers import number

_N = r"(?:\d{1,6}(?:\.\d{1,2})?|[零〇一二两三四五六七八九十百千万俩仨半]{1,6})"
_DURATION = re.compile(
    rf"(?P<h>{_N})个?(?P<half>半)?(?:小时|钟头|钟)(?P<half2>半)?(?!后|之后|以后|前|热线|保安|监控|快递)|(?P<m>\d{{1,3}}|[一二三四五六七八九十]{{1,3}})分钟(?!后|之后)"
)
Span = tuple[int, int]


def _value(text: str) -> float | None:
    if text == "半":
        return 0.5
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return float(text)
    value = number(text.replace("俩", "两").replace("仨", "三"))
    return None if value is None else float(value)


def _plain(value: float) -> int | float:
    return int(value) if value == int(value) else value


def durations(plain: str) -> list[tuple[int, Span]]:
    """Minutes."""
    found = []
    for match in _DURATION.finditer(plain):
        if match["m"]:
            value = float(number(match["m"]) or 0)
        else:
            value = ((_value(match["h"]) or 0) + (0.5 if match["half"] or match["half2"] else 0)) * 60
        if value > 0:
            found.append((int(value), match.span()))
    return found


def write(value: float) -> int | float:
    return _plain(value)


def read(value: float) -> int | float:
    return _plain(value)
