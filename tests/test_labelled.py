"""Labelled lines in both formats: read whole, or refused with their place."""

from __future__ import annotations

from pathlib import Path

import pytest

from nlp import labelled, tagger
from nlp.labelled import LabelError, Line


def read(tmp_path: Path, name: str, content: str) -> list[Line]:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    return list(labelled.read(path))


def test_lines_under_headings(tmp_path: Path) -> None:
    first, second = read(
        tmp_path,
        "a.txt",
        "# aid.request kind=borrow group\n谁家有{item:梯子}⏎借我\n\n# ticket.accept role=staff\n#12 我接\n",
    )
    assert (first.intent, first.group, first.role, first.text) == (
        "aid.request",
        True,
        "resident",
        "谁家有梯子\n借我",
    )
    assert first.slots == {"kind": "borrow"}
    assert first.marks == (("item", 3, 5),)
    assert (second.intent, second.role, second.text, second.whole) == (
        "ticket.accept",
        "staff",
        "#12 我接",
        False,
    )


def test_records_mark_their_words_where_they_stand(tmp_path: Path) -> None:
    (line,) = read(
        tmp_path,
        "a.jsonl",
        '{"id": "n-10", "text": "装，不装，装不装快递柜", "now": "2026-03-04T10:00:00+08:00",'
        ' "role": "committee", "intent": "poll.create",'
        ' "slots": {"options": ["装", "不装"], "question": "装不装快递柜"}}',
    )
    assert line.marks == (("option", 0, 1), ("option", 2, 4), ("question", 5, 11))
    assert (line.fold, line.whole, line.now.tzinfo) == (0, True, None)


@pytest.mark.parametrize(
    ("name", "content", "place"),
    [
        ("a.txt", "没有标题\n", "a.txt:1"),
        ("a.txt", "# repair.report loudly\n", "a.txt:1"),
        ("a.txt", "# repair.report role=king\n", "a.txt:1"),
        ("a.txt", "# repair.report\n{colour:红}灯坏了\n", "colour"),
        ("a.jsonl", '{"text": 1}', "a.jsonl:1"),
        ("a.jsonl", "{}", "a.jsonl:1"),
        ("a.jsonl", "nonsense", "a.jsonl:1"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(
    tmp_path: Path, name: str, content: str, place: str
) -> None:
    with pytest.raises(LabelError, match=place):
        read(tmp_path, name, content)


def test_marks_survive_being_labels() -> None:
    marks = [("item", 0, 2), ("item", 2, 3), ("destination", 5, 8)]
    assert tagger.read(tagger.write(marks, 9)) == marks
    assert tagger.read(tagger.write([], 3)) == []


def test_every_line_of_the_corpus_can_be_read() -> None:
    lines = labelled.corpus()
    assert len(lines) > 45_000
    assert len({(line.text, line.role, line.group) for line in lines}) > 0.98 * len(lines)
