"""The little language of rules: what must stand in a text, together, in order or as the whole of it.

    报修                the word occurs
    灯 不亮             both occur, in any order
    接..单              both occur, in this order, at most eight characters between, within one sentence
    催|催促             either occurs
    <water>             a word of the class occurs (nlp/words, things of a category)
    {ref}               a value of this slot occurs
    -进度               does not occur
    ^ and $             start and end of what is said, greetings and particles aside: ^接..{ref}, 接单$

A whole-message pattern is a sequence of elements separated by blanks, `?` behind one that may be missing,
`*` behind one that may be missing or repeated; the message must consist of just these and of fillers
(punctuation, 请, 吧, 了 …).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from nlp.lexicon import Span

GAP = 8
#: Ends a sentence: an ordered pattern does not reach across.
STOPS = frozenset("。!?;\n")

_ELEMENT = re.compile(r"^(?:[^\s<>{}?*]|<[^<>\s]+>|\{[a-z]+\})+[?*]?$")


class PatternError(ValueError):
    """A pattern that cannot be read; says what is wrong with it."""


@dataclass(frozen=True)
class Element:
    """One place in a pattern: any of `names` (words, `<class>`, `{slot}`)."""

    names: tuple[str, ...]
    optional: bool = False
    repeated: bool = False
    #: the names by how they are found: known words and classes, slots
    words: frozenset[str] = field(init=False, compare=False)
    slots: tuple[str, ...] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "words", frozenset(name for name in self.names if name[0] != "{"))
        object.__setattr__(self, "slots", tuple(name[1:-1] for name in self.names if name[0] == "{"))


def _element(text: str) -> Element:
    optional = text.endswith(("?", "*")) and len(text) > 1
    names = tuple((text[:-1] if optional else text).split("|"))
    if not all(names) or not _ELEMENT.match(text):
        raise PatternError(text)
    return Element(names, optional, text.endswith("*"))


def _cost(element: Element) -> tuple[bool, int]:
    """Words found already before slots that must be looked for; few before many."""
    return any(name[0] == "{" for name in element.names), len(element.names)


class Scene:
    """What was found in one text, as patterns ask for it."""

    def __init__(
        self,
        plain: str,
        found: Mapping[str, Sequence[Span]],
        slots: Callable[[str], Sequence[Span]],
    ) -> None:
        self.plain = plain
        self.found = found
        self._slots = slots
        self._fillers: dict[int, list[int]] | None = None
        self._spans: dict[tuple[str, ...], list[Span]] = {}

    def spans(self, element: Element) -> list[Span]:
        """Where the element stands, from left to right."""
        known = self._spans.get(element.names)
        if known is not None:
            return known
        spans: list[Span] = []
        for name in element.words & self.found.keys():
            spans.extend(self.found[name])
        for slot in element.slots:
            spans.extend(self._slots(slot))
        if len(spans) > 1:
            spans.sort()
        self._spans[element.names] = spans
        return spans

    def has(self, element: Element) -> bool:
        return not element.words.isdisjoint(self.found) or any(map(self._slots, element.slots))

    def skip(self, positions: set[int]) -> set[int]:
        """The positions, and all that can be reached from them over fillers alone."""
        if self._fillers is None:
            self._fillers = {}
            for start, end in self.found.get("<filler>", ()):
                self._fillers.setdefault(start, []).append(end)
            for index, char in enumerate(self.plain):
                if not char.isalnum() and char not in "#+-":
                    self._fillers.setdefault(index, []).append(index + 1)
        reached, todo = set(positions), list(positions)
        while todo:
            for end in self._fillers.get(todo.pop(), ()):
                if end not in reached:
                    reached.add(end)
                    todo.append(end)
        return reached


@dataclass(frozen=True)
class Pattern:
    """Evidence: sequences that must occur, elements that must not."""

    text: str
    chains: tuple[tuple[Element, ...], ...]
    absent: tuple[Element, ...] = ()
    first: bool = False
    last: bool = False

    @classmethod
    def parse(cls, text: str) -> Pattern:
        chains, absent, first, last = [], [], False, False
        for term in text.split():
            body = term
            if body.startswith("-") and len(body) > 1:
                absent.append(_element(body[1:]))
                continue
            if body.startswith("^"):
                first, body = True, body[1:]
            if body.endswith("$"):
                last, body = True, body[:-1]
            chains.append(tuple(_element(part) for part in body.split("..")))
        if not chains or ((first or last) and len(chains) > 1):
            raise PatternError(text)
        return cls(text, tuple(chains), tuple(absent), first, last)

    def elements(self) -> Iterable[Element]:
        for chain in self.chains:
            yield from chain
        yield from self.absent

    def trigger(self) -> Element:
        """The element to look the pattern up by."""
        return min((e for chain in self.chains for e in chain), key=_cost)

    def match(self, scene: Scene) -> Span | None:
        """Where the pattern stands, as the span of its first chain."""
        if any(scene.has(element) for element in self.absent):
            return None
        where: Span | None = None
        for chain in self.chains:
            span = self._chain(chain, scene)
            if span is None:
                return None
            where = where or span
        return where

    def _chain(self, chain: tuple[Element, ...], scene: Scene) -> Span | None:
        starts = scene.skip({0}) if self.first else None
        for begin, end in scene.spans(chain[0]):
            if starts is not None and begin not in starts:
                continue
            stop = self._follow(chain[1:], end, scene)
            if stop is None or (self.last and len(scene.plain) not in scene.skip({stop})):
                continue
            return begin, stop
        return None

    def _follow(self, chain: tuple[Element, ...], after: int, scene: Scene) -> int | None:
        for element in chain:
            end = self._next(element, after, scene)
            if end is None:
                return None
            after = end
        return after

    @staticmethod
    def _next(element: Element, after: int, scene: Scene) -> int | None:
        for begin, end in scene.spans(element):
            if 0 <= begin - after <= GAP and not STOPS & set(scene.plain[after:begin]):
                return end
        return None


@dataclass(frozen=True)
class Whole:
    """A command: the message says this and nothing else."""

    text: str
    parts: tuple[Element, ...]

    @classmethod
    def parse(cls, text: str) -> Whole:
        parts = tuple(_element(part) for part in text.split())
        if not parts or all(part.optional for part in parts):
            raise PatternError(text)
        return cls(text, parts)

    def elements(self) -> Iterable[Element]:
        return self.parts

    def trigger(self) -> Element:
        return min((e for e in self.parts if not e.optional), key=_cost)

    def match(self, scene: Scene) -> Span | None:
        if not all(part.optional or scene.has(part) for part in self.parts):
            return None
        positions = scene.skip({0})
        for part in self.parts:
            spans = scene.spans(part)
            ends = {end for begin, end in spans if begin in positions}
            reached = scene.skip(ends)
            if part.repeated:
                for begin, end in spans:  # from left to right, so one round is enough
                    if begin in reached and end not in reached:
                        reached |= scene.skip({end})
            if part.optional:
                reached |= positions
            if not reached:
                return None
            positions = reached
        return (0, len(scene.plain)) if len(scene.plain) in positions else None
