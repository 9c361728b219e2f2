"""What a ticket costs: put to the resident before it counts, a price before the work or a bill after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from tortoise import fields
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.indexes import Index
from tortoise.models import Model

from bot.domain import audit, bookings, clocks, dispatch, people, tickets
from bot.domain import work as verbs
from bot.domain.communities import Work
from bot.domain.people import Person, Role
from bot.domain.telling import assignee, tell_concerned, without
from bot.domain.tickets import BOOKING, COMPLAINT, HAND, RESIDENT, ROOT, State, Ticket, Verb
from bot.inbox import milliseconds
from bot.messages import Photo
from bot.store import Statement
from bot.unit_of_work import Refusal
from nlp.slots.costs import yuan

QUOTE, BILL = "quote", "bill"
ASKED, AGREED, REFUSED, DISPUTED, REPLACED = "asked", "agreed", "refused", "disputed", "replaced"
PUBLIC = "public"  # of no flat: nobody is asked
MOST = 10_000_000  # fen: no repair in a flat costs more, so that it is a slip
REMIND = (timedelta(days=1), timedelta(days=3), timedelta(days=7))  # after a bill; from the second the leads
LOOKED_AT = 20  # prices and bills of one ticket


class CostRow(Model):
    """A price or a bill. `due_ms` is when a bill without an answer is asked about again, null for never."""

    id = fields.BigIntField(primary_key=True)
    community: fields.ForeignKeyRelation[Any] = fields.ForeignKeyField(
        "linli.CommunityRow", related_name=False, on_delete=fields.RESTRICT
    )
    ticket: fields.ForeignKeyRelation[Any] = fields.ForeignKeyField(
        "linli.TicketRow", related_name=False, on_delete=fields.RESTRICT
    )
    stage = fields.CharField(max_length=8)  # quote, bill
    state = fields.CharField(max_length=8)  # asked, agreed, refused, disputed, replaced, public
    fen = fields.BigIntField()
    what = fields.CharField(max_length=200)
    by_id = fields.BigIntField()
    answered_id = fields.BigIntField(null=True)
    made_ms = fields.BigIntField()
    answered_ms = fields.BigIntField(null=True)
    step = fields.IntField()
    due_ms = fields.BigIntField(null=True)

    class Meta:
        table = "cost"
        indexes = (Index(fields=("ticket_id", "id")), Index(fields=("due_ms",)))


@dataclass(frozen=True, slots=True)
class Cost:
    """A price or a bill as it stands; money in fen."""

    id: int
    ticket_id: int
    stage: str
    state: str
    fen: int
    what: str
    by_id: int
    answered_id: int | None
    made_ms: int
    step: int

    @property
    def yuan(self) -> str:
        return yuan(self.fen)

    @property
    def said(self) -> str:
        """60 元（2个角阀）."""
        return f"{self.yuan} 元" + (f"（{self.what}）" if self.what else "")


_INSERT = Statement(
    "insert into cost (community_id, ticket_id, stage, state, fen, what, by_id, answered_id, made_ms,"
    " answered_ms, step, due_ms) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, $11) returning *"
)
_OF = Statement("select * from cost where ticket_id = $1 order by id desc limit $2")
_BY_ID = Statement("select * from cost where id = $1")
# The state in the condition: of two answers the first one counts.
_ANSWER = Statement(
    "update cost set state = $2, answered_id = $3, answered_ms = $4, due_ms = null"
    " where id = $1 and state = 'asked' returning *"
)
_REPLACE = Statement(
    "update cost set state = 'replaced', due_ms = null"
    " where ticket_id = $1 and state in ('asked', 'disputed') returning id"
)
_STEP = Statement("update cost set step = $2, due_ms = $3 where id = $1 returning id")
_ASKED_OF = Statement(
    "select t.ref from ticket t join cost c on c.ticket_id = t.id where c.state = 'asked' and t.id in ("
    "select id from ticket where reporter_id = $1"
    " union select o.id from residence r join ticket o on o.home_id = r.home_id where r.person_id = $1)"
    " order by c.id desc limit 5"
)


def _read(row: Mapping[str, Any]) -> Cost:
    return Cost(
        row["id"],
        row["ticket_id"],
        row["stage"],
        row["state"],
        row["fen"],
        row["what"],
        row["by_id"],
        row["answered_id"],
        row["made_ms"],
        row["step"],
    )


async def of(db: BaseDBAsyncClient, ticket: Ticket) -> list[Cost]:
    """The prices and bills of a ticket that still mean something, newest first."""
    found = [_read(row) for row in await _OF.rows(db, ticket.id, LOOKED_AT)]
    return [one for one in found if one.state != REPLACED]


async def pending(db: BaseDBAsyncClient, ticket: Ticket) -> Cost | None:
    """What the household has not answered yet. The price of somebody who has left the ticket is none."""
    for one in await of(db, ticket):
        bill = one.stage == BILL and ticket.state is not State.CANCELLED
        if one.state == ASKED and (bill or (ticket.state in HAND and one.by_id == ticket.assignee_id)):
            return one
    return None


async def asked_of(db: BaseDBAsyncClient, person: Person) -> list[int]:
    """The numbers of the tickets whose cost waits for this person's household."""
    return [int(row["ref"]) for row in await _ASKED_OF.rows(db, person.id)]


