"""How strongly a text speaks for each rule, and why."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from nlp.lexicon import Span
from nlp.patterns import STOPS
from nlp.reading import Reading, longest
from nlp.rules import LEVELS, Evidence, Rule, RuleBook, Value

#: A thing and what is wrong with it: in one breath, or somewhere in the same message.
NEAR, FAR = 0.8, 0.46
#: A trouble of this value, any trouble, or a thing, without the other.
TROUBLE_ALONE, COMMON_ALONE, THING_ALONE = 0.45, 0.2, 0.12
#: A word of one character is part of many others: it counts for less, and over a shorter distance.
SHORT = 0.65
_REACH, _SHORT_REACH = 9, 4
#: The least that one piece of evidence must weigh for the rest to count beside it; and what hints come to.
_SOLID, _HINTED = 0.45, 0.4
#: In front of a word, these deny it: 没冒烟, 不是漏气. Asked (有没有煤气味) it stays affirmed.
_DENIALS = (
    *("没有", "没", "不是", "不会", "无", "未", "并非", "没见", "没闻到", "不算", "别", "没在", "防", "怕"),
    *("没什么", "没啥", "没人", "非"),
)
#: How much the rules may weigh against the second opinion; and what the opinion alone must weigh.
MOST, AGREED = 4.0, 1.0
_NAMES = {
    "whole": "整句",
    "sure": "明说",
    "likely": "像",
    "hint": "旁证",
    "unlikely": "不像",
    "hardly": "很不像",
    "never": "排除",
}


@dataclass
class Score:
    """What speaks for and against one rule."""

    rule: Rule
    plus: list[float] = field(default_factory=list)
    minus: float = 0.0
    #: what the second opinion adds or takes
    second: float = 0.0
    why: list[str] = field(default_factory=list)
    values: dict[str, float] = field(default_factory=dict)
    #: where things and troubles stood, for the brief
    spans: list[Span] = field(default_factory=list)

    @property
    def total(self) -> float:
        """From 0 to 1: independent pieces add up as doubts multiply, what speaks against takes away."""
        sure = max(0.0, 1.0 - math.exp(-self.weight))
        return sure if self.solid or self.second >= AGREED else min(sure, _HINTED)

    @cached_property
    def solid(self) -> bool:
        """Whether a rule, and not hints or the second opinion alone, speaks for it."""
        return max(self.plus, default=0.0) >= _SOLID

    @property
    def weight(self) -> float:
        """The evidence as a sum of logarithms; unlike `total` it tells the strong from the very strong."""
        return self.rules + self.second

    @cached_property
    def rules(self) -> float:
        """What the rules alone say; asked when all evidence is in."""
        doubt = math.prod([1.0 - plus for plus in self.plus])
        return max(-MOST, min(MOST, -math.log(doubt) if doubt > 0 else MOST) - self.minus)

    @property
    def value(self) -> str | None:
        return max(self.values, key=lambda name: self.values[name]) if self.values else None


class _Woken(NamedTuple):
    """Evidence whose trigger may stand in a text; `order` keeps reasons in the order of the files."""

    order: int
    rule: int
    evidence: Evidence


class Scorer:
    """Knows all rules by the words that wake them, so that a text pays only for the rules it touches.

    Rules of danger are kept apart: they are asked first, and never compete with others.
    """

    def __init__(self, book: RuleBook, danger: str) -> None:
        self._danger = danger
        self._rules = book.rules
        self._by_name: dict[bool, dict[str, list[_Woken]]] = {True: {}, False: {}}
        self._by_slot: dict[bool, dict[str, list[_Woken]]] = {True: {}, False: {}}
        self._by_value: dict[str, list[tuple[int, Value]]] = {}
        order = 0
        for index, rule in enumerate(book.rules):
            for evidence in rule.evidence:
                woken = _Woken(order, index, evidence)
                order += 1
                for name in evidence.pattern.trigger().names:
                    by = self._by_slot if name[0] == "{" else self._by_name
                    by[rule.intent == danger].setdefault(name, []).append(woken)
            for value in rule.values:
                for name in (value.things, value.troubles, rule.troubles):
                    self._by_value.setdefault(name, []).append((index, value))

    def score(self, reading: Reading, danger: bool = False) -> list[Score]:
        """Every rule that something speaks for or against, best first: those of danger, or all the others."""
        scores: dict[int, Score] = {}
        by_name, by_slot = self._by_name[danger], self._by_slot[danger]
        woken = {one.order: one for name in reading.found for one in by_name.get(name, ())}
        if danger:  # slots are looked for only where words speak of danger
            self._weigh(woken, reading, scores)
            woken = {}
        for name, several in by_slot.items() if not danger or any(s.plus for s in scores.values()) else ():
            if reading.spans(name[1:-1]):
                woken.update((one.order, one) for one in several)
        self._weigh(woken, reading, scores)
        self._pairs(reading, scores, danger)
        return sorted(scores.values(), key=lambda s: (s.total > _HINTED, s.weight), reverse=True)

    def _weigh(self, woken: dict[int, _Woken], reading: Reading, scores: dict[int, Score]) -> None:
        """Counts the evidence that holds, in the order of the files."""
        for order in sorted(woken):
            _, index, evidence = woken[order]
            rule = self._rules[index]
            span = evidence.pattern.match(reading.scene)
            if span is None or (rule.affirmed and LEVELS[evidence.level] > 0 and denied(reading.plain, span)):
                continue
            if index not in scores:
                scores[index] = Score(rule)
            _count(scores[index], evidence, span)

    def _pairs(self, reading: Reading, scores: dict[int, Score], danger: bool) -> None:
        by_rule: dict[int, dict[str, Value]] = {}
        for name in reading.found:
            for index, value in self._by_value.get(name, ()):
                by_rule.setdefault(index, {})[value.name] = value
        for index, values in sorted(by_rule.items()):
            rule = self._rules[index]
            if (rule.intent == self._danger) == danger:
                _pair(reading, rule, list(values.values()), scores, index)


def _count(score: Score, evidence: Evidence, span: Span) -> None:
    weight = LEVELS[evidence.level]
    if weight > 0:
        score.plus.append(weight)
        if evidence.value:
            score.values[evidence.value] = score.values.get(evidence.value, 0) + weight + 0.05
            score.spans.append(span)
    else:
        score.minus -= weight
    of = f"（{evidence.value}）" if evidence.value else ""
    score.why.append(f"{_NAMES[evidence.level]}：{evidence.pattern.text}{of}")


def _pair(reading: Reading, rule: Rule, values: list[Value], scores: dict[int, Score], index: int) -> None:
    """Adds what things and troubles say together: once for the intent, and for each value by itself."""
    found, plain = reading.found, reading.plain
    whole = set(longest([span for value in values for span in found.get(value.things, ())]))
    common = longest(found.get(rule.troubles, ()))
    best, best_why, best_spans = 0.0, "", list[Span]()
    score = scores.get(index) or Score(rule)
    for value in values:
        things = [span for span in found.get(value.things, ()) if span in whole]
        own = longest(found.get(value.troubles, ()))
        if rule.affirmed:
            own = [span for span in own if not denied(plain, span)]
        weight, thing, trouble = _closest(plain, things, own, common)
        if not weight or (rule.affirmed and weight < NEAR):  # danger is not pieced together
            continue
        mine = 0.15 if trouble in own else 0.0
        named = _length(thing) / 50 - (thing[0] / 5000 if thing else 0)
        score.values[value.name] = score.values.get(value.name, 0) + weight + mine + named
        if weight + mine > best:
            best = weight + mine
            best_spans = [span for span in (thing, trouble) if span]
            best_why = "".join(f"「{plain[s:e]}」" for s, e in best_spans) + f"（{value.name}）"
    if not best and common and not rule.affirmed:
        best, best_spans = COMMON_ALONE, common[:1]
        best_why = f"「{plain[slice(*common[0])]}」"
    if best:
        scores[index] = score
        score.plus.append(min(best, 0.92))
        score.why.append(f"说到：{best_why}")
        score.spans.extend(best_spans)


def _length(span: Span | None) -> int:
    return span[1] - span[0] if span else 0


def _closest(
    plain: str, things: list[Span], own: list[Span], common: list[Span]
) -> tuple[float, Span | None, Span | None]:
    """The strongest pair of a thing and a trouble."""
    best: tuple[float, Span | None, Span | None] = (0.0, None, None)
    for troubles in (own[:20], common[:20]):
        for thing in things[:20]:
            for trouble in troubles:
                if trouble[0] >= thing[0] and trouble[1] <= thing[1]:
                    continue
                weight = _pair_weight(plain, thing, trouble)
                if weight > best[0]:
                    best = (weight, thing, trouble)
    if best[0]:
        return best
    if own:
        longer = max(own, key=_length)
        return (TROUBLE_ALONE if _length(longer) > 1 else THING_ALONE), None, longer
    return (THING_ALONE, things[0], None) if things else best


def _pair_weight(plain: str, thing: Span, trouble: Span) -> float:
    if min(_length(thing), _length(trouble)) > 1:
        return NEAR if _near(plain, thing, trouble, _REACH) else FAR
    return SHORT if _near(plain, thing, trouble, _SHORT_REACH) else THING_ALONE


def _near(plain: str, one: Span, other: Span, reach: int) -> bool:
    first, second = sorted((one, other))
    between = plain[first[1] : second[0]]
    return len(between) <= reach and not STOPS & set(between)


def denied(plain: str, span: Span) -> bool:
    """Whether the words just before unsay it."""
    before = plain[max(0, span[0] - 4) : span[0]]
    return before.endswith(_DENIALS) and not before.endswith(("有没有", "要没", "不会没"))
