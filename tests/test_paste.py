"""A group's talk, copied to us, comes to the same as the same talk heard live; and what no story can show."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from telegram import Bot

from bot.app import House
from bot.channels.telegram_reading import Heard, Me, read
from bot.domain.people import Role
from handlers import paste
from tests.chat import Town, town
from tests.fakes.telegram import BOT_ID, TOKEN, USERNAME, FarSide
from tests.fakes.telegram_house import said, serving, until
from tests.house import EVENING, Capture, Who, captured, declare, open_house, opened, rows, say, turn, value
from tests.test_turns import settle

BOT, ME, GROUP = Bot(TOKEN), Me(BOT_ID, USERNAME, ("邻里",)), -100
_updates = count(1)

#: Names as a group has them, with the homes that these tell.
NEIGHBOURS = {
    "3-2-501 王芳": ("3", "2", "501"),
    "8号楼-1单元1102-小李": ("8", "1", "1102"),
    "5-1-301李奶奶": ("5", "1", "301"),
    "老周(6-3-1801)": ("6", "3", "1801"),
}
WANG, LI, NAI, ZHOU = NEIGHBOURS
CAST = (
    *(
        Who(str(1001 + n), nick, Role.RESIDENT, home, channel="telegram")
        for n, (nick, home) in enumerate(NEIGHBOURS.items())
    ),
    Who("liu", "刘楼长", Role.STEWARD, ("3", "2", "1201")),
    Who("hao", "郝楼长", Role.STEWARD, ("5", "2", "1201")),
    Who("li", "老李", Role.STAFF, trades=("水电",)),
)
#: Who says what, and how many minutes after the line before.
Talk = list[tuple[str, int, str]]
#: With how many tickets are open in the end.
TALKS: dict[str, tuple[int, Talk]] = {
    "two requests among talk": (
        2,
        [
            (WANG, 0, "厨房水管漏水了，麻烦派人来看看"),
            (LI, 1, "今天菜场的虾真新鲜"),
            (NAI, 2, "5栋1单元电梯不动了"),
            (ZHOU, 1, "收到"),
            (LI, 1, "谁家有梯子借用一下"),
        ],
    ),
    "when it suits": (
        1,
        [
            (WANG, 0, "空调不制冷，麻烦派人来看看"),
            (LI, 1, "这么热的天"),
            (WANG, 2, "明天上午来行吗"),
        ],
    ),
    "corrected, and pressed": (
        2,
        [
            (NAI, 0, "单元门关不上，风一吹哐哐响"),
            (NAI, 2, "不是5栋，是6栋的"),
            (ZHOU, 1, "厨房下水道堵了，水都快漫出来了，师傅快来"),
        ],
    ),
    "the place asked for": (
        1,
        [
            (LI, 0, "路灯不亮了，物业来人修一下"),
            (WANG, 1, "哪里的呀"),
            (LI, 1, "东门进来那一截"),
        ],
    ),
    "called off": (
        1,
        [
            (WANG, 0, "厨房水管漏水了，麻烦派人来看看"),
            (WANG, 3, "算了不用来了，撤销吧"),
            (NAI, 1, "楼道灯不亮，物业来修一下"),
        ],
    ),
    "two in one": (2, [(WANG, 0, "电梯一直响，还有卫生间地漏老返臭味，物业派人来看看")]),
    "in several rows": (1, [(LI, 0, "物业师傅\n家里厨房水管漏水了\n麻烦尽快派人来看看\n谢谢")]),
    "we are called": (
        2,
        [
            (ZHOU, 0, "@邻里 活动室的灯坏了"),
            (NAI, 1, "@邻里 你都能做点啥"),
            (WANG, 1, "@邻里 我要报修"),
            (WANG, 1, "马桶堵了"),
        ],
    ),
    "danger, and who sees it": (
        2,
        [
            (WANG, 0, "救命我跟孩子困3栋2单元电梯里了灯都灭了"),
            (NAI, 1, "3栋2单元电梯困人了快来人"),
            (ZHOU, 1, "厨房水管漏水了，麻烦派人来看看"),
        ],
    ),
    "danger that is over": (
        0,
        [
            (NAI, 0, "着火了着火了5栋1单元楼道里电瓶车烧起来了"),
            (NAI, 4, "灭了灭了，没事了"),
        ],
    ),
    "nothing at all": (0, [(WANG, 0, "早上好"), (LI, 1, "物业费交了没"), (NAI, 1, "周六包饺子谁去")]),
    "the same again much later": (
        2,
        [
            (WANG, 0, "厨房水管漏水了，麻烦派人来看看"),
            (WANG, 60, "大概三四处吧"),
            (LI, 5, "厨房水管漏水了，麻烦派人来看看"),
        ],
    ),
}
Row = tuple[object, ...]


async def filed(house: House, above: int = 0) -> list[Row]:
    """What is open, but for who reported it and in which words."""
    found = await rows(
        house,
        "select kind, category, brief, building, unit, floor, room, place, urgency, wanted, phone from ticket"
        " where ref > $1 and closed_ms is null",
        above,
    )
    return sorted(tuple(row.values()) for row in found)


def update(nick: str, text: str) -> dict[str, Any]:
    """What Telegram tells of a line in a group."""
    sender = {"id": 1001 + list(NEIGHBOURS).index(nick), "is_bot": False, "first_name": nick}
    return said(next(_updates), text, GROUP, **{"from": sender})


def copied(
    talk: Talk, begin: datetime, form: str = "{nick} {at.year}/{at.month}/{at.day} {at:%H:%M}\n{text}\n"
) -> str:
    """The same talk as WeChat copies it."""
    at, copy = begin, ""
    for nick, minutes, text in talk:
        at += timedelta(minutes=minutes)
        copy += form.format(nick=nick, at=at, text=text)
    return copy


async def heard_live(house: House, talk: Talk) -> list[Row]:
    """What came of the talk in a Telegram group; then all of it is called off."""
    for nick, minutes, text in talk:
        turn(house, minutes=minutes)
        heard = read(update(nick, text), BOT, ME)
        assert isinstance(heard, Heard)
        await house.handle(heard.incoming)
    found = await filed(house)
    await rows(house, "update ticket set state = '已撤销', due_ms = null, closed_ms = 1 returning id")
    return found


async def cast(house: House) -> None:
    house.add(Capture("telegram"))
    await declare(house, *CAST)


@pytest.mark.parametrize("name", TALKS)
async def test_a_copy_comes_to_the_same_as_live(database_url: str, name: str) -> None:
    number, talk = TALKS[name]
    async with opened(database_url, people=()) as house:
        await cast(house)
        live = await heard_live(house, talk)
        assert len(live) == number
        before = await value(house, "select max(last_ref) from community")
        answers = await say(house, "liu", copied([*talk, (LI, 0, "哈哈")], EVENING))
        listed = [row for row in await filed(house, before) if row[0] == "repair"]
        assert listed == []  # nothing before a yes
        if any("全部登记" in answer for answer in answers):
            await say(house, "liu", "1")
        assert await filed(house, before) == live


@pytest.mark.parametrize(
    "form", ["{nick}:\n{text}\n\n", "{nick}：{text}\n", "{nick}  {at:%H:%M}\n\n{text}\n\n"]
)
async def test_any_form_comes_to_the_same(database_url: str, form: str) -> None:
    talk = [
        (nick, 0, text)
        for name in ("two requests among talk", "the place asked for")
        for nick, _, text in TALKS[name][1]
    ]
    async with opened(database_url, people=()) as house:
        await cast(house)
        live = await heard_live(house, talk)
        assert len(live) == 3
        before = await value(house, "select max(last_ref) from community")
        await say(house, "liu", copied(talk, EVENING, form))
        await say(house, "liu", "全部登记")
        assert await filed(house, before) == live


async def test_over_telegram_s_own_protocol(far_side: FarSide, tmp_path: Path) -> None:
    """The same, the live talk posted to the webhook as Telegram does."""
    talk = TALKS["two requests among talk"][1]
    async with (
        opened(f"sqlite://{tmp_path}/linli.db", people=()) as house,
        serving(far_side, tmp_path) as telegram,
    ):
        await cast(house)
        telegram.obey = house.handle
        await until(lambda: far_side.webhook() and far_side.calls("getMe"))
        for nick, minutes, text in talk:
            turn(house, minutes=minutes)
            assert await telegram.told(update(nick, text)) == [200]
        live = await filed(house)
        assert len(live) == 2
        await rows(house, "update ticket set state = '已撤销', due_ms = null, closed_ms = 1 returning id")
        await say(house, "liu", copied(talk, EVENING))
        await say(house, "liu", "1")
        assert await filed(house, 2) == live


# ---------------------------------------------------------------------------- what stays

TWO = TALKS["two requests among talk"][1]


async def counted(house: House) -> dict[str, int]:
    tables = ("ticket", "audit", "subscriber", "home", "person", "residence")
    return {table: await value(house, f"select count(*) from {table}") for table in tables}


async def test_reading_leaves_nothing_behind(database_url: str) -> None:
    async with opened(database_url, people=()) as house:
        await cast(house)
        before = await counted(house)
        turn(house, minutes=10)
        (answer,) = await say(house, "liu", copied(TWO, EVENING))
        assert "① 王芳" in answer
        assert await counted(house) == before
        assert captured(house).texts("li") == []
        await say(house, "liu", "1")
        assert [row["ref"] for row in await rows(house, "select ref from ticket order by ref")] == [1, 2]


async def test_the_list_survives_a_restart(database_url: str) -> None:
    async with opened(database_url, people=()) as house:
        await cast(house)
        turn(house, minutes=10)
        await say(house, "liu", copied(TWO, EVENING))
        clock = house.clock
    again = await open_house(database_url, clock=clock)  # type: ignore[arg-type]
    try:
        answers = await say(again, "liu", "1")
        assert "登记了 2 件" in answers[0]
    finally:
        await again.close()


async def test_two_who_copied_the_same_file_it_once(database_url: str) -> None:
    async with opened(database_url, people=()) as house:
        await cast(house)
        turn(house, minutes=10)
        for who in ("liu", "hao"):
            (answer,) = await say(house, who, copied(TWO, EVENING))
            assert "可以登记 2 件" in answer
        await asyncio.gather(say(house, "liu", "1"), say(house, "hao", "1"))
        assert await value(house, "select count(*) from ticket") == 2
        both = [*captured(house).texts("liu"), *captured(house).texts("hao")]
        assert sum("登记了 2 件" in text for text in both) == 1
        assert sum("登记过了：" in text for text in both) == 1


async def test_the_list_waits_for_a_day(database_url: str) -> None:
    async with opened(database_url, people=()) as house:
        await cast(house)
        await say(house, "liu", copied(TWO, EVENING - timedelta(minutes=30)))
        turn(house, hours=25)
        assert await say(house, "liu", "1") == ["现在没有等着登记的。把群里的话复制过来发给我就行。"]
        assert await value(house, "select count(*) from ticket") == 0


async def test_no_door_and_no_telephone_goes_back_into_the_group(database_url: str) -> None:
    talk = [
        ("王姐13912345678 3-2-501", 0, "1201厨房水管漏水了，麻烦派人来看看，电话13912345678"),
        ("12-1-1801", 1, "空调不制冷，麻烦派人来看看"),
        ("周老师", 1, "8栋2单元1104卫生间漏水，师傅快来"),
    ]
    async with opened(database_url, people=()) as house:
        await cast(house)
        turn(house, minutes=10)
        await say(house, "liu", copied(talk, EVENING))
        back = (await say(house, "liu", "1"))[-1]
        assert back.count("已报修") == 3
        for secret in ("139", "1201", "501", "1801", "1104", "2单元", "1单元"):
            assert secret not in back, back


@pytest.mark.parametrize(
    ("words", "left"),
    [
        ("不要1", ["5栋1单元电梯"]),
        ("1不要了", ["5栋1单元电梯"]),
        ("去掉②", ["3栋2单元501厨房"]),
        ("除了第2件", ["3栋2单元501厨房"]),
        ("不要1和2", []),
        ("都不要", []),
        ("算了", []),
    ],
)
async def test_what_is_not_wanted(database_url: str, words: str, left: list[str]) -> None:
    async with opened(database_url, people=()) as house:
        await cast(house)
        turn(house, minutes=10)
        await say(house, "liu", copied(TWO, EVENING))
        (answer,) = await say(house, "liu", words)
        assert [place for place in ("3栋2单元501厨房", "5栋1单元电梯") if place in answer] == left
        if not left:
            assert answer == "好的，这段不登记。"
        await say(house, "liu", "全部登记")
        assert len(await filed(house)) == len(left)


async def test_words_of_other_things_are_no_answers(database_url: str) -> None:
    """A digit and a command, while a list waits: whoever works here keeps the commands."""
    async with opened(database_url, people=()) as house:
        await cast(house)
        await say(house, "liu", "厨房水管漏水")
        await say(house, "li", "接 1")
        turn(house, minutes=10)
        await say(house, "li", copied([("阿宝", 0, "路灯不亮了，物业来修一下"), *TWO], EVENING))
        (answer,) = await say(house, "li", "1 修好了")
        assert "#1" in answer
        assert "已请住户确认" in answer
        assert "现在没有" not in (await say(house, "li", "全部登记"))[0]
        assert await value(house, "select count(*) from ticket") == 4


# ------------------------------------------------------------------- wordings, see test_chats


async def too_long() -> None:
    """A copy that is too long is not listed; danger in it is heard all the same."""
    talk = [(WANG, 0, "今天菜场的虾真新鲜，还有活的小龙虾，大家快去看看")] * 300
    async with town() as here:
        await steward(here)
        answer = await here.say(
            "刘楼长", copied([*talk, (LI, 0, "着火了着火了9号楼楼道里电瓶车烧起来了")], MORNING)
        )
        assert "119" in answer
        assert f"最多 {paste.LONGEST} 字" in answer


async def too_many() -> None:
    """A list ends where nobody would read on; what was left out may be copied again."""
    talk = [
        (f"{floor}楼邻居", 0, f"3栋2单元{floor}01厨房水管漏水了，麻烦派人来看看") for floor in range(1, 19)
    ]
    talk += [
        (f"{floor}楼街坊", 0, f"5栋2单元{floor}01厨房水管漏水了，麻烦派人来看看") for floor in range(1, 10)
    ]
    async with town() as here:
        await steward(here)
        answer = await here.say("刘楼长", copied(talk, MORNING))
        assert f"可以登记 {paste.MOST} 件" in answer
        assert "一次最多" in answer
        assert f"登记了 {paste.MOST} 件" in await here.say("刘楼长", "1")
        assert "可以登记 7 件" in await here.say("刘楼长", copied(talk, MORNING))


MORNING = datetime.fromisoformat("2026-03-04T09:30")  # of the town's day, before its clock


async def steward(here: Town) -> None:
    await settle(here, "刘楼长", Role.STEWARD, ("3", "2", "1201"))


async def test_too_long() -> None:
    await too_long()


async def test_too_many() -> None:
    await too_many()
