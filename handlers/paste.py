"""A copy of an ordinary group's talk, sent in private: heard as we would have heard it there.

No bot may be in an ordinary WeChat group, so somebody who is copies it to us. What it asks for is listed, and
filed for whoever copied it after a yes; danger in it is danger at once.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, timedelta
from typing import Any

from bot.dialog import commands
from bot.dialog.open_form import Open
from bot.dialog.rehearsal import Filed, Outcome, Spoken, rehearse
from bot.dialog.selection import MARKS, about, dropped
from bot.dialog.skill import Ear, Skill
from bot.dialog.turn import Turn
from bot.domain import applications, audit, communities, emergencies, incidents, people, tickets, work
from bot.domain.people import Grant, Home, Person, Role
from bot.domain.places import Place
from bot.domain.sameness import Same
from bot.domain.tickets import EMERGENCY, REPAIR, State, Ticket
from bot.domain.times import Window
from bot.inbox import milliseconds
from bot.messages import Lane
from nlp import excerpt
from nlp.excerpt import Excerpt, Line
from nlp.meaning import Item, Meaning
from nlp.understanding import Understanding

skill = Skill(__name__)

LONGEST = 8000  # characters of a copy
MOST = len(MARKS)  # requests of one copy: more would not be read on a phone
PENDING_FOR = 24 * 3600 * 1000  # ms: how long a list waits for its yes
KNOWN_FOR = timedelta(days=7)  # the same words of the same person, copied again
STALE = timedelta(days=1)  # danger that was said longer ago is told of, and nobody is alarmed
LONGEST_WORDS = 500  # characters of what somebody said

ALL, NONE = "全部登记", "这段不登记"
_YES = re.compile(r"(?:全部?|都)?登记[吧了]?|是的?|好的?|对的?|确认|可以|行|要|没问题")
_NO = re.compile(r"算了|(?:都|全都?)?不用?(?:登记|要)?了?|取消")
_LONG_NUMBER = re.compile(r"\d{3,}")


@dataclass(frozen=True, slots=True)
class Found:
    """What somebody asked for in a group, for a row. `words` is all that was said, `first` the begin."""

    nick: str
    called: str
    first: str
    words: str
    category: str
    brief: str
    where: dict[str, str]
    urgency: str
    wanted: dict[str, Any] | None
    phone: str
    said_ms: int | None

    @property
    def line(self) -> str:
        """The matter and the place, as a ticket has them."""
        where = Place.read(self.where)
        return f"{self.brief}，{where.line}" if where else self.brief


@skill.reads
async def paste(turn: Turn, ear: Ear, mind: Understanding) -> bool:
    """A copy is read; a word about the list that waits is taken."""
    if await _answered(turn, mind):
        return True
    read = excerpt.read(turn.incoming.text, work.local(turn))
    if read is None:
        return False
    turn.traditional = turn.person.traditional  # the script is that of others
    heard = [line for line in read.lines if line.text and not line.chain]
    spoken = [await _spoken(turn, line) for line in heard]
    outcome = await rehearse(turn, ear, mind, spoken)
    alarmed = await _danger(turn, heard, spoken, outcome)
    if turn.state.human is not None or turn.state.talking_to is not None:
        return alarmed  # a human has this conversation; what is no danger goes there as it is
    turn.state.missed, turn.state.pasted = [], None
    if len(turn.incoming.text) > LONGEST:
        turn.say("paste.too_long", longest=LONGEST)
        return True
    await _list(turn, read, heard, outcome)
    return True


# ------------------------------------------------------------------------------ who said it


async def _spoken(turn: Turn, line: Line) -> Spoken:
    """A line, said by a resident who lives where the name says; the copier answers for it."""
    told = line.home
    building, unit, room = told.building or "", told.unit or "", told.room or ""
    homes: tuple[Home, ...] = ()
    if building and not turn.community.impossible(building, unit, room):
        known = await people.find_home(turn.db, turn.community.id, building, unit, room) if room else None
        homes = (known or Home(0, building, unit, room),)
    who = Person(turn.person.id, turn.community.id, line.nick, grants=(Grant(Role.RESIDENT),), homes=homes)
    at = line.at.replace(tzinfo=turn.community.zone).astimezone(UTC) if line.at else turn.now
    return Spoken(who, line.text, min(at, turn.now))


def _called(turn: Turn, line: Line) -> str:
    """How a group may be told of somebody: without door and telephone."""
    name = _LONG_NUMBER.sub("", line.name).strip()
    if name:
        return name
    if line.home.building:
        return turn.render("paste.neighbour", building=line.home.building).text
    return turn.render("paste.somebody").text


def _nick(turn: Turn, line: Line) -> str:
    return line.nick or turn.render("paste.somebody").text


def _words(turn: Turn, nick: str, words: str) -> str:
    """A ticket's words: who said what."""
    return turn.render("paste.words", nick=nick, words=words[:LONGEST_WORDS]).text


