"""Housekeeping: the nearest free slots of a service, one digit that books, change, series, prices."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime, timedelta
from typing import Any

from bot.dialog import booking
from bot.dialog.commands import TAKE
from bot.dialog.form import Context, Form, needed
from bot.dialog.meant import by_ref
from bot.dialog.skill import Skill
from bot.dialog.turn import Turn
from bot.domain import appointments, bookings, catalogue, dispatch, people, series, slots, tickets, work
from bot.domain.appointments import Order
from bot.domain.catalogue import Service
from bot.domain.people import Person, Role
from bot.domain.places import Place
from bot.domain.slots import Slot
from bot.domain.tickets import Ticket
from bot.unit_of_work import Refusal
from nlp.meaning import Item, Meaning

skill = Skill(__name__)

LISTED = 9  # services that a digit picks
HOLIDAYS = 3  # named beforehand
_GONE_BY = re.compile(r"昨天|昨晚|前天|大前天|上周|上个?月|刚才")
LONGEST = 20  # characters that name another time


def flat(said: Any, context: Context) -> dict[str, str] | None:
    """Where the service is wanted: as said, else at home; None when it has to be asked."""
    place, home = Place.read(said), context.person.home
    if home and not (place.building or place.room):
        return Place(home.building, home.unit, room=home.room).write()
    return place.write() or None


class Book(Form):
    category: str | None = None
    location: dict[str, Any] | None = needed(known=flat, must=True)
    phone: str = ""
    time: dict[str, Any] | None = None
    rrule: str | None = None
    duration_minutes: int | None = None


@skill.on("book", Book, by=Role.RESIDENT, kept=True)
async def book(turn: Turn, form: Book) -> None:
    """Show what can be had; nothing is booked before a digit says so."""
    known = turn.community.catalogue
    if not known.services:
        turn.say("housekeeping.book.none_here")
        return
    where = Place.read(form.location)
    if turn.community.impossible(where.building, where.unit, where.room):
        raise Refusal("repair.no_such_place", where=where.line, community=turn.community)
    found = known.meant(form.category, turn.item.text)
    said = {"time": form.time, "rrule": form.rrule, "duration_minutes": form.duration_minutes}
    if len(found) != 1:
        turn.state.draft = booking.unsettled(turn, said | {"location": form.location})
        which(turn, found or list(known.services), unknown=not found)
        return
    service = found[0]
    before = booking.settled(turn)
    if before and not (form.time or form.rrule):
        said, where = before["said"], Place.read(before["said"]["location"])
    if turn.group and service.care:
        turn.say("private", service=service)
        return
    rule = str(said["rrule"] or "")
    if rule and not series.readable(rule):
        raise Refusal("housekeeping.book.rule", service=service)
    home = await work.find_flat(turn, where, turn.person)
    kept = booking.begin(
        turn, service, said, where=where.write(), home_id=home.id if home else None, phone=form.phone or ""
    )
    await booking.offer(turn, kept, beforehand(turn, service, said))


def beforehand(turn: Turn, service: Service, said: dict[str, Any]) -> str:
    """What has to be said first: that a time is over, that it takes another time than was wanted."""
    if not said["time"] and _GONE_BY.search(turn.item.text):
        return turn.render("housekeeping.why_past").text
    length = said["duration_minutes"]
    if length and length != service.length(length):
        usual = catalogue.span(service.minutes)
        return turn.render("housekeeping.why_length", service=service, length=usual).text
    return ""


def which(turn: Turn, found: list[Service], *, unknown: bool) -> None:
    """Several could be meant, or none: a digit says which."""
    offers = [(f"{one.name} {catalogue.yuan(one.price)}", f"约{one.name}") for one in found[:LISTED]]
    turn.say("unknown" if unknown else "which", offers=offers)


class Price(Form):
    category: str | None = None


@skill.on("price", Price, by=Role.STRANGER, question=True)
async def price(turn: Turn, form: Price) -> None:
    known = turn.community.catalogue
    if not known.services:
        turn.say("housekeeping.book.none_here")
        return
    found = known.meant(form.category, turn.item.text)
    if not found and form.category and form.category != "other":
        turn.say("absent")
    lines = "\n".join(
        f"{one.name}：{catalogue.yuan(one.price)}，一次 {catalogue.span(one.minutes)}"
        for one in found or known.services
    )
    turn.say("done", lines=lines)


# ------------------------------------------------------------------------- a slot is taken


class Take(Form):
    ref: int | None = None


@skill.on("take", Take, by=Role.RESIDENT)
async def take(turn: Turn, _: Take) -> None:
    """The words behind a digit: this slot, with this worker."""
    match = TAKE.match(unicodedata.normalize("NFKC", turn.item.text).strip())
    assert match is not None
    try:
        start = datetime.fromisoformat(f"{match['day']}T{match['at']}")
    except ValueError:
        raise Refusal("housekeeping.take.gone_by") from None
    if match["ref"]:
        await change_to(turn, int(match["ref"]), start, match["who"])
        return
    service = turn.community.catalogue.named(match["what"])
    if service is None:
        raise Refusal("housekeeping.no_more", service=match["what"])
    kept = booking.draft(turn, service.name) or by_default(turn, service)
    end = start + timedelta(minutes=kept["minutes"])
    if start < work.local(turn):
        await booking.offer(turn, kept, turn.words("gone_by"))
        return
    slot = Slot(start, end, await named(turn, service, match["who"]))
    if service.care and not match["agreed"]:
        turn.state.draft = kept
        turn.then(Item("housekeeping.contact", 1.0, {}, turn.item.text))
        return
    order = Order(
        service, slot, booking.place(kept), kept.get("home_id"), kept["words"], kept.get("phone") or "",
        kept.get("people") or 0, consent_text(turn, kept, service, slot) if service.care else "",
    )  # fmt: skip
    if not slot_is_had(turn, service, slot):
        await booking.offer(turn, kept, turn.words("gone"))
        return
    if kept.get("rule"):
        await begin_series(turn, kept, order)
        return
    ticket = await appointments.book(turn, turn.person, order)
    if ticket is None:
        await booking.offer(turn, kept, turn.words("gone"))
        return
    turn.state.draft = None
    say_booked(turn, ticket, order)


def slot_is_had(turn: Turn, service: Service, slot: Slot) -> bool:
    """Whether the catalogue has such a slot at all: words can be typed by hand."""
    minutes = round((slot.end - slot.start).total_seconds() / 60)
    at = slot.start.hour * 60 + slot.start.minute
    days = (slot.start.date() - work.local(turn).date()).days
    return days < service.ahead and at in service.starts(slot.start.date(), minutes)


def by_default(turn: Turn, service: Service) -> dict[str, Any]:
    """A draft where none is kept: at home, as long as usual."""
    home = turn.person.home
    if home is None and not service.room:
        raise Refusal("housekeeping.take.again", service=service)
    where = {} if service.room or home is None else Place(home.building, home.unit, room=home.room).write()
    return booking.begin(
        turn, service, {}, where=where, home_id=home.id if home else None, phone=turn.person.phone
    )


async def named(turn: Turn, service: Service, name: str | None) -> Person | None:
    """The worker of a slot; without a name the place alone is taken, where nobody is to come."""
    crew = await slots.workers(turn, service)
    if not crew:
        return None
    found = next((one for one in crew if one.name == name), None)
    if found is None:
        raise Refusal("housekeeping.take.again", service=service)
    return found


def say_booked(turn: Turn, ticket: Ticket, order: Order) -> None:
    when, worker = order.slot.say(work.local(turn)), order.slot.worker
    price = catalogue.yuan(order.service.cost(order.minutes))
    turn.talk_about(ticket.ref)
    if order.service.room:
        turn.say("facility.book.done", ticket=ticket, service=order.service, when=when, price=price)
    elif worker is not None:
        who = dispatch.called(worker)
        where = order.where.for_group() if turn.group else order.where
        turn.say(
            "done", ticket=ticket, service=order.service, when=when, who=who, price=price, where=where.line
        )
    else:
        turn.say("done_open", ticket=ticket, service=order.service, when=when, price=price)


def emergency_phone(said: Any, context: Context) -> str | None:
    """Whom to call, where somebody is looked after: asked for when nobody knows a number."""
    return str(said) if said else context.person.phone or None


class Contact(Form):
    phone: str | None = needed(known=emergency_phone)
    patience = timedelta(hours=2)


@skill.on("contact", Contact, by=Role.RESIDENT, spoken=False)
async def contact(turn: Turn, form: Contact) -> None:
    """Who comes to a child or an old person, and who gets to know what: nothing without a plain yes."""
    words = turn.item.text.split("\n", 1)[0].strip()
    match = TAKE.match(unicodedata.normalize("NFKC", words))
    assert match is not None
    service = turn.community.catalogue.named(match["what"])
    kept = booking.draft(turn, match["what"])
    if service is None or kept is None:
        raise Refusal("housekeeping.no_more", service=match["what"])
    start = datetime.fromisoformat(f"{match['day']}T{match['at']}")
    slot = Slot(start, start + timedelta(minutes=kept["minutes"]), await named(turn, service, match["who"]))
    turn.state.draft = kept | {"phone": form.phone or kept.get("phone") or ""}
    text = consent_text(turn, turn.state.draft, service, slot)
    turn.say("housekeeping.take.consent", text=text, words=words + "，同意")


def consent_text(turn: Turn, kept: dict[str, Any], service: Service, slot: Slot) -> str:
    """What is agreed to, as it is kept with the booking."""
    return turn.render(
        "housekeeping.take.agreement",
        service=service,
        when=slot.say(work.local(turn)),
        who=dispatch.called(slot.worker) if slot.worker else turn.render("housekeeping.take.somebody").text,
        phone=kept.get("phone") or turn.person.phone or turn.render("housekeeping.take.no_phone").text,
    ).text


async def begin_series(turn: Turn, kept: dict[str, Any], order: Order) -> None:
    begun = await series.begin(turn, turn.person, order, kept["rule"])
    if begun is None:
        await booking.offer(turn, kept, turn.words("gone"))
        return
    made, first = begun
    turn.state.draft = None
    turn.talk_about(*(one.ref for one in first[:3]))
    turn.say(
        "series",
        series=made,
        who=dispatch.called(order.slot.worker)
        if order.slot.worker
        else turn.render("housekeeping.take.somebody").text,
        price=catalogue.yuan(order.service.cost(order.minutes)),
        first="、".join(f"#{one.ref} {one.brief.partition(' ')[2]}" for one in first[:5]),
    )
    off = series.holidays(made, order.service, work.local(turn).date())
    if off:
        days = "、".join(f"{day.month}月{day.day}日" for day in off[:HOLIDAYS])
        turn.say("series_off", days=days)


# ------------------------------------------------------------------------------- changed


class Change(Form):
    ref: int | None = None
    time: dict[str, Any] | None = None


@skill.on("change", Change, by=Role.RESIDENT, spoken=False)
async def change(turn: Turn, form: Change) -> None:
    """Another time for what is booked: new offers, and a digit; until then all stays as it is."""
    assert form.ref is not None
    ticket = await theirs(turn, form.ref)
    found = await bookings.of_ticket(turn.db, ticket.id)
    if found is None or ticket.state not in appointments.MOVABLE:
        raise Refusal("ticket.impossible", ticket=ticket, possible=tickets.possible(ticket.state))
    service = appointments.service_of(turn, found)
    turn.talk_about(ticket.ref)
    said = {"time": form.time, "duration_minutes": found.minutes}
    kept = booking.begin(
        turn, service, said, where=ticket.where.write(), home_id=found.home_id, ref=ticket.ref
    )
    await booking.offer(turn, kept)


async def theirs(turn: Turn, ref: int) -> Ticket:
    """The booking with this number, of whoever speaks or the household; a lead's word counts too."""
    ticket = await by_ref(turn, ref)
    concerned = await tickets.concerned(turn.db, ticket)
    if not (turn.person.may(Role.LEAD) or any(one.id == turn.person.id for one in concerned)):
        raise Refusal("ticket.only_concerned", ticket=ticket)
    return ticket


