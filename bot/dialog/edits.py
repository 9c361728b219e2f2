"""A message that was changed after it was sent: what came of it decides what the change means.

It filed something that is open: the change is a correction of that. Nothing came of it, and nothing was said
since: it is heard anew. Whatever else: the person is told once that the change was not taken, for a deed that
was done from the old words is not undone by silently reading new ones.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2s
from typing import Any

from bot.dialog.turn import Turn
from bot.domain import tickets, work
from bot.domain.places import Place
from bot.domain.tickets import Ticket
from bot.inbox import milliseconds
from nlp.meaning import Item
from nlp.slots import urgency
from nlp.understanding import Understanding

REMEMBERED = 5  # messages of a conversation


class Came(StrEnum):
    """What came of a message."""

    BEGAN = "began"  # a question of ours, and nothing else was open
    NOTHING = "nothing"
    DONE = "done"
    TOLD = "told"  # it was changed, and we said that we did not take the change


@dataclass(frozen=True, slots=True)
class Heard:
    """A message as a conversation remembers it: its mark, its words as a digest, the numbers it filed."""

    mark: str
    words: str
    came: Came
    refs: list[int]

    def says(self, text: str) -> bool:
        return self.words == _digest(text)


def _digest(text: str) -> str:
    return blake2s(text.encode(), digest_size=8).hexdigest()


def known(turn: Turn) -> Heard | None:
    """What is remembered of the message that was changed."""
    for mark, words, came, refs in turn.state.heard:
        if mark == turn.incoming.mark:
            return Heard(mark, words, Came(came), list(refs))
    return None


async def remember(turn: Turn, before: Heard | None, *, fresh: bool) -> None:
    """Note what came of this message; `fresh` says that nothing was open before it."""
    if not turn.incoming.mark:
        return
    fresh = fresh or (before is not None and before.came is Came.BEGAN)
    began = fresh and turn.state.form is not None
    refs = [*(before.refs if before else ()), *await _filed(turn)]
    _note(turn, Came.DONE if turn.acted else Came.BEGAN if began else Came.NOTHING, refs)


def decline(turn: Turn, before: Heard | None) -> None:
    """Say, once a message, that its change was not taken; in a group only to who speaks to us."""
    if turn.group and not turn.incoming.addressed:
        return
    if before is None or before.came is not Came.TOLD:
        turn.say("dialog.edited")
    _note(turn, Came.TOLD, before.refs if before else [])


def _note(turn: Turn, came: Came, refs: list[int]) -> None:
    mark, heard = turn.incoming.mark, turn.state.heard
    entry = [mark, _digest(turn.incoming.text), str(came), list(dict.fromkeys(refs))]
    if any(one[0] == mark for one in heard):
        turn.state.heard = [entry if one[0] == mark else one for one in heard]
    else:
        turn.state.heard = [*heard, entry][-REMEMBERED:]


async def _filed(turn: Turn) -> list[int]:
    """The numbers that were given in this turn."""
    if not turn.acted:
        return []
    found = [await tickets.get(turn.db, turn.community.id, ref) for ref in turn.recent()]
    return [one.ref for one in found if one is not None and milliseconds(one.made) == milliseconds(turn.now)]


def anew(turn: Turn, before: Heard | None) -> bool:
    """Whether nothing came of the old words and nothing was said since; then they are as if never said."""
    state = turn.state
    if before is None or state.heard[-1][0] != before.mark or before.came in (Came.DONE, Came.TOLD):
        return False
    if before.came is Came.BEGAN:
        state.form, state.waiting = None, []
    if state.form is not None or state.waiting:
        return False  # it answered one question and would now answer the next
    state.missed = state.missed[:-1]
    return True


async def corrects(turn: Turn, before: Heard | None) -> Ticket | None:
    """The one open ticket that the old words filed."""
    if before is None or len(before.refs) != 1:
        return None
    ticket = await tickets.get(turn.db, turn.community.id, before.refs[0])
    return ticket if ticket is not None and ticket.open else None


def correction(turn: Turn, mind: Understanding, ticket: Ticket) -> Item:
    """The new words as a change of the ticket: what they say otherwise than it does."""
    text, now = turn.incoming.text, work.local(turn)
    slots: dict[str, Any] = {"ref": ticket.ref}
    places = mind.find("location", text, now=now)
    if places and ticket.where.corrected(Place.read(places[-1])) != ticket.where:
        slots["location"] = places[-1]
    times = mind.find("time", text, now=now)
    if times and json.dumps(times[-1]) != ticket.wanted:
        slots["time"] = times[-1]
    phones = mind.find("phone", text, now=now)
    if phones and phones[-1] != ticket.phone:
        slots["phone"] = phones[-1]
    pressing = urgency.choose(text)
    if pressing and pressing != ticket.urgency:
        slots["urgency"] = pressing
    return Item("ticket.amend", 1.0, slots, text)
