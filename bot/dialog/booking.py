"""What is being booked in a conversation: the draft, and the slots offered for it, a digit each."""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta
from typing import Any

from bot.dialog.commands import TAKE
from bot.dialog.turn import Turn
from bot.domain import appointments, catalogue, series, slots
from bot.domain.catalogue import Service
from bot.domain.places import Place
from bot.domain.slots import Slot, Wish
from bot.domain.telling import local
from bot.inbox import milliseconds

KEPT_FOR = 2 * 3600 * 1000  # ms: how long an offer can be taken as it was made
#: Parts of a day, where a rule names one: 每周三上午.
_PARTS = (
    (re.compile(r"上午|早上|早晨|一早"), 6, 12),
    (re.compile(r"中午"), 10, 14),
    (re.compile(r"下午|午后"), 12, 18),
    (re.compile(r"傍晚|晚上|夜里|晚饭"), 16, 24),
)


def draft(turn: Turn, service: str) -> dict[str, Any] | None:
    """What was offered here of a service not long ago."""
    kept = turn.state.draft
    if not kept or kept["service"] != service or milliseconds(turn.now) - kept["at_ms"] > KEPT_FOR:
        return None
    return kept


def pending(turn: Turn) -> dict[str, Any] | None:
    """The draft whose slots are on the table right now."""
    kept, offers = turn.state.draft, turn.state.offers
    if not kept or not offers or not TAKE.match(offers[0][1]):
        return None
    return draft(turn, kept["service"])


def unsettled(turn: Turn, said: dict[str, Any]) -> dict[str, Any]:
    """What was said, while it is still asked which service is meant."""
    return {"service": "", "said": said, "at_ms": milliseconds(turn.now)}


def settled(turn: Turn) -> dict[str, Any] | None:
    """What was said before a digit said which service is meant."""
    kept = turn.state.draft
    fresh = kept and not kept["service"] and milliseconds(turn.now) - kept["at_ms"] < KEPT_FOR
    return kept if fresh and re.fullmatch(r"约\D{1,12}", turn.item.text) else None


def begin(turn: Turn, service: Service, slots_said: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A draft from what was said."""
    return {
        "service": service.name,
        "minutes": service.length(slots_said.get("duration_minutes")),
        "time": slots_said.get("time"),
        "rule": slots_said.get("rrule"),
        "words": turn.item.text[:500],
        "at_ms": milliseconds(turn.now),
        **more,
    }


def place(kept: dict[str, Any]) -> Place:
    return Place.read(kept.get("where"))


async def offer(turn: Turn, kept: dict[str, Any], note: str = "") -> None:
    """Say the nearest free slots that fit, each with its digit, and honestly why the wish itself can't be."""
    service = turn.community.catalogue.named(kept["service"])
    assert service is not None
    turn.state.draft = kept | {"at_ms": milliseconds(turn.now)}
    minutes, rule = kept["minutes"], kept.get("rule")
    crew = await slots.workers(turn, service)
    but = [one.id for one in crew if one.id in kept.get("but", ())]
    asked_for = [one for one in crew if one.name and one.name in kept["words"]]
    if asked_for and not but:  # 要孙阿姨来
        but = [one.id for one in crew if one not in asked_for]
    home = kept.get("home_id")
    found = await slots.search(turn, service, minutes, home_id=home, but=but)
    if but and not found:
        found = await slots.search(turn, service, minutes, home_id=home)
    wish = Wish.of(kept.get("time"), local(turn))
    if rule:
        chosen = recurring(turn, service, found, rule, kept["words"], minutes)
    else:
        chosen = slots.best(found, wish)
        why = slots.why_not(turn, service, wish, found, minutes) if wish else ""
        if why and not note:
            hours = _hours(service, wish) if wish else ""
            note = turn.render(f"housekeeping.why_{why}", service=service, hours=hours).text
    topic = "facility" if service.room else "housekeeping"
    if not chosen:
        turn.say(f"{topic}.book.nothing", service=service, note=note)
        turn.state.draft = None
        return
    where = place(kept)
    turn.say(
        f"{topic}.book.change" if kept.get("ref") else f"{topic}.book.slots",
        service=service,
        length=catalogue.span(minutes),
        price=catalogue.yuan(service.cost(minutes)) + ("/次" if rule else ""),
        where="，" + (where.for_group() if turn.group else where).line if where else "",
        note=note,
        ref=kept.get("ref"),
        offers=_pairs(turn, kept, service, chosen),
    )


def _pairs(turn: Turn, kept: dict[str, Any], service: Service, chosen: list[Slot]) -> list[tuple[str, str]]:
    begin = f"#{kept['ref']} 改到" if kept.get("ref") else f"约{service.name}"
    pairs = appointments.choices(turn, begin, chosen)
    if not kept.get("rule"):
        return pairs
    return [
        (f"{series.say(kept['rule'])} {one.start:%H:%M}–{one.end:%H:%M}{said}，"
         f"{one.start.month}月{one.start.day}日起", words)
        for one, (said, words) in zip(chosen, _who(pairs), strict=True)
    ]  # fmt: skip


def _who(pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Of each label only who comes."""
    return [("".join(label.partition("，")[1:]), words) for label, words in pairs]


def recurring(
    turn: Turn, service: Service, found: list[Slot], rule: str, words: str, minutes: int
) -> list[Slot]:
    """The first day of a rule with something free, at the time of day that was said: up to three times."""
    today = local(turn).date()
    begin, end = next(((a, b) for pattern, a, b in _PARTS if pattern.search(words)), (0, 24))
    at = re.search(r"BYHOUR=(\d+)(?:.*BYMINUTE=(\d+))?", rule)
    wanted = int(at[1]) * 60 + int(at[2] or 0) if at else None
    days = [one for one in found if series.falls(series.plain(rule), today, one.start.date())]
    fit = [one for one in days if begin <= one.start.hour < end] or days
    if not fit:
        return []
    first = fit[0].start.date()
    same = [one for one in fit if one.start.date() == first]
    middle = datetime.combine(first, time()) + timedelta(minutes=wanted or begin * 60)
    return slots.best(same, Wish(middle, middle + timedelta(minutes=1), at=middle))


def _hours(service: Service, wish: Wish) -> str:
    """When it is had on the day that was asked for: 09:00–12:00、14:00–18:00."""
    spans = service.spans(wish.since.date())
    return "、".join(f"{a // 60:02}:{a % 60:02}–{b // 60:02}:{b % 60:02}" for a, b in spans)
