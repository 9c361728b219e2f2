"""The common parts that a community keeps, as its file says: names, how many at first, when it gets low."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

_KEYS = {"name", "words", "count", "low", "price"}


@dataclass(frozen=True, slots=True)
class Stocked:
    """A part that is kept. `price` is in fen a piece, None where the file has none."""

    name: str
    words: tuple[str, ...] = ()
    count: int = 0
    low: int = 0
    price: int | None = None

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name, *self.words)


def meant(known: tuple[Stocked, ...], said: str) -> Stocked | None:
    """The part that a name stands for: 铜角阀 is 角阀, the longest name first."""
    found = [(len(word), one) for one in known for word in one.names if word in said]
    return max(found, key=lambda pair: pair[0])[1] if found else None


def read(found: Any) -> tuple[Stocked, ...]:
    """The tables [[parts]]. ValueError with the key and what it must be."""
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise ValueError("parts: 一样一个表，写成 [[parts]]")
    parts = tuple(_read(f"parts[{n}]", one) for n, one in enumerate(found, 1))
    names = [name for one in parts for name in one.names]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"parts: 「{name}」写了两遍")
    return parts


def _read(where: str, table: Mapping[str, Any]) -> Stocked:
    if unknown := sorted(set(table) - _KEYS):
        raise ValueError(f"{where}: 不认识 {'、'.join(unknown)}；可以写：{'、'.join(sorted(_KEYS))}")
    name = table.get("name")
    if not isinstance(name, str) or not name.strip() or any(c.isdigit() or c.isspace() for c in name):
        raise ValueError(f"{where}.name: 要写名字，加引号，不要数字和空格")
    where = f"{where}（{name}）"
    words = table.get("words", [])
    if not isinstance(words, list) or not all(isinstance(one, str) and one.strip() for one in words):
        raise ValueError(f'{where}.words: 写成一串带引号的词，例如 ["三角阀"]')
    for key in ("count", "low"):
        value = table.get(key, 0)
        if type(value) is not int or value < 0:
            raise ValueError(f"{where}.{key}: 要写整数，不小于 0")
    return Stocked(name, tuple(words), table.get("count", 0), table.get("low", 0), _fen(where, table))


def _fen(where: str, table: Mapping[str, Any]) -> int | None:
    if "price" not in table:
        return None
    value = table["price"]
    fen = Decimal(str(value)) * 100 if type(value) in (int, float) else Decimal(-1)
    if fen < 0 or fen != fen.to_integral_value():
        raise ValueError(f"{where}.price: 一个多少元，不小于 0，最多两位小数")
    return int(fen)
