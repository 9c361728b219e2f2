"""Slots of an intent from what was read: only what is stated, in the contract's form; and the brief."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from nlp.lexicon import Span
from nlp.reading import Reading, longest
from nlp.rules import Rule, RuleBook
from nlp.score import Score, denied
from nlp.slots import assignee, audience, choice, location, name, options, people, time, urgency
from nlp.slots.location import Location

BRIEF = 20
#: Intents that have `origin` and `destination`: the ends of a way are no location.
_JOURNEYS = frozenset({"housekeeping.book", "aid.request", "aid.offer"})
#: Where a number alone may be a price.
_PRICED = frozenset({"aid.offer", "aid.request", "housekeeping.book", "ticket.complete"})
#: Where a number with 个 may be one of persons.
_COUNTS = frozenset({"activity.join", "visitor.register", "inform", "facility.book"})
#: Intents about a person, who may be named in passing.
_OWN_NAMES = frozenset({"profile.bind", "visitor.register", "visitor.cancel", "inform"})
#: From one home to another, the new one is meant.
_MOVES = frozenset({"profile.bind", "ticket.amend", "inform"})
#: A wish for somebody to come, next to a time: the time is when.
_COMING = re.compile(
    r"来(?!的?电|不及|着|说)|上门|在家|有人|过来|修|弄|换|约|有空|方便|到家|看看|瞧|行[吗不么]|可以|得闲|休息|通一下|联系|安排|之?前|请|都在|回"
)
#: A time that somebody has none at: 今天不在家，明天再来.
_AWAY = re.compile(r"[^,。!?;\n]{0,4}(?:不在|没空|没人|没时间|有事|开会|走不开|不行|不方便|不得闲|加班)")
#: A moment that is told, not asked for.
_TOLD = re.compile(r"起来|回来发现|回家一看|开始|刚|早就|昨|前天|上周|上次|上回|一到")
#: Between a thing and its trouble, words that say nothing of the matter.
_LOOSE = re.compile(
    r"^(?:又|的|了|都|也|就|还|一直|老是|老|总是|总|突然|忽然|已经|有点|有些|好像|是|被|在|全|那里|那儿|这里|里|上|给|吗|嘛|呢|啊|,|\s|个|怎么|咋)*$"
)


def fill(rule: Rule, score: Score, reading: Reading, book: RuleBook) -> tuple[dict[str, Any], str]:
    """The slots of the rule that the text states, and the matter in a few words."""
    slots: dict[str, Any] = {}
    for slot in rule.slots:
        if slot == rule.enum:
            value: Any = score.value if score.values and max(score.values.values()) > 0.2 else None
        elif slot == "category":
            value = _category(reading, book)
        else:
            value = _SLOTS[slot](rule, reading)
        if value not in (None, "", {}, []):
            slots[slot] = value
    return slots, _brief(rule, score, reading)


def _category(reading: Reading, book: RuleBook) -> str | None:
    """The category whose thing is named; the longest name wins (燃气热水器 is no 燃气), then the first."""
    spans: list[tuple[Span, str]] = []
    for category, words in book.categories.items():
        spans.extend((span, category) for span in reading.found.get(words, ()))
    kept = set(longest([span for span, _ in spans]))
    here = [(span, category) for span, category in spans if span in kept]
    affirmed = [pair for pair in here if not _not_this(reading.plain, pair[0])]
    if not affirmed:
        return None
    return max(affirmed, key=lambda pair: (pair[0][1] - pair[0][0] >= 2, -pair[0][0]))[1]


def _not_this(plain: str, span: Span) -> bool:
    return plain[max(0, span[0] - 2) : span[0]] == "不是"


def _location(rule: Rule, reading: Reading) -> dict[str, str] | None:
    journey = rule.public in _JOURNEYS
    kept = location.kept_of(reading.addresses, journey, moved=rule.public in _MOVES)
    chosen = location.choose(kept, bare=rule.number == "room")
    where = chosen.location if chosen else Location()
    if chosen and not chosen.corrected and not any(f.denied for f in reading.addresses):
        where = location.fill(kept, where)
    place = _place(reading)
    if place:
        where = Location(where.building, where.unit, where.floor, where.room, place)
    return where.write() or None


def _place(reading: Reading) -> str | None:
    for start, end in reading.places:
        if not _not_this(reading.plain, (start, end)) and not reading.plain.startswith("不是", end):
            return reading.text[start:end]
    return None


def _time(rule: Rule, reading: Reading) -> dict[str, str] | None:
    found = reading.times
    if rule.time == "changed":
        found = [f for f in found if not _AWAY.match(reading.plain, f.span[1])] or found
    if rule.time == "wanted":
        found = [f for f in found if _wanted(reading.plain, f.span)]
    chosen = time.choose(found, reading.now, ahead=rule.time == "wanted", last=rule.time == "changed")
    return chosen.window.write() if chosen else None


def _wanted(plain: str, span: Span) -> bool:
    """Whether a visit is wished for at this time: a word of coming close by, none of telling."""
    head = max(plain.rfind(mark, 0, span[0]) for mark in ",。!?;\n")
    behind = plain[span[1] : span[1] + 16]
    near = plain[head + 1 : span[0]] + behind
    if _TOLD.search(plain[max(0, span[0] - 2) : span[1] + 4]):
        return False
    return bool(_COMING.search(near)) or not behind.strip(" ,。!")


def _assignee(rule: Rule, reading: Reading) -> str | None:
    for _, (start, end) in assignee.find(reading.plain):
        return reading.text[start:end]
    return None


def _ref(rule: Rule, reading: Reading) -> int | None:
    found = reading.refs if rule.number == "ref" else reading.marked_refs
    if rule.number == "room":
        return None
    return found[0][0] if found else None


def _first(found: Sequence[tuple[Any, Span]]) -> Any:
    return found[0][0] if found else None


def _name(rule: Rule, reading: Reading) -> str | None:
    chosen = name.choose(
        reading.named,
        own=rule.public in _OWN_NAMES,
        praised=rule.public == "ticket.rate",
        phone=bool(reading.phones),
    )
    return reading.text[chosen.span[0] : chosen.span[1]] if chosen else None


def _price(rule: Rule, reading: Reading) -> int | float | None:
    """The price said; in an offer or a hire also a number alone."""
    if reading.prices:
        return reading.prices[0][0]
    lone = reading.lone_prices if rule.public in _PRICED else ()
    return lone[0][0] if lone else None


def _people(rule: Rule, reading: Reading) -> int | None:
    """A total (一共三个人; 加上外孙，三个人) over its parts, else the first number said."""
    found, plain = reading.people, reading.plain
    for value, (start, _) in found:
        if plain.startswith(("一共", "总共"), max(0, start - 2)):
            return value
    if not found and rule.public in _COUNTS:
        found = people.alone(plain)
    if not found:
        return None
    return found[-1 if "加上" in plain or "连上" in plain else 0][0]


def _audience(rule: Rule, reading: Reading) -> dict[str, object] | None:
    chosen = audience.choose(reading.plain)
    return chosen.write() if chosen else None


def _as_typed(reading: Reading, found: Sequence[tuple[str, Span]]) -> list[str]:
    return [reading.text[start:end] for _, (start, end) in found]


def _choice(rule: Rule, reading: Reading) -> str | None:
    for value, (start, end) in choice.find(reading.plain):
        typed = reading.text[start:end]
        return typed if reading.plain[start:end] == value else value
    return None


_SLOTS: dict[str, Callable[[Rule, Reading], Any]] = {
    "location": _location,
    "time": _time,
    "assignee": _assignee,
    "audience": _audience,
    "options": lambda _, reading: _as_typed(reading, options.find(reading.plain)),
    "choice": _choice,
    "ref": _ref,
    "urgency": lambda _, reading: urgency.choose(reading.plain),
    "name": _name,
    "phone": lambda _, reading: _first(reading.phones),
    "plate": lambda _, reading: _first(reading.plates),
    "price": _price,
    "people": _people,
    "capacity": lambda _, reading: _first(reading.capacities),
    "rating": lambda _, reading: _first(reading.ratings),
    "duration_minutes": lambda _, reading: _first(reading.durations),
    "kind": lambda _, __: None,
}


def values(slot: str, reading: Reading, book: RuleBook) -> list[Any]:
    """Every value of one slot, in order, in the contract's form."""
    if slot == "time":
        return [f.window.write() for f in reading.times]
    if slot == "location":
        return _locations(reading)
    if slot == "audience":
        return [value.write() for value, _ in audience.find(reading.plain)]
    if slot == "options":
        return _as_typed(reading, options.find(reading.plain))
    if slot == "choice":
        return [value for value, _ in choice.find(reading.plain)]
    if slot == "assignee":
        return [reading.text[start:end] for _, (start, end) in assignee.find(reading.plain)]
    if slot == "urgency":
        return [value for value, _ in urgency.find(reading.plain)]
    if slot == "ref":
        return [value for value, _ in reading.refs]
    if slot == "category":
        return _categories(reading, book)
    pairs: dict[str, Sequence[tuple[Any, Span]]] = {
        "phone": reading.phones,
        "name": reading.names,
        "price": reading.prices,
        "people": reading.people,
        "capacity": reading.capacities,
        "rating": reading.ratings,
        "plate": reading.plates,
        "duration_minutes": reading.durations,
    }
    return [value for value, _ in pairs.get(slot, ())]


