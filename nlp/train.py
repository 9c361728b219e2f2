"""Trains the second opinion: `python -m nlp.train` turns labelled lines into `words/opinion.tsv`.

Intents and kinds of danger: an averaged passive-aggressive classifier (Crammer et al., 2006). Danger: a
logistic regression with AdaGrad steps. Plain Python and whole numbers where order could matter: the same
table from the same lines on every machine, in some twenty seconds. Every fifth id is left out, to measure on.
"""

from __future__ import annotations

import math
import random
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from nlp.evaluate import lines
from nlp.opinion import DANGER, DANGER_STEP, KIND, STEP, TABLE, Opinion, encode, features, pairs
from nlp.understanding import DANGER as EMERGENCY
from nlp.understanding import Understanding

CORPUS = Path(__file__).parent / "corpus"
#: Weights are learned in whole millionths.
_ONE = 1_000_000
_ROUNDS, _ROUNDS_OF_DANGER = 6, 10
#: How hard one mistake may pull: small, because some labels are wrong.
_CAUTION = 15_000
#: A piece seen less often is chance.
_SEEN, _SEEN_DANGER = 3, 3
#: A weight of fewer steps changes nothing.
_LEAST_OF_DANGER = 2
_SEED = 7
#: A danger missed is worse than a false alarm; the step of the regression.
_GRAVE, _PACE = 2.0, 0.03
#: The logistic curve in steps of 1/64, rounded: libraries differ in the last digit.
_CURVE = [round(1 / (1 + math.exp(-n / 64)), 6) for n in range(-640, 641)]


class Record(NamedTuple):
    features: list[str]
    pairs: list[str]
    intent: str
    kind: str


class _Classes:
    """An averaged passive-aggressive classifier with several classes."""

    def __init__(self, size: int, classes: int) -> None:
        self._now = [[0] * classes for _ in range(size)]
        self._sums = [[0] * classes for _ in range(size)]
        self._count = 1

    def learn(self, seen: Sequence[int], right: int) -> None:
        scores = [sum(column) for column in zip(*[self._now[f] for f in seen], strict=True)]
        mine = scores[right]
        scores[right] = min(scores) - 1
        wrong = max(range(len(scores)), key=scores.__getitem__)
        loss = _ONE - mine + scores[wrong]
        if loss > 0:
            step = min(_CAUTION, loss // (2 * len(seen)))
            late = step * self._count
            for f in seen:
                now, sums = self._now[f], self._sums[f]
                now[right] += step
                now[wrong] -= step
                sums[right] += late
                sums[wrong] -= late
        self._count += 1

    def steps(self, f: int) -> dict[int, int]:
        """The average of a feature's weights, in steps of the table; what is no step is left out."""
        unit = round(_ONE * STEP)
        average = [now - total // self._count for now, total in zip(self._now[f], self._sums[f], strict=True)]
        return {i: round(w / unit) for i, w in enumerate(average) if abs(w) >= unit}


def classify(
    records: Sequence[tuple[Sequence[str], str]], seen: int
) -> tuple[list[str], dict[str, dict[int, int]]]:
    """Classes in order, and for each feature its weights by class."""
    known = _known([names for names, _ in records], seen)
    classes = sorted({right for _, right in records})
    order = {right: n for n, right in enumerate(classes)}
    table = [([known[n] for n in names if n in known], order[right]) for names, right in records]
    table = [line for line in table if line[0]]
    learner = _Classes(len(known), len(classes))
    shuffle = random.Random(_SEED)  # noqa: S311 - an order, not a secret
    for _ in range(_ROUNDS):
        shuffle.shuffle(table)
        for names, right in table:
            learner.learn(names, right)
    return classes, {name: learner.steps(f) for name, f in known.items()}


def alarm(records: Sequence[tuple[Sequence[str], bool]]) -> dict[str, int]:
    """For each feature how much it speaks of danger, in steps of the table; "" is what holds always."""
    known = _known([names for names, _ in records], _SEEN_DANGER)
    table = [([known[n] for n in names if n in known], danger) for names, danger in records]
    weights, squares, always = [0.0] * len(known), [0.01] * len(known), 0.0
    shuffle = random.Random(_SEED)  # noqa: S311
    for _ in range(_ROUNDS_OF_DANGER):
        shuffle.shuffle(table)
        for names, danger in table:
            odds = always
            for f in names:
                odds += weights[f]
            error = _CURVE[max(0, min(1280, int(odds * 64) + 640))] - danger
            if abs(error) < 0.01:
                continue
            error *= _GRAVE if danger else 1.0
            always -= 0.02 * error
            for f in names:
                squares[f] += error * error
                weights[f] -= _PACE * error / math.sqrt(squares[f])
    steps = {name: round(weights[f] / DANGER_STEP) for name, f in known.items()}
    return {
        "": round(always / DANGER_STEP),
        **{name: step for name, step in steps.items() if abs(step) >= _LEAST_OF_DANGER},
    }


def _known(records: Sequence[Sequence[str]], seen: int) -> dict[str, int]:
    counts = Counter(name for names in records for name in names)
    kept = sorted(name for name, count in counts.items() if count >= seen and not set(name) & {"\t", "\n"})
    return {name: n for n, name in enumerate(kept)}


def train(records: Sequence[Record]) -> Opinion:
    """The opinion that these lines teach."""
    intents, of_intents = classify([(r.features, r.intent) for r in records], _SEEN)
    dangers = [r for r in records if r.kind]
    kinds, of_kinds = classify([([*r.features, *r.pairs], r.kind) for r in dangers], _SEEN)
    alarms = alarm([([*r.features, *r.pairs], r.intent == EMERGENCY) for r in records])
    columns = (*intents, DANGER, *(KIND + kind for kind in kinds))
    rows: dict[str, dict[int, int]] = {}
    _add(rows, of_intents, 0)
    _add(rows, {name: {0: step} for name, step in alarms.items()}, len(intents))
    _add(rows, of_kinds, len(intents) + 1)
    return Opinion(columns, {name: encode(weights) for name, weights in rows.items() if weights})


def _add(rows: dict[str, dict[int, int]], weights: Mapping[str, Mapping[int, int]], first: int) -> None:
    for name, several in weights.items():
        rows.setdefault(name, {}).update({first + index: weight for index, weight in several.items()})


def read(understanding: Understanding, files: Sequence[Path]) -> list[Record]:
    """The lines to learn from, as the model sees them."""
    records = []
    for line in lines(map(str, files), "develop"):
        now = datetime.fromisoformat(line["now"])
        plain, found = understanding.read_classes(line["text"], now)
        seen = features(plain, found, line.get("role", "resident"), bool(line.get("group")))
        kind = str(line["slots"].get("kind", "")) if line["intent"] == EMERGENCY else ""
        records.append(Record(seen, pairs(plain, found), line["intent"], kind))
    return records


def table(folder: Path = CORPUS) -> str:
    """The table that the lines of a folder make, as text."""
    opinion = train(read(Understanding.load(), sorted(folder.glob("*.jsonl"))))
    return "\n".join(opinion.lines()) + "\n"


def main() -> int:
    TABLE.write_text(table(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
