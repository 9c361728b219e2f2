"""Free slots: what can be had of a service, when, with whom; and which of them fits a wish best."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from bot.domain import bookings, people
from bot.domain.catalogue import Service
from bot.domain.communities import Work
from bot.domain.people import Person, Role
from bot.domain.telling import local
from bot.domain.times import Window

NOTICE = timedelta(minutes=30)  # a slot that begins sooner is not offered
MOST = 3  # offers at once: a digit each


@dataclass(frozen=True, slots=True)
class Slot:
    """A free slot. Times are naive and local; `worker` is None where nobody comes, or somebody later."""

    start: datetime
    end: datetime
    worker: Person | None = None

    def aware(self, zone: Any) -> tuple[datetime, datetime]:
        return self.start.replace(tzinfo=zone).astimezone(UTC), self.end.replace(tzinfo=zone).astimezone(UTC)

    def say(self, now: datetime) -> str:
        """周六 09:00–11:00."""
        return Window(self.start, self.end).say(now).strip()


@dataclass(frozen=True, slots=True)
class Wish:
    """When it is wanted: to begin between two times, or `at` one of them exactly. Naive and local."""

    since: datetime
    until: datetime
    at: datetime | None = None
    ends: datetime | None = None  # by when it has to be over

    @classmethod
    def of(cls, said: dict[str, Any] | None, now: datetime) -> Wish | None:
        """From a time value; None where any time will do."""
        if not said:
            return None
        window = Window.of(said)
        start, end = window.start, window.end
        midnight = datetime.combine(start.date(), time())
        if end is not None:
            at = start if window.grain in ("minute", "hour") and window.mod != "after" else None
            return cls(start, end, at)
        if window.mod == "after":
            return cls(start, midnight + timedelta(days=1))
        if window.mod == "before":
            return cls(midnight, start, ends=start)
        return cls(start, start + timedelta(minutes=1), at=start)

    @property
    def days(self) -> list[date]:
        """The days that it speaks of; at most a month's."""
        last = (self.until - timedelta(minutes=1)).date()
        count = min((last - self.since.date()).days, 30)
        return [self.since.date() + timedelta(days=n) for n in range(count + 1)]

    def fits(self, slot: Slot) -> bool:
        if self.ends is not None and slot.end > self.ends:
            return False
        if self.at is not None:
            return slot.start == self.at
        return self.since <= slot.start < self.until

    def far(self, slot: Slot) -> float:
        """How far a slot is from the wish, in seconds; another time of the same day counts as near."""
        if self.fits(slot):
            return 0.0
        middle = self.at or self.since
        gap = abs((slot.start - middle).total_seconds())
        return gap if slot.start.date() == middle.date() else gap + 6 * 3600


def worker_resource(work: Work, worker: Person) -> str:
    return f"{work.community.id}:worker:{worker.id}"


def places(work: Work, service: Service, *, manned: bool) -> list[str]:
    """The places of a service that has a capacity of its own; one where nobody here does it yet."""
    count = service.capacity or (0 if manned else 1)
    return [f"{work.community.id}:place:{service.name}:{number}" for number in range(count)]


def allowance(work: Work, service: Service, home_id: int) -> str:
    return f"{work.community.id}:home:{home_id}:{service.name}"


