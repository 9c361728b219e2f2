"""An order that a platform took down, such as 居民上报: a ticket at once, or once its reporter is let in."""

from __future__ import annotations

import re
from typing import Any

from bot.dialog.open_form import kept
from bot.dialog.skill import Skill
from bot.dialog.turn import Turn
from bot.domain import applications, orders
from bot.domain.applications import Application
from bot.domain.people import Person
from bot.domain.places import Place
from bot.inbox import milliseconds
from bot.messages import Order
from nlp.meaning import Item, Meaning

skill = Skill(__name__)

FILED_AS = "repair.report"
BRIEF, NAME = 20, 12  # characters: a button says the name too
_CLAUSE = re.compile(r"[，。！？；,.!?;\n]")
TAIL = 4  # digits of a phone that tell two of one name apart


@skill.listens
async def order(turn: Turn, meaning: Meaning) -> bool:
    """Everything that is asked of staff becomes a ticket: nobody could answer a question."""
    taken = turn.incoming.order
    if taken is None:
        return False
    items = understood(meaning)
    said = [Place.read(item.slots.get("location")) for item in items]
    waiting = await applications.of(turn.db, turn.person)
    if not turn.person.bound and waiting is None:
        turn.person = turn.incoming_person = await orders.recognise(turn, turn.person, turn.incoming, said)
    rows = [row(turn, taken, item, place) for item, place in zip(items, said, strict=True)]
    if turn.person.bound:
        turn.state.waiting = rows
        return True
    for one in rows:
        one["photos"] = [[photo.path, photo.media_type, photo.name] for photo in turn.incoming.photos]
    if waiting is None:
        await ask(turn, taken, rows, said)
    else:
        await keep(turn, taken, rows, waiting)
    return True


def understood(meaning: Meaning) -> list[Item]:
    """The repairs that are asked for; where there is none, the one thing that it may be."""
    repairs = [item for item in meaning.items if meaning.sure and item.intent == FILED_AS]
    guess = meaning.guess
    return repairs or [guess if guess and guess.intent == FILED_AS else meaning.items[0]]


def row(turn: Turn, taken: Order, item: Item, said: Place) -> dict[str, Any]:
    """The report as a form that lacks nothing: what was not understood is everybody's matter."""
    slots = dict(item.slots) if item.intent == FILED_AS else {}
    if turn.community.impossible(said.building, said.unit, said.room):
        said = Place(place=f"{said.line}？")  # nobody can be asked: as it was said, in doubt
    elif not said:
        said = Place(place=taken.place)
    slots["location"] = said.write() or None
    slots["phone"] = slots.get("phone") or taken.phone
    slots.setdefault("category", "other")
    if taken.urgent:
        slots["urgency"] = "urgent"
    text = turn.incoming.text.strip()
    brief = item.brief or _CLAUSE.split(text, maxsplit=1)[0] or taken.matter
    words = "\n".join(filter(None, (item.text.strip() or text, taken.note)))
    request = Item(FILED_AS, 1.0, slots, words, brief[:BRIEF])
    return kept(request, milliseconds(turn.now), asked=("category", "location"))


async def ask(turn: Turn, taken: Order, rows: list[dict[str, Any]], said: list[Place]) -> None:
    """The committee is asked, with the report: it opens when they let the reporter in."""
    home = next(
        ((one.building, one.unit, one.room) for one in said if one.building and one.room), ("", "", "")
    )
    if turn.community.impossible(*home):
        home = ("", "", "")
    name = await called(turn, turn.person, taken)
    await applications.apply(turn, turn.person, home, name, rows, told="order.asked", **shown(turn, taken))


async def keep(turn: Turn, taken: Order, rows: list[dict[str, Any]], waiting: Application) -> None:
    """One more report of somebody whom the committee has not answered yet."""
    for one in rows:
        await applications.keep(turn.db, waiting, one)
        waiting.kept.append(one)
    deciders = await applications.deciders(turn)
    turn.notify(deciders, "order.more", application=waiting, **shown(turn, taken))


def shown(turn: Turn, taken: Order) -> dict[str, Any]:
    words = turn.incoming.text[: orders.LONGEST_WORDS]
    phone = orders.masked(taken.phone)
    return {"who": turn.person.called, "words": words, "phone": phone, "photos": turn.incoming.photos}


async def called(turn: Turn, person: Person, taken: Order) -> str:
    """A name that the committee can answer with: nobody else who waits has it."""
    tail = f"尾号{taken.phone[-TAIL:]}" if taken.phone else ""
    name = person.name[:NAME] or tail or "居民"
    others = {one.name for one in await applications.waiting(turn.db, turn.community.id)}
    number = 2
    if name in others and tail:
        name = f"{person.name[:NAME]}{tail}"
    base = name
    while name in others:
        name, number = f"{base}{number}", number + 1
    return name
