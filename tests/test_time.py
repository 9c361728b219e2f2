"""The reading of time: what people say for it, resolved by the contract's conventions; cases by hand."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from nlp.normal import Normaliser
from nlp.slots import time

#: A Wednesday morning.
NOW = datetime.fromisoformat("2026-03-04T10:00")
NORMAL = Normaliser({})


def said(text: str, now: datetime = NOW) -> list[dict[str, Any]]:
    return [one.write() for one in time.find(NORMAL(text), now)]


def only(text: str, now: str = "2026-03-04T10:00") -> tuple[str | None, str | None, str | None, str | None]:
    """Kind, start, end and mod of the one time in a text."""
    found = said(text, datetime.fromisoformat(now))
    assert len(found) == 1, found
    one = found[0]
    return one["kind"], one.get("start"), one.get("end"), one.get("mod")


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("后天", "2026-03-06"),
        ("大后天", "2026-03-07"),
        ("前天", "2026-03-02"),
        ("听日", "2026-03-05"),
        ("尋日", "2026-03-03"),
        ("夜个儿", "2026-03-03"),
        ("名天", "2026-03-05"),
        ("周三", "2026-03-04"),
        ("周二", "2026-03-10"),
        ("这周二", "2026-03-03"),
        ("下周二", "2026-03-10"),
        ("下下周二", "2026-03-17"),
        ("上周日", "2026-03-01"),
        ("下周周六", "2026-03-14"),
        ("3月15号", "2026-03-15"),
        ("3月3号", "2027-03-03"),
        ("15号上门行吗", "2026-03-15"),
        ("3号来", "2026-04-03"),
        ("2026年12月31日", "2026-12-31"),
        ("2026-04-05", "2026-04-05"),
        ("2026/4/5", "2026-04-05"),
        ("20260405", "2026-04-05"),
        ("二零二七年一月二号", "2027-01-02"),
        ("27年1月2号", "2027-01-02"),
        ("2月29号", "2028-02-29"),
        ("下个月廿号", "2026-04-20"),
        ("月底", "2026-03-31"),
        ("下月底", "2026-04-30"),
        ("去年2月底", "2025-02-28"),
        ("十月第一个周一", "2026-10-05"),
        ("五月最后一个周五", "2026-05-29"),
        ("国庆第二天", "2026-10-02"),
        ("三天后", "2026-03-07"),
        ("五天前", "2026-02-27"),
    ],
)
def test_a_day(text: str, day: str) -> None:
    kind, start, end, mod = only(text)
    assert (kind, start, mod) == ("point", f"{day}T00:00", None)
    assert end is not None
    assert (datetime.fromisoformat(end) - datetime.fromisoformat(day)).days == 1


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("除夕", "2027-02-05"),
        ("端午", "2026-06-19"),
        ("中秋节", "2026-09-25"),
        ("重阳", "2026-10-18"),
        ("农历八月十五", "2026-09-25"),
        ("八月十五", "2026-09-25"),
        ("正月十五", "2027-02-20"),
        ("腊月二十八", "2027-02-04"),
        ("大年初三", "2027-02-08"),
        ("清明", "2026-04-05"),
        ("冬至", "2026-12-22"),
        ("2025年端午", "2025-05-31"),
        ("母亲节", "2026-05-10"),
        ("五一", "2026-05-01"),
        ("双十一", "2026-11-11"),
        ("除夕前一天", "2027-02-04"),
    ],
)
def test_a_festival_or_lunar_day(text: str, day: str) -> None:
    assert only(text)[:2] == ("point", f"{day}T00:00")


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("三点", "2026-03-04T15:00"),
        ("八点半", "2026-03-04T20:30"),
        ("上午十点半", "2026-03-04T10:30"),
        ("明天八点", "2026-03-05T08:00"),
        ("明天三点", "2026-03-05T15:00"),
        ("明早7:40", "2026-03-05T07:40"),
        ("下午3点一刻", "2026-03-04T15:15"),
        ("差五分十二点", "2026-03-04T11:55"),
        ("今晚十二点", "2026-03-05T00:00"),
        ("晚上12点半", "2026-03-05T00:30"),
        ("周五晚8点", "2026-03-06T20:00"),
        ("下午三點搭六", "2026-03-04T15:30"),
        ("晏晝三點三個字", "2026-03-04T15:15"),
        ("听日下昼两点半", "2026-03-05T14:30"),
        ("明天下午，四点钟吧", "2026-03-05T16:00"),
        ("3pm", "2026-03-04T15:00"),
        ("20:30", "2026-03-04T20:30"),
        ("明天上午9.30", "2026-03-05T09:30"),
        ("两小时后", "2026-03-04T12:00"),
        ("一刻钟后", "2026-03-04T10:15"),
        ("再过四十分钟", "2026-03-04T10:40"),
        ("三天后下午三点", "2026-03-07T15:00"),
    ],
)
def test_a_clock_time(text: str, moment: str) -> None:
    assert only(text) == ("point", moment, None, None)


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("明天上午", "2026-03-05T08:00", "2026-03-05T12:00"),
        ("周六一早", "2026-03-07T06:00", "2026-03-07T09:00"),
        ("今晚", "2026-03-04T18:00", "2026-03-05T00:00"),
        ("周末", "2026-03-07T00:00", "2026-03-09T00:00"),
        ("下周", "2026-03-09T00:00", "2026-03-16T00:00"),
        ("这个月", "2026-03-01T00:00", "2026-04-01T00:00"),
        ("四月份", "2026-04-01T00:00", "2026-05-01T00:00"),
        ("二月", "2027-02-01T00:00", "2027-03-01T00:00"),
        ("月初", "2026-03-01T00:00", "2026-03-11T00:00"),
        ("年底", "2026-12-01T00:00", "2027-01-01T00:00"),
        ("去年", "2025-01-01T00:00", "2026-01-01T00:00"),
        ("上半年", "2026-01-01T00:00", "2026-07-01T00:00"),
        ("第三季度", "2026-07-01T00:00", "2026-10-01T00:00"),
        ("2025年一季度", "2025-01-01T00:00", "2025-04-01T00:00"),
        ("90年代", "1990-01-01T00:00", "2000-01-01T00:00"),
        ("21世纪", "2000-01-01T00:00", "2100-01-01T00:00"),
        ("两点到五点", "2026-03-04T14:00", "2026-03-04T17:00"),
        ("周六3-5点", "2026-03-07T15:00", "2026-03-07T17:00"),
        ("明晚十点到十二点", "2026-03-05T22:00", "2026-03-06T00:00"),
        ("昨晚十一点打到今天一点半", "2026-03-03T23:00", "2026-03-04T01:30"),
        ("周一到周三", "2026-03-09T00:00", "2026-03-12T00:00"),
        ("3月28号到4月2号", "2026-03-28T00:00", "2026-04-03T00:00"),
        ("18号19号都行", "2026-03-18T00:00", "2026-03-20T00:00"),
        ("今明两天", "2026-03-04T00:00", "2026-03-06T00:00"),
        ("去年12月到今年2月", "2025-12-01T00:00", "2026-03-01T00:00"),
        ("三天内", "2026-03-04T10:00", "2026-03-08T00:00"),
        ("24小时内", "2026-03-04T10:00", "2026-03-05T10:00"),
        ("从现在到八点", "2026-03-04T10:00", "2026-03-04T20:00"),
    ],
)
def test_a_window_or_range(text: str, start: str, end: str) -> None:
    assert only(text) == ("range", start, end, None)


@pytest.mark.parametrize(
    ("text", "start", "mod"),
    [
        ("三点以后", "2026-03-04T15:00", "after"),
        ("明天六点前", "2026-03-05T18:00", "before"),
        ("周五前", "2026-03-06T23:59", "before"),
        ("周五之前", "2026-03-06T23:59", "before"),
        ("中午之前", "2026-03-04T12:00", "before"),
        ("月底前", "2026-03-31T23:59", "before"),
        ("最晚周四", "2026-03-05T23:59", "before"),
        ("今晚八点以后", "2026-03-04T20:00", "after"),
        ("六点到家以后", "2026-03-04T18:00", "after"),
        ("从2018年起", "2018-01-01T00:00", "after"),
    ],
)
def test_an_open_end(text: str, start: str, mod: str) -> None:
    assert only(text) == ("open", start, None, mod)


@pytest.mark.parametrize("text", ["明天三点左右", "大概明天三点", "明天下午三点多"])
def test_about(text: str) -> None:
    assert only(text) == ("point", "2026-03-05T15:00", None, "around")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("半小时", 1800),
        ("一个半钟头", 5400),
        ("個半鐘", 5400),
        ("三个字", 900),
        ("两小时十分钟", 7800),
        ("卅分鐘", 1800),
        ("三天", 259200),
        ("俩礼拜", 1209600),
        ("一年又一个月", 34128000),
        ("1.5小时", 5400),
    ],
)
def test_a_duration(text: str, seconds: int) -> None:
    found = said(text)
    assert [(one["kind"], one["seconds"]) for one in found] == [("duration", seconds)]


@pytest.mark.parametrize(
    "text",
    [
        "快一点",
        "我有三点建议",
        "24点5度",
        "12号楼",
        "第二天性",
        "5-2-2001",
        "192.168.255.255",
        "13812345678",
        "二十七点三",
        "黎明主演的电影",
        "五角大楼",
        "别太晚",
        "早就坏了",
        "晚饭在哪吃",
        "1024怎么样了",
    ],
)
def test_no_time(text: str) -> None:
    assert said(text) == []


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("早上坏的，到现在没人管", "2026-03-04T06:00"),
        ("昨晚丢的", "2026-03-03T18:00"),
        ("周一报的马桶堵了", "2026-03-02T00:00"),
        ("周日打完球水杯没拿", "2026-03-01T00:00"),
        ("早上七点来吧", "2026-03-05T07:00"),
        ("周一来修行吗", "2026-03-09T00:00"),
    ],
)
def test_what_is_told_is_past_and_what_is_asked_for_is_not(text: str, start: str) -> None:
    assert said(text)[0]["start"] == start


def test_an_hour_apart_from_its_day_is_of_that_day() -> None:
    found = said("周日有个老师来家里上课，下午两点，麻烦放行")
    assert [one["start"] for one in found] == ["2026-03-08T00:00", "2026-03-08T14:00"]


@pytest.mark.parametrize(
    ("text", "now", "start"),
    [
        ("后天", "2026-02-27T10:00", "2026-03-01T00:00"),
        ("后天", "2028-02-27T10:00", "2028-02-29T00:00"),
        ("明天", "2026-12-31T23:59", "2027-01-01T00:00"),
        ("31号交房", "2026-04-02T10:00", "2026-05-31T00:00"),
        ("一个月后", "2026-01-31T10:00", "2026-02-01T00:00"),
        ("今晚", "2026-03-04T00:30", "2026-03-04T18:00"),
        ("三点", "2026-03-04T15:00", "2026-03-05T15:00"),
        ("三点", "2026-03-04T14:59", "2026-03-04T15:00"),
    ],
)
def test_edges_of_the_calendar(text: str, now: str, start: str) -> None:
    assert only(text, now)[1] == start


def test_present_is_urgency_rather_than_a_wanted_time() -> None:
    found = time.find("现在就来", NOW)
    assert [one.wanted for one in found] == [False]
    assert time.choose(found, NOW) is None


def test_workdays_know_the_days_worked_instead() -> None:
    # 1 October 2026 to the 7th are free, Saturday the 10th is worked
    found = said("3个工作日内", datetime.fromisoformat("2026-09-30T09:00"))
    assert found[0]["end"] == "2026-10-11T00:00"
    # no calendar is announced so far ahead: Monday to Friday
    far = said("3个工作日内", datetime.fromisoformat("2040-03-01T09:00"))
    assert far[0]["end"] == "2040-03-07T00:00"
