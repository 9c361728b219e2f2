"""Tickets: what residents ask about theirs, and the whole job of staff, by number or by 「那个」."""

from __future__ import annotations

import json
import re
from typing import Any

from bot.dialog import commands, follow_up
from bot.dialog.form import Context, needed
from bot.dialog.meant import About, by_ref, choose, in_hand, own
from bot.dialog.skill import Skill
from bot.dialog.turn import Turn
from bot.domain import (
    audit,
    complaints,
    costs,
    dispatch,
    emergencies,
    incidents,
    joined,
    people,
    photos,
    root_causes,
    stock,
    tickets,
    work,
)
from bot.domain.people import Role
from bot.domain.places import Place
from bot.domain.tickets import BOOKING, COMPLAINT, EMERGENCY, HAND, PARTS, RESIDENT, ROOT, State, Ticket
from bot.domain.times import Window
from bot.unit_of_work import Refusal
from nlp.meaning import Item
from nlp.slots.costs import Costs, yuan

skill = Skill(__name__)

_CORRECTS = re.compile(r"不是|[打写说报填搞弄记]错|应该是|改成|改为|其实是|不对|补充|是在|位置|地方")
LISTED = 8  # answers about several tickets; more would not be read on a phone


class Amend(About):
    time: dict[str, Any] | None = None
    phone: str = ""
    urgency: str | None = None


class Progress(About):
    time: dict[str, Any] | None = None


class Cancel(About):
    time: dict[str, Any] | None = None


_PARTS = re.compile(r"等配件|缺件|缺货|订货|没货|配件|等厂家|等件|等货")
_RESIDENT = re.compile(
    r"等业主|等住户|(?:业主|住户|家里|屋里|敲门)[^，。]{0,4}(?:不在|没人|没应|不接|没接)|没人应|没人在家"
)
_SEVERAL = re.compile(
    r"(?P<refs>[#＃]?\d+\s*号?\s*(?:[和跟与、,，及]\s*[#＃]?\d+\s*号?\s*)+)(?:单子?)?(?:都|全|一起)?\s*(?:派|转|给|交|让|拨|分)"
)
_FIRST = re.compile(r"(?P<a>\d+)\s*号?\s*(?:先|要紧|急)|先(?:去|做|修|弄)\s*(?P<b>\d+)")
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
    if form.ref not in (None, ticket.ref):
        turn.say("incident.into", ref=form.ref, ticket=ticket)
    count = await joined.homes(turn.db, ticket)
    cost = None if turn.group else await costs.asks(turn, ticket, turn.person)
    if cost is None:
        await say_status(turn, ticket)
    else:
        await say_state(turn, ticket)
    if count > 1:
        turn.say("incident.count", ticket=ticket, count=count)
    if cost is not None:
        turn.say("cost.shown_open", ticket=ticket, cost=cost, line=costs.line(turn, cost))


async def say_status(turn: Turn, ticket: Ticket) -> None:
    """How it stands; what it cost is said in private only."""
    await say_state(turn, ticket)
    bill = "" if turn.group else await costs.seen(turn, ticket, turn.person)
    if bill:
        turn.say("cost.shown", line=bill)


async def say_state(turn: Turn, ticket: Ticket) -> None:
    worker = await work.assignee(turn, ticket)
    who = dispatch.called(worker) if worker else ""
    when = work.say_wanted(turn, ticket).strip()
    if ticket.kind == BOOKING and ticket.state is State.ACCEPTED:
        name = "with_worker" if worker else "booked"
        turn.say(work.worded(turn, ticket, f"ticket.status.{name}"), ticket=ticket, who=who, when=when)
    elif not ticket.open:
        turn.say(work.worded(turn, ticket, "ticket.status.closed"), ticket=ticket, who=who)
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


@skill.on("cancel", Cancel, by=Role.RESIDENT)
async def cancel(turn: Turn, form: Cancel) -> None:
    ticket = await own(turn, form)
    concerned = await tickets.concerned(turn.db, ticket)
    if not (turn.person.may(Role.LEAD) or any(one.id == turn.person.id for one in concerned)):
        raise Refusal("ticket.only_concerned", ticket=ticket)
    if not turn.person.may(Role.LEAD) and await joined.shared(turn.db, ticket):
        count = await incidents.leave(turn, ticket, turn.person, turn.item.text[:200])
        turn.say("incident.left", ticket=ticket, count=count)
        return
    ticket = await work.cancel(turn, ticket, turn.person, turn.item.text[:200])
    turn.say("done", ticket=ticket)


