"""Public rooms (球场、会议室、活动室): booked at once where the time is free, else alternatives."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

from bot.dialog import booking
from bot.dialog.form import Context, Form, needed
from bot.dialog.skill import Skill
from bot.dialog.turn import Turn
from bot.domain import appointments, catalogue, slots, work
from bot.domain.appointments import Order
from bot.domain.catalogue import Service
from bot.domain.people import Role
from bot.domain.places import Place
from bot.domain.slots import Slot, Wish
from bot.unit_of_work import Refusal

skill = Skill(__name__)

_ASKS = re.compile(r"[?？吗么]|有没有|有空|空不空|能不能|可不可以|还有")


def asked(said: Any, context: Context) -> Any:
    """A rule (每周五晚七点) names a time, too."""
    return said or ({} if context.slots.get("rrule") else None)


class Book(Form):
    item: str = needed(must=True)
    time: dict[str, Any] | None = needed(known=asked, must=True)
    duration_minutes: int | None = None
    people: int | None = None
    rrule: str | None = None


@skill.on("book", Book, by=Role.RESIDENT, kept=True)
async def book(turn: Turn, form: Book) -> None:
    known = turn.community.catalogue
    if not known.rooms:
        turn.say("none_here")
        return
    room = known.room(form.item, turn.item.text)
    if room is None:
        turn.say("absent", item=form.item, names="、".join(one.name for one in known.rooms))
        return
    if form.rrule:
        turn.say("no_series", service=room)
        return
    too_many(turn, room, form.people or 0)
    wish = Wish.of(form.time, work.local(turn))
    said = {"time": form.time, "duration_minutes": form.duration_minutes or _length(wish)}
    home = turn.person.home
    kept = booking.begin(turn, room, said, home_id=home.id if home else None, people=form.people or 0)
    at = wish.at if wish else None
    if at is None or _ASKS.search(turn.item.text):
        await booking.offer(turn, kept)
        return
    ticket = await at_once(turn, room, kept, at)
    if ticket is None:
        await booking.offer(turn, kept)


def too_many(turn: Turn, room: Service, count: int) -> None:
    """Refuse more people than the room holds, and say which would do."""
    if not room.people or count <= room.people:
        return
    larger = [one.name for one in turn.community.catalogue.rooms if not one.people or one.people >= count]
    key = "facility.book.too_many_but" if larger else "facility.book.too_many"
    raise Refusal(key, service=room, count=count, others="、".join(larger))


def _length(wish: Wish | None) -> int | None:
    """两点到四点: two hours."""
    if wish is None or wish.at is None or wish.until - wish.at <= timedelta(minutes=1):
        return None
    return round((wish.until - wish.at).total_seconds() / 60)


async def at_once(turn: Turn, room: Service, kept: dict[str, Any], at: datetime) -> Any:
    """Book the time that was named; None where it can't be had."""
    slot = Slot(at, at + timedelta(minutes=kept["minutes"]))
    found = await slots.search(turn, room, kept["minutes"], home_id=kept["home_id"], days=[at.date()])
    if not any(one.start == at for one in found):
        return None
    ahead = (at.date() - work.local(turn).date()).days
    if ahead >= room.ahead:
        return None
    order = Order(room, slot, Place(), kept["home_id"], kept["words"], "", kept["people"])
    ticket = await appointments.book(turn, turn.person, order)
    if ticket is None:
        return None
    turn.talk_about(ticket.ref)
    price = catalogue.yuan(room.cost(kept["minutes"]))
    turn.say("done", ticket=ticket, service=room, when=slot.say(work.local(turn)), price=price)
    return ticket
