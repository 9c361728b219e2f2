"""How satisfied a resident is: 1 to 5, a reason where it is little, praise for who earned it."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from bot.dialog.form import Context, needed
from bot.dialog.meant import About, by_ref
from bot.dialog.skill import Skill
from bot.dialog.turn import Turn
from bot.domain import costs, ratings, tickets, work
from bot.domain.people import Role
from bot.domain.tickets import EMERGENCY, State, Ticket
from bot.inbox import milliseconds
from bot.unit_of_work import Refusal
from nlp.meaning import Item

skill = Skill("ticket")

WITHIN = timedelta(days=30)  # what ended longer ago is not meant by words without a number
_DIGIT = re.compile(r"\s*([1-5])\s*[分星。.!！]?\s*")
_POINTS = re.compile(
    r"[#＃]?\d*\s*号?\s*(?:单子?)?\s*(?:给|打|评|来)?(?:个|了)?\s*(?:[1-5一二两俩三四五]\s*(?:分|[颗个粒]?星)|满分|⭐+|★+)"
)


def points(said: Any, context: Context) -> int | None:
    """What was said, or a digit alone as the answer."""
    last = context.text.rsplit("\n", 1)[-1]
    digit = _DIGIT.fullmatch(last)
    return int(said) if said else int(digit.group(1)) if digit else None


def words_of(text: str) -> str:
    """What is said beside the points."""
    return _POINTS.sub("", text).strip(" ，,。.！!\n、")


class Rate(About):
    rating: int | None = needed(known=points, must=True)
    patience = timedelta(hours=2)


class Why(About):
    reason: str = needed(free=True)
    patience = timedelta(hours=2)


@skill.on("rate", Rate, by=Role.RESIDENT)
async def rate(turn: Turn, form: Rate) -> None:
    assert form.rating is not None
    ticket = await meant(turn, form)
    words = words_of(turn.item.text)[:300]
    turn.state.offers = []
    turn.talk_about(ticket.ref)
    if ticket.state is State.AWAITS and form.rating >= ratings.CONTENT:
        ticket = await work.confirm(turn, ticket, turn.person, turn.item.text[:200])
        key = "incident.agreed" if ticket.state is State.AWAITS else "ticket.confirm.done_plain"
        turn.say(key, ticket=ticket)
    ticket = await ratings.rate(turn, ticket, turn.person, form.rating, words)
    if form.rating >= ratings.CONTENT:
        turn.say("ticket.rate.thanks", ticket=ticket)
        cost = None if turn.group else await costs.asks(turn, ticket, turn.person)
        if cost is not None:
            turn.say("cost.ask_now", ticket=ticket, cost=cost)
    elif len(words) > 1:
        turn.say("ticket.rate.noted", ticket=ticket)
    else:
        turn.then(Item("ticket.why", 1.0, {"ref": ticket.ref}, ""))


@skill.on("why", Why, by=Role.RESIDENT, spoken=False)
async def why(turn: Turn, form: Why) -> None:
    """The reason that belongs to few points."""
    assert form.ref is not None
    ticket = await by_ref(turn, form.ref)
    words = (turn.item.text if form.reason is None else form.reason).strip()[:300]
    await ratings.explain(turn, ticket, turn.person, words)
    if words:
        turn.say("ticket.rate.noted", ticket=ticket)


async def meant(turn: Turn, form: About) -> Ticket:
    """What can be rated: the household's, done not long ago, best the one we talk about."""
    if form.ref is not None:
        ticket = await by_ref(turn, form.ref)
        concerned = await tickets.concerned(turn.db, ticket)
        if not any(one.id == turn.person.id for one in concerned):
            raise Refusal("ticket.only_concerned", ticket=ticket)
        if ticket.state not in ratings.RATED or ticket.kind == EMERGENCY:
            raise Refusal("ticket.rate.not_yet", ticket=ticket)
        return ticket
    since = milliseconds(turn.now - WITHIN)
    mine = [
        one
        for one in await tickets.of_resident(turn.db, turn.person)
        if one.state in ratings.RATED and one.kind != EMERGENCY
        and (one.closed is None or milliseconds(one.closed) >= since)
    ]  # fmt: skip
    if not mine:
        raise Refusal("ticket.rate.nothing")
    recent = turn.recent()
    return min(mine, key=lambda one: (recent.index(one.ref) if one.ref in recent else 99, -one.ref))
