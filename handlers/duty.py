"""Who is on duty, rosters in Chinese, and shifts that change hands."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from bot.dialog import commands
from bot.dialog.form import Form, Nothing
from bot.dialog.skill import Skill
from bot.dialog.turn import Turn
from bot.domain import audit, dispatch, people, roster, swaps
from bot.domain.people import Person, Role
from bot.domain.roster import Shift
from bot.domain.work import local
from bot.inbox import milliseconds
from bot.unit_of_work import Refusal
from nlp import roster as reader
from nlp.meaning import Item, Meaning

skill = Skill("duty")

OWN_AHEAD = timedelta(days=14)
_SWAP = re.compile(
    r"(?<!同意)(?<!不)换(?:个|一下|下)?班|调(?:个|一下|下)?班|替(?:我|班)|代(?:我|班)|顶(?:我|班)|跟我换|和我换"
)
_TAKES = re.compile(r"[替代顶]我|帮我[替代顶]")
_MINE = re.compile(r"我.{0,6}(?:值班|当班|的班|上班)|我的班")
_ASKS = re.compile(r"谁|哪|吗|几|什么|怎么|[?？]")


class When(Form):
    """The day asked about."""

    time: dict[str, Any] | None = None


class Which(Form):
    """The question that is answered."""

    ref: int | None = None


# ------------------------------------------------------------------------------ who


@skill.on("query", When, by=Role.RESIDENT, question=True)
async def query(turn: Turn, form: When) -> None:
    """「今天谁值班」; whoever works here may ask for the own shifts."""
    now = local(turn)
    own = turn.person.may(Role.STAFF) and bool(_MINE.search(turn.item.text))
    start, end = _window(form.time, now, own=own)
    zone = turn.community.zone
    shifts = await roster.shifts(
        turn.db, turn.community.id, start.replace(tzinfo=zone), end.replace(tzinfo=zone)
    )
    if own:
        mine = [one for one in shifts if one.person_id == turn.person.id and one.start]
        turn.say("mine" if mine else "mine_none", lines=lines_of(turn, mine, named=False))
        return
    when = _said(start, end, now)
    dated = [one for one in shifts if one.start]
    standing = sorted({one.name for one in shifts if not one.start})
    if dated:
        turn.say("who", when=when, lines=lines_of(turn, dated))
    elif standing:
        turn.say("standing", when=when, who="、".join(standing[:6]))
    else:
        number = turn.community.numbers.get("property", "")
        phone = turn.render("duty.query.phone", number=number).text if number else ""
        turn.say("none", when=when, phone=phone)


def _window(said: dict[str, Any] | None, now: datetime, *, own: bool) -> tuple[datetime, datetime]:
    """The stretch that is asked about, in local time."""
    if said is None:
        return now, (now + OWN_AHEAD if own else now + timedelta(minutes=1))
    start = datetime.fromisoformat(said["start"])
    end = datetime.fromisoformat(said["end"]) if said.get("end") else start + timedelta(minutes=1)
    if said.get("grain") == "day":  # a day's duty ends next morning
        start += timedelta(hours=reader.WHOLE[0])
    return start, end


def _said(start: datetime, end: datetime, now: datetime) -> str:
    if start <= now <= end:
        return "现在" if end - start <= timedelta(minutes=1) else "今天" if start.date() == now.date() else ""
    days = {0: "今天", 1: "明天", 2: "后天"}.get((start.date() - now.date()).days, "")
    return days or f"{start.month}月{start.day}日"


def lines_of(turn: Turn, shifts: Sequence[Shift], *, named: bool = True) -> str:
    """The shifts line by line; those with the same hours share a line."""
    spans: dict[tuple[datetime, datetime], list[str]] = {}
    for one in shifts:
        if one.start and one.end:
            spans.setdefault((one.start, one.end), []).append(one.name)
    return "\n".join(
        swaps.span(turn, *span) + (f" {'、'.join(names)}" if named else "")
        for span, names in sorted(spans.items())
    )


# ------------------------------------------------------------------------------ set


@skill.listens
async def roster_said(turn: Turn, _: Meaning) -> bool:
    """A roster, typed or pasted by whoever may set it: shown as understood, kept after a yes."""
    person = turn.person
    works = person.may(Role.STAFF) or person.may(Role.COMMITTEE)
    if not works or (turn.group and not turn.incoming.addressed):
        return False
    text = _words(turn)
    found = reader.read(text, local(turn))
    if found is None:
        return False
    staff = await people.holders(turn.db, turn.community.id, Role.STAFF, Role.LEAD)
    known = {one.name: _matching(staff, one.name) for one in found.entries}
    if not any(known.values()):
        return False
    turn.item = Item("duty.set", 1.0)
    if not (person.may(Role.LEAD) or person.may(Role.COMMITTEE)):
        raise Refusal("duty.set.only_lead")
    turn.state.form, turn.state.offers = None, []
    for name, persons in known.items():
        if len(persons) > 1:
            _ask_which(turn, text, name, persons)
            return True
    await _preview(turn, found, {name: persons[0] for name, persons in known.items() if persons})
    return True


def _matching(staff: Iterable[Person], name: str) -> list[Person]:
    """Who can be meant by a name: 张师傅 is 老张, and 张伟."""
    plain = re.sub(r"(?:师傅|班长|队长|主任|经理|工)$", "", name) or name
    exact = [one for one in staff if one.name in {name, plain}]
    return exact or [one for one in staff if plain in one.name or one.name in name]


def _words(turn: Turn) -> str:
    """What was written, or what its digit stands for."""
    return commands.picked(turn.incoming.text, turn.state.offers) or turn.incoming.text


def _ask_which(turn: Turn, text: str, name: str, persons: Sequence[Person]) -> None:
    turn.state.offers = [[one.name, text.replace(name, one.name)] for one in persons[:9]]
    lines = "\n".join(f"{i} {one.name}" for i, one in enumerate(persons[:9], 1))
    turn.say("which", name=name, lines=lines)


async def _preview(turn: Turn, found: reader.Roster, known: dict[str, Person]) -> None:
    zone = turn.community.zone
    shifts = []
    unknown = []
    for one in found.entries:
        start, end = one.start.replace(tzinfo=zone), one.end.replace(tzinfo=zone)
        if one.name not in known:
            unknown.append(turn.render("duty.set.unknown", name=one.name).text)
        elif end > turn.now:
            shifts.append(Shift(0, known[one.name].id, known[one.name].name, start, end, ""))
    if not shifts:
        turn.say("past")
        return
    turn.state.roster = [[milliseconds(s.start), milliseconds(s.end), s.person_id] for s in shifts]  # type: ignore[arg-type]
    before = await _before(turn, shifts)
    left = [*dict.fromkeys(unknown), *found.unread]
    turn.say(
        "preview",
        lines=lines_of(turn, shifts),
        replaced=_added(turn, "replaced", _in_one(turn, before)),
        unread=_added(turn, "unread", "；".join(left)),
    )


def _added(turn: Turn, name: str, lines: str) -> str:
    return "\n" + turn.render(f"duty.set.{name}", lines=lines).text if lines else ""


def _in_one(turn: Turn, shifts: Sequence[Shift]) -> str:
    return lines_of(turn, shifts).replace("\n", "；")


async def _before(turn: Turn, new: Sequence[Shift]) -> list[Shift]:
    """The dated shifts of others that the new ones take the place of."""
    spans = [(one.start, one.end) for one in new if one.start and one.end]
    kept = {(one.person_id, one.start, one.end) for one in new}
    found = await roster.shifts(
        turn.db, turn.community.id, min(s for s, _ in spans), max(e for _, e in spans)
    )
    return [
        one
        for one in found
        if one.start and one.end and (one.person_id, one.start, one.end) not in kept
        and any(one.start < end and one.end > start for start, end in spans)
    ]  # fmt: skip


@skill.on("save", Nothing, by=Role.STAFF)
async def save(turn: Turn, _: Nothing) -> None:
    """What was shown is the roster now, and everybody on it hears of it."""
    if not turn.state.roster:
        raise Refusal("duty.save.gone")
    if not (turn.person.may(Role.LEAD) or turn.person.may(Role.COMMITTEE)):
        raise Refusal("duty.set.only_lead")
    drafted, turn.state.roster = turn.state.roster, []
    persons = {number: await people.get(turn.db, number) for number in {one[2] for one in drafted}}
    shifts = [
        Shift(0, number, persons[number].name, roster.moment(start), roster.moment(end), "")
        for start, end, number in drafted
    ]
    before = await _before(turn, shifts)
    await roster.drop(turn.db, before)
    for one in shifts:
        assert one.start and one.end
        await roster.put(turn.db, persons[one.person_id], one.start, one.end, by=turn.person, now=turn.now)
    await audit.write(
        turn.db, turn.community.id, turn.now, turn.person.id, "roster", "community", turn.community.id,
        _in_one(turn, shifts)[:1000],
    )  # fmt: skip
    for person in persons.values():
        mine = [one for one in shifts if one.person_id == person.id]
        turn.notify([person], "duty.yours", lines=lines_of(turn, mine, named=False))
    for number in {one.person_id for one in before}:
        off = [one for one in before if one.person_id == number]
        turn.notify([await people.get(turn.db, number)], "duty.off", lines=lines_of(turn, off, named=False))
    turn.say("done", who="、".join(one.name for one in persons.values()))


@skill.on("drop", Nothing, by=Role.STAFF)
async def drop(turn: Turn, _: Nothing) -> None:
    turn.state.roster = []
    turn.say("done")


# ----------------------------------------------------------------------------- swap


@skill.listens
async def swap_said(turn: Turn, meaning: Meaning) -> bool:
    """「明天我和小王换班」: the other is asked first."""
    text, person = _words(turn), turn.person
    if not person.may(Role.STAFF) or not _SWAP.search(text) or _ASKS.search(text):
        return False
    if turn.group and not turn.incoming.addressed:
        return False
    if any(item.intent.startswith("ticket.") and "ref" in item.slots for item in meaning.items):
        return False
    turn.item = Item("duty.swap", 1.0)
    others = await _named(turn, text)
    if not others:
        raise Refusal("duty.swap.who")
    if len(others) > 1:
        _ask_which(turn, text, others[0][0], [one for _, one in others])
        return True
    other = others[0][1]
    if other.id == person.id:
        raise Refusal("duty.swap.self")
    days = reader.days_in(text.replace(others[0][0], ""), local(turn))
    if not days:
        raise Refusal("duty.swap.when")
    give, take = await _of_both(turn, other, text, days)
    swap = await swaps.ask(turn, person, other, give, take)
    turn.say("asked", who=dispatch.called(other), shifts=swaps.said(turn, swap))
    return True


async def _named(turn: Turn, text: str) -> list[tuple[str, Person]]:
    """The colleagues whom a sentence can mean, each with the words that name them."""
    staff = await people.holders(turn.db, turn.community.id, Role.STAFF, Role.LEAD)
    exact = [(one.name, one) for one in staff if one.name in text and one.id != turn.person.id]
    if exact:
        return exact
    if any(one.name in text for one in staff if one.id == turn.person.id):
        return [(turn.person.name, turn.person)]
    said = re.findall(r"[一-龥](?=师傅|班长|队长)", text)
    return [(f"{name}师傅", one) for name in said for one in staff if name in one.name]


async def _of_both(
    turn: Turn, other: Person, text: str, days: Sequence[datetime]
) -> tuple[Shift | None, Shift | None]:
    """What the asker gives and what the asker takes. With two days the first one is the asker's."""
    mine = await _shift_of(turn, turn.person, days[0], text)
    theirs = await _shift_of(turn, other, days[-1], text if len(days) < 2 else "")
    if _TAKES.search(text) and mine:
        theirs = None
    day = f"{days[0].month}月{days[0].day}日"
    if mine is None and theirs is None:
        raise Refusal("duty.swap.no_shift", day=day, who=dispatch.called(other))
    if mine and theirs and (mine.start, mine.end) == (theirs.start, theirs.end):
        raise Refusal("duty.swap.already", day=day, who=dispatch.called(other))
    return mine, theirs


async def _shift_of(turn: Turn, person: Person, day: datetime, text: str) -> Shift | None:
    """The next shift of a person that begins on a day, of the hours that were said."""
    zone = turn.community.zone
    start = day.replace(tzinfo=zone)
    found = await roster.shifts(turn.db, turn.community.id, start, start + timedelta(days=1))
    hours = reader.hours_in(text)
    for one in found:
        if one.person_id != person.id or not one.start or one.start <= turn.now:
            continue
        begins = one.start.astimezone(zone)
        if begins.date() == day.date() and (hours is None or begins.hour == hours[0]):
            return one
    return None


@skill.on("agree", Which, by=Role.STAFF)
async def agree(turn: Turn, form: Which) -> None:
    swap = await swaps.agree(turn, form.ref or 0, turn.person)
    turn.say("done", shifts=swaps.said(turn, swap))


@skill.on("refuse", Which, by=Role.STAFF)
async def refuse(turn: Turn, form: Which) -> None:
    swap = await swaps.refuse(turn, form.ref or 0, turn.person)
    turn.say("done", who=dispatch.called(swap.asker))
