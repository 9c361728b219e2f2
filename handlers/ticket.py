"""Tickets: what residents ask about theirs, and the whole job of staff, by number or by 「那个」."""

from __future__ import annotations

import json
import re
from typing import Any

from bot.dialog import commands, follow_up
from bot.dialog.form import Context, Form, needed
from bot.dialog.skill import Skill
from bot.dialog.turn import Turn
from bot.domain import dispatch, emergencies, people, photos, tickets, work
from bot.domain.people import Role
from bot.domain.places import Place
from bot.domain.tickets import EMERGENCY, HAND, State, Ticket
from bot.domain.times import Window
from bot.unit_of_work import Refusal

skill = Skill(__name__)

_CORRECTS = re.compile(r"不是|[打写说报填搞弄记]错|应该是|改成|改为|其实是|不对|补充|是在|位置|地方")
LISTED = 8  # lines of a list; more would not be read on a phone


class About(Form):
    """Which ticket: by its number, by its category, or the one we talk about."""

    ref: int | None = None
    category: str | None = None
    location: dict[str, Any] | None = None


class Amend(About):
    time: dict[str, Any] | None = None
    phone: str = ""
    urgency: str | None = None


class Progress(About):
    time: dict[str, Any] | None = None


_COMMAND = re.compile(r"退回去?|退单|退掉|[#＃]|编号|工单|这?单|\d+\s*号?|[，,。.；;：:、\s了吧]")


def reason(said: Any, context: Context) -> str | None:
    """Why a ticket is handed back: what is said beside the command. Handing it on needs no reason."""
    if context.slots.get("assignee"):
        return ""
    rest = _COMMAND.sub("", context.text)
    lines = context.text.split("\n", 1)
    if len(rest) < 2:
        return None
    return lines[1] if len(lines) > 1 else context.text


class Transfer(About):
    assignee: str | None = None
    reason: str = needed(known=reason, free=True)


async def by_ref(turn: Turn, ref: int) -> Ticket:
    """The ticket with this number, if this person may see it; absent and forbidden look the same."""
    ticket = await tickets.get(turn.db, turn.community.id, ref)
    if ticket is None or not await may_see(turn, ticket):
        raise Refusal("ticket.absent", ref=ref)
    return ticket


async def may_see(turn: Turn, ticket: Ticket) -> bool:
    person = turn.person
    if person.may(Role.STAFF) or person.may(Role.COMMITTEE) or ticket.reporter_id == person.id:
        return True
    return any(one.id == person.id for one in await tickets.concerned(turn.db, ticket))


async def own(turn: Turn, form: About, *states: State) -> Ticket:
    """The resident's ticket that is meant. Asks which when several could be."""
    if form.ref is not None:
        return await by_ref(turn, form.ref)
    mine = await tickets.of_resident(turn.db, turn.person)
    return choose(turn, mine, form, *states)


async def in_hand(turn: Turn, form: About, *states: State) -> Ticket:
    """The ticket that a worker means: by number, or the only one in hand that fits."""
    if form.ref is not None:
        return await by_ref(turn, form.ref)
    mine = await tickets.of_staff(turn.db, turn.person)
    return choose(turn, mine, form, *(states or HAND))


def choose(turn: Turn, mine: list[Ticket], form: About, *states: State) -> Ticket:
    """The one meant, among one's own: what fits the words, else what we talk about, else the only one."""
    fitting = [t for t in mine if t.state in states] if states else [t for t in mine if t.open]
    if form.category:
        fitting = [t for t in fitting if t.category == form.category] or fitting
    if not fitting:
        key = "ticket.none_such" if any(t.open for t in mine) or mine else "ticket.none"
        raise Refusal(key)
    recent = turn.recent()
    talked = [t for t in fitting if t.ref in recent]
    if form.category:
        talked = [t for t in talked if t.category == form.category]
        if not talked:
            talked = [t for t in fitting if t.category == form.category]
    if talked:
        return min(talked, key=lambda t: recent.index(t.ref) if t.ref in recent else 99)
    if len(fitting) > 1:
        lines = "\n".join(f"#{t.ref} {t.brief}（{t.state}）" for t in fitting[:5])
        raise Refusal("ticket.which", lines=lines)
    return fitting[0]


# ------------------------------------------------------------------- residents


