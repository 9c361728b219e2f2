"""A community (小区): its places, words, promises and wording, from one TOML file, and its running number."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tortoise import fields
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.models import Model

from bot.channels import tables
from bot.domain import catalogue, hours, parts
from bot.domain.catalogue import Catalogue
from bot.domain.hours import Hours
from bot.domain.parts import Stocked
from bot.responses import Wording, WordingError
from bot.store import Statement
from bot.unit_of_work import UnitOfWork
from nlp.vocabulary import Vocabulary


class CommunityError(Exception):
    """A community file that can't be used; one line with the file's name."""


class CommunityRow(Model):
    """The tenant. Its words live in its file, and here what must never be lost: the running number."""

    id = fields.BigIntField(primary_key=True)
    slug = fields.CharField(max_length=64, unique=True)
    name = fields.CharField(max_length=64)
    last_ref = fields.IntField()

    class Meta:
        table = "community"


@dataclass(frozen=True, slots=True)
class Promise:
    """How soon, from now, somebody claims, visits and solves."""

    claim: timedelta
    visit: timedelta
    done: timedelta


class Mode(StrEnum):
    """How a ticket finds its worker: whoever takes it first, a lead's word, or the house's own choice."""

    CLAIM = "抢单"
    ASSIGN = "派单"
    AUTOMATIC = "自动"


@dataclass(frozen=True, slots=True)
class Dispatch:
    """The way of dispatch, and how long somebody who was asked has for the answer."""

    mode: Mode = Mode.CLAIM
    answer: timedelta = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Community:
    """What a community's file says, checked. `id` is its row."""

    slug: str
    name: str
    zone: ZoneInfo
    wording: Wording
    buildings: frozenset[str] = frozenset()
    units: int = 0
    floors: int = 0
    rooms: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    trades: Mapping[str, frozenset[str]] = field(default_factory=dict)
    #: By urgency, and by urgency and category where a category has its own: "urgent", "normal.elevator".
    promises: Mapping[str, Promise] = field(default_factory=dict)
    #: When the clocks of promises run; None for always.
    hours: Hours | None = None
    dispatch: Dispatch = field(default_factory=Dispatch)
    #: What can be booked: housekeeping and public rooms.
    catalogue: Catalogue = field(default_factory=Catalogue)
    #: The common parts that are kept in stock.
    parts: tuple[Stocked, ...] = ()
    #: So many households that report the same broken thing make it urgent.
    urgent_households: int = 5
    numbers: Mapping[str, str] = field(default_factory=dict)
    #: What the community's file says to a channel, by the channel's name; each reads its own.
    channels: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    id: int = 0

    @property
    def staff_group(self) -> str:
        """The group robot in whose group alerts to staff are posted too; "" where there is none."""
        return str(self.channels.get("webhook", {}).get("staff", ""))

    def vocabulary(self) -> Vocabulary:
        return Vocabulary(places=self.places, words=self.words)

    def promise(self, urgency: str, category: str = "") -> Promise:
        known = urgency if urgency in self.promises else "normal"
        return self.promises.get(f"{known}.{category}") or self.promises[known]

    def trades_for(self, category: str) -> frozenset[str]:
        """The trades that take a category; empty means anybody."""
        own = frozenset(trade for trade, categories in self.trades.items() if category in categories)
        return own or self.catalogue.trades_for(category)

    def impossible(self, building: str | None, unit: str | None, room: str | None) -> bool:
        """Whether there is no such home here. What a community doesn't say is not checked."""
        if building and self.buildings and building not in self.buildings:
            return True
        if unit and self.units and unit.isdigit() and not 1 <= int(unit) <= self.units:
            return True
        if room and self.floors and room.isdigit() and len(room) >= 3:
            floor, door = int(room[:-2]), room[-2:]
            return not 1 <= floor <= self.floors or bool(self.rooms and door not in self.rooms)
        return False


#: A unit of work in one of our communities: what the domain's verbs take.
Work = UnitOfWork[Community]

