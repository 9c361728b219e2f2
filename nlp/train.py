"""Trains the models: `python -m nlp.train [FILE…]` turns labelled lines into the tables of `models/`.

Learns from all lines of `corpus/`, and from the files given: a community adds lines of its own so. The
same lines make the same tables on every machine, in two or three minutes. Needs numpy; what runs does not.
"""

from __future__ import annotations

import hashlib
import sys
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from nlp import homophones, labelled, learning, ranker, segment, tagger
from nlp.fill import sought_in
from nlp.labelled import Line
from nlp.linear import FOLDER, Linear
from nlp.ranker import FAMILIES, NONE, Ranker
from nlp.tagger import Tagger
from nlp.understanding import Understanding

#: The list of what the tables were made from, beside them.
SOURCES = "sources.txt"
_READERS = (
    "features.py",
    "homophones.py",
    "labelled.py",
    "learning.py",
    "normal.py",
    "tagger.py",
    "train.py",
)
#: How much a line counts whose slots are all stated: these are what we measure on.
_WHOLE = 2.0
#: Files of lines that are not marked wherever they could be: what has no mark there teaches no label.
_HALF_MARKED = frozenset({"contrast_more", "stories_more"})
#: Files of lines whose category or kind is always given where the line states one.
_STATED = frozenset({"categories"})


class Trainer:
    """Labelled lines as the models see them; each is read once."""

    def __init__(self, understanding: Understanding) -> None:
        self._mind = understanding
        self._features: dict[int, list[str]] = {}
        self._values = {
            value: family
            for intent, family in FAMILIES.items()
            for value in understanding.values_of(intent)
            if value != "other"
        }

    def features(self, line: Line) -> list[str]:
        known = self._features.get(id(line))
        if known is None:
            reading = self._mind.read(line.text, line.now)
            known = self._features[id(line)] = reading.features(line.role, line.group)
        return known

    def ranker(self, lines: Sequence[Line]) -> Ranker:
        """The intents, the values of their enums, and whether a value is stated."""
        weighed = [(self.features(line), line, _WHOLE if line.whole else 1.0) for line in lines]
        values = [(seen, value, w) for seen, line, w in weighed if (value := self._value(line))]
        stated = [
            (seen, "yes" if {"category", "kind"} & line.slots.keys() else "no", w)
            for seen, line, w in weighed
            if (line.whole or line.family in _STATED)
            and line.intent not in FAMILIES
            and {"category", "kind"} & set(self._slots(line))
        ]
        return Ranker(
            learning.classify([(seen, line.intent, w) for seen, line, w in weighed]),
            learning.classify(values, seen=6),
            learning.classify(stated, seen=3) if stated else Linear(),
        )

    def tagger(self, lines: Sequence[Line]) -> Tagger:
        """Where the words of free slots stand."""
        sentences = []
        for line in lines:
            sought = sought_in(self._slots(line))
            half = line.family in _HALF_MARKED and not line.marks
            if not sought or not line.text or half:
                continue
            reading = self._mind.read(line.text, line.now)
            seen = tagger.features(reading.plain, reading.found, reading.words)
            rows = tagger.with_topic(seen, line.intent)
            sentences.append((rows, tagger.write(line.marks, len(rows)), sought))
        return Tagger(learning.label(sentences, tagger.LABELS))

    def _slots(self, line: Line) -> tuple[str, ...]:
        return self._mind.slots_of(line.intent)

    def _value(self, line: Line) -> str | None:
        """The class of a line among the values; None where it teaches none."""
        value = line.slots.get("category") or line.slots.get("kind")
        family = FAMILIES.get(line.intent) or self._values.get(str(value))
        if family is None or (value is None and not line.whole):
            return None
        return f"{family}/{value or NONE}"


def examples(mind: Understanding) -> Iterator[Line]:
    """The examples in the rules are lines to learn from, too."""
    for intent in sorted(mind.intents):
        public = mind.public(intent)
        if public == "none":
            continue
        for group, texts in zip((False, True), mind.examples(intent), strict=True):
            for text in texts:
                yield Line(text, public, mind.speaker(intent), group, family="examples", whole=False)


def tables(lines: Iterable[Line]) -> dict[str, Linear]:
    """All tables that these lines make, by the name of their file; on two processors side by side."""
    kept = [line for line in lines if line.text]
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        halves = [pool.submit(work, kept) for work in (_spans, _intents)]
        return {name: table for half in halves for name, table in half.result().items()}


def _intents(lines: Sequence[Line]) -> dict[str, Linear]:
    mind = Understanding.untrained()
    made = Trainer(mind).ranker([*lines, *examples(mind)])
    return {ranker.INTENTS: made.intents, ranker.VALUES: made.values, ranker.STATED: made.stated}


def _spans(lines: Sequence[Line]) -> dict[str, Linear]:
    segment.use(segment.plain())
    mind = Understanding.untrained()
    return {tagger.SPANS: Trainer(mind).tagger([*lines, *examples(mind)]).model}


def sources() -> str:
    """What the tables were made from: a line a file, with its digest."""
    files = [*(FOLDER.parent / "corpus").iterdir(), *(FOLDER.parent / "words").glob("*.toml")]
    files.append(homophones.TABLE)
    files += [*(FOLDER.parent / "intents").glob("*.toml"), *(FOLDER.parent / name for name in _READERS)]
    digests = [
        f"{hashlib.sha256(_taught(path)).hexdigest()[:16]}  {path.relative_to(FOLDER.parent).as_posix()}\n"
        for path in sorted(files)
        if path.suffix in {".jsonl", ".txt", ".toml", ".py"}
    ]
    return "".join(digests)


def _taught(path: Path) -> bytes:
    """What the models learn from a file: of a topic only the examples, their speakers and slots."""
    if path.parent.name != "intents":
        return path.read_bytes()
    topic = tomllib.loads(path.read_text(encoding="utf-8"))
    kept = {
        name: {
            key: table[key]
            for key in ("examples", "group_examples", "roles", "speaker", "slots")
            if key in table
        }
        for name, table in topic.items()
        if isinstance(table, dict)
    }
    return repr(kept).encode()


def main(arguments: Sequence[str]) -> int:
    lines = labelled.corpus()
    for name in arguments:
        lines.extend(labelled.read(Path(name)))
    for name, table in tables(lines).items():
        table.save(FOLDER / name)
    (FOLDER / SOURCES).write_text(sources(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
