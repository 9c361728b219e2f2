"""Which reports are one thing: merged, split and linked by staff, and 「不是这个」 of whoever was joined."""

from __future__ import annotations

import re
from dataclasses import replace

from bot.dialog.form import Form
from bot.dialog.meant import may_see
from bot.dialog.skill import Skill
from bot.dialog.turn import Turn
from bot.domain import incidents, joined, merging, tickets, work
from bot.domain.people import Role
from bot.domain.places import Place
from bot.domain.sameness import Report as Reported
from bot.domain.sameness import Same
from bot.domain.telling import tell_concerned
from bot.domain.tickets import State, Ticket
from bot.unit_of_work import Refusal
from nlp.matters import BUILDING
from nlp.meaning import Meaning

skill = Skill(__name__)

LISTED = 9  # households that a digit picks
TELLS_MORE = 10  # characters of 「#12 不是这个」 and the like: what is longer says what it is instead
WORDS = 16  # characters of what each of them said


class Two(Form):
    """Two tickets; `into` says that the second one stands for both."""

    ref: int | None = None
    other: int | None = None
    into: bool = False


class One(Form):
    """A ticket, and where one household is to be taken out of it, the person."""

    ref: int | None = None
    person: int | None = None


#: What else words about an outage are heard as: 「停水了吗」 asks about notices.
_ASKED = frozenset({"none", "notice.query", "inform", "smalltalk", "ticket.status", "ticket.confirm"})
_NOT_NOW = re.compile(r"明天|后天|下周|计划|通知说|恢复|来[水电网]了|好了|昨|前天|上次|上周")
_ASKS = re.compile(r"[吗么呢?？]")


@skill.listens
async def known(turn: Turn, meaning: Meaning) -> bool:
    """「怎么没水了」 where neighbours have reported it: how it stands, and a digit to hear of it, too."""
    text, home = turn.incoming.text, turn.person.home
    heard = not meaning.sure or (meaning.intent in _ASKED and "ref" not in meaning.items[0].slots)
    spoken_to = not turn.group or turn.incoming.addressed
    if not (heard and spoken_to and home) or turn.rehearsed or turn.state.form or _NOT_NOW.search(text):
        return False
    report = about_home(turn, text)
    same, ticket = await incidents.find(turn, report) if report.matter.spread == BUILDING else (Same.NO, None)
    if same is not Same.YES or ticket is None:
        return False
    turn.talk_about(ticket.ref)
    mine = any(one.id == turn.person.id for one in await tickets.concerned(turn.db, ticket))
    count = await joined.homes(turn.db, ticket)
    if ticket.state is State.AWAITS and mine and not _ASKS.search(text):  # it is not back, then
        ticket = await work.reopen(turn, ticket, turn.person, text[:200])
        turn.say("ticket.reopen.done", ticket=ticket)
        return True
    now = await incidents.standing(turn, ticket, turn.traditional)
    turn.say("incident.known_mine" if mine else "incident.known", ticket=ticket, count=count, now=now)
    return True


def about_home(turn: Turn, words: str) -> Reported:
    """What the words say of the building where the person lives."""
    home = turn.person.home
    where = Place(home.building, home.unit, "", home.room) if home else Place()
    return incidents.reported(turn.community, "other", "", words, where, turn.now, home)


@skill.on("too", One, by=Role.RESIDENT)
async def too(turn: Turn, form: One) -> None:
    """「#1 我家也是」: one household more, of the same building."""
    ticket = await tickets.get(turn.db, turn.community.id, form.ref or 0)
    report = about_home(turn, ticket.brief) if ticket else None
    fits = ticket and report and report.key and report.key == ticket.matter
    if ticket is None or report is None or not fits or not incidents.same(turn, report, ticket):
        raise Refusal("ticket.absent", ref=form.ref)
    report = replace(report, category=ticket.category, brief=ticket.brief)
    ticket, count = await incidents.join(turn, ticket, turn.person, report, turn.item.text)
    turn.talk_about(ticket.ref)
    now = await incidents.standing(turn, ticket, turn.traditional)
    turn.say("incident.joined", ticket=ticket, count=count, now=now)


