"""Rosters as people write them: who, from when, until when; and what is none."""

from __future__ import annotations

from datetime import datetime

import pytest

from nlp import roster

NOW = datetime.fromisoformat("2026-09-20T10:00")  # a Sunday


def said(text: str) -> str:
    """The entries as text: month.day hour-hour name, days of one person in a row joined."""
    found = roster.read(text, NOW)
    if found is None:
        return ""
    return " ".join(
        f"{one.start.month}.{one.start.day}"
        + ("" if (one.start.hour, one.end.hour) == (8, 8) else f"@{one.start.hour}-{one.end.hour}")
        + one.name
        for one in found.entries
    )


@pytest.mark.parametrize(
    ("text", "entries"),
    [
        (
            "国庆值班：1-3号张师傅，4-7号李师傅",
            "10.1张师傅 10.2张师傅 10.3张师傅 10.4李师傅 10.5李师傅 10.6李师傅 10.7李师傅",
        ),
        ("国庆值班 1号-2号张师傅 3号-4号李师傅", "10.1张师傅 10.2张师傅 10.3李师傅 10.4李师傅"),
        ("國慶值班：1-2號張師傅", "10.1张师傅 10.2张师傅"),
        ("国庆值班人员安排如下：1号老张；2号老李", "10.1老张 10.2老李"),
        (
            "下周值班 周一到周三小赵，周四周五小钱，周末老孙",
            "9.21小赵 9.22小赵 9.23小赵 9.24小钱 9.25小钱 9.26老孙 9.27老孙",
        ),
        ("下周值班安排：周一老李、小孟；周二老周", "9.21老李 9.21小孟 9.22老周"),
        ("12月5日夜班老李", "12.5@20-8老李"),
        ("明天白班张师傅，夜班李师傅", "9.21@8-20张师傅 9.21@20-8李师傅"),
        ("今晚老李值班", "9.20@20-8老李"),
        ("明天值班：老李", "9.21老李"),
        ("后天值班：张师傅", "9.22张师傅"),
        ("后天老王值班", "9.22老王"),
        ("周五周六夜班小孟", "9.25@20-8小孟 9.26@20-8小孟"),
        ("值班表：\n12/1 张师傅\n12/2 李师傅", "12.1张师傅 12.2李师傅"),
        ("12月值班：1、3号老李，2、4号小孟", "12.1老李 12.3老李 12.2小孟 12.4小孟"),
        ("5号值班改成老李", "10.5老李"),
        ("10月3号值班改成小王", "10.3小王"),
        ("明天18:00-22:00老李值班", "9.21@18-22老李"),
        ("元旦值班老李", "1.1老李"),
        ("10.1-10.2老李值班，10.3小孟", "10.1老李 10.2老李 10.3小孟"),
        ("春节值班：除夕老李，初一到初二小孟", "2.5老李 2.6小孟 2.7小孟"),
        ("周三夜班小赵和小钱", "9.23@20-8小赵 9.23@20-8小钱"),
        ("下周一到周二白班老张，晚班老李", "9.21@8-20老张 9.22@8-20老张 9.21@20-8老李 9.22@20-8老李"),
        ("本周六、周日值班：小赵", "9.19小赵 9.20小赵"),
        ("明天夜班轮到小孟", "9.21@20-8小孟"),
        ("排班：周二老李，周三休息，周四小孟", "9.22老李 9.24小孟"),
        ("28号值班：张师傅", "9.28张师傅"),
    ],
)
def test_what_a_roster_says(text: str, entries: str) -> None:
    assert said(text) == entries


def test_every_week_goes_on_for_four() -> None:
    found = roster.read("每周一三五张师傅值班，二四六李师傅，周日轮休", NOW)
    assert found is not None
    days = {one.start.date().isoformat(): one.name for one in found.entries}
    assert len(days) == 24
    assert days["2026-09-21"] == "张师傅"
    assert days["2026-09-22"] == "李师傅"
    assert days["2026-10-17"] == "李师傅"


@pytest.mark.parametrize(
    "text",
    [
        "今天谁值班", "国庆值班表发我看看", "明天值班通知发给大家", "明天我和小王换班", "周五的班小王替我",
        "保安晚上值班吗", "值班电话多少", "夜班", "我明天来修", "12 转给老李", "12月5号水管漏水",
        "值班室没人",
    ],
)  # fmt: skip
def test_what_is_no_roster(text: str) -> None:
    assert said(text) == ""


def test_what_was_not_understood_is_given_back() -> None:
    found = roster.read("国庆值班：1-3号张师傅，机动：看情况再说吧，4号李师傅", NOW)
    assert found is not None
    assert [one.name for one in found.entries] == ["张师傅"] * 3 + ["李师傅"]
    assert len(found.unread) == 1


def test_days_and_hours_of_a_sentence() -> None:
    days = roster.days_in("明天我和10月5号老李换班", NOW)
    assert [one.date().isoformat() for one in days] == ["2026-09-21", "2026-10-05"]
    assert roster.hours_in("明天夜班我和小王换") == (20, 32)
    assert roster.hours_in("明天我和小王换") is None
