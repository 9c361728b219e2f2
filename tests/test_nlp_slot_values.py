"""What each slot type finds in a sentence and what it leaves alone, by the contract's conventions."""

from __future__ import annotations

import time as clock
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp.slots import (
    assignee,
    audience,
    choice,
    location,
    name,
    options,
    people,
    phone,
    plate,
    price,
    rating,
    ref,
    urgency,
)
from nlp.slots.audience import Audience
from nlp.understanding import Understanding

UNDERSTANDING = Understanding.load()
NOW = datetime.fromisoformat("2026-03-04T10:00")


def found(slot: str, text: str) -> list[Any]:
    return UNDERSTANDING.find(slot, text, now=NOW)


def first(slot: str, text: str) -> Any:
    return next(iter(found(slot, text)), None)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("3-1-1203室", {"building": "3", "unit": "1", "room": "1203"}),
        ("住4-3-1002", {"building": "4", "unit": "3", "room": "1002"}),
        ("6#楼 302", {"building": "6", "room": "302"}),
        ("3栋-2单元-501", {"building": "3", "unit": "2", "room": "501"}),
        ("A座1802", {"building": "A", "room": "1802"}),
        ("二号楼东单元", {"building": "2", "unit": "东"}),
        ("十二幢", {"building": "12"}),
        ("负一楼", {"floor": "B1"}),
        ("-2楼", {"floor": "B2"}),
        ("B2那边", {"floor": "B2"}),
        ("18楼那家", {"floor": "18"}),
        ("12F", {"floor": "12"}),
        ("5栋2单元301，不对，302", {"building": "5", "unit": "2", "room": "302"}),
        ("六栋四单元不是四单元是三单元的二零一", {"building": "6", "unit": "3", "room": "201"}),
    ],
)
def test_location(text: str, where: dict[str, str]) -> None:
    chosen = location.choose(location.find(UNDERSTANDING.read(text, NOW).plain))
    assert chosen is not None
    assert chosen.location.write() == where


@pytest.mark.parametrize(
    ("text", "building"), [("是7栋不是8栋", "7"), ("不是5栋是3栋", "3"), ("五号楼不对是十五号楼", "15")]
)
def test_location_corrected(text: str, building: str) -> None:
    chosen = location.choose(location.find(text))
    assert chosen is not None
    assert chosen.location.building == building


@pytest.mark.parametrize(
    "text",
    [
        "空三座",
        "两层楼高",
        "刷了三层漆",
        "三楼以上",
        "顶楼",
        "打120",
        "985路公交",
        "共18层",
        "同一层",
        "2026年3月",
        "1,200元",
    ],
)
def test_no_location(text: str) -> None:
    assert location.choose(location.find(text), bare=False) is None


def test_location_of_a_way() -> None:
    plain = "从9栋搬到15栋"
    assert location.choose(location.find(plain), journey=True) is None
    moved = location.choose(location.find(plain), moved=True)
    assert moved is not None
    assert moved.location.building == "15"
    assert location.choose(location.find("电梯卡在7楼和8楼之间")) is None


def test_a_likely_room_stands_alone() -> None:
    assert [one.likely for one in location.find("隔壁302太吵了")] == [True]
    assert [one.likely for one in location.find("密码651没用")] == [False]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("幺三八零零零零一二三四", "13800001234"),
        ("138-1234-5678", "13812345678"),
        ("1 3 8 1 2 3 4 5 6 7 8", "13812345678"),
        ("１３８１２３４５６７８", "13812345678"),
        ("座机021-62345678转801", "02162345678"),
        ("家里电话是62345678", "62345678"),
        ("+852 9123 4567", "91234567"),
        ("+86 13812345678", "13812345678"),
    ],
)
def test_phone(text: str, value: str) -> None:
    assert found("phone", text) == [value]


@pytest.mark.parametrize("text", ["330102199001011234", "订单20260304", "12345678901", "22345678"])
def test_no_phone(text: str) -> None:
    assert found("phone", text) == []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("沪a·12345", "沪A12345"),
        ("粤B D 1 2 3 4 5", "粤BD12345"),
        ("苏E-9F21C", "苏E9F21C"),
        ("京A0023学", "京A0023学"),
        ("粤Z1234港", "粤Z1234港"),
        ("使014578", "使014578"),
        ("車牌AB 1234", "AB1234"),
        ("蘇A3388D", "蘇A3388D"),
    ],
)
def test_plate(text: str, value: str) -> None:
    assert found("plate", text) == [value]


@pytest.mark.parametrize("text", ["川菜a套餐", "12路", "京东", "AB 1234"])
def test_no_plate(text: str) -> None:
    assert found("plate", text) == []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("第88号请尽快", 88),
        ("14号工单到哪一步了", 14),
        ("第195號投票", 195),
        ("61号选B", 61),
        ("5号帖子还在吗", 5),
    ],
)
def test_ref(text: str, value: int) -> None:
    assert first("ref", text) == value


