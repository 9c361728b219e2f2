"""Repair: one sentence in, one ticket out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bot.dialog.form import Context, Form, needed
from bot.dialog.skill import Skill
from bot.dialog.turn import Turn
from bot.domain import places, root_causes, work
from bot.domain.people import Role
from bot.domain.places import Place

skill = Skill(__name__)

NAMES = 2  # characters: 「漏」 alone names no matter


def place_of(said: Any, context: Context) -> dict[str, str] | None:
    """The place, from what was said and the speaker's home; None when it has to be asked."""
    home = context.person.home
    category = str(context.slots.get("category") or "")
    place = places.complete(Place.read(said), home, category, context.text)
    return place.write() if place else None


class Report(Form):
    category: str = needed(must=True)
    location: dict[str, Any] | None = needed(known=place_of)
    time: dict[str, Any] | None = None
    urgency: str = "normal"
    phone: str = ""


@skill.on("report", Report, by=Role.RESIDENT, kept=True)
async def report(turn: Turn, form: Report) -> None:
    where = Place.read(form.location)
    said = Place.read(turn.item.slots.get("location"))
    if said.room and not said.building and turn.community.impossible(None, None, said.room):
        # a number alone that no flat here has was none: the speaker's home it is
        where = places.complete(replace(said, room=""), turn.person.home, form.category, "") or where
    if turn.community.impossible(where.building, where.unit, where.room):
        turn.ask_again("location")
        turn.say("repair.no_such_place", where=where.line, community=turn.community)
        return
    brief = turn.item.brief
    if len(brief) < NAMES:
        brief = turn.words(f"category_{form.category}")
    ticket = await work.report(
        turn,
        turn.person,
        category=form.category,
        brief=brief,
        words=turn.item.text,
        where=where,
        urgency=form.urgency,
        wanted=form.time,
        phone=form.phone,
        pictures=turn.pictures(),
    )
    turn.state.photos = []
    turn.talk_about(ticket.ref)
    wanted = work.say_wanted(turn, ticket)
    root = await root_causes.look(turn, ticket)
    turn.say("done_wanted" if wanted else "done", ticket=ticket, wanted=wanted)
    if root is not None:
        turn.say("root.told", ticket=root[0], count=root[1])
