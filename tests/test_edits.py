"""A message that is changed after it was sent: a correction where that is clear, else an honest line."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from bot.app import House
from bot.messages import Incoming
from tests.chat import town
from tests.house import captured, rows, turn

GROUP = "qun"
DECLINED = "没有照改"


@dataclass
class Chat:
    """Somebody who writes, and changes what was written. A minute passes before every message."""

    house: House
    who: str
    chat: str = ""
    numbers: count[int] = field(default_factory=lambda: count(1))

    async def write(self, text: str, **more: Any) -> str:
        """The answer, or "" for none; the message's mark is its number."""
        return await self._bring(text, str(next(self.numbers)), **more)

    async def change(self, mark: int, text: str, **more: Any) -> str:
        return await self._bring(text, str(mark), edited=True, **more)

    async def _bring(self, text: str, mark: str, **more: Any) -> str:
        turn(self.house, minutes=1)
        chat, web = self.chat or self.who, captured(self.house)
        before, id_ = len(web.texts(chat)), f"{self.who}-{mark}-{text}"
        said = Incoming(
            "web", id_, chat, self.who, text, group=bool(self.chat), mark=mark, **{"addressed": True, **more}
        )
        for _ in range(2):
            await self.house.handle(said)
            await self.house.settle()
        return "\n".join(web.texts(chat)[before:])


async def tickets(house: House) -> list[str]:
    """Every ticket: its words, a line each message that made it."""
    return [row["words"] for row in await rows(house, "select words from ticket order by ref")]


async def test_a_typo_is_corrected_in_what_it_filed(house: House) -> None:
    wang = Chat(house, "wang")
    assert "#1" in await wang.write("8栋1单元302厨房水管漏水了")
    assert "8栋1单元303" in await wang.change(1, "8栋1单元303厨房水管漏水了")
    assert await tickets(house) == ["8栋1单元302厨房水管漏水了\n8栋1单元303厨房水管漏水了"]
    assert any("【有改动】#1" in text and "303" in text for text in captured(house).texts("li"))


async def test_what_is_added_is_a_remark(house: House) -> None:
    wang = Chat(house, "wang")
    await wang.write("厨房水管漏水了")
    assert "已补充到 #1" in await wang.change(1, "厨房水管漏水了，是热水管")
    assert "明天" in await wang.change(1, "厨房水管漏水了，是热水管，明天上午来")
    assert "加急" in await wang.change(1, "厨房水管漏水了，是热水管，明天上午来，很急")
    assert len(await tickets(house)) == 1


async def test_where_nothing_changed_nothing_is_said(house: House) -> None:
    wang = Chat(house, "wang")
    await wang.write("厨房水管漏水了")
    assert await wang.change(1, "厨房水管漏水了") == ""
    assert await tickets(house) == ["厨房水管漏水了"]


async def test_what_was_not_understood_is_heard_anew(house: House) -> None:
    wang = Chat(house, "wang")
    assert "没太明白" in await wang.write("呜啦呜啦")
    assert "没太明白" in await wang.change(1, "呜啦啦")  # the same message, not a second miss
    assert "#1" in await wang.change(1, "厨房水管漏水了")
    assert "已补充到 #1" in await wang.change(1, "厨房水管漏水了，热水的")


async def test_the_message_that_made_us_ask_is_heard_anew(house: House) -> None:
    wang = Chat(house, "wang")
    assert "哪里" in await wang.write("路灯不亮了")
    assert "哪里" in await wang.change(1, "路灯不亮了，晚上很黑")
    assert "#1" in await wang.change(1, "东门的路灯不亮了")
    assert await tickets(house) == ["东门的路灯不亮了"]


async def test_another_matter_in_its_place_is_one_matter(house: House) -> None:
    wang = Chat(house, "wang")
    assert "哪里" in await wang.write("路灯不亮了")
    assert "#1" in await wang.change(1, "厨房水管漏水了")
    assert await tickets(house) == ["厨房水管漏水了"]


async def test_a_changed_answer_does_not_answer_the_next_question(house: House) -> None:
    stranger = Chat(house, "cai")
    assert "几栋几单元" in await stranger.write("洗衣机不转了")
    assert "怎么称呼" in await stranger.write("2栋1单元402")
    assert DECLINED in await stranger.change(2, "2栋1单元403")
    await stranger.write("小蔡")
    assert await rows(house, "select room, name from application") == [{"room": "402", "name": "小蔡"}]


