"""WeChat and WeCom pretended on loopback: both API hosts and the gateway of the smart robot on one port.

The rules are those of `../shared/channels.md` and the documents it names. Where a document gives no number
for a refusal, the one here is likely rather than sure: no test should hang on it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from aiohttp import web

from tests.fakes.wechat_account import Account
from tests.fakes.wechat_credentials import NOBODY, Credentials
from tests.fakes.wechat_desk import Desk, Reports
from tests.fakes.wechat_envelope import encrypted
from tests.fakes.wechat_faults import broken, numbered
from tests.fakes.wechat_gateway import Gateway
from tests.fakes.wechat_rules import HOUR, MINUTE, OA, WECOM, Answer, Asked, Time, Tokens, Windows, no
from tests.fakes.wechat_side import Call, Fault, Feature
from tests.fakes.wechat_work import Work

_OA = (OA + ":classic", OA + ":stable")
_WECOM = (WECOM,)
_BOTH = _OA + _WECOM
_OPEN: tuple[str, ...] = ()


class Route(NamedTuple):
    tokens: tuple[str, ...]
    method: str
    handler: Callable[[Asked], Answer | web.Response]


@dataclass
class _Switched:
    path: str
    kind: Fault
    times: int
    body: str


class FakeWeChat:
    """The project's own far side; `WeChatFarSide` says what its methods do."""

    def __init__(self, credentials: Credentials = NOBODY) -> None:
        self.credentials, self.base = credentials, ""
        self.time = Time()
        self.tokens = Tokens(self.time)
        self.followers = Windows(self.time)
        self.account = Account(credentials, self.time, self.tokens, self.followers)
        self.work = Work(credentials, self.time, self.tokens)
        self.desk = Desk(credentials, self.time)
        self.reports = Reports()
        self.gateway = Gateway(credentials, self.time, self._frame_fails, self._record)
        self.log: list[Call] = []
        self._switched: list[_Switched] = []
        self._files: dict[str, tuple[bytes, float]] = {}
        self._pictures: list[bytes] = []
        self._port = 0
        self._runner: web.AppRunner | None = None
        self._routes = self._known()

    async def start(self) -> None:
        app = web.Application(client_max_size=64 << 20)
        app.router.add_get("/aibot/ws", self.gateway.serve)
        app.router.add_get("/aibot/file/{name}", self._file)
        app.router.add_get("/wwpic/{name}/0", self._picture)
        app.router.add_route("*", "/{path:.*}", self._serve)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.01)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port, reuse_address=True).start()
        self._port = self._runner.addresses[0][1]
        self.base = f"http://127.0.0.1:{self._port}"

    async def stop(self) -> None:
        if self._runner is not None:
            await self.gateway.end()
            await self._runner.cleanup()
            self._runner = None

    def can(self, what: Feature) -> bool:
        return bool(what)

    def calls(self, path: str = "") -> list[Call]:
        return [call for call in self.log if path in ("", call.path)]

    def unknown(self) -> list[str]:
        return [call.path for call in self.log if call.unknown]

    def fault(self, path: str, kind: Fault, times: int = 1, body: str = "") -> None:
        self._switched.append(_Switched(path, kind, times, body))

    def clear_faults(self) -> None:
        self._switched.clear()

    def forward(self, seconds: float) -> None:
        self.time.ahead += seconds

    def expire_tokens(self) -> None:
        for token in self.tokens.known.values():
            token.until = self.time.now()

    def spoke(self, openid: str) -> None:
        self.followers.open(openid, "message", 5, 48 * HOUR)

    def acted(self, openid: str) -> None:
        self.followers.open(openid, "act", 3, MINUTE)

    def left(self, openid: str) -> None:
        self.followers.left(openid)

    def accepted(self, openid: str, template: str, times: int = 1) -> None:
        self.followers.present.setdefault(openid, True)
        key = (openid, template)
        self.account.acceptances[key] = self.account.acceptances.get(key, 0) + times

    def media(self, media_id: str, data: bytes, kind: str = "image/jpeg") -> None:
        self.account.keep(media_id, data, kind)

    @property
    def members(self) -> set[str]:
        return self.work.members

    def response_code(self) -> str:
        return self.work.cards.fresh()

    def response_url(self) -> str:
        return f"{self.base}/cgi-bin/aibot/response?response_code={self.work.answers.fresh()}"

    def file(self, data: bytes, aes_key: str = "") -> str:
        """Good for five minutes (WeCom doc 100719)."""
        name = f"file{len(self._files) + 1}"
        sealed = encrypted(data, aes_key or self.credentials.aibot_aes_key)
        self._files[name] = (sealed, self.time.now() + 5 * MINUTE)
        return f"{self.base}/aibot/file/{name}?sign=q-sign-algorithm%3Dsha1"

    def picture(self, data: bytes) -> str:
        """The address of a picture of a residents' order, which asks for no token (WeCom doc 97157)."""
        self._pictures.append(data)
        return f"{self.base}/wwpic/{len(self._pictures) - 1}/0"

    def kf(self, *messages: dict[str, Any]) -> None:
        for message in messages:
            self.desk.add(message)

    def kf_token(self) -> str:
        return self.desk.tokens.fresh()

    def welcome_code(self) -> str:
        return self.desk.welcomes.fresh()

    def order(self, order: dict[str, Any], modified: int) -> None:
        self.reports.put(order, modified)

    def live(self) -> int:
        return self.gateway.live()

    async def push(self, cmd: str, body: dict[str, Any]) -> str:
        return await self.gateway.push(cmd, body)

    async def kick(self) -> None:
        await self.gateway.kick()

    async def cut(self) -> None:
        await self.gateway.cut()

    # -- a call

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        data = await request.read()
        raw = data.decode("utf-8", "replace") if len(data) < 1 << 20 else ""
        body = _json(raw)
        path = request.path.lstrip("/").removeprefix("cgi-bin/")
        asked = Asked(path, dict(request.query), body or {}, data)
        fault = self._fails(path, raw)
        if fault and fault != "lost":
            answer = numbered(fault, path)
            self._record(asked, answer["errcode"] if answer else -1)
            return web.json_response(answer) if answer else await broken(fault, request)
        result = self._do(request.method, asked, body)
        code = result.get("errcode", 0) if isinstance(result, dict) else 0
        self._record(asked, code)
        if fault == "lost":
            return await broken("drop", request)
        return web.json_response(result) if isinstance(result, dict) else result

    def _do(self, method: str, asked: Asked, body: dict[str, Any] | None) -> Answer | web.Response:
        route = self._routes.get(asked.path)
        if route is None:
            return no(40066, "invalid url")
        if method != route.method:
            return (
                no(43001, "require GET method") if route.method == "GET" else no(43002, "require POST method")
            )
        refusal = (
            self.tokens.refusal(asked.query.get("access_token", ""), route.tokens) if route.tokens else None
        )
        if refusal:
            return refusal
        if method == "POST" and body is None and not asked.path.startswith(("media/", "webhook/upload")):
            return no(47001, "data format error")
        return route.handler(asked)

    def _record(self, asked: Asked, errcode: int) -> None:
        call = Call(
            path=asked.path,
            query=asked.query,
            body=asked.body,
            raw=asked.data.decode("utf-8", "replace"),
            delivered=errcode == 0 and not asked.suppressed,
            errcode=errcode,
            at=self.time.untouched(),
            dropped=tuple(asked.dropped),
            cut=asked.cut,
            unknown=asked.path not in self._routes and not asked.path.startswith("ws/"),
        )
        self.log.append(call)

    def _fails(self, path: str, raw: str) -> Fault | None:
        for one in self._switched:
            if one.times and one.path == path and re.search(one.body, raw):
                one.times -= 1
                return one.kind
        return None

    def _frame_fails(self, asked: Asked) -> Answer | str | None:
        fault = self._fails(asked.path, asked.data.decode())
        return numbered(fault, asked.path) or fault if fault else None

    async def _picture(self, request: web.Request) -> web.StreamResponse:
        fault = self._fails("wwpic", "")
        if fault:
            return await broken(fault, request)
        return web.Response(body=self._pictures[int(request.match_info["name"])], content_type="image/jpeg")

    async def _file(self, request: web.Request) -> web.Response:
        data, until = self._files.get(request.match_info["name"], (b"", 0.0))
        if until <= self.time.now():
            return web.Response(
                status=403, text="<Error><Code>AccessDenied</Code></Error>", content_type="application/xml"
            )
        return web.Response(body=data, content_type="application/octet-stream")

    def _known(self) -> dict[str, Route]:
        account, work, desk, reports = self.account, self.work, self.desk, self.reports
        return {
            "token": Route(_OPEN, "GET", account.token),
            "stable_token": Route(_OPEN, "POST", account.stable_token),
            "message/custom/send": Route(_OA, "POST", account.custom_send),
            "message/custom/typing": Route(_OA, "POST", account.typing),
            "message/template/send": Route(_OA, "POST", account.template_send),
            "message/subscribe/bizsend": Route(_OA, "POST", account.subscribe_send),
            "message/template/subscribe": Route(_OA, "POST", account.subscribe_send),
            "wxa/msg_sec_check": Route(_OA, "POST", account.sec_check),
            "user/info": Route(_OA, "GET", account.user_info),
            "menu/create": Route(_BOTH, "POST", account.menu_create),
            "menu/get": Route(_BOTH, "GET", account.menu_get),
            "menu/delete": Route(_BOTH, "GET", account.menu_delete),
            "clear_quota": Route(_OA, "POST", account.clear_quota),
            "media/get": Route(_BOTH, "GET", account.media_get),
            "media/upload": Route(_BOTH, "POST", account.media_upload),
            "getcallbackip": Route(_BOTH, "GET", account.addresses),
            "get_api_domain_ip": Route(_BOTH, "GET", account.addresses),
            "gettoken": Route(_OPEN, "GET", work.gettoken),
            "message/send": Route(_WECOM, "POST", work.send),
            "message/update_template_card": Route(_WECOM, "POST", work.update_card),
            "message/recall": Route(_WECOM, "POST", work.recall),
            "appchat/create": Route(_WECOM, "POST", work.create_chat),
            "appchat/send": Route(_WECOM, "POST", work.send_chat),
            "agent/get": Route(_WECOM, "GET", work.agent),
            "user/get": Route(_WECOM, "GET", work.user),
            "webhook/send": Route(_OPEN, "POST", work.webhook),
            "webhook/upload_media": Route(_OPEN, "POST", work.webhook_upload),
            "aibot/response": Route(_OPEN, "POST", work.answer),
            "externalcontact/add_msg_template": Route(_WECOM, "POST", work.add_task),
            "externalcontact/groupchat/list": Route(_WECOM, "POST", work.group_list),
            "kf/sync_msg": Route(_WECOM, "POST", desk.sync),
            "kf/send_msg": Route(_WECOM, "POST", desk.send),
            "kf/send_msg_on_event": Route(_WECOM, "POST", desk.welcome),
            "kf/service_state/trans": Route(_WECOM, "POST", desk.hand_over),
            "kf/service_state/get": Route(_WECOM, "POST", desk.state),
            "report/resident/get_order_list": Route(_WECOM, "POST", reports.list_orders),
            "report/resident/get_order_info": Route(_WECOM, "POST", reports.one),
        }


def _json(raw: str) -> dict[str, Any] | None:
    try:
        found = json.loads(raw)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
