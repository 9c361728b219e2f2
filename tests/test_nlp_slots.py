"""Each slot type: what it finds in a sentence, and that a value survives being written and read."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp.slots import location, phone, ref, time, urgency
from nlp.slots.location import Location
from nlp.slots.numbers import number
from nlp.slots.time import TimeWindow
from nlp.understanding import Understanding

UNDERSTANDING = Understanding.load()
#: A Wednesday morning.
NOW = datetime.fromisoformat("2026-03-04T10:00")


def found(name: str, text: str, now: datetime = NOW) -> list[Any]:
    return UNDERSTANDING.find(name, text, now=now)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12", 12),
        ("十二", 12),
        ("廿二", 22),
        ("二十", 20),
        ("一百零二", 102),
        ("三百五", 350),
        ("五零一", 501),
        ("茶", None),
    ],
)
def test_number(text: str, value: int | None) -> None:
    assert number(text) == value


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("5-2-301", {"building": "5", "unit": "2", "room": "301"}),
        ("三号楼二单元五零一", {"building": "3", "unit": "2", "room": "501"}),
        ("3#2单元501", {"building": "3", "unit": "2", "room": "501"}),
        ("A座", {"building": "A"}),
        ("12樓C室", {"floor": "12", "room": "C"}),
        ("地下二层", {"floor": "B2"}),
        ("负一楼", {"floor": "B1"}),
        ("8栋1602", {"building": "8", "room": "1602"}),
        ("17号401", {"building": "17", "room": "401"}),
        ("12#楼1805", {"building": "12", "room": "1805"}),
        ("5号楼东单元", {"building": "5", "unit": "东"}),
        ("6幢1单元9楼2号", {"building": "6", "unit": "1", "floor": "9", "room": "2"}),
        ("不是5栋是3栋", {"building": "3"}),
        ("三座廿二樓F室", {"building": "3", "floor": "22", "room": "F"}),
        ("厨房水管漏水了", {"place": "厨房"}),
        ("3栋2单元电梯不动了", {"building": "3", "unit": "2", "place": "电梯"}),
        ("主卧卫生间的换气扇", {"place": "主卧卫生间"}),
        ("平台花園有人", {"place": "平台花園"}),
    ],
)
def test_location(text: str, where: dict[str, str]) -> None:
    assert found("location", text) == [where]


@pytest.mark.parametrize("text", ["12号单子", "明天三点", "13812345678", "爬十八楼", "80块", "第3次", "你好"])
def test_no_location(text: str) -> None:
    assert found("location", text) == []


@pytest.mark.parametrize(
    ("text", "start", "end", "grain", "mod"),
    [
        ("明早", "2026-03-05T06:00", "2026-03-05T09:00", "part", None),
        ("今天下午两点以后", "2026-03-04T14:00", None, "hour", "after"),
        ("周六上午", "2026-03-07T08:00", "2026-03-07T12:00", "part", None),
        ("后天", "2026-03-06T00:00", "2026-03-07T00:00", "day", None),
        ("半小时后", "2026-03-04T10:30", None, "minute", None),
        ("晚上8点", "2026-03-04T20:00", None, "hour", None),
        ("晚上12点", "2026-03-05T00:00", None, "hour", None),
        ("下周三", "2026-03-11T00:00", "2026-03-12T00:00", "day", None),
        ("周三", "2026-03-04T00:00", "2026-03-05T00:00", "day", None),
        ("明天三点", "2026-03-05T15:00", None, "hour", None),
        ("明天八点", "2026-03-05T08:00", None, "hour", None),
        ("三点", "2026-03-04T15:00", None, "hour", None),
        ("九点", "2026-03-04T21:00", None, "hour", None),
        ("两点到五点", "2026-03-04T14:00", "2026-03-04T17:00", "hour", None),
        ("下周一下午两点到五点", "2026-03-09T14:00", "2026-03-09T17:00", "hour", None),
        ("今晚七点半", "2026-03-04T19:30", None, "minute", None),
        ("大概下午四点", "2026-03-04T16:00", None, "hour", "around"),
        ("明天上午十点左右", "2026-03-05T10:00", None, "hour", "around"),
        ("明天十一点前", "2026-03-05T11:00", None, "hour", "before"),
        ("周末", "2026-03-07T00:00", "2026-03-09T00:00", "day", None),
        ("下周", "2026-03-09T00:00", "2026-03-16T00:00", "week", None),
        ("月底", "2026-03-31T00:00", "2026-04-01T00:00", "day", None),
        ("8月15号", "2026-08-15T00:00", "2026-08-16T00:00", "day", None),
        ("1月2号", "2027-01-02T00:00", "2027-01-03T00:00", "day", None),
        ("国庆第二天上午", "2026-10-02T08:00", "2026-10-02T12:00", "part", None),
        ("聽日三點", "2026-03-05T15:00", None, "hour", None),
        ("明天下午，四点钟吧", "2026-03-05T16:00", None, "hour", None),
        ("昨天", "2026-03-03T00:00", "2026-03-04T00:00", "day", None),
    ],
)
def test_time(text: str, start: str, end: str | None, grain: str, mod: str | None) -> None:
    value = {"start": start, "grain": grain}
    if end:
        value["end"] = end
    if mod:
        value["mod"] = mod
    assert found("time", text) == [value]


@pytest.mark.parametrize(
    "text", ["快一点", "现在就来", "马上", "尽快", "12号楼", "三单元", "有点漏", "别太晚", "早就坏了"]
)
def test_no_time(text: str) -> None:
    assert found("time", text) == []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("#12", 12),
        ("12号", 12),
        ("编号37", 37),
        ("工单88", 88),
        ("接12", 12),
        ("接十二", 12),
        ("编号三百一十五处理完没", 315),
        ("1024怎么样了", 1024),
        ("107那单", 107),
        ("七十六号单子我来", 76),
    ],
)
def test_ref(text: str, value: int) -> None:
    assert found("ref", text) == [value]


@pytest.mark.parametrize(
    "text",
    ["12号楼", "3栋501室", "5-2-301", "13812345678", "明天3点", "8月15号", "80块", "两个人", "3号上午来"],
)
def test_no_ref(text: str) -> None:
    assert found("ref", text) == []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("13812345678", "13812345678"),
        ("电话139-0000-1122", "13900001122"),
        ("一三九零零零零五六七八", "13900005678"),
        ("號碼係9123 4567", "91234567"),
        ("手机0912345678", "0912345678"),
        ("王秀兰 13912345678 3栋2单元501", "13912345678"),
        ("+86 138 1234 5678", "13812345678"),
    ],
)
def test_phone(text: str, value: str) -> None:
    assert found("phone", text) == [value]


@pytest.mark.parametrize("text", ["1381234567", "工单12345", "2026-03-04", "京A88P61"])
def test_no_phone(text: str) -> None:
    assert found("phone", text) == []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("我姓林", "林"),
        ("免贵姓欧阳", "欧阳"),
        ("王先生", "王先生"),
        ("叫我徐阿姨就好", "徐阿姨"),
        ("我叫王建国", "王建国"),
        ("陈小燕，耳东陈", "陈小燕"),
        ("联系人老吴", "老吴"),
    ],
)
def test_name(text: str, value: str) -> None:
    assert found("name", text)[0] == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("水管漏了，急", "urgent"),
        ("麻烦尽快", "urgent"),
        ("不急，有空再来", "normal"),
        ("不着急", "normal"),
        ("灯坏了", None),
    ],
)
def test_urgency(text: str, value: str | None) -> None:
    assert urgency.choose(text) == value


PARTS = st.one_of(st.none(), st.text(min_size=1, max_size=6))


@given(st.builds(Location, PARTS, PARTS, PARTS, PARTS, PARTS))
def test_location_survives(value: Location) -> None:
    assert location.read(value.write()) == value


@given(
    st.datetimes(
        min_value=datetime.fromisoformat("1000-01-01"), max_value=datetime.fromisoformat("9990-01-01")
    ),
    st.one_of(st.none(), st.integers(1, 10_000)),
    st.sampled_from(["minute", "hour", "part", "day", "week", "month"]),
    st.sampled_from([None, "after", "before", "around"]),
)
def test_time_survives(start: datetime, minutes: int | None, grain: str, mod: str | None) -> None:
    start = start.replace(second=0, microsecond=0)
    value = TimeWindow(start, start + timedelta(minutes=minutes) if minutes else None, grain, mod)
    assert time.read(value.write()) == value


@given(st.integers(1, 999_999))
def test_ref_survives(value: int) -> None:
    assert ref.read(ref.write(value)) == value


@given(st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True))
def test_phone_survives(value: str) -> None:
    assert phone.read(phone.write(value)) == value


NAMES = [
    "location",
    "time",
    "ref",
    "phone",
    "name",
    "urgency",
    "category",
    "price",
    "people",
    "plate",
    "duration_minutes",
]
PIECES = st.lists(
    st.sampled_from(
        "零一二三十百万半点月日号楼栋单元周下上午晚明后天小时分钟到前年第-#:：0123456789.A座室 ，姓王块人底初"
    )
    | st.characters(),
    max_size=40,
).map("".join)


@settings(max_examples=200, deadline=None)
@given(PIECES, st.datetimes(), st.sampled_from(NAMES))
def test_finding_never_raises(text: str, now: datetime, name: str) -> None:
    assert isinstance(found(name, text, now), list)
