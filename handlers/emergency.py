"""Danger: what to do and whom to call, in the first reply; then everybody on duty, until one answers."""

from __future__ import annotations

from typing import Any

from bot.dialog.form import Form
from bot.dialog.skill import Skill
from bot.dialog.turn import Turn
from bot.domain import places, tickets, work
from bot.domain.people import Role
from bot.domain.places import Place
from bot.domain.tickets import EMERGENCY, State, Ticket
from nlp.meaning import Meaning

skill = Skill(__name__)

ACKNOWLEDGES = frozenset({"dialog.affirm", "ticket.accept", "ticket.progress"})


class Report(Form):
    kind: str = "danger"
    location: dict[str, Any] | None = None
    phone: str = ""


def where(turn: Turn, said: Place, kind: str) -> Place:
    """As said; else, in the person's own words about no other place, the person's home."""
    if said.building or turn.person.home is None:
        return said
    category = "elevator" if kind == "elevator" else ""
    return places.complete(said, turn.person.home, category, turn.item.text) or said


@skill.on("report", Report, by=Role.STRANGER)
async def report(turn: Turn, form: Report) -> None:
    ticket, new = await work.danger(
        turn,
        turn.person,
        kind=form.kind,
        brief=turn.item.brief or turn.words(f"brief_{form.kind}"),
        words=turn.item.text,
        where=where(turn, Place.read(form.location), form.kind),
        phone=form.phone,
        pictures=turn.pictures(),
    )
    turn.state.photos = []
    turn.talk_about(ticket.ref)
    turn.say(f"do_{form.kind}", numbers=turn.community.numbers)
    turn.say("done" if new else "joined", ticket=ticket)


@skill.listens
async def acknowledged(turn: Turn, meaning: Meaning) -> bool:
    """「收到」 from staff, while an alert is unanswered, is the answer to it."""
    item = meaning.items[0]
    if turn.group or not turn.person.may(Role.STAFF) or turn.state.form is not None:
        return False
    said_so = turn.incoming.text.strip().startswith(("收到", "知道", "马上", "我去", "来了", "这就", "已"))
    if not ((meaning.sure and item.intent in ACKNOWLEDGES) or said_so):
        return False
    unanswered = await _unanswered(turn)
    ref = item.slots.get("ref")
    mine = [ticket for ticket in unanswered if ref is None or ticket.ref == ref]
    if not mine:
        return False
    note = turn.incoming.text.strip()[:200]
    ticket = await work.accept(turn, mine[0], turn.person, note)
    turn.talk_about(ticket.ref)
    turn.say("emergency.report.acknowledged", ticket=ticket)
    return True


async def _unanswered(turn: Turn) -> list[Ticket]:
    found = await tickets.in_state(turn.db, turn.community.id, State.OPEN)
    return [ticket for ticket in found if ticket.kind == EMERGENCY]
