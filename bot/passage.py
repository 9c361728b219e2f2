"""Whether a claimed message may go now, what goes with it, and where else its reader could be reached."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tortoise.backends.base.client import BaseDBAsyncClient

from bot import budget, outbox
from bot.channels import text
from bot.channels.base import Channel, Cost, Limits
from bot.domain import dispatch, people
from bot.domain.communities import Community
from bot.messages import Lane, Outgoing
from bot.outbox import State
from bot.responses import Reader
from bot.unit_of_work import GROUP_ROBOT


@dataclass(frozen=True, slots=True)
class Parcel:
    """What is sent at once: one message of the outbox, or several of a chat whose window is narrow.

    `taken` is what it cost of the chat's window.
    """

    message: Outgoing
    rows: tuple[Outgoing, ...]
    tries: int
    taken: int = 0


class Passage:
    """Knows every channel's bounds; the counting is in the database (`bot.budget`)."""

    def __init__(
        self, channels: Mapping[str, Channel], communities: Mapping[int, Community], lease: timedelta
    ) -> None:
        self._channels, self._communities, self._lease = channels, communities, lease

    async def admit(
        self, db: BaseDBAsyncClient, message: Outgoing, tries: int, now: datetime
    ) -> Parcel | None:
        """The parcel to send now. None: it is put off, readdressed or kept, and that is written down."""
        channel = self._channels.get(message.channel)
        if channel is None or not channel.limits.counted:
            return Parcel(message, (message,), tries)
        limits = channel.limits
        cost = limits.cost(message) if limits.cost is not None else Cost(_pieces(message, limits))
        verdict = await budget.take(
            db,
            message.channel,
            message.chat,
            cost.needed,
            now=now,
            per_chat=limits.per_chat,
            windowed=limits.windowed,
            reserve=limits.reserve if message.lane is Lane.NOTICE else 0,
            extra=cost.extra,
        )
        if verdict.wait is not None:
            at = now + timedelta(seconds=verdict.wait)
            await outbox.later(db, message.id, at, "the platform's pace", counts=False)
            return None
        if verdict.closed:
            if limits.notices:
                return Parcel(replace(message, closed=True), (message,), tries)
            await self.divert(db, message, State.KEPT, "the platform's window is shut", now)
            return None
        message = replace(message, bare=verdict.bare)
        if not (limits.windowed or limits.digests):
            return Parcel(message, (message,), tries)
        rows = await self._with(db, message, limits, now)
        whole = replace(
            message,
            text="\n\n".join(row.text for row in rows) if len(rows) > 1 else message.text,
            buttons=tuple(button for row in rows for button in row.buttons),
            token=verdict.token,
            mentions=tuple(dict.fromkeys(one for row in rows for one in row.mentions)),
        )
        return Parcel(whole, rows, tries, cost.needed if limits.windowed else 0)

    async def _with(
        self, db: BaseDBAsyncClient, message: Outgoing, limits: Limits, now: datetime
    ) -> tuple[Outgoing, ...]:
        """The message and what waits behind it, as much as fits into one."""
        if message.photos or not limits.octets or text.octets(message.text) > limits.octets:
            return (message,)
        behind = await outbox.claim_with(db, message, now=now, lease=self._lease)
        rows = (message, *behind)
        _, count = text.together((row.text for row in rows), limits.octets, text.octets)
        for row in rows[count:]:
            await outbox.unclaim(db, row.id, now=now)
        return rows[:count]

    async def divert(
        self, db: BaseDBAsyncClient, message: Outgoing, state: State, reason: str, now: datetime
    ) -> State:
        """It can't go there: to another account of its reader, or `state` is its end; what it is now."""
        for channel, chat in await self._elsewhere(db, message, now):
            why = f"{message.channel}: {reason}"
            await outbox.readdress(db, message.id, channel, chat, now=now, reason=why)
            return State.QUEUED
        await outbox.end(db, message.id, state, now=now, reason=reason)
        await self._call_in_group(db, message, now)
        return state

    async def _call_in_group(self, db: BaseDBAsyncClient, message: Outgoing, now: datetime) -> None:
        """Whoever works here and can't be alerted anywhere is called in staff's group, once a day."""
        if message.person is None or message.lane not in (Lane.DANGER, Lane.ALERT):
            return
        person = await people.get(db, message.person)
        community = self._communities.get(person.community_id)
        crew = await people.crew(db, [person.id]) if community and community.staff_group else {}
        if community is None or person.id not in crew or GROUP_ROBOT not in self._channels:
            return
        said = community.wording.say(
            "dialog.unreached", Reader(community.zone, now), {"who": dispatch.called(person)}
        )
        await outbox.put(
            db,
            GROUP_ROBOT,
            community.staff_group,
            said.text,
            now=now,
            lane=message.lane,
            once=f"unreached:{person.id}:{now.astimezone(community.zone):%Y%m%d}",
            mentions=filter(None, [crew[person.id]]),
        )

    async def _elsewhere(
        self, db: BaseDBAsyncClient, message: Outgoing, now: datetime
    ) -> list[tuple[str, str]]:
        """Where else its reader can be written to now. What is said to a group stays there."""
        if message.person is None:
            return []
        here = (message.channel, message.chat)
        accounts = await people.accounts_of(db, message.person)
        found = []
        for (name, address), reachable in accounts.items() if here in accounts else ():
            other = self._channels.get(name)
            if not reachable or other is None or not other.limits.pushes or (name, address) == here:
                continue
            if other.limits.windowed and not (
                other.limits.notices or await budget.is_open(db, name, address, now)
            ):
                continue
            found.append((name, address))
        return found


def _pieces(message: Outgoing, limits: Limits) -> int:
    """How many of the platform's messages it makes."""
    parts = len(text.split(message.text, limits.octets, text.octets)) if limits.octets else 1
    return max(parts + len(message.photos), 1)
