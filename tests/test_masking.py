"""What is hidden before a group reads somebody's words, and what is left alone."""

from __future__ import annotations

import pytest

from bot.masking import masked


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("我家3栋2单元501漏水，电话13800001111", "我家3栋*单元漏水，电话138****1111"),
        ("3-2-501 马桶堵了，打 138 0000 1111", "3栋*单元 马桶堵了，打 138****1111"),
        ("２号楼１单元８０２室，手机１３８００００１１１１", "2栋*单元，手机138****1111"),
        ("一三八零零零零一一一一，五零一的水管", "138****1111，*号的水管"),
        ("501的水漏到401了", "*号的水漏到*号了"),
        ("身份证11010519491231002X", "身份证110105********002X"),
        ("王芳 +86 138-0000-1111", "王芳 138****1111"),
    ],
)
def test_numbers_and_doors_are_hidden(said: str, shown: str) -> None:
    assert masked(said) == shown


@pytest.mark.parametrize(
    "said",
    ["楼道灯坏了", "3号楼2单元电梯停了", "等配件，周三 10:30 到，120元", "𠮷祥路口的井盖 😀 不见了", ""],
)
def test_what_shows_nobody_stays_as_it_is(said: str) -> None:
    assert masked(said) == said
