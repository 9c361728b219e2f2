"""Wording becomes text: looked up by key, filled in, in local time and the reader's script."""

from __future__ import annotations

import re
import string
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from nlp import script

FOLDER = Path(__file__).resolve().parent.parent / "nlp" / "intents"


@dataclass(frozen=True, slots=True)
class Phrase:
    """One wording: a text, buttons below it («接单=接 {ticket.ref}»), or choices that digits pick too.

    The choice «{offers...}» stands for as many as the value has: its pairs of label and words.
    """

    text: str
    buttons: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Said:
    """A phrase filled in: what a person reads, and the (label, words) pairs of its buttons and choices."""

    text: str
    buttons: tuple[tuple[str, str], ...] = ()
    choices: tuple[tuple[str, str], ...] = ()


class WordingError(Exception):
    """A wording file that can't be used; the text is one line for whoever edits it."""


@dataclass(frozen=True, slots=True)
class Reader:
    """For whom a text is written: the zone and instant that make 「明天」 true, and the script."""

    zone: ZoneInfo
    now: datetime
    traditional: bool = False


def moment(at: datetime, reader: Reader) -> str:
    """A time as people say it: 20:45 today, 明天 08:30, 3月9日 08:30; with the year when it is another."""
    local, today = at.astimezone(reader.zone), reader.now.astimezone(reader.zone).date()
    clock = f"{local:%H:%M}"
    days = (local.date() - today).days
    if days == 0:
        return clock
    if days in (-1, 1, 2):
        return f"{ {-1: '昨天', 1: '明天', 2: '后天'}[days] } {clock}"
    day = f"{local.month}月{local.day}日"
    return f"{day} {clock}" if local.year == today.year else f"{local.year}年{day} {clock}"


@dataclass(frozen=True, slots=True)
class _Gap:
    """Where a value goes: its name, what of it, and how it is written."""

    name: str
    parts: tuple[str, ...]
    form: str

    def filled(self, values: Mapping[str, Any], reader: Reader) -> str:
        value: Any = values[self.name]
        for part in self.parts:
            value = value[part] if isinstance(value, Mapping) else getattr(value, part)
        if isinstance(value, datetime):
            if self.form:
                return value.astimezone(reader.zone).strftime(self.form)
            return moment(value, reader)
        return "" if value is None else format(value, self.form)


@lru_cache(maxsize=4096)
def _parsed(text: str) -> tuple[str | _Gap, ...]:
    """str.format for wording that a community may edit: no look below the surface of a value."""
    out: list[str | _Gap] = []
    for literal, field, form, _ in string.Formatter().parse(text):
        if literal:
            out.append(literal)
        if field is None:
            continue
        name, *parts = field.split(".")
        if any(part.startswith("_") or not part.isidentifier() for part in parts):
            raise WordingError(f"{{{field}}}: no such value")
        out.append(_Gap(name, tuple(parts), form or ""))
    return tuple(out)


def _fill(text: str, values: Mapping[str, Any], reader: Reader) -> str:
    return "".join(one if isinstance(one, str) else one.filled(values, reader) for one in _parsed(text))


