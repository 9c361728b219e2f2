"""The measure: an aiohttp server that reads the same requests, gives the same answers, and does nothing.

For the Telegram runs another one of it plays Telegram: every call is answered at once.
"""

from __future__ import annotations

import json
import sys

from aiohttp import web


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


async def ready(_: web.Request) -> web.Response:
    return web.Response(text="ok\n")


def main() -> None:
    app = web.Application()
    app.router.add_post("/api/chat/{chat}/messages", say)
    app.router.add_post("/telegram", update)
    app.router.add_post("/bot{token}/{method}", telegram)
    app.router.add_get("/readyz", ready)
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), access_log=None, print=None)


if __name__ == "__main__":
    main()
