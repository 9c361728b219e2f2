"""Where the words of a slot stand: what is borrowed, where to, what the notice says.

A linear model labels each character: outside, or the beginning or inside of a slot's words. Which slots may
stand in a text follows from its intent; of all ways to label the text the best one is taken (Viterbi).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache, cached_property
from operator import add
from pathlib import Path

from nlp.features import Found
from nlp.labelled import TEXTUAL, Marked
from nlp.linear import FOLDER, Few, Linear

SPANS = "spans.tsv.gz"
OUTSIDE = "O"
LABELS = (OUTSIDE, *(side + name for name in TEXTUAL for side in "BI"))
#: A text is labelled up to here.
READ = 300
#: Trained to be right, the model would rather mark too little: so much less counts what is outside, in steps.
_EAGER = 16
#: But not where whole clauses are marked.
_LONG = frozenset({"body", "title", "question", "option"})
#: The features that have twins, by their first character: what stands here and beside, and where in a word.
_TWINNED = frozenset("012<j")
#: What a label may not follow.
_NEVER = -1_000_000


def features(plain: str, found: Found, words: Sequence[str]) -> list[list[str]]:
    """What the model sees at each character: the characters around it, the known words and jieba's words it
    is part of."""
    size = min(len(plain), READ)
    text = "".join("0" if c.isdigit() else c for c in plain[:READ])
    text = "^^" + text + "$$"
    known = _known(found, size)
    cut = _cut(words, size)
    seen = []
    for i in range(size):
        a, b, c, d, e = (text[i + n] for n in range(5))
        one, word, before, after = cut[i]
        here = ["0" + c, "1" + b, "2" + d, "3" + a + b, "4" + b + c, "5" + c + d, "6" + d + e, *known[i]]
        here += ["j" + one, "w" + one + word, "b" + one + before, "a" + one + after]
        if i and known[i - 1]:
            here += ["p" + name for name in known[i - 1]]
        if i + 1 < size and known[i + 1]:
            here += ["n" + name for name in known[i + 1]]
        seen.append(here)
    return seen


def topic(intent: str) -> str:
    """What the name of a feature begins with that holds of one intent."""
    return intent + "|"


def with_topic(seen: Sequence[Sequence[str]], intent: str) -> list[list[str]]:
    """For training: beside each feature that may mean another thing to another intent, its twin."""
    of = topic(intent)
    return [[*here, of, *[of + name for name in here if name[0] in _TWINNED]] for here in seen]


def _known(found: Found, size: int) -> list[list[str]]:
    """The classes of known words at each character, and where in the word it stands."""
    known: list[list[str]] = [[] for _ in range(size)]
    for name, spans in found.items():
        if name[0] != "<":
            continue
        for begin, end in spans:
            for i in range(begin, min(end, size)):
                side = "S" if end - begin == 1 else "B" if i == begin else "E" if i == end - 1 else "I"
                known[i].append(name + side)
    return known


def _cut(words: Sequence[str], size: int) -> list[tuple[str, str, str, str]]:
    """For each character: where in its word it stands, the word, the one before and the one after."""
    cut: list[tuple[str, str, str, str]] = []
    for i, word in enumerate(words):
        if len(cut) >= size:
            break
        before = words[i - 1] if i else "^"
        after = words[i + 1] if i + 1 < len(words) else "$"
        last = len(word) - 1
        for j in range(len(word)):
            cut.append(
                ("S" if not last else "B" if j == 0 else "E" if j == last else "M", word, before, after)
            )
    return cut


#: What each label adds, by the label that is reached and the one before it.
_Steps = list[list[int]]


class Tagger:
    """The trained model; without a table it marks nothing."""

    def __init__(self, model: Linear) -> None:
        self.model = model
        self._index = {label: i for i, label in enumerate(model.columns)}
        self._kept: dict[tuple[str, ...], tuple[list[str], Few, _Steps]] = {}

    @classmethod
    @cache
    def load(cls, folder: Path = FOLDER) -> Tagger:
        return cls(Linear.load(folder / SPANS))

    @classmethod
    def empty(cls) -> Tagger:
        return cls(Linear())

    @cached_property
    def _steps(self) -> Mapping[str, Sequence[int]]:
        """What each label adds to those that follow it."""
        return {label: self.model.scores([">" + label]) for label in self.model.columns}

    def mark(self, seen: Sequence[Sequence[str]], slots: Sequence[str], intent: str) -> list[Marked]:
        """The words of these slots of an intent, from the features of each character."""
        if not self.model or not seen:
            return []
        labels, few, steps = self._of(intent, tuple(slots))
        rows = list(map(few.scores, seen))
        if _LONG.isdisjoint(slots):
            for row in rows:
                row[0] -= _EAGER
        return read(best(rows, labels, steps))

    def _of(self, intent: str, slots: tuple[str, ...]) -> tuple[list[str], Few, _Steps]:
        """The labels of these slots, their columns, and the steps between them."""
        known = self._kept.get((intent, *slots))
        if known is None:
            labels = [OUTSIDE, *(side + name for name in slots for side in "BI")]
            columns = [self._index[label] for label in labels]
            steps = [[self._steps[label][c] for c in columns] for label in labels]
            few = self.model.few(columns, topic(intent))
            known = self._kept[intent, *slots] = labels, few, moves(steps, labels)
        return known


def moves(steps: Sequence[Sequence[int]], labels: Sequence[str]) -> _Steps:
    """Steps between labels, by the label that is reached; what may not follow is out of reach: inside only
    after begin or inside."""
    return [
        [
            _NEVER if to[0] == "I" and (was == OUTSIDE or was[1:] != to[1:]) else steps[i][j]
            for i, was in enumerate(labels)
        ]
        for j, to in enumerate(labels)
    ]


def best(rows: Sequence[Sequence[int]], labels: Sequence[str], steps: Sequence[Sequence[int]]) -> list[str]:
    """The labels that together score most. `steps`: what each label adds, by the label that is reached."""
    score = [_NEVER if label[0] == "I" else row for label, row in zip(labels, rows[0], strict=True)]
    came: list[list[int]] = []
    inside = [label[0] == "I" for label in labels]  # reached from its begin, the label before it, or itself
    # so far ahead of the others, what is outside is before all that may follow it: mostly it is
    ahead = max((max(step) - step[0] for step, i in zip(steps, inside, strict=True) if not i), default=0)
    for row in rows[1:]:
        back, now = [], []
        clear = score[0] - max(score[1:], default=_NEVER) > ahead
        for j, step in enumerate(steps):
            if inside[j]:
                begun, going = score[j - 1] + step[j - 1], score[j] + step[j]
                back.append(j if going > begun else j - 1)
                now.append(max(begun, going) + row[j])
                continue
            if clear:
                back.append(0)
                now.append(score[0] + step[0] + row[j])
                continue
            reached = list(map(add, score, step))
            top = max(reached)
            back.append(reached.index(top))
            now.append(top + row[j])
        came.append(back)
        score = now
    at = score.index(max(score))
    path = [at]
    for back in reversed(came):
        at = back[at]
        path.append(at)
    return [labels[i] for i in reversed(path)]


def read(path: Sequence[str]) -> list[Marked]:
    """Marked words from labels."""
    marks: list[Marked] = []
    begin = 0
    for i, label in enumerate([*path, OUTSIDE]):
        if i and path[i - 1] != OUTSIDE and label[0] != "I":
            marks.append((path[i - 1][1:], begin, i))
        if label[0] == "B":
            begin = i
    return marks


def write(marks: Sequence[Marked], size: int) -> list[str]:
    """Labels from marked words."""
    path = [OUTSIDE] * size
    for name, begin, end in marks:
        for i in range(begin, min(end, size)):
            path[i] = ("B" if i == begin else "I") + name
    return path
