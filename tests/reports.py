"""Reports of broken things as residents write them, understood as in a turn: to measure sameness."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from bot.domain import incidents, places
from bot.domain.communities import Community, read_folder
from bot.domain.people import Home
from bot.domain.places import Place
from bot.domain.sameness import Report
from bot.responses import Wording
from nlp.understanding import Understanding

FOLDER = Path(__file__).parent / "data" / "incidents"
NOON = datetime(2026, 3, 4, 4, 0, tzinfo=UTC)
LOCAL = datetime(2026, 3, 4, 12, 0)  # noqa: DTZ001 - the understanding's time is local and naive


@dataclass(frozen=True, slots=True)
class Pair:
    """Two reports, and whether they are of one thing."""

    same: bool
    minutes: int
    first: tuple[str, str]
    second: tuple[str, str]


def pairs(name: str) -> Iterator[Pair]:
    for line in (FOLDER / name).read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        same, minutes, *rest = (part.strip() for part in line.split("|"))
        assert same in ("=", "!")
        yield Pair(same == "=", int(minutes), (rest[0], rest[1]), (rest[2], rest[3]))


@cache
def community() -> Community:
    (found,) = read_folder([Path(__file__).parents[1] / "communities"], Wording.load())
    return found


@cache
def mind() -> Understanding:
    return Understanding.load(community().vocabulary())


def understood(home: str, text: str, at: datetime = NOON) -> Report | None:
    """The report in a message of somebody who lives there; None where it is not heard as a repair."""
    meaning = mind().understand(text, now=LOCAL, group=False, role="resident")
    item = next((one for one in meaning.items if one.intent == "repair.report" and meaning.sure), None)
    if item is None:
        return None
    category = str(item.slots.get("category") or "other")
    own = Home(1, *home.split("-"))
    where = places.complete(Place.read(item.slots.get("location")), own, category, item.text)
    return incidents.reported(community(), category, item.brief, item.text, where or Place(), at, own)


def later(minutes: int) -> datetime:
    return NOON + timedelta(minutes=minutes)
