"""Orders: reports that a platform took down as a form. Whose they are, and who sees what can't be filed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from bot import masking
from bot.domain import applications, dispatch, households, people
from bot.domain.communities import Community, Work
from bot.domain.people import Home, Person
from bot.domain.places import Place
from bot.messages import Incoming, Order

LONGEST_WORDS = 300  # characters of a report in a message to the committee


def community_of(order: Order, communities: Mapping[int, Community]) -> int | None:
    """The community that the order names: one company may look after several."""
    said = f"{order.place} {order.note}"
    return next((row for row, one in communities.items() if one.name in said), None)


def to_call(order: Order) -> str:
    """For who goes where there is danger: nobody can be asked back but by phone."""
    return f"（{order.phone}，回不了消息，请打电话）" if order.phone else "（没留电话）"


def masked(phone: str) -> str:
    """As alerts show it; whoever takes the ticket sees it whole."""
    return masking.number(phone) if len(phone) >= 8 else "没留电话"


async def recognise(work: Work, stranger: Person, incoming: Incoming, places: Iterable[Place]) -> Person:
    """Who on the household list the reporter is: the same person as on other channels, or a new resident.

    By the home that is said and the name or phone, as everybody; else by name and phone together. The
    stranger as before, when neither is on the list.
    """
    order, name = incoming.order, incoming.sender_name
    assert order is not None
    found = await _on_the_list(work, name, order.phone, places)
    if found is None:
        return stranger
    home, known = found
    for member in await people.household(work.db, home.id):
        if member.name == known:
            await people.give_account(work.db, incoming.channel, incoming.sender, member)
            return await people.get(work.db, member.id)
    await applications.let_in(work, stranger, (home.building, home.unit, home.room), known)
    return await people.get(work.db, stranger.id)


async def _on_the_list(work: Work, name: str, phone: str, places: Iterable[Place]) -> tuple[Home, str] | None:
    """The flat and the full name there."""
    for place in places:
        if not (place.building and place.room):
            continue
        home = await people.find_home(work.db, work.community.id, place.building, place.unit, place.room)
        known = await households.recognise(work.db, home.id, name, phone) if home else None
        if home and known:
            return home, known
    home = await households.find(work.db, work.community.id, name, phone)
    return (home, name) if home else None


async def pass_on(work: Work, reporter: Person, incoming: Incoming) -> None:
    """What broke while it was filed is read by a human: nobody else knows that it came."""
    assert incoming.order is not None
    work.notify(
        await dispatch.helpers(work),
        "order.failed",
        who=reporter.called,
        phone=masked(incoming.order.phone),
        words=incoming.text[:LONGEST_WORDS],
        photos=incoming.photos,
    )
