"""Who is at work now, and until when the others are left alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from tortoise.backends.base.client import BaseDBAsyncClient

from bot.domain import people, roster
from bot.domain.communities import Community
from bot.domain.hours import Calendar
from bot.inbox import milliseconds
from bot.store import Statement

KEPT_FOR = timedelta(days=31)  # a roster without a shift for so long is kept no more
_KEPT = Statement("select id from duty where community_id = $1 and end_ms > $2 limit 1")


async def present(db: BaseDBAsyncClient, community: Community, at: datetime) -> frozenset[int] | None:
    """Who is on duty; None for everybody: within the service hours, or where no roster is kept at all."""
    if community.hours is None or Calendar(community.zone, community.hours).is_open(at):
        return None
    if not await _KEPT.rows(db, community.id, milliseconds(at - KEPT_FOR)):
        return None
    return await roster.on_duty(db, community.id, at)


async def rest(
    db: BaseDBAsyncClient, community: Community, persons: Sequence[int], at: datetime
) -> dict[int, datetime]:
    """Those of the persons who work here and are off duty, each with when the day or their shift begins.

    They are not to be disturbed until then, unless there is danger.
    """
    working = await present(db, community, at)
    if working is None:
        return {}
    off = await people.crew(db, [one for one in persons if one not in working])
    if not off:
        return {}
    opens = Calendar(community.zone, community.hours).next_open(at)
    begins = await roster.begins(db, community.id, at, opens)
    return {person: begins.get(person, opens) for person in off}
