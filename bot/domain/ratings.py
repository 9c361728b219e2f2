"""Ratings: 1 to 5 for what was done; praise goes to who did it, little with its reason to the leads."""

from __future__ import annotations

from bot.domain import audit, dispatch, tickets
from bot.domain.communities import Work
from bot.domain.people import Person
from bot.domain.telling import assignee, without
from bot.domain.tickets import State, Ticket

CONTENT = 4  # so many points, or more, are praise
RATED = frozenset({State.AWAITS, State.RESOLVED, State.UNCONFIRMED})


async def rate(work: Work, ticket: Ticket, by: Person, rating: int, words: str) -> Ticket:
    """Keep what somebody thinks of the service; whoever has to hear it does."""
    ticket = await tickets.rate(work.db, ticket, by, rating, words, work.now)
    if rating >= CONTENT and words:
        worker = await assignee(work, ticket)
        if worker:
            work.notify([worker], "ticket.rate.praised", ticket=ticket, who=by.called, words=words)
    elif rating < CONTENT and len(words) > 1:
        await _tell_leads(work, ticket, words)
    return ticket


async def explain(work: Work, ticket: Ticket, by: Person, words: str) -> None:
    """The reason for few points; "" when there was no answer. The leads hear of it either way."""
    await audit.write(work.db, ticket.community_id, work.now, by.id, "explain", "ticket", ticket.id, words)
    await _tell_leads(work, ticket, words)


async def _tell_leads(work: Work, ticket: Ticket, words: str) -> None:
    """Who did it does not hear from us what was said."""
    worker = await assignee(work, ticket)
    leads = without(await dispatch.above(work, 0), worker)
    who = dispatch.called(worker) if worker else ""
    key = "ticket.rate.low" if words else "ticket.rate.low_plain"
    work.notify(leads, key, ticket=ticket, who=who, words=words)