_DEFAULT_PROMISES = {
    "normal": Promise(timedelta(minutes=30), timedelta(hours=24), timedelta(hours=72)),
    "urgent": Promise(timedelta(minutes=10), timedelta(minutes=30), timedelta(hours=24)),
    #: answered, and closed
    "complaint": Promise(timedelta(hours=24), timedelta(hours=24), timedelta(days=7)),
}
_TABLES = {"name", "slug", "zone", "buildings", "places", "words", "trades", "promises", "numbers"}
_TABLES |= {"channels", "wording", "hours", "dispatch", "services", "facilities", "workers", "parts"}
_TABLES |= {"incidents"}


def read_file(path: Path, wording: Wording) -> Community:
    """A community from its file. Raises CommunityError with one line for whoever edits the file."""
    try:
        text = path.read_text(encoding="utf-8")
        data = tomllib.loads(text)
        return _read(path.stem, data, wording, text)
    except (
        tomllib.TOMLDecodeError,
        UnicodeDecodeError,
        WordingError,
        ValueError,
        TypeError,
        KeyError,
    ) as exc:
        raise CommunityError(f"{path.name}: {exc}") from exc


def _read(stem: str, data: Mapping[str, Any], wording: Wording, text: str) -> Community:
    unknown = set(data) - _TABLES
    if unknown:
        raise ValueError(f"unknown {', '.join(sorted(unknown))}")
    try:
        zone = ZoneInfo(data.get("zone", "Asia/Shanghai"))
    except ZoneInfoNotFoundError as exc:
        raise ValueError(f"zone: {exc}") from exc
    buildings = data.get("buildings", {})
    own = data.get("wording", {})
    return Community(
        slug=str(data.get("slug", stem)),
        name=str(data["name"]),
        zone=zone,
        wording=wording.with_own(own) if own else wording,
        buildings=frozenset(_strings("buildings.numbers", buildings.get("numbers", []))),
        units=int(buildings.get("units", 0)),
        floors=int(buildings.get("floors", 0)),
        rooms=tuple(_strings("buildings.rooms", buildings.get("rooms", []))),
        places=tuple(_strings("places.names", data.get("places", {}).get("names", []))),
        words={word: tuple(_strings(word, others)) for word, others in data.get("words", {}).items()},
        trades={trade: frozenset(_strings(trade, names)) for trade, names in data.get("trades", {}).items()},
        promises=_promises(data.get("promises", {})),
        hours=hours.read(data["hours"]) if "hours" in data else None,
        dispatch=_dispatch(data.get("dispatch", {})),
        catalogue=catalogue.read(data, frozenset(data.get("trades", {}))),
        parts=parts.read(data.get("parts", [])),
        urgent_households=_urgent_households(data.get("incidents", {})),
        numbers={"gas": "", "elevator": "", "property": ""}
        | {name: str(number) for name, number in data.get("numbers", {}).items()},
        channels=_channels(data.get("channels", {}), text),
    )


def _promises(found: Mapping[str, Any]) -> dict[str, Promise]:
    """The clocks by urgency, and by urgency and category for categories that have their own."""
    promises = dict(_DEFAULT_PROMISES)
    for urgency, table in found.items():
        if urgency not in _DEFAULT_PROMISES:
            raise ValueError(f"promises.{urgency}: normal or urgent, with claim, visit and done in minutes")
        if urgency == "complaint":
            promises[urgency] = _answer(promises[urgency], table)
            continue
        minutes = {name: n for name, n in table.items() if not isinstance(n, dict)}
        if minutes:
            promises[urgency] = _promise(f"promises.{urgency}", promises[urgency], minutes)
        for category in table.keys() - minutes.keys():
            where = f"promises.{urgency}.{category}"
            promises[f"{urgency}.{category}"] = _promise(where, promises[urgency], table[category])
    return promises


def _promise(where: str, before: Promise, minutes: Mapping[str, Any]) -> Promise:
    """What a table changes of a promise."""
    wrong = [n for name, n in minutes.items() if type(n) is not int or n <= 0]
    if wrong or set(minutes) - {"claim", "visit", "done"}:
        raise ValueError(f"{where}: claim, visit and done, each in minutes")
    return replace(before, **{name: timedelta(minutes=n) for name, n in minutes.items()})


