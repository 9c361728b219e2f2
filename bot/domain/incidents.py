"""One broken thing, many who report it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from bot.domain.communities import Community
from bot.domain.people import Home
from bot.domain.places import Place
from bot.domain.sameness import Report
from nlp import matters
from nlp.matters import BUILDING, STAIRCASE, Matter


#: What is named of a staircase, not of a flat; 家里走廊 aside.
SHARED = frozenset({"大堂", "楼道", "天台", "电梯"})
OWN_DOOR = frozenset({"home_lock", "home_door"})


def reported(
    community: Community,
    category: str,
    brief: str,
    words: str,
    where: Place,
    at: datetime,
    home: Home | None = None,
) -> Report:
    """A report as it is compared. `home` is the reporter's, for what was left unsaid."""
    matter = matters.read(words, community.places)
    return Report(matter, located(where, matter, home), category, brief, at)


def located(where: Place, matter: Matter, home: Home | None) -> Place:
    """Where the fault is by its nature: the staircase of a lift, the flat of a front door."""
    if home is not None and not where.building:
        if matter.spread in (STAIRCASE, BUILDING):
            where = replace(where, building=home.building, unit=where.unit or home.unit)
        elif matter.thing in OWN_DOOR and not matter.spots:
            where = replace(where, building=home.building, unit=home.unit, room=home.room)
    shared = matter.spread == STAIRCASE or (matter.spots & SHARED and not matter.at_home)
    return replace(where, room="") if shared else where