async def change_to(turn: Turn, ref: int, start: datetime, name: str | None) -> None:
    ticket = await theirs(turn, ref)
    found = await bookings.of_ticket(turn.db, ticket.id)
    if found is None:
        raise Refusal("ticket.absent", ref=ref)
    service = appointments.service_of(turn, found)
    slot = Slot(start, start + timedelta(minutes=found.minutes), await named(turn, service, name))
    said = {"time": None, "duration_minutes": found.minutes}
    kept = booking.begin(
        turn, service, said, where=ticket.where.write(), home_id=found.home_id, ref=ticket.ref
    )
    if start < work.local(turn) or not slot_is_had(turn, service, slot):
        await booking.offer(turn, kept, turn.words("gone_by"))
        return
    moved = await appointments.move(turn, ticket, turn.person, slot)
    if moved is None:
        await booking.offer(turn, kept, turn.words("gone"))
        return
    turn.state.draft = None
    turn.talk_about(moved.ref)
    worker = await people.get(turn.db, moved.assignee_id) if moved.assignee_id else None
    who = f"，{dispatch.called(worker)}" if worker else ""
    turn.say("changed", ticket=moved, service=service, when=slot.say(work.local(turn)), who=who)


# ----------------------------------------------------------------- while slots are on the table

_NO = re.compile(r"(?:不同意|不约了?|不要了?|不用了?|不订了?|算了.*)")
_YES = re.compile(r"(?:我?同意.{0,6})")
_OTHER = re.compile(r"(?:换|不要)(?:一)?(?:个|位)?(?:别的)?(?:人|师傅|阿姨)|别的(?:人|师傅|阿姨)")
_ANEW = frozenset({"ticket.amend", "inform", "housekeeping.book", "facility.book"})


