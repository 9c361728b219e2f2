"""Who is asked: the people for a ticket, step by step up the ladder while nobody takes it."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.domain import people
from bot.domain.communities import Work
from bot.domain.people import Person, Role
from bot.domain.tickets import Ticket

#: How long a ticket may lie unclaimed before the next are asked; urgent ones a third of it (product.md).
LADDER = (timedelta(minutes=15), timedelta(minutes=30), timedelta(hours=2), timedelta(hours=24))
_TITLES = ("师傅", "长", "工", "队", "姐", "哥", "主任", "经理", "阿姨", "岗", "员", "生")
_DESKS = ("前台", "客服", "物业", "社区", "管家", "居委", "业委")
_ABOVE = (Role.LEAD, Role.ADMIN, Role.COMMITTEE)


def rung(ticket: Ticket, step: int) -> datetime:
    """When step `step` (from 1) of the ladder is due; after the last one, every 24 hours."""
    third = 3 if ticket.urgent else 1
    if step <= len(LADDER):
        return ticket.made + LADDER[step - 1] / third
    return ticket.made + (LADDER[-1] / third) * (step - len(LADDER) + 1)


async def workers(work: Work, category: str, building: str) -> list[Person]:
    """Staff of a trade that takes the category, for this building; staff without a trade take everything.

    Where the community has nobody for it: the leads, else the admins, else the committee.
    """
    trades = work.community.trades_for(category)
    found = await people.holders(
        work.db, work.community.id, Role.STAFF, building=building or None, trades=trades
    )
    return found or await above(work, 0)


async def others(work: Work, category: str, building: str) -> list[Person]:
    """The next workers: of the trade, whatever their buildings, who were not asked at first."""
    trades = work.community.trades_for(category)
    asked = {one.id for one in await workers(work, category, building)}
    everyone = await people.holders(work.db, work.community.id, Role.STAFF, trades=trades)
    return [one for one in everyone if one.id not in asked]


async def above(work: Work, level: int) -> list[Person]:
    """The leads (0), admins (1) or committee (2); where a level is empty the next one up, else down."""
    for role in (*_ABOVE[level:], *reversed(_ABOVE[:level])):
        found = await people.holders(work.db, work.community.id, role)
        if found:
            return found
    return []


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
