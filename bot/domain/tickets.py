"""A ticket: something reported, one life cycle, always with a promised next time while it is open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from tortoise import fields
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.indexes import Index
from tortoise.models import Model

from bot.domain import audit, communities
from bot.domain.people import Person
from bot.domain.places import Place
from bot.inbox import milliseconds
from bot.store import Statement
from bot.unit_of_work import Refusal


class State(StrEnum):
    """Where a ticket stands; the words are those that people read."""

    OPEN = "待接单"
    ACCEPTED = "已接单"
    IN_PROGRESS = "处理中"
    WAITING = "等待"
    AWAITS = "待确认"
    RESOLVED = "已解决"
    UNCONFIRMED = "未确认关闭"
    CANCELLED = "已撤销"
    REOPENED = "重新打开"
    MERGED = "已合并"


class Verb(StrEnum):
    """What can be done to a ticket."""

    ACCEPT = "accept"
    PROGRESS = "progress"
    WAIT = "wait"
    RESUME = "resume"
    COMPLETE = "complete"
    CONFIRM = "confirm"
    LAPSE = "lapse"
    CANCEL = "cancel"
    END = "end"
    GIVE_BACK = "give_back"
    TRANSFER = "transfer"
    REOPEN = "reopen"
    MERGE = "merge"
    SPLIT = "split"


REPAIR, EMERGENCY, COMPLAINT, BOOKING, ROOT = "repair", "emergency", "complaint", "booking", "root"
#: What a ticket can wait for.
PARTS, RESIDENT = "parts", "resident"
_WORK = frozenset({State.ACCEPTED, State.IN_PROGRESS, State.WAITING, State.REOPENED})
#: The whole life of a ticket: from where a verb may be done, and where it leads.
TRANSITIONS: Mapping[Verb, tuple[frozenset[State], State]] = {
    Verb.ACCEPT: (frozenset({State.OPEN}), State.ACCEPTED),
    Verb.PROGRESS: (_WORK, State.IN_PROGRESS),
    Verb.WAIT: (_WORK, State.WAITING),
    Verb.RESUME: (frozenset({State.WAITING}), State.IN_PROGRESS),
    Verb.COMPLETE: (_WORK, State.AWAITS),
    Verb.CONFIRM: (frozenset({State.AWAITS}), State.RESOLVED),
    Verb.LAPSE: (frozenset({State.AWAITS}), State.UNCONFIRMED),
    Verb.CANCEL: (frozenset({State.OPEN, State.ACCEPTED, State.IN_PROGRESS, State.WAITING}), State.CANCELLED),
    Verb.END: (frozenset({State.ACCEPTED}), State.UNCONFIRMED),  # a room's time is over; nobody is asked
    Verb.GIVE_BACK: (_WORK, State.OPEN),
    Verb.TRANSFER: (_WORK, State.ACCEPTED),
    Verb.REOPEN: (frozenset({State.AWAITS, State.RESOLVED, State.UNCONFIRMED}), State.REOPENED),
    Verb.MERGE: (_WORK | {State.OPEN}, State.MERGED),
    Verb.SPLIT: (frozenset({State.MERGED}), State.OPEN),
}
#: In somebody's hands.
HAND = frozenset({State.ACCEPTED, State.IN_PROGRESS, State.WAITING, State.REOPENED})
DONE = frozenset({State.RESOLVED, State.UNCONFIRMED, State.CANCELLED, State.MERGED})
REOPEN_WITHIN = timedelta(days=7)
#: An emergency is over when somebody who was there says so, whatever the staff has reported.
OVER = frozenset({State.OPEN, State.ACCEPTED, State.IN_PROGRESS, State.WAITING, State.AWAITS, State.REOPENED})


class TicketRow(Model):
    """One row a ticket. `due_ms` is when the house acts next by itself, null when nothing is owed."""

    id = fields.BigIntField(primary_key=True)
    community: fields.ForeignKeyRelation[Any] = fields.ForeignKeyField(
        "linli.CommunityRow", related_name=False, on_delete=fields.RESTRICT
    )
    ref = fields.IntField()
    kind = fields.CharField(max_length=16)  # repair, emergency, complaint, booking, root
    category = fields.CharField(max_length=32)
    brief = fields.CharField(max_length=255)
    words = fields.TextField()
    building = fields.CharField(max_length=16)
    unit = fields.CharField(max_length=16)
    floor = fields.CharField(max_length=16)
    room = fields.CharField(max_length=16)
    place = fields.CharField(max_length=64)
    home_id = fields.BigIntField(null=True)
    reporter: fields.ForeignKeyRelation[Any] = fields.ForeignKeyField(
        "linli.PersonRow", related_name=False, on_delete=fields.RESTRICT
    )
    assignee_id = fields.BigIntField(null=True)
    state = fields.CharField(max_length=16)
    urgency = fields.CharField(max_length=8)
    wanted = fields.CharField(max_length=160)
    phone = fields.CharField(max_length=20)
    made_ms = fields.BigIntField()
    promised_ms = fields.BigIntField(null=True)
    step = fields.IntField()
    due_ms = fields.BigIntField(null=True)
    closed_ms = fields.BigIntField(null=True)
    since_ms = fields.BigIntField(null=True)  # since when it stands as it stands
    asked_id = fields.BigIntField(null=True)  # whose answer is waited for, where the house asks one by one
    # The three clocks: until when it is to be claimed, visited and solved; null where a kind has none.
    claim_ms = fields.BigIntField(null=True)
    visit_ms = fields.BigIntField(null=True)
    done_ms = fields.BigIntField(null=True)
    paused_ms = fields.BigIntField(null=True)  # since when the clocks stand still, waiting on the resident
    waits_for = fields.CharField(max_length=8, db_default="")  # "" or, while it waits, parts or resident
    rating = fields.SmallIntField(null=True)  # 1 to 5
    about_id = fields.BigIntField(null=True)  # the person complained about, from whom it is hidden
    into_id = fields.BigIntField(null=True)  # the ticket that this one was merged into
    matter = fields.CharField(
        max_length=32, db_default=""
    )  # the thing that others may report, too; "" for none

    class Meta:
        table = "ticket"
        unique_together = (("community", "ref"),)
        indexes = (
            Index(fields=("due_ms",)),
            Index(fields=("community_id", "state", "id")),
            Index(fields=("assignee_id", "state")),
            Index(fields=("reporter_id", "id")),
            Index(fields=("home_id", "id")),
            Index(fields=("community_id", "category", "building", "unit", "id")),
            Index(fields=("community_id", "matter", "id")),
        )


class SubscriberRow(Model):
    """Who is told of a ticket, besides the reporter and the household."""

    id = fields.BigIntField(primary_key=True)
    ticket: fields.ForeignKeyRelation[Any] = fields.ForeignKeyField(
        "linli.TicketRow", related_name=False, on_delete=fields.RESTRICT
    )
    person: fields.ForeignKeyRelation[Any] = fields.ForeignKeyField(
        "linli.PersonRow", related_name=False, on_delete=fields.RESTRICT
    )

    class Meta:
        table = "subscriber"
        unique_together = (("ticket", "person"),)
        indexes = (Index(fields=("person_id", "ticket_id")),)


@dataclass(frozen=True, slots=True)
class Clocks:
    """Until when a ticket is to be claimed, visited and solved; None where there is no such clock."""

    claim: datetime | None = None
    visit: datetime | None = None
    done: datetime | None = None


@dataclass(frozen=True, slots=True)
class Ticket:
    """A ticket as it stands. Times are aware, in UTC. `since` is when it came to stand like this."""

    id: int
    community_id: int
    ref: int
    kind: str
    category: str
    brief: str
    words: str
    where: Place
    home_id: int | None
    reporter_id: int
    assignee_id: int | None
    state: State
    urgency: str
    wanted: str
    phone: str
    made: datetime
    promised: datetime | None
    step: int
    due: datetime | None
    closed: datetime | None
    since: datetime
    asked_id: int | None = None
    claim: datetime | None = None
    visit: datetime | None = None
    done: datetime | None = None
    paused: datetime | None = None
    waits_for: str = ""
    rating: int | None = None
    about_id: int | None = None
    into_id: int | None = None
    matter: str = ""

    @property
    def line(self) -> str:
        """The matter and the place, for those concerned."""
        return f"{self.brief}，{self.where.line}" if self.where else self.brief

    def for_group(self) -> Ticket:
        """As a group may see it: no door, no phone."""
        return replace(self, where=self.where.for_group(), phone="")

    def belongs_to(self, person: Person) -> bool:
        """Whether it is the person's own or of the person's flat; not for who only reports the same."""
        return self.reporter_id == person.id or any(home.id == self.home_id for home in person.homes)

    @property
    def clocks(self) -> Clocks:
        return Clocks(self.claim, self.visit, self.done)

    @property
    def open(self) -> bool:
        return self.state not in DONE

    @property
    def urgent(self) -> bool:
        return self.urgency == "urgent"


def _at(ms: int | None) -> datetime | None:
    return None if ms is None else datetime.fromtimestamp(ms / 1000, UTC)


def _ms(at: datetime | None) -> int | None:
    return None if at is None else milliseconds(at)


def read(row: Mapping[str, Any]) -> Ticket:
    """A row as a ticket."""
    made = _at(row["made_ms"])
    assert made is not None
    return Ticket(
        id=row["id"],
        community_id=row["community_id"],
        ref=row["ref"],
        kind=row["kind"],
        category=row["category"],
        brief=row["brief"],
        words=row["words"],
        where=Place(row["building"], row["unit"], row["floor"], row["room"], row["place"]),
        home_id=row["home_id"],
        reporter_id=row["reporter_id"],
        assignee_id=row["assignee_id"],
        state=State(row["state"]),
        urgency=row["urgency"],
        wanted=row["wanted"],
        phone=row["phone"],
        made=made,
        promised=_at(row["promised_ms"]),
        step=row["step"],
        due=_at(row["due_ms"]),
        closed=_at(row["closed_ms"]),
        since=_at(row["since_ms"]) or made,
        asked_id=row["asked_id"],
        claim=_at(row["claim_ms"]),
        visit=_at(row["visit_ms"]),
        done=_at(row["done_ms"]),
        paused=_at(row["paused_ms"]),
        waits_for=row["waits_for"],
        rating=row["rating"],
        about_id=row["about_id"],
        into_id=row["into_id"],
        matter=row["matter"],
    )


_INSERT = Statement(
    "insert into ticket (community_id, ref, kind, category, brief, words, building, unit, floor, room, place,"
    " home_id, reporter_id, assignee_id, state, urgency, wanted, phone, made_ms, promised_ms, step, due_ms,"
    " waits_for, about_id, since_ms, claim_ms, visit_ms, done_ms, matter)"
    " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, null, $14, $15, $16, $17, $18, $19, 0,"
    " $20, '', $21, $18, $22, $23, $24, $25) returning *"
)
_GET = Statement("select * from ticket where community_id = $1 and ref = $2")
_BY_ID = Statement("select * from ticket where id = $1")
_HOLD = Statement("update ticket set step = step where id = $1 returning *")
# The state in the condition decides who was first when two do it at once.
_MOVE = Statement(
    "update ticket set state = $3, assignee_id = $4, promised_ms = $5, step = $13, due_ms = $6,"
    " closed_ms = $7, since_ms = $8, claim_ms = $9, visit_ms = $10, done_ms = $11, paused_ms = $12,"
    " waits_for = $14, asked_id = null where id = $1 and state = $2 returning *"
)
_SCHEDULE = Statement(
    "update ticket set promised_ms = $2, step = $3, due_ms = $4, claim_ms = $5, visit_ms = $6, done_ms = $7,"
    " asked_id = $8 where id = $1 returning *"
)
_RATE = Statement("update ticket set rating = $2 where id = $1 returning *")
_LOAD = Statement("select count(*) as n from ticket where assignee_id = $1 and state in ($2, $3, $4, $5)")
_HANDLER = Statement(
    "select assignee_id from ticket where home_id = $1 and assignee_id is not null and id < $2"
    " order by id desc limit 1"
)
_AMEND = Statement(
    "update ticket set building = $2, unit = $3, floor = $4, room = $5, place = $6, home_id = $7,"
    " wanted = $8, phone = $9, urgency = $10, words = $11 where id = $1 returning *"
)
_SUBSCRIBE = Statement(
    "insert into subscriber (ticket_id, person_id) values ($1, $2)"
    " on conflict (ticket_id, person_id) do nothing returning id"
)
_INTO = Statement("update ticket set into_id = $2 where id = $1 returning *")
_CONCERNED = Statement(
    "select distinct p.id, p.community_id, p.name, p.phone, p.traditional from person p"
    " where p.id in (select person_id from subscriber where ticket_id = $1)"
    " or p.id in (select person_id from residence where home_id = $2) order by p.id"
)
_MINE = Statement(
    "select * from ticket where +community_id = $1 and id in ("  # plus: by the ids, not by all of a community
    "select ticket_id from subscriber where person_id = $2"  # the reporter is one
    " union select t.id from residence r join ticket t on t.home_id = r.home_id where r.person_id = $2)"
    " order by id desc limit $3"
)
# As many numbers as a conversation remembers.
_OPEN_OF = Statement(
    "select * from ticket t where t.community_id = $1 and t.ref in ($3, $4, $5, $6, $7) and ("
    "exists (select 1 from subscriber s where s.ticket_id = t.id and s.person_id = $2)"
    " or exists (select 1 from residence r where r.home_id = t.home_id and r.person_id = $2))"
)
_HANDLED = Statement("select * from ticket where assignee_id = $1 order by id desc limit $2")
# By the number, which has an index: what is older than the last few hundred is not looked at.
_SINCE = Statement(
    "select * from ticket where community_id = $1 and made_ms >= $2"
    " and ref > (select last_ref from community where id = $1) - $3 order by ref desc"
)
_ABOVE = Statement("select * from ticket where community_id = $1 and ref > $2 order by ref")
_BY_STATE = Statement("select * from ticket where community_id = $1 and state = $2 order by id desc limit $3")


NO_CLOCKS = Clocks()


async def file(
    db: BaseDBAsyncClient,
    community_id: int,
    reporter: Person,
    *,
    now: datetime,
    kind: str,
    category: str,
    brief: str,
    words: str,
    where: Place,
    home_id: int | None,
    promised: datetime,
    due: datetime,
    urgency: str = "normal",
    wanted: str = "",
    phone: str = "",
    about_id: int | None = None,
    clocks: Clocks = NO_CLOCKS,
    matter: str = "",
) -> Ticket:
    """Open a ticket with the community's next number. `words` is what the reporter wrote.

    `about_id` is the person whom a complaint is about; `matter` the thing that others may report, too.
    """
    ref = await communities.next_ref(db, community_id)
    row = await _INSERT.row(
        db,
        community_id,
        ref,
        kind,
        category,
        brief[:255],
        words,
        where.building[:16],
        where.unit[:16],
        where.floor[:16],
        where.room[:16],
        where.place[:64],
        home_id,
        reporter.id,
        str(State.OPEN),
        urgency,
        wanted[:160],
        phone[:20],
        milliseconds(now),
        milliseconds(promised),
        milliseconds(due),
        about_id,
        _ms(clocks.claim),
        _ms(clocks.visit),
        _ms(clocks.done),
        matter,
    )
    assert row is not None
    ticket = read(row)
    await _SUBSCRIBE.rows(db, ticket.id, reporter.id)
    await audit.write(db, community_id, now, reporter.id, "file", "ticket", ticket.id)
    return ticket


async def get(db: BaseDBAsyncClient, community_id: int, ref: int) -> Ticket | None:
    """The ticket with this number in this community. Another community's does not exist here."""
    if not 0 < ref < 2**31:
        return None
    row = await _GET.row(db, community_id, ref)
    return read(row) if row else None