# ----------------------------------------------------------------------------------- danger


async def _danger(turn: Turn, heard: Sequence[Line], spoken: Sequence[Spoken], outcome: Outcome) -> bool:
    """What burns now alarms those on duty, and who copied it is told what to do; whether there was any."""
    rehearsed = {one.ticket.ref: one.ticket for one in outcome.filed}
    real: dict[int, Ticket | None] = {}  # None: nothing burns any more
    for number, ref in outcome.danger:
        line, emergency = heard[number], rehearsed.get(ref)
        nick, words = _nick(turn, line), _words(turn, _nick(turn, line), line.text)
        if ref in real:
            ticket = real[ref]
            if ticket is not None and not await _told(turn, ticket, words):
                await emergencies.join_danger(turn, ticket, turn.person, words)
        elif emergency is not None and not emergency.open:
            real[ref] = None
            turn.say("paste.danger_over", nick=nick, brief=emergency.brief)
        elif turn.now - spoken[number].at > STALE:
            real[ref] = None
            turn.say("paste.danger_old", nick=nick, at=spoken[number].at, words=line.text[:60])
        else:
            real[ref] = await _alarm(turn, line, words, ref, emergency)
    burning = [ticket for ticket in real.values() if ticket is not None]
    if burning:
        turn.lane = Lane.DANGER
        turn.talk_about(*(ticket.ref for ticket in burning))
    return bool(outcome.danger)


async def _alarm(turn: Turn, line: Line, words: str, ref: int, emergency: Ticket | None) -> Ticket | None:
    """As `emergency.report` does it; None when it was reported and is over.

    `emergency` is what was rehearsed, None where somebody had reported it before.
    """
    known = await _reported(turn, line, words) if emergency else None
    if known is not None and not known.open:
        turn.say("paste.known", called=_called(turn, line), ticket=known)
        return None
    if emergency is None or known is not None:
        found, new = known or await tickets.get(turn.db, turn.community.id, ref), False
        assert found is not None, f"emergency {ref} vanished"
        if not await _told(turn, found, words):
            await emergencies.join_danger(turn, found, turn.person, words)
    else:
        found, new = await emergencies.danger(
            turn,
            turn.person,
            kind=emergency.category,
            brief=emergency.brief,
            words=words,
            where=emergency.where,
            phone=emergency.phone,
        )
    key = f"emergency.report.do_{found.category}"
    turn.say("paste.danger", nick=_nick(turn, line), words=line.text[:60])
    turn.say(key, numbers=turn.community.numbers)
    if not new:
        turn.say("emergency.report.joined", ticket=found)
    else:
        turn.say("emergency.report.done" if found.where.building else "paste.danger_where", ticket=found)
    turn.notify(
        [turn.person],
        "paste.back_danger",
        lane=Lane.DANGER,
        called=_called(turn, line),
        what=turn.render(key, numbers=turn.community.numbers).text,
        ticket=_for_group(found),
    )
    return found


async def _reported(turn: Turn, line: Line, words: str) -> Ticket | None:
    """The emergency that these words were heard of before, when they were copied another time."""
    said = line.at.replace(tzinfo=turn.community.zone) if line.at else None
    for ticket in await tickets.since(turn.db, turn.community.id, turn.now - KNOWN_FOR):
        again = said is not None and said > ticket.made
        if ticket.kind == EMERGENCY and not again and await _told(turn, ticket, words):
            return ticket
    return None


async def _told(turn: Turn, ticket: Ticket, words: str) -> bool:
    """Whether those on duty have heard these words of this emergency."""
    story = await audit.story(turn.db, "ticket", ticket.id)
    return ticket.words == words or any(one["note"] == words for one in story)


# --------------------------------------------------------------------------------- the list


async def _list(turn: Turn, read: Excerpt, heard: Sequence[Line], outcome: Outcome) -> None:
    """Say what would be filed, and what was before; ask for a yes."""
    found = [_found(turn, heard[one.line], one) for one in outcome.filed if _repair(one)]
    fresh, known = await _apart(turn, found)
    chain = any(line.chain for line in read.lines)
    if read.form == "chain":
        turn.say("paste.only_chain")
        return
    if fresh and not turn.person.may(Role.RESIDENT):
        await _bind(turn)
        return
    if fresh:
        _ask(turn, fresh, len(read.lines), known, chain)
        return
    for one, ticket in known:
        turn.say("paste.known", called=one.called, ticket=ticket)
    if known:
        turn.say("paste.told_known")
        _back(turn, [], known)
    elif not outcome.danger:
        turn.say("paste.nothing", count=len(read.lines))
    if chain:
        turn.say("paste.chain")


