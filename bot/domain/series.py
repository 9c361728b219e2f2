"""A booking that comes again (每周三上午): its days, what is skipped, and the next ones made in time."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from tortoise import fields
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.indexes import Index
from tortoise.models import Model

from bot.domain import appointments, audit, bookings, dispatch, people, slots, tickets
from bot.domain.appointments import Order
from bot.domain.catalogue import Service
from bot.domain.communities import Work
from bot.domain.people import Person
from bot.domain.places import Place
from bot.domain.slots import Slot
from bot.domain.telling import local
from bot.domain.tickets import Ticket
from bot.inbox import milliseconds
from bot.store import Statement

AHEAD = timedelta(days=10)  # how long before its day an occurrence is booked
NAMED = 60  # days within which holidays are named beforehand
_MAKE_AT = time(10)
_WEEK = {"MO": "一", "TU": "二", "WE": "三", "TH": "四", "FR": "五", "SA": "六", "SU": "日"}
_WORKDAYS = {"MO", "TU", "WE", "TH", "FR"}


class SeriesRow(Model):
    """One row a series. `due_ms` is when the next occurrence is made, null once it was stopped."""

    id = fields.BigIntField(primary_key=True)
    community: fields.ForeignKeyRelation[Any] = fields.ForeignKeyField(
        "linli.CommunityRow", related_name=False, on_delete=fields.RESTRICT
    )
    person_id = fields.BigIntField()
    home_id = fields.BigIntField(null=True)
    service = fields.CharField(max_length=64)
    rule = fields.CharField(max_length=128)  # RFC 5545, without a clock time
    start_minute = fields.IntField()  # after midnight
    minutes = fields.IntField()
    worker_id = fields.BigIntField(null=True)
    place = fields.CharField(max_length=160)
    phone = fields.CharField(max_length=20)
    consent = fields.TextField()
    begins = fields.CharField(max_length=10)  # the first day
    made = fields.CharField(max_length=10)  # the last day that was made or passed over
    skipped = fields.TextField()  # days, with commas
    due_ms = fields.BigIntField(null=True)

    class Meta:
        table = "series"
        indexes = (
            Index(fields=("due_ms",)),
            Index(fields=("person_id", "id")),
            Index(fields=("home_id", "id")),
        )


@dataclass(frozen=True, slots=True)
class Series:
    """A series as it stands; the days are the community's."""

    id: int
    person_id: int
    home_id: int | None
    service: str
    rule: str
    start_minute: int
    minutes: int
    worker_id: int | None
    place: str
    phone: str
    consent: str
    begins: date
    made: date
    skipped: frozenset[str]
    stopped: bool

    def days(self, after: date, until: date) -> list[date]:
        """The days after one up to another, without those skipped."""
        count = (until - after).days
        found = [after + timedelta(days=n) for n in range(1, count + 1)]
        return [
            day for day in found if falls(self.rule, self.begins, day) and day.isoformat() not in self.skipped
        ]

    def slot(self, day: date, worker: Person | None) -> Slot:
        start = datetime.combine(day, time()) + timedelta(minutes=self.start_minute)
        return Slot(start, start + timedelta(minutes=self.minutes), worker)

    @property
    def line(self) -> str:
        """日常保洁，每周三 09:00."""
        hour, minute = divmod(self.start_minute, 60)
        return f"{self.service}，{say(self.rule)} {hour:02}:{minute:02}"


def say(rule: str) -> str:
    """每周三, 每周一、三, 工作日, 每天, 每月 1 号, 每两周周三."""
    parts = _parts(rule)
    days = [day for day in parts.get("BYDAY", "").split(",") if day in _WEEK]
    every = int(parts.get("INTERVAL", "1"))
    if parts.get("FREQ") == "DAILY":
        return "每天" if every == 1 else f"每 {every} 天"
    if parts.get("FREQ") == "MONTHLY":
        return f"每月 {parts.get('BYMONTHDAY', '1')} 号"
    if set(days) == _WORKDAYS:
        return "工作日"
    named = "、".join(_WEEK[day] for day in days)
    return f"每周{named}" if every == 1 else f"每 {every} 周的周{named}"


def plain(rule: str) -> str:
    """A rule without its clock time, which the slot says."""
    return re.sub(r";?BY(?:HOUR|MINUTE)=[\d,]+", "", rule).strip(";")


