"""What is done to tickets, and who is told what: the same from chat, console and clock."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from bot import outbox
from bot.domain import (
    appointments,
    audit,
    clocks,
    dispatch,
    joined,
    offers,
    people,
    photos,
    returns,
    tickets,
)
from bot.domain.communities import Work
from bot.domain.people import Home, Person
from bot.domain.places import Place
from bot.domain.telling import (
    assignee,
    details,
    local,
    say_wanted,
    tell_concerned,
    wish,
    without,
    worded,
)
from bot.domain.tickets import BOOKING, COMPLAINT, EMERGENCY, REPAIR, Ticket, Verb
from bot.domain.times import Window
from bot.inbox import milliseconds
from bot.messages import Lane, Photo
from bot.unit_of_work import Refusal

__all__ = ["assignee", "details", "local", "say_wanted", "tell_concerned", "wish", "without", "worded"]

REPORT_BACK = timedelta(minutes=30)  # danger: acknowledged, and then?
CONFIRM_AFTER = (timedelta(days=1), timedelta(days=3), timedelta(days=7))  # remind, remind, close
OBJECT_WITHIN = timedelta(days=1)  # after one of several households said that it is solved
URGE_AGAIN = timedelta(hours=2)


async def move(
    work: Work,
    ticket: Ticket,
    verb: Verb,
    by: Person | None,
    *,
    promised: datetime,
    timing: clocks.Timing,
    assignee_id: int | None,
    after: tickets.Clocks | None = None,
    note: str = "",
    waits_for: str = "",
) -> Ticket:
    """Do a verb after which the ticket goes on: with its clocks, what is promised, and when we act next."""
    will = replace(
        ticket,
        state=tickets.TRANSITIONS[verb][1],
        since=work.now,
        promised=promised,
        claim=(after or ticket.clocks).claim,
    )
    step, due = (0, promised) if waits_for == tickets.RESIDENT else timing.due(will)
    return await tickets.move(
        work.db,
        ticket,
        verb,
        by,
        now=work.now,
        promised=promised,
        due=due,
        assignee_id=assignee_id,
        note=note,
        clocks=after,
        step=step,
        waits_for=waits_for,
    )


async def find_flat(work: Work, where: Place, person: Person | None = None) -> Home | None:
    """The flat that a place is in; the person's own is known without asking."""
    if not (where.building and where.room):
        return None
    for own in person.homes if person else ():
        if (own.building, own.unit, own.room) == (where.building, where.unit, where.room):
            return own
    return await people.find_home(work.db, work.community.id, where.building, where.unit, where.room)


async def report(
    work: Work,
    person: Person,
    *,
    category: str,
    brief: str,
    words: str,
    where: Place,
    urgency: str = "normal",
    wanted: Mapping[str, Any] | None = None,
    phone: str = "",
    pictures: Sequence[Photo] = (),
    matter: str = "",
) -> Ticket:
    """File a repair and ask those who can do it. `matter` is the thing that others may report, too."""
    if work.community.impossible(where.building, where.unit, where.room):
        raise Refusal("repair.no_such_place", where=where.line, community=work.community)
    flat = await find_flat(work, where, person)
    timing = await clocks.timing(work)
    started = timing.started(urgency, category)
    assert started.claim is not None
    ticket = await tickets.file(
        work.db,
        work.community.id,
        person,
        now=work.now,
        kind=REPAIR,
        category=category,
        brief=brief,
        words=words,
        where=where,
        home_id=flat.id if flat else None,
        promised=started.claim,
        due=timing.rung(work.now, started.claim, 1, urgent=urgency == "urgent"),
        urgency=urgency,
        wanted=json.dumps(wanted) if wanted else "",
        phone=phone,
        clocks=started,
        matter=matter,
    )
    if pictures:
        await photos.attach(work.db, ticket.id, person.id, pictures, work.now)
    ticket, _ = await offers.begin(work, ticket, timing, pictures=tuple(pictures))
    if ticket.home_id:
        family = without(await people.household(work.db, ticket.home_id), person)
        work.notify(family, "repair.filed_for", confided=True, ticket=ticket, who=person.called)
    return ticket


