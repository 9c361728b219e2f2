"""Bookings that come again: one time skipped (这周三不用来了), or no more of them (每周的取消)."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import Any

from bot.dialog.skill import Skill
from bot.dialog.turn import Turn
from bot.domain import bookings, series, tickets, work
from bot.domain.people import Role
from bot.domain.series import Series
from bot.domain.slots import Wish
from bot.domain.tickets import Ticket
from bot.unit_of_work import Refusal

skill = Skill("housekeeping")

_HEARD = frozenset(
    {"ticket.cancel", "dialog.cancel", "dialog.deny", "visitor.cancel", "ticket.confirm", "ticket.amend"}
    | {"housekeeping.book", "activity.leave", "profile.mute", "inform", "none"}
)
_NOT = r"(?:不用|不要|不必|别|不)(?:再)?(?:来|做|约|打扫|要|上门)?|取消|停(?:掉|了|止)?|退(?:掉|了)?"
_EVERY = r"每周|每天|每月|每个月|每两周|每隔|每次|每星期|长期|固定|定期|工作日"
_STOP = re.compile(
    rf"(?:以后|往后|今后)[^，。]{{0,12}}(?:{_NOT})|(?:{_EVERY})[^，。]{{0,12}}(?:{_NOT})"
    rf"|(?:{_NOT})[^，。]{{0,4}}(?:{_EVERY})"
)
_SKIP = re.compile(rf"跳过|(?:停|歇|空)一[次周回]|(?:{_NOT})")
_ONE = re.compile(r"停掉长期预约\s*(\d+)$")
_NEXT, _WEEK = re.compile(r"下次|这次|下一次|下回|这回"), re.compile(r"(这|本|下)个?(?:周|星期|礼拜)")


@skill.listens
async def of_series(turn: Turn, meaning: Any) -> bool:
    """Words about what comes again, from who has something that does."""
    text, item = turn.incoming.text.strip(), meaning.items[0]
    chosen = _ONE.match(_picked(turn, text))
    if not (chosen or _STOP.search(text) or _SKIP.search(text)):
        return False
    if turn.group or turn.state.form is not None or not turn.person.may(Role.RESIDENT):
        return False
    if meaning.sure and (item.intent not in _HEARD or "ref" in item.slots or "rrule" in _asked(item)):
        return False
    mine = [one for one in await series.of(turn.db, turn.person) if _fits(turn, one, text, item)]
    if not mine:
        return False
    if chosen:
        mine = [one for one in mine if one.id == int(chosen[1])]
        if not mine:
            return False
    if chosen or _STOP.search(text):
        await stop(turn, mine)
        return True
    return await skip(turn, mine, text, item)


def _asked(item: Any) -> Any:
    """A rule in a request for a new booking makes it one; in a refusal it only names the old."""
    return item.slots if item.intent == "housekeeping.book" and not _STOP.search(item.text) else {}


def _picked(turn: Turn, text: str) -> str:
    """The words of a digit, where series were offered."""
    offers = turn.state.offers
    number = int(text) if text.isdigit() and len(text) == 1 else 0
    return offers[number - 1][1] if 0 < number <= len(offers) and _ONE.match(offers[number - 1][1]) else text


def _fits(turn: Turn, one: Series, text: str, item: Any) -> bool:
    """Whether the words can mean this one: the service, where they name another."""
    service = turn.community.catalogue.named(one.service)
    said = item.slots.get("category")
    return not said or service is None or said == service.category


async def stop(turn: Turn, mine: list[Series]) -> None:
    """All that lies ahead is called off, and nothing more comes."""
    if len(mine) > 1:
        turn.say("housekeeping.stop_which", offers=[(one.line, f"停掉长期预约 {one.id}") for one in mine])
        return
    ahead = await series.stop(turn, mine[0], turn.person)
    for ticket in ahead:
        await work.cancel(turn, ticket, turn.person, turn.item.text[:200])
    turn.state.offers = []
    refs = "、".join(f"#{one.ref}" for one in ahead)
    turn.say("housekeeping.stopped" if refs else "housekeeping.stopped_none", series=mine[0], refs=refs)


async def skip(turn: Turn, mine: list[Series], text: str, item: Any) -> bool:
    """One occurrence: called off where it is booked, left out where it is not yet."""
    today = work.local(turn).date()
    days = await named_days(turn, text, item)
    for one in mine:
        for day in one.days(today - timedelta(days=1), today + timedelta(days=60)):
            if days is not None and day not in days:
                continue
            await leave_out(turn, one, day)
            return True
    return False


async def leave_out(turn: Turn, one: Series, day: date) -> None:
    said = f"{day.month}月{day.day}日"
    ticket = await _booked(turn, one, day)
    await series.skip(turn, one, day, turn.person)
    if ticket is not None:
        if ticket.state not in (tickets.State.OPEN, tickets.State.ACCEPTED):
            raise Refusal("ticket.impossible", ticket=ticket, possible=tickets.possible(ticket.state))
        await work.cancel(turn, ticket, turn.person, turn.incoming.text[:200])
        turn.talk_about(ticket.ref)
    turn.say("housekeeping.skipped", series=one, day=said)


async def _booked(turn: Turn, one: Series, day: date) -> Ticket | None:
    """The open ticket of an occurrence."""
    midnight = datetime.combine(day, datetime.min.time(), turn.community.zone)
    for booked in await bookings.of_series(turn.db, one.id, midnight):
        if booked.start.astimezone(turn.community.zone).date() == day:
            ticket = await tickets.by_id(turn.db, booked.ticket_id)
            if ticket.open:
                return ticket
    return None


async def named_days(turn: Turn, text: str, item: Any) -> frozenset[date] | None:
    """The days that are meant; None for the next one."""
    wish = Wish.of(item.slots.get("time"), work.local(turn))
    if wish is not None:
        return frozenset(wish.days)
    week = _WEEK.search(text)
    if week and not _NEXT.search(text):
        today = work.local(turn).date()
        monday = today - timedelta(days=today.weekday()) + timedelta(weeks=week[1] == "下")
        return frozenset(monday + timedelta(days=n) for n in range(7))
    return None if _NEXT.search(text) else frozenset()
