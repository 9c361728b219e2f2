"""What is done to bookings: made, moved, dropped, reminded of. A booking is a ticket with a slot."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

from bot.domain import audit, bookings, clocks, dispatch, offers, people, slots, tickets
from bot.domain.bookings import Booking
from bot.domain.catalogue import Service, yuan
from bot.domain.communities import Work
from bot.domain.people import Person
from bot.domain.places import Place
from bot.domain.slots import MOST, Slot
from bot.domain.telling import assignee, local, tell_concerned, without
from bot.domain.tickets import BOOKING, Clocks, State, Ticket, Verb
from bot.store import Statement, savepoint
from bot.unit_of_work import Refusal

REMIND_AT = time(17)  # on the day before
LATE_AFTER = clocks.BOOKED_GRACE  # past its begin nobody has come
MOVABLE = frozenset({State.OPEN, State.ACCEPTED})
_RENAME = Statement("update ticket set brief = $2, wanted = $3 where id = $1 returning *")


@dataclass(frozen=True, slots=True)
class Order:
    """What somebody wants booked: this slot, with this worker where the slot names one."""

    service: Service
    slot: Slot
    where: Place
    home_id: int | None
    words: str = ""
    phone: str = ""
    people: int = 0
    consent: str = ""
    series_id: int | None = None

    @property
    def minutes(self) -> int:
        return round((self.slot.end - self.slot.start).total_seconds() / 60)


class _Taken(Exception):
    """Somebody was first."""


async def book(work: Work, person: Person, order: Order) -> Ticket | None:
    """Take the slot and open its ticket; None where it has been taken meanwhile."""
    service, slot = order.service, order.slot
    start, end = slot.aware(work.community.zone)
    booking = await bookings.begin(
        work.db, work.community.id, service=service.name, start=start, minutes=order.minutes,
        person_id=person.id, home_id=order.home_id, series_id=order.series_id, people=order.people,
        price=service.cost(order.minutes), consent=order.consent,
    )  # fmt: skip
    if not await _take(work, booking, service, slot):
        await bookings.forget(work.db, booking)
        return None
    if service.limit and order.home_id and not await bookings.take_one_of(
        work.db, booking, slots.allowance(work, service, order.home_id), service.limit
    ):  # fmt: skip
        await bookings.forget(work.db, booking)
        raise Refusal("facility.book.limit", service=service, count=service.limit)
    ticket = await _file(work, person, order, start, end)
    worker = slot.worker
    await bookings.settle(
        work.db, booking, ticket_id=ticket.id, start=start, end=end,
        worker_id=worker.id if worker else None, due=reminder(work, start),
    )  # fmt: skip
    if order.consent:
        await audit.write(
            work.db, work.community.id, work.now, person.id, "consent", "ticket", ticket.id, order.consent
        )
    if worker is not None:
        work.notify([worker], "housekeeping.new_yours", **await details(work, ticket))
    if ticket.home_id and not order.series_id:
        family = without(await people.household(work.db, ticket.home_id), person)
        key = "facility.booked_for" if service.room else "housekeeping.booked_for"
        work.notify(family, key, confided=True, ticket=ticket, who=person.called, when=slot.say(local(work)))
    return ticket


async def _take(work: Work, booking: Booking, service: Service, slot: Slot) -> bool:
    """The slot's worker and place, both or neither."""
    groups: list[list[str]] = []
    own = slots.places(work, service, manned=slot.worker is not None)
    if own:
        groups.append(own)
    if slot.worker is not None:
        groups.append([slots.worker_resource(work, slot.worker)])
    start, end = slot.aware(work.community.zone)
    return await bookings.take(work.db, booking, groups, start, end) is not None


def brief(service: Service, slot: Slot) -> str:
    """擦玻璃 3月7日 09:00: there may be several of one kind, and the day tells them apart."""
    at = slot.start
    return f"{service.name} {at.month}月{at.day}日 {at:%H:%M}"


def _wanted(slot: Slot) -> str:
    start, end = (at.isoformat(timespec="minutes") for at in (slot.start, slot.end))
    return json.dumps({"start": start, "end": end, "grain": "hour"})


async def _file(work: Work, person: Person, order: Order, start: datetime, end: datetime) -> Ticket:
    """The ticket: in the worker's hands at once, where there is one; a room needs nobody's."""
    worker, room = order.slot.worker, order.service.room
    assigned = worker is not None or room
    timing = await clocks.timing(work)
    claim = timing.started("normal", order.service.category).claim
    assert claim is not None
    spoken = end if room else start + LATE_AFTER
    ticket = await tickets.file(
        work.db, work.community.id, person, now=work.now, kind=BOOKING, category=order.service.category,
        brief=brief(order.service, order.slot), words=order.words, where=order.where,
        home_id=order.home_id, promised=spoken if assigned else claim,
        due=spoken if assigned else timing.rung(work.now, claim, 1, urgent=False), phone=order.phone,
        wanted=_wanted(order.slot), clocks=Clocks(None if assigned else claim, start, end),
    )  # fmt: skip
    if assigned:
        return await tickets.move(
            work.db, ticket, Verb.ACCEPT, None, now=work.now, promised=spoken, due=spoken,
            assignee_id=worker.id if worker else None,
        )  # fmt: skip
    ticket, _ = await offers.begin(work, ticket, timing)
    return ticket


