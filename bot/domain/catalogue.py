"""What can be booked: services and public rooms, with price, length, hours and places."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any

from bot.domain import hours
from bot.domain.hours import Hours
from nlp.when import workdays

#: What a service may be: the contract's enum for housekeeping.book.
CATEGORIES = frozenset(
    {
        *("cleaning", "deep_cleaning", "window_cleaning", "appliance_cleaning", "cooking", "laundry"),
        *("nanny", "maternity", "childcare", "eldercare", "moving", "recycling", "pest_control", "other"),
    }
)
#: Somebody is left alone with a child, an old or a weak person: agreed to in so many words beforehand.
CARE = frozenset({"nanny", "maternity", "childcare", "eldercare"})
FACILITY = "facility"  # the category of a public room
AHEAD = 14  # days that can be booked from today on
LONGEST = 24 * 60  # minutes


@dataclass(frozen=True, slots=True)
class Service:
    """A service, or a public room. `minutes` is its length, or the room's slot; `price` is in yuan for that.

    `capacity` is how many can be had at the same time; 0 where the workers of its trades decide. `people` is
    how many a room holds, `limit` how many bookings a household may have open there; 0 for any.
    """

    name: str
    category: str
    minutes: int
    price: int
    hours: Hours
    words: tuple[str, ...] = ()
    trades: frozenset[str] = frozenset()
    capacity: int = 0
    step: int = 30
    ahead: int = AHEAD
    festivals: bool = False
    people: int = 0
    limit: int = 0

    @property
    def room(self) -> bool:
        return self.category == FACILITY

    @property
    def care(self) -> bool:
        return self.category in CARE

    def spans(self, day: date) -> tuple[tuple[int, int], ...]:
        """When it can be had on a day, in minutes after midnight."""
        if self.festivals and day not in self.hours.closed:
            return self.hours.week.get(day.weekday(), ())
        return self.hours.of(day)

    def closed_for_festival(self, day: date) -> bool:
        """Whether it is not to be had only because of a public holiday."""
        holiday = not self.festivals and workdays.festival(datetime.combine(day, time()))
        return holiday and bool(self.hours.week.get(day.weekday()))

    def starts(self, day: date, minutes: int) -> list[int]:
        """When it may begin on a day, in minutes after midnight."""
        return [at for begin, end in self.spans(day) for at in range(begin, end - minutes + 1, self.step)]

    def length(self, wanted: int | None) -> int:
        """How long it takes for who wants it so long: in whole units of its own length."""
        return wanted if wanted and wanted % self.minutes == 0 and wanted <= LONGEST else self.minutes

    def cost(self, minutes: int) -> int:
        return self.price * minutes // self.minutes


@dataclass(frozen=True, slots=True)
class Worker:
    """What the file says of a worker by name: the own hours, and the services, where they are not all."""

    hours: Hours | None = None
    services: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All that can be booked in a community."""

    services: tuple[Service, ...] = ()
    rooms: tuple[Service, ...] = ()
    workers: Mapping[str, Worker] = field(default_factory=dict)

    def named(self, name: str) -> Service | None:
        """The service or room with exactly this name."""
        return next((one for one in (*self.services, *self.rooms) if one.name == name), None)

    def meant(self, category: str | None, text: str) -> list[Service]:
        """The services that may be meant: by a name in the words, else by the kind."""
        named = [one for one in self.services if one.name in text]
        if named:
            return named
        of_kind = [one for one in self.services if one.category == category]
        said = _said(of_kind, text) or ([] if category else _said(self.services, text))
        return said or of_kind

    def room(self, item: str, text: str) -> Service | None:
        """The public room that is meant."""
        found = _said(self.rooms, item) or _said(self.rooms, text)
        return found[0] if found else None

    def trades_for(self, category: str) -> frozenset[str]:
        return frozenset(trade for one in self.services if one.category == category for trade in one.trades)

    def serves(self, worker: str, service: Service, start: datetime, minutes: int) -> bool:
        """Whether a worker does the service then; whom the file doesn't name does it whenever it is had."""
        rule = self.workers.get(worker)
        if rule is None:
            return True
        if rule.services and service.name not in rule.services:
            return False
        at = start.hour * 60 + start.minute
        return rule.hours is None or any(
            a <= at and at + minutes <= b for a, b in rule.hours.of(start.date())
        )


def _said(among: Sequence[Service], text: str) -> list[Service]:
    return [one for one in among if any(word in text for word in (one.name, *one.words))]


def yuan(price: int) -> str:
    return f"{price} 元" if price else "免费"


def span(minutes: int) -> str:
    """2 小时, 90 分钟."""
    return f"{minutes // 60} 小时" if minutes % 60 == 0 else f"{minutes} 分钟"


