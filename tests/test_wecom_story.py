"""A leak, told by a resident in WeChat and mended by staff in WeCom: the real process, the real protocol."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot import office
from bot.clock import SystemClock
from bot.config import Settings
from tests.fakes.wechat_house import until
from tests.fakes.wechat_side import WeChatFarSide
from tests.fakes.wechat_users import Click, WeComUsers
from tests.serving import serving
from tests.test_kf import said, wrote

pytestmark = pytest.mark.sqlite
LI, FANG = "LiJianGuo", "wmINVENTEDcustomer0000001"


class Scene:
    """Both of them, and what each has read so far."""

    def __init__(self, far: WeChatFarSide, users: WeComUsers) -> None:
        self.far, self.users = far, users

    async def fang_writes(self, message: dict[str, Any]) -> None:
        message["send_time"] = int(SystemClock().now().timestamp())
        self.far.kf(message)
        assert (await self.users.kf(self.far.kf_token())).status == 200

    async def li_writes(self, text: str) -> str:
        """What comes back with the acknowledgement."""
        answer = await self.users.text(LI, text)
        assert answer.status == 200
        return str(answer.reply["Content"]) if answer.reply else ""

    async def li_taps(self, label: str) -> None:
        """The newest card that has such a button."""
        for call in reversed(self._sent("message/send", LI)):
            for button in call.get("template_card", {}).get("button_list", []):
                if button["text"] == label:
                    task = call["template_card"]["task_id"]
                    click = Click(task, button["key"], self.far.response_code())
                    tapped = await self.users.click(LI, click)
                    assert tapped.reply is not None
                    assert tapped.reply["MsgType"] == "update_button"
                    return
        pytest.fail(f"no card has a button {label}")

    async def reads(self, path: str, who: str, *words: str) -> dict[str, Any]:
        """Wait until somebody is sent one message with all these words; its body."""

        def found() -> list[dict[str, Any]]:
            return [body for body in self._sent(path, who) if all(word in str(body) for word in words)]

        try:
            await until(found, 15)
        except TimeoutError:
            pytest.fail(f"{who} was not told {words}, but: {self._sent(path, who)}")
        return found()[-1]

    async def li_reads(self, *words: str) -> dict[str, Any]:
        return await self.reads("message/send", LI, *words)

    async def fang_reads(self, *words: str) -> dict[str, Any]:
        return await self.reads("kf/send_msg", FANG, *words)

    def _sent(self, path: str, who: str) -> list[dict[str, Any]]:
        return [
            call.body for call in self.far.calls(path) if call.delivered and call.body.get("touser") == who
        ]


async def test_a_leak_is_told_claimed_mended_and_confirmed(wechat_far: WeChatFarSide, tmp_path: Path) -> None:
    settings = Settings(database_url=f"sqlite://{tmp_path}/data/linli.db", _env_file=None)  # type: ignore[call-arg]
    resident = await office.invite(settings, slug="xingfuli", role="resident", name="王芳", home="3-2-501")
    worker = await office.invite(settings, slug="xingfuli", role="staff", name="老李", trade="水电")
    wechat_far.members.add(LI)
    given = wechat_far.credentials.environment(wechat_far.base, ("wecom",))
    given |= {"LINLI_WECOM_KF": wechat_far.credentials.open_kfid}
    with serving(tmp_path, **given) as service:
        async with WeComUsers(service.address.rstrip("/")) as users:
            scene = Scene(wechat_far, users)
            await scene.fang_writes(said(resident))
            await scene.fang_reads("王芳", "3栋2单元501")
            assert "老李" in await scene.li_writes(worker)
            await scene.fang_writes(said("厨房水管漏水了，麻烦派人来看看"))
            await scene.fang_reads("已报修 #1", "3栋2单元501厨房")
            await scene.li_reads("'text'", "【新报修】#1", "接 1")
            await scene.li_reads("template_card", "【新报修】#1")
            await scene.li_taps("接单")
            await scene.li_reads("'text'", "#1 归您了")
            await scene.fang_reads("老李", "接了 #1")
            await scene.li_reads("template_card", "1 到了")
            await scene.li_taps("到了")
            await scene.fang_reads("老李", "到了", "#1")
            await scene.li_reads("template_card", "#1 记下了：处理中")
            await scene.li_taps("修好了")
            await scene.li_reads("已请住户确认")
            menu = await scene.fang_reads("msgmenu", "修好了")
            entry = menu["msgmenu"]["list"][0]["click"]
            await scene.fang_writes(wrote("text", content=entry["content"], menu_id=entry["id"]))
            await scene.li_reads("#1", "确认已解决")
            await scene.fang_reads("#1 已解决")
        assert service.stop() == 0
    assert wechat_far.unknown() == []
