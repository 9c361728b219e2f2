"""Text in, meaning out: danger first, then the rule that most speaks for, one or several requests."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from nlp import rules, segment
from nlp.fill import fill, values
from nlp.lexicon import Lexicon
from nlp.meaning import Intent, Item, Meaning
from nlp.normal import Normaliser
from nlp.opinion import Found, Opinion, Thought
from nlp.reading import Reading
from nlp.requests import split
from nlp.rules import Rule, RuleBook, RuleError
from nlp.score import Score, Scorer
from nlp.script import is_traditional
from nlp.vocabulary import Vocabulary

__all__ = ["RuleError", "Understanding"]

log = logging.getLogger(__name__)

DANGER = "emergency.report"
#: At least this much must speak for an intent.
FLOOR = 0.35
#: In a group, where nobody asked us, rules and the second opinion must both be for it: at least so much of
#: each, measured on chatter that wants nothing of us. For danger their sum counts.
GROUP_REQUEST = ((1.9, 0.8), (1.0, 2.0))
GROUP_DANGER = 2.1
#: What the second opinion on the kind of a danger weighs beside the rules'.
_KIND = 1.2
#: And this much more than for the next one.
MARGIN = 0.1
#: A message longer than this is pasted, not said: intents are sought in its beginning, danger in all of it.
SAID = 1000
#: Slots are sought in no more than this, danger in no more than ten times this.
LONGEST = 2000
#: Whoever names us in a group talks to us, not to the group.
#: What one point of lead of the second opinion weighs, and the most that its lead may be.
_TRUST, _CLEAR = 4.0, 1.0
#: Where danger is asked: what its lead weighs beside its odds, how far we lean to alarm (97 of 100 dangers of
#: lines that it was not taught are heard so), and how far it may doubt or urge.
_LEAD, _CARE, _DISSENT, _ASSENT = 2.0, 1.5, -4.5, 4.0
_ADDRESSED = re.compile(r"@(?:邻里|小邻|小助手|社区小助手|物业机器人|机器人|物业)")
_PIECE = 400
#: More requests than this in one message are a list of something else.
_PARTS = 8


class Understanding:
    """Rules made ready. Safe to share between threads; no state between messages."""

    def __init__(self, book: RuleBook, vocabulary: Vocabulary, opinion: Opinion) -> None:
        self._book = book
        self._rules = {rule.intent: rule for rule in book.rules}
        self._normal = Normaliser(book.misspellings)
        names: dict[str, set[str]] = {name: {name} for name in book.names() if name[0] not in "<{"}
        for name, words in book.classes.items():
            names.setdefault(name, set()).update(self._normal(word) for word in words)
        names.setdefault("<place>", set()).update(self._normal(place) for place in vocabulary.places)
        for canonical, synonyms in vocabulary.words.items():
            word = self._normal(canonical)
            for name in [n for n, known in names.items() if word in known]:
                names[name].update(self._normal(synonym) for synonym in synonyms)
        self._lexicon = Lexicon({name: sorted(filter(None, words)) for name, words in names.items()})
        self._scorer = Scorer(book, DANGER)
        self._opinion = opinion
        self._public = {rule.public for rule in book.rules if not rule.elsewhere}
        self.intents: frozenset[Intent] = frozenset(rule.intent for rule in book.rules if not rule.elsewhere)

    @classmethod
    def load(cls, vocabulary: Vocabulary | None = None, folder: Path | None = None) -> Understanding:
        """Reads the rules; RuleError, a line a fault, where they cannot be used."""
        return cls(
            rules.load(folder),
            vocabulary or Vocabulary(),
            Opinion.load() if folder is None else Opinion(),
        )

    def public(self, intent: Intent) -> Intent:
        """The contract's word for an intent; an internal one has another."""
        rule = self._rules.get(intent)
        return rule.public if rule else intent

    def examples(self, intent: Intent) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The example lines of an intent: private ones, then group ones."""
        rule = self._rules[intent]
        return rule.examples, rule.group_examples

    def roles(self, intent: Intent) -> frozenset[str]:
        return self._rules[intent].roles

    def understand(self, text: str, *, now: datetime, group: bool = False, role: str = "resident") -> Meaning:
        """What the text means at `now` (naive, local time). Any text has a meaning, if only `none`."""
        text = text[: LONGEST * 10]
        said = text[:SAID]
        traditional = is_traditional(said)
        group = group and not _ADDRESSED.search(said)
        reading = self._read(said, now)
        danger = self._danger(reading, text, now, group, role)
        if danger is not None:
            return Meaning((danger,), True, (), traditional)
        scores = self._fitting(reading, role, group)
        nearest = self._nearest(scores)
        best = self._winner(scores, group)
        if best is None:
            why = tuple(line for score in scores[:2] for line in score.why)
            confidence = round(max(0.0, 1.0 - (scores[0].total if scores else 0.0)), 3)
            return Meaning((Item("none", confidence, {}, text, "", why),), False, nearest, traditional)
        items = self._several(reading, now, group, role) or (self._item(best, reading),)
        return Meaning(items, True, nearest, traditional)

    def find(self, name: str, text: str, *, now: datetime) -> list[Any]:
        """Every value of a slot in the text, whatever the intent, ready for JSON."""
        return values(name, self._read(text[:LONGEST], now), self._book)

    def moments(self, text: str, *, now: datetime) -> list[dict[str, object]]:
        """Everything said of time, durations and recurrences too, each with its span, ready for JSON."""
        return [one.write() for one in self._read(text[:LONGEST], now).moments]

    def explain(self, text: str, *, now: datetime, group: bool = False, role: str = "resident") -> str:
        """Why the text means what it means, for people who write rules."""
        meaning = self.understand(text, now=now, group=group, role=role)
        lines = []
        for item in meaning.items:
            lines.append(f"意思：{self.public(item.intent)}（把握 {item.confidence:.2f}）")
            if item.brief:
                lines.append(f"  事由：{item.brief}")
            lines.extend(f"  {name}：{value}" for name, value in item.slots.items())
            lines.extend(f"  依据 {line}" for line in item.why)
        if not meaning.sure and meaning.nearest:
            lines.append("最接近：" + "、".join(meaning.nearest))
        if segment.ready():
            lines.append("分词：" + " / ".join(segment.cut(text[:SAID])))
        return "\n".join(lines)

    def read_classes(self, text: str, now: datetime) -> tuple[str, Found]:
        """What the second opinion is taught on: the normal form of a text, and the known words in it."""
        reading = self._read(text[:SAID], now)
        return reading.plain, reading.found

    def _read(self, text: str, now: datetime) -> Reading:
        return Reading(text, self._normal(text), now, self._lexicon)

    def _danger(self, said: Reading, text: str, now: datetime, group: bool, role: str) -> Item | None:
        """Danger anywhere. A long text is read in overlapping pieces: talk in one excuses no other."""
        reading, at = said, SAID - 50
        rule = self._rules.get(DANGER)
        while rule:
            score = next(iter(self._scorer.score(reading, danger=True)), None) or Score(rule)
            thought = self._think(reading, role, group)
            lead = thought.leads.get(DANGER, 0.0)
            urge = thought.danger + _LEAD * lead + _CARE if thought.leads else 0.0
            score.second = max(_DISSENT, min(_ASSENT, urge))
            if score.total >= FLOOR and (not group or score.weight >= GROUP_DANGER):
                kind = thought.kind or "danger"
                score.values[kind] = score.values.get(kind, 0.0) + _KIND
                return self._item(score, reading)
            if at >= len(text) or len(text) <= SAID:
                break
            reading, at = self._read(text[at : at + _PIECE], now), at + _PIECE - 50
            reading.thought = Thought()  # the second opinion is on what was said, not on what was pasted
        return None

    def _think(self, reading: Reading, role: str, group: bool) -> Thought:
        if reading.thought is None:
            reading.thought = self._opinion.think(reading.plain, reading.found, role, group)
        return reading.thought

    def _fitting(self, reading: Reading, role: str, group: bool) -> list[Score]:
        """Every intent that this speaker may mean, with what rules and the second opinion say; best first."""
        leads = self._think(reading, role, group).leads
        scores = {s.rule.intent: s for s in self._scorer.score(reading) if role in s.rule.roles}
        first = max(leads, key=leads.__getitem__, default="")
        rule = self._rules.get(first)
        if rule and first != DANGER and role in rule.roles:
            scores.setdefault(first, Score(rule))
        elsewhere = leads[first] if first and first not in self._public else 0.0
        if elsewhere > 0 and not any(s.rule.elsewhere for s in scores.values()):
            scores["elsewhere"] = Score(Rule("elsewhere.other", public="none", elsewhere=True))
        for score in scores.values():
            score.second = _TRUST * max(-_CLEAR, min(_CLEAR, self._on(score.rule, leads, elsewhere, first)))
        found = [s for s in scores.values() if s.total > 0]
        return sorted(found, key=lambda s: (s.total > 0.4, s.weight), reverse=True)

    @staticmethod
    def _on(rule: Rule, leads: Mapping[str, float], elsewhere: float, first: str) -> float:
        """The second opinion on a rule. It never heard of internal intents, so it cannot doubt them."""
        if rule.elsewhere:
            return max(elsewhere, 0.0)
        if rule.intent != rule.public:
            return leads.get(first, 0.0)
        return leads.get(rule.intent, 0.0)

    @staticmethod
    def _nearest(scores: list[Score]) -> tuple[Intent, ...]:
        likely = [s.rule.intent for s in scores if not s.rule.elsewhere and s.total >= 0.2]
        return tuple(likely[:3])

    def _winner(self, scores: list[Score], group: bool) -> Score | None:
        """The first of the scores, where it clears floor and margin and may be acted on here."""
        if not scores or scores[0].rule.elsewhere:
            return None
        best = scores[0]
        if group and not (best.rule.group and _clear(best, GROUP_REQUEST)):
            return None
        if best.total < FLOOR:
            return None
        rivals = [s for s in scores[1:] if s.rule.public != best.rule.public]
        if rivals and best.weight - rivals[0].weight < MARGIN and rivals[0].rule.elsewhere:
            return None
        return best

    def _several(self, reading: Reading, now: datetime, group: bool, role: str) -> tuple[Item, ...]:
        """Several requests of one message, in order; () where it is one."""
        items: list[Item] = []
        parts = split(reading.plain)
        for start, end in parts if 1 < len(parts) <= _PARTS else ():
            part = self._read(reading.text[start:end], now)
            best = self._winner(self._fitting(part, role, group), group=False)
            if best is None or (group and not best.rule.group):
                return ()
            items.append(self._item(best, part))
        if len(items) < 2 or not _apart(items):
            return ()
        return _share(items)

    def _item(self, score: Score, reading: Reading) -> Item:
        rule: Rule = score.rule
        slots, brief = fill(rule, score, reading, self._book)
        return Item(
            rule.intent, round(min(score.total, 1.0), 3), slots, reading.text, brief, tuple(score.why)
        )


def _clear(score: Score, bounds: tuple[tuple[float, float], ...]) -> bool:
    return score.solid and any(score.rules >= rules and score.second >= second for rules, second in bounds)


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
        shared.append(Item(item.intent, item.confidence, slots, item.text, item.brief, item.why))
    return tuple(shared)
