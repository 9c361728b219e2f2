"""Complaints: seen by who answers for it, never by who is complained about; deadlines of their own."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from bot.domain import audit, clocks, dispatch, people, photos, tickets
from bot.domain.clocks import WARNINGS, Timing
from bot.domain.communities import Work
from bot.domain.people import Person, Role
from bot.domain.places import Place
from bot.domain.telling import tell_concerned
from bot.domain.tickets import COMPLAINT, State, Ticket, Verb
from bot.messages import Photo
from bot.unit_of_work import Refusal

AGAIN = timedelta(hours=24)  # between honest words about an answer that is late
AMONG_NEIGHBOURS = frozenset({"noise", "pets", "neighbour", "parking", "sanitation"})


async def file(
    work: Work,
    person: Person,
    *,
    category: str,
    brief: str,
    words: str,
    where: Place,
    about: Person | None,
    phone: str = "",
    pictures: Sequence[Photo] = (),
) -> Ticket:
    """File a complaint with whoever answers for it.

    `where` is what is complained of, often somebody else's flat: the household there is no part of it.
    """
    if work.community.impossible(where.building, where.unit, where.room):
        raise Refusal("repair.no_such_place", where=where.line, community=work.community)
    about = about or await _staff_living_there(work, where)
    timing = await clocks.timing(work)
    started = timing.started(COMPLAINT, "")
    assert started.claim is not None
    ticket = await tickets.file(
        work.db,
        work.community.id,
        person,
        now=work.now,
        kind=COMPLAINT,
        category=category,
        brief=brief,
        words=words,
        where=where,
        home_id=None,
        promised=started.claim,
        due=timing.calendar.share(work.now, started.claim, WARNINGS[0]),
        phone=phone,
        about_id=about.id if about else None,
        clocks=started,
    )
    if pictures:
        await photos.attach(work.db, ticket.id, person.id, pictures, work.now)
    key = "complaint.new_neighbour" if _of_a_flat(ticket) else "complaint.new"
    work.notify(
        await dispatch.answering(work, ticket, 0), key, ticket=ticket, words=words, photos=tuple(pictures)
    )
    return ticket


def _of_a_flat(ticket: Ticket) -> bool:
    return ticket.category in AMONG_NEIGHBOURS and bool(ticket.where.room)


async def _staff_living_there(work: Work, where: Place) -> Person | None:
    """Somebody of the flat complained about who would read the complaint by office."""
    home = await _flat(work, where)
    household = await people.household(work.db, home) if home else []
    for one in household:
        person = await people.get(work.db, one.id)
        if person.may(Role.STAFF) or person.may(Role.COMMITTEE):
            return person
    return None


async def _flat(work: Work, where: Place) -> int | None:
    if not (where.building and where.room):
        return None
    home = await people.find_home(work.db, work.community.id, where.building, where.unit, where.room)
    return home.id if home else None


async def wait(work: Work, ticket: Ticket, timing: Timing) -> None:
    """Nobody has answered yet: reminded twice, then one higher each time, and the complainant hears it."""
    claim = ticket.claim or work.now
    step = ticket.step + 1
    if work.now < claim:
        share = WARNINGS[step] if step < len(WARNINGS) else 1.0
        due = timing.calendar.share(ticket.since, claim, share) if share < 1 else claim
        ticket = await tickets.schedule(
            work.db,
            ticket,
            promised=ticket.promised,
            step=step,
            due=max(due, work.now + timedelta(seconds=1)),
        )
        asked = await dispatch.answering(work, ticket, 0)
        work.notify(asked, "complaint.unanswered", ticket=ticket, by=claim)
        return
    promised = timing.later(AGAIN)
    ticket = await tickets.schedule(work.db, ticket, promised=promised, step=step, due=promised)
    asked = await dispatch.answering(work, ticket, min(max(step - len(WARNINGS), 1), 2))
    work.notify(asked, "complaint.late", ticket=ticket)
    await tell_concerned(work, ticket, "complaint.still_open", asked=dispatch.names(asked))


async def take(work: Work, ticket: Ticket, by: Person) -> Ticket:
    """Into the hands of who answers for it; whoever else has it is told by the refusal."""
    ticket = await tickets.hold(work.db, ticket)
    if ticket.kind != COMPLAINT or not dispatch.answers_for(by, ticket):
        raise Refusal("ticket.absent", ref=ticket.ref)
    if ticket.state is State.OPEN:
        ticket = await tickets.move(
            work.db, ticket, Verb.ACCEPT, by, now=work.now, promised=ticket.done, due=ticket.done,
            assignee_id=by.id,
        )  # fmt: skip
    return ticket


async def reply(work: Work, ticket: Ticket, by: Person, words: str) -> Ticket:
    """A word to the complainant; the first one is the answer that was promised."""
    ticket = await take(work, ticket, by)
    if not ticket.open or ticket.state is State.AWAITS:
        raise Refusal("ticket.impossible", ticket=ticket, possible=tickets.possible(ticket.state))
    await audit.write(work.db, ticket.community_id, work.now, by.id, "reply", "ticket", ticket.id, words)
    await tell_concerned(work, ticket, "complaint.answered", by, who=dispatch.called(by), words=words)
    return ticket


async def courtesy(work: Work, ticket: Ticket, by: Person) -> int:
    """Ask the household complained about for consideration, in neutral words; how many were told."""
    ticket = await take(work, ticket, by)
    home = await _flat(work, ticket.where)
    household = await people.household(work.db, home) if home else []
    household = [one for one in household if one.id != ticket.reporter_id]
    if not household or ticket.category not in AMONG_NEIGHBOURS:
        raise Refusal("complaint.nobody_there", ticket=ticket)
    lines = await audit.story(work.db, "ticket", ticket.id)
    if any(line["verb"] == "courtesy" for line in lines):
        raise Refusal("complaint.reminded_already", ticket=ticket)
    await audit.write(work.db, ticket.community_id, work.now, by.id, "courtesy", "ticket", ticket.id)
    key = "complaint.courtesy_noise" if ticket.category == "noise" else "complaint.courtesy"
    what = work.render(f"complaint.what_{ticket.category}").text
    work.notify(household, key, confided=True, what=what)
    return len(household)