class Wording:
    """Every text the house can say. Keys: `topic.name` and, for an intent, `topic.intent.name`.

    The question for a slot is `topic.intent.ask.slot`.
    """

    def __init__(self, phrases: Mapping[str, Phrase]) -> None:
        self._phrases = dict(phrases)

    @classmethod
    def load(cls, folder: Path = FOLDER) -> Wording:
        """Read every topic. Raises WordingError with file and key."""
        phrases: dict[str, Phrase] = {}
        for path in sorted(folder.glob("*.toml")):
            tables = tomllib.loads(path.read_text(encoding="utf-8"))
            topic = path.stem
            for name, table in tables.items():
                if not isinstance(table, dict):
                    continue
                if name in ("notifications", "responses"):
                    phrases |= _phrases(topic, table)
                    continue
                prefix = topic if name == topic else f"{topic}.{name}"
                phrases |= _phrases(f"{prefix}.ask", table.get("prompts", {}))
                phrases |= _phrases(prefix, table.get("responses", {}))
        return cls(phrases)

    def with_own(self, own: Mapping[str, Any]) -> Wording:
        """The same, with some of a community's own wording in place of ours.

        Unknown keys are refused, and values that ours doesn't use: nobody would be there to give them.
        """
        extra = _phrases("", own)
        for key, phrase in extra.items():
            if key not in self._phrases:
                raise WordingError(f"[wording] {key}: no such wording")
            strange = sorted(_gaps(phrase) - _gaps(self._phrases[key]))
            if strange:
                raise WordingError(f"[wording] {key}: no such value here: {{{strange[0]}}}")
        return Wording({**self._phrases, **extra})

    @property
    def keys(self) -> frozenset[str]:
        return frozenset(self._phrases)

    def has(self, key: str) -> bool:
        return key in self._phrases

    def phrase(self, key: str) -> Phrase:
        return self._phrases[key]

    def say(self, key: str, reader: Reader, values: Mapping[str, Any]) -> Said:
        """Fill in `key`. KeyError for an unknown key or a value that the text wants and nobody gave."""
        phrase = self._phrases[key]
        pairs = [_pair(_fill(raw, values, reader)) for raw in phrase.buttons]
        choices = [pair for raw in phrase.choices for pair in _choices(raw, values, reader)]
        text = _fill(phrase.text, values, reader).strip()
        if choices:
            text += "\n" + "\n".join(f"{n} {label}" for n, (label, _) in enumerate(choices, 1))
        if reader.traditional:
            text = script.to_traditional(text)
            pairs = [(script.to_traditional(label), says) for label, says in pairs]
            choices = [(script.to_traditional(label), says) for label, says in choices]
        return Said(text, tuple(pairs), tuple(choices))

    def pattern(self, key: str) -> re.Pattern[str]:
        """Matches any filled form of `key`, in either script."""
        phrase = self._phrases[key]
        tail = "".join(
            "{several}" if _SEVERAL.fullmatch(raw) else f"\n{n} {_pair(raw)[0]}"
            for n, raw in enumerate(phrase.choices, 1)
        )
        return _pattern(phrase.text.strip() + tail)


@lru_cache(maxsize=1024)
def _pattern(text: str) -> re.Pattern[str]:
    out = []
    for literal, field, _, _ in string.Formatter().parse(text):
        both = {literal, script.to_traditional(literal)} if literal else {""}
        out.append("(?:" + "|".join(re.escape(one) for one in sorted(both)) + ")")
        if field is not None:
            out.append(r"[\s\S]*?")
    return re.compile("".join(out).strip())


def _gaps(phrase: Phrase) -> set[str]:
    """The values that a phrase is filled with: `ticket` for {ticket.ref}. ValueError for broken braces."""
    texts = (phrase.text, *phrase.buttons, *phrase.choices)
    fields = (field for text in texts for _, field, _, _ in string.Formatter().parse(text))
    return {re.split(r"[.\[]", field)[0] for field in fields if field is not None}


_SEVERAL = re.compile(r"\{(\w+)\.\.\.\}")


def _choices(raw: str, values: Mapping[str, Any], reader: Reader) -> list[tuple[str, str]]:
    """One choice, or all that a value has."""
    several = _SEVERAL.fullmatch(raw)
    if several:
        return [(label, says) for label, says in values[several[1]]]
    return [_pair(_fill(raw, values, reader))]


def _pair(raw: str) -> tuple[str, str]:
    label, _, says = raw.partition("=")
    return label.strip(), (says or label).strip()


def _phrases(prefix: str, table: Mapping[str, Any]) -> dict[str, Phrase]:
    out = {}
    for name, value in table.items():
        key = f"{prefix}.{name}" if prefix else name
        if isinstance(value, str):
            out[key] = Phrase(value)
        elif isinstance(value, dict) and isinstance(value.get("text"), str):
            unknown = set(value) - {"text", "buttons", "choices"}
            if unknown:
                raise WordingError(f"{key}: unknown {', '.join(sorted(unknown))}")
            out[key] = Phrase(value["text"], tuple(value.get("buttons", ())), tuple(value.get("choices", ())))
        else:
            raise WordingError(f"{key}: a wording is a text, or a table with text, buttons, choices")
    return out
