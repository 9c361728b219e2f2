"""Service hours: split shifts, weekends, public holidays, days worked instead, the roster beside them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain import hours
from bot.domain.hours import Calendar

ZONE = ZoneInfo("Asia/Shanghai")
WEEK = hours.read({"周一到周六": ["08:30-12:00", "13:30-18:00"]})
OFFICE = Calendar(ZONE, WEEK)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


@pytest.mark.parametrize(
    ("start", "minutes", "end"),
    [
        ("2026-03-04T10:00", 30, "2026-03-04T10:30"),
        ("2026-03-04T11:45", 30, "2026-03-04T13:45"),  # over lunch
        ("2026-03-04T17:50", 30, "2026-03-05T08:50"),  # overnight
        ("2026-03-04T23:00", 30, "2026-03-05T09:00"),
        ("2026-03-07T17:50", 30, "2026-03-09T08:50"),  # a Saturday is worked, the Sunday is not
        ("2026-03-04T10:00", 24 * 60, "2026-03-05T10:00"),
        ("2026-03-07T10:00", 24 * 60, "2026-03-09T10:00"),
        ("2026-03-04T23:00", 24 * 60, "2026-03-06T08:30"),  # counted from the next morning
        ("2026-03-04T10:00", 72 * 60, "2026-03-07T10:00"),
        ("2026-09-30T10:00", 24 * 60, "2026-10-08T10:00"),  # 国庆
        ("2026-09-30T17:50", 30, "2026-10-08T08:50"),
        ("2026-09-19T10:00", 24 * 60, "2026-09-20T10:00"),  # a Sunday worked instead
        ("2026-03-04T10:00", 25 * 60, "2026-03-05T11:00"),
    ],
)
def test_working_time(start: str, minutes: int, end: str) -> None:
    assert OFFICE.add(at(start), timedelta(minutes=minutes)) == at(end)


def test_without_hours_the_clock_always_runs() -> None:
    always = Calendar(ZONE)
    assert always.add(at("2026-03-08T23:00"), timedelta(hours=24)) == at("2026-03-09T23:00")
    assert always.is_open(at("2026-10-01T03:00"))


def test_the_roster_opens_what_the_hours_leave_closed() -> None:
    night = (at("2026-03-04T20:00"), at("2026-03-05T08:00"))
    calendar = Calendar(ZONE, WEEK, [night])
    assert calendar.is_open(at("2026-03-04T23:00"))
    assert calendar.add(at("2026-03-04T23:00"), timedelta(minutes=30)) == at("2026-03-04T23:30")
    assert calendar.add(at("2026-03-04T17:50"), timedelta(minutes=30)) == at("2026-03-04T20:20")
    assert not calendar.is_open(at("2026-03-04T19:00"))


def test_own_exceptions() -> None:
    mine = Calendar(
        ZONE, hours.read({"周一到周五": ["09:00-17:00"], "closed": ["2026-03-05"], "opened": ["2026-03-08"]})
    )
    assert mine.next_open(at("2026-03-05T10:00")) == at("2026-03-06T09:00")
    assert mine.is_open(at("2026-03-08T10:00"))


@pytest.mark.parametrize(
    ("table", "fault"),
    [
        ({"周八": ["08:30-12:00"]}, "周八"),
        ({"周一": "08:30-12:00"}, "list"),
        ({"周一": ["8点到12点"]}, "8点到12点"),
        ({"周一": ["13:00-18:00", "08:00-12:00"]}, "08:00-12:00"),
        ({"周一": ["18:00-08:00"]}, "18:00-08:00"),
        ({"周一": ["08:00-12:00"], "closed": ["明天"]}, "closed"),
        ({}, "at least one day"),
    ],
)
def test_what_a_file_must_not_say(table: dict[str, object], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        hours.read(table)


_MOMENTS = st.integers(0, 500 * 24 * 60).map(
    lambda minutes: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)


@settings(max_examples=60, deadline=None)
@given(_MOMENTS, st.integers(1, 23 * 60))
def test_what_is_added_lies_between(start: datetime, minutes: int) -> None:
    """Less than a day is counted in open time exactly, up to a day, and ends while it is open."""
    end, day = OFFICE.add(start, timedelta(minutes=minutes)), OFFICE.add(start, timedelta(days=1))
    assert OFFICE.between(start, end) == timedelta(minutes=minutes) or end == day
    assert end <= day
    assert OFFICE.is_open(end) or OFFICE.is_open(end - timedelta(seconds=1))


@settings(max_examples=60, deadline=None)
@given(_MOMENTS, st.integers(1, 6000), st.integers(1, 6000))
def test_later_is_never_earlier(start: datetime, one: int, more: int) -> None:
    first = OFFICE.add(start, timedelta(minutes=one))
    assert start <= first <= OFFICE.add(start + timedelta(minutes=more), timedelta(minutes=one))
    assert first <= OFFICE.add(start, timedelta(minutes=one + more))
    half = OFFICE.share(start, first, 0.5)
    assert start <= half <= first
