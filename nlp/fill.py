"""Slots of an intent from what was read: only what is stated, in the contract's form; and the brief."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from nlp.labelled import TEXTUAL
from nlp.lexicon import Span
from nlp.ranker import Ranker, Thought
from nlp.reading import Reading, longest
from nlp.rules import Rule, RuleBook
from nlp.score import Score, denied
from nlp.slots import assignee, audience, choice, deadline, location, name, options, people, time, urgency
from nlp.slots.location import Location
from nlp.tagger import Tagger, features

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
#: Nobody comes, and nothing breaks, in a year or a season: these are told beside it (今年七十三了).
_EXACT, _COARSE = (
    frozenset({"wanted", "visit", "happened"}),
    frozenset({"quarter", "year", "decade", "century"}),
)
#: In front of a part of the day: it is how long.
_MUCH = re.compile(r"(?:(?<![周星礼期拜])[一整]|[一两三几]个)$")
#: 明天还你 is not when something is wanted.
_LENT = frozenset({"aid.request", "aid.offer"})
_RETURNED = re.compile(r"(?:以?前|之前)?(?:就|再|一定|保证|给你|送)*还(?![有在是没要会能想差缺])")
#: Between a thing and its trouble, words that say nothing of the matter.
_LOOSE = re.compile(
    r"^(?:又|的|了|都|也|就|还|一直|老是|老|总是|总|突然|忽然|已经|有点|有些|好像|是|被|在|全|那里|那儿|这里|里|上|给|吗|嘛|呢|啊|,|\s|个|怎么|咋)*$"
)


class Filler:
    """Finds the slots of an intent: patterns where they are best, trained models where words are free."""

    def __init__(self, book: RuleBook, ranker: Ranker, tagger: Tagger) -> None:
        self._book, self._ranker, self._tagger = book, ranker, tagger

    def __call__(
        self, rule: Rule, reading: Reading, features: Sequence[str], score: Score | None = None
    ) -> tuple[dict[str, Any], str]:
        """The slots of the rule that the text states, and the matter in a few words."""
        slots: dict[str, Any] = {}
        marked = self._marked(rule, reading)
        for slot in rule.slots:
            if slot in ("category", "kind"):
                value: Any = self._ranker.value(rule.public, features, slot)
            elif slot in TEXTUAL:
                value = _textual(slot, rule, reading, marked)
            elif slot == "options":
                value = _SLOTS[slot](rule, reading) or [
                    reading.text[s:e] for s, e in marked.get("option", ())
                ]
            elif slot == "location":
                value = _location(rule, reading, marked)
            elif slot == "time":
                value = _time(rule, reading, marked)
            else:
                find = _SLOTS.get(slot)
                value = find(rule, reading) if find else None
            if value not in (None, "", {}, []):
                slots[slot] = value
        return slots, _brief(rule, score, reading) if score else ""

    def _marked(self, rule: Rule, reading: Reading) -> dict[str, list[Span]]:
        """The words that stand for free slots, by slot."""
        sought = sought_in(rule.slots)
        if not sought or not self._tagger.model:
            return {}
        seen = features(reading.plain, reading.found, reading.words)
        marked: dict[str, list[Span]] = {}
        for slot, start, end in self._tagger.mark(seen, sought, rule.public):
            marked.setdefault(slot, []).append((start, end))
        return marked

    def values(self, name: str, reading: Reading, thought: Thought) -> list[Any]:
        """Every value of one slot, in order, in the contract's form."""
        if name in TEXTUAL and name not in _SLOTS:
            rules = [rule for rule in self._book.rules if name in rule.slots]
            rule = max(rules, key=lambda r: thought.scores.get(r.public, -1.0), default=None)
            marked = self._marked(rule, reading) if rule else {}
            return [reading.text[start:end] for start, end in marked.get(name, ())]
        return values(name, reading, self._book)


def sought_in(slots: Sequence[str]) -> list[str]:
    """The free slots among these, and those within others: an option of options, the place of a location."""
    within = {"options": "option", "location": "place"}
    named = {within.get(name, name) for name in slots}
    return [name for name in TEXTUAL if name in named]


def _textual(name: str, rule: Rule, reading: Reading, marked: Mapping[str, Sequence[Span]]) -> Any:
    """The first words marked for a slot, as typed; names and assignees also by their patterns."""
    if name in marked:
        start, end = marked[name][0]
        return reading.text[start:end]
    pattern = _SLOTS.get(name)
    return pattern(rule, reading) if pattern else None


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


def _location(rule: Rule, reading: Reading, marked: Mapping[str, Sequence[Span]]) -> dict[str, str] | None:
    journey = rule.public in _JOURNEYS
    ends = [*marked.get("origin", ()), *marked.get("destination", ())]
    here = [f for f in reading.addresses if not any(s < f.span[1] and f.span[0] < e for s, e in ends)]
    kept = location.kept_of(here, journey, moved=rule.public in _MOVES)
    chosen = location.choose(kept, bare=rule.number == "room")
    where = chosen.location if chosen else Location()
    if chosen and not chosen.corrected and not any(f.denied for f in reading.addresses):
        where = location.fill(kept, where)
    named = marked.get("place") or (
        rule.places and [p for p in reading.places if not _not_this(reading.plain, p)]
    )
    start, end = named[0] if named else (0, 0)
    place = reading.text[start:end]
    if place:
        where = Location(where.building, where.unit, where.floor, where.room, place)
    return where.write() or None


def _time(rule: Rule, reading: Reading, marked: Mapping[str, Sequence[Span]]) -> dict[str, str] | None:
    """The time that the intent is about: of a visit, of what happened, of sending; not all that is named."""
    if "rrule" in rule.slots and reading.rrules:
        return None
    told = marked.get("body", ()) if "body" in rule.slots else ()
    found = [f for f in reading.times if not any(s <= f.span[0] < e for s, e in told)]
    if rule.time == "changed":
        found = [f for f in found if not _AWAY.match(reading.plain, f.span[1])] or found
    elif rule.time == "visit":
        found = [f for f in found if _wanted(reading.plain, f.span)]
    elif rule.time == "happened":
        found = [f for f in found if f.window.start <= reading.now]
    if rule.time in _EXACT:
        found = [f for f in found if f.window.grain not in _COARSE and not _how_long(rule, reading, f)]
    if rule.public in _LENT:
        found = [f for f in found if not _RETURNED.match(reading.plain, f.span[1])]
    ahead = rule.time in {"wanted", "visit"}
    chosen = time.choose(found, reading.now, ahead=ahead, last=rule.time == "changed")
    return chosen.window.write() if chosen else None


def _how_long(rule: Rule, reading: Reading, found: time.Found) -> bool:
    """借一晚上, 吵了一个上午 say how long; only who books a hall for 一下午 says when."""
    if rule.public == "facility.book" or found.window.grain != "part":
        return False
    return _MUCH.search(reading.plain, max(0, found.span[0] - 2), found.span[0]) is not None


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
    "rrule": lambda _, reading: _first(reading.rrules),
    "deadline": lambda _, reading: deadline.write(reading.deadlines[0][0]) if reading.deadlines else None,
    "period": lambda _, reading: reading.periods[0][0].write() if reading.periods else None,
}


def values(slot: str, reading: Reading, book: RuleBook) -> list[Any]:
    """Every value of one slot, in order, in the contract's form."""
    if slot == "time":
        return [f.window.write() for f in reading.times]
    if slot == "deadline":
        return [deadline.write(value) for value, _ in reading.deadlines]
    if slot == "period":
        return [value.write() for value, _ in reading.periods]
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
        "rrule": reading.rrules,
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
