"""What is done to tickets, and who is told what: the same from chat, console and clock."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from bot.domain import audit, dispatch, people, photos, tickets
from bot.domain.communities import Work
from bot.domain.people import Home, Person
from bot.domain.places import Place
from bot.domain.tickets import EMERGENCY, REPAIR, Ticket, Verb
from bot.domain.times import Window
from bot.inbox import milliseconds
from bot.messages import Photo
from bot.unit_of_work import Refusal

REPORT_BACK = timedelta(minutes=30)  # danger: acknowledged, and then?
CONFIRM_AFTER = (timedelta(days=1), timedelta(days=3), timedelta(days=7))  # remind, remind, close
URGE_AGAIN = timedelta(hours=2)
LONGEST_WORDS, TELLS_MORE = 200, 14  # characters
NIGHT = (22, 8)  # nobody is promised a time between these hours, urgent matters aside


def local(work: Work) -> datetime:
    """The community's wall clock, naive: what the understanding calls now."""
    return work.now.astimezone(work.community.zone).replace(tzinfo=None)


def say_wanted(work: Work, ticket: Ticket, otherwise: str = "") -> str:
    window = Window.read(ticket.wanted)
    return window.say(local(work)) if window else otherwise


def wish(work: Work, ticket: Ticket) -> str:
    """The wanted time as a line of its own, for staff; "" where any time will do."""
    wanted = say_wanted(work, ticket)
    return work.render("repair.wish", wanted=wanted).text if wanted else ""


def details(work: Work, ticket: Ticket) -> str:
    """For who may take it: the wanted time, and the reporter's words where they tell more than the line."""
    words = ticket.words.strip()[:LONGEST_WORDS]
    more = len(words) - len(ticket.brief) > TELLS_MORE
    said = "\n" + work.render("repair.said", words=words).text if more else ""
    return wish(work, ticket) + said


def by_day(work: Work, at: datetime, *, urgent: bool) -> datetime:
    """The same, or 08:30 of the morning after when it would fall into the night."""
    there = at.astimezone(work.community.zone)
    if urgent or NIGHT[1] <= there.hour < NIGHT[0]:
        return at
    morning = there.replace(hour=8, minute=30, second=0, microsecond=0)
    return morning + timedelta(days=1) if there.hour >= NIGHT[0] else morning


def visit_by(work: Work, ticket: Ticket) -> datetime:
    """Until when somebody comes: as wanted where that lies ahead, else as the community promises."""
    window = Window.read(ticket.wanted)
    if window is not None and window.last(work.community.zone) > work.now:
        return window.last(work.community.zone)
    at = work.now + work.community.promise(ticket.urgency).visit
    return by_day(work, at, urgent=ticket.urgent)


def without(persons: Iterable[Person], *ones: Person | None) -> list[Person]:
    ids = {one.id for one in ones if one}
    return [person for person in persons if person.id not in ids]


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
) -> Ticket:
    """File a repair and ask those who can do it."""
    if work.community.impossible(where.building, where.unit, where.room):
        raise Refusal("repair.no_such_place", where=where.line, community=work.community)
    flat = await find_flat(work, where, person)
    first = dispatch.LADDER[0] / (3 if urgency == "urgent" else 1)
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
        promised=work.now + work.community.promise(urgency).claim,
        due=work.now + first,
        urgency=urgency,
        wanted=json.dumps(wanted) if wanted else "",
        phone=phone,
    )
    if pictures:
        await photos.attach(work.db, ticket.id, person.id, pictures, work.now)
    asked = await dispatch.workers(work, category, where.building)
    key = "repair.new_urgent" if ticket.urgent else "repair.new"
    work.notify(asked, key, ticket=ticket, wanted=details(work, ticket), photos=tuple(pictures))
    if ticket.home_id:
        family = without(await people.household(work.db, ticket.home_id), person)
        work.notify(family, "repair.filed_for", confided=True, ticket=ticket, who=person.called)
    return ticket


async def hurry(work: Work, ticket: Ticket) -> Ticket:
    """What has become urgent is due by the urgent clock, from now on."""
    if ticket.state is tickets.State.OPEN:
        promised = work.now + work.community.promise("urgent").claim
        due = work.now + dispatch.LADDER[0] / 3
    else:
        promised = due = work.now + work.community.promise("urgent").visit
    earlier = ticket.promised is None or promised < ticket.promised
    return await tickets.schedule(
        work.db,
        ticket,
        promised=promised if earlier else ticket.promised,
        step=ticket.step,
        due=min(due, ticket.due or due),
    )


