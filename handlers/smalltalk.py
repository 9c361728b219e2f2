"""A greeting, thanks, a good-bye: a short answer, never a form."""

from __future__ import annotations

from bot.dialog.form import Nothing
from bot.dialog.skill import Skill
from bot.dialog.turn import Turn
from bot.domain.people import Role

skill = Skill(__name__)

THANKS = ("谢", "感谢", "多谢", "辛苦", "唔该", "太好了", "棒", "赞")
GOODBYE = ("再见", "拜拜", "晚安", "回见")


@skill.on("smalltalk", Nothing, by=Role.STRANGER, question=True)
async def smalltalk(turn: Turn, _: Nothing) -> None:
    text = turn.incoming.text
    if any(word in text for word in GOODBYE):
        turn.say("goodbye")
    elif any(word in text for word in THANKS):
        turn.say("welcome")
    else:
        turn.say("hello" if turn.person.bound else "hello_stranger", community=turn.community)