def readable(rule: str) -> bool:
    """Whether it names days that we can book: each day, days of the week, or one of the month."""
    parts = _parts(plain(rule))
    known = {"DAILY": {"FREQ", "INTERVAL"}, "WEEKLY": {"FREQ", "INTERVAL", "BYDAY"},
             "MONTHLY": {"FREQ", "BYMONTHDAY"}}.get(parts.get("FREQ", ""), set())  # fmt: skip
    days = all(day in _WEEK for day in parts.get("BYDAY", "MO").split(","))
    numbers = all(parts.get(name, "1").isdigit() for name in ("INTERVAL", "BYMONTHDAY"))
    named = parts.get("FREQ") != "WEEKLY" or "BYDAY" in parts
    return bool(known) and not set(parts) - known and days and numbers and named


def falls(rule: str, begins: date, day: date) -> bool:
    """Whether a rule names a day; of every other week those count from the first one."""
    parts = _parts(rule)
    every = int(parts.get("INTERVAL", "1"))
    if day < begins:
        return False
    if parts.get("FREQ") == "DAILY":
        return (day - begins).days % every == 0
    if parts.get("FREQ") == "MONTHLY":
        return day.day == int(parts.get("BYMONTHDAY", "1"))
    weeks = (day - timedelta(days=day.weekday()) - begins + timedelta(days=begins.weekday())).days // 7
    return list(_WEEK)[day.weekday()] in parts.get("BYDAY", "").split(",") and weeks % every == 0


def _parts(rule: str) -> dict[str, str]:
    return dict(part.split("=", 1) for part in rule.split(";") if "=" in part)


def read(row: Mapping[str, Any]) -> Series:
    return Series(
        id=row["id"],
        person_id=row["person_id"],
        home_id=row["home_id"],
        service=row["service"],
        rule=row["rule"],
        start_minute=row["start_minute"],
        minutes=row["minutes"],
        worker_id=row["worker_id"],
        place=row["place"],
        phone=row["phone"],
        consent=row["consent"],
        begins=date.fromisoformat(row["begins"]),
        made=date.fromisoformat(row["made"]),
        skipped=frozenset(filter(None, row["skipped"].split(","))),
        stopped=row["due_ms"] is None,
    )


_INSERT = Statement(
    "insert into series (community_id, person_id, home_id, service, rule, start_minute, minutes, worker_id,"
    " place, phone, consent, begins, made, skipped, due_ms)"
    " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12, '', $13) returning *"
)
_BY_ID = Statement("select * from series where id = $1")
_OF = Statement(
    "select * from series where id in (select id from series where person_id = $1"
    " union select id from series where home_id = $2) and due_ms is not null order by id desc limit 20"
)
_NEXT = Statement("update series set made = $2, due_ms = $3 where id = $1 returning *")
_SKIP = Statement("update series set skipped = $2 where id = $1 returning *")


async def of(db: BaseDBAsyncClient, person: Person) -> list[Series]:
    """What goes on for somebody and the household, the newest first."""
    home = person.home.id if person.home else None
    return [read(row) for row in await _OF.rows(db, person.id, home)]


async def by_id(db: BaseDBAsyncClient, series_id: int) -> Series:
    row = await _BY_ID.row(db, series_id)
    assert row is not None, f"series {series_id} vanished"
    return read(row)


def _due(work: Work, day: date) -> int:
    """When the occurrence of a day is made."""
    return milliseconds(datetime.combine(day - AHEAD, _MAKE_AT, work.community.zone).astimezone(UTC))


async def begin(work: Work, person: Person, order: Order, rule: str) -> tuple[Series, list[Ticket]] | None:
    """Book the first occurrence and those that are near; None where the first has been taken meanwhile."""
    slot, worker = order.slot, order.slot.worker
    day = slot.start.date()
    row = await _INSERT.row(
        work.db, work.community.id, person.id, order.home_id, order.service.name, plain(rule),
        slot.start.hour * 60 + slot.start.minute, order.minutes, worker.id if worker else None,
        order.where.line[:160], order.phone, order.consent, day.isoformat(), _due(work, day),
    )  # fmt: skip
    assert row is not None
    series = read(row)
    first = await appointments.book(work, person, _with(order, series, slot))
    if first is None:
        await _NEXT.row(work.db, series.id, day.isoformat(), None)
        return None
    made = [first]
    today = local(work).date()
    for following in series.days(day, today + AHEAD):
        ticket = await _book(work, series, person, order.service, order.where, following)
        if isinstance(ticket, Ticket):
            made.append(ticket)
        else:
            await _missed(work, series, person, following, ticket)
    await _proceed(work, series, max(today + AHEAD, day))
    return series, made


