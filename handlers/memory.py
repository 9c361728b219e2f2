"""「上次谁修的？花了多少？」: what was done before for this household, or before a ticket for staff."""

from __future__ import annotations

import re

from bot.dialog.meant import About, by_ref
from bot.dialog.skill import Skill
from bot.dialog.turn import Turn
from bot.domain import costs, dispatch, memory, work
from bot.domain.people import Role
from bot.domain.tickets import Ticket
from bot.unit_of_work import Refusal

skill = Skill(__name__)

_BEFORE = re.compile(r"上一?次|上回|上一回|前一?次|前一?回|之前|以前|最近一次")
#: What the question is made of; what is left names the thing.
_QUESTION = re.compile(
    r"上一?次|上回|上一回|前一?次|前一?回|之前|以前|最近一次|(?:是|都|又)?(?:谁|哪位|哪个|哪一位|什么人)(?:师傅)?"
    r"|(?:一共|总共)?(?:花|收|用|付)(?:了|的|过)?(?:我们?家?)?多少钱?|多少钱|什么时候|哪天|几号|换了?什么|怎么(?:修|弄)"
    r"|师傅|来(?:的|修)|[修弄做换装通](?:的|了|过|好)?|[#＃]?\d+\s*号?|我们?家?|咱们?家?|家里?|那个|这个"
    r"|请问|你好|帮我|查一?下|看一?下|还记得|记得|[的了吗呢啊呀吧是]|[，,。.？?！!\s]"
)


@skill.on("last", About, by=Role.RESIDENT, question=True)
async def last(turn: Turn, form: About) -> None:
    """Who did it, when, what was done, what it cost; money and doors in private only."""
    if turn.group:
        turn.say("memory.in_group")
        return
    text = turn.item.text
    words = _QUESTION.sub("", text)
    if form.ref is not None:
        ticket = await by_ref(turn, form.ref)
        found = await memory.before(turn, ticket) if _BEFORE.search(text) else ticket
        if found is None or found.assignee_id is None or found.state not in memory.DONE:
            raise Refusal("memory.nothing_of", ticket=ticket)
    else:
        found = await memory.of_household(turn, turn.person, form.category, words)
        if found is None:
            raise Refusal("memory.nothing_such" if words else "memory.nothing", words=words)
    turn.talk_about(found.ref)
    await _tell(turn, found)


async def _tell(turn: Turn, ticket: Ticket) -> None:
    worker = await work.assignee(turn, ticket)
    done, bill = await memory.what(turn, ticket), await costs.seen(turn, ticket, turn.person, free=True)
    turn.say(
        "memory.was",
        ticket=ticket,
        who=dispatch.called(worker) if worker else "",
        at=ticket.closed or ticket.since,
        done=f"：{done}" if done else "",
        bill=bill or turn.render("memory.no_bill").text,
        rated=_rated(turn, ticket),
    )


def _rated(turn: Turn, ticket: Ticket) -> str:
    """The points, for who gave them and for leads; a worker does not hear them from us."""
    works = turn.person.may(Role.STAFF) and not turn.person.may(Role.LEAD)
    if ticket.rating is None or works:
        return ""
    return turn.render("memory.rated", ticket=ticket).text