@skill.on("amend", Amend, by=Role.RESIDENT)
async def amend(turn: Turn, form: Amend) -> None:
    if await hurried(turn):
        return
    ticket = await own(turn, About(ref=form.ref, category=form.category))
    if ticket.kind == BOOKING and form.time:
        slots = {"ref": ticket.ref, "time": form.time}
        turn.then(Item("housekeeping.change", 1.0, slots, turn.item.text))
        return
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
    shared = 0 if turn.person.may(Role.STAFF) else await joined.homes(turn.db, ticket)
    if shared > 1 and (form.location or form.time or form.phone):
        form = Amend(ref=form.ref, category=form.category, urgency=form.urgency)
        turn.say("incident.stays", ticket=ticket, count=shared)
    where, home_id = ticket.where, ticket.home_id
    moved = form.location and (not where or corrects(turn.item.text, Place.read(form.location)))
    if moved:
        where = ticket.where.corrected(Place.read(form.location))
        if turn.community.impossible(where.building, where.unit, where.room):
            raise Refusal("repair.no_such_place", where=where.line, community=turn.community)
        flat = await work.find_flat(turn, where)
        home_id = flat.id if flat and ticket.kind != COMPLAINT else None
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
    price = await costs.pending(turn.db, ticket) if ticket.state is State.WAITING else None
    if price is not None and not turn.group:
        await told_more(turn, ticket)
        turn.say("cost.still", ticket=ticket, cost=price)
        return
    if ticket.state is State.WAITING and ticket.waits_for == RESIDENT and price is None:
        ticket = await work.resume(turn, ticket, turn.person, turn.item.text[:200])
    elif form.time and ticket.state in (State.ACCEPTED, State.REOPENED):
        ticket = await work.rearrange(turn, ticket)
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


async def told_more(turn: Turn, ticket: Ticket) -> None:
    """While a price waits for its answer, other words go to the worker alone and change nothing else."""
    turn.talk_about(ticket.ref)
    pictures = turn.incoming.photos
    if pictures:
        await photos.attach(turn.db, ticket.id, turn.person.id, pictures, turn.now)
    worker = await work.assignee(turn, ticket)
    told: dict[str, Any] = {"ref": ticket.ref, "matter": ticket.line, "words": turn.item.text[:200]}
    turn.notify(
        [worker] if worker else [], "cost.says", who=turn.person.called, photos=tuple(pictures), **told
    )
    turn.say("ticket.amend.noted", ticket=ticket)


def corrects(text: str, said: Place) -> bool:
    """Whether a place in the words is where it is, and not just spoken of: 「从后门进」 moves nothing."""
    return bool(said.building or said.unit or said.room or _CORRECTS.search(text)) or len(text) <= 6


@skill.on("confirm", About, by=Role.RESIDENT)
async def confirm(turn: Turn, form: About) -> None:
    ticket = await own(turn, form, *confirmable(form))
    if (
        ticket.kind == COMPLAINT
        and dispatch.answers_for(turn.person, ticket)
        and ticket.state in (State.OPEN, *HAND)
    ):
        await complete(turn, form)  # the committee's 「办好了」
        return
    if ticket.kind == ROOT and turn.person.may(Role.COMMITTEE) and ticket.state in (State.OPEN, *HAND):
        await root_causes.close(turn, ticket, turn.person, commands.beside(turn.item.text))
        turn.say("ticket.complete.done", ticket=ticket)
        return
    if ticket.kind != EMERGENCY and ticket.state in (State.OPEN, *HAND):
        turn.say("ticket.confirm.not_yet", ticket=ticket)
        return
    concerned = await tickets.concerned(turn.db, ticket)
    if not any(one.id == turn.person.id for one in concerned):
        raise Refusal("ticket.only_concerned", ticket=ticket)
    if ticket.state is State.RESOLVED and ticket.due is None:
        await audit.write(
            turn.db, ticket.community_id, turn.now, turn.person.id, "still_good", "ticket", ticket.id
        )
        turn.say("still", ticket=ticket)
        return
    ticket = await work.confirm(turn, ticket, turn.person, turn.item.text[:200])
    turn.talk_about(ticket.ref)
    cost = None if turn.group else await costs.asks(turn, ticket, turn.person)
    if ticket.state is State.AWAITS:
        turn.say("incident.agreed", ticket=ticket)
    elif cost is not None:  # the points are asked for behind it
        turn.say("done_plain", ticket=ticket)
        turn.say("cost.ask_now", ticket=ticket, cost=cost)
    elif turn.group or ticket.kind == EMERGENCY:
        turn.say("done_plain", ticket=ticket)
    else:
        turn.say(work.worded(turn, ticket, "ticket.confirm.done"), ticket=ticket)
        turn.state.offers = [[f"{n}", f"#{ticket.ref} 评 {n} 分"] for n in range(1, 6)]


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


@skill.on("accept", About, by=Role.STAFF)
async def accept(turn: Turn, form: About) -> None:
    if form.ref is not None:
        ticket = await by_ref(turn, form.ref)
    else:
        waiting = await tickets.in_state(turn.db, turn.community.id, State.OPEN)
        mine = [t for t in waiting if dispatch.suits(turn, turn.person, t)]
        ticket = choose(turn, mine, form, State.OPEN)
    note = commands.beside(turn.incoming.text)
    ticket = await work.accept(turn, ticket, turn.person, note)
    turn.talk_about(ticket.ref)
    contact = await work.contact_of(turn, ticket)
    wanted = work.say_wanted(turn, ticket)
    key = work.worded(turn, ticket, "ticket.accept.done")
    turn.say(key, ticket=ticket, contact=contact, wanted=f"，{wanted.strip()}" if wanted else "")