def _repair(one: Filed) -> bool:
    return one.ticket.kind == REPAIR and one.ticket.open


def _found(turn: Turn, line: Line, one: Filed) -> Found:
    ticket = one.ticket
    said = line.at.replace(tzinfo=turn.community.zone) if line.at else None
    return Found(
        nick=_nick(turn, line),
        called=_called(turn, line),
        first=one.words[:LONGEST_WORDS],
        words=ticket.words[:LONGEST_WORDS],
        category=ticket.category,
        brief=ticket.brief,
        where=ticket.where.write(),
        urgency=ticket.urgency,
        wanted=json.loads(ticket.wanted) if ticket.wanted else None,
        phone=ticket.phone,
        said_ms=milliseconds(said) if said else None,
    )


async def _apart(turn: Turn, found: Iterable[Found]) -> tuple[list[Found], list[tuple[Found, Ticket]]]:
    """What is new, each once; and what was filed of the same talk before, with its ticket."""
    recent = await tickets.since(turn.db, turn.community.id, turn.now - KNOWN_FOR)
    fresh: dict[tuple[str, str], Found] = {}
    known = []
    for one in found:
        ticket = next((ticket for ticket in recent if _same(turn, ticket, one)), None)
        if ticket is not None:
            known.append((one, ticket))
        else:
            fresh.setdefault((one.nick, one.first), one)
    return list(fresh.values()), known


def _same(turn: Turn, ticket: Ticket, one: Found) -> bool:
    """Whether a ticket was made of these words: what was said after it was made is said anew."""
    if ticket.state is State.CANCELLED or (one.said_ms and one.said_ms > milliseconds(ticket.made)):
        return False
    rows, new = ticket.words.split("\n"), _words(turn, one.nick, one.first).split("\n")
    return all(old == other for old, other in zip(rows, new, strict=False))


async def _bind(turn: Turn) -> None:
    """A stranger may file nothing yet: the usual way in."""
    waiting = await applications.of(turn.db, turn.person)
    if waiting is not None:
        turn.say("profile.bind.waits", application=waiting)
        return
    turn.say("paste.bind_first")
    turn.then(Item("profile.bind", 1.0))


def _ask(
    turn: Turn,
    found: Sequence[Found],
    count: int,
    known: Sequence[tuple[Found, Ticket]] = (),
    chain: bool = False,
) -> None:
    """The list, each with its mark, and what can be said to it; kept for the answer."""
    kept = found[:MOST]
    turn.state.pasted = {
        "at_ms": milliseconds(turn.now),
        "count": count,
        "found": [asdict(one) for one in kept],
    }
    lines = [
        turn.render("paste.line", mark=MARKS[n], called=one.called, ticket=one, extra=_extra(turn, one)).text
        for n, one in enumerate(kept)
    ]
    lacking = next((n for n, one in enumerate(kept) if not one.where), None)
    hints = [turn.render("paste.hint_drop").text] if len(kept) > 1 else []
    if lacking is not None:
        hints.append(turn.render("paste.hint_place", mark=lacking + 1).text)
    if len(found) > MOST:
        hints.append(turn.render("paste.more", most=MOST).text)
    hints += [turn.render("paste.known", called=one.called, ticket=ticket).text for one, ticket in known]
    if chain:
        hints.append(turn.render("paste.chain").text)
    turn.say("paste.list", count=count, found=len(kept), lines="\n".join(lines), hints="\n".join(hints))


def _extra(turn: Turn, one: Found) -> str:
    """What else is known of it, or isn't."""
    window = Window.of(one.wanted) if one.wanted else None
    return "".join(
        turn.render(f"paste.{name}", **values).text
        for name, said, values in (
            ("lacking", not one.where, {}),
            ("urgent", one.urgency == "urgent", {}),
            ("wanted", window, {"wanted": window.say(work.local(turn)) if window else ""}),
        )
        if said
    )


# ------------------------------------------------------------------------------- the answer


def _pending(turn: Turn) -> list[Found]:
    row = turn.state.pasted
    if row is None or milliseconds(turn.now) - row["at_ms"] > PENDING_FOR:
        return []
    return [Found(**one) for one in row["found"]]


