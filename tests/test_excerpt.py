"""Copies of a group's talk as chat programs write them down; what one person wrote is never one."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp import excerpt, nickname, stamp

NOW = datetime.fromisoformat("2026-03-04T10:30")  # a Wednesday
DATA = Path(__file__).parent / "data"
CORPUS = Path(__file__).parents[2] / "shared" / "corpus"

#: Each with its form and what it says: who, what, when.
COPIES: dict[str, tuple[str, str, list[tuple[str, str, str | None]]]] = {
    "desktop": (
        "王芳:\n厨房水管漏水了\n\n李奶奶:\n电梯又坏了\n3栋2单元的\n\n物业小陈:\n收到",
        "block",
        [
            ("王芳", "厨房水管漏水了", None),
            ("李奶奶", "电梯又坏了\n3栋2单元的", None),
            ("物业小陈", "收到", None),
        ],
    ),
    "desktop, full-width colons": (
        "王芳：\n厨房水管漏水了\n李奶奶：\n我家也是",
        "block",
        [("王芳", "厨房水管漏水了", None), ("李奶奶", "我家也是", None)],
    ),
    "a date and a time behind each name": (
        "3-2-501 王芳 2026/3/4 10:05\n厨房水管漏水了\n时间：明天上午都行\n"
        "8号楼-1102-小李 2026/3/3 22:06:31\n哈哈",
        "timed",
        [
            ("3-2-501 王芳", "厨房水管漏水了\n时间：明天上午都行", "2026-03-04T10:05"),
            ("8号楼-1102-小李", "哈哈", "2026-03-03T22:06:31"),
        ],
    ),
    "a time of today, a day by its name": (
        "王芳  10:05\n漏水了\n李奶奶  昨天 22:15\n真的\n阿宝  星期一 上午9:01\n嗯\n老周 3月2日 下午3:20\n好",
        "timed",
        [
            ("王芳", "漏水了", "2026-03-04T10:05"),
            ("李奶奶", "真的", "2026-03-03T22:15"),
            ("阿宝", "嗯", "2026-03-02T09:01"),
            ("老周", "好", "2026-03-02T15:20"),
        ],
    ),
    "a merged record as mail": (
        "群聊的聊天记录如下:\n\n—————  2026-03-03  —————\n\n\n"
        "王芳  22:02\n\n厨房水管漏水了\n\n李奶奶  22:03\n\n[图片]\n\n"
        "—————  2026-03-04  —————\n\n王芳  08:00\n\n还在漏\n",
        "timed",
        [
            ("王芳", "厨房水管漏水了", "2026-03-03T22:02"),
            ("李奶奶", "", "2026-03-03T22:03"),
            ("王芳", "还在漏", "2026-03-04T08:00"),
        ],
    ),
    "a record of a single line": (
        "王芳和李奶奶的聊天记录\n王芳: 厨房水管漏水了",
        "inline",
        [("王芳", "厨房水管漏水了", None)],
    ),
    "phone": (
        "3栋王芳: 厨房水管漏水了\n李奶奶：收到\n我来看看\n阳光🌞: [图片]",
        "inline",
        [("3栋王芳", "厨房水管漏水了", None), ("李奶奶", "收到\n我来看看", None), ("阳光🌞", "", None)],
    ),
    "phone, names like any": (
        "阳光灿烂: 电梯坏了\n一帘幽梦: 是啊，爬了十二楼",
        "inline",
        [("阳光灿烂", "电梯坏了", None), ("一帘幽梦", "是啊，爬了十二楼", None)],
    ),
    "times between": (
        "昨天 22:15\n王芳: 电梯坏了\n李奶奶: 我也看到了\n星期三 10:05\n王芳: 修好了",
        "inline",
        [
            ("王芳", "电梯坏了", "2026-03-03T22:15"),
            ("李奶奶", "我也看到了", "2026-03-03T22:15"),
            ("王芳", "修好了", "2026-03-04T10:05"),
        ],
    ),
    "an answer to a quoted line": (
        "王芳:\n「李奶奶：厨房漏水\n地上都是」\n- - - - - - - - - - - - - - -\n我家也是\n李奶奶:\n一起报吧",
        "block",
        [("王芳", "我家也是", None), ("李奶奶", "一起报吧", None)],
    ),
    "what WeChat says": (
        '王芳 10:01\n电梯坏了\n"李奶奶"撤回了一条消息\n"王芳"拍了拍"李奶奶"\n'
        '"阿宝"邀请"小鹿"加入了群聊\n李奶奶 10:02\n好的 [微笑]',
        "timed",
        [("王芳", "电梯坏了", "2026-03-04T10:01"), ("李奶奶", "好的 [微笑]", "2026-03-04T10:02")],
    ),
    "pictures and the like": (
        "王芳 10:01\n[图片]楼道灯坏了[动画表情]\n李奶奶 10:02\n[语音] 5''\n老周 10:03\n[文件] 通知.docx",
        "timed",
        [
            ("王芳", "楼道灯坏了", "2026-03-04T10:01"),
            ("李奶奶", "", "2026-03-04T10:02"),
            ("老周", "通知.docx", "2026-03-04T10:03"),
        ],
    ),
    "another mail, hours in a name": (
        "老周 和 阿宝 在微信上的聊天记录如下，请查收。\n\n————— 2026-03-03 —————\n\n"
        "阿宝9:00-21:00  20:01\n\n电梯坏了\n",
        "timed",
        [("阿宝9:00-21:00", "电梯坏了", "2026-03-03T20:01")],
    ),
    "an English desktop": (
        "阿宝 2026/03/03 2:51 PM\n电梯坏了\n\n老周 2026/03/03 11:07 PM\n[动画表情]\n\n",
        "timed",
        [("阿宝", "电梯坏了", "2026-03-03T14:51"), ("老周", "", "2026-03-03T23:07")],
    ),
    "the time in brackets": (
        "【好邻居】阿宝(2026-03-03 12:00:00)\n电梯坏了\n【群主】老周（2026-03-03 12:01:00）\n好",
        "timed",
        [
            ("【好邻居】阿宝", "电梯坏了", "2026-03-03T12:00"),
            ("【群主】老周", "好", "2026-03-03T12:01"),
        ],
    ),
    "quoted as in mail": (
        "> 阿宝:\n电梯坏了\n\n> 老周:\n啊？几号楼的呀",
        "block",
        [("阿宝", "电梯坏了", None), ("老周", "啊？几号楼的呀", None)],
    ),
    "Telegram": (
        "王芳, [2026/3/4 10:05]\n厨房水管漏水了\n\n李奶奶, [2026/3/4 10:06]\n好",
        "timed",
        [("王芳", "厨房水管漏水了", "2026-03-04T10:05"), ("李奶奶", "好", "2026-03-04T10:06")],
    ),
    "the time before the name": (
        "2026-03-04 10:05:22 王芳(12345)\n厨房水管漏水了\n2026-03-04 10:06:22 李奶奶(67)\n好",
        "timed",
        [("王芳", "厨房水管漏水了", "2026-03-04T10:05:22"), ("李奶奶", "好", "2026-03-04T10:06:22")],
    ),
    "in a row with time and name": (
        "[10:05] 王芳: 厨房水管漏水了\n[10:06] 李奶奶: 好",
        "inline",
        [("王芳", "厨房水管漏水了", "2026-03-04T10:05"), ("李奶奶", "好", "2026-03-04T10:06")],
    ),
    "begun in the midst": (
        "都淌到门口了\n王芳 10:01\n电梯坏了\n李奶奶 10:02\n好的",
        "timed",
        [
            ("", "都淌到门口了", None),
            ("王芳", "电梯坏了", "2026-03-04T10:01"),
            ("李奶奶", "好的", "2026-03-04T10:02"),
        ],
    ),
    "a name like a sentence": (
        "我心飞翔 10:01\n电梯坏了\n王芳 10:02\n好的\n我心飞翔 10:03\n10:30\n谁在",
        "timed",
        [
            ("我心飞翔", "电梯坏了", "2026-03-04T10:01"),
            ("王芳", "好的", "2026-03-04T10:02"),
            ("我心飞翔", "10:30\n谁在", "2026-03-04T10:03"),
        ],
    ),
}

OWN = [
    "报修\n姓名：王芳\n电话：13812345678\n地址：3栋2单元501\n问题：厨房水管漏水",
    "厨房：水龙头漏水\n卫生间：马桶堵了\n客厅：灯不亮了",
    "主卧灯：不亮\n次卧灯：也不亮了",
    "儿子房间的灯：坏了\n女儿房间的窗户：关不上了",
    "1号楼电梯：坏了\n2号楼电梯：没坏吧",
    "3栋：灯不亮\n5栋：门坏了",
    "501：漏水\n502：漏水",
    "时间：明天上午\n电话：138\n地址：3栋",
    "各位邻居：\n明天停水。\n\n温馨提示：\n请提前储水",
    "尊敬的业主：\n您好！\n停水时间：\n明天上午\n停水范围：\n3栋",
    "关于停水的通知：\n时间：3月5日 8:00-12:00\n范围：3栋、5栋\n联系人：李主任\n电话：2345",
    "我说：你好\n他说：不好\n我说：那算了吧",
    "问：几点停水\n答：八点",
    "爸爸：想吃鱼\n妈妈：好的",
    "张三：13812345678\n李四：13912345678",
    "王芳：2份\n李奶奶：3份",
    "李师傅：水电\n王师傅：电梯\n张姐：保洁",
    "张三 8:00\n李四 12:00\n王五 16:00",
    "第一次 3月1日 10:00\n师傅没来\n第二次 3月2日 14:00\n还是没来",
    "周一 8:00\n游泳课\n周二 9:00\n瑜伽",
    "早上 8:00\n没水\n晚上 8:00\n还没水",
    "优点：便宜\n缺点：太远",
    "现象：漏水\n原因：水管老化",
    "第一点：漏水了\n第二点：没人修吗",
    "10:05 厨房水管漏水了\n10:20 师傅没来",
    "給師傅補充：壞的是地下停車場那盞\n通知：明天停水",
    "王芳 10:05\n厨房水管漏水了",  # one line alone
    "王芳: 厨房水管漏水了",
    "王芳:\n厨房水管漏水了",
    "厨房水管漏水了\n麻烦派人来看看\n3栋2单元501",
    "https://example.com/a\nhttps://example.com/b",
    "接龙报名 1",
    "",
    "\n\n",
]


@pytest.mark.parametrize("name", COPIES)
def test_forms(name: str) -> None:
    text, form, lines = COPIES[name]
    read = excerpt.read(text, NOW)
    assert read is not None
    assert read.form == form
    wanted = [(nick, said, datetime.fromisoformat(at) if at else None, False) for nick, said, at in lines]
    assert [(one.nick, one.text, one.at, one.chain) for one in read.lines] == wanted
    assert excerpt.read(text.replace("\n", "\r\n"), NOW) == read


@pytest.mark.parametrize("text", OWN)
def test_what_one_person_wrote(text: str) -> None:
    assert excerpt.read(text, NOW) is None


def test_chains() -> None:
    """A 接龙 is told apart: alone, and as somebody's line; its numbers are nobody's names."""
    chain = "#接龙\n周六包饺子\n\n1. 张三 2人\n2. 李四：带醋\n3. 王五：带碗"
    alone = excerpt.read(chain, NOW)
    assert alone is not None
    assert alone.form == "chain"
    assert [line.chain for line in alone.lines] == [True]
    said = excerpt.read(f"王芳 10:01\n{chain}\n李奶奶 10:02\n好的", NOW)
    assert said is not None
    assert [(line.nick, line.chain) for line in said.lines] == [("王芳", True), ("李奶奶", False)]


@pytest.mark.parametrize(
    ("nick", "home", "name"),
    [
        ("3-2-501 王芳", ("3", "2", "501"), "王芳"),
        ("3-2-501-王芳", ("3", "2", "501"), "王芳"),
        ("３－２－５０１王芳", ("3", "2", "501"), "王芳"),
        ("3_2_501王芳", ("3", "2", "501"), "王芳"),
        ("3#2-501王芳", ("3", "2", "501"), "王芳"),
        ("【3-2-501】王芳", ("3", "2", "501"), "王芳"),
        ("王芳（3栋2单元501室）", ("3", "2", "501"), "王芳"),
        ("三号楼二单元小李", ("3", "2", None), "小李"),
        ("3栋王芳", ("3", None, None), "王芳"),
        ("8号楼-1102-小李", ("8", None, "1102"), "小李"),
        ("A座1204 Tom", ("A", None, "1204"), "Tom"),
        ("12-2-1803", ("12", "2", "1803"), ""),
        ("501王芳", (None, None, None), "501王芳"),  # of which building?
        ("【群主】老周", (None, None, None), "【群主】老周"),
        ("阳光🌞", (None, None, None), "阳光🌞"),
    ],
)
def test_homes_in_names(nick: str, home: tuple[str | None, ...], name: str) -> None:
    where, rest = nickname.split(nick)
    assert (where.building, where.unit, where.room) == home
    assert rest == name


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026年3月4日 上午10:05", "2026-03-04T10:05"),
        ("2026-3-4 0:05:09", "2026-03-04T00:05:09"),
        ("3月4日 10:05", "2026-03-04T10:05"),
        ("3/1 下午3:20", "2026-03-01T15:20"),
        ("12月31日 晚上11:59", "2025-12-31T23:59"),
        ("10:30", "2026-03-04T10:30"),
        ("11:30", "2026-03-03T11:30"),  # not yet today
        ("中午12:10", "2026-03-03T12:10"),
        ("凌晨12:10", "2026-03-04T00:10"),
        ("10:05 AM", "2026-03-04T10:05"),
        ("9:05 pm", "2026-03-03T21:05"),
        ("前天 08:00", "2026-03-02T08:00"),
        ("星期三 10:05", "2026-03-04T10:05"),
        ("星期三 11:05", "2026-02-25T11:05"),
        ("周日 10:05", "2026-03-01T10:05"),
        ("星期天 10:05", "2026-03-01T10:05"),
    ],
)
def test_stamps(text: str, moment: str) -> None:
    at = datetime.fromisoformat(moment)
    assert stamp.read(text, NOW) == (at.date(), at)


def test_a_clock_time_is_of_the_day_printed_last() -> None:
    read = stamp.read("2026-03-02", NOW)
    assert read == (datetime.fromisoformat("2026-03-02").date(), None)
    assert stamp.read("23:50", NOW, read[0]) == (read[0], datetime.fromisoformat("2026-03-02T23:50"))


@pytest.mark.parametrize(
    "text", ["25:00", "10:61", "2月30日 10:00", "2027-01-01 10:00", "今天 11:00", "明天 9:00", "", "王芳"]
)
def test_no_stamps(text: str) -> None:
    assert stamp.read(text, NOW) is None


# -------------------------------------------------------------------------------- any text


@given(
    st.text(
        st.sampled_from("王芳李3栋-0123:：\n 「」#接龙1.[图片]—昨天/年月日的聊天记录撤回了一条消息\u2005🌞"),
        max_size=200,
    )
)
@settings(max_examples=300, deadline=None)
def test_any_text_is_read(text: str) -> None:
    read = excerpt.read(text, NOW)
    if read is not None:
        assert read.lines
        for line in read.lines:
            assert line.at is None or line.at <= NOW.replace(minute=35)
            assert (line.home, line.name) == nickname.split(line.nick)


@given(st.text(max_size=300))
@settings(max_examples=200, deadline=None)
def test_wild_text_is_read(text: str) -> None:
    excerpt.read(text, NOW)


@pytest.mark.parametrize(
    "text",
    [
        "a: b\n" * 4000,
        "：" * 20000,
        "王 " * 10000,
        "—" * 20000,
        "王芳" + " " * 40 + "10:0\n" * 4000,
        ("王芳" + " " * 40 + "10:0\n") * 400,
        "「" * 20000 + "\n",
    ],
)
def test_no_text_takes_long(text: str) -> None:
    """A flood is read as far as a copy is allowed to go, in linear time: a second would be too much."""
    before = time.perf_counter()
    excerpt.read(text, NOW)
    assert time.perf_counter() - before < 2


def lines_of(name: str) -> list[str]:
    rows = (DATA / name).read_text(encoding="utf-8").splitlines()
    return [row for row in rows if row and not row.startswith("#")]


SENTENCES = [*lines_of("everyday.txt"), *lines_of("misunderstood.txt")]
NICKS = [
    "3-2-501 王芳",
    "8号楼-1102-小李",
    "李奶奶",
    "物业小陈",
    "阳光🌞",
    "Lily",
    "我心飞翔",
    "老周",
    "一帘幽梦",
]
FORMS = {
    "timed": "{nick}  {at:%H:%M}\n{text}\n",
    "dated": "{nick} {at.year}/{at.month}/{at.day} {at:%H:%M}\n{text}\n",
    "block": "{nick}:\n{text}\n\n",
    "inline": "{nick}: {text}\n",
}


@given(
    st.lists(st.tuples(st.sampled_from(NICKS), st.sampled_from(SENTENCES)), min_size=4, max_size=30),
    st.sampled_from(sorted(FORMS)),
)
@settings(max_examples=100, deadline=None)
def test_what_was_said_comes_back(said: list[tuple[str, str]], form: str) -> None:
    """Whatever neighbours say in whatever order: each line of a copy is read as its speaker's."""
    said = [("3-2-501 王芳", "收到"), *said, ("李奶奶", "谢谢"), ("我心飞翔", "好"), ("我心飞翔", "嗯")]
    copy = "".join(FORMS[form].format(nick=nick, text=text, at=NOW) for nick, text in said)
    read = excerpt.read(copy, NOW)
    assert read is not None
    assert [(line.nick, line.text) for line in read.lines] == said


# ---------------------------------------------------------------------- what people write


def messages() -> Iterator[str]:
    """What one person wrote each: ours, and the corpus beside the repository where it is there."""
    yield from SENTENCES
    for path in [*DATA.glob("*.jsonl"), *sorted(CORPUS.glob("*.jsonl"))]:
        for row in path.read_text(encoding="utf-8").splitlines():
            yield json.loads(row)["text"]


def test_people_s_own_messages_are_no_copies() -> None:
    """Each alone, and several as the rows of one message; even where every row has a colon, one in fifty."""
    everything = [text for text in messages() if not text.startswith("#接龙")]
    assert [text for text in everything if excerpt.read(text, NOW)] == []
    dice = random.Random(7)
    for rows in (2, 3, 5):
        joined = ["\n".join(dice.sample(everything, rows)) for _ in range(1000)]
        assert [text for text in joined if excerpt.read(text, NOW)] == []
    colons = [text for text in everything if "：" in text or ":" in text]
    pairs = ["\n".join(dice.sample(colons, 2)) for _ in range(1000)]
    assert sum(excerpt.read(text, NOW) is not None for text in pairs) <= 20
