"""Measures the understanding: `python -m nlp.evaluate FILE… [--fold K] [--show]`.

Without `--fold` the models as they are are measured, on lines that they may have been taught. With it
they are first trained anew without part K of `corpus/` (of five; by the number of a line's id), and
measured on that part of the files. Lines without a label
(`kind: chatter`) are heard in a group, where any answer is one too many.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from nlp import labelled, train
from nlp.labelled import FOLDS, Line
from nlp.meaning import Meaning
from nlp.understanding import DANGER, Understanding

#: Intents among which a number alone does not tell (contract, conventions).
_OF_A_NUMBER = frozenset({"ticket.cancel", "notice.withdraw", "aid.close", "activity.leave"})
_SHORT = 10
#: Words that make a harmless line a hard one for the recognition of danger.
_HARD = (
    *("着火", "起火", "失火", "烟", "煤气", "燃气", "困", "救命", "晕", "贼", "偷", "打架", "撬"),
    *("爆", "淹", "走丢", "跳楼", "触电", "溺", "炸"),
)


class Tally:
    """Counts of one run."""

    def __init__(self, mind: Understanding) -> None:
        self.mind = mind
        self.right: Counter[str] = Counter()
        self.seen: Counter[str] = Counter()
        self.by_family: Counter[str] = Counter()
        self.right_by_family: Counter[str] = Counter()
        self.confused: Counter[tuple[str, str]] = Counter()
        self.slots: Counter[tuple[str, str]] = Counter()
        self.danger: Counter[str] = Counter()
        self.silence: Counter[str] = Counter()
        self.took: list[float] = []
        self.wrong: list[str] = []

    def add(self, line: Line) -> None:
        began = time.perf_counter()
        meaning = self.mind.understand(line.text, now=line.now, group=line.group, role=line.role)
        self.took.append(time.perf_counter() - began)
        item = meaning.guess or meaning.items[0]
        said = self.mind.public(item.intent)
        self._silence(line, meaning)
        if line.family == "real-chatter":
            return
        right = said == line.intent or self._either(line, said)
        self.seen[line.intent] += 1
        self.by_family[line.family] += 1
        self._danger(line, said == DANGER)
        if not right:
            self.confused[line.intent, said] += 1
            self.wrong.append(
                f"{line.intent} -> {said} {'群 ' if line.group else ''}{line.role[0]} | {line.text}"
            )
            return
        self.right[line.intent] += 1
        self.right_by_family[line.family] += 1
        if line.whole and said == line.intent:
            self._slots(line, dict(item.slots))

    @staticmethod
    def _either(line: Line, said: str) -> bool:
        return "ref" in line.slots and len(line.text) <= _SHORT and {line.intent, said} <= _OF_A_NUMBER

    def _silence(self, line: Line, meaning: Meaning) -> None:
        """In a group, lines that want nothing: was one taken for a request, and would we have spoken?"""
        if line.group and line.intent == "none":
            name = "chatter" if line.family == "real-chatter" else "near-misses"
            self.silence[name] += 1
            if meaning.sure:
                self.silence[name + " understood"] += 1
                self.silence[name + " answered"] += meaning.intent in self.mind.unasked
                self.wrong.append(f"{name} -> {meaning.intent} | {line.text}")

    def _danger(self, line: Line, heard: bool) -> None:
        if line.intent == DANGER:
            self.danger["heard" if heard else "missed"] += 1
            return
        self.danger["others"] += 1
        self.danger["false"] += heard
        if any(word in line.text for word in _HARD):
            self.danger["hard"] += 1
            self.danger["hard false"] += heard

    def _slots(self, line: Line, got: dict[str, Any]) -> None:
        for name in line.slots.keys() | got.keys():
            want = line.slots.get(name)
            if name in got and got[name] == want:
                self.slots[name, "right"] += 1
                continue
            self.slots[name, "missed"] += name in line.slots
            self.slots[name, "extra"] += name in got
            self.wrong.append(f"  {line.intent} {name}: want {want} got {got.get(name)} | {line.text}")

    @property
    def accuracy(self) -> float:
        return self.right.total() / max(1, self.seen.total())

    @property
    def f1(self) -> float:
        right, missed, extra = (
            sum(count for (_, how), count in self.slots.items() if how == which)
            for which in ("right", "missed", "extra")
        )
        return 2 * right / max(1, 2 * right + missed + extra)

    def report(self) -> Iterator[str]:
        if self.seen:
            yield f"intents {_share(self.right.total(), self.seen.total())}"
            for family in sorted(self.by_family):
                yield f"  {family:12} {_share(self.right_by_family[family], self.by_family[family])}"
            yield "  worst: " + ", ".join(
                f"{i} {self.right[i]}/{self.seen[i]}"
                for i in sorted(self.seen, key=lambda i: self.right[i] / self.seen[i])[:12]
            )
            yield "  confused: " + ", ".join(
                f"{want} as {said} {n}" for (want, said), n in self.confused.most_common(10)
            )
            yield f"slots F1 {self.f1:.3f} (where the intent is right)"
            yield from self._slot_lines()
            yield f"danger heard {_share(self.danger['heard'], self.danger['heard'] + self.danger['missed'])}"
            yield f"  false alarms {_share(self.danger['false'], self.danger['others'])}"
            yield f"  on lines with words of danger {_share(self.danger['hard false'], self.danger['hard'])}"
        for name in ("near-misses", "chatter"):
            if count := self.silence[name]:
                for how in ("answered", "understood"):
                    part = self.silence[f"{name} {how}"]
                    per = f"{10_000 * part / count:.1f} in 10,000"
                    yield f"{name} {how} in groups unasked {_share(part, count)} ({per})"
        took = sorted(self.took)
        p50, p95 = took[len(took) // 2], took[len(took) * 95 // 100]
        yield f"µs a line: p50 {1e6 * p50:.0f}, p95 {1e6 * p95:.0f}, longest {1e6 * took[-1]:.0f}"

    def _slot_lines(self) -> Iterator[str]:
        for name in sorted({name for name, _ in self.slots}):
            right, missed, extra = (self.slots[name, how] for how in ("right", "missed", "extra"))
            precision, recall = right / max(1, right + extra), right / max(1, right + missed)
            f1 = 2 * right / max(1, 2 * right + missed + extra)
            yield f"  {name:18} P {precision:.3f} R {recall:.3f} F1 {f1:.3f} ({right + missed})"


def _share(part: int, whole: int) -> str:
    return f"{part}/{whole} = {100 * part / whole:.1f} %" if whole else "-"


def measure(mind: Understanding, lines: Iterable[Line]) -> Tally:
    tally = Tally(mind)
    for line in lines:
        tally.add(line)
    return tally


def without(fold: int, more: Sequence[Line] = ()) -> Understanding:
    """An understanding that was not taught the lines of one part."""
    lines = [line for line in labelled.corpus() if not (line.whole and line.fold == fold)]
    return Understanding.trained(train.tables([*lines, *more]))


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--fold", type=int, choices=range(FOLDS))
    parser.add_argument("--show", action="store_true", help="the lines that went wrong")
    chosen = parser.parse_args(arguments)
    lines = [line for file in chosen.files for line in labelled.read(file)]
    if chosen.fold is not None:
        lines = [line for line in lines if line.fold == chosen.fold or line.family == "real-chatter"]
    mind = Understanding.load() if chosen.fold is None else without(chosen.fold)
    tally = measure(mind, lines)
    out = [*(tally.wrong if chosen.show else ()), *tally.report()]
    sys.stdout.write("\n".join(out) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
