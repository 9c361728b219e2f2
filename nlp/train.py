"""Trains the second opinion: `python -m nlp.train FILE…` turns labelled lines into `words/opinion.tsv`.

An averaged passive-aggressive classifier with several classes (Crammer et al., 2006), in plain Python: a
minute for six thousand lines, the same table from the same lines. Every fifth id is left out, to measure on.
"""

from __future__ import annotations

import random
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from nlp.evaluate import lines
from nlp.opinion import TABLE, Opinion, features
from nlp.understanding import Understanding

_ROUNDS = 12
#: How hard one mistake may pull: small, because some labels are wrong.
_CAUTION = 0.03
#: A piece seen once is chance; a weight this small changes nothing.
_SEEN, _LEAST = 2, 0.01

Line = tuple[list[int], int]


class _Trainer:
    """Weights while they are learned, with their sums for the average."""

    def __init__(self, size: int, intents: int) -> None:
        self.now = [[0.0] * intents for _ in range(size)]
        self.sums = [[0.0] * intents for _ in range(size)]
        self.count = 1

    def learn(self, line: Line) -> None:
        seen, right = line
        scores = [sum(column) for column in zip(*(self.now[f] for f in seen), strict=True)]
        wrong = max((i for i in range(len(scores)) if i != right), key=lambda i: scores[i])
        loss = 1.0 - scores[right] + scores[wrong]
        if loss > 0:
            step = min(_CAUTION, loss / (2 * len(seen)))
            for f in seen:
                self.now[f][right] += step
                self.now[f][wrong] -= step
                self.sums[f][right] += step * self.count
                self.sums[f][wrong] -= step * self.count
        self.count += 1

    def average(self, f: int) -> list[float]:
        return [now - total / self.count for now, total in zip(self.now[f], self.sums[f], strict=True)]


def train(records: Sequence[tuple[list[str], str]], seed: int = 7) -> Opinion:
    """The opinion that these features and intents teach."""
    counts = Counter(name for names, _ in records for name in names)
    known = {name: n for n, name in enumerate(sorted(n for n, seen in counts.items() if seen >= _SEEN))}
    intents = sorted({intent for _, intent in records})
    order = {intent: n for n, intent in enumerate(intents)}
    table: list[Line] = [
        ([known[n] for n in names if n in known], order[intent]) for names, intent in records
    ]
    table = [line for line in table if line[0]]
    trainer = _Trainer(len(known), len(intents))
    shuffle = random.Random(seed)  # noqa: S311 - an order, not a secret
    for _ in range(_ROUNDS):
        shuffle.shuffle(table)
        for line in table:
            trainer.learn(line)
    weights = {}
    for name, f in known.items():
        kept = tuple((i, w) for i, w in enumerate(trainer.average(f)) if abs(w) >= _LEAST)
        if kept:
            weights[name] = kept
    return Opinion(tuple(intents), weights)


def main(files: list[str]) -> int:
    understanding = Understanding.load()
    records = []
    for record in lines(files, "develop"):
        now = datetime.fromisoformat(record["now"])
        plain, classes = understanding.read_classes(record["text"], now)
        records.append((features(plain, classes, record.get("role", "resident")), record["intent"]))
    Path(TABLE).write_text("\n".join(train(records).lines()) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
