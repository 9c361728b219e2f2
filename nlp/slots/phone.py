"""Telephone numbers: found here, however they are spaced or spelled; phonenumbers says which can exist."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import Any

_HAN = str.maketrans("零〇一二三四五六七八九幺洞拐勾两", "0012345678910792")
#: Without seven numerals close together there is no number.
_GATE = re.compile(r"(?:[0-9零〇一二三四五六七八九幺洞拐勾两][ .,·()+-]{0,2}){7}")
_GAP = r"[ .,·-]?"
#: How numbers are spaced: mobile, Taiwan mobile, landline, service number, Hong Kong. Not just any run of
#: digits: behind a number an address may follow (13912345678 3栋).
_RUN = re.compile(
    rf"""
    (?<![\w.#])(?:(?:\+|00)?(?P<country>86|852|853|886)[ -]?)?
    (?:
      (?P<mobile>1[3-9]\d{_GAP}\d{{4}}{_GAP}\d{{4}} | 1[3-9]\d\d{_GAP}\d{{3}}{_GAP}\d{{4}}
        | 1[3-9]\d{{3}}{_GAP}\d{{3}}{_GAP}\d{{3}} | 1[ ,-][3-9](?:[ ,-]\d){{9}})
    | (?P<taiwan>0?9\d\d{_GAP}\d{{3}}{_GAP}\d{{3}})
    | (?P<service>[48]00[ -]?\d{{3,4}}[ -]?\d{{3,4}})
    | (?P<area>\(?0(?:10|2\d|[3-9]\d\d)\)?[ -]?[2-9]\d{{2,3}}[ -]?\d{{4}})
    | (?P<hongkong>[5-9]\d{{3}}{_GAP}\d{{4}})
    | (?P<local>[2-8]\d{{2,3}}[ -]?\d{{4}})
    )(?!\d|[ -]\d{{4}}(?!\d))(?:[ ]?(?:转|-|分机)[ ]?\d{{1,5}}(?!\d))?
    """,
    re.ASCII | re.VERBOSE,
)
#: A number without its area is one only where it is called so.
_CUE = re.compile(r"(?:电话|座机|固话|号码|打|拨|联系|致电|call)[是为:,\s到了机我家里的正确应该]{0,6}$")
_REGIONS = {"mobile": "CN", "service": "CN", "area": "CN", "local": "CN", "taiwan": "TW", "hongkong": "HK"}


@cache
def _library() -> Any:
    """The tables of the world's numbering plans are large; only a text with a number pays for them."""
    import phonenumbers  # noqa: PLC0415

    return phonenumbers


@lru_cache(256)
def _possible(digits: str, region: str) -> bool:
    library = _library()
    try:
        return bool(library.is_possible_number(library.parse(digits, region)))
    except library.NumberParseException:
        return False


def find(plain: str) -> list[tuple[str, tuple[int, int]]]:
    """Numbers as digits only (contract: no separators, no +86, no extension), each with its span."""
    if not _GATE.search(plain):
        return []
    found: list[tuple[str, tuple[int, int]]] = []
    for match in _RUN.finditer(plain.translate(_HAN)):
        kind = match.lastgroup or ""
        digits = re.sub(r"\D", "", match[kind])
        if kind in {"mobile", "taiwan"} or not match["country"]:
            region = _REGIONS[kind]
        else:
            region = {"852": "HK", "853": "MO", "886": "TW"}.get(match["country"], "CN")
        if kind == "local" and not (
            match["country"] or _CUE.search(plain, max(0, match.start() - 10), match.start())
        ):
            continue
        if kind == "local" or _possible(digits, region):
            found.append((digits, match.span()))
    return found


def write(digits: str) -> str:
    return digits


def read(value: str) -> str:
    return re.sub(r"\D", "", value)
