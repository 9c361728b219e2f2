"""`linli doctor` goes round the doors: how each platform answers, what would open a door, what was lost."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot import app, check, outbox
from bot.app import House
from bot.channels.web import WebChannel
from bot.channels.wechat_oa import OfficialAccount
from bot.channels.wecom_groups import CustomerGroups
from bot.check import examine
from bot.clock import SystemClock
from bot.config import Settings
from bot.doors import DOORS, Misconfigured, open_doors
from bot.outbox import State
from tests.fakes.wechat import FakeWeChat
from tests.fakes.wechat_credentials import NOBODY
from tests.fakes.wechat_side import WeChatFarSide
from tests.house import _MINDS, open_house

pytestmark = pytest.mark.sqlite

SECRETS = {
    "wechat_oa_app_id": NOBODY.oa_app_id,
    "wechat_oa_app_secret": NOBODY.oa_app_secret,
    "wechat_oa_token": NOBODY.oa_token,
    "wechat_oa_aes_key": NOBODY.oa_aes_key,
    "wecom_corp_id": NOBODY.corp_id,
    "wecom_secret": NOBODY.wecom_secret,
    "wecom_customer_groups": "ChenBanZhang, LiJianGuo",
}


@pytest.fixture(autouse=True)
def _files_are_sound(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading all rules takes a second and is not what these are about."""

    async def none(_: Settings) -> list[str]:
        return []

    monkeypatch.setattr(check, "faults", none)
    monkeypatch.setattr(app, "Understanding", _MINDS)


def settings(folder: Path, base: str = "http://127.0.0.1:9", **given: Any) -> Settings:
    bases = {"wechat_api_base": base, "wecom_api_base": base}
    values: dict[str, Any] = {"database_url": f"sqlite://{folder}/linli.db"} | bases | given
    return Settings(_env_file=None, **values)  # type: ignore[call-arg]


async def lines(given: Settings) -> dict[str, str]:
    """What the doctor says, by the door that each line is about."""
    said = await examine(given)
    assert all(line[:2] in ("✓ ", "✗ ") and "\n" not in line for line in said)
    names = ["网页聊天", "近 24 小时", *(door.called for door in DOORS)]
    return {name: next(line for line in said if line[2:].startswith(name)) for name in names}


async def test_every_door_that_is_closed_says_what_would_open_it(tmp_path: Path) -> None:
    said = await lines(settings(tmp_path))
    assert said["网页聊天"] == "✓ 网页聊天正常"
    for door in DOORS:
        assert said[door.called].replace(" ", "").startswith(f"✓{door.called}没有开通")
        for name in door.needs:
            assert f"LINLI_{name}" in said[door.called]
            assert name.lower() in Settings.model_fields


async def test_doors_that_answer_say_what_to_paste_at_the_platform(
    wechat_far: WeChatFarSide, tmp_path: Path
) -> None:
    public = "https://linli.example.cn/"
    said = await lines(settings(tmp_path, wechat_far.base, public_url=public, **SECRETS))
    assert said["公众号"] == "✓ 公众号正常；平台后台的回调地址填 https://linli.example.cn/wechat/oa"
    assert said["客户群通知"] == "✓ 客户群通知正常"
    said = await lines(settings(tmp_path, wechat_far.base, **SECRETS))
    assert said["公众号"].startswith("✓ 公众号正常；")
    assert "/wechat/oa" in said["公众号"]
    assert "LINLI_PUBLIC_URL" in said["公众号"]
    said = await lines(settings(tmp_path, wechat_far.base, public_url="linli.example.cn", **SECRETS))
    assert "https://" in said["公众号"]


@pytest.mark.parametrize(
    ("changed", "door", "setting"),
    [
        ("wechat_oa_app_secret", "公众号", "LINLI_WECHAT_OA_APP_SECRET"),
        ("wecom_secret", "客户群通知", "LINLI_WECOM_SECRET"),
        ("wecom_corp_id", "客户群通知", "LINLI_WECOM_CORP_ID"),
    ],
)
async def test_a_wrong_credential_is_named_by_its_setting(
    wechat_far: WeChatFarSide, tmp_path: Path, changed: str, door: str, setting: str
) -> None:
    said = await lines(settings(tmp_path, wechat_far.base, **(SECRETS | {changed: "not-the-one"})))
    assert said[door].startswith("✗ ")
    assert setting in said[door]
    others = [line for name, line in said.items() if name != door]
    assert all(line.startswith("✓ ") for line in others)


async def test_an_address_that_is_not_let_in(wechat_far: WeChatFarSide, tmp_path: Path) -> None:
    wechat_far.fault("stable_token", "ip")
    wechat_far.fault("gettoken", "ip")
    said = await lines(settings(tmp_path, wechat_far.base, **SECRETS))
    assert "IP 白名单" in said["公众号"]
    assert "可信 IP" in said["客户群通知"]