async def workers(work: Work, service: Service) -> list[Person]:
    """Who does a service here: staff of its trades, so far as the file doesn't say otherwise."""
    if service.room or not service.trades:
        return []
    staff = await people.holders(work.db, work.community.id, Role.STAFF, trades=service.trades)
    rules = work.community.catalogue.workers
    return [one for one in staff if not (rule := rules.get(one.name)) or not rule.services
            or service.name in rule.services]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Plan:
    """What is taken of a service's workers and places within a span of days."""

    work: Work
    service: Service
    crew: list[Person]
    manned: bool  # somebody here does it, even if nobody of them is left to ask
    taken: Mapping[str, frozenset[int]]
    known: int | None  # who came to this household last

    def free(self, resource: str, start: datetime, end: datetime) -> bool:
        zone = self.work.community.zone
        first, last = bookings.cells(start.replace(tzinfo=zone), end.replace(tzinfo=zone))
        return self.taken[resource].isdisjoint(range(first, last + 1))

    def free_workers(self, start: datetime, end: datetime) -> list[Person]:
        """Who can come then, the best first: known to the household, with little to do."""
        minutes = round((end - start).total_seconds() / 60)
        serves = self.work.community.catalogue.serves
        found = [
            one
            for one in self.crew
            if self.free(worker_resource(self.work, one), start, end)
            and serves(one.name, self.service, start, minutes)
        ]
        return sorted(found, key=lambda one: (one.id != self.known, self.load(one), one.id))

    def load(self, worker: Person) -> int:
        return len(self.taken[worker_resource(self.work, worker)])

    def open(self, start: datetime, end: datetime) -> list[Slot]:
        """The slot with each who can do it; [] where it is full."""
        own = places(self.work, self.service, manned=self.manned)
        if own and not any(self.free(one, start, end) for one in own):
            return []
        if not self.manned:
            return [Slot(start, end)]
        return [Slot(start, end, one) for one in self.free_workers(start, end)]


async def plan(
    work: Work, service: Service, since: date, until: date, home_id: int | None, but: Iterable[int] = ()
) -> Plan:
    """Look up what is taken from one day to another; of the workers not those in `but`."""
    crew = await workers(work, service)
    without = set(but)
    left = [one for one in crew if one.id not in without]
    zone = work.community.zone
    start = datetime.combine(since, time(), zone)
    end = datetime.combine(until + timedelta(days=1), time(), zone)
    resources = places(work, service, manned=bool(crew)) + [worker_resource(work, one) for one in left]
    taken = {one: await bookings.taken(work.db, one, start, end) for one in resources}
    known = await bookings.last_worker(work.db, home_id, work.now)
    return Plan(work, service, left, bool(crew), taken, known)


async def search(
    work: Work,
    service: Service,
    minutes: int,
    *,
    home_id: int | None,
    but: Iterable[int] = (),
    days: Sequence[date] | None = None,
) -> list[Slot]:
    """The free slots from now on, each with the best worker for it, in order of time."""
    now = local(work)
    span = days or [now.date() + timedelta(days=n) for n in range(service.ahead)]
    made = await plan(work, service, span[0], span[-1], home_id, but)
    found: list[Slot] = []
    for day in span:
        for at in service.starts(day, minutes):
            start = datetime.combine(day, time()) + timedelta(minutes=at)
            if start >= now + NOTICE:
                found += made.open(start, start + timedelta(minutes=minutes))[:1]
    return found


def best(found: Sequence[Slot], wish: Wish | None) -> list[Slot]:
    """At most three that fit a wish best, well apart, the nearest first."""
    ranked = sorted(found, key=lambda one: (wish.far(one), one.start)) if wish else list(found)
    chosen: list[Slot] = []
    for slot in ranked:
        apart = slot.end - slot.start
        if all(abs(slot.start - one.start) >= apart for one in chosen):
            chosen.append(slot)
        if len(chosen) == MOST:
            break
    return chosen


def why_not(work: Work, service: Service, wish: Wish, found: Sequence[Slot], minutes: int) -> str:
    """The wording for why nothing fits a wish; "" where something does."""
    if any(wish.fits(one) for one in found):
        return ""
    now = local(work)
    if wish.until <= now:
        return "past"
    if wish.since.date() >= now.date() + timedelta(days=service.ahead):
        return "too_far"
    days = wish.days
    if all(not service.spans(day) for day in days):
        return "holiday" if any(service.closed_for_festival(day) for day in days) else "closed"
    starts = [
        datetime.combine(day, time()) + timedelta(minutes=at)
        for day in days
        for at in service.starts(day, minutes)
    ]
    fitting = [at for at in starts if wish.fits(Slot(at, at + timedelta(minutes=minutes)))]
    if not fitting:
        return "hours"
    if all(at < now for at in fitting):
        return "past"
    return "soon" if all(at < now + NOTICE for at in fitting) else "full"
