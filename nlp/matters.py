"""What a report is about: which thing, what is wrong with it, and which places the words name.

Two reports of one broken thing are told by this, by their places and by the time between them. All words
stand in matters.toml.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from nlp.normal import Normaliser

_PLAIN = Normaliser({})
_CLAUSE = re.compile(r"[，,。；;！!？?\n~～、 ]+")
_LEVEL = re.compile(r"(?:b|负|地下)([1-4一二三四])|地下([一二三四])层")
_FLOOR = re.compile(r"(\d{1,2}|[一二三四五六七八九十]{1,3})[楼层](?!栋|道门)")
_GATE = re.compile(r"[东南西北](?:大|小)?门口?|[东南西北]侧门")
_NUMBERS = {char: n for n, char in enumerate("一二三四五六七八九十", 1)}
#: Where a thing of the house belongs to.
STAIRCASE, BUILDING, SPOT = "staircase", "building", "spot"


@dataclass(frozen=True, slots=True)
class Matter:
    """One report. `thing` is "" where the words name none that we know.

    `spread` is how far a fault of this thing reaches by its nature: a staircase (电梯), a building (停水), or
    no further than the place itself. `alone` says that it is this flat's only: 就我家, 对门有.
    """

    thing: str = ""
    spread: str = SPOT
    trouble: str = ""
    signs: frozenset[str] = frozenset()
    which: str = ""
    spots: frozenset[str] = frozenset()
    rooms: frozenset[str] = frozenset()
    level: str = ""
    floor: str = ""
    at_home: bool = False
    alone: bool = False
    everywhere: bool = False


class _Words:
    """The lists of matters.toml, ready to be looked for."""

    def __init__(self, found: dict[str, Any]) -> None:
        self.outages = [
            (name, re.compile(one["says"]), re.compile(one["never"]) if "never" in one else None)
            for name, one in found["outage"].items()
        ]
        self.things = {
            word: (name, STAIRCASE) for name, words in found["staircase"].items() for word in words.split()
        }
        self.things |= {
            word: (name, SPOT) for name, words in found["thing"].items() for word in words.split()
        }
        self.spots = {word: name for name, words in found["spot"].items() for word in words.split()}
        self.rooms = tuple(found["home"]["rooms"].split())
        self.troubles = {name: re.compile(says) for name, says in found["trouble"].items()}
        self.signs = {
            thing: {n: tuple(w.split()) for n, w in signs.items()} for thing, signs in found["sign"].items()
        }
        self.which = {name: tuple(words.split()) for name, words in found["which"].items()}
        self.home = tuple(found["home"]["words"].split())
        self.alone = re.compile(found["home"]["alone"])
        self.neighbours = re.compile(found["home"]["neighbours"])
        self.everywhere = re.compile(found["everywhere"]["says"])
        # Longest first: 单元门口 is a place, 单元门 a thing.
        self.any = _one_of({*self.things, *found["neutral"]["words"].split()})
        self.spot = _one_of(self.spots)


def _one_of(words: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, sorted(words, key=len, reverse=True))))


@cache
def _words() -> _Words:
    with Path(__file__).with_suffix(".toml").open("rb") as file:
        return _Words(tomllib.load(file))


def read(text: str, places: Sequence[str] = ()) -> Matter:
    """What a report says. `places` are the community's own names of places."""
    plain = _PLAIN(text).lower()
    words = _words()
    clauses = [clause for clause in _CLAUSE.split(plain) if clause]
    alone = bool(words.alone.search(plain))
    thing, spread = _outage(clauses), BUILDING
    named = ""
    if not thing:
        thing, spread, named = _thing(clauses, words, places)
    return Matter(
        thing=thing,
        spread=SPOT if alone and spread == BUILDING else spread,
        trouble=next((name for name, says in words.troubles.items() if says.search(plain)), ""),
        signs=frozenset(_all(words.signs.get(thing, {}), plain)),
        which=_first(words.which, plain),
        spots=frozenset(_spots(plain, named, words, places)),
        rooms=frozenset(room for room in words.rooms if room in plain),
        level=_level(plain),
        floor=_floor(plain),
        at_home=any(word in plain for word in words.home) or (alone and spread == BUILDING),
        alone=alone,
        everywhere=bool(words.everywhere.search(plain)),
    )


def of_neighbours(text: str) -> bool:
    """Whether words say only that others have it, too: 对门也没有."""
    return bool(_words().neighbours.fullmatch(_PLAIN(text).strip(" ，,。.！!")))


def _outage(clauses: Iterable[str]) -> str:
    for clause in clauses:
        for name, says, never in _words().outages:
            if says.search(clause) and not (never and never.search(clause)):
                return str(name)
    return ""


def _thing(clauses: Iterable[str], words: _Words, places: Sequence[str]) -> tuple[str, str, str]:
    """What is broken is the last thing named in the first clause that names one: 单元门口的灯坏了."""
    for clause in clauses:
        rest = clause
        for place in sorted(places, key=len, reverse=True):
            if place.lower() not in words.things:
                rest = rest.replace(place.lower(), "　")
        rest = _GATE.sub("　", rest)
        found = [match.group() for match in words.any.finditer(rest)]
        things = [word for word in found if word in words.things]
        if things:
            name, spread = words.things[things[-1]]
            if _GATE.search(clause) and name in ("entry", "home_door", "home_lock"):
                name, spread = "entry", SPOT
            return name, spread, things[-1]
    inside = any("电梯" in clause for clause in clauses)  # something is wrong in there, with no thing named
    return ("elevator", STAIRCASE, "电梯") if inside else ("", SPOT, "")


def _first(lists: dict[str, tuple[str, ...]], plain: str) -> str:
    return next((name for name, words in lists.items() if any(word in plain for word in words)), "")


def _all(lists: dict[str, tuple[str, ...]], plain: str) -> list[str]:
    return [name for name, words in lists.items() if any(word in plain for word in words)]


def _spots(plain: str, named: str, words: _Words, places: Sequence[str]) -> set[str]:
    """The places that are named beside the thing, by our names for them."""
    found = {gate.group()[0] + "门" for gate in _GATE.finditer(plain)}
    rest = _GATE.sub("　", plain)
    for place in sorted(places, key=len, reverse=True):
        if place.lower() in rest and not words.spot.search(place.lower()):
            found.add(place)
            rest = rest.replace(place.lower(), "　")
    if named in words.spots:
        rest = rest.replace(named, "　")
    return found | {words.spots[match.group()] for match in words.spot.finditer(rest)}


def _level(plain: str) -> str:
    match = _LEVEL.search(plain)
    said = (match[1] or match[2]) if match else ""
    return f"b{_NUMBERS.get(said, said)}" if said else ""


def _floor(plain: str) -> str:
    match = _FLOOR.search(plain)
    said = match[1] if match else ""
    if not said or said.isdigit():
        return said
    if "十" not in said:
        return str(_NUMBERS.get(said, ""))
    tens, _, ones = said.partition("十")
    return str(_NUMBERS.get(tens, 1) * 10 + _NUMBERS.get(ones, 0))
