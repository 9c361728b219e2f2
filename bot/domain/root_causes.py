"""The third same fault in 90 days: an item for the committee, with its history, until the cause is found."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from bot.domain import audit, people, tickets
from bot.domain import work as verbs
from bot.domain.communities import Work
from bot.domain.people import Person, Role
from bot.domain.telling import assignee, tell_concerned
from bot.domain.tickets import REPAIR, ROOT, State, Ticket, Verb
from bot.store import Statement
from bot.unit_of_work import Refusal

WITHIN = timedelta(days=90)
TIMES = 3
ANSWER = timedelta(days=7)
LOOKED_AT = 30  # tickets of a flat or a place; older ones tell nothing of a fault that comes back
LONGEST = 60  # characters of what was done, in the history

_OF_HOME = Statement("select * from ticket where home_id = $1 order by id desc limit $2")
_OF_PLACE = Statement(
    "select * from ticket where community_id = $1 and category = $2 and building = $3 and unit = $4"
    " order by id desc limit $5"
)


async def look(work: Work, ticket: Ticket) -> tuple[Ticket, int] | None:
    """The item for the committee and how often it was, where this is the third time and there is none yet.

    The same fault is one of the same kind in the same flat, or at the same named place outside flats.
    """
    before = await _alike(work, ticket)
    faults = [one for one in before if one.kind == REPAIR and one.state is not State.CANCELLED]
    if len(faults) < TIMES or any(one.kind == ROOT for one in before):
        return None
    members = await people.holders(work.db, work.community.id, Role.COMMITTEE, Role.ADMIN)
    if not members:
        return None
    reporter = await people.get(work.db, ticket.reporter_id)
    due = work.now + ANSWER
    item = await tickets.file(
        work.db,
        work.community.id,
        reporter,
        now=work.now,
        kind=ROOT,
        category=ticket.category,
        brief=ticket.brief,
        words=ticket.words,
        where=ticket.where,
        home_id=ticket.home_id,
        promised=due,
        due=due,
    )
    lines = "\n".join([await _line(work, one) for one in reversed(faults)])
    work.notify(members, "root.new", ticket=item, count=len(faults), history=lines)
    return item, len(faults)


async def _alike(work: Work, ticket: Ticket) -> list[Ticket]:
    """What was filed of the same kind at the same place within the time, newest first."""
    if ticket.home_id:
        rows: Sequence[dict[str, object]] = await _OF_HOME.rows(work.db, ticket.home_id, LOOKED_AT)
    elif ticket.where.building or ticket.where.place:
        at = ticket.where
        rows = await _OF_PLACE.rows(
            work.db, work.community.id, ticket.category, at.building, at.unit, LOOKED_AT
        )
    else:
        return []
    found = [tickets.read(row) for row in rows]
    return [
        one
        for one in found
        if one.category == ticket.category
        and one.made > work.now - WITHIN
        and (one.where.place == ticket.where.place or (bool(ticket.home_id) and not one.where.place))
        and (one.where.floor, one.where.room) == (ticket.where.floor, ticket.where.room)
        and (bool(ticket.home_id) or one.where.room == ticket.where.room)
    ]


async def _line(work: Work, ticket: Ticket) -> str:
    """#1 3月4日 水管漏水，老李：换了个密封圈."""
    worker = await assignee(work, ticket)
    done = [
        line["note"].partition("：")[2].strip("（）")
        for line in await audit.story(work.db, "ticket", ticket.id)
        if line["verb"] == Verb.COMPLETE
    ]
    said = work.render(
        "root.line",
        ticket=ticket,
        day=ticket.made.astimezone(work.community.zone),
        who=worker.name if worker else "",
        done=done[-1][:LONGEST] if done else "",
    )
    return said.text.rstrip("：，")


async def close(work: Work, ticket: Ticket, by: Person, words: str) -> Ticket:
    """The committee says what was done about it; whether that is so the household says."""
    if not by.may(Role.COMMITTEE):
        raise Refusal("dialog.refused", role=Role.COMMITTEE.chinese)
    ticket = await tickets.hold(work.db, ticket)
    if ticket.state is State.OPEN:
        ticket = await tickets.move(
            work.db, ticket, Verb.ACCEPT, by, now=work.now, promised=ticket.promised, due=ticket.due,
            assignee_id=by.id,
        )  # fmt: skip
    return await verbs.complete(work, ticket, by, f"（{words}）" if words else "")


async def remind(work: Work, ticket: Ticket) -> None:
    """A week without a word: the committee is asked, and the household hears that it goes on."""
    due = work.now + ANSWER
    ticket = await tickets.schedule(work.db, ticket, promised=due, step=ticket.step + 1, due=due)
    members = await people.holders(work.db, work.community.id, Role.COMMITTEE, Role.ADMIN)
    work.notify(members, "root.late", ticket=ticket)
    await tell_concerned(work, ticket, "root.still")