def private(ticket: Ticket) -> bool:
    """Whether it is somebody's own; of a lamp in the street no resident is asked for money."""
    return bool(ticket.home_id or ticket.where.room or not ticket.where)


async def payers(work: Work, ticket: Ticket) -> list[Person]:
    """Who can agree: the household of the flat and the reporter, not whoever only follows the ticket."""
    if not private(ticket):
        return []
    reporter = await people.get(work.db, ticket.reporter_id)
    family = await people.household(work.db, ticket.home_id) if ticket.home_id else []
    return [*family, *without([reporter], *family)]


async def quote(work: Work, ticket: Ticket, by: Person, fen: int, what: str) -> Cost:
    """A price before the work: the household is asked, and the clocks stand still until it answers."""
    ticket = await tickets.hold(work.db, ticket)
    verbs.only_assignee(ticket, by, await assignee(work, ticket))
    _check(fen)
    asked = without(await to_ask(work, ticket), by)
    if not fen:
        raise Refusal("cost.for_nothing", ticket=ticket)
    if not private(ticket) or ticket.kind in (COMPLAINT, ROOT):
        raise Refusal("cost.of_all", ticket=ticket)
    if not asked:
        raise Refusal("cost.nobody", ticket=ticket)
    if ticket.state not in HAND:
        raise Refusal("ticket.impossible", ticket=ticket, possible=tickets.possible(ticket.state))
    before = await agreed_before(work, ticket)
    if before is not None and fen <= before:
        raise Refusal("cost.covered", ticket=ticket, yuan=yuan(before))
    await _REPLACE.rows(work.db, ticket.id)
    cost = await _put(work, ticket, by, QUOTE, ASKED, fen, what)
    timing = await clocks.timing(work)
    ticket = await verbs.move(
        work, ticket, Verb.WAIT, by, promised=timing.later(REMIND[0]), timing=timing, assignee_id=by.id,
        after=ticket.clocks, note=f"报价 {cost.said}", waits_for=RESIDENT,
    )  # fmt: skip
    _ask(work, ticket, cost, asked, by)
    return cost


async def to_ask(work: Work, ticket: Ticket) -> list[Person]:
    """Who can agree and has not done the work: nobody answers the own bill."""
    worker = await assignee(work, ticket)
    return without(await payers(work, ticket), worker)


def _ask(work: Work, ticket: Ticket, cost: Cost, asked: Sequence[Person], by: Person | None) -> None:
    who = dispatch.called(by) if by else ""
    work.notify(asked, f"cost.ask_{cost.stage}", confided=True, ticket=ticket, cost=cost, who=who)


def _check(fen: int) -> None:
    if fen > MOST:
        raise Refusal("cost.too_much", yuan=yuan(fen))


async def agreed_before(work: Work, ticket: Ticket) -> int | None:
    """How much was agreed to and is not billed yet, in fen; what is booked was agreed to by booking."""
    found = await of(work.db, ticket)
    for one in found:
        if one.stage == BILL:
            return None
        if one.state == AGREED:
            return one.fen
    booking = await bookings.of_ticket(work.db, ticket.id) if ticket.kind == BOOKING else None
    return booking.price * 100 if booking else None


async def _put(work: Work, ticket: Ticket, by: Person, stage: str, state: str, fen: int, what: str) -> Cost:
    asked = state == ASKED
    row = await _INSERT.row(
        work.db,
        work.community.id,
        ticket.id,
        stage,
        state,
        fen,
        what[:200],
        by.id,
        None,
        milliseconds(work.now),
        None if asked else milliseconds(work.now),
        milliseconds(work.now + REMIND[0]) if asked and stage == BILL else None,
    )
    assert row is not None
    cost = _read(row)
    note = f"{cost.said} {state}"
    await audit.write(work.db, ticket.community_id, work.now, by.id, stage, "ticket", ticket.id, note)
    return cost


