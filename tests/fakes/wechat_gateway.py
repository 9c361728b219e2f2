"""The gateway of the smart robot's long connection (WeCom doc 101463): frames in and out, one connection."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from tests.fakes.wechat_credentials import Credentials
from tests.fakes.wechat_rules import HOUR, MINUTE, Answer, Asked, Limit, Time, no, ok, size

#: Answers to a frame of ours, and for how many seconds they are taken.
_ANSWERS = {"aibot_respond_msg": 360.0, "aibot_respond_welcome_msg": 5.0, "aibot_respond_update_msg": 5.0}
#: Says how a frame fails, if it does: an answer, or "drop", "hang", "lost"; None where all is well.
Fail = Callable[[Asked], Answer | str | None]
Record = Callable[[Asked, int], None]


@dataclass
class Gateway:
    credentials: Credentials
    time: Time
    fail: Fail
    record: Record
    _live: list[tuple[web.WebSocketResponse, web.Request]] = field(default_factory=list)
    _goodbyes: set[asyncio.Task[bool]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._limit = Limit(self.time)
        self._asked: dict[str, tuple[float, str]] = {}  # req_id: when, and in which chat
        self._chats: set[str] = set()
        self._ids = itertools.count(1)

    def live(self) -> int:
        return sum(not ws.closed for ws, _ in self._live)

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        ws = web.WebSocketResponse(max_msg_size=4 << 20)
        await ws.prepare(request)
        subscribed = False
        async for message in ws:
            frame = _frame(message.data) if message.type == WSMsgType.TEXT else None
            if frame is None:
                await ws.close()
                break
            head, cmd = frame.get("headers") or {}, str(frame.get("cmd") or "ack")
            asked = Asked(f"ws/{cmd}", head, frame.get("body") or {}, str(message.data).encode())
            failed = self.fail(asked)
            if failed in ("drop", "hang") or isinstance(failed, dict):
                self.record(asked, failed["errcode"] if isinstance(failed, dict) else -1)
            if failed == "hang":
                continue
            if failed == "drop":
                _abort(request)
                break
            answer = failed if isinstance(failed, dict) else self._answer(cmd, head, asked, subscribed)
            if failed is None or failed == "lost":
                self.record(asked, answer["errcode"])
            if failed == "lost":
                _abort(request)
                break
            if cmd == "aibot_subscribe" and answer["errcode"] == 0:
                await self.kick()
                self._live, subscribed = [(ws, request)], True
            await ws.send_json({"headers": head} | answer)
        return ws

    def _answer(self, cmd: str, head: dict[str, str], asked: Asked, subscribed: bool) -> Answer:
        body = asked.body
        if cmd == "aibot_subscribe":
            given = (body.get("bot_id"), body.get("secret"))
            right = given == (self.credentials.aibot_id, self.credentials.aibot_secret)
            return ok() if right else no(853000, "invalid bot_id or secret")
        if cmd == "ping":
            return ok()
        if not subscribed:
            return no(846600, "not subscribed")
        if cmd in _ANSWERS:
            return self._respond(cmd, str(head.get("req_id", "")), body)
        if cmd == "aibot_send_msg":
            return self._send(body)
        if cmd == "aibot_upload_media_init":
            return ok(body={"upload_id": f"up{next(self._ids)}"})
        if cmd == "aibot_upload_media_chunk":
            return ok()
        if cmd == "aibot_upload_media_finish":
            return ok(
                body={"type": "image", "media_id": f"AIBOT_{next(self._ids)}", "created_at": self.time.unix()}
            )
        return no(40058, "unknown cmd")

    def _respond(self, cmd: str, req_id: str, body: dict[str, Any]) -> Answer:
        if req_id not in self._asked:
            return no(846605, "invalid req_id")
        at, chat = self._asked[req_id]
        if self.time.now() - at > _ANSWERS[cmd]:
            late = cmd == "aibot_respond_msg"
            return (
                no(846608, "stream message update expired")
                if late
                else no(846605, "invalid req_id: too late")
            )
        if size((body.get("stream") or {}).get("content", "")) > 20480:
            return no(40058, "stream.content exceed max length 20480")
        return self._too_often(chat) or ok()

    def _send(self, body: dict[str, Any]) -> Answer:
        """Unasked, and only to those who wrote first."""
        chat, kind = str(body.get("chatid")), str(body.get("msgtype"))
        if chat not in self._chats:
            return no(846607, "chat has not written to the robot")
        if body.get("chat_type", 1) not in (1, 2) or not isinstance(body.get(kind), dict):
            return no(40058, "invalid message")
        return self._too_often(chat) or ok()

    def _too_often(self, chat: str) -> Answer | None:
        """Answers and pushes count together."""
        over = self._limit.over(f"minute:{chat}", MINUTE, 30) or self._limit.over(f"hour:{chat}", HOUR, 1000)
        return no(45009, "freq out of limit") if over else None

    async def push(self, cmd: str, body: dict[str, Any]) -> str:
        """Somebody wrote or did something: a frame to whoever is connected."""
        ws = next((ws for ws, _ in self._live if not ws.closed), None)
        assert ws is not None, "nobody is connected"
        req_id = f"req{next(self._ids):08d}"
        chat = str(body.get("chatid") or (body.get("from") or {}).get("userid", ""))
        self._asked[req_id] = (self.time.now(), chat)
        self._chats.add(chat)
        await ws.send_json({"cmd": cmd, "headers": {"req_id": req_id}, "body": body})
        return req_id

    async def kick(self) -> None:
        for ws, _ in self._live:
            if not ws.closed:
                event = {"eventtype": "disconnected_event"}
                body = {"msgid": f"d{next(self._ids)}", "create_time": self.time.unix(), "msgtype": "event"}
                body |= {"aibotid": self.credentials.aibot_id, "event": event}
                head = {"req_id": f"req{next(self._ids):08d}"}
                await ws.send_json({"cmd": "aibot_event_callback", "headers": head, "body": body})
                # Not awaited: the one before may be slow to say goodbye, and the new one waits.
                self._goodbyes.add(asyncio.create_task(ws.close()))
        self._live = []

    async def cut(self) -> None:
        for _, request in self._live:
            _abort(request)
        self._live = []

    async def end(self) -> None:
        await self.cut()
        await asyncio.gather(*self._goodbyes)


def _frame(data: Any) -> dict[str, Any] | None:
    try:
        frame = json.loads(data)
    except ValueError:
        return None
    return frame if isinstance(frame, dict) else None


def _abort(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()