async def test_orders_that_the_app_may_not_read(tmp_path: Path) -> None:
    far = FakeWeChat()
    await far.start()
    try:
        given = settings(tmp_path, far.base, wecom_residents=True, **SECRETS)
        assert (await lines(given))["居民上报"] == "✓ 居民上报正常"
        far.fault("report/resident/get_order_list", "forbidden")
        assert "可调用接口的应用" in (await lines(given))["居民上报"]
    finally:
        await far.stop()


async def test_a_platform_that_is_away(tmp_path: Path) -> None:
    said = await lines(settings(tmp_path, wecom_residents=True, **SECRETS))
    for door in ("公众号", "居民上报", "客户群通知"):
        assert said[door].startswith(f"✗ {door}：连不上")
        assert "检查网络" in said[door]


async def test_half_a_door_is_one_line_and_the_others_go_on(
    wechat_far: WeChatFarSide, tmp_path: Path
) -> None:
    given = {name: value for name, value in SECRETS.items() if name != "wechat_oa_aes_key"}
    said = await lines(settings(tmp_path, wechat_far.base, **given))
    assert said["公众号"] == "✗ 公众号的设置不全，还差 LINLI_WECHAT_OA_AES_KEY"
    assert said["客户群通知"] == "✓ 客户群通知正常"
    said = await lines(settings(tmp_path, wecom_residents=True, wecom_corp_id="ww1"))
    assert said["居民上报"] == "✗ 居民上报的设置不全，还差 LINLI_WECOM_SECRET"


async def test_the_service_does_not_start_with_half_a_door(tmp_path: Path) -> None:
    house = House(settings(tmp_path, wecom_residents=True))
    await house.open()
    try:
        with pytest.raises(Misconfigured, match="LINLI_WECOM_CORP_ID、LINLI_WECOM_SECRET"):
            open_doors(house, demo_people=False)
    finally:
        await house.close()


async def test_who_never_answers_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All at once: three that hang take as long as one."""
    hanging: list[object] = []

    async def hang(channel: object) -> str:
        hanging.append(channel)
        await asyncio.Event().wait()
        return ""

    monkeypatch.setattr(check, "ANSWERS", 0.1)
    for kind in (WebChannel, OfficialAccount, CustomerGroups):
        monkeypatch.setattr(kind, "probe", hang)
    async with asyncio.timeout(5):
        said = await lines(settings(tmp_path, **SECRETS))
    assert len(hanging) == 3
    for door in ("网页聊天", "公众号", "客户群通知"):
        assert said[door].startswith(f"✗ {door}：")
        assert "没有回应" in said[door]


async def test_what_did_not_arrive_is_counted_with_what_to_do(tmp_path: Path) -> None:
    house = await open_house(f"sqlite://{tmp_path}/linli.db")
    now = SystemClock().now()
    ended = [
        *[(State.FAILED, "43004 对方没有关注", 0.0)] * 3,
        *[(State.FAILED, "gave up after 5 tries: 平台暂时出错", 1.0)] * 2,
        (State.FAILED, "channel wecom is not configured", 1.0),
        (State.FAILED, "40058 rare", 1.0),
        (State.FAILED, "long ago", 25.0),
        (State.UNKNOWN, "平台没有及时回答，可能已送达", 2.0),
        *[(State.KEPT, "the platform's window is shut", 3.0)] * 2,
        (State.SENT, "", 0.0),
    ]
    try:
        for state, reason, hours in ended:

            async def owe(db: Any, state: State = state, reason: str = reason, hours: float = hours) -> None:
                row = await outbox.put(db, "wechat_oa", "o", "x", now=now)
                assert row is not None
                await outbox.end(db, row, state, now=now - timedelta(hours=hours), reason=reason)

            await house.store.run(owe)
    finally:
        await house.close()
    said = [line for line in await examine(settings(tmp_path)) if "24 小时" in line]
    assert said[0].startswith(
        "✗ 近 24 小时没送到 7 条：43004 对方没有关注（3）、试了 5 次：平台暂时出错（2）、40058 rare（1）等；"
    )
    assert said[1].startswith("✗ 近 24 小时不知道到没到 1 条：")
    assert said[2].startswith("✓ 近 24 小时留着等对方先说话 2 条：对方 48 小时内没说过话（2）；")
    assert len(said) == 3


async def test_a_door_that_a_try_would_harm_is_not_tried_and_says_so(
    tmp_path: Path, wechat_far: WeChatFarSide
) -> None:
    given = wechat_far.credentials.environment(wechat_far.base, ("aibot", "gateway", "webhook"))
    named = {name.removeprefix("LINLI_").lower(): value for name, value in given.items()}
    said = await lines(settings(tmp_path, **named))
    for name in ("智能机器人", "群机器人"):
        assert said[name].startswith(f"✓ {name}的设置齐了")
        assert "所以不试" in said[name]
    assert wechat_far.calls() == []
