"""How strongly a text speaks for each rule, and why."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
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
#: A command made of slots alone is no longer than this.
_COMMAND = 20
#: In front of a word, these deny it: 没冒烟, 不是漏气. Asked (有没有煤气味) it stays affirmed.
_DENIALS = (
    *("没有", "没", "不是", "不会", "无", "未", "并非", "没见", "没闻到", "不算", "别", "没在", "防", "怕"),
    *("没什么", "没啥", "没人", "非"),
)
#: The most that rules weigh, for or against.
MOST = 4.0
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
    why: list[str] = field(default_factory=list)
    #: where things and troubles stood, for the brief
    spans: list[Span] = field(default_factory=list)

    @cached_property
    def weight(self) -> float:
        """The evidence as a sum of logarithms: independent pieces add up as doubts multiply, what speaks
        against takes away. Asked when all evidence is in."""
        doubt = math.prod([1.0 - plus for plus in self.plus])
        return max(-MOST, min(MOST, -math.log(doubt) if doubt > 0 else MOST) - self.minus)


class _Woken(NamedTuple):
    """Evidence whose trigger may stand in a text; `order` keeps reasons in the order of the files."""

    order: int
    evidence: Evidence


class _Index:
    """The evidence of one rule by the names that wake it."""

    def __init__(self, evidence: Iterable[Evidence]) -> None:
        self.by_name: dict[str, list[_Woken]] = {}
        self.by_slot: dict[str, list[_Woken]] = {}
        for order, one in enumerate(evidence):
            for name in one.pattern.trigger().names:
                by = self.by_slot if name[0] == "{" else self.by_name
                by.setdefault(name, []).append(_Woken(order, one))


class Scorer:
    """Knows all rules by the words that wake them, so that a text pays only for the rules it touches."""

    def __init__(self, book: RuleBook) -> None:
        self._indexes = {rule.intent: _Index(rule.evidence) for rule in book.rules}
        self._by_name: dict[str, list[tuple[Rule, Evidence]]] = {}
        self._by_slot: dict[str, list[tuple[Rule, Evidence]]] = {}
        for rule in book.rules:
            for evidence in rule.evidence:
                if evidence.level == "whole":
                    for name in evidence.pattern.trigger().names:
                        by = self._by_slot if name[0] == "{" else self._by_name
                        by.setdefault(name, []).append((rule, evidence))

    def commands(self, reading: Reading) -> dict[str, Evidence]:
        """The rules of which a text is the whole of what they say, by intent."""
        said: dict[str, Evidence] = {}
        for rule, evidence in self.candidates(reading):
            if rule.intent not in said and evidence.pattern.match(reading.scene):
                said[rule.intent] = evidence
        return said

    def candidates(self, reading: Reading) -> Iterator[tuple[Rule, Evidence]]:
        """The commands that a word or slot of the text may be part of."""
        for name in reading.found.keys() & self._by_name.keys():
            yield from self._by_name[name]
        if len(reading.plain) <= _COMMAND:
            for name, several in self._by_slot.items():
                if reading.spans(name[1:-1]):
                    yield from several

    def touches(self, rule: Rule, reading: Reading) -> bool:
        """Whether a word of the rule's evidence stands in the text at all."""
        return not self._indexes[rule.intent].by_name.keys().isdisjoint(reading.found)

    def score(self, rule: Rule, reading: Reading) -> Score:
        """What speaks for and against one rule; its slots are looked for only where its words are there."""
        score, index = Score(rule), self._indexes[rule.intent]
        woken = {one.order: one for name in reading.found for one in index.by_name.get(name, ())}
        self._weigh(score, woken, reading)
        if score.plus or not woken:
            slots = {
                one.order: one
                for name, several in index.by_slot.items()
                if reading.spans(name[1:-1])
                for one in several
            }
            self._weigh(score, slots, reading)
        touched = [v for v in rule.values if v.things in reading.found or v.troubles in reading.found]
        if touched or rule.troubles in reading.found:
            _pair(reading, score, touched or list(rule.values))
        return score

    @staticmethod
    def _weigh(score: Score, woken: dict[int, _Woken], reading: Reading) -> None:
        """Counts the evidence that holds, in the order of the files."""
        for order in sorted(woken):
            evidence = woken[order].evidence
            span = evidence.pattern.match(reading.scene)
            if span is None:
                continue
            if score.rule.affirmed and LEVELS[evidence.level] > 0 and denied(reading.plain, span):
                continue
            _count(score, evidence, span)


def _count(score: Score, evidence: Evidence, span: Span) -> None:
    weight = LEVELS[evidence.level]
    if weight > 0:
        score.plus.append(weight)
        if evidence.value:
            score.spans.append(span)
    else:
        score.minus -= weight
    of = f"（{evidence.value}）" if evidence.value else ""
    score.why.append(f"{_NAMES[evidence.level]}：{evidence.pattern.text}{of}")


def _pair(reading: Reading, score: Score, values: list[Value]) -> None:
    """Adds what things and troubles say together: once for the intent, and for each value by itself."""
    found, plain, rule = reading.found, reading.plain, score.rule
    whole = set(longest([span for value in values for span in found.get(value.things, ())]))
    common = longest(found.get(rule.troubles, ()))
    best, best_why, best_spans = 0.0, "", list[Span]()
    for value in values:
        things = [span for span in found.get(value.things, ()) if span in whole]
        own = longest(found.get(value.troubles, ()))
        if rule.affirmed:
            own = [span for span in own if not denied(plain, span)]
        weight, thing, trouble = _closest(plain, things, own, common)
        if not weight or (rule.affirmed and weight < NEAR):  # danger is not pieced together
            continue
        mine = 0.15 if trouble in own else 0.0
        if weight + mine > best:
            best = weight + mine
            best_spans = [span for span in (thing, trouble) if span]
            best_why = "".join(f"「{plain[s:e]}」" for s, e in best_spans) + f"（{value.name}）"
    if not best and common and not rule.affirmed:
        best, best_spans = COMMON_ALONE, common[:1]
        best_why = f"「{plain[slice(*common[0])]}」"
    if best:
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
