"""Merge, split, link: what people say about which tickets are one thing, and what belongs together."""

from __future__ import annotations

from typing import Any

from tortoise import fields
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.indexes import Index
from tortoise.models import Model

from bot.domain import audit, clocks, dispatch, joined, offers, people, tickets
from bot.domain import work as verbs
from bot.domain.communities import Work
from bot.domain.people import Person
from bot.domain.telling import assignee, tell_concerned, without
from bot.domain.tickets import REPAIR, Ticket, Verb
from bot.store import Statement
from bot.unit_of_work import Refusal


class LinkRow(Model):
    """Two tickets that belong together, the older one first."""

    id = fields.BigIntField(primary_key=True)
    ticket: fields.ForeignKeyRelation[Any] = fields.ForeignKeyField(
        "linli.TicketRow", related_name=False, on_delete=fields.RESTRICT
    )
    other_id = fields.BigIntField()

    class Meta:
        table = "ticket_link"
        unique_together = (("ticket", "other_id"),)
        indexes = (Index(fields=("other_id",)),)


_LINK = Statement(
    "insert into ticket_link (ticket_id, other_id) values ($1, $2)"
    " on conflict (ticket_id, other_id) do nothing returning id"
)
_LINKED = Statement(
    "select ref from ticket where id in (select other_id from ticket_link where ticket_id = $1"
    " union all select ticket_id from ticket_link where other_id = $1) order by ref"
)


async def link(work: Work, one: Ticket, other: Ticket, by: Person) -> bool:
    """They belong together, each stays itself; whether that is new."""
    if one.id == other.id:
        raise Refusal("incident.itself", ticket=one)
    if not await _LINK.rows(work.db, min(one.id, other.id), max(one.id, other.id)):
        return False
    for subject, its in ((one, other), (other, one)):
        note = f"#{its.ref}"
        await audit.write(work.db, one.community_id, work.now, by.id, "link", "ticket", subject.id, note)
    return True


async def linked(db: BaseDBAsyncClient, ticket: Ticket) -> list[int]:
    """The numbers of what belongs to it."""
    return [int(row["ref"]) for row in await _LINKED.rows(db, ticket.id)]


async def merge(work: Work, ticket: Ticket, into: Ticket, by: Person) -> tuple[Ticket, Ticket]:
    """They are one thing: `into` stands for both from now on, and whoever reported `ticket` hears of it.

    Refuses what is one already, what is over, and what is no repair on both sides.
    """
    if ticket.id == into.id:
        raise Refusal("incident.itself", ticket=ticket)
    for one in sorted((ticket, into), key=lambda t: t.id):
        await tickets.hold(work.db, one)
    ticket, into = await tickets.by_id(work.db, ticket.id), await tickets.by_id(work.db, into.id)
    for one in (ticket, into):
        if not one.open or one.state is tickets.State.AWAITS:
            raise Refusal("incident.over", ticket=one)
    if ticket.kind != REPAIR or into.kind != REPAIR:
        raise Refusal("incident.other_kind", ticket=ticket if ticket.kind != REPAIR else into)
    worker = await assignee(work, ticket)
    concerned = await tickets.concerned(work.db, ticket)
    ticket = await tickets.move(
        work.db, ticket, Verb.MERGE, by, now=work.now, promised=None, due=None,
        assignee_id=ticket.assignee_id, note=f"#{into.ref}",
    )  # fmt: skip
    ticket = await tickets.put_into(work.db, ticket, into)
    await audit.write(
        work.db,
        into.community_id,
        work.now,
        by.id,
        "merge",
        "ticket",
        into.id,
        f"#{ticket.ref}：{ticket.words}",
    )
    await _bring(work, ticket, into, concerned)
    if worker and worker.id != into.assignee_id:
        work.notify(without([worker], by), "incident.merged_staff", ticket=ticket, into=into)
    work.notify(
        without(concerned, by), "incident.merged_told", confided=True, ticket=ticket, into=into.for_group()
    )
    return ticket, into


async def _bring(work: Work, ticket: Ticket, into: Ticket, concerned: list[Person]) -> None:
    """Whoever is concerned by the one is concerned by the other, and counts as who reports it."""
    first = await people.get(work.db, into.reporter_id)
    await joined.add(
        work.db, into, first, into.where, category=into.category, brief=into.brief, words=into.words,
        now=into.made,
    )  # fmt: skip
    for person in concerned:
        who = await people.get(work.db, person.id)
        await joined.add(
            work.db, into, who, ticket.where, category=ticket.category, brief=ticket.brief,
            words=ticket.words, now=work.now, from_id=ticket.id,
        )  # fmt: skip
        await tickets.subscribe(work.db, into, person)


async def split(work: Work, ticket: Ticket, by: Person) -> Ticket:
    """Not one thing after all: the ticket stands for itself again, with whoever had it, or asks anew."""
    ticket = await tickets.hold(work.db, ticket)
    if ticket.into_id is None:
        raise Refusal("incident.not_merged", ticket=ticket)
    into = await tickets.by_id(work.db, ticket.into_id)
    worker = await assignee(work, ticket)
    timing = await clocks.timing(work)
    started = timing.started(ticket.urgency, ticket.category)
    assert started.claim is not None
    due = timing.rung(work.now, started.claim, 1, urgent=ticket.urgent)
    ticket = await tickets.move(
        work.db, ticket, Verb.SPLIT, by, now=work.now, promised=started.claim, due=due, assignee_id=None,
        note=f"#{into.ref}", clocks=started,
    )  # fmt: skip
    ticket = await tickets.put_into(work.db, ticket, None)
    await audit.write(
        work.db, into.community_id, work.now, by.id, "split", "ticket", into.id, f"#{ticket.ref}"
    )
    await joined.take_out_brought(work.db, into, ticket.id)
    if worker is None:
        ticket, _ = await offers.begin(work, ticket, timing)
        await tell_concerned(work, ticket, "incident.split_told", by)
        return ticket
    after = timing.visited(ticket)
    assert after.visit is not None
    ticket = await verbs.move(
        work, ticket, Verb.ACCEPT, worker, promised=after.visit, timing=timing, assignee_id=worker.id,
        after=after,
    )  # fmt: skip
    work.notify(without([worker], by), "incident.split_yours", ticket=ticket)
    await tell_concerned(work, ticket, "incident.split_with", by, who=dispatch.called(worker))
    return ticket
