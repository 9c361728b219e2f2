"""What a repair costs: the price before the work, the bill after it, and the household's yes or no."""

from __future__ import annotations

import re
from decimal import Decimal

from bot.dialog import commands
from bot.dialog.meant import About, by_ref, in_hand
from bot.dialog.skill import Skill
from bot.dialog.turn import Turn
from bot.domain import costs, parts, work
from bot.domain.costs import ASKED, QUOTE
from bot.domain.people import Role
from bot.domain.tickets import HAND, State, Ticket
from bot.unit_of_work import Refusal
from nlp.slots.costs import Costs, Line

skill = Skill(__name__)

_YUAN = re.compile(r"同意\s*(?:费用)?\s*(?P<yuan>\d+(?:\.\d{1,2})?)")


@skill.on("quote", About, by=Role.STAFF)
async def quote(turn: Turn, form: About) -> None:
    """「12 报价 60元 换角阀」: the household is asked before anything is done."""
    if _in_group(turn):
        return
    ticket = await in_hand(turn, About(ref=form.ref))
    await ask(turn, ticket)


async def ask(turn: Turn, ticket: Ticket) -> None:
    turn.talk_about(ticket.ref)
    found = listed(turn, commands.costs(turn.item.text, turn.community.parts))
    if found.why is not None:
        raise Refusal("cost.unclear", ticket=ticket, why=turn.render(f"cost.unclear_{found.why}").text)
    if found.fen is None:
        raise Refusal("cost.quote.how_much", ticket=ticket)
    cost = await costs.quote(
        turn, ticket, turn.person, found.fen, found.words or commands.purpose(turn.item.text)
    )
    turn.say("cost.quote.done", ticket=ticket, cost=cost)


def listed(turn: Turn, found: Costs) -> Costs:
    """Parts of which no price was said cost what the community's list says, where it has all of them."""
    if found.why is not None or found.fen is not None or not found.parts:
        return found
    lines = []
    for one in found.parts:
        part = parts.meant(turn.community.parts, one.name)
        if part is None or part.price is None:
            return found
        lines.append(Line(one.said, part.price * one.count))
    return Costs(found.parts, tuple(lines), sum(one.fen for one in lines))


@skill.on("charge", About, by=Role.STAFF)
async def charge(turn: Turn, form: About) -> None:
    """「12 费用 60元 2个角阀」: the bill, later or corrected; before the work it is a price."""
    if _in_group(turn):
        return
    assert form.ref is not None
    ticket = await by_ref(turn, form.ref)
    if ticket.state in HAND or ticket.state is State.OPEN:
        work.only_assignee(ticket, turn.person, await work.assignee(turn, ticket))
        await ask(turn, ticket)
        return
    found = commands.costs(turn.item.text, turn.community.parts)
    turn.talk_about(ticket.ref)
    if found.why is not None:
        raise Refusal("cost.unclear", ticket=ticket, why=turn.render(f"cost.unclear_{found.why}").text)
    if found.fen is None:
        raise Refusal("cost.charge.how_much", ticket=ticket)
    cost = await costs.charge(turn, ticket, turn.person, found.fen, found.words)
    key = "done_asked" if cost.state == ASKED else "done"
    turn.say(key, ticket=ticket, cost=cost, line=costs.line(turn, cost))


@skill.on("agree", About, by=Role.RESIDENT)
async def agree(turn: Turn, form: About) -> None:
    """Yes: it counts from now on."""
    await _answered(turn, form, yes=True)


@skill.on("refuse", About, by=Role.RESIDENT)
async def refuse(turn: Turn, form: About) -> None:
    """No: to a price, the worker looks for another; to a bill, a lead looks into it."""
    await _answered(turn, form, yes=False)


async def _answered(turn: Turn, form: About, *, yes: bool) -> None:
    if _in_group(turn):
        return
    assert form.ref is not None
    ticket = await by_ref(turn, form.ref)
    said = _YUAN.search(turn.item.text)
    fen = int(Decimal(said["yuan"]) * 100) if said else None
    ticket, cost = await costs.answer(turn, ticket, turn.person, fen, yes=yes)
    turn.talk_about(ticket.ref)
    turn.state.offers = []
    turn.say("done_quote" if cost.stage == QUOTE else "done_bill", ticket=ticket, cost=cost)
    if ticket.state is State.AWAITS:  # one question after the other
        turn.say(work.worded(turn, ticket, "ticket.complete.remind"), ticket=ticket)
    elif ticket.state is State.RESOLVED and ticket.rating is None:
        turn.say("cost.and_rate", ticket=ticket)
        turn.state.offers = [[f"{n}", f"#{ticket.ref} 评 {n} 分"] for n in range(1, 6)]


def _in_group(turn: Turn) -> bool:
    """Money is nobody else's business."""
    if turn.group:
        turn.say("cost.in_group")
    return turn.group
