"""Labelled lines: what people say and what it means, to train on and to measure with.

Two formats. `.jsonl` has an object a line: `{id, text, now, group, role, intent, slots}`. `.txt` is for
people:

    # repair.report category=plumbing
    厨房水龙头关不死，滴答一晚上
    # aid.request kind=borrow group
    谁家有{item:梯子}，借我半小时

A heading names the intent, then `category=` or `kind=`, `group` for a group chat, `role=staff|committee`;
the lines below it are messages (⏎ is a line break), with the words of a slot marked where they stand.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

CORPUS = Path(__file__).parent / "corpus"
#: Slots whose value is a piece of the text, as the contract says; `option` is one of `options`, `place`
#: of a location.
TEXTUAL = (
    "item",
    "origin",
    "destination",
    "title",
    "question",
    "option",
    "choice",
    "assignee",
    "name",
    "body",
    "place",
)
#: The parts that lines are dealt into, to train on some and to measure on another.
FOLDS = 5
_NOW = datetime.fromisoformat("2026-03-04T10:00")
_MARK = re.compile(r"\{([a-z]+):([^{}]*)\}")

#: A slot's name, start and end in the text.
Marked = tuple[str, int, int]


class LabelError(ValueError):
    """A line that cannot be read; says where and why."""


@dataclass(frozen=True, slots=True)
class Line:
    """One message and its meaning. `slots` holds what the source states: a `.txt` says less."""

    text: str
    intent: str
    role: str = "resident"
    group: bool = False
    now: datetime = _NOW
    slots: Mapping[str, Any] = field(default_factory=dict)
    marks: tuple[Marked, ...] = ()
    #: the family it is of (the file), its part, and whether all its slots are stated
    family: str = ""
    fold: int = 0
    whole: bool = True


def read(path: Path) -> Iterator[Line]:
    """The lines of a file, in order; LabelError where one cannot be read."""
    text = path.read_text(encoding="utf-8")
    yield from _records(path, text) if path.suffix == ".jsonl" else _headed(path, text)


def number(name: object) -> int:
    """The number at the end of an id; lines with one that five divides are the held-out part."""
    return int("".join(c for c in str(name).split("-")[-1] if c.isdigit()) or 1)


def _records(path: Path, text: str) -> Iterator[Line]:
    for index, raw in enumerate(text.splitlines(), 1):
        try:
            record = json.loads(raw)
            if not isinstance(record["text"], str):
                raise TypeError("text: a string is needed")
            slots = record.get("slots", {})
            yield Line(
                text=record["text"],
                intent=record.get("intent", "none"),
                role=record.get("role", "resident"),
                group=bool(record.get("group", "intent" not in record)),
                now=datetime.fromisoformat(record["now"]).replace(tzinfo=None) if "now" in record else _NOW,
                slots=slots,
                marks=_marks(record["text"], slots),
                family=path.stem,
                fold=number(record.get("id", 1)) % FOLDS,
            )
        except (ValueError, KeyError, TypeError) as error:
            raise LabelError(f"{path.name}:{index}: {error}") from error


def _marks(text: str, slots: Mapping[str, Any]) -> tuple[Marked, ...]:
    """Where the textual slots of a record stand: each at its first place that is free."""
    said = [(name, value) for name, value in slots.items() if name in TEXTUAL and isinstance(value, str)]
    said += [("option", value) for value in slots.get("options", ())]
    if "place" in slots.get("location", {}):
        said.append(("place", slots["location"]["place"]))
    marks: list[Marked] = []
    for name, value in said:
        begin = text.find(value)
        while begin >= 0 and any(begin < e and s < begin + len(value) for _, s, e in marks):
            begin = text.find(value, begin + 1)
        if begin >= 0 and value:
            marks.append((name, begin, begin + len(value)))
    return tuple(sorted(marks, key=lambda mark: mark[1]))


def _headed(path: Path, text: str) -> Iterator[Line]:
    heading: dict[str, Any] | None = None
    count = 0
    for index, raw in enumerate(text.splitlines(), 1):
        if not raw.strip():
            continue
        if raw.startswith("# "):
            heading = _heading(f"{path.name}:{index}", raw[2:].split())
            continue
        if heading is None:
            raise LabelError(f"{path.name}:{index}: no heading before it")
        plain, marks = unmark(raw.replace("⏎", "\n"))
        count += 1
        yield Line(plain, marks=marks, family=path.stem, fold=count % FOLDS, whole=False, **heading)


def _heading(where: str, words: list[str]) -> dict[str, Any]:
    given: dict[str, Any] = {"intent": words[0], "slots": {}}
    for word in words[1:]:
        key, _, value = word.partition("=")
        if word == "group":
            given["group"] = True
        elif key == "role" and value in {"resident", "staff", "committee"}:
            given["role"] = value
        elif key in {"category", "kind"} and value:
            given["slots"] = {key: value}
        else:
            raise LabelError(f"{where}: not known in a heading: {word}")
    return given


def unmark(text: str) -> tuple[str, tuple[Marked, ...]]:
    """The text without its marks, and what they marked."""
    plain, marks, at = "", [], 0
    for match in _MARK.finditer(text):
        plain += text[at : match.start()]
        if match[1] not in TEXTUAL:
            raise LabelError(f"no slot to mark: {match[1]}")
        marks.append((match[1], len(plain), len(plain) + len(match[2])))
        plain += match[2]
        at = match.end()
    return plain + text[at:], tuple(marks)


def corpus(folder: Path = CORPUS) -> list[Line]:
    """All lines of a folder, files by name."""
    return [
        line for path in sorted(folder.iterdir()) if path.suffix in {".jsonl", ".txt"} for line in read(path)
    ]
