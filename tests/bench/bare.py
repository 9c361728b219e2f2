"""The measure: an aiohttp server that reads the same requests, gives the same answers, and does nothing.

For the Telegram and WeChat runs another one of it plays the platform: every call is answered at once. The
encrypted callbacks of WeChat are verified, decrypted, parsed and answered by wechatpy.
"""

from __future__ import annotations

import json
import sys

from aiohttp import web
from wechatpy import create_reply, parse_message
from wechatpy.crypto import WeChatCrypto

APP_ID, OA_TOKEN = "wx0123456789abcdef", "pretended"
AES_KEY = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFG"
CRYPTO = WeChatCrypto(OA_TOKEN, AES_KEY, APP_ID)


async def say(request: web.Request) -> web.Response:
    given = json.loads(await request.read())
    return web.json_response({"id": given["id"]})


async def update(request: web.Request) -> web.Response:
    given = json.loads(await request.read())
    return web.Response(status=200 if given["update_id"] else 400)


async def telegram(request: web.Request) -> web.Response:
    bot = {"id": 7000001, "is_bot": True, "first_name": "邻里", "username": "linli_test_bot"}
    message = {"message_id": 1, "date": 1741350900, "chat": {"id": 1, "type": "private"}, "from": bot}
    answers = {"getMe": bot, "sendMessage": message}
    return web.json_response({"ok": True, "result": answers.get(request.match_info["method"], True)})


async def wechat(request: web.Request) -> web.Response:
    query = request.query
    text = CRYPTO.decrypt_message(
        await request.text(), query["msg_signature"], query["timestamp"], query["nonce"]
    )
    reply = create_reply("已报修 #1：水管漏水，3栋2单元501厨房。", parse_message(text)).render()
    sealed = CRYPTO.encrypt_message(reply, query["nonce"], query["timestamp"])
    return web.Response(text=sealed, content_type="application/xml")


async def platform(_: web.Request) -> web.Response:
    return web.json_response({"errcode": 0, "access_token": "pretended", "expires_in": 7200})


async def ready(_: web.Request) -> web.Response:
    return web.Response(text="ok\n")


def main() -> None:
    app = web.Application()
    app.router.add_post("/api/chat/{chat}/messages", say)
    app.router.add_post("/telegram", update)
    app.router.add_post("/bot{token}/{method}", telegram)
    app.router.add_post("/wechat/oa", wechat)
    app.router.add_route("*", "/cgi-bin/{call:.*}", platform)
    app.router.add_get("/readyz", ready)
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), access_log=None, print=None)


if __name__ == "__main__":
    main()
