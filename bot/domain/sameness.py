"""Whether two reports are of one broken thing: judged by the thing, the place and the time, without rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from bot.domain.places import Place
from nlp.matters import BUILDING, STAIRCASE, Matter


class Same(Enum):
    """The verdict. What is UNSURE is filed by itself, and somebody is asked."""

    YES = "yes"
    UNSURE = "unsure"
    NO = "no"


#: How long a report may belong to an earlier one. An outage ends by itself, a lamp waits for its repair.
HOURS = {"water": 12, "power": 12, "net": 12, "tv": 12, "gas": 12, "pressure": 12, "heat": 48, "elevator": 72}
OTHERS = timedelta(days=7)
#: A fault of one floor, where it is not said which building's hall it is.
BY_FLOOR = frozenset({"lamp", "fire_door", "window", "wall", "shaft_door", "ceiling", "pipe", ""})
#: There is one of these in a community.
ONLY_ONE = frozenset({"parcel"})
#: Faults without a thing: water where none should be.
LEAKS = frozenset({"leak", "flood"})


@dataclass(frozen=True, slots=True)
class Report:
    """What is compared: the matter, where it is, whose flat it concerns, what it is called, and when."""

    matter: Matter
    where: Place
    category: str
    brief: str
    at: datetime

    @property
    def common(self) -> bool:
        """Whether others may have it as well: what a staircase or a building shares, or stands outside."""
        if self.matter.spread in (STAIRCASE, BUILDING):
            return not (
                self.matter.at_home and self.matter.spread == STAIRCASE and self.matter.thing == "entry"
            )
        return bool(self.matter.thing or self.matter.trouble in LEAKS) and self.outside

    @property
    def outside(self) -> bool:
        return bool(self.where) and not self.where.room and not self.matter.at_home and not self.matter.rooms

    @property
    def key(self) -> str:
        """What reports of the same thing have in common, for the look-up; "" where nobody else has it."""
        return (self.matter.thing or self.matter.trouble) if self.common else ""


def window(thing: str) -> timedelta:
    hours = HOURS.get(thing)
    return timedelta(hours=hours) if hours else OTHERS


def compare(new: Report, old: Report) -> Same:
    """Whether `new` is about what `old` reported before."""
    if abs(new.at - old.at) > window(new.key):
        return Same.NO
    if bool(new.key) != bool(old.key):
        return Same.NO
    if not new.key:
        return _at_home(new, old)
    if new.key != old.key or (new.matter.which and old.matter.which and new.matter.which != old.matter.which):
        return Same.NO
    troubles = new.matter.trouble != old.matter.trouble and new.matter.spread != BUILDING
    if troubles and LEAKS & {new.matter.trouble, old.matter.trouble}:
        return Same.NO
    place = _place(new, old)
    if place is Same.YES and new.matter.signs != old.matter.signs and _differ(new.matter, old.matter):
        return Same.UNSURE
    return place


def _differ(new: Matter, old: Matter) -> bool:
    """Signs that do not go together: a door that never shuts is not one that never opens.

    Broken without more may be either; a lift that makes a noise still runs.
    """
    if new.thing == "elevator":
        return True
    return bool(new.signs and old.signs) and not new.signs & old.signs


def _place(new: Report, old: Report) -> Same:
    a, b = new.where, old.where
    if new.matter.spread == BUILDING:
        if new.matter.everywhere or old.matter.everywhere or (a.building and a.building == b.building):
            return Same.YES
        return Same.UNSURE if new.at - old.at < timedelta(hours=3) else Same.NO
    if a.building and b.building and a.building != b.building:
        return Same.NO
    if a.unit and b.unit and a.unit != b.unit:
        return Same.NO
    if new.matter.spread == STAIRCASE:
        return Same.YES if a.building and b.building and a.unit and b.unit else Same.UNSURE
    return _spot(new, old)


def _spot(new: Report, old: Report) -> Same:
    """Things outside flats: by the named place, in a staircase by the floor too."""
    a, b = _spots(new), _spots(old)
    if a and b and not (a <= b or b <= a):
        return Same.NO
    level = _level(new), _level(old)
    if all(level) and level[0] != level[1]:
        return Same.NO
    in_house = new.where.building and old.where.building
    if in_house and new.key in BY_FLOOR | {"leak", "flood"} and not a & b & {"大堂", "天台", "电梯"}:
        floors = new.where.floor or new.matter.floor, old.where.floor or old.matter.floor
        if all(floors):
            return Same.YES if floors[0] == floors[1] else Same.NO
        return Same.UNSURE
    if not in_house and not (a and b) and new.key not in ONLY_ONE:
        return Same.UNSURE
    return Same.UNSURE if bool(level[0]) != bool(level[1]) else Same.YES


def _spots(report: Report) -> frozenset[str]:
    return report.matter.spots


def _level(report: Report) -> str:
    return report.matter.level or (report.where.floor.lower() if report.where.floor[:1] in "Bb" else "")


def _at_home(new: Report, old: Report) -> Same:
    """In a flat: the same household's own thing, in the same room, with the same kind of trouble."""
    a, b = new.where, old.where
    if not a.room or (a.building, a.unit, a.room) != (b.building, b.unit, b.room):
        return Same.NO
    rooms, others = new.matter.rooms, old.matter.rooms
    if rooms and others and not (rooms <= others or others <= rooms):
        return Same.NO
    if new.matter.trouble != old.matter.trouble:
        return Same.NO
    if new.matter.thing and old.matter.thing:
        return Same.YES if new.matter.thing == old.matter.thing else Same.NO
    if not new.matter.thing and not old.matter.thing:
        same = new.category == old.category and new.brief == old.brief
        return Same.YES if same else Same.UNSURE if new.category == old.category else Same.NO
    if new.matter.trouble and new.matter.rooms == old.matter.rooms and new.category == old.category:
        return Same.YES
    return Same.UNSURE if new.category == old.category else Same.NO