async def hurry(work: Work, ticket: Ticket) -> Ticket:
    """What has become urgent is due by the urgent clocks, from now on."""
    timing = await clocks.timing(work)
    new = timing.started("urgent", ticket.category)
    sooner = new.claim if ticket.state is tickets.State.OPEN else new.visit
    assert sooner is not None
    promised = min(sooner, ticket.promised or sooner)
    will = replace(ticket, since=work.now, promised=promised, claim=new.claim, urgency="urgent")
    step, due = timing.due(will)
    return await tickets.schedule(
        work.db, ticket, promised=promised, step=step, due=min(due, ticket.due or due), clocks=new
    )


async def rearrange(work: Work, ticket: Ticket) -> Ticket:
    """Another time is wanted of whoever comes."""
    timing = await clocks.timing(work)
    after = timing.visited(ticket)
    step, due = timing.due(replace(ticket, promised=after.visit))
    return await tickets.schedule(
        work.db, ticket, promised=after.visit, step=step, due=due, clocks=after, asked_id=ticket.asked_id
    )


async def contact_of(work: Work, ticket: Ticket) -> str:
    """Whom the worker finds there: name and, where known, phone."""
    reporter = await people.get(work.db, ticket.reporter_id)
    return " ".join(filter(None, (reporter.called, ticket.phone or reporter.phone)))


def taken(timing: clocks.Timing, ticket: Ticket) -> tuple[tickets.Clocks, datetime]:
    """The clocks of a ticket that somebody has from now on, and what is promised."""
    if ticket.kind == EMERGENCY:
        return ticket.clocks, timing.now + REPORT_BACK
    if ticket.kind == COMPLAINT:
        return ticket.clocks, ticket.done or timing.later(CONFIRM_AFTER[2])
    after = timing.visited(ticket)
    assert after.visit is not None
    return after, after.visit


async def accept(work: Work, ticket: Ticket, by: Person, note: str = "") -> Ticket:
    """Take a ticket. Of two at once exactly one gets it; the other is told who."""
    ticket = await tickets.hold(work.db, ticket)
    if ticket.assignee_id and ticket.open:
        other = await people.get(work.db, ticket.assignee_id)
        key = "ticket.accept.mine" if other.id == by.id else "ticket.accept.taken"
        raise Refusal(key, ticket=ticket, who=dispatch.called(other))
    if ticket.kind == BOOKING:
        await appointments.claimed(work, ticket, by)
    timing = await clocks.timing(work)
    after, promised = taken(timing, ticket)
    ticket = await move(
        work,
        ticket,
        Verb.ACCEPT,
        by,
        promised=promised,
        timing=timing,
        assignee_id=by.id,
        after=after,
        note=note,
    )
    if ticket.kind == EMERGENCY:
        await tell_concerned(
            work, ticket, "emergency.coming", by, who=dispatch.called(by), note=_besides(note)
        )
        others = without(await dispatch.on_duty(work), by)
        work.notify(others, "emergency.taken", lane=Lane.DANGER, ticket=ticket, who=dispatch.called(by))
    else:
        when = say_wanted(work, ticket)
        key = "ticket.accept.told_when" if when else "ticket.accept.told"
        await tell_concerned(work, ticket, key, by, who=dispatch.called(by), when=when, note=note)
    return ticket


_RECEIVED = re.compile(r"^(?:收到|知道了?|好的?|接\s*\d+|马上|[，,。！!\s])+")


def _besides(note: str) -> str:
    """What a worker said besides 收到, for whoever waits."""
    rest = _RECEIVED.sub("", note).rstrip("。！! ")
    return f"，说：{rest}" if len(rest) > 1 else ""


async def say(work: Work, ticket: Ticket, by: Person, words: str) -> None:
    """A worker has something to say about a ticket; nothing else changes."""
    only_assignee(ticket, by, await assignee(work, ticket))
    await audit.write(work.db, ticket.community_id, work.now, by.id, "say", "ticket", ticket.id, words)
    await tell_concerned(work, ticket, "ticket.progress.says", by, who=dispatch.called(by), words=words)