def reminder(work: Work, start: datetime) -> datetime | None:
    """When both sides are reminded: on the day before; None where that is over."""
    day = start.astimezone(work.community.zone).date() - timedelta(days=1)
    at = datetime.combine(day, REMIND_AT, work.community.zone).astimezone(UTC)
    return at if at > work.now else None


async def details(work: Work, ticket: Ticket) -> dict[str, Any]:
    """What a worker has to know of a booking: when, whom to ask for, for how much."""
    booking = await bookings.of_ticket(work.db, ticket.id)
    assert booking is not None
    person = await people.get(work.db, booking.person_id)
    contact = " ".join(filter(None, (person.called, ticket.phone or person.phone)))
    return {"ticket": ticket, "when": when(work, booking), "contact": contact, "price": yuan(booking.price)}


def when(work: Work, booking: Booking) -> str:
    zone = work.community.zone
    start, end = (at.astimezone(zone).replace(tzinfo=None) for at in (booking.start, booking.end))
    return Slot(start, end).say(local(work))


def service_of(work: Work, booking: Booking) -> Service:
    """What the catalogue says of a booking's service. Refused where the file doesn't name it any more."""
    found = work.community.catalogue.named(booking.service)
    if found is None:
        raise Refusal("housekeeping.no_more", service=booking.service)
    return found


async def move(work: Work, ticket: Ticket, by: Person, slot: Slot) -> Ticket | None:
    """To another slot, or another worker; None where that has been taken meanwhile, and all is as before."""
    ticket = await tickets.hold(work.db, ticket)
    if ticket.state not in MOVABLE:
        raise Refusal("ticket.impossible", ticket=ticket, possible=tickets.possible(ticket.state))
    booking = await bookings.of_ticket(work.db, ticket.id)
    assert booking is not None
    service, before = service_of(work, booking), await assignee(work, ticket)
    try:
        async with savepoint(work.db):
            await bookings.leave(work.db, booking)
            if not await _take(work, booking, service, slot):
                raise _Taken
            if service.limit and booking.home_id:
                allowance = slots.allowance(work, service, booking.home_id)
                await bookings.take_one_of(work.db, booking, allowance, service.limit)
    except _Taken:
        return None
    start, end = slot.aware(work.community.zone)
    worker = slot.worker
    await bookings.settle(
        work.db, booking, ticket_id=ticket.id, start=start, end=end,
        worker_id=worker.id if worker else None, due=reminder(work, start),
    )  # fmt: skip
    row = await _RENAME.row(work.db, ticket.id, brief(service, slot), _wanted(slot))
    assert row is not None
    ticket = await _again(work, tickets.read(row), by, start, end, worker, room=service.room)
    if before and (worker is None or worker.id != before.id):
        work.notify(without([before], by), "housekeeping.not_yours", ticket=ticket)
    if worker is not None:
        key = "housekeeping.moved" if before and before.id == worker.id else "housekeeping.new_yours"
        work.notify([worker], key, **await details(work, ticket))
    return ticket


async def _again(
    work: Work, ticket: Ticket, by: Person, start: datetime, end: datetime, worker: Person | None, *,
    room: bool,
) -> Ticket:  # fmt: skip
    """The ticket of a booking that was moved: in the hands of whoever comes now."""
    after, spoken = Clocks(None, start, end), end if room else start + LATE_AFTER
    note = f"{start.astimezone(work.community.zone):%m-%d %H:%M}"
    same = ticket.assignee_id == (worker.id if worker else None)
    if ticket.state is State.ACCEPTED and same:
        ticket = await tickets.schedule(work.db, ticket, promised=spoken, step=0, due=spoken, clocks=after)
        await audit.write(work.db, ticket.community_id, work.now, by.id, "move", "ticket", ticket.id, note)
        return ticket
    if worker is None and not room:
        return await tickets.schedule(
            work.db, ticket, promised=ticket.promised, step=ticket.step, due=ticket.due,
            clocks=Clocks(ticket.claim, start, end),
        )  # fmt: skip
    verb = Verb.ACCEPT if ticket.state is State.OPEN else Verb.TRANSFER
    return await tickets.move(
        work.db, ticket, verb, by, now=work.now, promised=spoken, due=spoken,
        assignee_id=worker.id if worker else None, note=note, clocks=after,
    )  # fmt: skip


# ------------------------------------------------------------------------- what staff does


