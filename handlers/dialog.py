"""Yes, no and 算了, where no question is open."""

from __future__ import annotations

from bot.dialog.form import Nothing
from bot.dialog.skill import Skill
from bot.dialog.turn import Turn
from bot.domain import tickets
from bot.domain.people import Role
from bot.inbox import milliseconds

skill = Skill(__name__)

JUST_NOW = 10 * 60 * 1000  # ms


@skill.on("affirm", Nothing, by=Role.STRANGER, question=True)
async def affirm(turn: Turn, _: Nothing) -> None:
    turn.say("done")


@skill.on("deny", Nothing, by=Role.STRANGER, question=True)
async def deny(turn: Turn, _: Nothing) -> None:
    """「不是这个」 right after filing: what is wrong may be said, or it is called off."""
    await ask_about_just_filed(turn, "what_is_wrong")


@skill.on("cancel", Nothing, by=Role.STRANGER, question=True)
async def cancel(turn: Turn, _: Nothing) -> None:
    """「算了」 with nothing open: perhaps what was filed just now is meant; never guessed."""
    await ask_about_just_filed(turn, "which_cancel")


async def ask_about_just_filed(turn: Turn, question: str) -> None:
    """Ask what is meant with what was filed just now; without it the word is merely heard."""
    ref = await just_filed(turn)
    if ref is None:
        turn.say("done")
    else:
        turn.say(question, ref=ref)


async def just_filed(turn: Turn) -> int | None:
    recent = turn.recent()
    if not recent or milliseconds(turn.now) - turn.state.recent_ms > JUST_NOW:
        return None
    ticket = await tickets.get(turn.db, turn.community.id, recent[0])
    if ticket is None or not ticket.open or ticket.reporter_id != turn.person.id:
        return None
    return ticket.ref
