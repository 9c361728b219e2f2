"""Measures the understanding: `python -m nlp.evaluate FILE… [--held-out | --develop] [--show]`.

Only lines of intents that have rules count for accuracy; on all others, whatever fires is a false fire.
Lines without a label (`kind: chatter`) are heard in a group, where any answer is one too many.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from nlp.understanding import DANGER, Understanding

_CHATTER_NOW = datetime.fromisoformat("2026-03-04T10:00")
#: Words that make a harmless line a hard one for the recognition of danger.
_HARD = (
    "着火",
    "起火",
    "失火",
    "烟",
    "煤气",
    "燃气",
    "困",
    "救命",
    "晕",
    "贼",
    "偷",
    "打架",
    "撬",
    "爆",
    "淹",
    "走丢",
    "跳楼",
    "触电",
    "溺",
    "炸",
)


def lines(files: Iterable[str], part: str) -> Iterator[dict[str, Any]]:
    """Records of the files; every fifth id is the held-out part."""
    for file in files:
        for line in Path(file).read_text(encoding="utf-8").splitlines():
            record = json.loads(line)
            number = int("".join(c for c in str(record.get("id", "1")).split("-")[-1] if c.isdigit()) or 1)
            held = number % 5 == 0
            if part == "all" or held == (part == "held-out"):
                yield record


class Tally:
    """Counts of one run."""

    def __init__(self, understanding: Understanding) -> None:
        self.understanding = understanding
        self.built = {understanding.public(intent) for intent in understanding.intents} - {"none"}
        self.right: Counter[str] = Counter()
        self.seen: Counter[str] = Counter()
        self.slots: Counter[str] = Counter()
        self.by_slot: Counter[tuple[str, str]] = Counter()
        self.fires: Counter[str] = Counter()
        self.others = 0
        self.danger: Counter[str] = Counter()
        self.chatter = self.chatter_fires = 0
        self.wrong: list[str] = []

    def add(self, record: dict[str, Any]) -> None:
        text = record["text"]
        if "intent" not in record:
            self._chatter(text)
            return
        group, role, intent = bool(record.get("group")), record.get("role", "resident"), record["intent"]
        now = datetime.fromisoformat(record["now"]).replace(tzinfo=None)
        meaning = self.understanding.understand(text, now=now, group=group, role=role)
        said = self.understanding.public(meaning.intent) if meaning.sure else "none"
        self._danger(text, intent, meaning.intent == DANGER)
        # In a group, where nobody addressed us, silence on what is no service request is right.
        if intent in self.built and not (
            group and intent not in {"repair.report", DANGER} and "@" not in text
        ):
            self.seen[intent] += 1
            self.right[intent] += said == intent
            if said == intent:
                self._slots(record["slots"], dict(meaning.items[0].slots), text)
        elif intent not in self.built:
            self.others += 1
            if said != "none":
                self.fires[said] += 1
        else:
            return
        if said != (intent if intent in self.built else "none"):
            self.wrong.append(f"{intent} -> {said} {'g' if group else ''}{role[0]} | {text}")

    def _chatter(self, text: str) -> None:
        self.chatter += 1
        meaning = self.understanding.understand(text, now=_CHATTER_NOW, group=True)
        if meaning.sure:
            self.chatter_fires += 1
            self.wrong.append(f"chatter -> {meaning.intent} | {text}")

    def _danger(self, text: str, intent: str, fired: bool) -> None:
        if intent == DANGER:
            self.danger["hit" if fired else "missed"] += 1
        else:
            self.danger["false" if fired else "quiet"] += 1
            if any(word in text for word in _HARD):
                self.danger["hard false" if fired else "hard quiet"] += 1

    def _slots(self, want: dict[str, Any], got: dict[str, Any], text: str) -> None:
        for name in want.keys() | got.keys():
            same = name in want and name in got and want[name] == got[name]
            result = "right" if same else "wrong"
            if same:
                self.slots["right"] += 1
            else:
                self.slots["missed"] += name in want
                self.slots["extra"] += name in got
                self.wrong.append(f"  slot {name}: want {want.get(name)} got {got.get(name)} | {text}")
            self.by_slot[name, result] += 1

    def report(self) -> Iterator[str]:
        families: Counter[str] = Counter()
        hits: Counter[str] = Counter()
        for intent, count in self.seen.items():
            families[intent.split(".")[0]] += count
            hits[intent.split(".")[0]] += self.right[intent]
        if self.seen:
            yield f"intent accuracy {_share(self.right.total(), self.seen.total())}"
            yield from (
                f"  {family:12} {_share(hits[family], families[family])}" for family in sorted(families)
            )
            yield from (f"    {i:20} {_share(self.right[i], self.seen[i])}" for i in sorted(self.seen))
        right, missed, extra = self.slots["right"], self.slots["missed"], self.slots["extra"]
        if right:
            yield f"slot F1 {2 * right / (2 * right + missed + extra):.3f}"
            for name in sorted({name for name, _ in self.by_slot}):
                good, bad = self.by_slot[name, "right"], self.by_slot[name, "wrong"]
                yield f"  {name:18} {_share(good, good + bad)}"
        if self.others:
            fired = ", ".join(f"{intent} {count}" for intent, count in self.fires.most_common())
            yield f"fires on other intents {_share(self.fires.total(), self.others)}: {fired}"
        if self.danger["hit"] + self.danger["missed"]:
            yield f"danger recall {_share(self.danger['hit'], self.danger['hit'] + self.danger['missed'])}"
        if self.danger["quiet"]:
            quiet = self.danger["false"] + self.danger["quiet"]
            yield f"danger false alarms {_share(self.danger['false'], quiet)}"
            hard = self.danger["hard false"] + self.danger["hard quiet"]
            yield f"  on lines with words of danger {_share(self.danger['hard false'], hard)}"
        if self.chatter:
            per = 10_000 * self.chatter_fires / self.chatter
            yield f"false triggers on chatter {self.chatter_fires} of {self.chatter} = {per:.1f} per 10,000"


def _share(part: int, whole: int) -> str:
    return f"{part}/{whole} = {100 * part / whole:.1f} %" if whole else "-"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+")
    part = parser.add_mutually_exclusive_group()
    part.add_argument("--held-out", dest="part", action="store_const", const="held-out", default="all")
    part.add_argument("--develop", dest="part", action="store_const", const="develop")
    parser.add_argument("--show", action="store_true", help="the lines that went wrong")
    chosen = parser.parse_args(arguments)
    tally = Tally(Understanding.load())
    for record in lines(chosen.files, chosen.part):
        tally.add(record)
    out = [*(tally.wrong if chosen.show else ()), *tally.report()]
    sys.stdout.write("\n".join(out) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