@skill.on("progress", Progress, by=Role.STAFF)
async def progress(turn: Turn, form: Progress) -> None:
    ticket = await in_hand(turn, About(ref=form.ref, category=form.category))
    text = turn.incoming.text.strip()
    note = (commands.beside(turn.incoming.text) or text)[:200]
    waits_for = RESIDENT if _RESIDENT.search(text) else PARTS if _PARTS.search(text) else ""
    if waits_for:
        until = Window.of(form.time).last(turn.community.zone) if form.time else None
        if until is not None and until <= turn.now:
            until = None
        ticket = await work.wait(turn, ticket, turn.person, until, note, waits_for)
        turn.talk_about(ticket.ref)
        turn.say("waits_resident" if waits_for == RESIDENT else "waits", ticket=ticket)
        return
    words = commands.received(text)
    if words is not None:
        if len(words) > 1:
            await work.say(turn, ticket, turn.person, words[:200])
        turn.say("received", ticket=ticket)
        return
    ticket = await work.progress(turn, ticket, turn.person, note)
    turn.talk_about(ticket.ref)
    turn.say(work.worded(turn, ticket, "ticket.progress.done"), ticket=ticket)


@skill.on("complete", About, by=Role.STAFF)
async def complete(turn: Turn, form: About) -> None:
    ticket = await in_hand(turn, form)
    if ticket.kind == COMPLAINT:
        ticket = await complaints.take(turn, ticket, turn.person)
    pictures = turn.pictures()
    if pictures:
        await photos.attach(turn.db, ticket.id, turn.person.id, pictures, turn.now)
        turn.state.photos = []
    note = commands.beside(turn.incoming.text)
    repaired = ticket.kind not in (COMPLAINT, ROOT)  # of a complaint money is only spoken
    found = commands.costs(turn.item.text, turn.community.parts) if repaired else Costs()
    before = await costs.agreed_before(turn, ticket) if found.fen is None else None
    ticket, cost = await costs.complete(
        turn, ticket, turn.person, f"（{note}）" if note else "", pictures, found.fen, found.words
    )
    turn.talk_about(ticket.ref)
    turn.say("ticket.complete.done", ticket=ticket)  # the committee's 「办好了」 is heard as a resident's
    for part, had, used in await stock.use(turn, ticket, turn.person, found.parts):
        turn.say("stock.short", item=part.name, had=had, used=used)
    if turn.group:  # in front of others nothing is said of money
        return
    if found.why is not None:
        turn.say("cost.unclear", ticket=ticket, why=turn.render(f"cost.unclear_{found.why}").text)
    elif cost is not None and cost.fen:
        asks = bool(await costs.to_ask(turn, ticket)) if cost.state == costs.ASKED else None
        key = {None: "cost.completed", True: "cost.completed_asked", False: "cost.completed_lead"}[asks]
        turn.say(key, cost=cost, line=costs.line(turn, cost))
    elif before:
        turn.say("cost.completed_unsaid", ticket=ticket, yuan=yuan(before))


@skill.on("transfer", Transfer, by=Role.STAFF)
async def transfer(turn: Turn, form: Transfer) -> None:
    """「1转给小孟」 into other hands; 「1退回，配件不对」 back to all, with the reason."""
    refs = several_refs(turn.item.text)
    if form.assignee and len(refs) > 1:
        await hand_out(turn, refs, form.assignee)
        return
    ticket = await in_hand(turn, About(ref=form.ref), State.OPEN, *HAND)
    if form.assignee:
        to = await colleague(turn, form.assignee)
        ticket = await hand(turn, ticket, to)
        turn.say("handed", ticket=ticket, who=dispatch.called(to))
        return
    ticket = await work.give_back(turn, ticket, turn.person, form.reason[:200])
    turn.say("given_back", ticket=ticket)


async def hand(turn: Turn, ticket: Ticket, to: people.Person) -> Ticket:
    """Into the hands of a colleague; what is in nobody's hands a lead gives out."""
    if ticket.assignee_id != turn.person.id and not turn.person.may(Role.LEAD):
        work.only_assignee(ticket, turn.person, await work.assignee(turn, ticket))
    return await work.transfer(turn, ticket, turn.person, to)


def several_refs(text: str) -> list[int]:
    """The numbers of 「1和2都派给小赵，2先去」, what goes first first; [] where it is not several."""
    match = _SEVERAL.search(text)
    refs = [int(number) for number in re.findall(r"\d+", match["refs"])] if match else []
    first = _FIRST.search(text)
    number = int(first["a"] or first["b"]) if first else 0
    return sorted(dict.fromkeys(refs), key=lambda ref: ref != number)


async def hand_out(turn: Turn, refs: list[int], name: str) -> None:
    """Several at once to one colleague: all of them, or none with the reason."""
    to = await colleague(turn, name)
    handed = [await hand(turn, await by_ref(turn, ref), to) for ref in refs]
    turn.talk_about(*refs[:3])
    turn.say("handed_all", refs="、".join(f"#{one.ref}" for one in handed), who=dispatch.called(to))


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