@pytest.mark.parametrize(
    "text",
    ["再不来打12345", "尾号307", "报修三回了", "+1", "八号风球", "13号楼", "四号选项", "改到16号", "投3"],
)
def test_no_ref(text: str) -> None:
    assert found("ref", text) == []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("打五星", 5),
        ("给个满分", 5),
        ("四颗星", 4),
        ("3分", 3),
        ("两星，来晚了", 2),
        ("⭐⭐⭐", 3),
        ("评分1", 1),
        ("4星，扣一星是因为迟到", 4),
        ("五粒星", 5),
    ],
)
def test_rating(text: str, value: int) -> None:
    assert first("rating", text) == value


@pytest.mark.parametrize("text", ["差评", "五分钟", "星期四", "三分之一", "小心", "一分钱没收", "九分"])
def test_no_rating(text: str) -> None:
    assert found("rating", text) == []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("80元", 80),
        ("一百二十块", 120),
        ("两百五", None),
        ("预算两百五", 250),
        ("三块五一斤", 3.5),
        ("八毛", 0.8),
        ("7k一个月", 7000),
        ("工资1万2千", None),
        ("月嫂一万二以内", 12000),
        ("三千五一个月", 3500),
        ("一小时50", 50),
        ("原价399，200拿走", 200),
        ("八百蚊", 800),
        ("¥45", 45),
        ("每人两百", 200),
    ],
)
def test_price(text: str, value: float | None) -> None:
    if value is not None:
        assert first("price", text) == value


@pytest.mark.parametrize(
    "text",
    [
        "免费",
        "两块豆腐",
        "一块儿去",
        "3栋501",
        "一天三次",
        "每周二四上午",
        "每天8点",
        "两百块买的",
        "给302开门",
    ],
)
def test_no_price(text: str) -> None:
    assert found("price", text) == []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("三个人", 3),
        ("一家三口都去", 3),
        ("我们俩", 2),
        ("+2", 2),
        ("带2娃", 2),
        ("我带俩娃", 3),
        ("两大一小", 3),
        ("两个大人一个孩子", 3),
        ("二十来号人", 20),
        ("还差三个", 3),
        ("来俩壮丁", 2),
        ("车上还能坐三个", 3),
        ("就我一个人", 1),
        ("我和老伴两个", 2),
    ],
)
def test_people(text: str, value: int) -> None:
    assert first("people", text) == value


@pytest.mark.parametrize(
    "text",
    [
        "我一个人不好意思去",
        "三缺一",
        "周六同学聚会",
        "一人三十",
        "四五个人",
        "两位数",
        "三个小时",
        "草一人高",
    ],
)
def test_no_people(text: str) -> None:
    assert found("people", text) == []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("限20人", 20),
        ("名额三十", 30),
        ("八桌封顶", 8),
        ("最多十个小朋友", 10),
        ("限15组", 15),
        ("每队十人", None),
    ],
)
def test_capacity(text: str, value: int | None) -> None:
    assert first("capacity", text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3栋2单元501，王秀兰", "王秀兰"),
        ("小刘师傅技术好", "小刘师傅"),
        ("王工人很好", "王工"),
        ("七栋的老张头", "老张头"),
        ("从方芳改成方舒", "方舒"),
        ("陳太，電話91234567", "陳太"),
        ("闺蜜何苗，下周三来", "何苗"),
        ("名字叫豆豆", "豆豆"),
    ],
)
def test_name(text: str, value: str) -> None:
    assert value in found("name", text)


@pytest.mark.parametrize(
    "text",
    [
        "门卫大爷睡着了",
        "钟点工三小时",
        "请阿姨打扫",
        "又在施工",
        "管管吧",
        "您贵姓",
        "上周师傅来过",
        "周六下午",
        "老百姓",
    ],
)
def test_no_name(text: str) -> None:
    assert found("name", text) == []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12号转给小赵", "小赵"),
        ("交给李师傅吧", "李师傅"),
        ("转派：郑海", "郑海"),
        ("水电的改给孙工，我满了", "孙工"),
        ("这单轉畀強哥跟", "強哥"),
    ],
)
def test_assignee(text: str, value: str) -> None:
    assert first("assignee", text) == value


@pytest.mark.parametrize("text", ["转给专业队", "转弱电组处理", "退回前台", "给我吧"])
def test_no_assignee(text: str) -> None:
    assert found("assignee", text) == []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("不急，有空再来", "normal"),
        ("慢慢来", "normal"),
        ("唔急嘅", "normal"),
        ("赶紧来人", "urgent"),
        ("十万火急", "urgent"),
        ("asap", "urgent"),
        ("等着急死了", "urgent"),
        ("急不急都一样", None),
        ("马上要过年了", None),
        ("打急救电话", None),
    ],
)
def test_urgency(text: str, value: str | None) -> None:
    plain = UNDERSTANDING.read(text, NOW).plain
    assert urgency.choose(plain) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("通知大家，今晚停水", Audience("all")),
        ("跟邻居们说一声", Audience("all")),
        ("发给全体居民", Audience("all")),
        ("各位业主请注意", Audience("owners")),
        ("给租客发一条", Audience("tenants")),
        ("提醒保洁清洗垃圾桶", Audience("staff")),
        ("告诉业委会成员开会", Audience("committee")),
        ("给3号楼发个通知", Audience("buildings", ("3",))),
        ("通知1到3号楼，明天刷墙", Audience("buildings", ("1", "2", "3"))),
        ("发给4、5、7栋的住户", Audience("buildings", ("4", "5", "7"))),
        ("给三栋四栋发", Audience("buildings", ("3", "4"))),
        ("通知5栋2单元的住户", Audience("buildings", ("5",), ("2",))),
        ("通知二单元，明天修楼顶", Audience("buildings", (), ("2",))),
    ],
)
def test_audience(text: str, value: Audience) -> None:
    plain = UNDERSTANDING.read(text, NOW).plain
    assert audience.choose(plain) == value


