"""A linear model as a table: for each feature what it says for and against each column.

A row is kept as text, two characters a weight, and read when it is first needed: into one whole number with a
column every thirty-two bits, so that one addition adds all columns.
"""

from __future__ import annotations

import gzip
import math
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from operator import mul
from pathlib import Path

FOLDER = Path(__file__).parent / "models"
#: A weight is one character, as a count of steps from the middle one; so is the column before it.
_FIRST, _MIDDLE = 33, 80
#: The largest weight of one pair of characters, in steps; a larger one is several pairs.
MOST = 46
_BITS, _HALF, _MASK = 32, 1 << 31, (1 << 32) - 1
#: So many rows are kept as numbers: the frequent ones soon, whatever else is said.
_KEPT = 30_000
#: What one step is worth before a text's length is taken into account.
STEP = 0.1
#: What holds of every text.
ALWAYS = ""


class _Packed(dict[str, int]):
    """Rows by feature, as whole numbers, made when first asked for."""

    def __init__(self, rows: Mapping[str, str], columns: int) -> None:
        super().__init__()
        self._rows = rows
        self._units = {chr(_FIRST + index): 1 << (_BITS * index) for index in range(columns)}
        self._steps = {chr(_MIDDLE + step): step for step in range(-MOST, MOST + 1)}

    def __missing__(self, name: str) -> int:
        if len(self) >= _KEPT:
            self.clear()
        row = self._rows[name]
        units = map(self._units.__getitem__, row[::2])
        packed = self[name] = sum(map(mul, units, map(self._steps.__getitem__, row[1::2])))
        return packed


class Few(dict[str, int]):
    """Some columns of a table, for many small texts: rows as whole numbers, made when first asked for.

    A feature may have a twin that holds of one topic only: `topic` and the feature; both are one row here.
    """

    def __init__(self, rows: Mapping[str, str], columns: Sequence[int], topic: str = "") -> None:
        super().__init__()
        self._rows, self._topic = rows, topic
        self._units = {chr(_FIRST + column): 1 << (_BITS * i) for i, column in enumerate(columns)}
        self._zero = sum(_HALF << (_BITS * i) for i in range(len(columns))) + self._pack(topic)
        self._shifts = [_BITS * i for i in range(len(columns))]

    def __missing__(self, name: str) -> int:
        if len(self) >= _KEPT:
            self.clear()
        packed = self[name] = self._pack(name) + (self._pack(self._topic + name) if self._topic else 0)
        return packed

    def _pack(self, name: str) -> int:
        row, units, packed = self._rows.get(name, ""), self._units, 0
        for column in units if row else ():
            at = row.find(column)
            while at >= 0:  # a column may stand several times, and its sign may be a weight of another
                if not at % 2:
                    packed += units[column] * (ord(row[at + 1]) - _MIDDLE)
                at = row.find(column, at + 1)
        return packed

    def scores(self, features: Iterable[str]) -> list[int]:
        """The sum of weights a column, in steps; a feature that is named twice counts twice."""
        known = filter(self._rows.__contains__, features)
        total = self._zero + sum(map(self.__getitem__, known))
        return [(total >> shift & _MASK) - _HALF for shift in self._shifts]


class Linear:
    """Columns, and rows by feature. Without rows every score is zero."""

    def __init__(self, columns: tuple[str, ...] = (), rows: dict[str, str] | None = None) -> None:
        self.columns = columns
        self._rows = rows or {}
        self._packed = _Packed(self._rows, len(columns))
        self._size = len(columns) * _BITS // 8
        self._zero = sum(_HALF << (_BITS * index) for index in range(len(columns)))

    @classmethod
    def load(cls, path: Path, same: dict[str, str] | None = None) -> Linear:
        """The table of a packed file: columns in the first line, then a feature and its weights a line.

        Tables that are loaded with the same dictionary share the texts that stand in both.
        """
        text = gzip.decompress(path.read_bytes()).decode()
        begin = text.index("\n") + 1
        columns = tuple(text[: begin - 1].split("\t"))
        rows: dict[str, str] = {}
        same = {} if same is None else same  # many rows say the same, too
        while begin < len(text):  # piece by piece: a list of all lines would leave its holes in memory
            tab = text.index("\t", begin)
            end = text.index("\n", tab)
            name, row = text[begin:tab], text[tab + 1 : end]
            rows[same.setdefault(name, name)] = same.setdefault(row, row)
            begin = end + 1
        return cls(columns, rows)

    def __bool__(self) -> bool:
        return bool(self._rows)

    def scores(self, features: Iterable[str]) -> list[int]:
        """The sum of weights a column, in steps; each feature counts once."""
        return self._sum(self._rows.keys() & features)

    def scaled(self, features: Collection[str]) -> tuple[list[float], float]:
        """The scores of a whole text, and what share of its features is known.

        A long text has more features, and each says less.
        """
        known = self._rows.keys() & features
        unit = STEP / math.sqrt(len(known) + 1)
        return [score * unit for score in self._sum(known)], len(known) / max(1, len(features))

    def _sum(self, known: Iterable[str]) -> list[int]:
        total = self._zero + sum(map(self._packed.__getitem__, known))
        if ALWAYS in self._rows:
            total += self._packed[ALWAYS]
        fields = memoryview(total.to_bytes(self._size, sys.byteorder)).cast("I").tolist()
        if sys.byteorder == "big":
            fields.reverse()
        return [field - _HALF for field in fields]

    def few(self, columns: Sequence[int], topic: str = "") -> Few:
        return Few(self._rows, columns, topic)

    def save(self, path: Path) -> None:
        """Written the same for the same weights, whenever it is."""
        path.write_bytes(gzip.compress(self.text().encode(), mtime=0))

    def text(self) -> str:
        return "\n".join(self.lines()) + "\n"

    def weight(self, feature: str, column: str) -> int:
        """What one feature says of one column, in steps: for those who ask why."""
        row = self._rows.get(feature, "")
        return decode(row).get(self.columns.index(column), 0)

    def lines(self) -> Iterator[str]:
        """The table as text, the same for the same weights."""
        yield "\t".join(self.columns)
        for name in sorted(self._rows):
            yield name + "\t" + self._rows[name]


def encode(weights: Mapping[int, int]) -> str:
    """Weights by column, in steps, as a row of the table; zeros are left out."""
    row = ""
    for index, weight in sorted(weights.items()):
        left = weight
        while left:
            part = max(-MOST, min(MOST, left))
            row += chr(_FIRST + index) + chr(_MIDDLE + part)
            left -= part
    return row


def decode(row: str) -> dict[int, int]:
    """The weights of a row by column."""
    weights: dict[int, int] = {}
    for index, weight in zip(row[::2], row[1::2], strict=True):
        column = ord(index) - _FIRST
        weights[column] = weights.get(column, 0) + ord(weight) - _MIDDLE
    return weights