async def test_what_went_on_since_is_not_taken_back(house: House) -> None:
    wang = Chat(house, "wang")
    await wang.write("路灯不亮了")
    assert "#1" in await wang.write("东门口")
    assert DECLINED in await wang.change(1, "南门的路灯不亮了")
    assert await wang.change(1, "西门的路灯不亮了") == ""  # said once
    assert "#1 已改" in await wang.change(2, "南门口")
    assert len(await tickets(house)) == 1


async def test_a_deed_is_not_redirected(house: House) -> None:
    wang, li = Chat(house, "wang"), Chat(house, "li")
    await wang.write("厨房水管漏水了")
    await wang.write("卫生间灯不亮了")
    assert "归您了" in await li.write("接 1")
    assert DECLINED in await li.change(1, "接 2")
    found = await rows(house, "select state, ref from ticket order by ref")
    assert found[0]["state"] != found[1]["state"]


async def test_two_in_one_message_are_not_corrected_together(house: House) -> None:
    wang = Chat(house, "wang")
    await wang.write("厨房水管漏水了，还有卫生间灯不亮了")
    assert len(await tickets(house)) == 2
    assert DECLINED in await wang.change(1, "厨房水管漏水了，还有客厅灯不亮了")


async def test_what_is_closed_stays_closed(house: House) -> None:
    wang = Chat(house, "wang")
    await wang.write("厨房水管漏水了")
    await wang.write("撤销 1")
    assert DECLINED in await wang.change(1, "卫生间水管漏水了")
    assert await tickets(house) == ["厨房水管漏水了"]


async def test_what_was_refused_is_heard_anew(house: House) -> None:
    wang, li = Chat(house, "wang"), Chat(house, "li")
    await wang.write("厨房水管漏水了")
    assert "归您了" not in await li.write("接 7")
    assert "归您了" in await li.change(1, "接 1")


async def test_danger_is_heard_whatever_it_stands_in(house: House) -> None:
    wang = Chat(house, "wang")
    await wang.write("厨房水管漏水了")
    await wang.write("谢谢")
    assert "119" in await wang.change(1, "厨房着火了")


async def test_a_human_reads_the_change(house: House) -> None:
    wang = Chat(house, "wang")
    await wang.write("转人工")
    await wang.write("我想问物业费")
    assert await wang.change(2, "我想问停车费") == ""
    assert any("停车费" in text for text in captured(house).texts("chen"))


async def test_a_stranger_reports_once(house: House) -> None:
    stranger = Chat(house, "cai")
    assert "几栋几单元" in await stranger.write("洗衣机不转了")
    assert "几栋几单元" in await stranger.change(1, "洗衣机不转了，漏水")
    await stranger.write("2栋1单元402，我叫小蔡")
    [application] = await rows(house, "select kept from application")
    assert [report["text"] for report in json.loads(application["kept"])] == ["洗衣机不转了，漏水"]


async def test_after_many_messages_it_is_forgotten(house: House) -> None:
    wang = Chat(house, "wang")
    await wang.write("厨房水管漏水了")
    for _ in range(5):
        await wang.write("谢谢")
    assert DECLINED in await wang.change(1, "卫生间水管漏水了")
    assert await tickets(house) == ["厨房水管漏水了"]


async def test_in_a_group_only_who_speaks_to_us_is_answered(house: House) -> None:
    wang = Chat(house, "wang", GROUP)
    assert await wang.write("晚饭吃什么", addressed=False) == ""
    assert await wang.change(1, "晚饭吃什么好", addressed=False) == ""
    assert DECLINED in await wang.change(1, "活动室的灯坏了")
    assert "#1" in await wang.write("活动室的灯坏了")
    assert "#1" in await wang.change(2, "活动室的灯坏了，门口那盏", addressed=False)
    assert len(await tickets(house)) == 1


async def declined() -> None:
    """For the wording's coverage: no story can change what was said."""
    async with town() as here:
        await here.house.handle(Incoming("web", "1", "wang", "wang", "改过的", mark="7", edited=True))
        assert DECLINED in (await here.told())["wang"]


async def test_declined() -> None:
    await declined()
