"""The pretended WeChat that lies beside the repository, where it does, with the face our tests know."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from aiohttp import web

from tests.fakes.platforms_telegram import SHARED
from tests.fakes.wechat import FakeWeChat
from tests.fakes.wechat_credentials import NOBODY, Credentials
from tests.fakes.wechat_faults import numbered
from tests.fakes.wechat_side import Call, Fault, Feature, WeChatFarSide

_NO_ANSWER: dict[Fault, dict[str, Any]] = {
    "500": {"preset": "http_500"},
    "502": {"preset": "http_502"},
    "garbage": {"preset": "garbage"},
    "hang": {"kind": "hang", "seconds": 3},
    "drop": {"preset": "drop"},
    "lost": {"preset": "lost_answer"},
}


def there() -> bool:
    return (SHARED / "platforms" / "fake_wechat.py").is_file()


class PlatformsWeChat:
    """Wraps its FakeWeChat; nothing of it is copied here. It has none of the extra features."""

    def __init__(self, credentials: Credentials = NOBODY) -> None:
        if str(SHARED) not in sys.path:
            sys.path.append(str(SHARED))
        module: Any = importlib.import_module("platforms.fake_wechat")
        self.credentials, self.base, self._port = credentials, "", 0
        self._fake = module.FakeWeChat(_configuration(credentials))
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        self._runner = web.AppRunner(self._fake.app(), access_log=None, shutdown_timeout=0.01)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port, reuse_address=True).start()
        self._port = self._runner.addresses[0][1]
        self.base = f"http://127.0.0.1:{self._port}"

    async def stop(self) -> None:
        if self._runner is not None:
            await self.cut()
            await self._runner.cleanup()
            self._runner = None

    def can(self, what: Feature) -> bool:
        return not what

    def calls(self, path: str = "") -> list[Call]:
        return [call for call in map(_call, self._fake.log) if path in ("", call.path)]

    def unknown(self) -> list[str]:
        return [call.path for call in self.calls() if call.unknown]

    def fault(self, path: str, kind: Fault, times: int = 1, body: str = "") -> None:
        answer = numbered(kind, path)
        rule: dict[str, Any] = {"match": f"(^|/){re.escape(path)}$", "times": times}
        rule |= {"kind": "json", "json": answer} if answer else _NO_ANSWER[kind]
        self._fake.faults.add(rule | ({"body": body} if body else {}))

    def clear_faults(self) -> None:
        self._fake.faults.clear()

    def forward(self, seconds: float) -> None:
        self._fake.now_shift += seconds

    def expire_tokens(self) -> None:
        for token in self._fake.tokens.values():
            token["exp"] = 0
        self._fake.stable = None

    def spoke(self, openid: str) -> None:
        self._fake.inbound(openid, "message")

    def acted(self, openid: str) -> None:
        self._fake.inbound(openid, "event")

    def left(self, openid: str) -> None:
        self._fake.inbound(openid, "unsubscribe")

    def accepted(self, openid: str, template: str, times: int = 1) -> None:
        self._fake.users.setdefault(openid, {"subscribed": True, "until": 0.0, "quota": 0})

    def media(self, media_id: str, data: bytes, kind: str = "image/jpeg") -> None:
        self._fake.media[media_id] = (data, kind, self._fake.now() + 3 * 86400)

    @property
    def members(self) -> set[str]:
        found: set[str] = self._fake.members
        return found

    def response_code(self) -> str:
        return str(self._fake.new_response_code())

    def response_url(self) -> str:
        return f"{self.base}/cgi-bin/aibot/response?response_code={self.response_code()}"

    def file(self, data: bytes, aes_key: str = "") -> str:
        raise NotImplementedError("ask can('files')")

    def kf(self, *messages: dict[str, Any]) -> None:
        for message in messages:
            self._fake.kf.append(message)
            user = f"kf:{message.get('external_userid', '')}"
            if message.get("origin") == 3:
                self._fake.users[user] = {
                    "subscribed": True,
                    "until": self._fake.now() + 48 * 3600,
                    "quota": 5,
                }

    def kf_token(self) -> str:
        return "ENCkf_000000"

    def welcome_code(self) -> str:
        raise NotImplementedError("ask can('kf_rules')")

    def order(self, order: dict[str, Any], modified: int) -> None:
        raise NotImplementedError("ask can('residents')")

    def live(self) -> int:
        return sum(not ws.closed for ws in self._fake.ws)

    async def push(self, cmd: str, body: dict[str, Any]) -> str:
        req_id = await self._fake.ws_push(cmd, body)
        assert req_id is not None, "nobody is connected"
        return str(req_id)

    async def kick(self) -> None:
        await self.push(
            "aibot_event_callback", {"msgtype": "event", "event": {"eventtype": "disconnected_event"}}
        )
        for ws in self._fake.ws:
            await ws.close()

    async def cut(self) -> None:
        for ws in self._fake.ws:
            if not ws.closed:
                ws._writer.transport.abort()  # as its own faults do
        self._fake.ws = []


def _configuration(credentials: Credentials) -> dict[str, Any]:
    """By its names; nobody works there before a test says so."""
    keys = [key for _, key in credentials.webhooks]
    known = asdict(credentials)
    same = ("oa_id", "oa_app_id", "oa_app_secret", "oa_token", "oa_aes_key", "aibot_token", "aibot_aes_key")
    return {name: known[name] for name in same} | {
        "wecom_corp_id": credentials.corp_id,
        "wecom_agent_id": credentials.agent_id,
        "wecom_secret": credentials.wecom_secret,
        "wecom_secrets": [credentials.wecom_secret],
        "wecom_webhook_keys": keys,
        "wecom_aibot_id": credentials.aibot_id,
        "wecom_aibot_secret": credentials.aibot_secret,
        "members": [],
    }


def _call(one: dict[str, Any]) -> Call:
    path = str(one["path"]).lstrip("/").removeprefix("cgi-bin/")
    dropped = tuple(one.get("dropped_for", ()))
    body = one.get("body") or {}
    return Call(
        path=f"ws/{path}" if one["method"] == "WS" else path,
        query=one["query"],
        body=body,
        raw="",
        delivered=_delivered(one, body, dropped),
        errcode=int(one.get("errcode", -1 if "fault" in one else 0)),
        at=float(one["t"]),
        dropped=dropped,
        cut=bool(one.get("truncated")),
        unknown=bool(one.get("unknown")),
    )


def _delivered(one: dict[str, Any], body: dict[str, Any], dropped: tuple[str, ...]) -> bool:
    """It does not say so of what was carried out and not answered, nor of what reached nobody."""
    reached = [user for user in str(body.get("touser") or "").split("|") if user and user not in dropped]
    if dropped and not reached:
        return False
    return bool(one.get("delivered")) or one.get("outcome") == "done, answer lost"


#: The far sides that exist here.
WECHAT_FAR_SIDES: dict[str, Callable[[], WeChatFarSide]] = {"own": FakeWeChat}
if there():
    WECHAT_FAR_SIDES["platforms"] = PlatformsWeChat