@skill.on("status", About, by=Role.RESIDENT, question=True)
async def status(turn: Turn, form: About) -> None:
    if form.ref is None and not turn.recent():
        await several(turn, form)
        return
    try:
        ticket = await own(turn, form)
    except Refusal:
        if form.ref is not None:
            raise
        await several(turn, form)
        return
    turn.talk_about(ticket.ref)
    await say_status(turn, ticket)


async def say_status(turn: Turn, ticket: Ticket) -> None:
    worker = await work.assignee(turn, ticket)
    who = dispatch.called(worker) if worker else ""
    if not ticket.open:
        turn.say("ticket.status.closed", ticket=ticket, who=who)
    elif worker:
        turn.say("ticket.status.with_worker", ticket=ticket, who=who)
    else:
        turn.say("ticket.status.open", ticket=ticket)


async def several(turn: Turn, form: About) -> None:
    """No single one is meant: all that are open, or that there is none."""
    mine = [t for t in await tickets.of_resident(turn.db, turn.person) if t.open]
    if form.category:
        mine = [t for t in mine if t.category == form.category] or mine
    if not mine and turn.person.may(Role.STAFF):
        mine = [t for t in await tickets.of_staff(turn.db, turn.person) if t.open]
    if not mine:
        turn.say("ticket.status.none")
        return
    turn.talk_about(*(t.ref for t in mine[:3]))
    for ticket in mine[:LISTED]:
        await say_status(turn, ticket)


@skill.on("urge", About, by=Role.RESIDENT)
async def urge(turn: Turn, form: About) -> None:
    if await hurried(turn):
        return
    ticket = await own(
        turn, form, State.OPEN, State.ACCEPTED, State.IN_PROGRESS, State.WAITING, State.REOPENED
    )
    turn.talk_about(ticket.ref)
    if ticket.kind == EMERGENCY:
        await emergencies.join_danger(turn, ticket, turn.person, turn.item.text[:500])
        worker = await work.assignee(turn, ticket)
        who = dispatch.called(worker) if worker else ""
        turn.say(f"emergency.report.{'passed_on' if worker else 'passed'}", ticket=ticket, who=who)
        return
    ticket, count = await work.urge(turn, ticket, turn.person)
    # by whole keys: 「还没好」 is heard as this, too
    if not count:
        turn.say("ticket.urge.too_soon", ticket=ticket)
    elif ticket.assignee_id:
        turn.say("ticket.urge.done", ticket=ticket, count=count)
    else:
        turn.say("ticket.urge.nobody_yet", ticket=ticket, count=count)


@skill.on("cancel", About, by=Role.RESIDENT)
async def cancel(turn: Turn, form: About) -> None:
    ticket = await own(turn, form)
    concerned = await tickets.concerned(turn.db, ticket)
    if not (turn.person.may(Role.LEAD) or any(one.id == turn.person.id for one in concerned)):
        raise Refusal("ticket.only_concerned", ticket=ticket)
    ticket = await work.cancel(turn, ticket, turn.person, turn.item.text[:200])
    turn.say("done", ticket=ticket)


@skill.on("amend", Amend, by=Role.RESIDENT)
async def amend(turn: Turn, form: Amend) -> None:
    if await hurried(turn):
        return
    ticket = await own(turn, About(ref=form.ref, category=form.category))
    await change(turn, ticket, form)


async def hurried(turn: Turn) -> bool:
    """Of several things, each as pressing as was said of it; whether that was what the words said."""
    each = await follow_up.hurried(turn, turn.item.text)
    for ticket, pressing in each:
        await change(turn, ticket, Amend(urgency=pressing))
    return bool(each)


