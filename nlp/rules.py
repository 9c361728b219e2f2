"""Rules are data: reads `nlp/intents/*.toml` and `nlp/words/*.toml`, and refuses what it cannot read."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nlp.patterns import Element, Pattern, PatternError, Whole

FOLDER = Path(__file__).parent

#: How much one piece of evidence says. `whole`: nothing else was said.
LEVELS = {
    "whole": 0.98,
    "sure": 0.85,
    "likely": 0.5,
    "hint": 0.25,
    "unlikely": -0.6,
    "hardly": -1.6,
    "never": -99.0,
}
ROLES = frozenset({"resident", "staff", "committee"})
SLOTS = frozenset(
    {"category", "kind", "location", "origin", "destination", "time", "rrule", "deadline", "duration_minutes"}
    | {"urgency", "phone", "name", "ref", "rating", "item", "price", "people", "plate", "audience", "body"}
    | {"title", "question", "options", "choice", "capacity", "assignee", "period"}
)
TIMES = frozenset({"any", "wanted", "visit", "happened", "changed"})
NUMBERS = frozenset({"ref", "room", "none"})
#: Wording is kept in the same files by others; it is not ours to judge.
_WORDING = frozenset({"prompts", "responses"})
_TOP_WORDING = frozenset({"notifications", "responses"})
_VALUED = ("category", "kind")
_KEYS = frozenset(
    {"say", "later", "speaker", "examples", "group_examples", "roles", "public", "slots", "number", "time"}
    | {"group", "affirmed", "brief", "places", "hush", "troubles"}
    | LEVELS.keys()
)


class RuleError(Exception):
    """Rules that cannot be used; one line a fault."""

    def __init__(self, faults: Iterable[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(self.faults))


@dataclass(frozen=True)
class Value:
    """What speaks for one value of the intent's enum: things, what may be wrong with them, whole phrases."""

    name: str
    things: str
    troubles: str


@dataclass(frozen=True)
class Evidence:
    """A pattern and what it speaks for."""

    level: str
    pattern: Pattern | Whole
    value: str | None = None


@dataclass(frozen=True)
class Rule:
    """How people say one intent."""

    intent: str
    examples: tuple[str, ...] = ()
    group_examples: tuple[str, ...] = ()
    roles: frozenset[str] = ROLES
    public: str = ""
    slots: tuple[str, ...] = ()
    number: str = "none"
    time: str = "any"
    group: bool = False
    affirmed: bool = False
    brief: bool = False
    enum: str = ""
    values: tuple[Value, ...] = ()
    troubles: str = ""
    evidence: tuple[Evidence, ...] = ()
    #: understood, but nothing is done for it yet
    later: bool = False
    #: in a group, where nobody asked us: how much clearer than others it must be
    hush: float = 0.0
    #: a place that is named is where it happened
    places: bool = False
    say: str = ""
    speaker: str = ""


_SOUNDING = frozenset({"things", "places", "categories"})


@dataclass
class RuleBook:
    """Everything read: rules, and classes of words by name."""

    rules: list[Rule] = field(default_factory=list)
    classes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    #: category -> name of the class of its things, also of categories whose intents have no rules yet
    categories: dict[str, str] = field(default_factory=dict)
    misspellings: dict[str, str] = field(default_factory=dict)
    #: nouns and deeds that are known by their sound as well
    sounding: set[str] = field(default_factory=set)

    def names(self) -> Iterator[str]:
        for rule in self.rules:
            for evidence in rule.evidence:
                for element in evidence.pattern.elements():
                    yield from element.names