@skill.listens
async def on_the_table(turn: Turn, meaning: Meaning) -> bool:
    """A word about the slots that were just shown: another time, yes, no. A digit goes its usual way."""
    kept = booking.pending(turn)
    text, item = turn.incoming.text.strip(), meaning.items[0]
    if kept is None or turn.state.form is not None or not turn.person.may(Role.RESIDENT):
        return False
    no = meaning.sure and item.intent in ("dialog.cancel", "dialog.deny")
    if no or _NO.fullmatch(text):
        turn.state.draft, turn.state.offers = None, []
        name = "unchanged" if kept.get("ref") else "dropped"
        turn.say(f"housekeeping.take.{name}", ref=kept.get("ref"))
        return True
    if _OTHER.search(text) and len(text) <= LONGEST and await somebody_else(turn, kept):
        return True
    asks = turn.state.offers[0][1].endswith("，同意")
    if (asks and _YES.fullmatch(text)) or (meaning.sure and item.intent == "dialog.affirm"):
        if not asks and len(turn.state.offers) > 1:
            await booking.offer(turn, kept)
            return True
        turn.item = Item("housekeeping.take", 1.0, {}, turn.state.offers[0][1])
        turn.state.offers = []
        await take(turn, Take())
        return True
    return await another_time(turn, kept, item, text)