async def open_of(
    db: BaseDBAsyncClient, community_id: int, person: Person, refs: Sequence[int]
) -> list[Ticket]:
    """Those of the numbers (at most five) whose tickets are open and concern the person, in their order."""
    if not refs:
        return []
    padded = [*refs, 0, 0, 0, 0, 0][:5]
    found = [read(row) for row in await _OPEN_OF.rows(db, community_id, person.id, *padded)]
    return sorted((one for one in found if one.open), key=lambda one: padded.index(one.ref))


async def by_id(db: BaseDBAsyncClient, ticket_id: int) -> Ticket:
    row = await _BY_ID.row(db, ticket_id)
    assert row is not None, f"ticket {ticket_id} vanished"
    return read(row)


async def hold(db: BaseDBAsyncClient, ticket: Ticket) -> Ticket:
    """The ticket as it stands now; nobody else changes it until the transaction ends.

    On PostgreSQL another process may have done something since it was read: read again what you change.
    """
    row = await _HOLD.row(db, ticket.id)
    assert row is not None, f"ticket {ticket.id} vanished"
    return read(row)


async def move(
    db: BaseDBAsyncClient,
    ticket: Ticket,
    verb: Verb,
    by: Person | None,
    *,
    now: datetime,
    promised: datetime | None,
    due: datetime | None,
    assignee_id: int | None = None,
    note: str = "",
    clocks: Clocks | None = None,
    step: int = 0,
    waits_for: str = "",
) -> Ticket:
    """Do `verb`, or refuse with what is possible now. `by` is None when the clock does it.

    `assignee_id` is who has the ticket afterwards. Of two at once exactly one gets through. The clocks stay
    as they are where none are given; while it `waits_for` the resident they stand still.
    """
    sources, target = TRANSITIONS[verb]
    if ticket.kind == EMERGENCY and verb is Verb.CONFIRM:
        sources = OVER
    if ticket.state not in sources:
        raise Refusal("ticket.impossible", ticket=ticket, possible=possible(ticket.state))
    closed = now if target in DONE else None
    after = clocks or ticket.clocks
    paused = (ticket.paused or now) if waits_for == RESIDENT else None
    row = await _MOVE.row(
        db,
        ticket.id,
        str(ticket.state),
        str(target),
        assignee_id,
        _ms(promised),
        _ms(due),
        _ms(closed),
        milliseconds(now),
        _ms(after.claim),
        _ms(after.visit),
        _ms(after.done),
        _ms(paused),
        step,
        waits_for,
    )
    if row is None:
        raise Refusal("ticket.changed", ticket=ticket)
    who = by.id if by else None
    line = f"{ticket.state}→{target}" + (f"：{note}" if note else "")
    await audit.write(db, ticket.community_id, now, who, str(verb), "ticket", ticket.id, line)
    return read(row)


