"""What is wrong with the rules though every file can be read: examples with two meanings, dead commands."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from nlp import labelled
from nlp.meaning import Intent
from nlp.understanding import Understanding

#: Local and naive, as the understanding has it.
_NOW = datetime.fromisoformat("2026-03-04T10:00")
#: What is longer is no command.
_LONG = 16


def faults(mind: Understanding) -> Iterator[str]:
    """A line a fault."""
    yield from _two_meanings(mind)
    yield from _dead(mind)


def _two_meanings(mind: Understanding) -> Iterator[str]:
    """An example that stands under two intents, or is understood as another than its own."""
    seen: dict[tuple[str, str, bool], Intent] = {}
    for intent in sorted(mind.intents):
        role = mind.speaker(intent)
        for group, texts in zip((False, True), mind.examples(intent), strict=True):
            for text in texts:
                other = seen.setdefault((text, role, group), intent)
                if other != intent:
                    yield f"{intent}: example 「{text}」 is one of {other}, too"
                meaning = mind.understand(text, now=_NOW, group=group, role=role)
                if not meaning.sure or meaning.intent != intent:
                    heard = meaning.intent if meaning.sure else "nothing sure"
                    yield f"{intent}: example 「{text}」 is understood as {heard}"


def _dead(mind: Understanding) -> Iterator[str]:
    """A command that no example and no labelled line says: nobody knows whether it works."""
    silent = {command: _words(command[1]) for command in mind.commands()}
    for text in _short(mind):
        if not silent:
            return
        plain = mind.plain(text)
        if any(not words or any(word in plain for word in words) for words in silent.values()):
            for command in mind.said(text, _NOW):
                silent.pop(command, None)
    for intent, pattern in sorted(silent):
        yield f"{intent}: no example says 「{pattern}」"


def _words(pattern: str) -> list[str]:
    """Words of which a command holds one as they stand; none where it is all slots, classes and options."""
    plain = [part for part in pattern.split() if not set(part) & set("<{?*")]
    return plain[0].split("|") if plain else []


def _short(mind: Understanding) -> Iterator[str]:
    """Examples, then labelled lines, the shortest first: commands are short, and most are soon heard."""
    for intent in mind.intents:
        for texts in mind.examples(intent):
            yield from texts
    short = {line.text for line in labelled.corpus() if len(line.text) <= _LONG}
    yield from sorted(short, key=lambda text: (len(text), text))
