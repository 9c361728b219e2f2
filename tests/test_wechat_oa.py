"""The Official Account through its real protocol: what followers write and get, what is refused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.app import House
from bot.channels.wechat_api import WeChatApi
from bot.channels.wechat_oa import OfficialAccount
from bot.channels.wechat_oa_table import read_table
from bot.domain import invites
from bot.domain.people import Role
from bot.messages import Button, Lane, Outgoing
from bot.outbox import State
from tests.fakes.wechat_house import Served, serving, until
from tests.fakes.wechat_post import Forged
from tests.fakes.wechat_side import Fault, WeChatFarSide
from tests.fakes.wechat_users import OaUsers

pytestmark = pytest.mark.sqlite
JPEG = b"\xff\xd8\xff\xe0" + b"picture of a leak"
FANG = "oFang_0123456789"


@pytest.fixture
async def served(wechat_far: WeChatFarSide, tmp_path: Path) -> AsyncIterator[Served]:
    async with serving(wechat_far, f"sqlite://{tmp_path}/linli.db", "oa") as found:
        yield found


@pytest.fixture
async def users(served: Served, wechat_far: WeChatFarSide) -> AsyncIterator[OaUsers]:
    async with OaUsers(served.url, far=wechat_far) as found:
        yield found


def account(house: House) -> OfficialAccount:
    channel = house.channels["wechat_oa"]
    assert isinstance(channel, OfficialAccount)
    return channel


def customs(far: WeChatFarSide) -> list[str]:
    """What arrived as customer service."""
    calls = far.calls("message/custom/send")
    return [str(call.body["text"]["content"]) for call in calls if call.delivered and "text" in call.body]


async def owe(served: Served, text: str, person: int | None = None, lane: Lane = Lane.ALERT) -> None:
    from bot import outbox

    now = served.house.clock.now()
    await served.house.store.run(
        lambda db: outbox.put(db, "wechat_oa", FANG, text, now=now, lane=lane, person_id=person)
    )
    served.house.delivery.wake()


async def states(served: Served) -> list[State]:
    return [State(row["state"]) for row in await served.rows("select state from outbox order by id")]


async def settled(served: Served, *wanted: State) -> None:
    async with asyncio.timeout(5):
        while await states(served) != list(wanted):
            await asyncio.sleep(0.01)


# ------------------------------------------------------------------------------ in


async def test_the_platform_tries_the_address(users: OaUsers) -> None:
    answer = await users.check()
    assert (answer.status, answer.text) == (200, answer.sent.plain)
    for forged in ("signature", "unsigned", "stale"):
        refused = await users.check(forged)
        assert refused.status == 401
        assert len(refused.text.splitlines()) == 1


@pytest.mark.parametrize(
    ("forged", "status"),
    [
        ("signature", 401),
        ("unsigned", 401),
        ("stale", 401),
        ("future", 401),
        ("tampered", 401),
        ("foreign_receiver", 401),
        ("plaintext", 400),
        ("malformed", 400),
    ],
)
async def test_what_is_not_from_the_platform_changes_nothing(
    users: OaUsers, served: Served, forged: Forged, status: int
) -> None:
    answer = await users.text(FANG, "厨房水管漏水了", forged)
    assert answer.status == status
    assert len(answer.text.splitlines()) == 1
    assert await served.rows("select * from inbox") == []
    assert sum(account(served.house).counters.items().values()) == 1


async def test_a_message_to_another_account_is_refused_once_ours_is_known(
    users: OaUsers, served: Served
) -> None:
    assert (await users.text(FANG, "你好")).status == 200
    assert (await users.text(FANG, "你好", "foreign_account")).status == 401
    assert len(await served.rows("select * from inbox")) == 1


async def test_too_large_a_body_is_refused(served: Served) -> None:
    async with aiohttp.ClientSession() as session:
        body = BytesIO(b"x" * (1024 * 1024 + 1))
        async with session.post(f"{served.url}/wechat/oa", data=body) as answer:
            assert answer.status == 413


async def test_the_answer_comes_with_the_acknowledgement(
    users: OaUsers, served: Served, wechat_far: WeChatFarSide
) -> None:
    await served.person("wechat_oa", FANG)
    answer = await users.text(FANG, "厨房水管漏水了")
    assert answer.reply is not None
    assert answer.reply["ToUserName"] == FANG
    assert answer.reply["FromUserName"] == wechat_far.credentials.oa_id
    assert answer.reply["Content"].startswith("已报修 #1：")
    for again in (await users.retried(answer), await users.replayed(answer)):
        assert again.status == 200
        assert again.reply is not None
        assert again.reply["Content"] == answer.reply["Content"]
    assert len(await served.rows("select * from ticket")) == 1
    assert await states(served) == [State.SENT]
    assert customs(wechat_far) == []


async def test_two_deliveries_at_once_are_one_message(users: OaUsers, served: Served) -> None:
    await served.person("wechat_oa", FANG)
    answers = await asyncio.gather(*(users.text(FANG, "厨房水管漏水了", msgid=77) for _ in range(8)))
    assert len({answer.reply["Content"] for answer in answers if answer.reply}) == 1
    assert all(answer.reply for answer in answers)
    assert len(await served.rows("select * from ticket")) == 1


async def test_an_answer_that_takes_too_long_comes_afterwards(
    users: OaUsers, served: Served, wechat_far: WeChatFarSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bot.channels import callback

    monkeypatch.setattr(callback, "IN_TIME", -1.0)
    answer = await users.text(FANG, "帮助")
    assert (answer.status, answer.text, answer.reply) == (200, "success", None)
    await until(lambda: customs(wechat_far))
    again = await users.retried(answer)
    assert again.reply is None
    await settled(served, State.SENT)
    assert len(customs(wechat_far)) == 1


async def test_what_cannot_be_kept_is_not_acknowledged(
    users: OaUsers, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def breaks(*_: object) -> None:
        raise OSError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(served.house.pipeline, "_handle", breaks)
        answer = await users.text(FANG, "帮助")
        assert (answer.status, answer.text) == (503, "not kept\n")
    assert (await users.retried(answer)).reply is not None


async def test_who_follows_is_welcomed_and_a_code_binds(users: OaUsers, served: Served) -> None:
    welcome = await users.event(FANG, "subscribe")
    assert welcome.reply is not None
    assert "小区助手" in welcome.reply["Content"]
    community = served.house.community("xingfuli")
    assert community is not None
    now = served.house.clock.now()
    code = await served.house.store.run(
        lambda db: invites.make(db, community.id, Role.RESIDENT, now, name="李奶奶", home=("3", "2", "501"))
    )
    bound = await users.event("oLi", "subscribe", f"qrscene_{code}")
    assert bound.reply is not None
    assert "李奶奶" in bound.reply["Content"]
    scanned = await users.event("oZhou", "SCAN", code)
    assert scanned.reply is not None
    assert "用过了" in scanned.reply["Content"]  # a code works once


async def test_who_leaves_is_not_written_to_until_they_are_back(users: OaUsers, served: Served) -> None:
    await served.person("wechat_oa", FANG)
    assert (await users.event(FANG, "unsubscribe")).text == "success"
    assert (await served.rows("select reachable from account"))[0]["reachable"] == 0
    await users.event(FANG, "subscribe")
    assert (await served.rows("select reachable from account"))[0]["reachable"] == 1


async def test_an_entry_of_the_menu_says_its_words(users: OaUsers, served: Served) -> None:
    await served.person("wechat_oa", FANG)
    answer = await users.event(FANG, "CLICK", "我要报修")
    assert answer.reply is not None
    assert "什么东西坏了" in answer.reply["Content"]
    assert (await users.event(FANG, "VIEW", "https://example.org")).text == "success"
    assert (await served.rows("select count(*) as n from inbox"))[0]["n"] == 1


async def test_voice_is_its_words_and_without_them_says_so(users: OaUsers, served: Served) -> None:
    await served.person("wechat_oa", FANG)
    spoken = await users.voice(FANG, "厨房水管漏水了。")
    assert spoken.reply is not None
    assert spoken.reply["Content"].startswith("已报修 #1：")
    silent = await users.voice(FANG)
    assert silent.reply is not None
    assert "文字" in silent.reply["Content"]


async def test_a_location_and_a_link_are_what_they_say(users: OaUsers, served: Served) -> None:
    await users.location(FANG, 31.2, 121.4, "幸福里3号楼")
    await users.link(FANG, "停水通知", "…", "https://example.org/a")
    texts = [row["text"] for row in await served.rows("select text from inbox order by id")]
    assert texts == ["幸福里3号楼", "停水通知 https://example.org/a"]


async def test_a_picture_is_kept(users: OaUsers, served: Served, wechat_far: WeChatFarSide) -> None:
    await served.person("wechat_oa", FANG)
    wechat_far.media("LEAK", JPEG)
    await users.text(FANG, "厨房水管漏水了")
    answer = await users.image(FANG, "LEAK")
    assert answer.reply is not None
    assert "#1" in answer.reply["Content"]
    (photo,) = await served.rows("select path, media_type from photo")
    assert (served.house.uploads / photo["path"]).read_bytes() == JPEG


async def test_a_picture_that_is_slow_keeps_nobody_waiting_and_comes_later(
    users: OaUsers, served: Served, wechat_far: WeChatFarSide, tmp_path: Path
) -> None:
    await served.person("wechat_oa", FANG)
    wechat_far.media("LEAK", JPEG)
    wechat_far.fault("media/get", "500", 1)
    await users.text(FANG, "厨房水管漏水了")
    answer = await users.image(FANG, "LEAK")
    assert answer.reply is not None
    (photo,) = await served.rows("select path from photo")
    await until((served.house.uploads / photo["path"]).exists)
    # and after a start: whatever is named and not there is fetched
    (served.house.uploads / photo["path"]).unlink()
    async with serving_again(served, wechat_far, tmp_path):
        await until((tmp_path / "uploads" / photo["path"]).exists)


def serving_again(served: Served, far: WeChatFarSide, folder: Path) -> Any:
    """A second life on a copy of the database."""
    from bot import office

    office.backup(served.house.settings, folder / "again.db")
    return serving(far, f"sqlite://{folder}/again.db", "oa")


# ----------------------------------------------------------------------------- out


async def test_alerts_go_as_customer_service_and_what_waits_goes_together(
    users: OaUsers, served: Served, wechat_far: WeChatFarSide
) -> None:
    person = await served.person("wechat_oa", FANG)
    await owe(served, "昨天的通知", person)
    await settled(served, State.KEPT)
    await owe(served, "今天的通知", person)
    await settled(served, State.KEPT, State.KEPT)
    assert customs(wechat_far) == []
    await users.text(FANG, "帮助")
    await until(lambda: customs(wechat_far))
    assert customs(wechat_far) == ["昨天的通知\n\n今天的通知"]
    await settled(served, State.SENT, State.SENT, State.SENT)


async def test_five_and_then_none_without_asking_the_platform(
    users: OaUsers, served: Served, wechat_far: WeChatFarSide
) -> None:
    person = await served.person("wechat_oa", FANG)
    await users.text(FANG, "帮助")
    for number in range(7):
        await owe(served, f"第{number}条", person)
        await settled(served, *[State.SENT] * min(number + 2, 6), *[State.KEPT] * max(0, number - 4))
    assert len(customs(wechat_far)) == 5
    assert all(call.errcode == 0 for call in wechat_far.calls("message/custom/send"))


async def test_a_long_text_is_cut_at_sentences(
    users: OaUsers, served: Served, wechat_far: WeChatFarSide
) -> None:
    await users.text(FANG, "帮助")
    text = "".join(f"第{n}句话说的是小区里的一件小事，大家都要知道。" for n in range(60))
    await account(served.house).send(Outgoing(1, "wechat_oa", FANG, text, buttons=(Button("接单", "接 1"),)))
    parts = customs(wechat_far)
    assert len(parts) > 1
    assert "".join(parts) == text
    assert all(len(part.encode()) <= 2048 and part.endswith("。") for part in parts)


@pytest.mark.parametrize(
    ("fault", "state", "tries"),
    [
        ("unsubscribed", State.FAILED, 1),
        ("refused", State.FAILED, 1),
        ("window", State.KEPT, 1),
        ("count", State.KEPT, 1),
        ("busy", State.SENT, 3),
        ("500", State.SENT, 3),
        ("502", State.SENT, 3),
        ("drop", State.SENT, 3),
        ("garbage", State.UNKNOWN, 1),
        ("token_expired", State.SENT, 2),
    ],
)
async def test_each_refusal_is_answered_as_it_means(
    users: OaUsers,
    served: Served,
    wechat_far: WeChatFarSide,
    fault: Fault,
    state: State,
    tries: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from bot import delivery

    monkeypatch.setattr(delivery, "BACKOFF", (0.01,) * 5)
    person = await served.person("wechat_oa", FANG)
    await users.text(FANG, "帮助")
    wechat_far.fault("message/custom/send", fault, tries - 1 if state is State.SENT else 9)
    await owe(served, "停水", person)
    await settled(served, State.SENT, state)
    assert len(wechat_far.calls("message/custom/send")) == tries


async def test_who_is_away_gets_the_accounts_own_notice(wechat_far: WeChatFarSide, tmp_path: Path) -> None:
    folder = with_channel(
        tmp_path,
        '[channels.wechat_oa.template]\nid = "TM1"\nfields = { thing1 = "{text}", time2 = "{time}" }\n'
        '[[channels.wechat_oa.menu]]\nname = "报修"\nsays = "我要报修"\n',
    )
    async with serving(wechat_far, f"sqlite://{tmp_path}/linli.db", "oa", community=folder) as served:
        person = await served.person("wechat_oa", FANG)
        wechat_far.spoke(FANG)
        await until(lambda: wechat_far.calls("menu/create"))
        (menu,) = wechat_far.calls("menu/create")
        assert menu.body["button"] == [{"type": "click", "name": "报修", "key": "我要报修"}]
        wechat_far.fault("message/template/send", "lost", 1)
        await owe(served, "明天上午停水，请提前储水。\n物业", person)
        await settled(served, State.SENT)
        first, second = wechat_far.calls("message/template/send")
        assert first.body["client_msg_id"] == second.body["client_msg_id"]
        assert first.body["data"]["thing1"] == {"value": "明天上午停水，请提前储水。"}
        assert [call.delivered for call in (first, second)] == [True, False]  # once is enough
        # and what the platform reports later is written down
        await owe(served, "停水取消", person)
        await settled(served, State.SENT, State.SENT)
        async with OaUsers(served.url) as users:
            receipt = (await served.rows("select receipt from outbox order by id desc"))[0]["receipt"]
            report: dict[str, Any] = {"MsgID": int(receipt), "Status": "failed:user block"}
            await users.event(FANG, "TEMPLATESENDJOBFINISH", **report)
        assert await states(served) == [State.SENT, State.FAILED]


def with_channel(folder: Path, table: str) -> Path:
    """The sample community, whose file says something to the channel."""
    sample = Path(__file__).parents[1] / "communities" / "xingfuli.toml"
    made = folder / "communities"
    made.mkdir()
    (made / "xingfuli.toml").write_text(sample.read_text(encoding="utf-8") + "\n" + table, encoding="utf-8")
    return made


@pytest.mark.parametrize(
    "table",
    [
        {"menus": []},
        {"menu": {}},
        {"menu": [{"name": "一"}] * 4},
        {"menu": [{"says": "报修"}]},
        {"menu": [{"name": "一个太长太长的按钮名字"}]},
        {"menu": [{"name": "更多", "items": [{"name": "一"}] * 6}]},
        {"template": {"id": "T"}},
        {"template": {"id": "T", "fields": {"thing1": "{who}"}}},
        {"template": {"id": "T", "fields": {"thing1": "{text}"}, "kind": "mass"}},
    ],
)
def test_what_the_community_says_to_the_account_is_checked(table: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"channels\.wechat_oa"):
        read_table(table)


# --------------------------------------------------------------------------- tokens


async def test_a_hundred_senders_and_an_expired_token_ask_for_one(
    served: Served, wechat_far: WeChatFarSide
) -> None:
    channel = account(served.house)
    names = [f"o{n}" for n in range(100)]
    for name in names:
        wechat_far.spoke(name)
    send = [Outgoing(n, "wechat_oa", name, "停水") for n, name in enumerate(names)]
    await asyncio.gather(*(channel.send(one) for one in send))
    assert len(wechat_far.calls("stable_token")) == 1
    wechat_far.expire_tokens()
    await asyncio.gather(*(channel.send(one) for one in send))
    assert len(wechat_far.calls("stable_token")) <= 3
    delivered = [call for call in wechat_far.calls("message/custom/send") if call.delivered]
    assert len(delivered) == 200


async def test_tokens_refused_for_good_are_not_asked_for_again_and_again(
    users: OaUsers, served: Served, wechat_far: WeChatFarSide
) -> None:
    person = await served.person("wechat_oa", FANG)
    await users.text(FANG, "帮助")
    wechat_far.fault("message/custom/send", "token_invalid", 1000)
    await owe(served, "停水", person)
    await asyncio.sleep(1.5)
    assert len(wechat_far.calls("stable_token")) <= 3
    assert len(wechat_far.calls()) <= 12
    assert await states(served) == [State.SENT, State.QUEUED]


async def test_a_token_ends_early_and_an_old_one_serves_while_there_is_no_new(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from bot.channels import wechat_api
    from bot.channels.wechat_api import NotSent, TokenStore

    now, fetched = 1000.0, 0

    async def fetch(forced: bool) -> tuple[str, float]:
        nonlocal fetched
        fetched += 1
        if fetched == 2:
            raise NotSent("away")
        return f"token-{fetched}", 7200.0

    monkeypatch.setattr(wechat_api, "_now", lambda: now)
    tokens = TokenStore(fetch)
    assert await tokens.get() == "token-1"
    now += 6800.0
    assert await tokens.get() == "token-1"
    now += 150.0  # within five minutes of its end
    assert await tokens.get() == "token-1"  # asked, and nobody was there
    assert await tokens.get() == "token-1"
    assert fetched == 2
    now += 20.0
    assert await tokens.get() == "token-3"


# ------------------------------------------------------------------- the platform is away


async def test_it_opens_without_the_platform_and_goes_on_when_that_is_back(
    wechat_far: WeChatFarSide, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bot import delivery

    monkeypatch.setattr(delivery, "BACKOFF", (0.05,) * 5)
    await wechat_far.stop()
    async with serving(wechat_far, f"sqlite://{tmp_path}/linli.db", "oa") as served:
        person = await served.person("wechat_oa", FANG)
        assert "公众号" in await account(served.house).probe()
        async with OaUsers(served.url, far=wechat_far) as users:
            assert (await users.text(FANG, "厨房水管漏水了")).reply is not None
            await owe(served, "停水", person)
            await asyncio.sleep(0.2)
            assert (await states(served))[-1] is State.QUEUED
            await wechat_far.start()
            await settled(served, State.SENT, State.SENT)
            assert await account(served.house).probe() == ""


async def test_only_the_configured_platform_is_called() -> None:
    api = WeChatApi("https://qyapi.weixin.qq.com")
    assert api.owns("https://qyapi.weixin.qq.com/cgi-bin/aibot/response?response_code=1")
    for url in (
        "http://qyapi.weixin.qq.com/x",
        "https://qyapi.weixin.qq.com.evil.example/x",
        "https://qyapi.weixin.qq.com@evil.example/x",
        "https://127.0.0.1/x",
        "file:///etc/passwd",
        "",
    ):
        assert not api.owns(url)


async def test_one_chat_that_hangs_keeps_no_other_waiting(
    users: OaUsers, served: Served, wechat_far: WeChatFarSide
) -> None:
    """The call for one follower is not answered for three seconds; the other's goes out meanwhile."""
    from bot import outbox

    await users.text(FANG, "帮助")
    await users.text("oLi", "帮助")
    wechat_far.fault("message/custom/send", "hang", 1, body=FANG)
    await owe(served, "停水")
    await until(lambda: wechat_far.calls("message/custom/send"))
    now = served.house.clock.now()
    await served.house.store.run(
        lambda db: outbox.put(db, "wechat_oa", "oLi", "停水", now=now, lane=Lane.ALERT)
    )
    served.house.delivery.wake()
    await until(lambda: customs(wechat_far))
    calls = wechat_far.calls("message/custom/send")
    assert [call.body["touser"] for call in calls if call.delivered] == ["oLi"]