async def _answered(turn: Turn, mind: Understanding) -> bool:
    """Whether the words are about the list that waits. Short ones only where it was the last thing asked."""
    offers = turn.state.offers
    asked = bool(offers) and offers[0][1] == ALL
    text = (commands.picked(turn.incoming.text, offers) if asked else None) or turn.incoming.text.strip()
    found = _pending(turn)
    if text in (ALL, NONE) and not found:
        turn.state.pasted = None
        turn.say("paste.none_waits")
        return True
    if not found:
        return False
    if text == ALL or (asked and _YES.fullmatch(text)):
        await _file(turn, found)
        return True
    if text == NONE or (asked and _NO.fullmatch(text)):
        turn.say("paste.dropped")
        _leave(turn)
        return True
    changed = _without(text, found) if asked else None
    if changed is None and asked:
        changed = _placed(turn, mind, text, found)
    if changed is None:
        return False
    if changed:
        assert turn.state.pasted is not None
        _ask(turn, changed, turn.state.pasted["count"])
    else:
        turn.say("paste.dropped")
        _leave(turn)
    return True


def _leave(turn: Turn) -> None:
    """Nothing waits any more; what was asked before the copy came is asked again."""
    turn.state.pasted, turn.state.offers = None, []
    if turn.state.form is not None:
        form = Open.read(turn.state.form)
        turn.say(f"{form.intent}.ask.{form.asking}", brief=form.brief)


def _without(text: str, found: Sequence[Found]) -> list[Found] | None:
    """What is left after 「不要2」; None when the words are not that."""
    out = dropped(text, len(found))
    return None if out is None else [one for n, one in enumerate(found) if n not in out]


def _placed(turn: Turn, mind: Understanding, text: str, found: Sequence[Found]) -> list[Found] | None:
    """The list with a place for what lacked one: 「2 在东门」; None when the words are not that."""
    meant = about(text, len(found))
    if meant is None or found[meant[0]].where:
        return None
    silent = Meaning((Item("none", 0.0),), False)
    if commands.read(text, turn.person.speaks_as, silent).sure:  # 「2 修好了」 is of a ticket
        return None
    number, words = meant
    said = mind.find("location", words, now=work.local(turn))
    where = Place.read(said[0]) if said else Place()
    if not where or turn.community.impossible(where.building, where.unit, where.room):
        return None
    return [*found[:number], replace(found[number], where=where.write()), *found[number + 1 :]]


# ------------------------------------------------------------------------------- the filing


async def _file(turn: Turn, found: Sequence[Found]) -> None:
    """File each for whoever copied it, with the words of who said it."""
    if not turn.person.may(Role.RESIDENT):
        await _bind(turn)
        return
    await communities.hold(turn.db, turn.community.id)  # of two who copied the same one comes second
    fresh, known = await _apart(turn, found)
    filed: list[tuple[Found, Ticket]] = []
    for one in fresh:
        ticket, new = await _report(turn, one)
        (filed if new else known).append((one, ticket))
    turn.talk_about(*(ticket.ref for _, ticket in filed))
    for one, ticket in known:
        turn.say("paste.known", called=one.called, ticket=ticket)
    if filed:
        lines = [
            turn.render("paste.filed_line", called=one.called, ticket=ticket).text for one, ticket in filed
        ]
        turn.say("paste.filed", count=len(filed), lines="\n".join(lines))
    else:
        turn.say("paste.told_known")
    _back(turn, filed, known)
    _leave(turn)


async def _report(turn: Turn, one: Found) -> tuple[Ticket, bool]:
    """The ticket of what somebody said, and whether it is new: others may have reported the same."""
    words = _words(turn, one.nick, one.words)
    where = Place.read(one.where)
    report = incidents.reported(turn.community, one.category, one.brief, one.words, where, turn.now)
    same, other = await incidents.find(turn, report)
    if same is Same.YES and other is not None:
        ticket, _ = await incidents.join(turn, other, turn.person, report, words)
        return ticket, False
    ticket = await work.report(
        turn,
        turn.person,
        category=one.category,
        brief=one.brief,
        words=words,
        where=incidents.filed_at(where, report),
        urgency=one.urgency,
        wanted=one.wanted,
        phone=one.phone,
        matter=report.key,
    )
    if report.key:
        await incidents.begin(turn, ticket, turn.person, ("", ""))
    return ticket, True


def _back(turn: Turn, filed: Sequence[tuple[Found, Ticket]], known: Sequence[tuple[Found, Ticket]]) -> None:
    """A message of its own, to be copied whole into the group."""
    lines = [
        turn.render(f"paste.{key}", called=one.called, ticket=_for_group(ticket)).text
        for key, pairs in (("back_line", filed), ("back_known", known))
        for one, ticket in pairs
    ]
    turn.notify([turn.person], "paste.back", lane=Lane.REPLY, lines="\n".join(lines))


def _for_group(ticket: Ticket) -> Ticket:
    """Without door and telephone, also where they stand in the words."""
    return replace(ticket.for_group(), brief=_LONG_NUMBER.sub("*", ticket.brief))
