"""Telephone numbers: found here, however they are spaced or spelled; phonenumbers says which can exist."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

_HAN = str.maketrans("零〇一二三四五六七八九幺", "001234567891")
#: How numbers are spaced: mobile, Taiwan mobile, landline, Hong Kong. Not just any run of digits: behind
#: a number an address may follow (13912345678 3栋).
_RUN = re.compile(
    r"(?<![\w.#])(?:\+?86[ -]?)?"
    r"(?:1[3-9]\d[ -]?\d{4}[ -]?\d{4}|09\d\d[ -]?\d{3}[ -]?\d{3}"
    r"|0\d{2,3}[ -]?\d{7,8}|[5-9]\d{3} ?\d{4})(?!\d)",
    re.ASCII,
)
_MOBILE = re.compile(r"^(?:86)?(1[3-9]\d{9})$")
_LANDLINE = re.compile(r"^0\d{9,11}$")
_HONG_KONG = re.compile(r"^[5-9]\d{7}$")
_TAIWAN = re.compile(r"^09\d{8}$")


@cache
def _library() -> Any:
    """The tables of the world's numbering plans are large; only a text with a number pays for them."""
    import phonenumbers  # noqa: PLC0415

    return phonenumbers


def _valid(digits: str) -> bool:
    if _MOBILE.match(digits):
        region = "CN"
    elif _TAIWAN.match(digits):
        region = "TW"
    elif _HONG_KONG.match(digits):
        region = "HK"
    elif _LANDLINE.match(digits):
        region = "CN"
    else:
        return False
    library = _library()
    try:
        return bool(library.is_possible_number(library.parse(digits, region)))
    except library.NumberParseException:
        return False


def find(plain: str) -> list[tuple[str, tuple[int, int]]]:
    """Numbers as digits only (contract: no separators, no +86), each with its span."""
    found = []
    for match in _RUN.finditer(plain.translate(_HAN)):
        digits = re.sub(r"\D", "", match[0])
        mobile = _MOBILE.match(digits)
        if mobile:
            digits = mobile[1]
        if _valid(digits):
            found.append((digits, match.span()))
    return found


def write(digits: str) -> str:
    return digits


def read(value: str) -> str:
    return re.sub(r"\D", "", value)
