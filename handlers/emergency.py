"""Danger: what to do and whom to call, in the first reply; then everybody on duty, until one answers."""

from __future__ import annotations

import re
from typing import Any

from bot.dialog import follow_up
from bot.dialog.form import Form
from bot.dialog.skill import Skill
from bot.dialog.turn import Turn
from bot.domain import dispatch, emergencies, orders, places, tickets, work
from bot.domain.people import Role
from bot.domain.places import Place
from bot.domain.tickets import EMERGENCY, State, Ticket
from bot.inbox import milliseconds
from nlp.meaning import Meaning

skill = Skill(__name__)

STILL = 30 * 60 * 1000  # ms: how long words may belong to the danger that was reported here
ACKNOWLEDGES = frozenset({"dialog.affirm", "ticket.accept", "ticket.progress"})
#: From somebody who waits for help these are about the danger, whatever else they could be about.
WAITING = frozenset(
    {"none", "inform", "ticket.urge", "ticket.amend", "ticket.reopen", "profile.bind", "dialog.affirm"}
    | {"smalltalk"}
)
#: What ends a danger of a kind, by the word of who was in it.
_OVER = {
    "fire": r"(?<!灯)(?<!灯都)(?<!全)灭了|灭掉了|滅了|滅咗|熄咗",
    "gas": r"没有?味|关好了|關好|修好了",
    "elevator": r"出来了|出來|救出|出嚟",
    "medical": r"醒了|醒过来|缓过来|送医院|好多了",
    "crime": r"抓住|抓到|人?走了|赶跑|跑了",
    "flood": r"关[上掉好住]了|不漏了|止住|停了|關咗",
    "missing": r"找到|找着|回来了|回家了|返嚟|搵到",
    "danger": r"出来了|救下来|下来了|拔出来|清走了",
}
_OVER_ANYHOW = re.compile(r"没事[了啦]|人没事|都没事|安全了|得救|解除|虚惊|误报|冇事|沒事")
_NOT_OVER = re.compile(
    r"[没沒未不](?:有|能|法)?(?:出来|灭|关|醒|找到|抓)|还在|還在|[?？]|[吗嗎]\s*$|快点|快點|怎么|怎麼"
)
_CORRECTS = re.compile(r"不是|[打写说报搞弄记]错|應該|应该是")
_WITNESS = re.compile(r"听[见到]|看[见到]|闻到|瞧见|里[头面边]|聽[見到]|看[見到]|裏[頭面]|裡[頭面]")
_SIGNS = {
    "fire": "烟煙火糊焦",
    "gas": "味气氣",
    "elevator": "拍敲喊叫铃鈴门門困",
    "medical": "喊叫倒血",
    "crime": "打喊吵刀跑",
    "flood": "水",
    "missing": "孩老穿哭走",
    "danger": "掉喊人",
}


class Report(Form):
    kind: str = ""
    location: dict[str, Any] | None = None
    phone: str = ""


def where(turn: Turn, said: Place, kind: str) -> Place:
    """As said; else, in the person's own words about no other place, the person's home."""
    if said.building or turn.person.home is None:
        return said
    category = "elevator" if kind == "elevator" else ""
    return places.complete(said, turn.person.home, category, turn.item.text) or said


@skill.on("report", Report, by=Role.STRANGER)
async def report(turn: Turn, form: Report) -> None:
    other = await _seen(turn, turn.item.text)
    kind = other.category if other else form.kind
    ticket, new = await emergencies.danger(
        turn,
        turn.person,
        kind=kind,
        brief=turn.item.brief or turn.words(f"brief_{kind or 'danger'}"),
        words=turn.item.text + (orders.to_call(turn.incoming.order) if turn.incoming.order else ""),
        where=where(turn, Place.read(form.location), kind),
        phone=form.phone,
        pictures=turn.pictures(),
    )
    turn.state.photos = []
    turn.talk_about(ticket.ref)
    turn.say(f"do_{ticket.category}", numbers=turn.community.numbers)
    if not new:
        turn.say("joined", ticket=ticket)
    else:
        turn.say("done" if found(ticket.where) else "done_where", ticket=ticket)


def found(place: Place) -> bool:
    """Whether somebody can go there: 「楼顶」 alone is on every building."""
    return bool(place.building) or bool(
        place.place and not place.place.endswith(places.STAIRCASE + places.FLAT)
    )


