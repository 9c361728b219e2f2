"""Number plates: 沪A12345, 粤BD12345, 粤Z1234港, 京A0023学, 使014578; behind 车牌 also AB1234."""

from __future__ import annotations

import re

_AREAS = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
_GATE = re.compile(rf"[{_AREAS}]\s?[a-z]|使\s?\d|[a-z][\s-]?\d{{2}}|\d[\s-]?[a-z]{{2}}")
_GAP = r"[\s·.•・‧∙_-]?"
_CHAR = "[a-z0-9零〇一二三四五六七八九幺]"
_PLATE = re.compile(
    rf"""
      (?P<area>[{_AREAS}])\s?(?P<city>[a-z])[\s·.•・‧∙_-]{{0,2}}
      (?P<rest>{_CHAR}(?:{_GAP}{_CHAR}){{3,5}}[港澳警学挂领]?)(?![a-z0-9])
    | 使\s?(?P<mission>\d{{3}}{_GAP}\d{{3}})(?!\d)
    | (?:车牌|车号|机车|牌照|车子?|牌)[号码是为:\s]{{0,3}}
      (?P<abroad>[a-z]{{2,3}}[\s-]?\d{{3,4}}|\d{{3,4}}[\s-]?[a-z]{{2,3}}|[a-z]\d[a-z\d]?-\d{{3,4}})(?![a-z0-9])
    """,
    re.VERBOSE,
)
_HAN = str.maketrans("零〇一二三四五六七八九幺", "001234567891")
_SEPARATORS = re.compile(r"[^a-z0-9港澳警学挂领]")


def find(plain: str) -> list[tuple[str, tuple[int, int]]]:
    """Plates with upper-case letters and no separator. The area is as in the (simplified) text."""
    if not _GATE.search(plain):
        return []
    found = []
    for match in _PLATE.finditer(plain):
        kind = str(match.lastgroup)
        rest = _SEPARATORS.sub("", match[kind].translate(_HAN))
        if kind == "rest":
            if 5 <= len(rest) <= 6 and (any(c.isdigit() for c in rest)):
                found.append((f"{match['area']}{match['city']}{rest}".upper(), match.span()))
        else:
            found.append(
                (
                    ("使" if kind == "mission" else "") + rest.upper(),
                    (match.start(kind) - (kind == "mission"), match.end()),
                )
            )
    return found


def write(plate: str) -> str:
    return plate


def read(value: str) -> str:
    return value
