"""A second opinion: a linear model over short pieces of text, for wording that no rule foresaw.

Trained by `python -m nlp.train` on labelled lines; kept as a table of weights beside the words. It knows
every intent of the contract, so it also recognises what has no rules yet, and speaks against mistaking it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from pathlib import Path

TABLE = Path(__file__).parent / "words" / "opinion.tsv"
#: Beginning of a message is read, as it is where people say what they want.
_READ = 300
_NUMBERS = re.compile(r"\d+")
_BLANKS = re.compile(r"\s+")


def features(plain: str, classes: Iterable[str], role: str) -> list[str]:
    """What the model sees: pieces of one to three characters, classes of known words, the speaker's role.

    Each once, numbers all alike: which flat it is says nothing of what is wanted.
    """
    text = "^" + _BLANKS.sub(" ", _NUMBERS.sub("0", plain[:_READ])).strip() + "$"
    seen = dict.fromkeys(text[1:-1])
    seen.update(dict.fromkeys(map("".join, pairwise(text))))
    seen.update(dict.fromkeys(map("".join, zip(text, text[1:], text[2:], strict=False))))
    seen.update(dict.fromkeys(name for name in classes if name[0] == "<"))
    seen[f"role={role}"] = None
    return [name for name in seen if "\t" not in name and "\n" not in name]


class Opinion:
    """Weights by feature; without a table it has no opinion on anything."""

    def __init__(
        self, intents: tuple[str, ...], weights: Mapping[str, tuple[tuple[int, float], ...]]
    ) -> None:
        self.intents = intents
        self._weights = weights

    @classmethod
    def load(cls, path: Path = TABLE) -> Opinion:
        """The table: intents in the first line, then a feature and its weights a line, in thousandths."""
        if not path.exists():
            return cls((), {})
        lines = path.read_text(encoding="utf-8").split("\n")
        weights: dict[str, tuple[tuple[int, float], ...]] = {}
        for line in lines[1:]:
            name, _, pairs = line.partition("\t")
            if pairs:
                numbers = [int(number) for number in pairs.split(" ")]
                weights[name] = tuple(zip(numbers[::2], (n / 1000 for n in numbers[1::2]), strict=True))
        return cls(tuple(lines[0].split("\t")), weights)

    def leads(self, plain: str, classes: Iterable[str], role: str) -> dict[str, float]:
        """How far each intent is ahead of the best other one: above 0 for one, about 1 where it is clear."""
        if not self.intents:
            return {}
        scores = [0.0] * len(self.intents)
        for name in features(plain, classes, role):
            for index, weight in self._weights.get(name, ()):
                scores[index] += weight
        first, second = sorted(scores, reverse=True)[:2]
        return {
            intent: score - (second if score == first else first)
            for intent, score in zip(self.intents, scores, strict=True)
        }

    def lines(self) -> Iterator[str]:
        """The table as text."""
        yield "\t".join(self.intents)
        for name in sorted(self._weights):
            yield (
                name
                + "\t"
                + " ".join(f"{index} {round(weight * 1000)}" for index, weight in self._weights[name])
            )
