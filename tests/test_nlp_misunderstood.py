"""Lines written by hand and never taught: all are understood, but for a list that may only shrink."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from nlp import labelled
from nlp.labelled import Line
from nlp.understanding import DANGER, Understanding

DATA = Path(__file__).parent / "data"
#: A text a line: what we still get wrong. Never longer than this; make it shorter with the list.
KNOWN, MOST = "misunderstood.txt", 2


def wrong(mind: Understanding) -> Iterator[str]:
    for name in ("everyday.txt", "danger.jsonl"):
        for line in labelled.read(DATA / name):
            if heard(mind, line) != (line.intent if name == "everyday.txt" else _danger(line.intent)):
                yield line.text


def heard(mind: Understanding, line: Line) -> str:
    """The intent; of the lines on danger only whether it is one."""
    meaning = mind.understand(line.text, now=line.now, group=line.group, role=line.role)
    said = mind.public((meaning.guess or meaning.items[0]).intent)
    return said if line.family == "everyday" else _danger(said)


def _danger(intent: str) -> str:
    return intent if intent == DANGER else "none"


def test_what_is_misunderstood_is_known_and_shrinks() -> None:
    known = (DATA / KNOWN).read_text(encoding="utf-8").splitlines()
    found = set(wrong(Understanding.load()))
    assert found - set(known) == set(), "misunderstood, and not known to be"
    assert set(known) - found == set(), "understood by now: take it off the list"
    assert len(known) <= MOST


def test_none_of_these_lines_was_taught() -> None:
    taught = {line.text for line in labelled.corpus()}
    mine = [line.text for line in labelled.read(DATA / "everyday.txt")]
    assert len(mine) == len(set(mine)) > 100
    assert taught.isdisjoint(mine)
