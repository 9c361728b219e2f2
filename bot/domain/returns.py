"""Return visits: a day after a repair was solved we ask whether it still is; a sample is left to a human."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.domain import clocks, tickets
from bot.domain.communities import Work
from bot.domain.telling import tell_concerned
from bot.domain.tickets import REPAIR, State, Ticket

AFTER = timedelta(hours=24)
CONTENT = 4  # whoever gave as many points, or more, is not asked again
SAMPLE = 10  # of so many one is called by a human


def first(work: Work, ticket: Ticket) -> datetime | None:
    """When we ask about a ticket that is being solved now; None where we don't."""
    if ticket.kind != REPAIR:
        return None
    return clocks.by_day((work.now + AFTER).astimezone(work.community.zone), urgent=False)


async def visit(work: Work, ticket: Ticket) -> None:
    """Ask once, unless there was praise."""
    await tickets.schedule(work.db, ticket, promised=None, step=0, due=None)
    if ticket.state is State.RESOLVED and (ticket.rating or 0) < CONTENT:
        await tell_concerned(work, ticket, "ticket.still_good")


def sampled(ticket: Ticket) -> bool:
    """Whether a human asks as well."""
    return ticket.ref % SAMPLE == 0