_CAN_SAY = {
    Verb.ACCEPT: "接单",
    Verb.PROGRESS: "到场",
    Verb.WAIT: "等配件",
    Verb.COMPLETE: "修好了",
    Verb.CONFIRM: "确认修好",
    Verb.CANCEL: "撤销",
    Verb.GIVE_BACK: "退回",
    Verb.REOPEN: "还没好",
    Verb.SPLIT: "拆开",
}


def possible(state: State) -> str:
    """What can be done in this state, in words: 接单、撤销."""
    return "、".join(word for verb, word in _CAN_SAY.items() if state in TRANSITIONS[verb][0]) or "查看"


async def schedule(
    db: BaseDBAsyncClient,
    ticket: Ticket,
    *,
    promised: datetime | None,
    step: int,
    due: datetime | None,
    clocks: Clocks | None = None,
    asked_id: int | None = None,
) -> Ticket:
    """Say when the house acts next on this ticket, what was promised until when, and who is being asked."""
    after = clocks or ticket.clocks
    row = await _SCHEDULE.row(
        db,
        ticket.id,
        _ms(promised),
        step,
        _ms(due),
        _ms(after.claim),
        _ms(after.visit),
        _ms(after.done),
        asked_id,
    )
    assert row is not None
    return read(row)


async def amend(
    db: BaseDBAsyncClient,
    ticket: Ticket,
    by: Person,
    *,
    now: datetime,
    where: Place | None = None,
    home_id: int | None = None,
    wanted: str | None = None,
    phone: str | None = None,
    urgency: str | None = None,
    remark: str = "",
) -> Ticket:
    """Correct or add. Only an open ticket can be amended."""
    ticket = await hold(db, ticket)
    if not ticket.open:
        raise Refusal("ticket.impossible", ticket=ticket, possible=possible(ticket.state))
    new = replace(
        ticket,
        where=ticket.where if where is None else where,
        home_id=ticket.home_id if where is None else home_id,
        wanted=ticket.wanted if wanted is None else wanted,
        phone=ticket.phone if phone is None else phone,
        urgency=ticket.urgency if urgency is None else urgency,
        words=ticket.words + ("\n" + remark if remark else ""),
    )
    at = new.where
    row = await _AMEND.row(
        db,
        ticket.id,
        at.building[:16],
        at.unit[:16],
        at.floor[:16],
        at.room[:16],
        at.place[:64],
        new.home_id,
        new.wanted[:160],
        new.phone[:20],
        new.urgency,
        new.words,
    )
    assert row is not None
    await audit.write(db, ticket.community_id, now, by.id, "amend", "ticket", ticket.id, remark)
    return read(row)


