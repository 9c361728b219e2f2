"""When somebody wants it, said back as people speak."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.domain.times import Window

NOW = datetime(2026, 3, 4, 10, 0)  # noqa: DTZ001 - a Wednesday, local and naive like the contract's times


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"start": "2026-03-05T06:00", "end": "2026-03-05T09:00", "grain": "part"}, "明天早上"),
        ({"start": "2026-03-04T12:00", "end": "2026-03-04T18:00", "grain": "part"}, "今天下午"),
        ({"start": "2026-03-04T18:00", "end": "2026-03-05T00:00", "grain": "part"}, "今天晚上"),
        ({"start": "2026-03-06T15:00", "grain": "hour"}, "后天 15:00 "),
        ({"start": "2026-03-04T14:00", "grain": "hour", "mod": "after"}, "今天 14:00 以后"),
        ({"start": "2026-03-07T00:00", "end": "2026-03-08T00:00", "grain": "day"}, "周六"),
        ({"start": "2026-03-07T00:00", "end": "2026-03-09T00:00", "grain": "day"}, "周六到周日"),
        ({"start": "2026-03-20T09:00", "end": "2026-03-20T10:30", "grain": "minute"}, "3月20日 09:00–10:30 "),
    ],
)
def test_a_wanted_time_is_said_as_people_speak(value: dict[str, Any], said: str) -> None:
    assert Window.of(value).say(NOW) == said


@pytest.mark.parametrize(
    ("value", "last"),
    [
        ({"start": "2026-03-05T06:00", "end": "2026-03-05T09:00"}, datetime(2026, 3, 5, 1, 0, tzinfo=UTC)),
        ({"start": "2026-03-05T15:00", "grain": "hour"}, datetime(2026, 3, 5, 8, 0, tzinfo=UTC)),
        ({"start": "2026-03-05T15:00", "mod": "before"}, datetime(2026, 3, 5, 7, 0, tzinfo=UTC)),
    ],
)
def test_a_visit_is_late_after_the_end_of_what_was_wanted(value: dict[str, Any], last: datetime) -> None:
    assert Window.of(value).last(ZoneInfo("Asia/Shanghai")) == last


def test_a_row_without_a_wish_has_none() -> None:
    assert Window.read("") is None
    written = json.dumps({"start": "2026-03-05T15:00", "grain": "hour"})
    assert Window.read(written) == Window(datetime(2026, 3, 5, 15, 0), None, "hour")  # noqa: DTZ001