def only_assignee(ticket: Ticket, by: Person, owner: Person | None) -> None:
    """Refuse when the ticket is in somebody else's hands, or in nobody's."""
    if ticket.assignee_id == by.id:
        return
    if owner is None:
        raise Refusal("ticket.nobody_has", ticket=ticket)
    raise Refusal("ticket.belongs", ticket=ticket, who=dispatch.called(owner))


async def progress(work: Work, ticket: Ticket, by: Person, note: str = "") -> Ticket:
    """On the spot, or at it."""
    ticket = await tickets.hold(work.db, ticket)
    only_assignee(ticket, by, await assignee(work, ticket))
    timing = await clocks.timing(work)
    after = timing.solved(ticket)
    assert after.done is not None
    ticket = await move(
        work, ticket, Verb.PROGRESS, by, promised=after.done, timing=timing, assignee_id=by.id, after=after,
        note=note,
    )  # fmt: skip
    await tell_concerned(work, ticket, "ticket.progress.told", by, who=dispatch.called(by))
    return ticket


async def wait(
    work: Work, ticket: Ticket, by: Person, until: datetime | None, note: str, waits_for: str = tickets.PARTS
) -> Ticket:
    """Work stands still for parts or for the resident, whom we ask again until there is an answer.

    `until` is the promised day that was said; else three days for parts, and one for the resident.
    """
    ticket = await tickets.hold(work.db, ticket)
    only_assignee(ticket, by, await assignee(work, ticket))
    timing = await clocks.timing(work)
    patience = timedelta(days=1) if waits_for == tickets.RESIDENT else timedelta(days=3)
    promised = until or timing.later(patience)
    ticket = await move(
        work, ticket, Verb.WAIT, by, promised=promised, timing=timing, assignee_id=by.id,
        after=ticket.clocks if waits_for == tickets.RESIDENT else timing.resumed(ticket), note=note,
        waits_for=waits_for,
    )  # fmt: skip
    key = "ticket.progress.waits_you" if waits_for == tickets.RESIDENT else "ticket.progress.waits_told"
    await tell_concerned(work, ticket, key, by, who=dispatch.called(by), note=note)
    return ticket


async def resume(work: Work, ticket: Ticket, by: Person, note: str = "") -> Ticket:
    """The resident answered: the clocks go on, and whoever comes comes when it was wanted."""
    timing = await clocks.timing(work)
    window = Window.read(ticket.wanted)
    after = timing.solved(ticket)
    ahead = window is not None and window.last(work.community.zone) > work.now
    promised = window.last(work.community.zone) if window is not None and ahead else after.done
    assert promised is not None
    return await move(
        work, ticket, Verb.RESUME, by, promised=promised, timing=timing, assignee_id=ticket.assignee_id,
        after=replace(after, done=max(after.done or promised, promised)), note=note,
    )  # fmt: skip


async def complete(
    work: Work,
    ticket: Ticket,
    by: Person,
    note: str = "",
    pictures: Sequence[Photo] = (),
    told: Sequence[Person] = (),
) -> Ticket:
    """Done, says the worker; whether it is solved the resident says. Those `told` hear it in other words."""
    ticket = await tickets.hold(work.db, ticket)
    only_assignee(ticket, by, await assignee(work, ticket))
    due = work.now + CONFIRM_AFTER[0]
    await appointments.release(work, ticket)
    ticket = await tickets.move(
        work.db, ticket, Verb.COMPLETE, by, now=work.now, promised=due, due=due,
        assignee_id=by.id, note=note,
    )  # fmt: skip
    key = "ticket.complete.ask"
    if await joined.shared(work.db, ticket):
        key = "incident.fixed"
        await tell_groups(work, ticket, by)
    who = dispatch.called(by)
    await tell_concerned(work, ticket, key, by, *told, who=who, note=note, photos=tuple(pictures))
    return ticket


