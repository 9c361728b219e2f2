"""Repair: one sentence in, one ticket out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bot.dialog.form import Context, Form, needed
from bot.dialog.skill import Skill
from bot.dialog.turn import Turn
from bot.domain import incidents, places, root_causes, work
from bot.domain.people import Role
from bot.domain.places import Place
from bot.domain.sameness import Report as Reported
from bot.domain.sameness import Same
from bot.domain.tickets import State, Ticket
from nlp import matters
from nlp.meaning import Item

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
    if turn.acted and turn.spoke and matters.of_neighbours(turn.item.text):
        return  # the other half of what was just reported
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
    words = turn.item.text
    said_now = incidents.reported(
        turn.community, form.category, brief, words, where, turn.now, turn.person.home
    )
    where = incidents.filed_at(where, said_now)
    same, other = (Same.NO, None) if turn.rehearsed else await incidents.find(turn, said_now)
    if same is Same.YES and other is not None:
        await joins(turn, form, said_now, other)
        return
    ticket = await work.report(
        turn,
        turn.person,
        category=form.category,
        brief=brief,
        words=words,
        where=where,
        urgency=form.urgency,
        wanted=form.time,
        phone=form.phone,
        pictures=turn.pictures(),
        matter=said_now.key,
    )
    if said_now.key:
        await incidents.begin(turn, ticket, turn.person, group_of(turn))
    turn.state.photos = []
    turn.talk_about(ticket.ref)
    wanted = work.say_wanted(turn, ticket)
    root = await root_causes.look(turn, ticket)
    turn.say("done_wanted" if wanted else "done", ticket=ticket, wanted=wanted)
    if root is not None:
        turn.say("root.told", ticket=root[0], count=root[1])
    if other is not None:
        turn.say("incident.maybe", ticket=other.for_group(), mine=ticket.ref)


def group_of(turn: Turn) -> tuple[str, str]:
    """The group where this is said; ("", "") in private, and for what is done for somebody else."""
    here = turn.group and turn.acting_for is None
    return (turn.incoming.channel, turn.incoming.chat) if here else ("", "")


async def joins(turn: Turn, form: Report, said: Reported, ticket: Ticket) -> None:
    """Others have reported it, or this household has: it is not filed twice, and what is said is kept."""
    if not said.key:
        turn.say("incident.own", ticket=ticket, now=await incidents.standing(turn, ticket, turn.traditional))
        slots = {"ref": ticket.ref, "time": form.time, "phone": form.phone}
        slots["urgency"] = form.urgency if form.urgency != "normal" else None
        more = Item("ticket.amend", 1.0, {k: v for k, v in slots.items() if v}, turn.item.text)
        turn.then(more, turn.acting_for)
        return
    again = ticket.state is State.AWAITS
    ticket, count = await incidents.join(
        turn, ticket, turn.person, said, turn.item.text, turn.pictures(), group_of(turn)
    )
    turn.state.photos = []
    turn.talk_about(ticket.ref)
    if again:
        turn.say("incident.again", ticket=ticket, count=count)
    else:
        turn.say(
            "incident.joined",
            ticket=ticket,
            count=count,
            now=await incidents.standing(turn, ticket, turn.traditional),
        )
