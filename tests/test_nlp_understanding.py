"""Danger, several requests, silence in groups, roles, the brief, and any text at all."""

from __future__ import annotations

import json
import time
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp import segment
from nlp.meaning import Meaning
from nlp.script import is_traditional, to_simplified, to_traditional
from nlp.understanding import Understanding
from nlp.vocabulary import Vocabulary

NOW = datetime.fromisoformat("2026-03-04T10:00")
UNDERSTANDING = Understanding.load()


def understand(text: str, group: bool = False, role: str = "resident") -> Meaning:
    return UNDERSTANDING.understand(text, now=NOW, group=group, role=role)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("着火了！", "fire"),
        ("厨房起火了，快来人", "fire"),
        ("楼道里全是烟", "fire"),
        ("家里有煤气味", "gas"),
        ("我被困在电梯里了", "elevator"),
        ("爷爷晕倒了叫不醒", "medical"),
        ("有人撬我家门", "crime"),
        ("水管爆了，客厅都淹了", "flood"),
        ("孩子不见了", "missing"),
        ("有人要跳楼", "danger"),
        ("樓下著火了", "fire"),
    ],
)
@pytest.mark.parametrize("role", ["resident", "staff", "committee"])
def test_danger(text: str, kind: str, role: str) -> None:
    meaning = understand(text, role=role)
    assert meaning.intent == "emergency.report"
    assert meaning.items[0].slots["kind"] == kind


@pytest.mark.parametrize(
    "text",
    [
        "大家着火了一样的热情",
        "下午有电梯困人演习",
        "给你讲个煤气味的笑话",
        "上个月着火那家装修好了",
        "昨晚看电影里着火那段真吓人",
        "听说隔壁小区着火了",
        "热得要着火了",
        "煤气灶打不着火，没闻到煤气味",
        "电梯停了，里面没人",
        "火锅走起",
    ],
)
@pytest.mark.parametrize("group", [False, True])
def test_talk_of_danger_is_none(text: str, group: bool) -> None:
    assert understand(text, group).intent != "emergency.report"


def test_danger_is_found_behind_a_long_text() -> None:
    assert understand("今天天气不错。" * 400 + "着火了快来人，3号楼").intent == "emergency.report"


def test_danger_names_the_place() -> None:
    meaning = understand("着火了！5号楼3单元")
    assert meaning.items[0].slots == {"kind": "fire", "location": {"building": "5", "unit": "3"}}


def test_two_repairs_in_one_message() -> None:
    meaning = understand("客厅吸顶灯不亮了，还有卫生间地漏老返臭味，3栋2单元501")
    assert [item.intent for item in meaning.items] == ["repair.report", "repair.report"]
    assert [item.slots["category"] for item in meaning.items] == ["lighting", "drainage"]
    home = {"building": "3", "unit": "2", "room": "501"}
    assert [item.slots["location"] for item in meaning.items] == [
        {**home, "place": "客厅"},
        {**home, "place": "卫生间"},
    ]


@pytest.mark.parametrize(
    "text", ["灯闪一下就灭了，换了灯泡也不行", "水管漏水了，地板都泡了", "空调一开就跳闸"]
)
def test_one_problem_is_one_item(text: str) -> None:
    meaning = understand(text)
    assert [item.intent for item in meaning.items] == ["repair.report"]


@pytest.mark.parametrize(
    ("text", "briefs"),
    [
        ("厨房水管漏水了，麻烦派人来看看", {"水管漏水"}),
        ("楼道的灯不亮了", {"灯不亮"}),
        ("电梯又坏了", {"电梯坏", "电梯坏了"}),
        ("你好，我家马桶堵了，谢谢", {"马桶堵"}),
        ("單元門關不上", {"單元門關不上", "門關不上"}),
    ],
)
def test_brief(text: str, briefs: set[str]) -> None:
    assert understand(text).items[0].brief in briefs


@pytest.mark.parametrize(
    ("text", "role", "intent"),
    [
        ("修好了", "staff", "ticket.complete"),
        ("修好了", "resident", "ticket.confirm"),
        ("12 修好了", "staff", "ticket.complete"),
        ("12号好了", "resident", "ticket.confirm"),
        ("还没好", "resident", "ticket.reopen"),
        ("接 12", "staff", "ticket.accept"),
        ("同意 7-1-1503", "committee", "profile.approve"),
        ("7-1-1503 姓鹿的租客，房东说了，通过", "committee", "profile.approve"),
        ("拒绝 7-1-1503", "committee", "profile.refuse"),
        ("交还机器人", "staff", "human.back"),
        ("好的", "committee", "dialog.affirm"),
    ],
)
def test_role_decides(text: str, role: str, intent: str) -> None:
    assert understand(text, role=role).intent == intent