@pytest.mark.parametrize(
    "text",
    ["发通知：明早八点2栋水箱清洗", "有业主反映楼道脏", "9号楼门口有车", "明天停水", "材料交到9号楼值班室"],
)
def test_no_audience(text: str) -> None:
    assert audience.choose(text) is None


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("充电桩装在哪，A地库 B广场 C西墙", ["地库", "广场", "西墙"]),
        ("要不要换物业，换/不换", ["换", "不换"]),
        ("发起表决：装电梯，同意、反对、弃权", ["同意", "反对", "弃权"]),
        ("年会吃火锅还是自助", ["火锅", "自助"]),
        ("买麻将机还是买棋桌", ["麻将机", "棋桌"]),
        ("收费、免费两个选项", ["收费", "免费"]),
        ("大家说说", []),
    ],
)
def test_options(text: str, values: list[str]) -> None:
    assert found("options", text) == values


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("选2", "2"),
        ("投第二个", "2"),
        ("B吧", "B"),
        ("我投赞成", "赞成"),
        ("#31 选D", "D"),
        ("不同意", "不同意"),
        ("一票给老周", "老周"),
        ("手滑点了A，应该是C", "C"),
        ("投票结果呢", None),
    ],
)
def test_choice(text: str, value: str | None) -> None:
    assert first("choice", text) == value


FINDERS: dict[str, Callable[[str], Any]] = {
    "location": location.find,
    "phone": phone.find,
    "plate": plate.find,
    "ref": lambda text: ref.find(text, bare=True),
    "rating": rating.find,
    "price": price.find,
    "lone price": price.alone,
    "people": people.find,
    "capacity": people.capacity,
    "name": name.find,
    "assignee": assignee.find,
    "urgency": urgency.find,
    "audience": audience.find,
    "options": options.find,
    "choice": choice.find,
}
PIECES = st.lists(
    st.sampled_from(
        [
            *"零一二三十百万两俩半号楼栋单元座层室0123456789.,-/#+ab",
            *"姓王李小老师傅先生给让转投选同意各位业主家户块元毛人个口名位分星急快不是从到和、：。 ⭐粤京使",
        ]
    )
    | st.characters(),
    max_size=60,
).map("".join)


@pytest.mark.parametrize("slot", FINDERS)
@settings(max_examples=150, deadline=None)
@given(text=PIECES)
def test_finding_never_raises(slot: str, text: str) -> None:
    for _, span in [
        (one[0], one[1]) if isinstance(one, tuple) else (one, one.span) for one in FINDERS[slot](text)
    ]:
        assert 0 <= span[0] <= span[1] <= len(text)


@pytest.mark.parametrize("slot", FINDERS)
@pytest.mark.parametrize(
    "piece", ["3栋", "一二三,", "1 ", "王", "小王,", "两大一小", "给", "a同意 b不", "粤b1", "#1号", "。"]
)
def test_finding_is_quick_on_floods(slot: str, piece: str) -> None:
    """Processor time, far above the 20 ms that it takes: coverage and a busy machine may multiply them."""
    text = (piece * 10_000)[:10_000]
    begun = clock.process_time()
    FINDERS[slot](text)
    assert clock.process_time() - begun < 1


@given(
    st.builds(
        Audience,
        st.sampled_from(["all", "buildings", "owners", "tenants", "staff", "committee"]),
        st.lists(st.text(min_size=1, max_size=3)).map(tuple),
        st.lists(st.text(min_size=1, max_size=3)).map(tuple),
    )
)
def test_audience_survives(value: Audience) -> None:
    assert audience.read(audience.write(value)) == value


@given(st.integers(0, 10_000_000))
def test_numbers_survive(value: int) -> None:
    assert people.read(people.write(value)) == value
    assert rating.read(rating.write(value)) == value
    assert price.read(price.write(value)) == value
    assert price.read(price.write(value / 4)) == value / 4


@given(st.text(), st.lists(st.text()))
def test_texts_survive(value: str, values: list[str]) -> None:
    for slot in (name, assignee, urgency, choice, plate):
        assert slot.read(slot.write(value)) == value
    assert options.read(options.write(values)) == values
