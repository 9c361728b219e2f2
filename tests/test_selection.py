"""What people answer to a marked list."""

from __future__ import annotations

import pytest

from bot.dialog.selection import about, dropped


@pytest.mark.parametrize(
    ("text", "out"),
    [
        ("不要2", {1}),
        ("不要②", {1}),
        ("去掉 1、3", {0, 2}),
        ("1和3不要了", {0, 2}),
        ("第2件不用", {1}),
        ("除了第1件", {0}),
        ("别登记3", {2}),
        ("不要4", None),  # there are three
        ("不要0", None),
        ("不要12", None),
        ("不要修了", None),
        ("2", None),
        ("不要", None),
    ],
)
def test_dropped(text: str, out: set[int] | None) -> None:
    assert dropped(text, 3) == out


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2 在东门", (1, "在东门")),
        ("②东门", (1, "东门")),
        ("第3件：3栋2单元501", (2, "3栋2单元501")),
        ("1，5栋", (0, "5栋")),
        ("4 在东门", None),
        ("2", None),
        ("东门", None),
    ],
)
def test_about(text: str, found: tuple[int, str] | None) -> None:
    assert about(text, 3) == found
