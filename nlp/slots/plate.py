"""Number plates of the mainland and of its border with Hong Kong and Macau: 沪A12345, 粤BD12345."""

from __future__ import annotations

import re

_PLATE = re.compile(
    r"(?P<area>[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼])\s?(?P<city>[a-z])[\s·.•-]?(?P<rest>[a-z0-9](?:[\s·]?[a-z0-9]){3,4}[a-z0-9港澳]?)(?![a-z0-9])"
)


def find(plain: str) -> list[tuple[str, tuple[int, int]]]:
    """Plates with upper-case letters and no separator. The area is as in the (simplified) text."""
    found = []
    for match in _PLATE.finditer(plain):
        rest = re.sub(r"[\s·]", "", match["rest"])
        if 5 <= len(rest) <= 6:
            found.append((f"{match['area']}{match['city']}{rest}".upper(), match.span()))
    return found


def write(plate: str) -> str:
    return plate


def read(value: str) -> str:
    return value
