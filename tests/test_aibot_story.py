"""A day of the smart bot and of staff's group: the real process, the real protocols, both ways at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot import office
from bot.config import Settings
from tests.fakes.aibot_users import AibotUsers
from tests.fakes.wechat_credentials import NOBODY
from tests.fakes.wechat_house import until
from tests.fakes.wechat_side import WeChatFarSide
from tests.fakes.wechat_users import Click
from tests.serving import serving
from tests.test_wechat_oa import with_channel

pytestmark = pytest.mark.sqlite
LI, FANG, GROUP = "LiJianGuo", "WangFang", "wrINVENTEDgroup00000001"


class Scene:
    """What each of them reads: the bot's pushes, and the group's posts."""

    def __init__(self, far: WeChatFarSide) -> None:
        self.far = far

    async def reads(self, chat: str, *words: str) -> dict[str, Any]:
        """Wait until the bot pushes one message with all these words; its body."""
        return await self._found("ws/aibot_send_msg", words, chatid=chat)

    async def group_reads(self, *words: str) -> dict[str, Any]:
        return await self._found("webhook/send", words)

    async def _found(self, path: str, words: tuple[str, ...], **where: str) -> dict[str, Any]:
        def sent() -> list[dict[str, Any]]:
            bodies = [call.body for call in self.far.calls(path) if call.delivered]
            return [body for body in bodies if where.items() <= body.items()]

        def found() -> list[dict[str, Any]]:
            return [body for body in sent() if all(word in str(body) for word in words)]

        try:
            await until(found, 15)
        except TimeoutError:
            pytest.fail(f"{where or path}: nothing of {words}, but {sent()}")
        return found()[-1]


async def test_a_leak_is_told_in_the_group_claimed_on_a_card_and_mended(
    wechat_far: WeChatFarSide, tmp_path: Path
) -> None:
    settings = Settings(database_url=f"sqlite://{tmp_path}/data/linli.db", _env_file=None)  # type: ignore[call-arg]
    resident = await office.invite(settings, slug="xingfuli", role="resident", name="王芳", home="3-2-501")
    worker = await office.invite(settings, slug="xingfuli", role="staff", name="老李", trade="水电")
    given = wechat_far.credentials.environment(wechat_far.base, ("aibot", "gateway", "webhook"))
    folder = with_channel(tmp_path, '[channels.webhook]\nstaff = "default"\n')
    given["LINLI_COMMUNITY_DIR"] = str(folder)
    scene = Scene(wechat_far)
    with serving(tmp_path, **given) as service:
        await until(wechat_far.live, 15)
        async with AibotUsers(service.address.rstrip("/"), far=wechat_far) as users:
            assert "小区助手" in (await users.enter(FANG)).reply["text"]["content"]  # type: ignore[index]
            assert "3栋2单元501" in (await users.say(FANG, resident)).content
            assert "老李" in (await users.say(LI, worker)).content
            # 老李 wrote over the connection too, or nothing could be pushed to him; so did 王芳.
            for member in (LI, FANG):
                await wechat_far.push(
                    "aibot_msg_callback", users.message(member, "text", text={"content": "好的"})
                )
            said = await users.say(FANG, "厨房水管漏水了，我手机13800001111", GROUP)
            assert said.content.startswith("已报修 #1：水管漏水，3栋＊单元厨房。")
            post = await scene.group_reads("【新报修】#1 水管漏水，3栋*单元厨房")
            assert post["text"]["mentioned_list"] == [LI]
            assert "501" not in str(post)
            assert "13800001111" not in str(post)
            alert = await scene.reads(LI, "【新报修】#1", "接 1")
            assert "3栋2单元501厨房" in str(alert)
            card = (await scene.reads(LI, "button_list", "接 1"))["template_card"]
            tapped = await users.click(LI, Click(card["task_id"], "接 1", ""))
            assert tapped.reply is not None
            assert tapped.reply["response_type"] == "update_template_card"
            await scene.reads(LI, "#1 归您了")
            await scene.reads(FANG, "老李", "接了 #1")
            done = await users.say(LI, "1 修好了")
            assert done.content == "#1 记下了，已请住户确认。"
            asked = await scene.reads(FANG, "修好了", "button_list")
            assert [one["text"] for one in asked["template_card"]["button_list"]] == ["好了", "还没好"]
            assert "#1 已解决" in (await users.say(FANG, "好了")).content
            await scene.group_reads("#1", "确认已解决")
        assert service.stop() == 0
    assert wechat_far.unknown() == []
    log = service.said()
    for secret in (NOBODY.aibot_secret, NOBODY.aibot_token, NOBODY.webhooks[0][1], "13800001111"):
        assert secret not in log
