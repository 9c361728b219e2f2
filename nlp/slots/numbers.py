"""Numbers as people write them: 12, 十二, 廿二, 一百零二, 五零一, 俩, 半."""

from __future__ import annotations

from typing import Final

_DIGITS: Final = {c: i for i, c in enumerate("零一二三四五六七八九")} | {
    "〇": 0,
    "两": 2,
    "俩": 2,
    "仨": 3,
    "幺": 1,
    "洞": 0,
}
_UNITS: Final = {"十": 10, "廿": 20, "百": 100, "千": 1000, "万": 10000}
_TENS: Final = {"廿": 20, "卅": 30}

#: A numeral in a regular expression; 半 and the colloquial digits are left to who needs them.
HAN: Final = "[零〇一二两三四五六七八九十廿卅百]"


def number(text: str) -> int | None:
    """The value of a numeral in digits, Chinese numerals, or digits read one by one (五零一 = 501)."""
    if text.isascii() and text.isdigit():
        return int(text)
    if not text or any(c not in _DIGITS and c not in _UNITS and c not in _TENS for c in text):
        return None
    if all(c in _DIGITS for c in text):
        return int("".join(str(_DIGITS[c]) for c in text))
    return _positional(text)


def _positional(text: str) -> int | None:
    total = section = current = 0
    last_unit = 0
    for c in text:
        if c in _DIGITS:
            current = _DIGITS[c]
            if current == 0:
                last_unit = 0
        elif c in _TENS:
            section += _TENS[c]
            current, last_unit = 0, 10
        elif c == "万":
            total = (total + section + current) * 10000
            section = current = 0
            last_unit = 10000
        else:
            unit = _UNITS[c]
            section += (current or 1) * unit
            current, last_unit = 0, unit
    # 三百五 is 350: a digit that directly follows 百 or 千 counts the next lower unit
    if current and last_unit >= 100:
        current *= last_unit // 10
    return total + section + current


def digits(text: str) -> str:
    """A numeral as the digits of an address: zeros in front stay (0711, 零七)."""
    if text.isascii():
        return text
    if all(c in _DIGITS for c in text):
        return "".join(str(_DIGITS[c]) for c in text)
    value = number(text)
    return text if value is None else str(value)