async def rate(
    db: BaseDBAsyncClient, ticket: Ticket, by: Person, rating: int, words: str, now: datetime
) -> Ticket:
    """How satisfied somebody is, 1 to 5; a second opinion replaces the first."""
    row = await _RATE.row(db, ticket.id, rating)
    assert row is not None
    note = f"{rating}：{words}" if words else str(rating)
    await audit.write(db, ticket.community_id, now, by.id, "rate", "ticket", ticket.id, note)
    return read(row)


async def put_into(db: BaseDBAsyncClient, ticket: Ticket, into: Ticket | None) -> Ticket:
    """Say which ticket stands for this one from now on; None for itself."""
    row = await _INTO.row(db, ticket.id, into.id if into else None)
    assert row is not None
    return read(row)


async def stands_for(db: BaseDBAsyncClient, ticket: Ticket) -> Ticket:
    """The ticket that this one was merged into, and that one, and so on; itself where it was not."""
    while ticket.into_id is not None:
        ticket = await by_id(db, ticket.into_id)
    return ticket


async def subscribe(db: BaseDBAsyncClient, ticket: Ticket, person: Person) -> None:
    """From now on this person is told of the ticket."""
    await _SUBSCRIBE.rows(db, ticket.id, person.id)


async def concerned(db: BaseDBAsyncClient, ticket: Ticket) -> list[Person]:
    """The reporter, the household of the flat and the subscribers."""
    rows = await _CONCERNED.rows(db, ticket.id, ticket.home_id)
    return [
        Person(row["id"], row["community_id"], row["name"], row["phone"], bool(row["traditional"]))
        for row in rows
    ]


