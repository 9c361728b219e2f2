"""What a group's talk would have led to, had we been there: done in order, looked at, and taken back."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bot.conversation import State
from bot.dialog.dialogue import GROUP_FORM_FOR
from bot.dialog.open_form import Open
from bot.dialog.skill import Ear
from bot.dialog.turn import Turn
from bot.domain import communities, duty, people, tickets
from bot.domain.people import Person
from bot.domain.tickets import Ticket
from bot.inbox import milliseconds
from bot.messages import Incoming
from bot.store import savepoint
from bot.unit_of_work import Refusal
from nlp.understanding import Understanding

GROUP = "excerpt"  # the address of a chat that there is not
_CALLED = re.compile(r"[@＠]邻里[\s，,：:]*")


@dataclass(frozen=True, slots=True)
class Spoken:
    """A line to rehearse. `who` stands in for the speaker, told apart by name; `at` is aware."""

    who: Person
    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Filed:
    """A ticket as it stood in the end, the line that it began with, and its words before more was said."""

    line: int
    words: str
    ticket: Ticket


@dataclass(slots=True)
class Outcome:
    """What came of it: what was filed, in order; and the lines about danger, each with its ticket's number.

    Such a ticket that is not among `filed` was there before.
    """

    filed: list[Filed] = field(default_factory=list)
    danger: list[tuple[int, int]] = field(default_factory=list)


async def rehearse(turn: Turn, ear: Ear, mind: Understanding, lines: Sequence[Spoken]) -> Outcome:
    """Hear the lines as live messages of one group. Nothing of it stays, and nobody is told anything.

    A question to which the talk has no answer counts as asked: what it is good for without is filed.
    """
    stage = _Stage(turn, ear, mind)
    async with savepoint(turn.db, keep=False):
        stage.last = await communities.hold(turn.db, turn.community.id)
        before = stage.last
        for number, line in enumerate(lines):
            await stage.play(number, line)
            await asyncio.sleep(0)  # a few ms a line: others are heard meanwhile
        await stage.end(turn.now)
        ended = {one.ref: one for one in await tickets.above(turn.db, turn.community.id, before)}
    outcome = stage.outcome
    filed = sorted(outcome.filed, key=lambda one: one.line)  # what was asked in vain came last
    outcome.filed = [Filed(one.line, one.words, ended[one.ticket.ref]) for one in filed]
    return outcome


class _Stage:
    """Everybody's conversation with us in the group, while it is rehearsed."""

    def __init__(self, turn: Turn, ear: Ear, mind: Understanding) -> None:
        self._turn, self._ear, self._mind = turn, ear, mind
        self._states: dict[str, State] = {}
        #: who has been asked something, and the line that made us ask
        self._asked: dict[str, tuple[Person, int]] = {}
        self.last = 0
        self.outcome = Outcome()

    async def play(self, number: int, line: Spoken) -> None:
        state = self._states.setdefault(line.who.name, State())
        if state.form and milliseconds(line.at) - Open.read(state.form).at_ms >= GROUP_FORM_FOR:
            await self._finish(line.who, line.at)
        text = _CALLED.sub("", line.text).strip()
        turn = self._of(line.who, line.at, text, addressed=text != line.text)
        before = state.write()
        try:
            async with savepoint(self._turn.db):
                heard = await self._ear.hear(turn, self._mind)
                about_danger = any(key.startswith("emergency.") for key in turn.spoken)
                if heard:
                    await turn.post()
        except Refusal:
            self._states[line.who.name] = State.read(before)
            return
        if not heard:
            return
        _, opened = self._asked.get(line.who.name, (line.who, number))
        await self._note(opened)
        self._asked.pop(line.who.name, None)
        if state.form:
            self._asked[line.who.name] = (line.who, opened)
        if about_danger and state.recent:
            self.outcome.danger.append((number, state.recent[0]))

    async def end(self, now: datetime) -> None:
        for who, _ in list(self._asked.values()):
            await self._finish(who, now)

    async def _finish(self, who: Person, at: datetime) -> None:
        _, opened = self._asked.pop(who.name, (who, 0))
        try:
            async with savepoint(self._turn.db):
                await self._ear.finish(self._of(who, at, ""))
        except Refusal:
            return
        await self._note(opened)

    async def _note(self, line: int) -> None:
        """What was filed just now, by the line that asked for it."""
        for ticket in await tickets.above(self._turn.db, self._turn.community.id, self.last):
            self.outcome.filed.append(Filed(line, ticket.words, ticket))
            self.last = ticket.ref

    def _of(self, who: Person, at: datetime, text: str, *, addressed: bool = False) -> Turn:
        incoming = Incoming(
            self._turn.incoming.channel, "", GROUP, who.name, text, who.name, group=True, addressed=addressed
        )
        turn = Turn(
            self._turn.db,
            at,
            self._turn.community,
            people.route,
            people.crew,
            duty.rest,
            person=who,
            incoming=incoming,
            state=self._states[who.name],
            traditional=False,
        )
        turn.rehearsed = True
        return turn
