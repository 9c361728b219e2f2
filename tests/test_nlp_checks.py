"""What `linli check` refuses in rules that can be read: examples with two meanings, commands nobody says."""

from __future__ import annotations

from pathlib import Path

import pytest

from nlp import checks
from nlp.understanding import Understanding


def book(folder: Path, content: str) -> Understanding:
    (folder / "tea.toml").write_text(content, encoding="utf-8")
    return Understanding.load(folder=folder)


@pytest.mark.parametrize(
    ("content", "faults"),
    [
        ("[order]\nexamples = ['来杯茶']\nwhole = ['来杯茶']\n", []),
        (
            "[order]\nexamples = ['来杯茶']\nwhole = ['来杯茶', '上壶龙井茶']\n",
            ["tea.order: no example says 「上壶龙井茶」"],
        ),
        (
            "[order]\nexamples = ['来杯茶']\nwhole = ['来杯茶']\n[more]\nexamples = ['来杯茶', '一壶龙井']\n"
            "whole = ['一壶龙井']\n",
            [
                "tea.order: example 「来杯茶」 is one of tea.more, too",
                "tea.more: example 「来杯茶」 is understood as tea.order",
            ],
        ),
        (
            "[order]\nexamples = ['来杯茶', '天气真好']\nwhole = ['来杯茶']\n",
            ["tea.order: example 「天气真好」 is understood as nothing sure"],
        ),
    ],
)
def test_faults_of_rules(tmp_path: Path, content: str, faults: list[str]) -> None:
    assert sorted(checks.faults(book(tmp_path, content))) == sorted(faults)