async def complete(
    work: Work, ticket: Ticket, by: Person, note: str, pictures: Sequence[Photo], fen: int | None, what: str
) -> tuple[Ticket, Cost | None]:
    """Done, and it cost `fen`; None where nothing was said of money. What was not agreed to is asked now."""
    if fen is None:
        return await verbs.complete(work, ticket, by, note, pictures), None
    _check(fen)
    asked = without(await to_ask(work, ticket), by)
    # Before the state changes the agreed price is looked up; the completion itself is told with the question.
    ticket = await tickets.hold(work.db, ticket)
    counts = await _counts(work, ticket, fen)
    ticket = await verbs.complete(work, ticket, by, note, pictures, told=asked if counts == ASKED else ())
    await _REPLACE.rows(work.db, ticket.id)
    cost = await _put(work, ticket, by, BILL, counts, fen, what)
    if counts == ASKED and asked:
        _ask_done(work, ticket, cost, asked, by, note, pictures)
    elif counts == ASKED:
        await _ask_lead(work, ticket, cost, by)
    return ticket, cost


async def _ask_lead(work: Work, ticket: Ticket, cost: Cost, by: Person) -> None:
    """Whoever did it lives there alone: a lead agrees."""
    leads = without(await dispatch.above(work, 0, ticket.about_id), by)
    work.notify(leads, "cost.lead_decides", **_plain(ticket, cost))


def _ask_done(
    work: Work,
    ticket: Ticket,
    cost: Cost,
    asked: Sequence[Person],
    by: Person | None,
    note: str = "",
    pictures: Sequence[Photo] = (),
) -> None:
    """One question after the other: whether it is done, and then what it may cost."""
    who, shown = dispatch.called(by) if by else "", tuple(pictures)
    work.notify(
        asked, "cost.ask_done", confided=True, ticket=ticket, cost=cost, who=who, note=note, photos=shown
    )


async def remind_done(work: Work, ticket: Ticket, cost: Cost) -> None:
    """No word after the work: those who are to agree hear of both, the others of the work."""
    worker, asked = await assignee(work, ticket), await to_ask(work, ticket)
    _ask_done(work, ticket, cost, asked, worker)
    await tell_concerned(work, ticket, "ticket.complete.remind", *asked)


async def _counts(work: Work, ticket: Ticket, fen: int) -> str:
    """How a bill begins: agreed to already, of nobody's flat, or a question."""
    if not private(ticket):
        return PUBLIC
    before = await agreed_before(work, ticket)
    if not fen or (before is not None and fen <= before):
        return AGREED
    return ASKED


async def charge(work: Work, ticket: Ticket, by: Person, fen: int, what: str) -> Cost:
    """The bill of what is done, said later or corrected, as long as nobody has agreed to it."""
    ticket = await tickets.hold(work.db, ticket)
    verbs.only_assignee(ticket, by, await assignee(work, ticket))
    _check(fen)
    bills = [one for one in await of(work.db, ticket) if one.stage == BILL]
    unsettled = bool(bills) and bills[0].state in (ASKED, DISPUTED)
    if ticket.state is not State.AWAITS and not (unsettled and ticket.state is not State.CANCELLED):
        raise Refusal("ticket.impossible", ticket=ticket, possible=tickets.possible(ticket.state))
    if bills and not unsettled:
        raise Refusal("cost.settled", ticket=ticket, line=line(work, bills[0]))
    await _REPLACE.rows(work.db, ticket.id)
    asked = without(await to_ask(work, ticket), by)
    cost = await _put(work, ticket, by, BILL, await _counts(work, ticket, fen), fen, what)
    if cost.state == ASKED and asked:
        _ask(work, ticket, cost, asked, by)
    elif cost.state == ASKED:
        await _ask_lead(work, ticket, cost, by)
    else:
        work.notify(asked, "cost.now", confided=True, ticket=ticket, line=line(work, cost))
    return cost


