"""Where something is: what was said, completed with what is known of the speaker's home."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from bot.domain.people import Home

#: Places that belong to a staircase (a building and unit), not to a flat and not to the grounds.
STAIRCASE = (
    "电梯", "单元门", "楼道", "楼梯", "门禁", "对讲", "大堂", "走廊", "过道", "信箱", "天台", "楼顶", "屋顶",
    "电表箱", "楼门", "门厅", "消防门", "管道井", "弱电井", "水表井", "外墙",
)  # fmt: skip
#: Rooms of a flat.
FLAT = (
    "厨房", "卫生间", "厕所", "洗手间", "客厅", "卧室", "阳台", "书房", "餐厅", "浴室", "主卧", "次卧",
    "玄关", "儿童房", "家", "屋", "衣帽间", "储藏室", "飘窗", "入户门", "厅", "房",
)  # fmt: skip
#: Things that stand on the grounds: a home address says nothing about them.
GROUNDS_CATEGORIES = frozenset({"facility"})
GROUNDS_WORDS = ("路灯", "道闸", "井盖", "车库", "充电桩", "草坪灯", "地灯", "庭院灯", "围墙", "喷泉", "岗亭")
STAIRCASE_CATEGORIES = frozenset({"elevator"})


@dataclass(frozen=True, slots=True)
class Place:
    """A place, as far as it is known; strings without 栋 or 单元, as in the contract."""

    building: str = ""
    unit: str = ""
    floor: str = ""
    room: str = ""
    place: str = ""

    @classmethod
    def read(cls, value: Mapping[str, Any] | None) -> Place:
        known = value or {}
        return cls(**{name: str(known.get(name) or "") for name in cls.__slots__})

    def write(self) -> dict[str, str]:
        return {name: value for name in self.__slots__ if (value := getattr(self, name))}

    def __bool__(self) -> bool:
        return any((self.building, self.unit, self.floor, self.room, self.place))

    @property
    def line(self) -> str:
        """For those concerned: 3栋2单元501厨房."""
        building = f"{self.building}栋" if self.building else ""
        unit = f"{self.unit}单元" if self.unit else ""
        floor = f"{self.floor}层" if self.floor and not self.room else ""
        return f"{building}{unit}{floor}{self.room}{self.place}"

    def for_group(self) -> Place:
        """As a group may see it: nobody's door. 3栋*单元厨房 where a flat is meant, else as it is."""
        if not self.room:
            return self
        return Place(building=self.building, unit="*", place=self.place)

    def near(self, other: Place) -> bool:
        """Whether both may be the same staircase: nothing that both say differs."""
        same_building = not (self.building and other.building) or self.building == other.building
        return same_building and (not (self.unit and other.unit) or self.unit == other.unit)

    def corrected(self, by: Place) -> Place:
        """This place with what `by` says in its stead.

        Another building alone keeps a flat's unit and room; of a staircase the unit was a guess.
        """
        elsewhere = bool(by.building) and by.building != self.building and not self.room
        return Place(
            building=by.building or self.building,
            unit=by.unit or ("" if elsewhere else self.unit),
            room=by.room or self.room,
            floor=by.floor or ("" if by.room else self.floor),
            place=by.place or self.place,
        )


def complete(said: Place, home: Home | None, category: str, text: str) -> Place | None:
    """The place of a repair, from what was said, the speaker's home and the kind of thing.

    None when it can't be known and has to be asked: a lamp on the grounds, a stranger's kitchen.
    """
    if said.building and (said.room or said.place or said.unit):
        return _with_unit(said, home)
    staircase = category in STAIRCASE_CATEGORIES or said.place.endswith(STAIRCASE)
    if staircase:
        thing = said.place or ("电梯" if category in STAIRCASE_CATEGORIES else "")
        if said.building:
            return _with_unit(replace(said, place=thing), home)
        if home is None:
            return None
        return Place(home.building, said.unit or home.unit, said.floor, "", thing)
    if said.building:
        return said
    in_flat = not said.place or said.place.startswith(FLAT) or said.place.endswith(FLAT)
    grounds = category in GROUNDS_CATEGORIES or any(word in text for word in GROUNDS_WORDS)
    if said.place and not in_flat:
        return said
    if grounds and not said.place.endswith(FLAT):
        return None
    if home is None:
        return None
    if said.room and said.room != home.room:
        return Place(home.building, said.unit or home.unit, "", said.room, said.place)
    return Place(home.building, home.unit, "", home.room, said.place)


def _with_unit(said: Place, home: Home | None) -> Place:
    """Somebody who names the own building and a thing of the staircase means the own staircase."""
    if home and not said.unit and said.building == home.building and said.place.endswith(STAIRCASE):
        return replace(said, unit=home.unit)
    return said
