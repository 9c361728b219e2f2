"""Who hears of a ticket, and how it is put: its wish, its words, its worker."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from bot.domain import people, tickets
from bot.domain.communities import Work
from bot.domain.people import Person
from bot.domain.tickets import BOOKING, COMPLAINT, REPAIR, State, Ticket
from bot.domain.times import Window

LONGEST_WORDS, TELLS_MORE = 200, 14  # characters
#: Of a booking: nobody has come at the time. Later on it is late like anything else.
_LATE = frozenset({"ticket.late", "ticket.late_yours", "ticket.moved"})


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


def without(persons: Iterable[Person], *ones: Person | None) -> list[Person]:
    ids = {one.id for one in ones if one}
    return [person for person in persons if person.id not in ids]


_TOPICS = {BOOKING: "housekeeping", COMPLAINT: "complaint"}


def worded(work: Work, ticket: Ticket, key: str) -> str:
    """The wording for a ticket of this kind: nobody repairs what was booked.

    「ticket.complete.ask」 of a booking is 「housekeeping.as_ticket_complete_ask」, where there is one.
    """
    topic = _TOPICS.get(ticket.kind)
    if topic is None or (key in _LATE and ticket.state is not State.ACCEPTED):
        return key
    if ticket.kind == BOOKING and ticket.category == "facility":
        topic = "facility"
    own = f"{topic}.as_{key.replace('.', '_')}"
    return own if work.community.wording.has(own) else key


async def tell_concerned(work: Work, ticket: Ticket, key: str, *but: Person | None, **values: Any) -> None:
    """Tell the reporter, the household and the subscribers; nobody reads of another's door."""
    key = worded(work, ticket, key)
    everybody = without(await tickets.concerned(work.db, ticket), *but)
    family = {ticket.reporter_id}
    if ticket.home_id and len(everybody) > 1:
        family |= {one.id for one in await people.household(work.db, ticket.home_id)}
    private = ticket.kind == REPAIR and bool(ticket.where.room)
    others = [one for one in everybody if private and one.id not in family]
    work.notify(without(everybody, *others), key, confided=True, ticket=ticket, **values)
    work.notify(others, key, confided=True, ticket=ticket.for_group(), **values)


async def assignee(work: Work, ticket: Ticket) -> Person | None:
    return await people.get(work.db, ticket.assignee_id) if ticket.assignee_id else None