async def answer(
    work: Work, ticket: Ticket, by: Person, fen: int | None, *, yes: bool
) -> tuple[Ticket, Cost]:
    """Yes or no to what was asked last. `fen` is the amount that is meant; of another one we ask anew."""
    ticket = await tickets.hold(work.db, ticket)
    family, worker = await payers(work, ticket), await assignee(work, ticket)
    decides = by.may(Role.LEAD) and not without(family, worker)
    if not decides and not any(one.id == by.id for one in family):
        raise Refusal("ticket.only_concerned", ticket=ticket)
    if worker is not None and worker.id == by.id:
        raise Refusal("cost.own", ticket=ticket)
    cost = await pending(work.db, ticket)
    if cost is None:
        known = await of(work.db, ticket)
        if not known:
            raise Refusal("cost.none", ticket=ticket)
        raise Refusal("cost.settled", ticket=ticket, line=line(work, known[0]))
    if fen is not None and fen != cost.fen:
        raise Refusal("cost.another", ticket=ticket, cost=cost)
    state = AGREED if yes else DISPUTED if cost.stage == BILL else REFUSED
    row = await _ANSWER.row(work.db, cost.id, state, by.id, milliseconds(work.now))
    if row is None:
        raise Refusal("ticket.changed", ticket=ticket)
    cost = _read(row)
    await audit.write(
        work.db, ticket.community_id, work.now, by.id, f"cost_{state}", "ticket", ticket.id, cost.said
    )
    if cost.stage == QUOTE and ticket.state is State.WAITING and ticket.waits_for == RESIDENT:
        ticket = await verbs.resume(work, ticket, by, cost.said)
    told = {**_plain(ticket, cost), "who": by.called}
    work.notify([worker] if worker else [], f"cost.told_{cost.stage}_{state}", **told)
    if state == DISPUTED:
        leads = without(await dispatch.above(work, 0, ticket.about_id), worker, by)
        contact = await verbs.contact_of(work, ticket)
        work.notify(leads, "cost.disputed_lead", contact=contact, **told)
    others = without(family, by, worker)
    work.notify(others, "cost.family", confided=True, ticket=ticket, who=by.called, line=line(work, cost))
    return ticket, cost


def _plain(ticket: Ticket, cost: Cost) -> dict[str, Any]:
    """What staff are told by: no ticket among it, for news about tickets are posted in staff's group, too."""
    return {"ref": ticket.ref, "matter": ticket.line, "cost": cost}


async def ask_again(work: Work, ticket: Ticket, cost: Cost, *, lead: bool) -> None:
    """No answer yet: never taken for a yes. After the first time the leads hear of it."""
    worker = await assignee(work, ticket)
    if ticket.state is not State.AWAITS:  # there the question whether it is done says so, too
        _ask(work, ticket, cost, await to_ask(work, ticket), worker)
    if lead:
        leads = without(await dispatch.above(work, 0, ticket.about_id), worker)
        contact = await verbs.contact_of(work, ticket)
        work.notify(leads, "cost.no_answer", contact=contact, **_plain(ticket, cost))


async def act(work: Work, cost_id: int) -> None:
    """A bill that nobody has answered is due for another word."""
    row = await _BY_ID.row(work.db, cost_id)
    if row is None or row["state"] != ASKED:
        return
    cost = _read(row)
    ticket = await tickets.by_id(work.db, cost.ticket_id)
    step = cost.step + 1
    due = cost.made_ms + int(REMIND[step].total_seconds() * 1000) if step < len(REMIND) else None
    await _STEP.rows(work.db, cost.id, step, due)
    await ask_again(work, ticket, cost, lead=step > 1)


async def asks(work: Work, ticket: Ticket, person: Person) -> Cost | None:
    """What this person can answer now."""
    cost = await pending(work.db, ticket)
    mine = cost is not None and any(one.id == person.id for one in await to_ask(work, ticket))
    return cost if mine else None


# ------------------------------------------------------------------------------ as it is read


def line(work: Work, cost: Cost) -> str:
    """费用 60 元（2个角阀），已同意."""
    if cost.stage == BILL and not cost.fen:
        return work.render("cost.line_free").text
    return work.render(f"cost.line_{cost.stage}_{cost.state}", cost=cost).text


async def seen(work: Work, ticket: Ticket, by: Person, *, free: bool = False) -> str:
    """The bills of a ticket, else its last price, for the household and for staff; "" for anybody else.

    That nothing was taken is worth a word only where somebody asks what it cost: `free`.
    """
    found = await of(work.db, ticket)
    if not found:
        return ""
    works = by.may(Role.STAFF) or by.may(Role.COMMITTEE)
    if not works and not any(one.id == by.id for one in await payers(work, ticket)):
        return ""
    bills = [one for one in reversed(found) if one.stage == BILL]
    shown = [one for one in bills or found[:1] if one.fen or free]
    return "；".join(line(work, one) for one in shown)
