"""What a text most likely wants: linear models over short pieces of it and the words known in it.

Trained by `python -m nlp.train` on labelled lines. One table ranks the intents of the contract, one the
values of their enum (`repair.report` → plumbing), one says whether a value is stated at all.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from nlp.linear import FOLDER, Linear

INTENTS, VALUES, STATED = "intents.tsv.gz", "values.tsv.gz", "stated.tsv.gz"
#: A family of values: of repairs, housekeeping, complaints; of asking, offering; of danger.
FAMILIES: Mapping[str, str] = {
    "repair.report": "repair",
    "housekeeping.book": "housekeeping",
    "housekeeping.price": "housekeeping",
    "complaint.file": "complaint",
    "aid.request": "request",
    "aid.offer": "offer",
    "emergency.report": "danger",
}
#: Intents that name a value now and then, of any of these families.
WITH_CATEGORY = ("repair", "housekeeping", "complaint")
WITH_KIND = ("request", "offer")
#: The value of a line that states none.
NONE = "-"


@dataclass(frozen=True)
class Thought:
    """How the models rank one text. Scores are near 1 for what is meant and near -1 for what is not."""

    scores: Mapping[str, float] = field(default_factory=dict)
    #: the share of the text's pieces that the models know
    known: float = 0.0

    def lead(self, intent: str) -> float:
        """How far an intent is ahead of the best other one; behind it where negative."""
        mine = self.scores.get(intent, -1.0)
        return mine - max((s for name, s in self.scores.items() if name != intent), default=-1.0)


class Ranker:
    """The trained tables; without them it has no opinion on anything."""

    def __init__(self, intents: Linear, values: Linear, stated: Linear) -> None:
        self.intents, self.values, self.stated = intents, values, stated
        self._columns: dict[str, list[int]] = {}
        for index, name in enumerate(values.columns):
            self._columns.setdefault(name.partition("/")[0], []).append(index)

    @classmethod
    @cache
    def load(cls, folder: Path = FOLDER) -> Ranker:
        """The tables that were trained, one for all communities."""
        same: dict[str, str] = {}
        return cls(*(Linear.load(folder / name, same) for name in (INTENTS, VALUES, STATED)))

    @classmethod
    def empty(cls) -> Ranker:
        return cls(Linear(), Linear(), Linear())

    def think(self, features: Sequence[str]) -> Thought:
        """Every intent with its score."""
        if not self.intents:
            return Thought(known=1.0)  # it cannot tell noise
        scores, known = self.intents.scaled(features)
        return Thought(dict(zip(self.intents.columns, scores, strict=True)), known)

    def value(self, intent: str, features: Sequence[str], slot: str) -> str | None:
        """The most likely value of the intent's enum; None where none is stated."""
        family = FAMILIES.get(intent)
        if family is None:
            if not self.values or not self._says_one(features):
                return None
            families: Iterable[str] = WITH_KIND if slot == "kind" else WITH_CATEGORY
        else:
            families = (family,)
        columns = [i for name in families for i in self._columns.get(name, ())]
        if not columns:
            return None
        scores = self.values.scores(features)
        if family is None:
            columns = [i for i in columns if not self.values.columns[i].endswith("/" + NONE)]
        name = self.values.columns[max(columns, key=scores.__getitem__)].partition("/")[2]
        return None if name == NONE else name

    def _says_one(self, features: Sequence[str]) -> bool:
        yes, no = self.stated.columns.index("yes"), self.stated.columns.index("no")
        scores = self.stated.scores(features)
        return scores[yes] > scores[no]

    def reasons(self, intent: str, features: Sequence[str], most: int = 4) -> list[str]:
        """The pieces of a text that speak most for an intent, for people."""
        if intent not in self.intents.columns:
            return []
        weights = [(self.intents.weight(name, intent), name) for name in features]
        return [name for weight, name in sorted(weights, reverse=True)[:most] if weight > 0]


def confidence(margin: float) -> float:
    """A margin between two scores as a share from 0 to 1; one half where they are equal."""
    return 1.0 / (1.0 + math.exp(-2.5 * margin))
