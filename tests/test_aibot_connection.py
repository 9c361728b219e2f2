"""The smart bot's long connection: let in, heard, answered, cut, taken over."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.channels import pace
from bot.channels.aibot import SmartBot
from bot.channels.base import PermanentFailure
from bot.messages import Outgoing
from tests.fakes.aibot_users import AibotUsers
from tests.fakes.wechat_house import Served, serving, until
from tests.fakes.wechat_side import WeChatFarSide

pytestmark = pytest.mark.sqlite


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits of the connection are short here."""
    monkeypatch.setattr(pace.Patience, "FIRST", 0.02)
    monkeypatch.setattr(pace.Patience, "MOST", 0.1)


@asynccontextmanager
async def connected(far: WeChatFarSide, folder: Path) -> AsyncIterator[Served]:
    async with serving(far, f"sqlite://{folder}/linli.db", "gateway") as served:
        await until(lambda: far.live() == 1)
        yield served


def bot(served: Served) -> SmartBot:
    channel = served.house.channels["aibot"]
    assert isinstance(channel, SmartBot)
    return channel


def answers(far: WeChatFarSide, cmd: str = "aibot_respond_msg") -> list[str]:
    calls = far.calls(f"ws/{cmd}")
    return [str(call.body["stream"]["content"]) for call in calls if call.delivered]


async def test_a_message_is_answered_on_its_number(wechat_far: WeChatFarSide, tmp_path: Path) -> None:
    async with connected(wechat_far, tmp_path) as served:
        await served.person("wecom", "WangFang")
        users = AibotUsers(served.url)
        body = users.message("WangFang", "text", text={"content": "厨房水管漏水了"})
        number = await wechat_far.push("aibot_msg_callback", body)
        await until(lambda: answers(wechat_far))
        assert answers(wechat_far)[0].startswith("已报修 #1：")
        assert wechat_far.calls("ws/aibot_respond_msg")[0].query["req_id"] == number
        # the platform repeats it: the same answer, and no second ticket
        await wechat_far.push("aibot_msg_callback", body)
        await until(lambda: len(answers(wechat_far)) == 2)
        assert answers(wechat_far)[0] == answers(wechat_far)[1]
        assert len(await served.rows("select * from ticket")) == 1
        # and from now on the chat can be told something unasked
        await bot(served).send(Outgoing(9, "aibot", "WangFang", "老李接了 #1。"))
        (pushed,) = wechat_far.calls("ws/aibot_send_msg")
        assert pushed.body["chatid"] == "WangFang"
        assert pushed.body["markdown"]["content"] == "老李接了 #1。"


async def test_who_opens_the_chat_is_welcomed(wechat_far: WeChatFarSide, tmp_path: Path) -> None:
    async with connected(wechat_far, tmp_path) as served:
        body = AibotUsers(served.url).event("LiSi", "enter_chat")
        await wechat_far.push("aibot_event_callback", body)
        await until(lambda: wechat_far.calls("ws/aibot_respond_welcome_msg"))
        (welcome,) = wechat_far.calls("ws/aibot_respond_welcome_msg")
        assert "小区助手" in welcome.body["text"]["content"]


async def test_a_connection_that_breaks_is_made_again(wechat_far: WeChatFarSide, tmp_path: Path) -> None:
    async with connected(wechat_far, tmp_path) as served:
        assert not bot(served).limits.windowed
        await wechat_far.cut()
        await until(lambda: len(wechat_far.calls("ws/aibot_subscribe")) == 2 and wechat_far.live() == 1)
        await until(lambda: not bot(served).limits.windowed)
        assert await bot(served).probe() == ""


async def test_it_opens_without_the_platform_and_connects_when_that_is_back(
    wechat_far: WeChatFarSide, tmp_path: Path
) -> None:
    await wechat_far.stop()
    async with serving(wechat_far, f"sqlite://{tmp_path}/linli.db", "gateway") as served:
        assert "网络" in await bot(served).probe()
        assert bot(served).limits.windowed
        await wechat_far.start()
        await until(lambda: wechat_far.live() == 1)


async def test_who_was_replaced_does_not_come_back(
    wechat_far: WeChatFarSide, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        async with connected(wechat_far, tmp_path) as served:
            await wechat_far.kick()
            await until(lambda: not bot(served)._bot.connection.live)  # type: ignore[union-attr]
            await asyncio.sleep(0.3)  # waits are a tenth of a second at most here
            assert len(wechat_far.calls("ws/aibot_subscribe")) == 1
            assert "另一处" in await bot(served).probe()


async def test_a_wrong_secret_is_said(
    wechat_far: WeChatFarSide, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        async with serving(
            wechat_far, f"sqlite://{tmp_path}/linli.db", "gateway", wecom_aibot_secret="another"
        ) as served:
            await until(lambda: len(wechat_far.calls("ws/aibot_subscribe")) >= 2)
            assert "LINLI_WECOM_AIBOT_SECRET" in await bot(served).probe()
            assert "another" not in caplog.text


async def test_a_chat_that_never_wrote_cannot_be_written_to(
    wechat_far: WeChatFarSide, tmp_path: Path
) -> None:
    if not wechat_far.can("gateway_rules"):
        pytest.skip("this far side lets everybody be written to")
    async with connected(wechat_far, tmp_path) as served:
        with pytest.raises(PermanentFailure):
            await bot(served).send(Outgoing(9, "aibot", "Nobody", "停水"))


async def test_a_line_that_went_dead_is_noticed(
    wechat_far: WeChatFarSide, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bot.channels import aibot_connection

    monkeypatch.setattr(aibot_connection, "ANSWERS", 0.05)
    wechat_far.fault("ws/ping", "hang", 2)
    async with serving(wechat_far, f"sqlite://{tmp_path}/linli.db", "gateway") as served:
        bot(served)._bot.connection._ping = 0.05  # type: ignore[union-attr]
        await until(lambda: len(wechat_far.calls("ws/aibot_subscribe")) >= 2)