async def tell_groups(work: Work, ticket: Ticket, by: Person) -> None:
    """One line into every group in which it was reported."""
    for channel, chat in await joined.groups(work.db, ticket):
        said = work.render("incident.fixed_group", ticket=ticket.for_group(), who=dispatch.called(by))
        once = f"fixed:{ticket.id}:{milliseconds(ticket.since)}:{channel}:{chat}"
        await outbox.put(work.db, channel, chat, said.text, now=work.now, lane=Lane.ALERT, once=once)


async def confirm(work: Work, ticket: Ticket, by: Person, note: str = "") -> Ticket:
    """Solved, by the word of somebody concerned. What was repaired is asked after a day later.

    What several households report stays as it is for a day, in which any of them may object.
    """
    ticket = await tickets.hold(work.db, ticket)
    if ticket.state is tickets.State.AWAITS and await joined.shared(work.db, ticket):
        return await _agree(work, ticket, by, note)
    ticket = await tickets.move(
        work.db, ticket, Verb.CONFIRM, by, now=work.now, promised=None, due=returns.first(work, ticket),
        assignee_id=ticket.assignee_id, note=note,
    )  # fmt: skip
    worker = await assignee(work, ticket)
    told = without([worker] if worker else [], by)
    key = "ticket.confirm.told"
    if ticket.kind == EMERGENCY:
        told, key = without(await dispatch.on_duty(work), by), "emergency.told_over"
    work.notify(told, key, ticket=ticket, who=by.called)
    await tell_concerned(work, ticket, key, by, *told, who=by.called)
    return ticket


async def _agree(work: Work, ticket: Ticket, by: Person, note: str) -> Ticket:
    first = await joined.agreed(work.db, ticket) is None
    await audit.write(work.db, ticket.community_id, work.now, by.id, "agree", "ticket", ticket.id, note)
    if not first:
        return ticket
    due = work.now + OBJECT_WITHIN
    return await tickets.schedule(work.db, ticket, promised=due, step=ticket.step, due=due)


async def nobody_objected(work: Work, ticket: Ticket, first: int) -> Ticket:
    """A day has passed since somebody said that it is solved."""
    by = await people.get(work.db, first)
    ticket = await tickets.move(
        work.db, ticket, Verb.CONFIRM, by, now=work.now, promised=None, due=None,
        assignee_id=ticket.assignee_id,
    )  # fmt: skip
    worker = await assignee(work, ticket)
    work.notify([worker] if worker else [], "incident.solved", ticket=ticket, who=by.called)
    return ticket


async def reopen(work: Work, ticket: Ticket, by: Person, note: str = "") -> Ticket:
    """Not solved after all: back to who did it, or to all when nobody has it."""
    ticket = await tickets.hold(work.db, ticket)
    if ticket.closed and work.now - ticket.closed > tickets.REOPEN_WITHIN:
        raise Refusal("ticket.reopen.too_late", ticket=ticket)
    timing = await clocks.timing(work)
    after = timing.again(ticket)
    assert after.visit is not None
    ticket = await move(
        work, ticket, Verb.REOPEN, by, promised=after.visit, timing=timing, assignee_id=ticket.assignee_id,
        after=after, note=note,
    )  # fmt: skip
    worker = await assignee(work, ticket)
    asked = [worker] if worker else await dispatch.asked(work, ticket)
    work.notify(asked, "ticket.reopen.told", ticket=ticket, note=note)
    if await joined.shared(work.db, ticket):
        await tell_concerned(work, ticket, "incident.reopened", by, worker)
    return ticket


async def cancel(work: Work, ticket: Ticket, by: Person, note: str = "") -> Ticket:
    """Called off by who is concerned."""
    ticket = await tickets.hold(work.db, ticket)
    worker = await assignee(work, ticket)
    await appointments.release(work, ticket)
    ticket = await tickets.move(
        work.db, ticket, Verb.CANCEL, by, now=work.now, promised=None, due=None,
        assignee_id=ticket.assignee_id, note=note,
    )  # fmt: skip
    if worker:
        key = worded(work, ticket, "ticket.cancel.told")
        work.notify(without([worker], by), key, ticket=ticket, who=by.called)
    await tell_concerned(work, ticket, "ticket.cancel.told", by, worker, who=by.called)
    return ticket


