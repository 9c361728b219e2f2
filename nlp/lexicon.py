"""All known words, found in one pass over a text, whatever their number."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import ahocorasick

#: Where something stands: start and end.
Span = tuple[int, int]


class Lexicon:
    """Knows words and the names that each goes by: itself, and every class it belongs to (`<water>`)."""

    def __init__(self, names: Mapping[str, Iterable[str]]) -> None:
        """`names`: from a name to its words."""
        by_word: dict[str, list[str]] = {}
        for name, words in names.items():
            for word in words:
                by_word.setdefault(word, []).append(name)
        self._automaton = ahocorasick.Automaton()
        for word, known_as in by_word.items():
            self._automaton.add_word(word, (len(word), tuple(dict.fromkeys(known_as))))
        self._empty = not by_word
        if not self._empty:
            self._automaton.make_automaton()

    def find(self, plain: str) -> dict[str, list[Span]]:
        """Every occurrence by name, in order of its end; overlaps included."""
        found: dict[str, list[Span]] = {}
        if self._empty:
            return found
        for last, (length, names) in self._automaton.iter(plain):
            span = (last + 1 - length, last + 1)
            for name in names:
                found.setdefault(name, []).append(span)
        return found