async def somebody_else(turn: Turn, kept: dict[str, Any]) -> bool:
    """「换个师傅」: the slots again, without those who were named first."""
    service = turn.community.catalogue.named(kept["service"])
    match = TAKE.match(turn.state.offers[0][1])
    if service is None or match is None or not match["who"]:
        return False
    crew = await slots.workers(turn, service)
    no = [one.id for one in crew if one.name == match["who"]] + list(kept.get("but", ()))
    alone = len(crew) <= len(no)
    note = turn.render("housekeeping.why_alone").text if alone else ""
    await booking.offer(turn, kept | {"words": "", "but": [] if alone else no}, note)
    return True


async def another_time(turn: Turn, kept: dict[str, Any], item: Item, text: str) -> bool:
    """「改成周日下午」, said of the slots that were shown; True where it was that."""
    service = turn.community.catalogue.named(kept["service"])
    time, length = item.slots.get("time"), item.slots.get("duration_minutes")
    other = item.slots.get("category")
    if service is None or item.intent not in _ANEW or not (time or length) or len(text) > LONGEST:
        return False
    if (other and other != service.category) or "ref" in item.slots or "rrule" in item.slots:
        return False
    minutes = service.length(length) if length else kept["minutes"]
    turn.item = Item("housekeeping.book", 1.0, {}, text)
    await booking.offer(turn, kept | {"time": time or kept.get("time"), "minutes": minutes})
    return True
