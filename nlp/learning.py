"""How the linear models learn: the same weights from the same lines on every machine.

Used by `nlp.train` alone, with numpy; what runs needs neither.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from nlp import tagger
from nlp.linear import ALWAYS, STEP, Linear, encode

_SEED = 7
#: A label hardly hangs on smaller weights; without them half of the table is gone.
_LEAST = 8
Weights = np.ndarray[tuple[int, ...], np.dtype[np.int64]]

#: Features at each character, the right labels, the slots that may stand there.
Sentence = tuple[Sequence[Sequence[str]], Sequence[str], Sequence[str]]


def vocabulary(texts: Iterable[Sequence[str]], seen: int) -> dict[str, int]:
    """The features seen at least so often, numbered in order of their names; a rarer one is chance."""
    counts = Counter(name for names in texts for name in names)
    kept = sorted(name for name, count in counts.items() if count >= seen and not set(name) & {"\t", "\n"})
    return {name: n for n, name in enumerate(kept)}


def classify(
    records: Sequence[tuple[Sequence[str], str, float]], *, rounds: int = 6, seen: int = 8, cost: float = 2.0
) -> Linear:
    """A support vector machine (one class against the rest, squared hinge), a column a class.

    Dual coordinate descent (Hsieh et al., 2008), all classes at once. A record is its features, its class
    and how much it counts. Features of a text share the length one between them. Sums are taken in a fixed
    order and only elementwise, so every machine comes to the same weights.
    """
    known = vocabulary((names for names, _, _ in records), seen)
    known[ALWAYS] = len(known)
    classes = tuple(sorted({right for _, right, _ in records}))
    texts = [np.array([*(known[n] for n in names if n in known), known[ALWAYS]]) for names, _, _ in records]
    signs = np.full((len(records), len(classes)), -1.0)
    for i, (_, right, _) in enumerate(records):
        signs[i, classes.index(right)] = 1.0
    slack = [1.0 / (2.0 * cost * counts) for _, _, counts in records]
    weights, duals = np.zeros((len(known), len(classes))), np.zeros_like(signs)
    order = list(range(len(records)))
    shuffle = random.Random(_SEED)  # noqa: S311 - an order, not a secret
    for _ in range(rounds):
        shuffle.shuffle(order)
        for i in order:
            names, sign, dual = texts[i], signs[i], duals[i]
            share = 1.0 / math.sqrt(len(names))
            gradient = sign * (weights[names].sum(0) * share) - 1.0 + dual * slack[i]
            moved = np.maximum(dual - gradient / (1.0 + slack[i]), 0.0) - dual
            touched = moved.nonzero()[0]
            if len(touched):
                dual += moved
                weights[np.ix_(names, touched)] += moved[touched] * sign[touched] * share
    return _table(classes, known, np.rint(weights / STEP).astype(int))


def _table(columns: tuple[str, ...], known: dict[str, int], steps: Weights) -> Linear:
    """The table of whole steps; a feature that says nothing is left out."""
    rows = {}
    for name, n in known.items():
        said = np.flatnonzero(steps[n])
        if len(said):
            rows[name] = encode({int(i): int(steps[n][i]) for i in said})
    return Linear(columns, rows)


def label(records: Sequence[Sentence], columns: tuple[str, ...], *, rounds: int = 6, seen: int = 4) -> Linear:
    """A structured perceptron (Collins, 2002), averaged: a column a label, a row `>label` for the next."""
    known = vocabulary((names for rows, _, _ in records for names in rows), seen)
    follow = {column: len(known) + i for i, column in enumerate(columns)}
    order = {column: i for i, column in enumerate(columns)}
    table = []
    for rows, path, allowed in records:
        labels = [columns[0], *(side + name for name in allowed for side in "BI")]
        seen_here = [np.array([known[n] for n in names if n in known], int) for names in rows]
        table.append((seen_here, path, labels, [order[one] for one in labels]))
    now = np.zeros((len(known) + len(columns), len(columns)), np.int64)
    sums = np.zeros_like(now)
    count = 1
    shuffle = random.Random(_SEED)  # noqa: S311

    def add(feature: int | Weights, column: int, by: int) -> None:
        now[feature, column] += by
        sums[feature, column] += by * count

    for _ in range(rounds):
        shuffle.shuffle(table)
        for seen_here, path, labels, indexes in table:
            scores = [now[names].sum(0)[indexes].tolist() for names in seen_here]
            steps = now[[follow[one] for one in labels]][:, indexes].tolist()
            guess = tagger.best(scores, labels, tagger.moves(steps, labels))
            if guess != path:
                for i, (right, wrong) in enumerate(zip(path, guess, strict=True)):
                    if right != wrong:
                        add(seen_here[i], order[right], 1)
                        add(seen_here[i], order[wrong], -1)
                    if i and (right != wrong or path[i - 1] != guess[i - 1]):
                        add(follow[path[i - 1]], order[right], 1)
                        add(follow[guess[i - 1]], order[wrong], -1)
            count += 1
    average = (now * 100 - sums * 100 // count + 12) // 25
    average[: len(known)][abs(average[: len(known)]) < _LEAST] = 0
    names = {**known, **{">" + column: n for column, n in follow.items()}}
    return _table(columns, names, average)