async def claimed(work: Work, ticket: Ticket, by: Person, before: Person | None = None) -> None:
    """A worker takes a booking over: the time has to be free, and is the worker's from now on."""
    booking = await bookings.of_ticket(work.db, ticket.id)
    if booking is None:
        return
    groups = [[slots.worker_resource(work, by)]]
    if await bookings.take(work.db, booking, groups, booking.start, booking.end) is None:
        raise Refusal("housekeeping.busy", ticket=ticket, who=dispatch.called(by))
    if before is not None:
        await bookings.leave_one(work.db, booking, slots.worker_resource(work, before))
    await bookings.settle(
        work.db, booking, ticket_id=ticket.id, start=booking.start, end=booking.end, worker_id=by.id,
        due=reminder(work, booking.start),
    )  # fmt: skip


async def drop_out(work: Work, ticket: Ticket, by: Person, reason: str) -> Ticket:
    """Whoever was to come can't: the resident gets alternatives at once, for the same slot where there are.

    Without an answer the ladder of unclaimed tickets goes on as for any other.
    """
    booking = await bookings.of_ticket(work.db, ticket.id)
    assert booking is not None
    await bookings.leave_one(work.db, booking, slots.worker_resource(work, by))
    booking = await bookings.settle(
        work.db, booking, ticket_id=ticket.id, start=booking.start, end=booking.end, worker_id=None,
        due=reminder(work, booking.start),
    )  # fmt: skip
    timing = await clocks.timing(work)
    claim = timing.started("normal", ticket.category).claim
    assert claim is not None
    if booking.end > work.now:
        claim = min(claim, max(booking.start, work.now + LATE_AFTER))
    ticket = await tickets.move(
        work.db, ticket, Verb.GIVE_BACK, by, now=work.now, promised=claim,
        due=min(timing.rung(work.now, claim, 1, urgent=False), claim), note=reason,
        clocks=Clocks(claim, booking.start, booking.end),
    )  # fmt: skip
    leads = without(await dispatch.above(work, 0), by)
    work.notify(leads, "housekeeping.dropped", ticket=ticket, who=dispatch.called(by), reason=reason)
    same, others = await instead(work, ticket, booking)
    key = "housekeeping.instead" if same else "housekeeping.instead_other" if others else "housekeeping.none"
    await tell_concerned(
        work, ticket, key, by, who=dispatch.called(by), when=when(work, booking),
        asked=dispatch.names(leads), offers=choices(work, f"#{ticket.ref} 改到", [*same, *others]),
    )  # fmt: skip
    return ticket


async def instead(work: Work, ticket: Ticket, booking: Booking) -> tuple[list[Slot], list[Slot]]:
    """Up to three in all: others who can come at the same time, then other times. Nobody who has said no."""
    service = service_of(work, booking)
    lines = await audit.story(work.db, "ticket", ticket.id)
    no = {line["person_id"] for line in lines if line["verb"] == Verb.GIVE_BACK}
    zone = work.community.zone
    start, end = (at.astimezone(zone).replace(tzinfo=None) for at in (booking.start, booking.end))
    made = await slots.plan(work, service, start.date(), end.date(), booking.home_id, no)
    # the place is this booking's own; only who comes is open
    ahead = start > local(work)
    same = [Slot(start, end, one) for one in made.free_workers(start, end) if ahead][:MOST]
    found = await slots.search(work, service, booking.minutes, home_id=booking.home_id, but=no)
    apart = [one for one in found if abs(one.start - start) >= end - start]
    others = slots.best(apart, slots.Wish(start, end, at=start))
    return same, others[: MOST - len(same)]


def choices(work: Work, begin: str, found: Sequence[Slot]) -> list[tuple[str, str]]:
    """A digit or button each: how people read a slot, and the words that take it (commands.py knows them)."""
    now = local(work)
    return [
        (
            one.say(now) + (f"，{dispatch.called(one.worker)}" if one.worker else ""),
            f"{begin} {one.start:%Y-%m-%d %H:%M}" + (f" {one.worker.name}" if one.worker else ""),
        )
        for one in found
    ]


async def release(work: Work, ticket: Ticket) -> None:
    """Over, or called off: its places are free, and nobody is reminded any more."""
    booking = await bookings.of_ticket(work.db, ticket.id)
    if booking is not None:
        await bookings.leave(work.db, booking)
        await bookings.quiet(work.db, booking.id)


# ---------------------------------------------------------------------------- as time passes


async def act(work: Work, booking_id: int) -> None:
    """The day before: both sides are reminded."""
    await bookings.quiet(work.db, booking_id)
    booking = await bookings.by_id(work.db, booking_id)
    ticket = await tickets.by_id(work.db, booking.ticket_id)
    if ticket.state not in MOVABLE:
        return
    worker = await assignee(work, ticket)
    told = {"when": when(work, booking), "price": yuan(booking.price)}
    once = f"remind:{ticket.id}:{booking.start:%Y%m%d%H%M}"
    if worker is not None:
        work.notify([worker], "housekeeping.tomorrow_yours", once=once, **await details(work, ticket))
        await tell_concerned(
            work, ticket, "housekeeping.tomorrow", once=once, who=dispatch.called(worker), **told
        )
    elif ticket.state is State.ACCEPTED:
        await tell_concerned(work, ticket, "facility.tomorrow", once=once, **told)
