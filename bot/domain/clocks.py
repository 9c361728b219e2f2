"""The clocks of a ticket: until when it is claimed, visited and solved, and when the house acts by itself.

They run on the community's calendar. While the house waits on the resident they stand still, and go on
afterwards with what was left.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.domain import roster
from bot.domain.communities import Promise, Work
from bot.domain.hours import Calendar
from bot.domain.tickets import BOOKING, COMPLAINT, EMERGENCY, HAND, REPAIR, Clocks, State, Ticket
from bot.domain.times import Window

#: How long a ticket may lie unclaimed before the next are asked; urgent ones a third of it (product.md).
LADDER = (timedelta(minutes=15), timedelta(minutes=30), timedelta(hours=2), timedelta(hours=24))
#: Parts of a clock after which whoever has the ticket is warned.
WARNINGS = (0.5, 0.8)
#: From this step on somebody above has acknowledged: nobody higher is asked.
ACKNOWLEDGED = 100
REOPENED_WITHIN = timedelta(hours=4)  # somebody comes again
#: A booking's promise is its slot: so long past it, where nobody has come or it is not over, we speak.
BOOKED_GRACE = timedelta(minutes=15)
BOOKED = frozenset({State.OPEN, State.ACCEPTED})
NIGHT = (22, 8)  # nobody is promised a time between these hours, urgent matters aside
_SEES_AHEAD = timedelta(days=21)  # of the roster; a longer promise counts service hours only


async def calendar(work: Work) -> Calendar:
    """When the clocks of this community run, as far as the roster is known now."""
    community = work.community
    if community.hours is None:
        return Calendar(community.zone)
    duty = await roster.covers(work.db, community.id, work.now, work.now + _SEES_AHEAD)
    if any(start <= work.now and end >= work.now + _SEES_AHEAD for start, end in duty):
        return Calendar(community.zone)  # there is always somebody
    return Calendar(community.zone, community.hours, duty)


def by_day(zone_at: datetime, *, urgent: bool) -> datetime:
    """The same, or 08:30 of the morning after when it would fall into the night; local time in, local out."""
    if urgent or NIGHT[1] <= zone_at.hour < NIGHT[0]:
        return zone_at
    morning = zone_at.replace(hour=8, minute=30, second=0, microsecond=0)
    return morning + timedelta(days=1) if zone_at.hour >= NIGHT[0] else morning


@dataclass(frozen=True, slots=True)
class Timing:
    """The calendar of one unit of work, with what depends on it. All instants are aware."""

    work: Work
    calendar: Calendar

    @property
    def now(self) -> datetime:
        return self.work.now

    def daytime(self, at: datetime, *, urgent: bool) -> datetime:
        return by_day(at.astimezone(self.work.community.zone), urgent=urgent)

    def later(self, span: timedelta, *, urgent: bool = False) -> datetime:
        """So much working time from now, and not at night."""
        return self.daytime(self.calendar.add(self.now, span), urgent=urgent)

    def promise(self, ticket: Ticket) -> Promise:
        """The spans that were promised for a ticket of its kind."""
        urgency = COMPLAINT if ticket.kind == COMPLAINT else ticket.urgency
        return self.work.community.promise(urgency, ticket.category)

    def started(self, urgency: str, category: str) -> Clocks:
        """All three, from now."""
        promise = self.work.community.promise(urgency, category)
        add, now = self.calendar.add, self.now
        return Clocks(add(now, promise.claim), add(now, promise.visit), add(now, promise.done))

    # ------------------------------------------------------------- while it goes on

    def visited(self, ticket: Ticket) -> Clocks:
        """Taken: somebody comes when it was wanted, else by the clock that runs since it was reported.

        Who takes it late still has half of the time; what is solved is solved after the visit.
        """
        promise = self.promise(ticket)
        window = Window.read(ticket.wanted)
        zone = self.work.community.zone
        if ticket.kind == BOOKING and window is not None and ticket.state in BOOKED:
            start = window.start.replace(tzinfo=zone)
            return Clocks(ticket.claim, max(start, self.now) + BOOKED_GRACE, window.last(zone))
        if window is not None and window.last(zone) > self.now:
            visit = window.last(zone)
        else:
            visit = self._enough(ticket.visit, promise.visit)
            visit = self.daytime(visit, urgent=ticket.urgent)
        done = max(self.resumed(ticket).done or visit, visit + (promise.done - promise.visit) / 2)
        return Clocks(ticket.claim, visit, done)

    def _enough(self, deadline: datetime | None, span: timedelta) -> datetime:
        least = self.calendar.add(self.now, span / 2)
        return deadline if deadline and deadline >= least else self.calendar.add(self.now, span)

    def resumed(self, ticket: Ticket) -> Clocks:
        """The clocks go on: what stood still is added, in working time."""
        if ticket.paused is None:
            return Clocks(ticket.claim, ticket.visit, ticket.done)
        add, between = self.calendar.add, self.calendar.between

        def moved(deadline: datetime | None) -> datetime | None:
            left = between(ticket.paused, deadline) if deadline and ticket.paused else timedelta()
            return add(self.now, left) if left else deadline

        return Clocks(ticket.claim, moved(ticket.visit), moved(ticket.done))

    def solved(self, ticket: Ticket) -> Clocks:
        """At it: by the third clock, where enough of it is left to be worth a word."""
        promise = self.promise(ticket)
        clocks = self.resumed(ticket)
        if ticket.kind == BOOKING:  # as long as it was booked for
            window = Window.read(ticket.wanted)
            end = window.last(self.work.community.zone) if window else self.now
            return replace(clocks, done=max(end, self.now) + BOOKED_GRACE)
        least = self.calendar.add(self.now, (promise.done - promise.visit) / 4)
        enough = clocks.done and clocks.done >= least
        done = clocks.done if enough else self.calendar.add(self.now, promise.done - promise.visit)
        assert done is not None
        return replace(clocks, done=self.daytime(done, urgent=ticket.urgent))

    def again(self, ticket: Ticket) -> Clocks:
        """Not solved after all: somebody comes soon, and the third clock begins anew."""
        promise = self.promise(ticket)
        soon = promise.visit if ticket.urgent else REOPENED_WITHIN
        visit = self.later(soon, urgent=ticket.urgent)
        return Clocks(ticket.claim, visit, self.calendar.add(self.now, promise.done))

    # ------------------------------------------------------------ what comes when

    def rung(self, since: datetime, claim: datetime | None, step: int, *, urgent: bool) -> datetime:
        """When step `step` (from 1) of the ladder is due; after the last one, again and again.

        A first clock that is shorter than the ladder rings half-way and at its end.
        """
        third = 3 if urgent else 1
        at = self.calendar.add(since, LADDER[min(step, len(LADDER)) - 1] / third)
        if claim is not None and claim > since and step <= 2:
            at = min(at, self.calendar.share(since, claim, step / 2))
        for _ in range(step - len(LADDER)):
            at = self.calendar.add(at, LADDER[-1] / third)
        return at

    def climb_at(self, ticket: Ticket, step: int) -> datetime:
        """The same for a ticket."""
        return self.rung(ticket.since, ticket.claim, step, urgent=ticket.urgent)

    def step_at(self, ticket: Ticket, step: int) -> datetime:
        """When step `step` (from 1) is due for who has the ticket: warnings, then the promise itself."""
        assert ticket.promised is not None
        warned = ticket.kind == REPAIR and ticket.state in HAND and ticket.state is not State.WAITING
        if not warned or step > len(WARNINGS):
            return ticket.promised
        begun = ticket.since
        window = Window.read(ticket.wanted)
        zone = self.work.community.zone
        if window is not None and window.last(zone) == ticket.promised:  # an appointment's clock is the visit
            begun = max(begun, window.start.replace(tzinfo=zone))
        at = self.calendar.share(begun, ticket.promised, WARNINGS[step - 1])
        return min(self.daytime(at, urgent=ticket.urgent), ticket.promised)

    def due(self, ticket: Ticket) -> tuple[int, datetime]:
        """How many steps are behind a ticket that stands like this now, and when the next one is due."""
        step = 0
        if ticket.state is State.OPEN and ticket.kind == COMPLAINT and ticket.claim:
            return step, self.calendar.share(self.now, ticket.claim, WARNINGS[0])
        if ticket.state is State.OPEN:
            while self.climb_at(ticket, step + 1) <= self.now:
                step += 1
            return step, self.climb_at(ticket, step + 1)
        assert ticket.promised is not None
        if ticket.kind == EMERGENCY:
            return step, ticket.promised
        if ticket.kind == BOOKING:
            return step, self.step_at(ticket, 1)
        while step < len(WARNINGS) and not self.now < self.step_at(ticket, step + 1) < ticket.promised:
            step += 1
        return step, self.step_at(ticket, step + 1)


async def timing(work: Work) -> Timing:
    """What a verb asks about time."""
    return Timing(work, await calendar(work))