async def change(turn: Turn, ticket: Ticket, form: Amend) -> None:
    """Put in what was said; what says nothing new is kept as a remark."""
    if not ticket.open:
        raise Refusal("ticket.impossible", ticket=ticket, possible=tickets.possible(ticket.state))
    where, home_id = ticket.where, ticket.home_id
    moved = form.location and (not where or corrects(turn.item.text, Place.read(form.location)))
    if moved:
        where = ticket.where.corrected(Place.read(form.location))
        if turn.community.impossible(where.building, where.unit, where.room):
            raise Refusal("repair.no_such_place", where=where.line, community=turn.community)
        flat = await work.find_flat(turn, where)
        home_id = flat.id if flat else None
    wanted, was_urgent = json.dumps(form.time) if form.time else None, ticket.urgent
    ticket = await tickets.amend(
        turn.db,
        ticket,
        turn.person,
        now=turn.now,
        where=where if moved else None,
        home_id=home_id,
        wanted=wanted,
        phone=form.phone or None,
        urgency=form.urgency,
        remark=turn.item.text[:500],
    )
    if form.time and ticket.assignee_id:
        promised = work.visit_by(turn, ticket)
        ticket = await tickets.schedule(turn.db, ticket, promised=promised, step=0, due=promised)
    hurry = form.urgency == "urgent" and not was_urgent
    if hurry:
        ticket = await work.hurry(turn, ticket)
    turn.talk_about(ticket.ref)
    wanted_line = work.say_wanted(turn, ticket)
    key = "ticket.amend.told_urgent" if hurry else "ticket.amend.told"
    words, pictures = turn.item.text[:200], turn.incoming.photos
    if pictures:
        await photos.attach(turn.db, ticket.id, turn.person.id, pictures, turn.now)
    await work.tell_staff(
        turn, ticket, key, turn.person, wanted=work.wish(turn, ticket), words=words, pictures=pictures
    )
    if form.time or moved or form.phone:
        turn.say(
            "ticket.amend.done_when" if wanted_line else "ticket.amend.done",
            ticket=ticket,
            wanted=wanted_line,
        )
    elif hurry:
        turn.say("ticket.amend.urgent", ticket=ticket)
    elif form.urgency == "normal":
        turn.say("ticket.amend.calm", ticket=ticket)
    else:
        turn.say("ticket.amend.noted", ticket=ticket)


def corrects(text: str, said: Place) -> bool:
    """Whether a place in the words is where it is, and not just spoken of: 「从后门进」 moves nothing."""
    return bool(said.building or said.unit or said.room or _CORRECTS.search(text)) or len(text) <= 6


@skill.on("confirm", About, by=Role.RESIDENT)
async def confirm(turn: Turn, form: About) -> None:
    ticket = await own(turn, form, *confirmable(form))
    if ticket.kind != EMERGENCY and ticket.state in (State.OPEN, *HAND):
        turn.say("ticket.confirm.not_yet", ticket=ticket)
        return
    concerned = await tickets.concerned(turn.db, ticket)
    if not any(one.id == turn.person.id for one in concerned):
        raise Refusal("ticket.only_concerned", ticket=ticket)
    ticket = await work.confirm(turn, ticket, turn.person, turn.item.text[:200])
    turn.talk_about(ticket.ref)
    turn.say("done", ticket=ticket)


def confirmable(form: About) -> tuple[State, ...]:
    """Without a number only what was reported as done is meant, or an emergency that is over."""
    return () if form.ref is not None else (State.AWAITS, State.OPEN, *HAND)


#: Where somebody says that it is done.
DONE = (State.AWAITS, State.RESOLVED, State.UNCONFIRMED)


@skill.on("reopen", About, by=Role.RESIDENT)
async def reopen(turn: Turn, form: About) -> None:
    """「还是没好」. While nobody said that it was done, it means: when does somebody come?"""
    mine = await tickets.of_resident(turn.db, turn.person)
    if form.ref is None and any(t.open for t in mine) and not any(t.state in DONE for t in mine):
        await urge(turn, form)
        return
    ticket = await own(turn, form, *DONE)
    concerned = await tickets.concerned(turn.db, ticket)
    if not any(one.id == turn.person.id for one in concerned):
        raise Refusal("ticket.only_concerned", ticket=ticket)
    ticket = await work.reopen(turn, ticket, turn.person, turn.item.text[:200])
    turn.talk_about(ticket.ref)
    turn.say("done", ticket=ticket)


# ----------------------------------------------------------------------- staff


@skill.on("list", About, by=Role.STAFF, question=True)
async def listed(turn: Turn, form: About) -> None:
    """What is in hand, then what waits for somebody."""
    mine = [t for t in await tickets.of_staff(turn.db, turn.person) if t.state in HAND]
    waiting = [
        t
        for t in await tickets.in_state(turn.db, turn.community.id, State.OPEN)
        if await for_me(turn, t) and (not form.category or t.category == form.category)
    ]
    if not (mine or waiting):
        turn.say("empty")
        return
    if mine:
        turn.say("mine", lines=lines(mine), count=len(mine))
    if waiting:
        turn.say("waiting", lines=lines(waiting), count=len(waiting))