def _locations(reading: Reading) -> list[dict[str, str]]:
    """Addresses that hold, corrected ones alone, each with the place said after it."""
    kept = [f for f in reading.addresses if not f.denied]
    places = [reading.text[s:e] for s, e in reading.places if not _not_this(reading.plain, (s, e))]
    where = [f.location.write() for f in kept]
    if where and places:
        where[0] = {**where[0], "place": places[0]}
        places = places[1:]
    return where + [{"place": place} for place in places]


def _categories(reading: Reading, book: RuleBook) -> list[str]:
    """A category by a thing it is about, else by a trouble that only it has (漏水, 堵了)."""
    named = _category(reading, book)
    if named:
        return [named]
    found = []
    for rule in book.rules:
        for value in rule.values if rule.enum == "category" else ():
            found += [
                (span, value.name)
                for span in reading.found.get(value.troubles, ())
                if not denied(reading.plain, span)
            ]
    return [min(found, key=lambda pair: (pair[0][0], pair[0][0] - pair[0][1]))[1]] if found else []


def _unplaced(span: Span, reading: Reading) -> Span:
    """A thing without the place that its name begins with: 楼道的灯 is a 灯 in 楼道, but 电梯 stays 电梯."""
    start, end = span
    for _, stop in (place for place in reading.places if place[0] == start and place[1] < end):
        start = stop + (reading.plain[stop : stop + 1] == "的")
    return (start, end) if start < end else span


def _brief(rule: Rule, score: Score, reading: Reading) -> str:
    """What the matter is, in the speaker's words, without place, greeting and plea."""
    if not rule.brief or not score.spans:
        return ""
    text, plain = reading.text, reading.plain
    spans = [_unplaced(span, reading) for span in sorted(set(score.spans[-2:]))]
    if len(spans) == 2:
        one, other = spans
        between = plain[one[1] : other[0]]
        if other[0] <= one[1]:
            brief = text[one[0] : max(one[1], other[1])]
        elif _LOOSE.match(between) or len(between) > 8:
            brief = text[one[0] : one[1]] + text[other[0] : other[1]]
        else:
            brief = text[one[0] : other[1]]
    else:
        brief = text[spans[0][0] : spans[0][1]]
    return re.sub(r"\s+", "", brief).rstrip("了啦咗嘛吧,，")[:BRIEF]
