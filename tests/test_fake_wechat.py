"""The pretended WeChat keeps the platforms' rules, here and beside the repository."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from tests.fakes.wechat_credentials import NOBODY, gateway_of
from tests.fakes.wechat_envelope import decrypted
from tests.fakes.wechat_side import Fault, WeChatFarSide, needs

HOUR = 3600
APP = {"grant_type": "client_credential", "appid": NOBODY.oa_app_id, "secret": NOBODY.oa_app_secret}
CORP = {"corpid": NOBODY.corp_id, "corpsecret": NOBODY.wecom_secret}
TEXT = {"msgtype": "text", "text": {"content": "已报修"}}


class Client:
    """Just enough of one to ask."""

    def __init__(self, far: WeChatFarSide, session: aiohttp.ClientSession) -> None:
        self.far, self.session = far, session

    async def ask(self, path: str, body: object = None, **query: str) -> dict[str, Any]:
        url = self.far.base + ("/" if path.startswith("wxa/") else "/cgi-bin/") + path
        method = "GET" if body is None else "POST"
        async with self.session.request(method, url, params=query, json=body) as answer:
            found: dict[str, Any] = await answer.json(content_type=None)
            return found

    async def oa(self, path: str, body: object = None, **query: str) -> int:
        token = (await self.ask("stable_token", APP))["access_token"]
        return int((await self.ask(path, body, access_token=token, **query)).get("errcode", 0))

    async def work(self, path: str, body: object = None, **query: str) -> dict[str, Any]:
        token = (await self.ask("gettoken", **CORP))["access_token"]
        return await self.ask(path, body, access_token=token, **query)

    async def tell(self, openid: str = "oFang") -> int:
        return await self.oa("message/custom/send", {"touser": openid} | TEXT)

    async def app(self, user: str = "li", **more: object) -> dict[str, Any]:
        return await self.work("message/send", {"touser": user, "agentid": NOBODY.agent_id} | TEXT | more)


@pytest.fixture
async def client(wechat_far: WeChatFarSide) -> AsyncIterator[Client]:
    async with aiohttp.ClientSession() as session:
        yield Client(wechat_far, session)


# -- tokens


async def test_the_stable_token_stays_until_it_is_forced(client: Client) -> None:
    first = (await client.ask("stable_token", APP))["access_token"]
    assert len(first) > 40 and (await client.ask("stable_token", APP))["access_token"] == first
    second = (await client.ask("stable_token", APP | {"force_refresh": True}))["access_token"]
    assert second != first
    assert (await client.ask("menu/create", {"button": []}, access_token=first))["errcode"] == 40001
    assert (await client.ask("stable_token", APP | {"force_refresh": True}))["errcode"] == 45009
    client.far.forward(31)
    assert (await client.ask("stable_token", APP | {"force_refresh": True}))["access_token"] not in (
        first,
        second,
    )


async def test_near_its_end_the_old_stable_token_is_good_beside_the_new_one(client: Client) -> None:
    client.far.spoke("oFang")
    first = (await client.ask("stable_token", APP))["access_token"]
    client.far.forward(7200 - 240)
    second = (await client.ask("stable_token", APP))["access_token"]
    assert second != first
    for token in (first, second):
        answer = await client.ask("message/custom/send", {"touser": "oFang"} | TEXT, access_token=token)
        assert answer["errcode"] == 0


async def test_tokens_expire(client: Client) -> None:
    oa = (await client.ask("stable_token", APP))["access_token"]
    work = (await client.ask("gettoken", **CORP))["access_token"]
    assert (await client.ask("gettoken", **CORP))["access_token"] == work
    client.far.expire_tokens()
    assert (await client.ask("user/info", openid="oFang", access_token=oa))["errcode"] == 42001
    assert (await client.ask("user/get", userid="li", access_token=work))["errcode"] == 42001
    assert (await client.ask("user/get", userid="li", access_token=oa))["errcode"] == 40014
    assert (await client.ask("user/get", userid="li"))["errcode"] == 41001
    assert (await client.ask("gettoken", **CORP))["access_token"] != work


async def test_a_token_is_forced_twenty_times_a_day(client: Client) -> None:
    needs(client.far, "token_rules")
    codes = []
    for _ in range(21):
        codes.append((await client.ask("stable_token", APP | {"force_refresh": True})).get("errcode", 0))
        client.far.forward(31)
    assert codes == [0] * 20 + [45009]


async def test_wrong_credentials_get_no_token(client: Client) -> None:
    assert (await client.ask("stable_token", APP | {"secret": "x"}))["errcode"] == 40125
    assert (await client.ask("gettoken", **(CORP | {"corpsecret": "x"})))["errcode"] == 40001


# -- windows


async def test_a_message_opens_five_answers_for_two_days(client: Client) -> None:
    assert await client.tell() == 40003
    client.far.spoke("oFang")
    assert [await client.tell() for _ in range(6)] == [0, 0, 0, 0, 0, 45047]
    client.far.spoke("oFang")
    client.far.forward(48 * HOUR + 1)
    assert await client.tell() == 45015


async def test_a_click_opens_three_for_a_minute(client: Client) -> None:
    client.far.acted("oFang")
    assert [await client.tell() for _ in range(4)] == [0, 0, 0, 45047]
    client.far.acted("oFang")
    client.far.forward(61)
    assert await client.tell() == 45015


async def test_a_click_adds_to_what_a_message_opened(client: Client) -> None:
    needs(client.far, "allotments")
    client.far.spoke("oFang")
    client.far.acted("oFang")
    assert [await client.tell() for _ in range(9)] == [0] * 8 + [45047]


async def test_who_left_is_not_written_to(client: Client) -> None:
    client.far.spoke("oFang")
    client.far.left("oFang")
    assert await client.tell() == 45015
    notice = {"touser": "oFang", "template_id": "T1", "data": {"thing1": {"value": "停水"}}}
    assert await client.oa("message/template/send", notice) == 43004


async def test_bytes_are_counted(client: Client) -> None:
    client.far.spoke("oFang")
    for text, code in (("水" * 682, 0), ("水" * 683, 45002)):
        body = {"touser": "oFang", "msgtype": "text", "text": {"content": text}}
        assert await client.oa("message/custom/send", body) == code


async def test_a_notice_with_the_same_number_counts_once(client: Client) -> None:
    client.far.spoke("oFang")
    notice = {
        "touser": "oFang",
        "template_id": "T1",
        "data": {"thing1": {"value": "停水"}},
        "client_msg_id": "n1",
    }
    assert [await client.oa("message/template/send", notice) for _ in range(2)] == [0, 45065]


async def test_a_subscribed_notice_spends_an_acceptance(client: Client) -> None:
    needs(client.far, "subscriptions")
    client.far.accepted("oFang", "T1")
    notice = {"touser": "oFang", "template_id": "T1", "data": {"thing1": {"value": "停水"}}}
    assert [await client.oa("message/subscribe/bizsend", notice) for _ in range(2)] == [0, 43101]


async def test_a_menu_has_three_buttons(client: Client) -> None:
    button = {"type": "click", "name": "报修", "key": "repair"}
    assert await client.oa("menu/create", {"button": [button] * 3}) == 0
    needs(client.far, "menu_rules")
    assert await client.oa("menu/create", {"button": [button] * 4}) == 40016
    assert await client.oa("menu/create", {"button": [button | {"name": "报修和维修"}]}) == 0
    assert await client.oa("menu/create", {"button": [button | {"name": "报修和维修等"}]}) == 40018


async def test_media_is_there_for_three_days(client: Client) -> None:
    client.far.media("M1", b"\xff\xd8 picture")
    token = (await client.ask("stable_token", APP))["access_token"]
    query = {"access_token": token, "media_id": "M1"}
    async with client.session.get(f"{client.far.base}/cgi-bin/media/get", params=query) as answer:
        assert (answer.content_type, await answer.read()) == ("image/jpeg", b"\xff\xd8 picture")
    client.far.forward(72 * HOUR + 1)
    assert await client.oa("media/get", media_id="M1") == 40007


# -- WeCom


async def test_nobody_reached_is_an_error_and_somebody_is_not(client: Client) -> None:
    assert (await client.app("li"))["errcode"] == 81013
    client.far.members.add("li")
    answer = await client.app("li|zhao")
    assert (answer["errcode"], answer["invaliduser"]) == (0, "zhao")


async def test_the_31st_message_in_a_minute_is_lost_silently(client: Client) -> None:
    client.far.members.add("li")
    codes = {(await client.app("li", safe=number))["errcode"] for number in range(31)}
    calls = client.far.calls("message/send")
    assert codes == {0}
    assert ([call.delivered for call in calls], calls[-1].dropped) == ([True] * 30 + [False], ("li",))
    client.far.forward(61)
    await client.app("li")
    assert client.far.calls("message/send")[-1].delivered


async def test_the_same_again_is_not_delivered_where_that_was_asked(client: Client) -> None:
    client.far.members.add("li")
    for _ in range(2):
        assert (await client.app("li", enable_duplicate_check=1))["errcode"] == 0
    assert [call.delivered for call in client.far.calls("message/send")] == [True, False]


async def test_a_long_text_is_cut(client: Client) -> None:
    client.far.members.add("li")
    await client.app("li", text={"content": "水" * 683})
    assert client.far.calls("message/send")[0].cut


async def test_a_card_is_updated_once(client: Client) -> None:
    client.far.members.add("li")
    card = {
        "card_type": "button_interaction",
        "task_id": "t-1",
        "button_list": [{"text": "接单", "key": "accept"}],
    }
    sent = await client.app("li", msgtype="template_card", template_card=card)
    again = await client.app("li", msgtype="template_card", template_card=card)
    assert (sent["errcode"], again["errcode"]) == (0, 40058)
    for code in (sent["response_code"], client.far.response_code()):
        update = {"agentid": NOBODY.agent_id, "response_code": code, "button": {"replace_name": "已接"}}
        first, second = [await client.work("message/update_template_card", update) for _ in range(2)]
        assert first["errcode"] == 0 != second["errcode"]


async def test_a_group_robot_speaks_twenty_times_a_minute(client: Client) -> None:
    [(_, key)] = NOBODY.webhooks
    codes = [(await client.ask("webhook/send", TEXT, key=key))["errcode"] for _ in range(21)]
    assert codes == [0] * 20 + [45009]
    client.far.forward(61)
    long = {"msgtype": "text", "text": {"content": "水" * 683}}
    assert (await client.ask("webhook/send", long, key=key))["errcode"] == 40058
    assert (await client.ask("webhook/send", TEXT, key="nobody's"))["errcode"] == 93000


async def test_a_response_url_is_good_once_within_an_hour(client: Client) -> None:
    used, late = client.far.response_url(), client.far.response_url()
    body = {"msgtype": "markdown", "markdown": {"content": "已报修"}}

    async def post(url: str) -> int:
        async with client.session.post(url, json=body) as answer:
            return int((await answer.json())["errcode"])

    assert await post(used) == 0 != await post(used)
    client.far.forward(HOUR + 1)
    assert await post(late) != 0


async def test_a_file_of_the_smart_robot_is_encrypted_and_gone_after_five_minutes(client: Client) -> None:
    needs(client.far, "files")
    url = client.far.file(b"a picture")
    async with client.session.get(url) as answer:
        assert decrypted(await answer.read(), NOBODY.aibot_aes_key) == b"a picture"
    client.far.forward(301)
    async with client.session.get(url) as answer:
        assert answer.status == 403


async def test_a_task_for_customer_groups_has_a_sender(client: Client) -> None:
    client.far.members.add("li")
    task = {"chat_type": "group", "sender": "li", "text": {"content": "明天停水"}}
    assert (await client.work("externalcontact/add_msg_template", task))["errcode"] == 0
    needs(client.far, "group_tasks")
    assert (await client.work("externalcontact/add_msg_template", task | {"sender": "zhao"}))["errcode"] != 0


# -- what is fetched


def said(text: str, msgid: str) -> dict[str, Any]:
    who = {"open_kfid": NOBODY.open_kfid, "external_userid": "wmZhao", "origin": 3}
    return {"msgid": msgid, "send_time": 1772589600, "msgtype": "text", "text": {"content": text}} | who


async def test_the_customer_service_is_read_by_cursor(client: Client) -> None:
    client.far.kf(*[said(f"第{number}句", f"m{number}") for number in range(5)])
    seen: list[str] = []
    cursor, more = "", 1
    while more:
        ask = {"cursor": cursor, "token": client.far.kf_token(), "limit": 2, "open_kfid": NOBODY.open_kfid}
        page = await client.work("kf/sync_msg", ask)
        seen += [one["msgid"] for one in page["msg_list"]]
        cursor, more = page["next_cursor"], page["has_more"]
    assert seen == ["m0", "m1", "m2", "m3", "m4"]
    send = {"touser": "wmZhao", "open_kfid": NOBODY.open_kfid} | TEXT
    assert [(await client.work("kf/send_msg", send))["errcode"] for _ in range(6)] == [0] * 5 + [95001]
    client.far.forward(48 * HOUR + 1)
    assert (await client.work("kf/send_msg", send))["errcode"] == 95018


async def test_the_customer_service_asks_for_its_token_and_welcomes_once(client: Client) -> None:
    needs(client.far, "kf_rules")
    client.far.kf(said("在吗", "m1"))
    token = client.far.kf_token()
    assert (await client.work("kf/sync_msg", {"token": token}))["errcode"] == 0
    client.far.forward(601)
    assert (await client.work("kf/sync_msg", {"token": token}))["errcode"] == 95007
    welcome = {"code": client.far.welcome_code()} | TEXT
    assert [(await client.work("kf/send_msg_on_event", welcome))["errcode"] for _ in range(2)] == [0, 40029]
    person = {"external_userid": "wmZhao", "service_state": 3, "servicer_userid": "li"}
    assert (await client.work("kf/service_state/trans", person))["errcode"] == 0
    send = {"touser": "wmZhao", "open_kfid": NOBODY.open_kfid} | TEXT
    assert (await client.work("kf/send_msg", send))["errcode"] == 95018


async def test_reports_are_read_by_when_they_changed(client: Client) -> None:
    needs(client.far, "residents")
    for number in range(5):
        client.far.order({"order_id": f"o{number}", "create_time": 100 + number}, modified=200 + number)
    client.far.order({"order_id": "o1", "create_time": 101, "desc": "又坏了"}, modified=300)
    first = await client.work("report/resident/get_order_list", {"begin_modify_time": 202, "limit": 3})
    assert [one["order_id"] for one in first["order_list"]] == ["o2", "o3", "o4"]
    ask = {"begin_modify_time": 202, "limit": 3, "cursor": first["next_cursor"]}
    second = await client.work("report/resident/get_order_list", ask)
    assert ([one["order_id"] for one in second["order_list"]], second["next_cursor"]) == (["o1"], "")
    changed = await client.work("report/resident/get_order_list", ask | {"begin_modify_time": 203})
    assert changed["errcode"] != 0


# -- faults


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("token_expired", 42001),
        ("busy", -1),
        ("quota", 45009),
        ("window", 45015),
        ("ip", 40164),
        ("banned", 48004),
    ],
)
async def test_a_switched_fault_comes_as_often_as_asked(client: Client, kind: Fault, code: int) -> None:
    client.far.spoke("oFang")
    client.far.fault("message/custom/send", kind, times=2)
    assert [await client.tell() for _ in range(3)] == [code, code, 0]
    assert [call.delivered for call in client.far.calls("message/custom/send")] == [False, False, True]


async def test_a_lost_answer_was_carried_out(client: Client) -> None:
    client.far.spoke("oFang")
    client.far.spoke("oLi")
    client.far.fault("message/custom/send", "lost", body="oFang")
    assert await client.tell("oLi") == 0
    with pytest.raises(aiohttp.ClientError):
        await client.tell("oFang")
    assert [call.delivered for call in client.far.calls("message/custom/send")] == [True, True]


async def test_wecom_refuses_with_its_own_numbers(client: Client) -> None:
    client.far.fault("message/send", "ip")
    assert (await client.app("li"))["errcode"] == 60020


async def test_a_path_that_does_not_exist_is_noticed(client: Client) -> None:
    assert await client.oa("message/custom/sent", {}) == 40066
    assert client.far.unknown() == ["message/custom/sent"]


# -- the long connection


async def subscribed(
    client: Client, secret: str = NOBODY.aibot_secret
) -> tuple[aiohttp.ClientWebSocketResponse, int]:
    ws = await client.session.ws_connect(gateway_of(client.far.base))
    return ws, await asked(ws, "aibot_subscribe", {"bot_id": NOBODY.aibot_id, "secret": secret})


async def asked(
    ws: aiohttp.ClientWebSocketResponse, cmd: str, body: dict[str, Any], req_id: str = "r1"
) -> int:
    await ws.send_json({"cmd": cmd, "headers": {"req_id": req_id}, "body": body})
    answer = await ws.receive_json()
    assert answer["headers"]["req_id"] == req_id
    return int(answer["errcode"])


async def test_a_question_is_answered_over_the_long_connection(client: Client) -> None:
    ws, code = await subscribed(client)
    assert (code, client.far.live()) == (0, 1)
    body = {
        "msgid": "m1",
        "chattype": "single",
        "from": {"userid": "li"},
        "msgtype": "text",
        "text": {"content": "好"},
    }
    req_id = await client.far.push("aibot_msg_callback", body)
    frame = await ws.receive_json()
    assert (frame["cmd"], frame["headers"]["req_id"], frame["body"]["msgid"]) == (
        "aibot_msg_callback",
        req_id,
        "m1",
    )
    answer = {"msgtype": "stream", "stream": {"id": "s", "finish": True, "content": "已报修"}}
    assert await asked(ws, "aibot_respond_msg", answer, req_id) == 0
    assert await asked(ws, "aibot_respond_msg", answer, "of nobody") == 846605
    client.far.forward(361)
    assert await asked(ws, "aibot_respond_msg", answer, req_id) == 846608
    assert [call.delivered for call in client.far.calls("ws/aibot_respond_msg")] == [True, False, False]
    await ws.close()


async def test_the_robot_speaks_first_only_where_it_was_spoken_to(client: Client) -> None:
    needs(client.far, "gateway_rules")
    ws, _ = await subscribed(client)
    push = {"chatid": "li", "chat_type": 1, "msgtype": "markdown", "markdown": {"content": "停水"}}
    assert await asked(ws, "aibot_send_msg", push) != 0
    await client.far.push("aibot_msg_callback", {"msgid": "m1", "from": {"userid": "li"}})
    await ws.receive_json()
    assert await asked(ws, "aibot_send_msg", push) == 0
    await ws.close()


async def test_the_newer_connection_wins(client: Client) -> None:
    old, _ = await subscribed(client)
    new, code = await subscribed(client)
    assert (code, client.far.live()) == (0, 1)
    assert (await old.receive_json())["body"]["event"]["eventtype"] == "disconnected_event"
    assert (await old.receive()).type is aiohttp.WSMsgType.CLOSE
    _, refused = await subscribed(client, "wrong")
    assert (refused, client.far.live()) == (853000, 1)
    await client.far.cut()
    assert (await new.receive()).type in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR)
