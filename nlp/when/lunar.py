"""The lunar calendar and the solar terms; the library is loaded when a word first needs it."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache


@lru_cache(maxsize=512)
def day(year: int, month: int, day_of_month: int) -> datetime | None:
    """The date of a lunar day. A negative month is a leap one; a 30th that is none is the last day."""
    first = _month(year, month)
    if first is None or not 1 <= day_of_month <= 30:
        return None
    return _moment(first[0] + min(day_of_month, first[1]) - 1)


@lru_cache(maxsize=512)
def month(year: int, month_number: int) -> tuple[datetime, datetime] | None:
    """First day, and the first after it, of a lunar month."""
    first = _month(year, month_number)
    return (_moment(first[0]), _moment(first[0] + first[1])) if first else None


@lru_cache(maxsize=512)
def term(year: int, name: str) -> datetime | None:
    """The day on which a solar term begins in a Gregorian year."""
    from lunar_python import Lunar  # noqa: PLC0415 - costs 50 ms, and most texts need none

    if not 1000 <= year <= 3000:
        return None
    found = Lunar.fromYmd(year, 6, 1).getJieQiTable()
    for key in (name, _OTHER_NAMES.get(name, "")):
        solar = found.get(key)
        if solar is not None and solar.getYear() == year:
            return _date(solar.getYear(), solar.getMonth(), solar.getDay())
    return None


#: The table of a year holds some terms twice; the later one is spelled in Latin letters.
_OTHER_NAMES = {
    "冬至": "DONG_ZHI", "小寒": "XIAO_HAN", "大寒": "DA_HAN",
    "立春": "LI_CHUN", "雨水": "YU_SHUI", "惊蛰": "JING_ZHE", "大雪": "DA_XUE",
}  # fmt: skip


@lru_cache(maxsize=512)
def _month(year: int, number: int) -> tuple[int, int] | None:
    """Ordinal of the first day, and length."""
    from lunar_python import LunarYear  # noqa: PLC0415

    if not 1000 <= year <= 3000:
        return None
    found = LunarYear.fromYear(year).getMonth(number)
    if found is None:
        return None
    from lunar_python import Solar  # noqa: PLC0415

    solar = Solar.fromJulianDay(found.getFirstJulianDay())
    return _date(solar.getYear(), solar.getMonth(), solar.getDay()).toordinal(), found.getDayCount()


def _date(year: int, month_number: int, day_of_month: int) -> datetime:
    return datetime.fromisoformat(f"{year:04}-{month_number:02}-{day_of_month:02}")


def _moment(ordinal: int) -> datetime:
    return datetime.fromordinal(ordinal)
