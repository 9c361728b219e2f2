"""Text in, meaning out: danger first, then commands and what the models rank first, in items."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from nlp import rules, segment
from nlp.fill import Filler
from nlp.lexicon import Lexicon
from nlp.linear import Linear
from nlp.meaning import Intent, Item, Meaning
from nlp.normal import Normaliser
from nlp.ranker import INTENTS, STATED, VALUES, Ranker, Thought, confidence
from nlp.reading import Reading
from nlp.requests import split
from nlp.rules import Rule, RuleBook, RuleError
from nlp.score import MOST, Scorer
from nlp.script import is_traditional
from nlp.tagger import SPANS, Tagger
from nlp.vocabulary import Vocabulary

__all__ = ["RuleError", "Understanding"]

DANGER = "emergency.report"
#: What a command adds to what the models say of its intent; that it is one decides where they are not sure.
_COMMAND = 0.4
#: How far the best must be ahead of the next, and its score at the least, or we ask: below, fewer than one in
#: two is right on lines that were not taught. What is offered then scores so much.
MARGIN, FLOOR, NEAR = 0.12, -0.45, -0.5
#: A text of which less is known is noise. Of what people write nine hundred and ninety-nine in a thousand
#: have more.
KNOWN = 0.5
#: Danger: what a point of the rules adds to the models' lead, and takes away; what they only hint at counts
#: for nothing. Where together they are above the floor, we act: a danger missed is worse than a false alarm.
#: In a group, where nobody asked us, the models' lead alone must be so large; nowhere is a text danger that
#: scores less than this.
_FOR_DANGER, _AGAINST_DANGER, _HINT = 0.4, 0.25, 0.6
DANGER_FLOOR, DANGER_IN_GROUP, DANGER_SCORE = 0.04, 0.75, -0.6
#: In a group, where nobody asked us, a request must be so clear to be taken for one, and so clear to be
#: answered; a few characters hardly ever are.
CLEAR, TO_ANSWER, _FEW = 8.8, 10.0, 6
#: The weight of one plain statement; so many candidates are kept.
_SURE, _CANDIDATES = 1.8, 8
#: A message longer than this is pasted, not said: intents are sought in its beginning, danger in all of it.
SAID = 1000
#: Slots are sought in no more than this, danger in no more than ten times this.
LONGEST = 2000
#: Whoever names us in a group talks to us, not to the group.
_ADDRESSED = re.compile(r"@(?:邻里|小邻|小助手|社区小助手|物业机器人|机器人|物业)")
_PIECE = 400
#: A name and an address: who is not known yet is so by them, who is corrects something.
_ALIKE = frozenset({"inform", "profile.bind"})
#: Never a request of its own beside another.
_NOT_ANOTHER = frozenset({"none", "inform", "smalltalk", "ticket.reopen", "ticket.confirm"})
#: More requests than this in one message are a list of something else.
_PARTS = 8


@dataclass(frozen=True)
class Ranked:
    """What a text may mean, best first, each with its score; and the score of silence."""

    order: tuple[tuple[float, Intent], ...]
    silence: float

    @property
    def margin(self) -> float:
        """How far the best is ahead of the next."""
        return self.order[0][0] - self.order[1][0] if len(self.order) > 1 else 1.0

    @property
    def best(self) -> Intent:
        """What is meant most likely."""
        return self.order[0][1] if self.order else "none"

    @property
    def sure(self) -> bool:
        """Whether the best clears floor and margin; of two that come to the same, either will do."""
        if self.order[0][0] < FLOOR:
            return False
        others = [score for score, name in self.order[1:] if {name, self.best} != _ALIKE]
        return not others or self.order[0][0] - others[0] >= MARGIN

    def over(self, intent: Intent) -> float:
        """How far an intent is ahead of the best other one."""
        mine = next((score for score, name in self.order if name == intent), self.silence)
        return mine - max((score for score, name in self.order if name != intent), default=mine - 1.0)


class Understanding:
    """Rules and models made ready. Safe to share between threads; no state between messages."""

    def __init__(self, book: RuleBook, vocabulary: Vocabulary, ranker: Ranker, tagger: Tagger) -> None:
        self._book = book
        self._rules = {rule.intent: rule for rule in book.rules}
        #: what somebody of a role cannot mean; danger is decided apart
        self._not_by = {
            role: [DANGER, *(rule.intent for rule in book.rules if role not in rule.roles)]
            for role in rules.ROLES
        }
        self._internal = [rule for rule in book.rules if rule.intent != rule.public]
        self._normal = Normaliser(book.misspellings, {*book.sounding, *vocabulary.places})
        names: dict[str, set[str]] = {name: {name} for name in book.names() if name[0] not in "<{"}
        for name, words in book.classes.items():
            names.setdefault(name, set()).update(self._normal(word) for word in words)
        names.setdefault("<place>", set()).update(self._normal(place) for place in vocabulary.places)
        for canonical, synonyms in vocabulary.words.items():
            word = self._normal(canonical)
            for name in [n for n, known in names.items() if word in known]:
                names[name].update(self._normal(synonym) for synonym in synonyms)
        self._lexicon = Lexicon({name: sorted(filter(None, words)) for name, words in names.items()})
        self._scorer = Scorer(book)
        self._ranker = ranker
        self._fill = Filler(book, ranker, tagger)
        self.intents: frozenset[Intent] = frozenset(self._rules)
        #: may be answered in a group where nobody asked us: danger, and a clear request for service
        self.unasked: frozenset[Intent] = frozenset(rule.intent for rule in book.rules if rule.group)
        #: understood, but nothing is done for them yet
        self.later: frozenset[Intent] = frozenset(rule.intent for rule in book.rules if rule.later)

    @classmethod
    def load(cls, vocabulary: Vocabulary | None = None, folder: Path | None = None) -> Understanding:
        """Reads the rules; RuleError, a line a fault, where they cannot be used."""
        book = rules.load(folder)
        if folder is not None:  # rules alone
            return cls(book, vocabulary or Vocabulary(), Ranker.empty(), Tagger.empty())
        return cls(book, vocabulary or Vocabulary(), Ranker.load(), Tagger.load())

    @classmethod
    def untrained(cls) -> Understanding:
        """The rules without the models, to train these."""
        return cls(rules.load(), Vocabulary(), Ranker.empty(), Tagger.empty())

    @classmethod
    def trained(cls, tables: Mapping[str, Linear], vocabulary: Vocabulary | None = None) -> Understanding:
        """The rules with these tables for models."""
        ranker = Ranker(tables[INTENTS], tables[VALUES], tables[STATED])
        return cls(rules.load(), vocabulary or Vocabulary(), ranker, Tagger(tables[SPANS]))

    def slots_of(self, intent: Intent) -> tuple[str, ...]:
        rule = self._rules.get(intent)
        return rule.slots if rule else ()

    def values_of(self, intent: Intent) -> tuple[str, ...]:
        """The values of the enum of an intent."""
        rule = self._rules.get(intent)
        return tuple(value.name for value in rule.values) if rule else ()

    def public(self, intent: Intent) -> Intent:
        """The contract's word for an intent; an internal one has another."""
        rule = self._rules.get(intent)
        return rule.public if rule else intent

    def say(self, intent: Intent) -> str:
        """What an intent is called in Chinese."""
        rule = self._rules.get(intent)
        return rule.say if rule else intent

    def examples(self, intent: Intent) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The example lines of an intent: private ones, then group ones."""
        rule = self._rules[intent]
        return rule.examples, rule.group_examples

    def speaker(self, intent: Intent) -> str:
        """The role of whoever says the examples of an intent."""
        return self._rules[intent].speaker

    def plain(self, text: str) -> str:
        """The text in the form that rules read."""
        return self._normal(text)

    def commands(self) -> set[tuple[Intent, str]]:
        """Every command, as its rule and its pattern."""
        return {
            (rule.intent, evidence.pattern.text)
            for rule in self._book.rules
            for evidence in rule.evidence
            if evidence.level == "whole"
        }

    def said(self, text: str, now: datetime) -> set[tuple[Intent, str]]:
        """The commands that a text is the whole of, whoever says it."""
        reading = self._read(text, now)
        return {
            (rule.intent, evidence.pattern.text)
            for rule, evidence in self._scorer.candidates(reading)
            if evidence.pattern.match(reading.scene)
        }

    def roles(self, intent: Intent) -> frozenset[str]:
        return self._rules[intent].roles

    def understand(self, text: str, *, now: datetime, group: bool = False, role: str = "resident") -> Meaning:
        """What the text means at `now` (naive, local time). Any text has a meaning, if only `none`."""
        text = text[: LONGEST * 10]
        said = text[:SAID]
        traditional = is_traditional(said)
        group = group and not _ADDRESSED.search(said)
        reading = self._read(said, now)
        features = reading.features(role, group)
        thought = self._ranker.think(features)
        danger = self._danger(reading, thought, features, group)
        if danger is None and len(text) > SAID:
            danger = self._danger_behind(text, now, role, group)
        if danger is not None:
            return Meaning((danger,), True, (), traditional)
        ranked = self._rank(reading, thought, role)
        nearest = tuple(
            name for score, name in ranked.order if score > NEAR and name not in ("none", DANGER)
        )[:3]
        best = ranked.best
        if best == "none" or best not in self._rules or thought.known < KNOWN:
            silent = Item("none", round(confidence(ranked.over("none")), 3), {}, text)
            return Meaning((silent,), False, nearest, traditional)
        item = self._item(best, ranked, reading, features)
        clear = TO_ANSWER if best in self.unasked else CLEAR
        if group and self._clearness(item, ranked, thought, reading) < clear:
            silent = Item("none", round(1.0 - item.confidence, 3), {}, text)
            return Meaning((silent,), False, nearest, traditional)
        if not group and not ranked.sure:
            return Meaning((Item("none", 0.5, {}, text),), False, nearest, traditional, item)
        return Meaning(self._several(reading, now, role) or (item,), True, nearest, traditional)

    def find(self, name: str, text: str, *, now: datetime) -> list[Any]:
        """Every value of a slot in the text, whatever the intent, ready for JSON."""
        reading = self._read(text[:LONGEST], now)
        return self._fill.values(name, reading, self._ranker.think(reading.features("resident", False)))

    def value(self, intent: Intent, slot: str, text: str, *, now: datetime) -> str | None:
        """Which value of the intent's enum a text names that answers the question for it."""
        reading = self._read(text[:SAID], now)
        value = self._ranker.value(self.public(intent), reading.features("resident", False), slot)
        return value if value in self.values_of(intent) else None

    def moments(self, text: str, *, now: datetime) -> list[dict[str, object]]:
        """Everything said of time, durations and recurrences too, each with its span, ready for JSON."""
        return [one.write() for one in self._read(text[:LONGEST], now).moments]

    def explain(self, text: str, *, now: datetime, group: bool = False, role: str = "resident") -> str:
        """Why the text means what it means, for people who write rules."""
        meaning = self.understand(text, now=now, group=group, role=role)
        lines = []
        for item in meaning.items:
            lines.append(
                f"意思：{self.say(item.intent)} {self.public(item.intent)}（把握 {item.confidence:.2f}）"
            )
            if item.brief:
                lines.append(f"  事由：{item.brief}")
            lines.extend(f"  {name}：{value}" for name, value in item.slots.items())
            lines.extend(f"  依据 {line}" for line in self._why(item, now, group, role))
        if not meaning.sure and meaning.nearest:
            lines.append("最接近：" + "、".join(f"{self.say(i)} {i}" for i in meaning.nearest))
        if segment.ready():
            lines.append("分词：" + " / ".join(segment.cut(text[:SAID])))
        return "\n".join(lines)

    def _why(self, item: Item, now: datetime, group: bool, role: str) -> list[str]:
        """What speaks for an item: its rule's evidence, and the pieces of text that its model weighs most."""
        reading = self._read(item.text[:SAID], now)
        rule = self._rules.get(item.intent)
        why = self._scorer.score(rule, reading).why if rule else []
        pieces = self._ranker.reasons(self.public(item.intent), reading.features(role, group))
        return [*why, *(["像这个意思的字词：" + "、".join(f"「{p}」" for p in pieces)] if pieces else [])]

    def read(self, text: str, now: datetime) -> Reading:
        """The text as it is read, for training."""
        return self._read(text[:SAID], now)

    def _read(self, text: str, now: datetime) -> Reading:
        return Reading(text, self._normal(text), now, self._lexicon)

    def _danger(self, reading: Reading, thought: Thought, features: list[str], group: bool) -> Item | None:
        """The danger that rules and models together hear, if they do."""
        rule, lead = self._rules.get(DANGER), thought.lead(DANGER)
        hopeless = lead + _FOR_DANGER * MOST < DANGER_FLOOR or thought.scores.get(DANGER, 0.0) < DANGER_SCORE
        if rule is None or hopeless:
            return None
        score = self._scorer.score(rule, reading)
        if group and lead < DANGER_IN_GROUP:
            return None
        total = lead + _AGAINST_DANGER * min(score.weight, 0.0)
        if score.weight >= _HINT:
            total += _FOR_DANGER * score.weight
        if total < DANGER_FLOOR:
            return None
        slots, brief = self._fill(rule, reading, features, score)
        return Item(DANGER, round(confidence(total - DANGER_FLOOR), 3), slots, reading.text, brief)

    def _danger_behind(self, text: str, now: datetime, role: str, group: bool) -> Item | None:
        """Danger behind the beginning of a long text, in overlapping pieces: talk in one excuses no other."""
        for at in range(SAID - 50, len(text), _PIECE - 50):
            reading = self._read(text[at : at + _PIECE], now)
            features = reading.features(role, group)
            danger = self._danger(reading, self._ranker.think(features), features, group)
            if danger is not None:
                return danger
        return None

    def _rank(self, reading: Reading, thought: Thought, role: str) -> Ranked:
        """Every intent that this speaker may mean; a command is one beyond doubt."""
        scores = dict(thought.scores)
        for intent in self._not_by.get(role, (DANGER,)):
            scores.pop(intent, None)
        first = max(scores.values(), default=0.0)
        for intent in self._scorer.commands(reading):
            rule = self._rules[intent]
            if role in rule.roles and intent != DANGER:
                scores[intent] = scores.get(intent, first) + _COMMAND
        for rule in self._internal:  # the models never heard of these
            if role in rule.roles and rule.intent not in scores and self._says(rule, reading):
                scores[rule.intent] = first + _COMMAND
        order = sorted(((score, name) for name, score in scores.items()), reverse=True)
        return Ranked(tuple(order[:_CANDIDATES]), scores.get("none", 0.0))

    def _says(self, rule: Rule, reading: Reading) -> bool:
        return self._scorer.touches(rule, reading) and self._scorer.score(rule, reading).weight >= _SURE

    def _clearness(self, item: Item, ranked: Ranked, thought: Thought, reading: Reading) -> float:
        """How clear it is that a message in a group, where nobody asked us, wants this of somebody.

        A logistic regression with few weights, calibrated on lines of chatter; what the intent's `hush` takes
        away is calibrated with it.
        """
        score, words = ranked.order[0][0], sum(name[0] == "<" for name in reading.found)
        return (
            1.0 * (score - ranked.silence)
            + 1.2 * score
            + 0.8 * ranked.margin
            + 4.4 * thought.known
            + 1.3 * len(item.slots)
            + 0.8 * math.log1p(words)
            + 0.6 * math.log1p(len(reading.plain))
            - 1.1 * (len(reading.plain) < _FEW)
            - self._rules[item.intent].hush
        )

    def _several(self, reading: Reading, now: datetime, role: str) -> tuple[Item, ...]:
        """Several requests of one message, in order; () where it is one."""
        items: list[Item] = []
        parts = split(reading.plain)
        for start, end in parts if 1 < len(parts) <= _PARTS else ():
            part = self._read(reading.text[start:end], now)
            features = part.features(role, False)
            ranked = self._rank(part, self._ranker.think(features), role)
            best = ranked.best
            if best not in self._rules or best in _NOT_ANOTHER or not ranked.sure:
                return ()
            items.append(self._item(best, ranked, part, features))
        if len(items) < 2 or not _apart(items):
            return ()
        return _share(items)

    def _item(self, intent: Intent, ranked: Ranked, reading: Reading, features: list[str]) -> Item:
        rule = self._rules[intent]
        score = self._scorer.score(rule, reading) if rule.brief else None
        slots, brief = self._fill(rule, reading, features, score)
        return Item(intent, round(confidence(ranked.over(intent)), 3), slots, reading.text, brief)


def _apart(items: list[Item]) -> bool:
    """Whether neighbours are different requests: another intent, another kind of thing, another place."""
    seen = [
        (item.intent, item.slots.get("category"), item.slots.get("location", {}).get("place"))
        for item in items
    ]
    return all(
        one != other and (one[:2] != other[:2] or None not in (one[2], other[2]))
        for one, other in pairwise(seen)
    )


def _share(items: list[Item]) -> tuple[Item, ...]:
    """An address, a name, a phone said once hold for all."""
    home: dict[str, Any] = {}
    common: dict[str, Any] = {}
    for item in items:
        where: Mapping[str, str] = item.slots.get("location", {})
        home.update({k: v for k, v in where.items() if k != "place" and k not in home})
        common.update(
            {k: item.slots[k] for k in ("name", "phone", "time") if k in item.slots and k not in common}
        )
    shared = []
    for item in items:
        slots = dict(item.slots)
        where = {**home, **slots.get("location", {})}
        if where and item.intent in {"repair.report", "complaint.file", "housekeeping.book"}:
            slots["location"] = where
            slots.update({k: v for k, v in common.items() if k not in slots})
        shared.append(Item(item.intent, item.confidence, slots, item.text, item.brief))
    return tuple(shared)