def _answer(before: Promise, table: Mapping[str, Any]) -> Promise:
    """The clocks of complaints: answered and closed, in minutes."""
    if set(table) - {"answer", "close"} or any(type(n) is not int or n <= 0 for n in table.values()):
        raise ValueError("promises.complaint: answer and close, each in minutes")
    answer, close = table.get("answer"), table.get("close")
    claim = timedelta(minutes=answer) if answer else before.claim
    done = timedelta(minutes=close) if close else before.done
    if done < claim:
        raise ValueError("promises.complaint: close comes after answer")
    return Promise(claim, claim, done)


def _dispatch(found: Mapping[str, Any]) -> Dispatch:
    answer = found.get("answer", 10)
    if set(found) - {"mode", "answer"} or found.get("mode", "抢单") not in set(Mode):
        raise ValueError("dispatch: mode is 抢单, 派单 or 自动; answer is in minutes")
    if type(answer) is not int or answer <= 0:
        raise ValueError("dispatch.answer: minutes")
    return Dispatch(Mode(found.get("mode", "抢单")), timedelta(minutes=answer))


def _urgent_households(found: Mapping[str, Any]) -> int:
    count = found.get("urgent", 5)
    if set(found) - {"urgent"} or type(count) is not int or count < 2:
        raise ValueError("incidents.urgent: how many households make it urgent, 2 or more")
    return count


def _channels(found: Any, text: str) -> dict[str, Mapping[str, Any]]:
    if not isinstance(found, dict) or not all(isinstance(one, dict) for one in found.values()):
        raise ValueError("channels: a table a channel, e.g. [channels.wechat_oa]")
    for channel, table in found.items():
        try:
            tables.check(channel, table)
        except ValueError as fault:
            raise ValueError(f"{fault}{_where(text, str(fault))}") from None
    return found


def _where(text: str, fault: str) -> str:
    """Where in the file the table is that a fault names first, in the words of tomllib; "" when unknown."""
    named = fault.split(":", 1)[0]
    while "." in named:
        header = re.compile(rf"^\s*\[+\s*{re.escape(named)}\s*[\].]", re.M)
        if found := header.search(text):
            line = text.count("\n", 0, found.end()) + 1
            return f" (at line {line})"
        named = named.rpartition(".")[0]
    return ""


def _strings(where: str, values: Iterable[Any]) -> list[str]:
    values = list(values)
    for value in values:
        if not isinstance(value, str):
            raise ValueError(f"{where}: {value!r} must be in quotes")
    return values


def read_folder(folders: Iterable[Path], wording: Wording) -> list[Community]:
    """The communities of the first folder that has any. Raises CommunityError."""
    for folder in folders:
        paths = sorted(folder.glob("*.toml")) if folder.is_dir() else []
        if paths:
            found = [read_file(path, wording) for path in paths]
            slugs = [one.slug for one in found]
            for slug in slugs:
                if slugs.count(slug) > 1:
                    raise CommunityError(f"{folder.name}: two communities call themselves {slug}")
            return found
    raise CommunityError("no community: put one TOML file a community into " + str(next(iter(folders), "")))


_ENSURE = Statement(
    "insert into community (slug, name, last_ref) values ($1, $2, 0)"
    " on conflict (slug) do update set name = excluded.name returning id"
)
_HOLD = Statement("update community set last_ref = last_ref where id = $1 returning last_ref")
_NEXT_REF = Statement("update community set last_ref = last_ref + 1 where id = $1 returning last_ref")


async def ensure(db: BaseDBAsyncClient, community: Community) -> int:
    """The row of a community, made when it is new."""
    row = await _ENSURE.row(db, community.slug, community.name)
    assert row is not None
    return int(row["id"])


async def hold(db: BaseDBAsyncClient, community_id: int) -> int:
    """The last number given out. Nobody gets another one before this transaction ends."""
    row = await _HOLD.row(db, community_id)
    assert row is not None
    return int(row["last_ref"])


async def next_ref(db: BaseDBAsyncClient, community_id: int) -> int:
    """The next running number. The row stays locked until the transaction ends: no gap, no double."""
    row = await _NEXT_REF.row(db, community_id)
    assert row is not None
    return int(row["last_ref"])
