"""Complaints and suggestions: heard in private, answered by name, never shown to who is complained about."""

from __future__ import annotations

import re
from typing import Any

from bot.dialog.form import Context, needed
from bot.dialog.meant import About, by_ref
from bot.dialog.skill import Skill
from bot.dialog.turn import Turn
from bot.domain import complaints, dispatch, people, tickets
from bot.domain.people import Person, Role
from bot.domain.places import Place
from bot.unit_of_work import Refusal

skill = Skill(__name__)

_OF_NEIGHBOURS = frozenset({"noise", "neighbour"})  # where it matters which flat
_SERVICE = re.compile(r"师傅|班长|经理|主任|保安|保洁|物业|客服|管家|居委|业委|态度|服务|员工|你们")
_TITLE = re.compile(r"([一-龥]?)(师傅|班长|队长|经理|主任)")
_COMMAND = re.compile(r"^.{0,12}?(?:回复|答复|回话)[:：，,\s]*", re.DOTALL)
_BARE = re.compile(r"[我们要想\s]*投诉[一下个\s。！!]*")
_OFFICES = {"班长": Role.LEAD, "经理": Role.ADMIN, "主任": Role.COMMITTEE}


def category_of(said: Any, text: str) -> str:
    """What was said; a complaint in so many words is about the service, or it is left open."""
    return str(said or ("staff" if _SERVICE.search(text) else "other"))


def place_of(said: Any, context: Context) -> dict[str, Any] | None:
    """The place of the trouble; asked for where it is a neighbour's."""
    if said or category_of(context.slots.get("category"), context.text) not in _OF_NEIGHBOURS:
        return dict(said or {})
    return None


class Complaint(About):
    location: dict[str, Any] | None = needed(known=place_of)
    phone: str = ""
    plate: str | None = None


@skill.on("file", Complaint, by=Role.RESIDENT, kept=True)
async def file(turn: Turn, form: Complaint) -> None:
    words = turn.item.text.strip()
    if _BARE.fullmatch(words):
        turn.say("what")
        return
    category = category_of(form.category, words)
    found = await _about(turn, form, words)
    if len(found) > 1:
        _ask_which(turn, words, found)
        return
    ticket = await complaints.file(
        turn,
        turn.person,
        category=category,
        brief=turn.words(f"what_{category}"),
        words=words[:2000],
        where=Place.read(form.location),
        about=found[0][1] if found else None,
        phone=form.phone,
        pictures=turn.pictures(),
    )
    turn.state.photos = []
    who = dispatch.names(await dispatch.answering(turn, ticket, 0))
    if turn.group:
        turn.say("in_group")
        turn.notify([turn.person], "complaint.filed", confided=True, ticket=ticket, who=who)
        return
    turn.talk_about(ticket.ref)
    turn.say("done", ticket=ticket, who=who)


async def _about(turn: Turn, form: Complaint, words: str) -> list[tuple[str, Person]]:
    """Who of the house is complained about, with the words that name them; several where it is unclear."""
    if form.ref is not None:
        ticket = await tickets.get(turn.db, turn.community.id, form.ref)
        if ticket is not None and ticket.assignee_id and ticket.kind != tickets.COMPLAINT:
            return [("", await people.get(turn.db, ticket.assignee_id))]
    house = [
        *await people.holders(turn.db, turn.community.id, Role.STAFF, Role.LEAD),
        *await people.holders(turn.db, turn.community.id, Role.ADMIN, Role.COMMITTEE),
    ]
    named = [(one.name, one) for one in house if len(one.name) > 1 and one.name in words]
    if named:
        return named[:1]
    for surname, title in _TITLE.findall(words):
        fit = [one for one in house if surname and surname in one.name]
        if not fit and title in _OFFICES:
            fit = [one for one in house if _OFFICES[title] in one.roles]
        if fit:
            return [(f"{surname}{title}" if surname in fit[0].name else title, one) for one in fit]
    return []


def _ask_which(turn: Turn, words: str, found: list[tuple[str, Person]]) -> None:
    name = found[0][0]
    persons = [one for _, one in found[:9]]
    offers = [[one.name, "投诉：" + words.removeprefix("投诉").replace(name, one.name)] for one in persons]
    turn.say("which", name=name, lines="\n".join(f"{i} {one.name}" for i, one in enumerate(persons, 1)))
    turn.state.offers = offers


@skill.on("reply", About, by=Role.RESIDENT)
async def reply(turn: Turn, form: About) -> None:
    """「12 回复：……」 by who answers for it."""
    ticket = await by_ref(turn, form.ref or 0)
    words = _COMMAND.sub("", turn.item.text, count=1).strip()
    if not words:
        raise Refusal("complaint.reply.words", ticket=ticket)
    ticket = await complaints.reply(turn, ticket, turn.person, words[:1000])
    turn.talk_about(ticket.ref)
    turn.say("done", ticket=ticket)


@skill.on("courtesy", About, by=Role.RESIDENT)
async def courtesy(turn: Turn, form: About) -> None:
    """「12 提醒」: the household there is asked for consideration."""
    ticket = await by_ref(turn, form.ref or 0)
    count = await complaints.courtesy(turn, ticket, turn.person)
    turn.say("done", count=count)
