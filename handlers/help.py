"""「帮助」: what can be said here, for the role that asks."""

from __future__ import annotations

from bot.dialog.form import Nothing
from bot.dialog.skill import Skill
from bot.dialog.turn import Turn
from bot.domain.people import Role

skill = Skill(__name__)


@skill.on("help", Nothing, by=Role.STRANGER, question=True)
async def help_(turn: Turn, _: Nothing) -> None:
    if not turn.person.bound:
        turn.say("stranger", community=turn.community)
    elif turn.person.may(Role.STAFF) and not turn.group:
        turn.say("staff")
    elif turn.person.may(Role.COMMITTEE) and not turn.group:
        turn.say("committee")
    else:
        turn.say("resident")
