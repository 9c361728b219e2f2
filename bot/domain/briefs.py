"""The brief of staff, twice a day: what waits, what is due, what is late, whom a human should ring up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any

from tortoise import fields
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.indexes import Index
from tortoise.models import Model

from bot import outbox
from bot.domain import dispatch, people, returns, roster, tickets
from bot.domain.communities import Work
from bot.domain.people import Role
from bot.domain.telling import assignee
from bot.domain.tickets import COMPLAINT, HAND, ROOT, State, Ticket
from bot.inbox import milliseconds
from bot.messages import Lane
from bot.store import Statement
from bot.unit_of_work import GROUP_ROBOT

MORNING, EVENING = time(8, 30), time(18, 0)
STALE = timedelta(hours=1)  # later than this a brief is no news, and left out
SHOWN = 5  # items of a line
LOOKED_AT = 200  # newest tickets of a state
DAY = timedelta(days=1)
ELSEWHERE = frozenset({COMPLAINT, ROOT})  # of these not everybody in the group is to hear


class BriefRow(Model):
    """When a community's next brief is due."""

    id = fields.BigIntField(primary_key=True)
    community: fields.ForeignKeyRelation[Any] = fields.ForeignKeyField(
        "linli.CommunityRow", related_name=False, on_delete=fields.RESTRICT
    )
    due_ms = fields.BigIntField(null=True)

    class Meta:
        table = "brief"
        unique_together = (("community",),)
        indexes = (Index(fields=("due_ms",)),)


_BEGIN = Statement(
    "insert into brief (community_id, due_ms) values ($1, $2)"
    " on conflict (community_id) do nothing returning id"
)
_GET = Statement("select due_ms from brief where id = $1")
_NEXT = Statement("update brief set due_ms = $2 where id = $1 returning id")


async def begin(db: BaseDBAsyncClient, community_id: int) -> None:
    """A community gets its briefs; the first one is looked for at once."""
    await _BEGIN.rows(db, community_id, 0)


async def act(work: Work, brief_id: int) -> None:
    """Write the brief that is due, if there is something to say, and note when the next one is."""
    row = await _GET.row(work.db, brief_id)
    assert row is not None
    due = datetime.fromtimestamp(row["due_ms"] / 1000, UTC)
    local = work.now.astimezone(work.community.zone)
    await _NEXT.rows(work.db, brief_id, milliseconds(following(local)))
    if work.now - due < STALE:
        await tell(work, evening=local.time() >= EVENING)


def following(local: datetime) -> datetime:
    """The next half past eight or six o'clock."""
    days = [
        local.replace(hour=at.hour, minute=at.minute, second=0, microsecond=0) for at in (MORNING, EVENING)
    ]
    return next((at for at in days if at > local), days[0] + DAY)


async def tell(work: Work, *, evening: bool) -> None:
    """Into staff's group where there is one, else to the leads, or the manager."""
    lines = await _lines(work, evening=evening)
    recent = await tickets.since(work.db, work.community.id, _midnight(work)) if evening else []
    made = [one for one in recent if one.kind not in ELSEWHERE]
    ended = [one for one in await _closed(work) if one.closed and one.closed >= _midnight(work)]
    if not lines:
        return
    values: dict[str, Any] = {"day": work.now, "lines": "".join(f"\n{line}" for line in lines)}
    values |= {"made": len(made), "ended": len(ended)}
    key = "brief.evening" if evening else "brief.morning"
    group = work.community.staff_group
    if group:
        text = work.render(key, **values).text
        await outbox.put(work.db, GROUP_ROBOT, group, text, now=work.now, lane=Lane.NOTICE)
        return
    leads = await people.holders(work.db, work.community.id, Role.LEAD)
    leads = leads or await people.holders(work.db, work.community.id, Role.ADMIN)
    work.notify(leads, key, lane=Lane.NOTICE, **values)


def _midnight(work: Work) -> datetime:
    local = work.now.astimezone(work.community.zone)
    return local.replace(hour=0, minute=0, second=0, microsecond=0)


async def _closed(work: Work) -> list[Ticket]:
    """What was made within a month and ended within a day."""
    found = await tickets.since(work.db, work.community.id, work.now - 30 * DAY)
    return [one for one in found if one.kind not in ELSEWHERE and one.closed and one.closed > work.now - DAY]


async def _lines(work: Work, *, evening: bool) -> list[str]:
    waiting = await _in(work, State.OPEN)
    hand = [one for state in sorted(HAND) for one in await _in(work, state)]
    late = [one for one in hand if _late(one, work.now)]
    closed = await _closed(work)
    lines = [await _line(work, "waiting", waiting), await _line(work, "late", late)]
    if evening:
        low = [one for one in closed if one.rating is not None and one.rating < returns.CONTENT]
        lines.append(await _line(work, "low", low, "item_rated"))
    else:
        end = _midnight(work) + DAY
        due = [one for one in hand if one not in late and one.promised and one.promised < end]
        lines.append(await _line(work, "due", due))
        parked = [one for one in hand if one.state is State.WAITING and one not in late + due]
        lines.append(await _line(work, "parked", parked))
        visits = [one for one in closed if one.state is State.RESOLVED and returns.sampled(one)]
        lines.append(await _line(work, "visit", visits))
    found = [line for line in lines if line]
    if found and (on_duty := await _on_duty(work)):
        found.append(on_duty)
    return found


async def _in(work: Work, state: State) -> list[Ticket]:
    found = await tickets.in_state(work.db, work.community.id, state, LOOKED_AT)
    return [one for one in found if one.kind not in ELSEWHERE]


def _late(ticket: Ticket, now: datetime) -> bool:
    """Past the clock that runs: the visit before it, the solution after it."""
    if ticket.paused is not None:
        return False
    deadline = ticket.visit if ticket.state is State.ACCEPTED else ticket.done
    return deadline is not None and deadline <= now


async def _line(work: Work, key: str, found: Sequence[Ticket], item: str = "") -> str:
    """One line of the brief; "" where there is nothing of its kind. A group may read it: no doors."""
    if not found:
        return ""
    ordered = sorted(found, key=lambda one: (not one.urgent, one.promised or one.made, one.ref))
    shown = []
    for one in ordered[:SHOWN]:
        worker = await assignee(work, one)
        name = item or ("item_who" if worker else "item")
        who = dispatch.called(worker) if worker else ""
        shown.append(work.render(f"brief.{name}", ticket=one.for_group(), who=who).text)
    more = work.render("brief.more").text if len(found) > SHOWN else ""
    return work.render(f"brief.{key}", count=len(found), items="；".join(shown) + more).text


async def _on_duty(work: Work) -> str:
    """Who has a shift today; "" without a roster."""
    start = _midnight(work)
    shifts = await roster.shifts(work.db, work.community.id, work.now, start + DAY)
    names = list(dict.fromkeys(one.name for one in shifts if one.start))
    return work.render("brief.duty", who="、".join(names)).text if names else ""
