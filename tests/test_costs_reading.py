"""What staff write of parts and money, to the fen; what could be read in two ways is asked about."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.slots.costs import Why, find, yuan


@pytest.mark.parametrize(
    ("text", "fen", "parts"),
    [
        ("换了2个角阀，60元", 6000, {"角阀": 2}),
        ("换了两个角阀60元", 6000, {"角阀": 2}),
        ("换2个角阀 60", 6000, {"角阀": 2}),
        ("角阀两个60，人工30", 9000, {"角阀": 2}),
        ("角阀2个 60元 人工 30元", 9000, {"角阀": 2}),
        ("材料费一百二，工时50", 17000, {}),
        ("一共180", 18000, {}),
        ("一共花了120，角阀2个", 12000, {"角阀": 2}),
        ("角阀2个，一共花了120", 12000, {"角阀": 2}),
        ("免费", 0, {}),
        ("不收钱", 0, {}),
        ("没收钱", 0, {}),
        ("换了个密封圈，没收钱", 0, {"密封圈": 1}),
        ("没要业主钱", 0, {}),
        ("四十五块钱", 4500, {}),
        ("四十五块五", 4550, {}),
        ("三块五", 350, {}),
        ("收费80元", 8000, {}),
        ("灯换完了，收了三十", 3000, {}),
        ("报价 60元 换角阀", 6000, {"角阀": 1}),
        ("要换角阀，60元，问下业主", 6000, {"角阀": 1}),
        ("换了2个角阀，每个30", 6000, {"角阀": 2}),
        ("换了2个角阀，30元一个", 6000, {"角阀": 2}),
        ("换了2个角阀，30一个", 6000, {"角阀": 2}),
        ("2个角阀30元/个", 6000, {"角阀": 2}),
        ("角阀60，软管30", 9000, {"角阀": 1, "软管": 1}),
        ("换了角阀60，软管30", 9000, {}),
        ("工号60", None, {}),
        ("角阀60元，软管30元，一共90元", 9000, {"角阀": 1, "软管": 1}),
        ("角阀60元，一共90元", 9000, {"角阀": 1}),
        ("角阀×2，60元", 6000, {"角阀": 2}),
        ("角阀x2 60元", 6000, {"角阀": 2}),
        ("换了角阀和软管，一共90", 9000, {"角阀": 1}),
        ("换了2个角阀和1根软管，90元", 9000, {"角阀": 2, "软管": 1}),
        ("换了两块瓷砖，80元", 8000, {"瓷砖": 2}),
        ("换了1,200元的水泵", 120000, {}),
        ("换了两块面板", None, {"面板": 2}),
        ("换了两块面板，8块钱", 800, {"面板": 2}),
        ("5块换个垫片", 500, {"垫片": 1}),
        ("人工免费，材料30元", 3000, {}),
        ("¥45.50", 4550, {}),
        ("￥ 60", 6000, {}),
        ("一千二百块", 120000, {}),
        ("一千二块", 120000, {}),
        ("5毛钱", 50, {}),
        ("用了1.5米水管，20块", 2000, {"水管": 2}),
        ("换了个密封圈", None, {"密封圈": 1}),
        ("头发堵的", None, {}),
        ("通了2个小时", None, {}),
        ("3栋2单元501", None, {}),
        ("修好了", None, {}),
        ("明天下午3点到", None, {}),
        ("13800001234", None, {}),
        ("半小时到", None, {}),
        ("换好了", None, {}),
    ],
)
def test_read(text: str, fen: int | None, parts: dict[str, int]) -> None:
    found = find(text, ("角阀", "软管"))
    assert found.why is None
    assert found.fen == fen
    counted = {one.name: one.count for one in found.parts}
    assert {name: counted.get(name) for name in parts} == parts


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("大概60元", Why.ABOUT),
        ("60块左右", Why.ABOUT),
        ("60到80元", Why.ABOUT),
        ("60-80块", Why.ABOUT),
        ("60多块", Why.ABOUT),
        ("几十块", Why.ABOUT),
        ("-60元", Why.NEGATIVE),
        ("负六十元", Why.NEGATIVE),
        ("60元，80元", Why.TWO),
        ("角阀60元，软管30元，一共100元", Why.TWO),
        ("角阀60元，一共50元", Why.TWO),
        ("一共60，合计80", Why.TWO),
        ("免费，60元", Why.TWO),
        ("0.005元", Why.SMALL),
        ("每个30元", Why.EACH),
    ],
)
def test_asks(text: str, why: Why) -> None:
    found = find(text)
    assert found.why is why
    assert found.fen is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("换了2个角阀，60元", "2个角阀"),
        ("角阀两个60，人工30", "2个角阀 60 元、人工 30 元"),
        ("要换角阀，60元", "角阀"),
        ("60元", ""),
        ("人工30元", "人工"),
    ],
)
def test_words(text: str, words: str) -> None:
    assert find(text).words == words


FEN = st.integers(1, 10_000_000)


@given(FEN)
def test_any_amount_is_read_to_the_fen(fen: int) -> None:
    for text in (f"{yuan(fen)}元", f"¥{yuan(fen)}", f"换了2个角阀，{yuan(fen)}块钱", f"一共{yuan(fen)}元"):
        assert find(text).fen == fen


@given(st.integers(1, 99), FEN, FEN)
def test_lines_add_up(count: int, fen: int, work: int) -> None:
    found = find(f"换了{count}个角阀{yuan(fen)}元，人工{yuan(work)}元")
    assert found.fen == fen + work == sum(one.fen for one in found.lines)
    assert found.parts[0].count == count
    each = find(f"换了{count}个角阀，每个{yuan(fen)}元")
    assert each.fen == count * fen


@given(st.text(alphabet="换了2个角阀60元块一共人工百十，。、-~到每半免费收钱.¥ 1", max_size=24))
def test_nothing_breaks_and_nothing_is_negative(text: str) -> None:
    found = find(text)
    assert found.fen is None or found.fen >= 0
    assert sum(one.fen for one in found.lines) <= (found.fen or 0)