def test_staff_commands_mean_nothing_from_residents() -> None:
    assert understand("接 12").intent != "ticket.accept"
    assert understand("交还机器人").intent != "human.back"


@pytest.mark.parametrize(
    "text",
    [
        "大家早上好",
        "哈哈哈哈",
        "今天菜场的番茄三块五一斤",
        "谢谢",
        "好的",
        "明天下午三点",
        "我家水管去年也裂过，找师傅换了就好了",
    ],
)
def test_group_chatter_is_left_alone(text: str) -> None:
    meaning = understand(text, group=True)
    assert not meaning.sure
    assert meaning.intent == "none"


@pytest.mark.parametrize("text", ["谁家有梯子借我用一下", "楼上噪音太大了，投诉一下", "明天停水吗"])
def test_what_neighbours_ask_each_other_is_not_ours_to_answer(text: str) -> None:
    meaning = understand(text, group=True)
    assert not meaning.sure or meaning.intent not in UNDERSTANDING.unasked


@pytest.mark.parametrize("text", ["3栋2单元电梯不动了", "单元门关不上了，风一吹哐哐响"])
def test_group_hears_a_clear_request(text: str) -> None:
    assert understand(text, group=True).intent == "repair.report"


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("谁家有梯子", "aid.request"),
        ("明天停水吗", "notice.query"),
        ("帮我发个通知", "notice.publish"),
        ("今天物业几点下班", "faq.ask"),
        ("我要报名爬山", "activity.join"),
    ],
)
def test_what_is_not_built_is_understood(text: str, intent: str) -> None:
    meaning = understand(text)
    assert (meaning.intent, meaning.sure) == (intent, True)
    assert intent in UNDERSTANDING.later


def test_correction_states_the_new_value_only() -> None:
    item = understand("不是5栋是3栋").items[0]
    assert (item.intent, dict(item.slots)) == ("inform", {"location": {"building": "3"}})


def test_request_with_all_its_slots() -> None:
    meaning = understand("家里没电！有孕妇，5-3-902 李女士 18612345678 急")
    assert dict(meaning.items[0].slots) == {
        "category": "electrical",
        "location": {"building": "5", "unit": "3", "room": "902"},
        "urgency": "urgent",
        "name": "李女士",
        "phone": "18612345678",
    }


def test_traditional_keeps_its_characters() -> None:
    meaning = understand("廚房水管漏水，12樓C室")
    assert meaning.traditional
    assert meaning.items[0].slots["location"] == {"floor": "12", "room": "C", "place": "廚房"}
    assert meaning.items[0].brief == "水管漏水"


def test_places_and_words_of_a_community() -> None:
    own = Understanding.load(Vocabulary(places=("七彩廊",), words={"电梯": ("小飞梭",)}))
    meaning = own.understand("七彩廊的小飞梭坏了", now=NOW)
    assert meaning.intent == "repair.report"
    assert meaning.items[0].slots["category"] == "elevator"
    assert meaning.items[0].slots["location"] == {"place": "七彩廊"}


def test_explanation_names_intent_and_evidence() -> None:
    text = UNDERSTANDING.explain("厨房水管漏水了", now=NOW)
    assert "repair.report" in text
    assert "依据" in text


@pytest.mark.parametrize(
    "text", ["", " ", "\0", "\ud800", "😀😀", "\u202e水管漏水", "﷽" * 50, "\n\n", "?" * 300]
)
def test_any_text_has_a_meaning(text: str) -> None:
    for group in (False, True):
        meaning = understand(text, group)
        assert meaning.items
        json.dumps([dict(item.slots) for item in meaning.items])


@settings(max_examples=150, deadline=None)
@given(
    st.text(st.characters(), max_size=200),
    st.booleans(),
    st.sampled_from(["resident", "staff", "committee", "?"]),
)
def test_understanding_never_raises(text: str, group: bool, role: str) -> None:
    assert understand(text, group, role).items


@given(st.text(st.characters(), max_size=80))
def test_simplified_is_as_long_as_typed(text: str) -> None:
    assert len(to_simplified(text)) == len(text)
    to_traditional(text)


def test_script() -> None:
    assert is_traditional("電梯壞了")
    assert not is_traditional("电梯坏了")
    assert to_simplified("電梯壞了") == "电梯坏了"
    assert to_traditional("电梯坏了") == "電梯壞了"


def test_long_text_is_read_in_time() -> None:
    text = "厨房水管漏水了明天三点，3栋2单元501。" * 500
    began = time.process_time()
    understand(text[:10_000])
    assert time.process_time() - began < 2  # a bound for any machine, not the aim


def test_segmentation_keeps_the_text() -> None:
    segment.warm().join()
    assert segment.ready()
    assert "".join(segment.cut("楼道的灯不亮了")) == "楼道的灯不亮了"