async def exactly(turn: Turn, ref: int | None) -> Ticket:
    """The ticket with this number itself, not the one that stands for it."""
    ticket = await tickets.get(turn.db, turn.community.id, ref or 0)
    if ticket is None or not await may_see(turn, ticket):
        raise Refusal("ticket.absent", ref=ref)
    return ticket


@skill.on("merge", Two, by=Role.RESIDENT)
async def merge(turn: Turn, form: Two) -> None:
    """「合并 13 到 12」, 「13和12是一回事」: the older one stands for both where nothing else is said."""
    one, other = await _two(turn, form)
    if not form.into and one.ref < other.ref:
        one, other = other, one
    one, other = await merging.merge(turn, one, other, turn.person)
    turn.talk_about(other.ref)
    shown = other if turn.person.may(Role.STAFF) else other.for_group()
    turn.say("done", ticket=one, into=shown, count=await joined.homes(turn.db, other))


async def _two(turn: Turn, form: Two) -> tuple[Ticket, Ticket]:
    """Both tickets; a resident may say it of what is only theirs and in nobody's hands yet."""
    if turn.person.may(Role.STAFF):
        return await exactly(turn, form.ref), await exactly(turn, form.other)
    mine = await exactly(turn, form.ref)
    other = await tickets.get(turn.db, turn.community.id, form.other or 0)
    own = mine.reporter_id == turn.person.id and mine.state is State.OPEN
    if (
        not own
        or other is None
        or await joined.shared(turn.db, mine)
        or not incidents.alike(turn, mine, other)
    ):
        raise Refusal("dialog.refused", role=Role.STAFF.chinese)
    turn.state.offers = []
    return mine, other


@skill.on("link", Two, by=Role.STAFF)
async def link(turn: Turn, form: Two) -> None:
    """「关联 12 13」: they belong together, and each goes on by itself."""
    one, other = await exactly(turn, form.ref), await exactly(turn, form.other)
    new = await merging.link(turn, one, other, turn.person)
    turn.say("done" if new else "known", ticket=one, other=other)


@skill.on("split", One, by=Role.STAFF)
async def split(turn: Turn, form: One) -> None:
    """「拆开 13」: of what was merged; of what many report, the household that a digit picks."""
    ticket = await exactly(turn, form.ref)
    if form.person is not None:
        await take_out(turn, ticket, form.person)
        return
    others = [one for one in await joined.of(turn.db, ticket) if one.person_id != ticket.reporter_id]
    if ticket.into_id is None and others and not turn.group:
        lines = [
            turn.render("incident.split.line", n=n, where=one.line, words=one.words[:WORDS]).text
            for n, one in enumerate(others[:LISTED], 1)
        ]
        turn.say("which", ticket=ticket, lines="\n".join(lines))
        turn.state.offers = [[one.line, f"#{ticket.ref} 拆出 {one.person_id}"] for one in others[:LISTED]]
        return
    ticket = await merging.split(turn, ticket, turn.person)
    turn.talk_about(ticket.ref)
    turn.say("done", ticket=ticket)


@skill.on("apart", One, by=Role.RESIDENT)
async def apart(turn: Turn, form: One) -> None:
    """「不是这个」: what was joined is filed by itself."""
    await take_out(turn, await exactly(turn, form.ref), turn.person.id)


async def take_out(turn: Turn, ticket: Ticket, person_id: int) -> None:
    one = await joined.one(turn.db, ticket, person_id)
    if one is None:
        raise Refusal("incident.not_joined", ticket=ticket)
    if one.from_id is not None:  # it came with a ticket of its own
        own = await merging.split(turn, await tickets.by_id(turn.db, one.from_id), turn.person)
        turn.talk_about(own.ref)
        turn.say("incident.split.done", ticket=own)
        return
    said = turn.item.text if person_id == turn.person.id and len(turn.item.text) > TELLS_MORE else ""
    own = await incidents.apart(turn, ticket, one, turn.person, said)
    turn.state.offers = []
    turn.talk_about(own.ref)
    turn.say("incident.apart.done", ticket=own)
    if person_id != turn.person.id:
        await tell_concerned(turn, own, "incident.split_told", turn.person)
