"""How a ticket finds its worker: first come (抢单), a lead's word (派单), or asking in turn (自动)."""

from __future__ import annotations

from bot.domain import audit, clocks, dispatch, tickets
from bot.domain.communities import Mode, Work
from bot.domain.people import Person
from bot.domain.telling import details, without, worded
from bot.domain.tickets import COMPLAINT, Ticket
from bot.messages import Photo


async def begin(
    work: Work,
    ticket: Ticket,
    timing: clocks.Timing,
    pictures: tuple[Photo, ...] = (),
    but: Person | None = None,
) -> tuple[Ticket, list[Person]]:
    """Ask for somebody to take a ticket that nobody has; the ticket, and who has been asked.

    Whoever handed it back (`but`) is not asked again at once.
    """
    if ticket.kind == COMPLAINT:
        answering = without(await dispatch.answering(work, ticket, 0), but)
        answering = answering or without(await dispatch.answering(work, ticket, 1), but)
        work.notify(answering, "complaint.new", ticket=ticket, words=ticket.words)
        return ticket, answering
    mode = work.community.dispatch.mode
    if mode is Mode.AUTOMATIC:
        return await ask_next(work, ticket, timing, pictures, but)
    if mode is Mode.ASSIGN:
        leads = await dispatch.above(work, 0)
        best = await dispatch.candidates(work, ticket)
        if leads and best:
            _tell_leads(work, ticket, leads, best[0], pictures)
            return ticket, leads
    asked = [
        one
        for one in await dispatch.workers(work, ticket.category, ticket.where.building)
        if but is None or one.id != but.id
    ]
    key = "repair.new_urgent" if ticket.urgent else "repair.new"
    work.notify(
        asked, worded(work, ticket, key), ticket=ticket, wanted=details(work, ticket), photos=pictures
    )
    return ticket, asked


def _tell_leads(
    work: Work, ticket: Ticket, leads: list[Person], best: dispatch.Candidate, pictures: tuple[Photo, ...]
) -> None:
    work.notify(
        leads,
        worded(work, ticket, "repair.to_assign"),
        ticket=ticket,
        wanted=details(work, ticket),
        photos=pictures,
        best=best.person.name,
        why=reasons(work, best),
    )


def reasons(work: Work, best: dispatch.Candidate) -> str:
    """What speaks for somebody: 管这栋，上次来过，手上 2 件."""
    near = [work.render("repair.because_near").text] if best.near else []
    known = [work.render("repair.because_known").text] if best.known else []
    load = [work.render("repair.because_load", count=best.load).text]
    return "，".join(near + known + load)


async def ask_next(
    work: Work,
    ticket: Ticket,
    timing: clocks.Timing,
    pictures: tuple[Photo, ...] = (),
    but: Person | None = None,
) -> tuple[Ticket, list[Person]]:
    """Ask whoever suits best of those not asked yet. When all were, the leads decide."""
    lines = await audit.story(work.db, "ticket", ticket.id)
    since = ticket.since.timestamp() * 1000
    asked = {line["person_id"] for line in lines if line["verb"] == "offer" and line["at_ms"] >= since - 1}
    if but is not None:
        asked.add(but.id)
    found = [one for one in await dispatch.candidates(work, ticket) if one.person.id not in asked]
    step, due = timing.due(ticket)
    if not found:
        ticket = await tickets.schedule(work.db, ticket, promised=ticket.promised, step=step, due=due)
        leads = await dispatch.above(work, 0)
        work.notify(leads, worded(work, ticket, "repair.late"), ticket=ticket)
        return ticket, leads
    best = found[0].person
    answer_by = timing.calendar.add(work.now, work.community.dispatch.answer)
    promised = ticket.promised or answer_by
    ticket = await tickets.schedule(
        work.db,
        ticket,
        promised=ticket.promised,
        step=ticket.step,
        due=min(answer_by, promised) if promised > work.now else answer_by,
        asked_id=best.id,
    )
    await audit.write(work.db, ticket.community_id, work.now, best.id, "offer", "ticket", ticket.id)
    wanted = details(work, ticket)
    work.notify([best], "repair.offered", ticket=ticket, wanted=wanted, photos=pictures, by=answer_by)
    return ticket, [best]


async def pass_on(work: Work, ticket: Ticket, by: Person) -> None:
    """Whoever was asked said no: the next is asked."""
    await audit.write(work.db, ticket.community_id, work.now, by.id, "decline", "ticket", ticket.id)
    await ask_next(work, ticket, await clocks.timing(work))
