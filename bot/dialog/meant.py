"""Which ticket is meant: by its number, by its category, by what we talk about, or the only one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from bot.dialog.form import Form
from bot.dialog.turn import Turn
from bot.domain import dispatch, tickets
from bot.domain.people import Role
from bot.domain.tickets import COMPLAINT, HAND, State, Ticket
from bot.domain.times import Window
from bot.unit_of_work import Refusal


class About(Form):
    """Which ticket: by its number, by its category, or the one we talk about."""

    ref: int | None = None
    category: str | None = None
    location: dict[str, Any] | None = None


async def by_ref(turn: Turn, ref: int) -> Ticket:
    """The ticket with this number, if this person may see it; absent and forbidden look the same.

    Of a merged one it is the ticket that stands for it.
    """
    ticket = await tickets.get(turn.db, turn.community.id, ref)
    if ticket is None or not await may_see(turn, ticket):
        raise Refusal("ticket.absent", ref=ref)
    return await tickets.stands_for(turn.db, ticket)


async def may_see(turn: Turn, ticket: Ticket) -> bool:
    person = turn.person
    if ticket.kind == COMPLAINT:
        return ticket.reporter_id == person.id or dispatch.answers_for(person, ticket)
    if person.may(Role.STAFF) or person.may(Role.COMMITTEE) or ticket.reporter_id == person.id:
        return True
    return any(one.id == person.id for one in await tickets.concerned(turn.db, ticket))


async def own(turn: Turn, form: About, *states: State) -> Ticket:
    """The resident's ticket that is meant. Asks which when several could be."""
    if form.ref is not None:
        return await by_ref(turn, form.ref)
    mine = await tickets.of_resident(turn.db, turn.person)
    return choose(turn, mine, form, *states)


async def in_hand(turn: Turn, form: About, *states: State) -> Ticket:
    """The ticket that a worker means: by number, or the only one in hand that fits."""
    if form.ref is not None:
        return await by_ref(turn, form.ref)
    mine = await tickets.of_staff(turn.db, turn.person)
    return choose(turn, mine, form, *(states or HAND))


def _then(found: list[Ticket], time: dict[str, Any] | None) -> list[Ticket]:
    """Those that are appointed for the time that was said: 明天的保洁."""
    if not time:
        return []
    said = Window.of(time)
    end = said.end or said.start + timedelta(hours=1)
    wanted = [(one, Window.read(one.wanted)) for one in found]
    return [one for one, at in wanted if at and at.start < end and (at.end or at.start) > said.start]


def choose(turn: Turn, mine: list[Ticket], form: About, *states: State) -> Ticket:
    """The one meant, among one's own: what fits the words, else what we talk about, else the only one."""
    fitting = [t for t in mine if t.state in states] if states else [t for t in mine if t.open]
    if form.category:
        fitting = [t for t in fitting if t.category == form.category] or fitting
    fitting = _then(fitting, getattr(form, "time", None)) or fitting
    if not fitting:
        key = "ticket.none_such" if any(t.open for t in mine) or mine else "ticket.none"
        raise Refusal(key)
    recent = turn.recent()
    talked = [t for t in fitting if t.ref in recent]
    if form.category:
        talked = [t for t in talked if t.category == form.category]
        if not talked:
            talked = [t for t in fitting if t.category == form.category]
    if talked:
        return min(talked, key=lambda t: recent.index(t.ref) if t.ref in recent else 99)
    if len(fitting) > 1:
        lines = "\n".join(f"#{t.ref} {t.brief}（{t.state}）" for t in fitting[:5])
        raise Refusal("ticket.which", lines=lines)
    return fitting[0]
