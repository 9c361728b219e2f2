"""How much and how many: yuan and persons; in one place because they share numerals."""

from __future__ import annotations

import re

from nlp.slots.numbers import number

_N = r"(?:\d{1,6}(?:\.\d{1,2})?|[零〇一二两三四五六七八九十百千万俩仨半]{1,6})"
_PRICE = re.compile(
    rf"(?:收费?|收了|花了?|费用?|材料费?|收款|结账|预算|工资)\s?(?P<a>{_N})(?![\d个只根条号点天人小])(?:元|块|蚊|圆)?|(?P<b>{_N})(?:元|块(?!钱?的?(?:地|砖|玻))|蚊|圆)|(?P<c>{_N})(?:以内|以下)(?!$^)"
)
_PEOPLE = re.compile(
    rf"(?P<n>{_N})(?:个(?:大)?人|位|口(?!价|子人)|人(?!家|工|行|孔|困|民))|我们(?P<pair>俩|仨)"
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


def prices(plain: str) -> list[tuple[int | float, Span]]:
    """Yuan, the number said (每月, 每小时 alike)."""
    found = []
    for match in _PRICE.finditer(plain):
        text = match["a"] or match["b"] or match["c"]
        value = _value(text)
        if value is not None and value > 0:
            found.append((_plain(value), match.span()))
    return found


def people(plain: str) -> list[tuple[int, Span]]:
    found = []
    for match in _PEOPLE.finditer(plain):
        if match["pair"]:
            found.append((2 if match["pair"] == "俩" else 3, match.span()))
            continue
        value = _value(match["n"])
        if value is not None and value >= 1 and value == int(value):
            found.append((int(value), match.span()))
    return found


def write(value: float) -> int | float:
    return _plain(value)


def read(value: float) -> int | float:
    return _plain(value)
