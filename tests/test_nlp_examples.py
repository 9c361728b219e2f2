"""Every example in a topic is understood as its own intent; and what a topic's file may not hold is said."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from nlp.understanding import RuleError, Understanding

NOW = datetime.fromisoformat("2026-03-04T10:00")
UNDERSTANDING = Understanding.load()


def examples() -> Iterator[tuple[str, str, bool, str]]:
    for intent in sorted(UNDERSTANDING.intents):
        private, grouped = UNDERSTANDING.examples(intent)
        role = UNDERSTANDING.speaker(intent)
        for text in private:
            yield intent, text, False, role
        for text in grouped:
            yield intent, text, True, role


@pytest.mark.parametrize(("intent", "text", "group", "role"), list(examples()))
def test_example(intent: str, text: str, group: bool, role: str) -> None:
    meaning = UNDERSTANDING.understand(text, now=NOW, group=group, role=role)
    assert meaning.sure
    assert meaning.intent == intent, UNDERSTANDING.explain(text, now=NOW, group=group, role=role)


def test_every_intent_has_examples() -> None:
    """All of the contract; some of ours are reached by what we tell people to write, and by nothing else."""
    ours = [i for i in UNDERSTANDING.intents if UNDERSTANDING.public(i) != i]
    assert [i for i in UNDERSTANDING.intents if not UNDERSTANDING.examples(i)[0] and i not in ours] == []


def test_internal_intents_have_a_public_word() -> None:
    assert UNDERSTANDING.public("profile.approve") == "dialog.affirm"
    assert UNDERSTANDING.public("profile.refuse") == "dialog.deny"
    assert UNDERSTANDING.public("human.back") == "none"
    assert UNDERSTANDING.public("repair.report") == "repair.report"
    assert UNDERSTANDING.public("none") == "none"


def test_wording_in_the_same_file_is_not_ours(tmp_path: Path) -> None:
    (tmp_path / "tea.toml").write_text(
        '[order]\nexamples = ["来杯茶"]\nwhole = ["来杯茶"]\n[order.prompts]\nkind = "什么茶？"\n'
        '[order.responses]\ndone = "好。"\n[notifications]\nnew = "有人要茶。"\n[responses]\nx = "y"\n'
        '[only.responses]\ndone = "没有规则。"\n',
        encoding="utf-8",
    )
    understanding = Understanding.load(folder=tmp_path)
    assert understanding.intents == {"tea.order"}
    assert understanding.understand("来杯茶", now=NOW).intent == "tea.order"


def test_table_named_like_its_file_is_the_topic(tmp_path: Path) -> None:
    (tmp_path / "tea.toml").write_text('[tea]\nwhole = ["茶"]\n', encoding="utf-8")
    assert Understanding.load(folder=tmp_path).intents == {"tea"}


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("[order]\nexampels = ['茶']\n", "exampels"),
        ("[order]\nexamples = '茶'\n", "examples"),
        ("[order]\nwhole = ['<nothing>']\n", "<nothing>"),
        ("[order]\nsure = ['-茶']\n", "-茶"),
        ("[order]\nroles = ['king']\n", "king"),
        ("[order]\nslots = ['colour']\n", "colour"),
        ("[order]\nroom = 0502\n", "tea.toml"),
        ("order = 1\n", "order"),
    ],
)
def test_a_bad_rule_is_refused_with_its_place(tmp_path: Path, content: str, fault: str) -> None:
    (tmp_path / "tea.toml").write_text(content, encoding="utf-8")
    with pytest.raises(RuleError) as error:
        Understanding.load(folder=tmp_path)
    assert any(fault in line for line in error.value.faults)
    assert all("\n" not in line for line in error.value.faults)