async def tell_concerned(work: Work, ticket: Ticket, key: str, *but: Person | None, **values: Any) -> None:
    """Tell the reporter, the household and the subscribers."""
    family = without(await tickets.concerned(work.db, ticket), *but)
    work.notify(family, key, confided=True, ticket=ticket, **values)


async def assignee(work: Work, ticket: Ticket) -> Person | None:
    return await people.get(work.db, ticket.assignee_id) if ticket.assignee_id else None


async def contact_of(work: Work, ticket: Ticket) -> str:
    """Whom the worker finds there: name and, where known, phone."""
    reporter = await people.get(work.db, ticket.reporter_id)
    return " ".join(filter(None, (reporter.called, ticket.phone or reporter.phone)))


async def accept(work: Work, ticket: Ticket, by: Person, note: str = "") -> Ticket:
    """Take a ticket. Of two at once exactly one gets it; the other is told who."""
    ticket = await tickets.hold(work.db, ticket)
    if ticket.assignee_id and ticket.open:
        other = await people.get(work.db, ticket.assignee_id)
        key = "ticket.accept.mine" if other.id == by.id else "ticket.accept.taken"
        raise Refusal(key, ticket=ticket, who=dispatch.called(other))
    promised = work.now + REPORT_BACK if ticket.kind == EMERGENCY else visit_by(work, ticket)
    ticket = await tickets.move(
        work.db,
        ticket,
        Verb.ACCEPT,
        by,
        now=work.now,
        promised=promised,
        due=promised,
        assignee_id=by.id,
        note=note,
    )
    if ticket.kind == EMERGENCY:
        await tell_concerned(
            work, ticket, "emergency.coming", by, who=dispatch.called(by), note=_besides(note)
        )
        others = without(await dispatch.on_duty(work), by)
        work.notify(others, "emergency.taken", ticket=ticket, who=dispatch.called(by))
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
    promised = by_day(work, work.now + work.community.promise(ticket.urgency).done, urgent=ticket.urgent)
    ticket = await tickets.move(
        work.db, ticket, Verb.PROGRESS, by, now=work.now, promised=promised, due=promised,
        assignee_id=by.id, note=note,
    )  # fmt: skip
    await tell_concerned(work, ticket, "ticket.progress.told", by, who=dispatch.called(by))
    return ticket


async def wait(work: Work, ticket: Ticket, by: Person, until: datetime | None, note: str) -> Ticket:
    """Work stands still for parts or for the resident; `until` is what was said, else three days."""
    ticket = await tickets.hold(work.db, ticket)
    only_assignee(ticket, by, await assignee(work, ticket))
    promised = until or by_day(work, work.now + timedelta(days=3), urgent=False)
    ticket = await tickets.move(
        work.db, ticket, Verb.WAIT, by, now=work.now, promised=promised, due=promised,
        assignee_id=by.id, note=note,
    )  # fmt: skip
    await tell_concerned(work, ticket, "ticket.progress.waits_told", by, who=dispatch.called(by), note=note)
    return ticket


async def complete(
    work: Work, ticket: Ticket, by: Person, note: str = "", pictures: Sequence[Photo] = ()
) -> Ticket:
    """Done, says the worker; whether it is solved the resident says."""
    ticket = await tickets.hold(work.db, ticket)
    only_assignee(ticket, by, await assignee(work, ticket))
    due = work.now + CONFIRM_AFTER[0]
    ticket = await tickets.move(
        work.db, ticket, Verb.COMPLETE, by, now=work.now, promised=due, due=due,
        assignee_id=by.id, note=note,
    )  # fmt: skip
    await tell_concerned(
        work, ticket, "ticket.complete.ask", by, who=dispatch.called(by), note=note, photos=tuple(pictures)
    )
    return ticket


