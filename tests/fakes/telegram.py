"""Telegram's Bot API, pretended on loopback: enough of its rules for our tests, and faults to switch on."""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import socket
from dataclasses import dataclass, field
from typing import Any, Protocol

import aiohttp
from aiohttp import web

TOKEN = "7000001:AAHk-pretended-token-of-nobody"
SECRET = "pretended_secret-1"
USERNAME = "linli_test_bot"
BOT_ID = 7000001
_STRUCTURED = ("allowed_updates", "reply_markup", "link_preview_options")
JPEG = b"\xff\xd8\xff\xe0 not much of a picture"


@dataclass(frozen=True)
class Call:
    """One call of the bot: `delivered` when it was carried out, whatever became of the answer."""

    method: str
    data: dict[str, Any]
    files: dict[str, int]
    delivered: bool


class FarSide(Protocol):
    """What a test may do on Telegram's side."""

    token: str
    base: str

    async def start(self) -> None: ...
    async def stop(self) -> None: ...
    def queue(self, update: dict[str, Any]) -> None: ...
    def waiting(self) -> list[int]: ...
    def webhook(self) -> dict[str, Any]: ...
    def occupy(self) -> None: ...
    def file(self, file_id: str, data: bytes) -> None: ...
    def fault(self, method: str, kind: str, times: int = 1, body: str = "") -> None: ...
    def block(self, chat: int) -> None: ...
    def migrate(self, old: int, new: int) -> None: ...
    def calls(self, method: str) -> list[Call]: ...


def free_socket() -> socket.socket:
    """A bound port, kept: the service's address is known before it answers."""
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind(("127.0.0.1", 0))
    return held


async def push(url: str, secret: str, update: object, tries: int = 1, gap: float = 0.05) -> list[int]:
    """Deliver to a webhook as Telegram does, again until a 2xx; the status of each try."""
    statuses: list[int] = []
    async with aiohttp.ClientSession() as session:
        while len(statuses) < tries:
            head = {"X-Telegram-Bot-Api-Secret-Token": secret} if secret else {}
            async with session.post(url, data=json.dumps(update).encode(), headers=head) as answer:
                statuses.append(answer.status)
            if 200 <= statuses[-1] < 300:
                break
            await asyncio.sleep(gap)
    return statuses


@dataclass
class _Fault:
    method: str
    kind: str
    times: int
    body: str