class _Reader:
    def __init__(self) -> None:
        self.book = RuleBook()
        self.faults: list[str] = []

    def fault(self, where: str, what: str) -> None:
        self.faults.append(f"{where}: {what}")

    def tables(self, path: Path) -> Mapping[str, Any]:
        try:
            return tomllib.loads(path.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            self.fault(path.name, f"不是合法的 TOML / not TOML: {error}")
            return {}

    def strings(self, where: str, key: str, value: object) -> tuple[str, ...]:
        if isinstance(value, list) and all(isinstance(item, str) and item.strip() for item in value):
            return tuple(value)
        self.fault(where, f"{key} 应是一串非空文字 / must be a list of texts")
        return ()

    def words_of(self, where: str, value: object) -> tuple[str, ...]:
        """A list of words, or many of them in one text with blanks between."""
        return tuple(value.split()) if isinstance(value, str) else self.strings(where, "words", value)

    def words(self, path: Path) -> None:
        for name, table in self.tables(path).items():
            where = f"{path.name} [{name}]"
            if not isinstance(table, dict):
                self.fault(where, "应是一个表 / must be a table")
            elif path.stem == "misspellings":
                for wrong, right in table.items():
                    if not isinstance(right, str) or len(wrong) != len(right):
                        self.fault(where, f"{wrong} 与 {right} 字数不同 / differ in length")
                    else:
                        self.book.misspellings[wrong] = right
            elif set(table) != {"words"}:
                self.fault(where, "只能有 words / only `words` is known")
            else:
                words = self.words_of(where, table["words"])
                self.book.classes[f"<{name}>"] = (*self.book.classes.get(f"<{name}>", ()), *words)
                if path.stem in _SOUNDING:
                    self.book.sounding.update(words)
                if path.stem == "categories":
                    self.book.categories[name] = f"<{name}>"

    def topic(self, path: Path) -> None:
        for name, table in self.tables(path).items():
            if name in _TOP_WORDING:
                continue
            intent = path.stem if name == path.stem else f"{path.stem}.{name}"
            if isinstance(table, dict):
                if set(table) - _WORDING:  # wording alone makes no rule
                    self.rule(path.name, intent, table)
            else:
                self.fault(f"{path.name} {name}", "不认识 / unknown key")

    def rule(self, file: str, intent: str, table: Mapping[str, Any]) -> None:
        where = f"{file} [{intent.partition('.')[2] or intent}]"
        evidence: list[Evidence] = []
        values: list[Value] = []
        enum = troubles = ""
        given: dict[str, Any] = {}
        for key, value in table.items():
            if key in _WORDING:
                continue
            if key in _VALUED and isinstance(value, dict):
                enum = key
                for name, sub in value.items():
                    values.append(self.value(f"{where[:-1]}.{key}.{name}]", intent, name, sub, evidence))
                    if key == "category":
                        self.book.categories[name] = values[-1].things
            elif key in LEVELS:
                evidence.extend(self.patterns(where, key, value, None))
            elif key == "troubles":
                troubles = f"<{intent} troubles>"
                self.book.classes[troubles] = self.strings(where, key, value)
            elif key in _KEYS:
                given[key] = value
            else:
                self.fault(where, f"不认识 / unknown key: {key}")
        self.book.rules.append(
            Rule(
                intent=intent,
                say=self.one(where, "say", given.get("say", intent)),
                speaker=self.one(where, "speaker", given.get("speaker", self.speaker(given)), ROLES),
                examples=self.strings(where, "examples", given.get("examples", [])),
                group_examples=self.strings(where, "group_examples", given.get("group_examples", [])),
                roles=self.among(where, "roles", given.get("roles", sorted(ROLES)), ROLES),
                public=self.one(where, "public", given.get("public", intent)),
                slots=tuple(s for s in given.get("slots", []) if s in self.among(where, "slots", [s], SLOTS)),
                number=self.one(where, "number", given.get("number", "none"), NUMBERS),
                time=self.one(where, "time", given.get("time", "any"), TIMES),
                later=self.flag(where, "later", given),
                places=self.flag(where, "places", given),
                hush=self.number(where, "hush", given),
                group=self.flag(where, "group", given),
                affirmed=self.flag(where, "affirmed", given),
                brief=self.flag(where, "brief", given),
                enum=enum,
                values=tuple(values),
                troubles=troubles,
                evidence=tuple(evidence),
            )
        )

    @staticmethod
    def speaker(given: Mapping[str, Any]) -> str:
        """Who says the examples, where it is not written: a resident, or whoever may say such a thing."""
        roles = given.get("roles", ROLES)
        return next((role for role in ("resident", "staff", "committee") if role in roles), "resident")

    def value(self, where: str, intent: str, name: str, table: object, evidence: list[Evidence]) -> Value:
        value = Value(name, f"<{intent}/{name}>", f"<{intent}/{name} troubles>")
        if not isinstance(table, dict):
            self.fault(where, "应是一个表 / must be a table")
            return value
        for key, content in table.items():
            if key == "things":
                self.book.classes[value.things] = self.strings(where, key, content)
            elif key == "troubles":
                self.book.classes[value.troubles] = self.strings(where, key, content)
            elif key in LEVELS:
                evidence.extend(self.patterns(where, key, content, name))
            else:
                self.fault(where, f"不认识 / unknown key: {key}")
        return value

    def patterns(self, where: str, level: str, texts: object, value: str | None) -> Iterator[Evidence]:
        for text in self.strings(where, level, texts):
            try:
                pattern: Pattern | Whole = Whole.parse(text) if level == "whole" else Pattern.parse(text)
            except PatternError:
                self.fault(where, f"{level} 里读不懂「{text}」/ cannot be read as a pattern")
                continue
            yield Evidence(level, pattern, value)

    def among(self, where: str, key: str, value: object, known: frozenset[str]) -> frozenset[str]:
        given = frozenset(self.strings(where, key, value))
        for item in sorted(given - known):
            self.fault(where, f"{key} 里不认识 / unknown: {item}")
        return given & known

    def one(self, where: str, key: str, value: object, known: frozenset[str] | None = None) -> str:
        if isinstance(value, str) and value and (known is None or value in known):
            return value
        self.fault(where, f"{key} 的值不认识 / unknown: {value!r}")
        return ""

    def number(self, where: str, key: str, given: Mapping[str, Any]) -> float:
        value = given.get(key, 0.0)
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.fault(where, f"{key} 应是数 / must be a number")
            return 0.0
        return float(value)

    def flag(self, where: str, key: str, given: Mapping[str, Any]) -> bool:
        value = given.get(key, False)
        if not isinstance(value, bool):
            self.fault(where, f"{key} 应是 true 或 false / must be a boolean")
        return value is True

    def check_names(self) -> None:
        known = set(self.book.classes) | {"<filler>", "<place>"}
        slots = {f"{{{s}}}" for s in (*SLOTS, "duration", "place", "clock", "address")}
        for rule in self.book.rules:
            for evidence in rule.evidence:
                for element in evidence.pattern.elements():
                    self._check(rule, evidence, element, known, slots)

    def _check(
        self, rule: Rule, evidence: Evidence, element: Element, known: set[str], slots: set[str]
    ) -> None:
        for name in element.names:
            if (name[0] == "<" and name not in known) or (name[0] == "{" and name not in slots):
                self.fault(rule.intent, f"「{evidence.pattern.text}」里没有 / unknown in a pattern: {name}")


def load(folder: Path | None = None) -> RuleBook:
    """All rules of a folder of topics, with the shared words; raises RuleError with every fault at once."""
    reader = _Reader()
    for path in sorted((FOLDER / "words").glob("*.toml")):
        reader.words(path)
    for path in sorted((folder or FOLDER / "intents").glob("*.toml")):
        reader.topic(path)
    reader.check_names()
    if reader.faults:
        raise RuleError(reader.faults)
    return reader.book
