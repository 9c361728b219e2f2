"""「转人工」: a human gets the conversation, and the bot stays out until it is handed back."""

from __future__ import annotations

import re

from bot import conversation
from bot.conversation import State
from bot.dialog.form import Nothing
from bot.dialog.skill import Skill
from bot.dialog.turn import Turn
from bot.domain import dispatch, people
from bot.domain.people import Role
from nlp.meaning import Meaning

skill = Skill(__name__)

SHORT = 12  # characters: a command without a number is short, what is said to a person is not
_REPORTS = re.compile(r"报个?修|报一个|登记一个")


@skill.on("handoff", Nothing, by=Role.STRANGER)
async def handoff(turn: Turn, _: Nothing) -> None:
    """The lead on duty, else staff, else the committee; whoever answers first has the conversation."""
    helpers = [one for one in await dispatch.helpers(turn) if one.id != turn.person.id]
    if not helpers:
        turn.say("nobody")
        return
    helper = helpers[0]
    if turn.group:
        turn.say("in_private")
        return
    turn.state.human = helper.id
    turn.state.form, turn.state.waiting, turn.state.offers = None, [], []
    words = "\n".join(dict.fromkeys([*turn.state.missed, turn.incoming.text[:200]]))
    turn.state.missed = []
    await take(turn, helper.id)
    turn.notify([helper], "human.new", who=turn.person.called, home=home(turn), words=words)
    turn.say("done", who=dispatch.called(helper))


def home(turn: Turn) -> str:
    return turn.person.home.line if turn.person.home else "未登记住址"


async def take(turn: Turn, helper_id: int) -> None:
    """The helper's private chat belongs to this conversation from now on."""
    where = (await people.route(turn.db, [helper_id])).get(helper_id)
    if where is None:
        return
    key = (where.channel, where.chat, where.chat)
    state, before = await conversation.open_state(turn.db, key, turn.now)
    state.talking_to = list(turn.incoming.conversation)
    await conversation.keep_state(turn.db, key, state, before)


@skill.listens
async def relay(turn: Turn, meaning: Meaning) -> bool:
    """Words between the resident and the human, while the bot stays out."""
    if turn.group:
        return False
    if turn.state.talking_to is not None and turn.person.bound:
        return await _from_helper(turn, meaning)
    if turn.state.human is None:
        return False
    helper = await people.get(turn.db, turn.state.human)
    if meaning.sure and meaning.intent == "human.handoff":
        turn.say("human.already", who=dispatch.called(helper))
        return True
    words = turn.incoming.text or "[图片]"
    turn.notify([helper], "human.says", who=turn.person.called, words=words, photos=turn.incoming.photos)
    return True


async def _from_helper(turn: Turn, meaning: Meaning) -> bool:
    assert turn.state.talking_to is not None
    channel, chat, sender = turn.state.talking_to
    if meaning.sure and meaning.intent == "human.back":
        state, before = await other(turn, (channel, chat, sender))
        state.human = None
        await conversation.keep_state(turn.db, (channel, chat, sender), state, before)
        turn.state.talking_to = None
        await turn.write_to(channel, chat, "human.ended")
        turn.say("human.back.done")
        return True
    if commanded(meaning, turn.incoming.text):
        return False
    words = turn.incoming.text or "[图片]"
    await turn.write_to(channel, chat, "human.answers", who=dispatch.called(turn.person), words=words)
    return True


def commanded(meaning: Meaning, text: str) -> bool:
    """Whether a helper's words are for us: a command by its number, or a request in so many words."""
    item = meaning.items[0]
    if not meaning.sure:
        return False
    if item.intent in ("ticket.list", "help", "profile.approve", "profile.refuse"):
        return len(text) <= SHORT
    return (item.intent.startswith("ticket.") and "ref" in item.slots) or (
        item.intent == "repair.report" and bool(_REPORTS.search(text))
    )


async def other(turn: Turn, key: conversation.Key) -> tuple[State, str]:
    return await conversation.open_state(turn.db, key, turn.now)


@skill.on("back", Nothing, by=Role.STRANGER)
async def back(turn: Turn, _: Nothing) -> None:
    """Handing back what nobody has."""
    turn.say("nothing")
