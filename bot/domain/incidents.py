"""One broken thing, many who report it: they share a ticket, its status, and the word that it works again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from bot.domain import audit, communities, dispatch, joined, people, photos, tickets, work
from bot.domain.communities import Community, Work
from bot.domain.joined import Joined
from bot.domain.people import Home, Person
from bot.domain.places import Place
from bot.domain.sameness import Report, Same, compare, window
from bot.domain.telling import assignee
from bot.domain.tickets import HAND, REPAIR, State, Ticket
from bot.inbox import milliseconds
from bot.messages import Photo
from bot.store import Statement
from bot.unit_of_work import Refusal
from nlp import matters
from nlp.matters import BUILDING, STAIRCASE, Matter

#: What is named of a staircase, not of a flat; 家里走廊 aside.
SHARED = frozenset({"大堂", "楼道", "天台", "电梯"})
OWN_DOOR = frozenset({"home_lock", "home_door"})
LOOKED_AT = 60  # newest tickets about the same thing, or of the same flat

_OF_MATTER = Statement(
    "select * from ticket where community_id = $1 and matter = $2 and made_ms >= $3 order by id desc limit $4"
)
_OF_HOME = Statement("select * from ticket where home_id = $1 order by id desc limit $2")
_WIDEN = Statement(
    "update ticket set unit = $2, floor = $3, room = '', place = $4, home_id = null where id = $1 returning *"
)
_MOVE_PHOTOS = Statement(
    "update photo set ticket_id = $2 where ticket_id = $1 and person_id = $3 and at_ms >= $4 returning id"
)


def reported(
    community: Community,
    category: str,
    brief: str,
    words: str,
    where: Place,
    at: datetime,
    home: Home | None = None,
) -> Report:
    """A report as it is compared. `home` is the reporter's, for what was left unsaid."""
    matter = matters.read(words, community.places)
    return Report(matter, located(where, matter, home), category, brief, at)


def located(where: Place, matter: Matter, home: Home | None) -> Place:
    """Where the fault is by its nature: the staircase of a lift, the flat of a front door."""
    if home is not None and not where.building:
        if matter.spread in (STAIRCASE, BUILDING):
            where = replace(where, building=home.building, unit=where.unit or home.unit)
        elif matter.thing in OWN_DOOR and not matter.spots:
            where = replace(where, building=home.building, unit=home.unit, room=home.room)
    shared = matter.spread == STAIRCASE or (matter.spots & SHARED and not matter.at_home)
    return replace(where, room="") if shared else where


def filed_at(where: Place, report: Report) -> Place:
    """Where a ticket is filed: as said, but a door of the staircase is nobody's flat."""
    if (report.matter.spread == STAIRCASE and report.key) or not where.building:
        return report.where
    return where


JOINED = frozenset({State.OPEN, *HAND, State.AWAITS})


def same(work: Work, report: Report, ticket: Ticket) -> bool:
    """Whether a report is surely of what an open ticket is about."""
    return ticket.state in JOINED and compare(report, filed(work, ticket)) is Same.YES


async def find(work: Work, report: Report) -> tuple[Same, Ticket | None]:
    """The open ticket about the same thing, and how sure that is.

    The community's row is held before we look, until the transaction ends: of two who report at the same
    moment the second finds what the first filed.
    """
    await communities.hold(work.db, work.community.id)
    unsure = None
    for ticket in reversed(await _candidates(work, report)):
        if ticket.kind != REPAIR or ticket.state not in (JOINED if report.key else JOINED - {State.AWAITS}):
            continue
        before = filed(work, ticket)
        verdict = compare(report, before)
        if verdict is Same.YES:
            return verdict, ticket
        if verdict is Same.UNSURE and ticket.state is not State.AWAITS:
            unsure = ticket
    return (Same.UNSURE, unsure) if unsure else (Same.NO, None)


def filed(work: Work, ticket: Ticket) -> Report:
    """What a ticket reports, by its first words: remarks that came later name other things."""
    first = ticket.words.split("\n", 1)[0]
    words = first if matters.read(first, work.community.places).thing else ticket.words
    return reported(work.community, ticket.category, ticket.brief, words, ticket.where, ticket.made)


def alike(work: Work, one: Ticket, other: Ticket) -> bool:
    """Whether two tickets could be about one thing."""
    return compare(filed(work, one), filed(work, other)) is not Same.NO


async def _candidates(work: Work, report: Report) -> list[Ticket]:
    """Newest first."""
    if report.key:
        since = milliseconds(work.now - window(report.key))
        rows = await _OF_MATTER.rows(work.db, work.community.id, report.key, since, LOOKED_AT)
    else:
        flat = await _flat(work, report.where)
        rows = await _OF_HOME.rows(work.db, flat.id, LOOKED_AT) if flat else []
    return [tickets.read(row) for row in rows]


async def _flat(of: Work, where: Place) -> Home | None:
    return await work.find_flat(of, where) if where.room else None