async def of_resident(db: BaseDBAsyncClient, person: Person, limit: int = 50) -> list[Ticket]:
    """The tickets of a person and the person's household, newest first."""
    return [read(row) for row in await _MINE.rows(db, person.community_id, person.id, limit)]


async def of_staff(db: BaseDBAsyncClient, person: Person, limit: int = 50) -> list[Ticket]:
    """The tickets that a person has in hand or had, newest first."""
    return [read(row) for row in await _HANDLED.rows(db, person.id, limit)]


async def load(db: BaseDBAsyncClient, person_id: int) -> int:
    """How many tickets somebody has in hand."""
    row = await _LOAD.row(db, person_id, *sorted(map(str, HAND)))
    assert row is not None
    return int(row["n"])


async def last_handler(db: BaseDBAsyncClient, ticket: Ticket) -> int | None:
    """Who had the household's ticket before this one."""
    row = await _HANDLER.row(db, ticket.home_id, ticket.id) if ticket.home_id else None
    return int(row["assignee_id"]) if row else None


async def in_state(
    db: BaseDBAsyncClient, community_id: int, state: State, limit: int = 50
) -> Sequence[Ticket]:
    """The newest tickets of a community in a state."""
    return [read(row) for row in await _BY_STATE.rows(db, community_id, str(state), limit)]


async def since(db: BaseDBAsyncClient, community_id: int, at: datetime, last: int = 500) -> list[Ticket]:
    """The tickets that a community made since then, newest first; at most the `last` ones."""
    return [read(row) for row in await _SINCE.rows(db, community_id, milliseconds(at), last)]


async def above(db: BaseDBAsyncClient, community_id: int, ref: int) -> list[Ticket]:
    """The tickets with a higher number, in order."""
    return [read(row) for row in await _ABOVE.rows(db, community_id, ref)]
