"""A second opinion: a linear model over short pieces of text, for wording that no rule foresaw.

Trained by `python -m nlp.train` on labelled lines; kept as a table of weights beside the words. It knows
every intent of the contract, so it also recognises what has no rules yet, and speaks against mistaking it.
How dangerous a text sounds, and what kind of danger it is, are columns of the same table.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

TABLE = Path(__file__).parent / "words" / "opinion.tsv"
#: The column of danger, and what the columns of its kinds begin with.
DANGER, KIND = "!danger", "!kind "
#: Beginning of a message is read, as it is where people say what they want.
_READ = 200
_NUMBERS = re.compile(r"\d+")
_BLANKS = re.compile(r"\s+")
#: Words of two classes so close to each other, and not in two sentences, are seen together.
_REACH, _WORDS = 8, 32
_STOP = re.compile(r"[。!?;\n]")
_LENGTHS = (5, 9, 15, 29, 59)
#: A weight is one character, as a count of steps from the middle one; so is the column before it.
_FIRST, _MIDDLE, _MOST = 33, 80, 46
#: A sum of weights in a packed row, and its zero.
_BITS, _HALF = 16, 1 << 15
STEP, DANGER_STEP = 0.01, 0.05

Found = Mapping[str, Sequence[tuple[int, int]]]


def features(plain: str, found: Found, role: str, group: bool) -> list[str]:
    """What the model sees: pieces of one to three characters, classes of known words, who speaks and where.

    Each once, numbers all alike: which flat it is says nothing of what is wanted.
    """
    text = _NUMBERS.sub(lambda n: "☎" if len(n[0]) >= 7 else "0", plain[:_READ])
    text = "^" + _BLANKS.sub(" ", text).strip() + "$"
    short = dict.fromkeys(text[1:-1])
    short.update(dict.fromkeys(map("".join, pairwise(text))))
    seen = short.copy()
    seen.update(dict.fromkeys(map("".join, zip(text, text[1:], text[2:], strict=False))))
    seen.update(dict.fromkeys([a + "~" + b for a, b in zip(text, text[2:], strict=False)]))
    seen.update(dict.fromkeys([name for name in found if name[0] == "<"]))
    seen["role=" + role] = None
    if role != "resident":
        seen.update(dict.fromkeys([role[:1] + ":" + name for name in short]))
    if group:
        seen["group"] = None
    seen[f"long={sum(len(text) > n + 2 for n in _LENGTHS)}"] = None
    return list(seen)


def pairs(plain: str, found: Found) -> list[str]:
    """Classes of words that stand close by, in their order: who is hurt, what burns, what is only asked."""
    spans = [
        (span, name)
        for name, several in found.items()
        if name[0] == "<" and name != "<filler>"
        for span in several[:4]
        if span[0] < _READ
    ]
    if len(spans) < 2:
        return []
    spans.sort()
    del spans[_WORDS:]
    stops = [match.start() for match in _STOP.finditer(plain, 0, _READ)]
    seen: dict[str, None] = {}
    for (_, end), one in spans:
        reach = min((stop for stop in stops if stop >= end), default=_READ)
        reach = min(reach, end + _REACH)
        for (begin, _), other in spans:
            if end <= begin <= reach and one != other:
                seen[one + other] = None
    return list(seen)


@dataclass(frozen=True)
class Thought:
    """What the model makes of one text."""

    #: how far each intent is ahead of the best other one: above 0 for one, about 1 where it is clear
    leads: Mapping[str, float] = field(default_factory=dict)
    #: the logarithm of the odds that there is danger, and the most likely kind of it
    danger: float = 0.0
    kind: str = ""


class _Packed(dict[str, int]):
    """A row of the table as one whole number, a column every `_BITS`: one addition adds all columns."""

    def __init__(self, rows: Mapping[str, str]) -> None:
        super().__init__()
        self._rows = rows

    def __missing__(self, name: str) -> int:
        packed = sum(weight << (_BITS * index) for index, weight in decode(self._rows[name]))
        self[name] = packed
        return packed


class Opinion:
    """Weights by feature; without a table it has no opinion on anything."""

    def __init__(self, columns: tuple[str, ...] = (), rows: Mapping[str, str] | None = None) -> None:
        self.columns = columns
        self._rows: dict[str, str] = dict(rows or {})
        self._packed = _Packed(self._rows)
        self._size = len(columns) * _BITS // 8
        self._zero = sum(_HALF << (_BITS * index) for index in range(len(columns)))
        self._intents = sum(name[0] != "!" for name in columns)

    @classmethod
    def load(cls, path: Path = TABLE) -> Opinion:
        """The table: columns in the first line, then a feature and its weights a line."""
        if not path.exists():
            return cls()
        lines = path.read_text(encoding="utf-8").split("\n")
        rows = dict(line.split("\t") for line in lines[1:] if line)
        return cls(tuple(lines[0].split("\t")), rows)

    def think(self, plain: str, found: Found, role: str, group: bool) -> Thought:
        """What the text seems to want; nothing where there is no table."""
        if not self.columns:
            return Thought()
        known = self._rows.keys() & {*features(plain, found, role, group), *pairs(plain, found), ""}
        total = self._zero + sum(map(self._packed.__getitem__, known))
        fields = memoryview(total.to_bytes(self._size, sys.byteorder)).cast("H").tolist()
        return self._thought(fields if sys.byteorder == "little" else fields[::-1])

    def _thought(self, scores: list[int]) -> Thought:
        """Intents come first in the table, then danger, then its kinds."""
        size = self._intents
        first, second = sorted(scores[:size])[-2:][::-1]
        leads = {
            name: (score - (second if score == first else first)) * STEP
            for name, score in zip(self.columns, scores[:size], strict=False)
        }
        danger = (scores[size] - _HALF) * DANGER_STEP if len(scores) > size else 0.0
        kinds = scores[size + 1 :]
        kind = self.columns[size + 1 + kinds.index(max(kinds))].removeprefix(KIND) if kinds else ""
        return Thought(leads, danger, kind)

    def lines(self) -> Iterator[str]:
        """The table as text."""
        yield "\t".join(self.columns)
        for name in sorted(self._rows):
            yield name + "\t" + self._rows[name]


def encode(weights: Mapping[int, int]) -> str:
    """Weights by column, in steps, as a row of the table."""
    return "".join(
        chr(_FIRST + index) + chr(_MIDDLE + max(-_MOST, min(_MOST, weight)))
        for index, weight in sorted(weights.items())
    )


def decode(row: str) -> Iterator[tuple[int, int]]:
    for index, weight in zip(row[::2], row[1::2], strict=True):
        yield ord(index) - _FIRST, ord(weight) - _MIDDLE
