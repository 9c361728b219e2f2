"""Information without a request: it completes or corrects what we speak about."""

from __future__ import annotations

from typing import Any

from bot.dialog.form import Form
from bot.dialog.skill import Skill
from bot.dialog.turn import Turn
from bot.domain import people, tickets
from bot.domain.people import Role
from bot.domain.tickets import Ticket
from nlp.meaning import Item

skill = Skill(__name__)


class Inform(Form):
    ref: int | None = None
    location: dict[str, Any] | None = None
    time: dict[str, Any] | None = None
    phone: str = ""
    name: str = ""
    category: str | None = None
    urgency: str | None = None


@skill.on("inform", Inform, by=Role.STRANGER)
async def inform(turn: Turn, form: Inform) -> None:
    ticket = await spoken_of(turn, form.ref)
    if ticket is not None:
        slots = dict(turn.item.slots) | {"ref": ticket.ref}
        turn.then(Item("ticket.amend", 1.0, slots, turn.item.text))
        return
    if not turn.person.bound and form.location:
        turn.then(Item("profile.bind", 1.0, dict(turn.item.slots), turn.item.text))
        return
    if form.phone and turn.person.bound:
        await people.note_phone(turn.db, turn.person.id, form.phone)
        turn.say("phone", phone=form.phone)
        return
    turn.say("about_what")


async def spoken_of(turn: Turn, ref: int | None) -> Ticket | None:
    """The open ticket of this person that we speak about here."""
    for number in [ref] if ref is not None else turn.recent():
        ticket = await tickets.get(turn.db, turn.community.id, number)
        if ticket is None or not ticket.open:
            continue
        if any(one.id == turn.person.id for one in await tickets.concerned(turn.db, ticket)):
            return ticket
    return None
