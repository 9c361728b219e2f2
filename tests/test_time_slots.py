"""Recurrences, deadlines, periods and durations: found as said, and surviving being written and read."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.slots import deadline, duration, period, rrule
from nlp.slots.period import Period
from nlp.understanding import Understanding

UNDERSTANDING = Understanding.load()
#: A Wednesday morning.
NOW = datetime.fromisoformat("2026-03-04T10:00")


def found(slot: str, text: str) -> list[Any]:
    return UNDERSTANDING.find(slot, text, now=NOW)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("每天", "FREQ=DAILY"),
        ("天天下午凉亭见", "FREQ=DAILY"),
        ("每天早上7点半提醒", "FREQ=DAILY;BYHOUR=7;BYMINUTE=30"),
        ("每天五点来做饭", "FREQ=DAILY;BYHOUR=17;BYMINUTE=0"),
        ("每晚", "FREQ=DAILY"),
        ("每晚八点", "FREQ=DAILY;BYHOUR=20;BYMINUTE=0"),
        ("每周五晚八点", "FREQ=WEEKLY;BYDAY=FR;BYHOUR=20;BYMINUTE=0"),
        ("每周一、三、五", "FREQ=WEEKLY;BYDAY=MO,WE,FR"),
        ("周一三五晚上八点", "FREQ=WEEKLY;BYDAY=MO,WE,FR;BYHOUR=20;BYMINUTE=0"),
        ("逢星期二同六", "FREQ=WEEKLY;BYDAY=TU,SA"),
        ("每个周末", "FREQ=WEEKLY;BYDAY=SA,SU"),
        ("工作日早上八点", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR;BYHOUR=8;BYMINUTE=0"),
        ("平日九點到六點", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR;BYHOUR=9;BYMINUTE=0"),
        ("周一到周五每天", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"),
        ("一周两次", "FREQ=WEEKLY"),
        ("每周来一回", "FREQ=WEEKLY"),
        ("每两周一次", "FREQ=WEEKLY;INTERVAL=2"),
        ("隔周的星期四", "FREQ=WEEKLY;INTERVAL=2;BYDAY=TH"),
        ("隔天来一次", "FREQ=DAILY;INTERVAL=2"),
        ("每月1号早上九点", "FREQ=MONTHLY;BYMONTHDAY=1;BYHOUR=9;BYMINUTE=0"),
        ("每月最后一天", "FREQ=MONTHLY;BYMONTHDAY=-1"),
        ("每月月底", "FREQ=MONTHLY;BYMONTHDAY=-1"),
        ("每月1号和15号", "FREQ=MONTHLY;BYMONTHDAY=1,15"),
        ("每隔半小时", "FREQ=MINUTELY;INTERVAL=30"),
        ("每月第二个周六", "FREQ=MONTHLY;BYDAY=2SA"),
        ("每季度", "FREQ=MONTHLY;INTERVAL=3"),
        ("每年11月15号", "FREQ=YEARLY;BYMONTH=11;BYMONTHDAY=15"),
        ("每年国庆", "FREQ=YEARLY;BYMONTH=10;BYMONTHDAY=1"),
        ("三点半放学，想请人每天接", "FREQ=DAILY;BYHOUR=15;BYMINUTE=30"),
    ],
)
def test_a_recurrence(text: str, rule: str) -> None:
    assert found("rrule", text) == [rule]


@pytest.mark.parametrize("text", ["周五晚上", "周末", "每次都这样", "每人十块", "周六周日"])
def test_no_recurrence(text: str) -> None:
    assert found("rrule", text) == []


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("每天晚上八点", "2026-03-04T20:00"),
        ("每天早上八点", "2026-03-05T08:00"),
        ("每周五", "2026-03-06T00:00"),
        ("每月1号", "2026-04-01T00:00"),
        ("每月最后一天", "2026-03-31T00:00"),
        ("每年9月", "2026-09-01T00:00"),
    ],
)
def test_the_first_time(text: str, start: str) -> None:
    (one,) = UNDERSTANDING.moments(text, now=NOW)
    assert (one["kind"], one["start"]) == ("set", start)


@pytest.mark.parametrize(
    ("text", "until"),
    [
        ("周五前投票", "2026-03-06T23:59"),
        ("月底截止", "2026-03-31T23:59"),
        ("截止到3月20号", "2026-03-20T23:59"),
        ("报名到周日", "2026-03-08T23:59"),
        ("周日晚上八点截止", "2026-03-08T20:00"),
        ("下周一中午十二点前投", "2026-03-09T12:00"),
        ("报名截止时间：明晚六点", "2026-03-05T18:00"),
        ("到本月25号为止", "2026-03-25T23:59"),
        ("三天内投完", "2026-03-07T23:59"),
    ],
)
def test_a_deadline(text: str, until: str) -> None:
    assert found("deadline", text) == [until]


@pytest.mark.parametrize("text", ["周五下午三点", "周五以后", "明天"])
def test_no_deadline(text: str) -> None:
    assert found("deadline", text) == []


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("上个月水费", "2026-02-01", "2026-03-01"),
        ("今年的物业费", "2026-01-01", "2027-01-01"),
        ("十月的账单", "2025-10-01", "2025-11-01"),
        ("三月份电费", "2026-03-01", "2026-04-01"),
        ("第四季度", "2025-10-01", "2026-01-01"),
        ("去年十一月到十二月", "2025-11-01", "2026-01-01"),
        ("1月到2月水费合计", "2026-01-01", "2026-03-01"),
        ("上周的工单", "2026-02-23", "2026-03-02"),
        ("昨天多少单", "2026-03-03", "2026-03-04"),
        ("去年一整年", "2025-01-01", "2026-01-01"),
    ],
)
def test_a_period(text: str, start: str, end: str) -> None:
    assert found("period", text) == [{"start": start, "end": end}]


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("打扫三个小时", 180),
        ("半小时", 30),
        ("一个半钟头吧", 90),
        ("四個鐘", 240),
        ("一天八小时", 480),
        ("中间这一个小时没人", 60),
        ("2h", 120),
        ("90分钟", 90),
    ],
)
def test_a_duration(text: str, minutes: int) -> None:
    assert found("duration_minutes", text) == [minutes]


@pytest.mark.parametrize("text", ["24小时热线", "两小时后来", "三天", "一小时前报的"])
def test_no_duration(text: str) -> None:
    assert found("duration_minutes", text) == []


DATES = st.dates(min_value=date.fromisoformat("1000-01-01"), max_value=date.fromisoformat("9000-01-01"))


@given(DATES, st.integers(1, 4000))
def test_period_survives(start: date, days: int) -> None:
    value = Period(start, start + timedelta(days=days))
    assert period.read(value.write()) == value


@given(st.datetimes(min_value=datetime.fromisoformat("1000-01-01")))
def test_deadline_survives(moment: datetime) -> None:
    value = moment.replace(second=0, microsecond=0)
    assert deadline.read(deadline.write(value)) == value


@given(st.integers(1, 100_000))
def test_duration_survives(value: int) -> None:
    assert duration.read(duration.write(value)) == value


@given(st.sampled_from(["DAILY", "WEEKLY;BYDAY=MO,FR", "MONTHLY;BYMONTHDAY=-1"]))
def test_rrule_survives(rule: str) -> None:
    assert rrule.read(rrule.write(f"FREQ={rule}")) == f"FREQ={rule}"


def test_no_rule_is_read() -> None:
    with pytest.raises(ValueError, match="every day"):
        rrule.read("every day")