async def urge(work: Work, ticket: Ticket, by: Person) -> tuple[Ticket, int]:
    """Count an urge and remind who has it; the second goes up a step. Count 0 when it came too soon."""
    ticket = await tickets.hold(work.db, ticket)
    before = [
        line["at_ms"] for line in await audit.story(work.db, "ticket", ticket.id) if line["verb"] == "urge"
    ]
    if before and milliseconds(work.now) - before[-1] < URGE_AGAIN.total_seconds() * 1000:
        return ticket, 0
    await audit.write(work.db, work.community.id, work.now, by.id, "urge", "ticket", ticket.id)
    count = len(before) + 1
    timing = await clocks.timing(work)
    soon = timing.calendar.add(work.now, timing.promise(ticket).claim)
    if ticket.state is tickets.State.OPEN and ticket.due and ticket.due > soon:
        ticket = await tickets.schedule(work.db, ticket, promised=soon, step=ticket.step, due=soon)
    await tell_staff(work, ticket, "ticket.urge.told", by, count=count)
    if count >= 2:
        leads = without(await dispatch.above(work, 0, ticket.about_id), by)
        work.notify(leads, "ticket.urge.escalated", ticket=ticket, count=count)
    return ticket, count


async def give_back(work: Work, ticket: Ticket, by: Person, reason: str) -> Ticket:
    """Hand a ticket back, with the reason; the others are asked at once, the lead is told."""
    ticket = await tickets.hold(work.db, ticket)
    only_assignee(ticket, by, await assignee(work, ticket))
    if ticket.kind == BOOKING:
        return await appointments.drop_out(work, ticket, by, reason)
    timing = await clocks.timing(work)
    claim = timing.calendar.add(work.now, timing.promise(ticket).claim)
    ticket = await move(
        work, ticket, Verb.GIVE_BACK, by, promised=claim, timing=timing, assignee_id=None,
        after=replace(timing.resumed(ticket), claim=claim), note=reason,
    )  # fmt: skip
    ticket, asked = await offers.begin(work, ticket, timing, but=by)
    leads = without(await dispatch.above(work, 0, ticket.about_id), by, *asked)
    work.notify(leads, "ticket.transfer.returned", ticket=ticket, who=dispatch.called(by), reason=reason)
    await tell_concerned(
        work, ticket, "ticket.transfer.asked_again", by, asked=dispatch.names(asked or leads)
    )
    return ticket


async def transfer(work: Work, ticket: Ticket, by: Person, to: Person, note: str = "") -> Ticket:
    """Into somebody else's hands; a lead may hand out what nobody has yet."""
    ticket = await tickets.hold(work.db, ticket)
    if ticket.about_id == to.id:
        raise Refusal("complaint.about_them", ticket=ticket)
    if ticket.kind == BOOKING:
        await appointments.claimed(work, ticket, to, await assignee(work, ticket))
    timing = await clocks.timing(work)
    after, promised = taken(timing, ticket)
    verb = Verb.TRANSFER if ticket.assignee_id else Verb.ACCEPT
    ticket = await move(
        work, ticket, verb, by, promised=promised, timing=timing, assignee_id=to.id, after=after,
        note=note or to.name,
    )  # fmt: skip
    contact = await contact_of(work, ticket)
    work.notify([to], "ticket.transfer.yours", ticket=ticket, who=by.called, contact=contact)
    key = "ticket.transfer.told" if verb is Verb.TRANSFER else "ticket.accept.told"
    when = say_wanted(work, ticket)
    await tell_concerned(work, ticket, key, to, by, who=dispatch.called(to), note="", when=when)
    return ticket


async def tell_staff(
    work: Work, ticket: Ticket, key: str, *but: Person, pictures: tuple[Photo, ...] = (), **values: Any
) -> None:
    """Tell who has the ticket, or who was asked when nobody has it yet."""
    worker = await assignee(work, ticket)
    asked = [worker] if worker else await dispatch.asked(work, ticket)
    work.notify(without(asked, *but), key, ticket=ticket, photos=pictures, **values)