async def confirm(work: Work, ticket: Ticket, by: Person, note: str = "") -> Ticket:
    """Solved, by the word of somebody concerned."""
    ticket = await tickets.hold(work.db, ticket)
    ticket = await tickets.move(
        work.db, ticket, Verb.CONFIRM, by, now=work.now, promised=None, due=None,
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


async def reopen(work: Work, ticket: Ticket, by: Person, note: str = "") -> Ticket:
    """Not solved after all: back to who did it, or to all when nobody has it."""
    ticket = await tickets.hold(work.db, ticket)
    if ticket.closed and work.now - ticket.closed > tickets.REOPEN_WITHIN:
        raise Refusal("ticket.reopen.too_late", ticket=ticket)
    promised = visit_by(work, ticket) if ticket.urgent else by_day(
        work, work.now + timedelta(hours=4), urgent=False
    )  # fmt: skip
    ticket = await tickets.move(
        work.db, ticket, Verb.REOPEN, by, now=work.now, promised=promised, due=promised,
        assignee_id=ticket.assignee_id, note=note,
    )  # fmt: skip
    worker = await assignee(work, ticket)
    asked = [worker] if worker else await dispatch.workers(work, ticket.category, ticket.where.building)
    work.notify(asked, "ticket.reopen.told", ticket=ticket, note=note)
    return ticket


async def cancel(work: Work, ticket: Ticket, by: Person, note: str = "") -> Ticket:
    """Called off by who is concerned."""
    ticket = await tickets.hold(work.db, ticket)
    worker = await assignee(work, ticket)
    ticket = await tickets.move(
        work.db, ticket, Verb.CANCEL, by, now=work.now, promised=None, due=None,
        assignee_id=ticket.assignee_id, note=note,
    )  # fmt: skip
    if worker:
        work.notify(without([worker], by), "ticket.cancel.told", ticket=ticket, who=by.called)
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
    soon = work.now + work.community.promise(ticket.urgency).claim
    if ticket.state is tickets.State.OPEN and ticket.due and ticket.due > soon:
        ticket = await tickets.schedule(work.db, ticket, promised=soon, step=ticket.step, due=soon)
    await tell_staff(work, ticket, "ticket.urge.told", by, count=count)
    if count >= 2:
        leads = without(await dispatch.above(work, 0), by)
        work.notify(leads, "ticket.urge.escalated", ticket=ticket, count=count)
    return ticket, count


async def give_back(work: Work, ticket: Ticket, by: Person, reason: str) -> Ticket:
    """Hand a ticket back, with the reason; the others are asked at once, the lead is told."""
    ticket = await tickets.hold(work.db, ticket)
    only_assignee(ticket, by, await assignee(work, ticket))
    promised = work.now + work.community.promise(ticket.urgency).claim
    ticket = await tickets.move(
        work.db, ticket, Verb.GIVE_BACK, by, now=work.now, promised=promised, due=promised,
        assignee_id=None, note=reason,
    )  # fmt: skip
    asked = without(await dispatch.workers(work, ticket.category, ticket.where.building), by)
    leads = without(await dispatch.above(work, 0), by, *asked)
    work.notify(asked, "repair.new", ticket=ticket, wanted=details(work, ticket))
    work.notify(leads, "ticket.transfer.returned", ticket=ticket, who=dispatch.called(by), reason=reason)
    await tell_concerned(
        work, ticket, "ticket.transfer.asked_again", by, asked=dispatch.names(asked or leads)
    )
    return ticket


async def transfer(work: Work, ticket: Ticket, by: Person, to: Person, note: str = "") -> Ticket:
    """Into somebody else's hands; a lead may hand out what nobody has yet."""
    ticket = await tickets.hold(work.db, ticket)
    promised = visit_by(work, ticket)
    verb = Verb.TRANSFER if ticket.assignee_id else Verb.ACCEPT
    ticket = await tickets.move(
        work.db, ticket, verb, by, now=work.now, promised=promised, due=promised,
        assignee_id=to.id, note=note or to.name,
    )  # fmt: skip
    contact = await contact_of(work, ticket)
    work.notify([to], "ticket.transfer.yours", ticket=ticket, who=by.called, contact=contact)
    key = "ticket.transfer.told" if verb is Verb.TRANSFER else "ticket.accept.told"
    await tell_concerned(work, ticket, key, to, by, who=dispatch.called(to), note="")
    return ticket


async def tell_staff(
    work: Work, ticket: Ticket, key: str, *but: Person, pictures: tuple[Photo, ...] = (), **values: Any
) -> None:
    """Tell who has the ticket, or who was asked when nobody has it yet."""
    worker = await assignee(work, ticket)
    asked = [worker] if worker else await dispatch.workers(work, ticket.category, ticket.where.building)
    work.notify(without(asked, *but), key, ticket=ticket, photos=pictures, **values)