def _with(order: Order, series: Series, slot: Slot) -> Order:
    return Order(
        order.service, slot, order.where, order.home_id, order.words, order.phone, order.people,
        order.consent, series.id,
    )  # fmt: skip


async def _book(
    work: Work, series: Series, person: Person, service: Service, where: Place, day: date
) -> Ticket | str:
    """Book one occurrence, with the usual worker where possible; else the reason why not."""
    if not service.spans(day):
        return "holiday" if service.closed_for_festival(day) else "closed"
    made = await slots.plan(work, service, day, day, series.home_id)
    slot = series.slot(day, None)
    open_ = made.open(slot.start, slot.end)
    usual = [one for one in open_ if one.worker and one.worker.id == series.worker_id]
    for one in usual or open_[:1]:
        order = Order(
            service, one, where, series.home_id, series.line, series.phone, 0, series.consent, series.id
        )
        ticket = await appointments.book(work, person, order)
        if ticket is not None:
            return ticket
    return "full"


async def _proceed(work: Work, series: Series, made: date) -> None:
    """Write until where it is made, and when the next is."""
    following = series.days(made, made + timedelta(days=400))
    due = _due(work, following[0]) if following else None
    await _NEXT.row(work.db, series.id, made.isoformat(), due)


async def _missed(work: Work, series: Series, person: Person, day: date, why: str) -> None:
    told = [person]
    if series.home_id:
        told = await people.household(work.db, series.home_id) or told
    key = f"housekeeping.series_{'holiday' if why == 'holiday' else 'full'}"
    work.notify(told, key, confided=True, series=series, day=f"{day.month}月{day.day}日")


async def act(work: Work, series_id: int) -> None:
    """The next occurrence is near: book it, or say why it can't be."""
    series = await by_id(work.db, series_id)
    service = work.community.catalogue.named(series.service)
    person = await people.get(work.db, series.person_id)
    until = local(work).date() + AHEAD
    days = series.days(series.made, until)
    if service is None:  # the file doesn't name it any more
        await stop(work, series, None)
        work.notify([person], "housekeeping.series_no_more", confided=True, series=series)
        return
    where = await _where(work, series)
    for day in days:
        ticket = await _book(work, series, person, service, where, day)
        if isinstance(ticket, str):
            await _missed(work, series, person, day, ticket)
            continue
        worker = await people.get(work.db, ticket.assignee_id) if ticket.assignee_id else None
        other = worker is not None and worker.id != series.worker_id
        key = "housekeeping.series_next_other" if other else "housekeeping.series_next"
        booking = await bookings.of_ticket(work.db, ticket.id)
        assert booking is not None
        who = dispatch.called(worker) if worker else ""
        when = appointments.when(work, booking)
        for one in await tickets.concerned(work.db, ticket):
            work.notify([one], key, confided=True, series=series, ticket=ticket, who=who, when=when)
    await _proceed(work, series, max(until, series.made))


async def _where(work: Work, series: Series) -> Place:
    """Where the last occurrence was: the same place again."""
    rows = await bookings.of_series(work.db, series.id, datetime(2000, 1, 1, tzinfo=UTC))
    if rows:
        return (await tickets.by_id(work.db, rows[-1].ticket_id)).where
    return Place(place=series.place)


async def skip(work: Work, series: Series, day: date, by: Person) -> None:
    """Not on that day, which is not booked yet."""
    await _SKIP.row(work.db, series.id, ",".join(sorted(series.skipped | {day.isoformat()})))
    await audit.write(
        work.db, work.community.id, work.now, by.id, "skip", "series", series.id, day.isoformat()
    )


async def stop(work: Work, series: Series, by: Person | None) -> Sequence[Ticket]:
    """No more of them; the open tickets of what lies ahead, for whoever calls them off."""
    await _NEXT.row(work.db, series.id, series.made.isoformat(), None)
    who = by.id if by else None
    await audit.write(work.db, work.community.id, work.now, who, "stop", "series", series.id)
    ahead = await bookings.of_series(work.db, series.id, work.now)
    found = [await tickets.by_id(work.db, one.ticket_id) for one in ahead]
    return [one for one in found if one.state in appointments.MOVABLE]


def holidays(series: Series, service: Service, since: date) -> list[date]:
    """The next days on which it falls out for a public holiday."""
    return [
        day
        for day in series.days(since, since + timedelta(days=NAMED))
        if service.closed_for_festival(day) and not service.spans(day)
    ]
