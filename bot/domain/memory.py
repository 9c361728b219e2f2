"""What was done before: who repaired it last time, when, what was done and what it cost."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from bot.domain import audit, tickets
from bot.domain.communities import Work
from bot.domain.people import Person
from bot.domain.tickets import BOOKING, EMERGENCY, REPAIR, State, Ticket, Verb
from bot.store import Statement

LOOKED_AT = 50  # tickets of a flat or a place, newest first
DONE = frozenset({State.AWAITS, State.RESOLVED, State.UNCONFIRMED})
_KINDS = frozenset({REPAIR, EMERGENCY, BOOKING})
#: Characters that say nothing of the thing.
_COMMON = frozenset("的了那这个一不我你他是有在人先等修坏漏换家里门上下次回给来去做好没")

_OF_HOME = Statement("select * from ticket where home_id = $1 and id < $2 order by id desc limit $3")
_OF_PLACE = Statement(
    "select * from ticket where community_id = $1 and category = $2 and building = $3 and unit = $4"
    " and id < $5 order by id desc limit $6"
)


def done(found: Iterable[Ticket]) -> list[Ticket]:
    """Those that somebody has done, in their order."""
    return [one for one in found if one.kind in _KINDS and one.state in DONE and one.assignee_id]


async def of_household(work: Work, person: Person, category: str | None, words: str) -> Ticket | None:
    """The last one done for a person's household; of the thing that the words name, where they name one."""
    found = done(await tickets.of_resident(work.db, person, LOOKED_AT))
    return choose(found, category, words)


async def before(work: Work, ticket: Ticket) -> Ticket | None:
    """The last one done before this one in the same flat, or of the same kind at the same place."""
    if ticket.home_id:
        rows: Sequence[dict[str, Any]] = await _OF_HOME.rows(work.db, ticket.home_id, ticket.id, LOOKED_AT)
    else:
        at = ticket.where
        rows = await _OF_PLACE.rows(
            work.db, work.community.id, ticket.category, at.building, at.unit, ticket.id, LOOKED_AT
        )
    found = done(tickets.read(row) for row in rows)
    same = [one for one in found if one.category == ticket.category]
    if not ticket.home_id:
        same = [one for one in same if one.where == ticket.where]
    return next(iter(same), None)


def choose(found: Sequence[Ticket], category: str | None, words: str) -> Ticket | None:
    """The newest one that the words fit; the newest of all where they name nothing."""
    named = {char for char in words if char.isalnum() and char not in _COMMON}
    if not named:
        return next(iter(found), None)
    fitting = [(len(named & set(one.brief + one.where.place)), one) for one in found]
    best = max((points for points, _ in fitting), default=0)
    if not best:
        return next((one for one in found if category is not None and one.category == category), None)
    return next(one for points, one in fitting if points == best)


async def what(work: Work, ticket: Ticket) -> str:
    """What was done, in the worker's words, or ""."""
    lines = [
        line["note"].partition("：")[2].strip("（）")
        for line in await audit.story(work.db, "ticket", ticket.id)
        if line["verb"] == Verb.COMPLETE
    ]
    return lines[-1][:80] if lines else ""