def lines(found: list[Ticket]) -> str:
    shown = [f"#{t.ref} {t.line}（{t.state}）" for t in found[:LISTED]]
    return "\n".join(shown) + ("\n……" if len(found) > LISTED else "")


async def for_me(turn: Turn, ticket: Ticket) -> bool:
    """Whether this worker is among those whom a ticket is for."""
    if turn.person.may(Role.LEAD) or ticket.kind == EMERGENCY:
        return True
    asked = await dispatch.workers(turn, ticket.category, ticket.where.building)
    return any(one.id == turn.person.id for one in asked)


@skill.on("accept", About, by=Role.STAFF)
async def accept(turn: Turn, form: About) -> None:
    if form.ref is not None:
        ticket = await by_ref(turn, form.ref)
    else:
        waiting = await tickets.in_state(turn.db, turn.community.id, State.OPEN)
        mine = [t for t in waiting if await for_me(turn, t)]
        ticket = choose(turn, mine, form, State.OPEN)
    note = commands.beside(turn.incoming.text)
    ticket = await work.accept(turn, ticket, turn.person, note)
    turn.talk_about(ticket.ref)
    contact = await work.contact_of(turn, ticket)
    wanted = work.say_wanted(turn, ticket)
    turn.say("done", ticket=ticket, contact=contact, wanted=f"，{wanted}" if wanted else "")


@skill.on("progress", Progress, by=Role.STAFF)
async def progress(turn: Turn, form: Progress) -> None:
    ticket = await in_hand(turn, About(ref=form.ref, category=form.category))
    text = turn.incoming.text.strip()
    note = (commands.beside(turn.incoming.text) or text)[:200]
    if any(word in text for word in ("等配件", "缺件", "缺货", "订货", "没货", "等业主", "等住户", "配件")):
        until = Window.of(form.time).last(turn.community.zone) if form.time else None
        if until is not None and until <= turn.now:
            until = None
        ticket = await work.wait(turn, ticket, turn.person, until, note)
        turn.talk_about(ticket.ref)
        turn.say("waits", ticket=ticket)
        return
    words = commands.received(text)
    if words is not None:
        if len(words) > 1:
            await work.say(turn, ticket, turn.person, words[:200])
        turn.say("received", ticket=ticket)
        return
    ticket = await work.progress(turn, ticket, turn.person, note)
    turn.talk_about(ticket.ref)
    turn.say("done", ticket=ticket)


@skill.on("complete", About, by=Role.STAFF)
async def complete(turn: Turn, form: About) -> None:
    ticket = await in_hand(turn, form)
    pictures = turn.pictures()
    if pictures:
        await photos.attach(turn.db, ticket.id, turn.person.id, pictures, turn.now)
        turn.state.photos = []
    note = commands.beside(turn.incoming.text)
    ticket = await work.complete(turn, ticket, turn.person, f"（{note}）" if note else "", pictures)
    turn.talk_about(ticket.ref)
    turn.say("done", ticket=ticket)


@skill.on("transfer", Transfer, by=Role.STAFF)
async def transfer(turn: Turn, form: Transfer) -> None:
    """「1转给小孟」 into other hands; 「1退回，配件不对」 back to all, with the reason."""
    ticket = await in_hand(turn, About(ref=form.ref), State.OPEN, *HAND)
    if form.assignee:
        lead = turn.person.may(Role.LEAD)
        if ticket.assignee_id != turn.person.id and not lead:
            work.only_assignee(ticket, turn.person, await work.assignee(turn, ticket))
        to = await colleague(turn, form.assignee)
        ticket = await work.transfer(turn, ticket, turn.person, to)
        turn.say("handed", ticket=ticket, who=dispatch.called(to))
        return
    ticket = await work.give_back(turn, ticket, turn.person, form.reason[:200])
    turn.say("given_back", ticket=ticket)


async def colleague(turn: Turn, name: str) -> people.Person:
    """The member of staff with this name: 李师傅 is 老李."""
    staff = await people.holders(turn.db, turn.community.id, Role.STAFF, Role.LEAD)
    plain = name.removesuffix("师傅").removesuffix("班长") or name
    found = [one for one in staff if one.name == name] or [
        one for one in staff if plain and (plain in one.name or one.name in name)
    ]
    if len(found) != 1:
        raise Refusal("ticket.transfer.who", name=name, staff="、".join(one.name for one in staff[:8]))
    return found[0]
