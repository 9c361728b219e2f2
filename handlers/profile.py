"""Who somebody is: a code, or room and name or phone, or the committee's word lets a stranger in."""

from __future__ import annotations

import re
from typing import Any

from bot.dialog.form import Context, Form, Nothing, needed
from bot.dialog.skill import Skill
from bot.dialog.turn import Turn
from bot.domain import applications, households, invites, people
from bot.domain.applications import Application
from bot.domain.people import Role
from bot.domain.places import Place
from bot.messages import Lane, Photo
from bot.unit_of_work import Refusal
from nlp.meaning import Item, Meaning

skill = Skill(__name__)

_SAYS_WHOM = re.compile(r"(?:同意|通过|拒绝|不同意|不通过)\s+(?P<name>\S+)")


def whole_home(said: Any, _: Context) -> dict[str, str] | None:
    """A home is a building and a room; less has to be asked."""
    place = Place.read(said)
    return place.write() if place.building and place.room else None


def name_of(said: Any, context: Context) -> str | None:
    """The name; not needed beside a phone, nor from somebody whom we know already."""
    known = context.slots.get("phone") or context.person.bound
    return said or ("" if known else None)


class Bind(Form):
    location: dict[str, Any] | None = needed(known=whole_home, must=True)
    name: str = needed(known=name_of)
    phone: str = ""


@skill.on("bind", Bind, by=Role.STRANGER)
async def bind(turn: Turn, form: Bind) -> None:
    where = Place.read(form.location)
    if turn.community.impossible(where.building, where.unit, where.room):
        turn.ask_again("location")
        turn.say("profile.no_such_home", where=where.line, community=turn.community)
        return
    home = (where.building, where.unit, where.room)
    name = form.name or turn.person.name
    if any((one.building, one.unit, one.room) == home for one in turn.person.homes):
        turn.say("already", home=Place(*home[:2], "", home[2]).line)
        return
    flat = await people.find_home(turn.db, turn.community.id, *home)
    known = await households.recognise(turn.db, flat.id, name, form.phone) if flat else None
    if form.phone:
        await people.note_phone(turn.db, turn.person.id, form.phone)
    if known is not None:
        await applications.let_in(turn, turn.person, home, known)
        await welcome(turn, turn.state.waiting)
        return
    reports = [row for row in turn.state.waiting if row["intent"] != "profile.bind"]
    turn.state.waiting = []
    application = await applications.apply(turn, turn.person, home, name, reports)
    turn.say("waits_kept" if application.kept else "waits", application=application)


async def welcome(turn: Turn, waiting: list[dict[str, Any]]) -> None:
    """Say hello to somebody who is bound now; what waited for it is taken up by the dialogue."""
    turn.person = turn.incoming_person = await people.get(turn.db, turn.person.id)
    turn.state.waiting = [row for row in waiting if row["intent"] != "profile.bind"]
    home = turn.person.home
    role = "、".join(grant.role.chinese for grant in turn.person.grants)
    trades = sorted({trade for grant in turn.person.grants for trade in grant.trades})
    where = home.line if home else "、".join(trades)
    what = " ".join(part for part in (role, where) if part)
    turn.say("profile.bind.done", name=turn.person.called, what=what)


@skill.listens
async def code(turn: Turn, _: Meaning) -> bool:
    """An invite code, sent as it is, in private."""
    found = invites.looks_like_code(turn.incoming.text)
    if found is None or turn.group:
        return False
    if await invites.use(turn.db, found, turn.person, turn.now) is None:
        if turn.person.bound:
            return False  # could be anything; a bound person gets the usual answer
        turn.say("profile.bad_code")
        return True
    turn.item = Item("profile.bind", 1.0)
    waiting = [row for row in turn.state.waiting if row["intent"] != "profile.bind"]
    application = await applications.of(turn.db, turn.person)
    turn.state.form = None
    await welcome(turn, waiting + (application.kept if application else []))
    turn.state.offers = []
    return True


@skill.on("show", Nothing, by=Role.RESIDENT, question=True)
async def show(turn: Turn, _: Nothing) -> None:
    homes = "、".join(home.line for home in turn.person.homes) or "（没有登记住址）"
    roles = "、".join(grant.role.chinese for grant in turn.person.grants)
    turn.say("done", name=turn.person.called, roles=roles, homes=homes)


# ------------------------------------------------------------------- committee


class Decision(Form):
    location: dict[str, Any] | None = None
    name: str = ""


@skill.on("approve", Decision, by=Role.COMMITTEE)
async def approve(turn: Turn, form: Decision) -> None:
    await decide(turn, form, approve=True)


@skill.on("refuse", Decision, by=Role.COMMITTEE)
async def refuse(turn: Turn, form: Decision) -> None:
    await decide(turn, form, approve=False)


async def decide(turn: Turn, form: Decision, *, approve: bool) -> None:
    """One application: the one named by home or name, or the only one."""
    application = await meant(turn, form)
    person = await applications.decide(turn, application, turn.person, approve=approve)
    if not approve:
        turn.notify([person], "profile.refused", application=application)
        turn.say("profile.refuse.done", application=application)
        return
    turn.notify([person], "profile.approved", lane=Lane.REPLY, application=application)
    turn.say("profile.approve.done", application=application)
    for row in application.kept:  # what the newcomer reported while waiting is filed now, as that person
        photos = tuple(Photo(*one) for one in row.get("photos", ()))
        turn.then(Item(row["intent"], 1.0, row["slots"], row["text"], row["brief"]), person, photos)


async def meant(turn: Turn, form: Decision) -> Application:
    waiting = await applications.waiting(turn.db, turn.community.id)
    if not waiting:
        raise Refusal("profile.nobody_waits")
    where = Place.read(form.location)
    if where.room or where.building:
        found = [
            one
            for one in waiting
            if (not where.room or one.room == where.room)
            and (not where.building or one.building == where.building)
        ]
    else:
        found = named(waiting, form.name, turn.incoming.text)
    if len(found) != 1:
        lines = "\n".join(
            f"{one.short} {one.name}" if one.room else one.name for one in (found or waiting)[:8]
        )
        raise Refusal("profile.which", lines=lines)
    return found[0]


def named(waiting: list[Application], name: str, words: str) -> list[Application]:
    """Those whose whole name is said (the longest: 张三 is in 张三丰), else those of this name; else all."""
    if said := [one for one in waiting if one.name and one.name in words]:
        longest = max(len(one.name) for one in said)
        return [one for one in said if len(one.name) == longest]
    match = _SAYS_WHOM.fullmatch(words.strip())
    name = name or (match["name"] if match else "")
    return [one for one in waiting if name in one.name] if name else waiting
