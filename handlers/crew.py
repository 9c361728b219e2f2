"""The lists of staff, short and picked from by a digit, and what they answer to alerts: I see it; not me."""

from __future__ import annotations

import re
from collections.abc import Mapping

from bot.dialog.meant import About, by_ref
from bot.dialog.skill import Skill
from bot.dialog.turn import Turn
from bot.domain import costs, dispatch, joined, merging, offers, people, promises, tickets, work
from bot.domain.people import Role
from bot.domain.tickets import BOOKING, COMPLAINT, EMERGENCY, HAND, State, Ticket
from bot.unit_of_work import Refusal

skill = Skill("ticket")

LISTED = 9  # lines that a digit picks; more would not be read on a phone
LOOKED_AT = 100  # newest tickets of a state among which the worker's own are looked for
_ONLY_WAITING = ("待接", "没接", "未接", "没人接")
_EVERYBODYS = ("所有", "全部", "全都", "大家", "都有哪些", "没修完", "没干完", "挂着", "在办", "超时")


@skill.on("list", About, by=Role.STAFF, question=True)
async def listed(turn: Turn, form: About) -> None:
    """What is in hand, then what waits for somebody; a lead may ask for everybody's."""
    text = turn.item.text
    waiting = await waiting_for(turn, form.category)
    if turn.person.may(Role.LEAD) and any(word in text for word in _EVERYBODYS):
        everybody = await in_work(turn, form)
        who = {}
        for one in {t.assignee_id for t in everybody[:LISTED] if t.assignee_id}:
            who[one] = (await people.get(turn.db, one)).name
        say_list(turn, ("waiting", waiting, "接 {}"), ("everybody", everybody, "看 {} 详情"), who=who)
        return
    mine = []
    if not any(word in text for word in _ONLY_WAITING):
        mine = [t for t in await tickets.of_staff(turn.db, turn.person) if t.state in HAND]
    mine = pressing(mine)
    say_list(turn, ("mine", mine, "看 {} 详情"), ("waiting", waiting, "接 {}"))


async def waiting_for(turn: Turn, category: str | None) -> list[Ticket]:
    """The tickets that nobody has and that this person would be asked to take."""
    found = await tickets.in_state(turn.db, turn.community.id, State.OPEN, LOOKED_AT)
    fit = [t for t in found if not category or t.category == category]
    return pressing([t for t in fit if dispatch.suits(turn, turn.person, t)])


def pressing(found: list[Ticket]) -> list[Ticket]:
    """The urgent ones first, then by what was promised."""
    return sorted(found, key=lambda t: (not t.urgent, t.promised or t.made, t.ref))


async def in_work(turn: Turn, form: About) -> list[Ticket]:
    """What anybody has in hand."""
    found: list[Ticket] = []
    for state in (State.ACCEPTED, State.IN_PROGRESS, State.WAITING, State.REOPENED):
        found += await tickets.in_state(turn.db, turn.community.id, state, LOOKED_AT)
    fit = [t for t in found if not form.category or t.category == form.category]
    return pressing([t for t in fit if t.kind != COMPLAINT or dispatch.answers_for(turn.person, t)])


def say_list(turn: Turn, *parts: tuple[str, list[Ticket], str], who: Mapping[int, str] | None = None) -> None:
    """Lists under each other, numbered through; each line does what its words say when its digit is sent.

    `who` has the names of those who have the tickets, where they are shown.
    """
    if not any(found for _, found, _ in parts):
        turn.say("empty")
        return
    offered: list[list[str]] = []
    for key, found, words in parts:
        if not found:
            continue
        lines = []
        for ticket in found[: LISTED - len(offered)]:
            offered.append([f"#{ticket.ref}", words.format(ticket.ref)])
            name = (who or {}).get(ticket.assignee_id or 0, "")
            lines.append(f"{len(offered)} #{ticket.ref} {ticket.line}（{name}{ticket.state}）")
        turn.say(key, lines="\n".join(lines) if lines else "……", count=len(found))
    turn.say("pick")
    turn.state.offers = offered


@skill.on("show", About, by=Role.STAFF, question=True)
async def show(turn: Turn, form: About) -> None:
    """All that a worker needs of one ticket."""
    assert form.ref is not None
    ticket = await by_ref(turn, form.ref)
    worker = await work.assignee(turn, ticket)
    turn.talk_about(ticket.ref)
    values = {"ticket": ticket, "wanted": work.details(turn, ticket)}
    if worker and worker.id == turn.person.id and ticket.state in HAND:
        turn.say("yours", contact=await work.contact_of(turn, ticket), **values)
    elif worker:
        turn.say("others", who=dispatch.called(worker), **values)
    else:
        turn.say("free" if ticket.state is State.OPEN else "ended", **values)
    bill = "" if turn.group else await costs.seen(turn, ticket, turn.person)
    if bill:
        turn.say("cost.shown", line=bill)
    many = await joined.of(turn.db, ticket)
    if (count := await joined.homes(turn.db, ticket)) > 1 and not turn.group:
        homes = "、".join(dict.fromkeys(one.line for one in many[:LISTED]))
        turn.say("incident.homes", count=count, homes=homes)
    if refs := await merging.linked(turn.db, ticket):
        turn.say("incident.linked", refs="、".join(f"#{ref}" for ref in refs[:LISTED]))


@skill.on("ack", About, by=Role.STAFF)
async def ack(turn: Turn, form: About) -> None:
    """「收到 12」: an emergency is somebody's from now on; of what is late nobody higher is asked."""
    assert form.ref is not None
    ticket = await tickets.hold(turn.db, await by_ref(turn, form.ref))
    turn.talk_about(ticket.ref)
    if ticket.kind == EMERGENCY and ticket.state is State.OPEN:
        ticket = await work.accept(turn, ticket, turn.person)
        turn.say("ticket.accept.received", ticket=ticket)
    elif ticket.assignee_id == turn.person.id:
        turn.say("ticket.progress.received", ticket=ticket)
    elif not turn.person.may(Role.LEAD) and not turn.person.may(Role.COMMITTEE):
        raise Refusal("ticket.ack.not_yours", ticket=ticket)
    else:
        await promises.acknowledge(turn, ticket, turn.person)
        turn.say("done", ticket=ticket)


_DECLINES = re.compile(r"[#＃]?\d+\s*号?|不接了?|接不了|去不了|不去了?")


def why(text: str) -> str:
    """What is said beside 「不接 12」."""
    said = _DECLINES.sub("", text).strip(" ，,。.；;：:、\n")
    return said[:200] or text[:200]


@skill.on("decline", About, by=Role.STAFF)
async def decline(turn: Turn, form: About) -> None:
    """「不接 12」: whoever was asked is not the one; the next is asked at once."""
    assert form.ref is not None
    ticket = await tickets.hold(turn.db, await by_ref(turn, form.ref))
    if ticket.assignee_id == turn.person.id and ticket.kind == BOOKING:
        ticket = await work.give_back(turn, ticket, turn.person, why(turn.item.text))
        turn.say("done", ticket=ticket)
        return
    if ticket.assignee_id == turn.person.id:
        raise Refusal("ticket.decline.give_back", ticket=ticket)
    if ticket.assignee_id:
        other = await people.get(turn.db, ticket.assignee_id)
        raise Refusal("ticket.accept.taken", ticket=ticket, who=dispatch.called(other))
    if ticket.asked_id == turn.person.id:
        await offers.pass_on(turn, ticket, turn.person)
    turn.say("done", ticket=ticket)