# ------------------------------------------------------------------------------- from the file

_BOTH = {"name", "words", "price", "minutes", "hours", "step", "ahead", "capacity", "festivals"}
_SERVICE = _BOTH | {"category", "trades"}
_ROOM = _BOTH | {"people", "limit"}
_WORKER = {"name", "hours", "services"}


def read(data: Mapping[str, Any], trades: frozenset[str]) -> Catalogue:
    """The tables [[services]], [[facilities]], [[workers]]. ValueError with the key and what it must be."""
    services = [_read(f"services[{n}]", one, trades) for n, one in _tables(data, "services")]
    rooms = [_read(f"facilities[{n}]", one, None) for n, one in _tables(data, "facilities")]
    names = [one.name for one in (*services, *rooms)]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"services、facilities：「{name}」写了两遍")
    workers: dict[str, Worker] = {}
    for n, table in _tables(data, "workers"):
        where = f"workers[{n}]"
        _only(where, table, _WORKER)
        does = _strings(f"{where}.services", table.get("services", []))
        for one in does:
            if one not in names:
                raise ValueError(f"{where}.services: [[services]] 里没有「{one}」")
        own = _hours(where, table["hours"]) if "hours" in table else None
        workers[_text(f"{where}.name", table.get("name"))] = Worker(own, frozenset(does))
    return Catalogue(tuple(services), tuple(rooms), workers)


def _tables(data: Mapping[str, Any], key: str) -> list[tuple[int, Mapping[str, Any]]]:
    found = data.get(key, [])
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise ValueError(f"{key}: 一项一个表，写成 [[{key}]]")
    return list(enumerate(found, 1))


def _read(where: str, table: Mapping[str, Any], trades: frozenset[str] | None) -> Service:
    """A service, or a room where there are no trades to know."""
    _only(where, table, _ROOM if trades is None else _SERVICE)
    name = _text(f"{where}.name", table.get("name"))
    if any(char.isdigit() or char.isspace() for char in name):
        raise ValueError(f"{where}.name: 名字里不要数字和空格")
    where = f"{where}（{name}）"
    category = FACILITY if trades is None else table.get("category")
    if trades is not None and category not in CATEGORIES:
        raise ValueError(f"{where}.category: 要写这些里的一个：{'、'.join(sorted(CATEGORIES))}")
    own = _strings(f"{where}.trades", table.get("trades", []))
    for one in own:
        if trades is not None and one not in trades:
            raise ValueError(f"{where}.trades: [trades] 里没有「{one}」")
    if "hours" not in table:
        raise ValueError(f'{where}.hours: 哪天几点可以约，例如 {{ "周一到周六" = ["09:00-12:00"] }}')
    if type(table.get("festivals", False)) is not bool:
        raise ValueError(f"{where}.festivals: true 或 false，节假日做不做")
    return Service(
        name=name,
        category=str(category),
        minutes=_number(where, table, "minutes", None, 1),
        price=_number(where, table, "price", None, 0),
        hours=_hours(where, table["hours"]),
        words=tuple(_strings(f"{where}.words", table.get("words", []))),
        trades=frozenset(own),
        capacity=_number(where, table, "capacity", 1 if trades is None else 0, 0),
        step=_number(where, table, "step", 30, 5),
        ahead=_number(where, table, "ahead", AHEAD, 1),
        festivals=table.get("festivals", False),
        people=_number(where, table, "people", 0, 0),
        limit=_number(where, table, "limit", 0, 0),
    )


def _only(where: str, table: Mapping[str, Any], known: set[str]) -> None:
    if unknown := sorted(set(table) - known):
        raise ValueError(f"{where}: 不认识 {'、'.join(unknown)}；可以写：{'、'.join(sorted(known))}")


def _hours(where: str, table: Any) -> Hours:
    if not isinstance(table, dict):
        raise ValueError(f'{where}.hours: 写成 {{ "周一到周六" = ["09:00-12:00"] }}')
    try:
        return hours.read(table)
    except ValueError as fault:
        raise ValueError(f"{where}.{fault}") from None


def _text(where: str, value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{where}: 要写名字，加引号")
    return value.strip()


def _strings(where: str, values: Any) -> list[str]:
    if not isinstance(values, list) or not all(isinstance(one, str) and one for one in values):
        raise ValueError(f'{where}: 写成一串带引号的词，例如 ["甲", "乙"]')
    return values


def _number(where: str, table: Mapping[str, Any], key: str, otherwise: int | None, least: int) -> int:
    value = table.get(key, otherwise)
    if type(value) is not int or value < least:
        unit = {"minutes": "（分钟）", "price": "（元，免费写 0）"}.get(key, "")
        raise ValueError(f"{where}.{key}: 要写整数{unit}，不小于 {least}")
    return value
