"""微信客服 through its real protocol: it rings, we fetch, and answer within what each message allows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from bot import outbox
from bot.channels import wecom_kf
from bot.channels.base import PermanentFailure, RetryLater, UnknownOutcome
from bot.channels.wecom_kf import CustomerService, has_menu
from bot.clock import SystemClock
from bot.domain import invites
from bot.domain.people import Role
from bot.doors import Misconfigured
from bot.messages import Button, Lane, Outgoing, Photo
from bot.outbox import State
from tests.fakes.wechat import FakeWeChat
from tests.fakes.wechat_credentials import NOBODY
from tests.fakes.wechat_house import Served, serving, until
from tests.fakes.wechat_side import Call, WeChatFarSide, needs
from tests.fakes.wechat_users import WeComUsers

pytestmark = pytest.mark.sqlite
JPEG = b"\xff\xd8\xff\xe0" + b"picture of a leak"
DESK, FANG = NOBODY.open_kfid, "wmINVENTEDcustomer0000001"
_NUMBERS = count(1)


def door(far: WeChatFarSide, folder: Path, **more: Any) -> AbstractAsyncContextManager[Served]:
    return serving(far, f"sqlite://{folder}/linli.db", "wecom", **({"wecom_kf": DESK} | more))


@pytest.fixture
async def served(wechat_far: WeChatFarSide, tmp_path: Path) -> AsyncIterator[Served]:
    async with door(wechat_far, tmp_path) as found:
        await until(lambda: wechat_far.calls("kf/sync_msg"))
        yield found


@pytest.fixture
async def users(served: Served) -> AsyncIterator[WeComUsers]:
    async with WeComUsers(served.url) as found:
        yield found


def service(served: Served) -> CustomerService:
    channel = served.house.channels["kf"]
    assert isinstance(channel, CustomerService)
    return channel


def now() -> int:
    return int(SystemClock().now().timestamp())


def wrote(kind: str = "text", customer: str = FANG, **inside: Any) -> dict[str, Any]:
    return {
        "msgid": f"4kInvented{next(_NUMBERS)}",
        "open_kfid": DESK,
        "external_userid": customer,
        "send_time": now(),
        "origin": 3,
        "msgtype": kind,
        kind: inside,
    }


def said(text: str, customer: str = FANG) -> dict[str, Any]:
    return wrote("text", customer, content=text)


def happened(kind: str, **inside: Any) -> dict[str, Any]:
    event = {"event_type": kind, "open_kfid": DESK, "external_userid": FANG} | inside
    return {
        "msgid": f"4kInvented{next(_NUMBERS)}",
        "open_kfid": DESK,  # which only a pretended platform needs here
        "send_time": now(),
        "origin": 4,
        "msgtype": "event",
        "event": event,
    }


async def ring(users: WeComUsers, far: WeChatFarSide, *messages: dict[str, Any]) -> None:
    """The messages are there, and the platform says so."""
    far.kf(*messages)
    assert (await users.kf(far.kf_token())).status == 200


def sent(far: WeChatFarSide, customer: str = FANG) -> list[Call]:
    return [
        call for call in far.calls("kf/send_msg") if call.delivered and call.body.get("touser") == customer
    ]


def words(call: Call) -> str:
    body = call.body
    return str(body["msgmenu"]["head_content"] if "msgmenu" in body else body["text"]["content"])


async def heard(served: Served) -> list[str]:
    return [row["text"] for row in await served.rows("select text from inbox order by id")]


async def comes(served: Served, *texts: str) -> None:
    """Wait until exactly these were heard."""
    async with asyncio.timeout(5):
        while await heard(served) != list(texts):
            await asyncio.sleep(0.01)


async def states(served: Served, *wanted: State) -> None:
    async with asyncio.timeout(5):
        while [
            State(row["state"]) for row in await served.rows("select state from outbox order by id")
        ] != list(wanted):
            await asyncio.sleep(0.01)


# ------------------------------------------------------------------------------ in


async def test_a_customer_writes_and_is_answered(
    users: WeComUsers, served: Served, wechat_far: WeChatFarSide
) -> None:
    await served.person("kf", FANG)
    await ring(users, wechat_far, said("厨房水管漏水了"))
    await until(lambda: sent(wechat_far))
    (answer,) = sent(wechat_far)
    assert words(answer).startswith("已报修 #1：")
    assert answer.body["open_kfid"] == DESK
    assert 0 < len(answer.body["msgid"]) <= 32
    token = wechat_far.calls("kf/sync_msg")[-1].body["token"]
    assert token
    await users.kf(token)  # the platform repeats itself
    await until(lambda: len(wechat_far.calls("kf/sync_msg")) > 2)
    await comes(served, "厨房水管漏水了")
    assert wechat_far.unknown() == []


async def test_pages_are_read_in_order_and_only_once(wechat_far: WeChatFarSide, tmp_path: Path) -> None:
    if isinstance(wechat_far, FakeWeChat):
        wechat_far.desk.page = 2
    async with door(wechat_far, tmp_path) as served, WeComUsers(served.url) as users:
        await until(lambda: wechat_far.calls("kf/sync_msg"))
        wechat_far.kf(said("帮助"), happened("user_recall_msg"), {"open_kfid": DESK}, said("帮助一下"))
        await ring(users, wechat_far, said("你好"))
        await comes(served, "帮助", "帮助一下", "你好")
    # nothing rings while we are away; the platform keeps it
    wechat_far.kf(said("还在吗"))
    async with door(wechat_far, tmp_path) as served:
        await comes(served, "帮助", "帮助一下", "你好", "还在吗")
        cursors = [call.body["cursor"] for call in wechat_far.calls("kf/sync_msg")]
        assert cursors == sorted(cursors)


async def test_what_could_not_be_kept_is_fetched_again(
    users: WeComUsers, served: Served, wechat_far: WeChatFarSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    handle = served.house.pipeline._handle
    tries: list[str] = []

    async def breaks(message: Any) -> Any:
        tries.append(message.text)
        if len(tries) == 2:
            raise OSError("the disk is full")
        return await handle(message)

    monkeypatch.setattr(served.house.pipeline, "_handle", breaks)
    monkeypatch.setattr("bot.channels.pace.Patience.FIRST", 0.01)
    await ring(users, wechat_far, said("帮助"), said("你好"))
    await comes(served, "帮助", "你好")
    assert tries == ["帮助", "你好", "帮助", "你好"]


@pytest.mark.parametrize("fault", ["500", "busy", "drop"])
async def test_a_platform_that_is_away_is_asked_again(
    users: WeComUsers, served: Served, wechat_far: WeChatFarSide, monkeypatch: pytest.MonkeyPatch, fault: Any
) -> None:
    monkeypatch.setattr("bot.channels.pace.Patience.FIRST", 0.01)
    wechat_far.fault("kf/sync_msg", fault, 2)
    await ring(users, wechat_far, said("你好"))
    await comes(served, "你好")
    assert await service(served).probe() == ""


async def test_a_token_too_old_and_a_cursor_unknown_are_done_without(
    users: WeComUsers, served: Served, wechat_far: WeChatFarSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs(wechat_far, "kf_rules")
    monkeypatch.setattr(wecom_kf, "SLOWLY", 0.01)
    await comes(served)
    await served.house.desk("kf").keep_bookmark(f"kf:{DESK}", "nonsense")
    old = wechat_far.kf_token()
    wechat_far.forward(601)
    wechat_far.kf(said("你好"))
    await users.kf(old)
    await comes(served, "你好")


async def test_what_was_written_before_we_were_there_is_not_for_us(
    wechat_far: WeChatFarSide, tmp_path: Path
) -> None:
    wechat_far.kf(said("上个月的事") | {"send_time": now() - 7200}, said("刚才的事"))
    async with door(wechat_far, tmp_path) as served:
        await comes(served, "刚才的事")
        assert service(served).counters.items() == {"before our time": 1}


async def test_a_picture_is_kept(users: WeComUsers, served: Served, wechat_far: WeChatFarSide) -> None:
    await served.person("kf", FANG)
    wechat_far.media("LEAK", JPEG)
    await ring(users, wechat_far, said("厨房水管漏水了"), wrote("image", media_id="LEAK"))
    async with asyncio.timeout(5):
        while not (photos := await served.rows("select path from photo")):
            await asyncio.sleep(0.01)
    (photo,) = photos
    assert (served.house.uploads / photo["path"]).read_bytes() == JPEG


async def test_another_customer_service_is_not_ours(users: WeComUsers, served: Served) -> None:
    assert (await users.kf("ENC", "wkOfSomebodyElse")).status == 200
    assert service(served).counters.items() == {"another customer service": 1}


# ----------------------------------------------------------------------------- out


async def test_who_comes_in_is_greeted_by_the_events_code(
    users: WeComUsers, served: Served, wechat_far: WeChatFarSide
) -> None:
    needs(wechat_far, "kf_rules")
    await ring(users, wechat_far, happened("enter_session", welcome_code=wechat_far.welcome_code()))
    await until(lambda: wechat_far.calls("kf/send_msg_on_event"))
    (call,) = wechat_far.calls("kf/send_msg_on_event")
    assert call.delivered
    assert "小区助手" in words(call)
    await states(served, State.SENT)
    assert wechat_far.calls("kf/send_msg") == []


async def test_a_link_with_an_invite_code_binds(
    users: WeComUsers, served: Served, wechat_far: WeChatFarSide
) -> None:
    needs(wechat_far, "kf_rules")
    community = served.house.community("xingfuli")
    assert community is not None
    at = served.house.clock.now()
    code = await served.house.store.run(
        lambda db: invites.make(db, community.id, Role.RESIDENT, at, name="李奶奶", home=("3", "2", "501"))
    )
    entered = happened("enter_session", welcome_code=wechat_far.welcome_code(), scene_param=code)
    await ring(users, wechat_far, entered)
    await until(lambda: wechat_far.calls("kf/send_msg_on_event"))
    assert "李奶奶" in words(wechat_far.calls("kf/send_msg_on_event")[0])


async def test_a_greeting_that_comes_too_late_waits_for_a_word(
    users: WeComUsers, served: Served, wechat_far: WeChatFarSide
) -> None:
    needs(wechat_far, "kf_rules")
    await ring(users, wechat_far, happened("enter_session", welcome_code="spent"))
    await states(served, State.KEPT)
    await ring(users, wechat_far, said("在吗"))
    await states(served, State.SENT, State.SENT)
    assert len(sent(wechat_far)) == 1  # both in one


async def test_five_and_then_none_without_asking_the_platform(
    users: WeComUsers, served: Served, wechat_far: WeChatFarSide
) -> None:
    person = await served.person("kf", FANG)
    await ring(users, wechat_far, said("帮助"))
    await states(served, State.SENT)
    for number in range(6):
        await owe(served, f"第{number}条", person)
        await states(served, *[State.SENT] * min(number + 2, 5), *[State.KEPT] * max(0, number - 3))
    assert len(sent(wechat_far)) == 5
    assert all(call.errcode == 0 for call in wechat_far.calls("kf/send_msg"))


async def owe(served: Served, text: str, person: int | None = None) -> None:
    at = served.house.clock.now()
    await served.house.store.run(
        lambda db: outbox.put(db, "kf", FANG, text, now=at, lane=Lane.ALERT, person_id=person)
    )
    served.house.delivery.wake()


async def test_what_was_taken_and_not_delivered_is_written_down(
    users: WeComUsers, served: Served, wechat_far: WeChatFarSide
) -> None:
    await ring(users, wechat_far, said("帮助"))
    await states(served, State.SENT)
    (answer,) = sent(wechat_far)
    await ring(users, wechat_far, happened("msg_send_fail", fail_msgid=answer.body["msgid"], fail_type=10))
    await states(served, State.FAILED)
    (row,) = await served.rows("select o.reason, a.reachable from outbox o, account a")
    assert row == {"reason": "对方拒收", "reachable": 0}


async def test_choices_are_a_menu_and_a_tap_says_its_words(
    users: WeComUsers, served: Served, wechat_far: WeChatFarSide
) -> None:
    await served.person("kf", FANG)
    await ring(users, wechat_far, said("帮助"))
    await until(lambda: sent(wechat_far))
    choices = (Button("好了", "#1 修好了，没问题了"), Button("还没好", "#1 还没修好"))
    await service(served).send(
        Outgoing(9, "kf", FANG, "好了吗？1 好了 2 还没好", buttons=choices, token=DESK)
    )
    menu = sent(wechat_far)[-1].body["msgmenu"]
    assert menu["head_content"] == "好了吗？1 好了 2 还没好"
    tapped = menu["list"][1]["click"]
    await ring(users, wechat_far, wrote("text", content=tapped["content"], menu_id=tapped["id"]))
    await comes(served, "帮助", "#1 还没修好")
    assert not has_menu(Outgoing(9, "kf", FANG, "长" * 400, buttons=choices))  # its words must not be cut
    assert not has_menu(Outgoing(9, "kf", FANG, "短", buttons=(Button("长", "长" * 21),)))


async def test_a_long_text_and_a_picture_go_as_several(
    users: WeComUsers, served: Served, wechat_far: WeChatFarSide
) -> None:
    await ring(users, wechat_far, said("帮助"))
    await until(lambda: sent(wechat_far))
    (served.house.uploads / "leak.jpg").write_bytes(JPEG)
    photos = (Photo("leak.jpg", "image/jpeg"),)
    text = "停水的事。" * 200
    assert await service(served).send(Outgoing(9, "kf", FANG, text, photos=photos, token=DESK))
    calls = sent(wechat_far)[1:]
    assert [call.body["msgtype"] for call in calls] == ["text", "text", "image"]
    assert "".join(words(call) for call in calls[:2]) == text
    assert len({call.body["msgid"] for call in calls}) == 3


@pytest.mark.parametrize(
    ("fault", "lane", "meant"),
    [
        ("drop", Lane.REPLY, RetryLater),
        ("garbage", Lane.REPLY, RetryLater),
        ("garbage", Lane.NOTICE, UnknownOutcome),
        ("500", Lane.NOTICE, RetryLater),
        ("forbidden", Lane.REPLY, PermanentFailure),
    ],
)
async def test_each_failure_is_what_it_means(
    served: Served, wechat_far: WeChatFarSide, fault: Any, lane: Lane, meant: type[Exception]
) -> None:
    wechat_far.fault("kf/send_msg", fault, 1)
    with pytest.raises(meant):
        await service(served).send(Outgoing(9, "kf", FANG, "停水", lane, token=DESK))


async def test_no_name_of_a_message_is_used_in_another_life_of_the_database(
    wechat_far: WeChatFarSide, tmp_path: Path
) -> None:
    names = []
    for life in ("one", "two"):
        folder = tmp_path / life
        folder.mkdir()
        async with door(wechat_far, folder) as served:
            wechat_far.kf(said("帮助"))
            await service(served).send(Outgoing(1, "kf", FANG, "停水", token=DESK))
            names.append(wechat_far.calls("kf/send_msg")[-1].body["msgid"])
    assert len(set(names)) == 2


# ------------------------------------------------------------------------- settings


async def test_the_administrator_is_told_what_to_do(wechat_far: WeChatFarSide, tmp_path: Path) -> None:
    wechat_far.fault("kf/sync_msg", "forbidden", 99)
    async with door(wechat_far, tmp_path) as served:
        async with asyncio.timeout(5):
            while not (told := await service(served).probe()):
                await asyncio.sleep(0.01)
        assert DESK in told
        assert "可调用接口的应用" in told


@pytest.mark.parametrize(
    ("parts", "more", "told"),
    [
        ((), {"wecom_kf": DESK}, "LINLI_WECOM_CORP_ID"),
        (("wecom",), {"wecom_agent_id": "app-1"}, "LINLI_WECOM_AGENT_ID"),
        (("wecom",), {"wecom_token": None}, "LINLI_WECOM_TOKEN"),
        (("wecom",), {"wecom_aes_key": "short"}, "EncodingAESKey"),
    ],
)
async def test_a_door_that_cannot_be_opened_says_why(
    wechat_far: WeChatFarSide, tmp_path: Path, parts: tuple[str, ...], more: dict[str, Any], told: str
) -> None:
    with pytest.raises(Misconfigured, match=told):
        async with serving(wechat_far, f"sqlite://{tmp_path}/linli.db", *parts, **more):
            pass