@skill.listens
async def acknowledged(turn: Turn, meaning: Meaning) -> bool:
    """「收到」 from staff, while an alert is unanswered, is the answer to it."""
    item = meaning.items[0]
    if not turn.person.may(Role.STAFF) or turn.state.form is not None:
        return False
    text = turn.incoming.text.strip()
    said_so = text.startswith(("收到", "马上", "我去", "来了", "这就"))
    if not turn.group:  # in a group only what can mean nothing else
        said_so = said_so or text.startswith(("知道", "已")) or (meaning.sure and item.intent in ACKNOWLEDGES)
    if not said_so:
        return False
    unanswered = await _alarms(turn, State.OPEN)
    ref = item.slots.get("ref")
    mine = [ticket for ticket in unanswered if ref is None or ticket.ref == ref]
    if not mine:
        return False
    ticket = await work.accept(turn, mine[0], turn.person, text[:200])
    turn.talk_about(ticket.ref)
    turn.say("emergency.report.acknowledged", ticket=ticket)
    return True


@skill.listens
async def goes_on(turn: Turn, meaning: Meaning) -> bool:
    """Whoever reported danger and still waits is heard by those who come: never a form, never a question."""
    text = turn.incoming.text
    ticket = next((one for one in await follow_up.filed(turn) if one.kind == EMERGENCY), None)
    if ticket is None or not text:
        return False
    if over(ticket, text) or (
        meaning.sure and meaning.intent == "ticket.confirm" and "ref" not in meaning.items[0].slots
    ):
        ticket = await work.confirm(turn, ticket, turn.person, text[:200])
        turn.say("emergency.report.over", ticket=ticket)
        return True
    waited = milliseconds(turn.now) - turn.state.recent_ms
    if waited > STILL or turn.state.form is not None or (meaning.sure and meaning.intent not in WAITING):
        return False
    if turn.group and not (turn.incoming.addressed or follow_up.about(text, ticket)):
        return False
    await _say_more(turn, ticket, meaning, text)
    return True


def over(ticket: Ticket, text: str) -> bool:
    """Whether the words say that the danger has passed; a doubt is not enough."""
    if _NOT_OVER.search(text):
        return False
    return bool(_OVER_ANYHOW.search(text) or re.search(_OVER[ticket.category], text))


async def _say_more(turn: Turn, ticket: Ticket, meaning: Meaning, text: str) -> None:
    said = Place.read(meaning.items[0].slots.get("location"))
    if said and (not found(ticket.where) or _CORRECTS.search(text)):
        said = ticket.where.corrected(said)
        flat = await work.find_flat(turn, said)
        ticket = await tickets.amend(
            turn.db, ticket, turn.person, now=turn.now, where=said, home_id=flat.id if flat else None
        )
    await emergencies.join_danger(turn, ticket, turn.person, text[:500], turn.pictures())
    turn.talk_about(ticket.ref)
    worker = await work.assignee(turn, ticket)
    if worker is None:
        turn.say("emergency.report.passed", ticket=ticket)
    else:
        turn.say("emergency.report.passed_on", ticket=ticket, who=dispatch.called(worker))


@skill.listens
async def witnessed(turn: Turn, meaning: Meaning) -> bool:
    """「我在9楼，听见里头有人拍门」 in a group: somebody else sees the danger that was just reported."""
    text = turn.incoming.text
    ticket = await _seen(turn, text) if turn.group and not meaning.sure else None
    if ticket is None:
        return False
    await emergencies.join_danger(turn, ticket, turn.person, text[:500], turn.pictures())
    turn.talk_about(ticket.ref)
    turn.say("emergency.report.joined", ticket=ticket)
    return True


async def _seen(turn: Turn, text: str) -> Ticket | None:
    """The danger reported just now in this staircase, of which the words bear witness."""
    if not _WITNESS.search(text):
        return None
    for ticket in await _alarms(turn, State.OPEN, State.ACCEPTED, State.IN_PROGRESS):
        fresh = milliseconds(turn.now) - milliseconds(ticket.made) < STILL
        if fresh and any(sign in text for sign in _SIGNS[ticket.category]) and _near(turn, ticket):
            return ticket
    return None


def _near(turn: Turn, ticket: Ticket) -> bool:
    home = turn.person.home
    return home is None or Place(building=home.building, unit=home.unit).near(ticket.where)


async def _alarms(turn: Turn, *states: State) -> list[Ticket]:
    """The emergencies in these states, newest first."""
    every = [one for state in states for one in await tickets.in_state(turn.db, turn.community.id, state)]
    return sorted((one for one in every if one.kind == EMERGENCY), key=lambda one: -one.ref)
