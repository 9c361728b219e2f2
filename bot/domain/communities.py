"""A community (小区): its places, words, promises and wording, from one TOML file, and its running number."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tortoise import fields
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.models import Model

from bot.channels import tables
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
    promises: Mapping[str, Promise] = field(default_factory=dict)
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

    def promise(self, urgency: str) -> Promise:
        return self.promises[urgency if urgency in self.promises else "normal"]

    def trades_for(self, category: str) -> frozenset[str]:
        """The trades that take a category; empty means anybody."""
        return frozenset(trade for trade, categories in self.trades.items() if category in categories)

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
}
_TABLES = {"name", "slug", "zone", "buildings", "places", "words", "trades", "promises", "numbers"}
_TABLES |= {"channels", "wording"}


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
    promises = dict(_DEFAULT_PROMISES)
    for urgency, minutes in data.get("promises", {}).items():
        if urgency not in promises or set(minutes) != {"claim", "visit", "done"}:
            raise ValueError(f"promises.{urgency}: normal or urgent, with claim, visit and done in minutes")
        promises[urgency] = Promise(**{name: timedelta(minutes=int(n)) for name, n in minutes.items()})
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
        promises=promises,
        numbers={"gas": "", "elevator": "", "property": ""}
        | {name: str(number) for name, number in data.get("numbers", {}).items()},
        channels=_channels(data.get("channels", {}), text),
    )


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
_NEXT_REF = Statement("update community set last_ref = last_ref + 1 where id = $1 returning last_ref")


async def ensure(db: BaseDBAsyncClient, community: Community) -> int:
    """The row of a community, made when it is new."""
    row = await _ENSURE.row(db, community.slug, community.name)
    assert row is not None
    return int(row["id"])


async def next_ref(db: BaseDBAsyncClient, community_id: int) -> int:
    """The next running number. The row stays locked until the transaction ends: no gap, no double."""
    row = await _NEXT_REF.row(db, community_id)
    assert row is not None
    return int(row["last_ref"])