async def begin(work: Work, ticket: Ticket, person: Person, group: tuple[str, str]) -> None:
    """The first who reports what others may have, too."""
    await joined.add(
        work.db, ticket, person, ticket.where, category=ticket.category, brief=ticket.brief,
        words=ticket.words, now=work.now, group=group,
    )  # fmt: skip


async def join(
    of: Work,
    ticket: Ticket,
    person: Person,
    report: Report,
    words: str,
    pictures: Sequence[Photo] = (),
    group: tuple[str, str] = ("", ""),
) -> tuple[Ticket, int]:
    """Somebody more reports it: kept informed from now on; the ticket, and how many households there are."""
    ticket = await tickets.hold(of.db, ticket)
    new = bool(report.key) and await joined.add(
        of.db, ticket, person, report.where, category=report.category, brief=report.brief, words=words,
        now=of.now, group=group,
    )  # fmt: skip
    await tickets.subscribe(of.db, ticket, person)
    if pictures:
        await photos.attach(of.db, ticket.id, person.id, pictures, of.now)
    await audit.write(of.db, ticket.community_id, of.now, person.id, "join", "ticket", ticket.id, words)
    if report.key:
        ticket = await _widen(of, ticket, report)
    if ticket.state is State.AWAITS:
        ticket = await work.reopen(of, ticket, person, words[:200])
    count = await joined.homes(of.db, ticket)
    if new and count >= of.community.urgent_households and not ticket.urgent:
        ticket = await _press(of, ticket, person, count)
    return ticket, count


async def _widen(work: Work, ticket: Ticket, report: Report) -> Ticket:
    """What several flats report is nobody's flat: its place is what they have in common."""
    where, same_unit = ticket.where, ticket.where.unit == report.where.unit
    if report.matter.spread != BUILDING or (same_unit and not where.room):
        return ticket
    for one in await people.household(work.db, ticket.home_id) if ticket.home_id else ():
        await tickets.subscribe(work.db, ticket, one)
    unit = where.unit if same_unit else ""
    floor = where.floor if where.floor == report.where.floor else ""
    row = await _WIDEN.row(work.db, ticket.id, unit, floor, "" if where.room else where.place)
    assert row is not None
    return tickets.read(row)


async def _press(of: Work, ticket: Ticket, by: Person, count: int) -> Ticket:
    """So many households make it urgent; the leads hear of it once, and who has it."""
    ticket = await tickets.amend(of.db, ticket, by, now=of.now, urgency="urgent")
    ticket = await work.hurry(of, ticket)
    worker = await assignee(of, ticket)
    asked = [worker] if worker else await dispatch.workers(of, ticket.category, ticket.where.building)
    told = [*await dispatch.above(of, 0), *asked]
    of.notify(told, "incident.many", once=f"many:{ticket.id}", ticket=ticket, count=count)
    return ticket


async def apart(of: Work, ticket: Ticket, one: Joined, by: Person, more: str = "") -> Ticket:
    """Not the same thing after all: a ticket of their own, with their words, their place and their photos.

    `more` is what they say about it now.
    """
    await communities.hold(of.db, of.community.id)
    ticket = await tickets.hold(of.db, ticket)
    if one.person_id == ticket.reporter_id or not await joined.take_out(of.db, ticket, one.person_id):
        raise Refusal("incident.not_joined", ticket=ticket)
    person = await people.get(of.db, one.person_id)
    words = f"{one.words}\n{more}" if more else one.words
    own = await work.report(
        of, person, category=one.category, brief=one.brief, words=words,
        where=one.where,
        matter=ticket.matter,
    )  # fmt: skip
    if ticket.matter:
        await begin(of, own, person, ("", ""))
    await _MOVE_PHOTOS.rows(of.db, ticket.id, own.id, person.id, one.at_ms)
    note = f"#{ticket.ref}→#{own.ref}"
    for subject in (ticket, own):
        await audit.write(of.db, ticket.community_id, of.now, by.id, "apart", "ticket", subject.id, note)
    return own


async def leave(work: Work, ticket: Ticket, person: Person, words: str) -> int:
    """Somebody does not care any more; how many households still do."""
    ticket = await tickets.hold(work.db, ticket)
    await joined.take_out(work.db, ticket, person.id)
    await audit.write(work.db, ticket.community_id, work.now, person.id, "leave", "ticket", ticket.id, words)
    return await joined.homes(work.db, ticket)


async def standing(work: Work, ticket: Ticket, traditional: bool = False) -> str:
    """How it stands and what was promised: 老李师傅在路上，11:00 前到."""
    worker = await assignee(work, ticket)
    if worker is None or ticket.state not in HAND:
        key = "now_open"
    elif ticket.state is State.WAITING:
        key = "now_waits"
    else:
        key = "now_at_it" if ticket.state is State.IN_PROGRESS else "now_accepted"
    who = dispatch.called(worker) if worker else ""
    return work.render(f"incident.{key}", traditional, ticket=ticket, who=who).text
