"""Danger: everybody on duty is alerted, and two who see the same danger are heard as one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from bot.domain import audit, dispatch, photos, tickets
from bot.domain.communities import Work
from bot.domain.people import Person
from bot.domain.places import Place
from bot.domain.tickets import EMERGENCY, Ticket
from bot.domain.work import find_flat, without
from bot.messages import Lane, Photo

ALERT_AGAIN = timedelta(minutes=2)  # until a human acknowledges
SAME_DANGER = timedelta(minutes=60)


async def danger(
    work: Work,
    person: Person,
    *,
    kind: str,
    brief: str,
    words: str,
    where: Place,
    phone: str = "",
    pictures: Sequence[Photo] = (),
) -> tuple[Ticket, bool]:
    """Alert everybody on duty; the emergency, and whether it is a new one.

    A second report from the same staircase within the hour, of the same kind or of none ("") that could be
    told, joins the first.
    """
    now = work.now
    same = await _same_danger(work, kind, where)
    if same is not None:
        await join_danger(work, same, person, words, pictures)
        return same, False
    kind = kind or "danger"
    flat = await find_flat(work, where, person)
    ticket = await tickets.file(
        work.db,
        work.community.id,
        person,
        now=now,
        kind=EMERGENCY,
        category=kind,
        brief=brief,
        words=words,
        where=where,
        home_id=flat.id if flat else None,
        promised=now + ALERT_AGAIN,
        due=now + ALERT_AGAIN,
        urgency="urgent",
        phone=phone,
    )
    if pictures:
        await photos.attach(work.db, ticket.id, person.id, pictures, now)
    await tell_staff_of_danger(work, ticket, "emergency.new", words=words, pictures=tuple(pictures))
    return ticket, True


async def _same_danger(work: Work, kind: str, where: Place) -> Ticket | None:
    for state in (tickets.State.OPEN, tickets.State.ACCEPTED, tickets.State.IN_PROGRESS):
        for other in await tickets.in_state(work.db, work.community.id, state, 20):
            if other.kind != EMERGENCY or work.now - other.made >= SAME_DANGER:
                continue
            if kind in ("", other.category) and where.near(other.where):
                return other
    return None


async def join_danger(
    work: Work, ticket: Ticket, person: Person, words: str, pictures: Sequence[Photo] = ()
) -> None:
    """Somebody says more of an emergency: who is at it hears the words, and the person is kept informed."""
    mine = any(one.id == person.id for one in await tickets.concerned(work.db, ticket))
    await tickets.subscribe(work.db, ticket, person)
    if pictures:
        await photos.attach(work.db, ticket.id, person.id, pictures, work.now)
    await audit.write(work.db, ticket.community_id, work.now, person.id, "say", "ticket", ticket.id, words)
    key = "emergency.words" if mine else "emergency.more"
    await tell_staff_of_danger(work, ticket, key, person, words=words, pictures=tuple(pictures))


async def tell_staff_of_danger(
    work: Work, ticket: Ticket, key: str, *but: Person, pictures: tuple[Photo, ...] = (), **values: Any
) -> None:
    asked = without(await dispatch.on_duty(work), *but)
    work.notify(asked, key, lane=Lane.DANGER, ticket=ticket, photos=pictures, **values)