@dataclass
class FakeTelegram:
    """The project's own far side."""

    token: str = TOKEN
    base: str = ""
    log: list[Call] = field(default_factory=list)
    pending: list[dict[str, Any]] = field(default_factory=list)
    hook: dict[str, Any] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    faults: list[_Fault] = field(default_factory=list)
    blocked: set[int] = field(default_factory=set)
    moved: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._ids = itertools.count(100)
        self._port = 0
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        app = web.Application(client_max_size=32 << 20)
        app.router.add_route("*", "/bot{token}/{method}", self._answer)
        app.router.add_get("/file/bot{token}/{path:.*}", self._file)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.01)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port, reuse_address=True)
        await site.start()
        self._port = self._runner.addresses[0][1]
        self.base = f"http://127.0.0.1:{self._port}"

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def queue(self, update: dict[str, Any]) -> None:
        self.pending.append(update)

    def waiting(self) -> list[int]:
        return [update["update_id"] for update in self.pending]

    def webhook(self) -> dict[str, Any]:
        return self.hook

    def occupy(self) -> None:
        self.hook = {"url": "https://elsewhere.example/telegram"}

    def file(self, file_id: str, data: bytes) -> None:
        self.files[file_id] = data

    def fault(self, method: str, kind: str, times: int = 1, body: str = "") -> None:
        self.faults.append(_Fault(method, kind, times, body))

    def block(self, chat: int) -> None:
        self.blocked.add(chat)

    def migrate(self, old: int, new: int) -> None:
        self.moved[old] = new

    def calls(self, method: str) -> list[Call]:
        return [call for call in self.log if call.method == method]

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        data, files = await _read(request)
        fault = self._fault(method, json.dumps(data, ensure_ascii=False))
        if fault and fault.kind != "lost":
            self.log.append(Call(method, data, files, False))
            return await _broken(fault.kind, request)
        if request.match_info["token"] != self.token:
            return _no(401, "Unauthorized")
        result = await self._do(method, data)
        refused = isinstance(result, web.Response)
        self.log.append(Call(method, data, files, not refused))
        if fault:
            return await _broken("drop", request)
        return (
            result if isinstance(result, web.Response) else web.json_response({"ok": True, "result": result})
        )

    def _fault(self, method: str, body: str) -> _Fault | None:
        for fault in self.faults:
            if fault.times and fault.method == method and re.search(fault.body, body):
                fault.times -= 1
                return fault
        return None

    async def _do(self, method: str, data: dict[str, Any]) -> Any:
        match method:
            case "getMe":
                return _me()
            case "setWebhook":
                self.hook = {"url": data["url"], "secret": data.get("secret_token", "")}
            case "deleteWebhook":
                self.hook = {}
            case "getUpdates":
                return await self._updates(data)
            case "getFile":
                file_id = str(data["file_id"])
                if file_id not in self.files:
                    return _no(400, "Bad Request: wrong file_id or the file is temporarily unavailable")
                size = len(self.files[file_id])
                return {
                    "file_id": file_id,
                    "file_unique_id": "u",
                    "file_size": size,
                    "file_path": f"photos/{file_id}",
                }
            case "sendMessage" | "sendPhoto":
                return self._send(data)
            case "answerCallbackQuery":
                pass
            case _:
                return _no(404, "Not Found")
        return True

    async def _updates(self, data: dict[str, Any]) -> Any:
        if self.hook.get("url"):
            return _no(409, "Conflict: can't use getUpdates method while webhook is active")
        end = asyncio.get_running_loop().time() + float(data.get("timeout", 0))
        while True:
            self.pending = [one for one in self.pending if one["update_id"] >= int(data.get("offset", 0))]
            if self.pending or asyncio.get_running_loop().time() >= end:
                return self.pending[: int(data.get("limit", 100))]
            await asyncio.sleep(0.02)

    def _send(self, data: dict[str, Any]) -> Any:
        chat, text = int(data["chat_id"]), data.get("text", data.get("caption"))
        if chat in self.moved:
            return _no(400, "Bad Request: group chat was upgraded", migrate_to_chat_id=self.moved[chat])
        if chat in self.blocked:
            return _no(403, "Forbidden: bot was blocked by the user")
        if "text" in data and not str(text).strip():
            return _no(400, "Bad Request: message text is empty")
        if len(str(text or "").encode("utf-16-le")) // 2 > (4096 if "text" in data else 1024):
            return _no(400, "Bad Request: message is too long")
        kind = "private" if chat > 0 else "supergroup"
        return {
            "message_id": next(self._ids),
            "date": 1741350900,
            "chat": {"id": chat, "type": kind},
            "from": _me(),
        }

    async def _file(self, request: web.Request) -> web.StreamResponse:
        path = request.match_info["path"].rpartition("/")[2]
        fault = self._fault("file", path)
        if fault:
            return await _broken(fault.kind, request)
        data = self.files.get(path)
        return web.Response(body=data) if data is not None else _no(404, "Not Found")


def _me() -> dict[str, Any]:
    return {"id": BOT_ID, "is_bot": True, "first_name": "邻里", "username": USERNAME}


def _no(code: int, text: str, **more: object) -> web.Response:
    body: dict[str, Any] = {"ok": False, "error_code": code, "description": text}
    return web.json_response(body | ({"parameters": more} if more else {}), status=code)


async def _broken(kind: str, request: web.Request) -> web.StreamResponse:
    match kind:
        case "429":
            return _no(429, "Too Many Requests: retry after 2", retry_after=2)
        case "403":
            return _no(403, "Forbidden: bot was blocked by the user")
        case "400":
            return _no(400, "Bad Request: chat not found")
        case "topic":
            return _no(400, "Bad Request: message thread not found")
        case "closed":
            return _no(400, "Bad Request: TOPIC_CLOSED")
        case "409":
            return _no(409, "Conflict: terminated by other getUpdates request")
        case "401":
            return _no(401, "Unauthorized")
        case "500" | "502":
            return web.Response(status=int(kind), text="<html>upstream error</html>")
        case "garbage":
            return web.Response(body=b"\x00\xff{not json", content_type="application/json")
        case "hang":
            await asyncio.sleep(3)
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=444)


async def _read(request: web.Request) -> tuple[dict[str, Any], dict[str, int]]:
    data: dict[str, Any] = dict(request.query)
    files: dict[str, int] = {}
    for key, value in (await request.post()).items():
        if isinstance(value, web.FileField):
            files[key] = len(value.file.read())
            value.file.close()
        else:
            text = value if isinstance(value, str) else bytes(value).decode()
            data[key] = json.loads(text) if key in _STRUCTURED else text
    return data, files
