"""Who is asked: the people for a ticket, who of them suits best, and who stands above them."""

from __future__ import annotations

from dataclasses import dataclass

from bot.domain import duty, people, tickets
from bot.domain.communities import Work
from bot.domain.people import Person, Role
from bot.domain.tickets import COMPLAINT, EMERGENCY, Ticket

_TITLES = ("师傅", "长", "工", "队", "姐", "哥", "主任", "经理", "阿姨", "岗", "员", "生")
_DESKS = ("前台", "客服", "物业", "社区", "管家", "居委", "业委")
_ABOVE = (Role.LEAD, Role.ADMIN, Role.COMMITTEE)


async def workers(work: Work, category: str, building: str) -> list[Person]:
    """Staff of a trade that takes the category, for this building; staff without a trade take everything.

    Those on duty, where any of them is; else whoever is on duty, whatever the trade; when nobody is, all of
    the trade (they hear of it when their work begins). Where the community has nobody for it: the leads, else
    the admins, else the committee.
    """
    trades = work.community.trades_for(category)
    staff = await people.holders(work.db, work.community.id, Role.STAFF, building=building or None)
    fit = [one for one in staff if has_trade(one, trades)]
    working = await duty.present(work.db, work.community, work.now)
    if working is not None and fit:
        here = [one for one in fit if one.id in working] or [one for one in staff if one.id in working]
        fit = here or fit
    return fit or await above(work, 0)


def has_trade(person: Person, trades: frozenset[str]) -> bool:
    """Whether somebody takes work of one of the trades; whoever has no trade takes everything."""
    own = [grant.trades for grant in person.grants]
    return any(not one or one & trades for one in own)


def suits(work: Work, person: Person, ticket: Ticket) -> bool:
    """Whether a ticket that nobody has is for this person: by trade and building; leads see to all."""
    if ticket.kind == COMPLAINT:
        return answers_for(person, ticket)
    if person.may(Role.LEAD) or ticket.kind == EMERGENCY:
        return True
    trades = work.community.trades_for(ticket.category)
    return any(
        grant.role is Role.STAFF
        and (not grant.trades or grant.trades & trades)
        and (not (grant.buildings and ticket.where.building) or ticket.where.building in grant.buildings)
        for grant in person.grants
    )


async def others(work: Work, category: str, building: str) -> list[Person]:
    """The next workers: of the trade, whatever their buildings, who were not asked at first."""
    trades = work.community.trades_for(category)
    asked = {one.id for one in await workers(work, category, building)}
    everyone = await people.holders(work.db, work.community.id, Role.STAFF, trades=trades)
    working = await duty.present(work.db, work.community, work.now)
    return [one for one in everyone if one.id not in asked and (working is None or one.id in working)]


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody who could do it, and what speaks for them."""

    person: Person
    near: bool  # looks after this building by name
    known: bool  # was with this household last
    load: int  # tickets in hand

    @property
    def points(self) -> int:
        return 2 * self.near + 2 * self.known - self.load


async def candidates(work: Work, ticket: Ticket) -> list[Candidate]:
    """The workers for a ticket, the best first: near, known to the household, with little in hand."""
    fit = await workers(work, ticket.category, ticket.where.building)
    before = await tickets.last_handler(work.db, ticket)
    found = [
        Candidate(
            person=one,
            near=any(ticket.where.building in grant.buildings for grant in one.grants),
            known=one.id == before,
            load=await tickets.load(work.db, one.id),
        )
        for one in fit
    ]
    return sorted(found, key=lambda one: (-one.points, one.person.id))


async def above(work: Work, level: int, but: int | None = None) -> list[Person]:
    """The leads (0), admins (1) or committee (2); where a level is empty the next one up, else down.

    `but` is the person (id) who is not to hear of it.
    """
    for role in (*_ABOVE[level:], *reversed(_ABOVE[:level])):
        found = [one for one in await people.holders(work.db, work.community.id, role) if one.id != but]
        if found:
            return found
    return []


async def asked(work: Work, ticket: Ticket) -> list[Person]:
    """Whose a ticket is that nobody has."""
    if ticket.kind == COMPLAINT:
        return await answering(work, ticket, 0)
    return await workers(work, ticket.category, ticket.where.building)


async def answering(work: Work, ticket: Ticket, level: int) -> list[Person]:
    """Who answers for a complaint: the leads; for a suggestion, or one about a lead, the committee."""
    lofty = ticket.category == "suggestion"
    if ticket.about_id is not None:
        about = await people.get(work.db, ticket.about_id)
        lofty = lofty or about.may(Role.LEAD)
    return await above(work, 2 if lofty else level, ticket.about_id)


def answers_for(person: Person, ticket: Ticket) -> bool:
    """Whether somebody may see and answer a complaint: by office, and not about themselves."""
    if person.id == ticket.about_id:
        return False
    return person.id == ticket.assignee_id or person.may(Role.LEAD) or person.may(Role.COMMITTEE)


async def on_duty(work: Work) -> list[Person]:
    """Everybody who comes when there is danger."""
    found = await people.holders(work.db, work.community.id, Role.STAFF, Role.LEAD)
    return found or await above(work, 1)


async def helpers(work: Work) -> list[Person]:
    """Who talks to a resident in place of the bot: the leads, else staff, else the committee."""
    for roles in ((Role.LEAD,), (Role.STAFF,), (Role.COMMITTEE, Role.ADMIN)):
        found = await people.holders(work.db, work.community.id, *roles)
        if found:
            return found
    return []


def called(person: Person) -> str:
    """How residents are told of staff: 老李师傅, 陈班长."""
    name = person.name or "值班"
    return name if name.endswith(_TITLES) or name.startswith(_DESKS) else name + "师傅"


def names(persons: list[Person]) -> str:
    """At most three of them: 老李师傅、小赵师傅等 5 人."""
    said = "、".join(called(one) for one in persons[:3])
    return said + (f"等 {len(persons)} 人" if len(persons) > 3 else "")
