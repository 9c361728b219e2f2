"""The pretended users of WeChat write as wechatpy reads, and read what it writes."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from wechatpy.crypto import WeChatCrypto
from wechatpy.enterprise.crypto import WeChatCrypto as WorkCrypto
from wechatpy.exceptions import WeChatException

from tests.fakes.aibot_users import AibotUsers
from tests.fakes.wechat_credentials import NOBODY
from tests.fakes.wechat_envelope import Envelope, EnvelopeError
from tests.fakes.wechat_post import Forged, read_xml
from tests.fakes.wechat_users import Click, OaUsers, WeComUsers

# -- the envelope


def test_the_published_sample_is_opened() -> None:
    sample = Envelope("QDG6eK", "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C", "wx5823bf96d3bd56c7")
    cipher = "P9nAzCzyDtyTWESHep1vC5X9xho/qYX3Zpb4yKa9SKld1DsH3Iyt3tP3zNdtp+4RPcs8TgAE7OaBO+FZXvnaqQ=="
    signature = "5c45ff5e21c57e6ad56bac8758b79b1d9ac89fd3"
    assert sample.opened(cipher, signature, "1409659589", "263014780") == "1616140317555161061"


@pytest.mark.parametrize("receiver", [NOBODY.oa_app_id, ""])
@pytest.mark.parametrize("text", ["", "好", "x" * 31, "邻里" * 5000])
def test_wechatpy_and_we_open_each_others_letters(receiver: str, text: str) -> None:
    envelope = Envelope(NOBODY.oa_token, NOBODY.oa_aes_key, receiver)
    crypto = WorkCrypto(NOBODY.oa_token, NOBODY.oa_aes_key, receiver)
    cipher = envelope.seal(text)
    signature = envelope.sign("1772589600", "n1", cipher)
    assert crypto.decrypt_message({"Encrypt": cipher}, signature, "1772589600", "n1") == text
    outer = read_xml(crypto.encrypt_message(text, "n2", "1772589601"))
    assert envelope.opened(outer["Encrypt"], outer["MsgSignature"], "1772589601", "n2") == text


def test_a_letter_for_somebody_else_is_not_opened() -> None:
    mine = Envelope(NOBODY.oa_token, NOBODY.oa_aes_key, NOBODY.oa_app_id)
    with pytest.raises(EnvelopeError):
        mine.open(mine.seal("好", "wx0000000000000000"))
    with pytest.raises(EnvelopeError):
        mine.open(mine.seal("好")[:-4])


# -- the users, against a service made of wechatpy


@pytest.fixture
async def service() -> AsyncIterator[str]:
    """Repeats what it hears; 400 for what wechatpy refuses."""
    oa = WeChatCrypto(NOBODY.oa_token, NOBODY.oa_aes_key, NOBODY.oa_app_id)
    work = WorkCrypto(NOBODY.wecom_token, NOBODY.wecom_aes_key, NOBODY.corp_id)
    aibot = WorkCrypto(NOBODY.aibot_token, NOBODY.aibot_aes_key, "")

    async def answer(request: web.Request) -> web.Response:
        query = request.query
        signed = [query.get(name, "") for name in ("msg_signature", "timestamp", "nonce")]
        crypto = {"/wechat/oa": oa, "/wechat/work": work}.get(request.path, aibot)
        try:
            if request.method == "GET":
                return web.Response(text=crypto.check_signature(*signed, query["echostr"]))
            body = await request.text()
            if request.path == "/wechat/aibot":
                heard = json.loads(crypto.decrypt_message({"Encrypt": json.loads(body)["encrypt"]}, *signed))
                plain = json.dumps(
                    {"msgtype": "stream", "stream": {"id": "s", "finish": True, "content": heard["msgtype"]}}
                )
                outer = read_xml(crypto.encrypt_message(plain, "n", "1"))
                return web.json_response(
                    {
                        "encrypt": outer["Encrypt"],
                        "msgsignature": outer["MsgSignature"],
                        "timestamp": 1,
                        "nonce": "n",
                    }
                )
            return web.Response(text=crypto.encrypt_message(crypto.decrypt_message(body, *signed), "n", "1"))
        except (WeChatException, KeyError):
            return web.Response(status=400)

    app = web.Application()
    app.router.add_route("*", "/wechat/{which}", answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.01)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def test_a_follower_is_heard_and_the_answer_opened(service: str) -> None:
    async with OaUsers(service) as users:
        answer = await users.text("oFang", "水管]]>漏了", menu="101")
        assert answer.reply is not None
        assert answer.reply["Content"] == "水管]]>漏了"
        assert (answer.reply["FromUserName"], answer.reply["bizmsgmenuid"]) == ("oFang", "101")
        again, replay = await users.retried(answer), await users.replayed(answer)
        assert again.reply == replay.reply == answer.reply
        assert again.sent.query["nonce"] != answer.sent.query["nonce"] == replay.sent.query["nonce"]


@pytest.mark.parametrize("forged", ["signature", "unsigned", "tampered", "foreign_receiver", "plaintext"])
async def test_a_forged_letter_is_refused(service: str, forged: Forged) -> None:
    async with OaUsers(service) as users:
        assert (await users.text("oFang", "好", forged)).status == 400


async def test_the_age_of_a_letter_can_be_forged(service: str) -> None:
    async with OaUsers(service) as users:
        ages = [
            int((await users.text("oFang", "好", forged)).sent.query["timestamp"])
            for forged in ("stale", None, "future")
        ]
        assert 600 < ages[1] - ages[0] < 720 and 600 < ages[2] - ages[1] < 720


async def test_a_member_clicks_a_card(service: str) -> None:
    async with WeComUsers(service) as users:
        check = await users.check()
        assert (check.status, check.text) == (200, check.sent.plain)
        assert (await users.check("signature")).status == 400
        answer = await users.click("li", Click("t1", "accept", "code", selected=(("when", ("am", "pm")),)))
        assert answer.reply is not None
        assert (answer.reply["TaskId"], answer.reply["EventKey"], answer.reply["ResponseCode"]) == (
            "t1",
            "accept",
            "code",
        )
        item = answer.reply["SelectedItems"]["SelectedItem"]
        assert item == {"QuestionKey": "when", "OptionIds": {"OptionId": ["am", "pm"]}}


async def test_the_smart_robot_is_asked_in_a_group(service: str) -> None:
    async with AibotUsers(service) as users:
        heard = await users.say("wang", "楼道灯坏了", chatid="wrGROUP")
        assert (heard.content, heard.finished) == ("text", True)
        sent = json.loads(heard.first.sent.plain)
        assert (sent["text"]["content"], sent["chatid"]) == ("@邻里 楼道灯坏了", "wrGROUP")
        assert (await users.text("wang", "好", forged="plaintext")).status == 400
