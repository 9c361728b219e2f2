"""What holds of the reading of time whatever is said; and how well it reads the public suites."""

from __future__ import annotations

import time as clock
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp import evaluate_time
from nlp.slots import deadline, duration, period, rrule, time
from nlp.understanding import Understanding

NOW = datetime.fromisoformat("2026-03-04T10:00")
SUITES = Path(__file__).parents[2] / "shared" / "corpus" / "time"
WORDS = [
    "零",
    "一",
    "二",
    "三",
    "十",
    "半",
    "点",
    "月",
    "日",
    "号",
    "周",
    "下",
    "上",
    "午",
    "晚",
    "明天",
    "后",
    "分钟",
    "小时",
    "到",
    "前",
    "年",
    "第",
    "-",
    ":",
    "8",
    "30",
    "2026",
    "每",
    "隔",
    "逢",
    "工作日",
    "星期",
    "礼拜",
    "农历",
    "闰",
    "除夕",
    "至今",
    "国庆",
    "以后",
    "之前",
    "大年初",
    "正月",
    "下下",
    "最后一个",
    "第三个",
    "世纪",
    "季度",
    "秋天",
    "个",
    "内",
    "来",
    "多",
    "左右",
    "截止",
    "了",
    "丢",
    "，",
    "的",
]
TEXTS = st.lists(st.sampled_from(WORDS) | st.characters(), max_size=30).map("".join)


@settings(max_examples=400, deadline=None)
@given(TEXTS, st.datetimes())
def test_anything_may_be_said(text: str, now: datetime) -> None:
    found = time.find(text, now)
    assert found == time.find(text, now)
    for one in found:
        start, end = one.span
        assert 0 <= start < end <= len(text)
        if one.start is not None and one.end is not None:
            assert one.start < one.end
        one.write()
    deadline.find(text, found)
    rrule.find(found)
    duration.find(text, found)
    period.find(text, now)


@pytest.mark.parametrize(
    "unit", ["三点到", "每周一", "1", "1-", "八月十五", "最后一个", "明天", "15个工作日内", "闰", "\x00"]
)
def test_long_nonsense_takes_no_time(unit: str) -> None:
    text = (unit * 10_000)[:10_000]
    time.find(text, NOW)
    began = clock.process_time()
    time.find(text, NOW)
    assert clock.process_time() - began < 0.3  # 0.03 on an idle machine


def test_a_text_without_time_costs_next_to_nothing() -> None:
    without, within = "厨房水管漏水了麻烦派人来看看吧谢谢", "厨房水管漏水了麻烦明天下午三点来看看"

    def cost(text: str) -> float:
        began = clock.process_time()
        for _ in range(300):
            time.find(text, NOW)
        return clock.process_time() - began

    assert min(cost(without) for _ in range(5)) < 0.5 * min(cost(within) for _ in range(5))


@pytest.mark.skipif(not SUITES.is_dir(), reason="the public suites are not here")
def test_the_public_suites_are_read() -> None:
    score, mind = evaluate_time.Score(), Understanding.load()
    for name, record, held in evaluate_time.records([str(SUITES)]):
        found = mind.moments(record["text"], now=datetime.fromisoformat(record["now"]))
        evaluate_time.suite(score, name, record, held, found)
    assert score.rate("all", False) >= 0.94
    assert score.rate("all", True) >= 0.83
    assert score.rate("hant", False) >= 0.97
    assert score.rate("yue", False) == score.rate("yue", True) == 1.0


def test_the_measure_prints_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = tmp_path / "lines.jsonl"
    lines.write_text(
        '{"id": "a1", "text": "明天", "now": "2026-03-04T10:00", "tags": ["hans", "core", "topic:date"], '
        '"expect": {"kind": "point", "start": "2026-03-05T00:00", "end": "2026-03-06T00:00"}}\n'
        '{"id": "b1", "text": "打扫两小时", "now": "2026-03-04T10:00", "slots": {"duration_minutes": 120}}\n',
        encoding="utf-8",
    )
    assert evaluate_time.main([str(lines), "--show"]) == 0
    table = capsys.readouterr().out
    assert "topic:date" in table
    assert "duration_minutes" in table
