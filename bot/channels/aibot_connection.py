"""The long connection of a smart bot: one holder, a ping every 30 seconds, back after a break.

Source: WeCom doc 101463.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

from bot.channels.base import PermanentFailure, RetryLater, UnknownOutcome
from bot.channels.pace import Patience

log = logging.getLogger(__name__)

PING, MISSED = 30.0, 2  # seconds between pings, and how many may go unanswered
ANSWERS = 10.0  # seconds until a frame of ours counts as unanswered
LEASE = 45.0  # seconds that a process holds the connection without saying so again: longer than a ping
WRONG_SECRET = 853000


@dataclass(frozen=True, slots=True)
class Frame:
    """A callback that came by the connection, and the number that its answer wants."""

    req_id: str
    body: Mapping[str, Any]


Hear = Callable[[Frame], Awaitable[None]]


class Connection:
    """Held by exactly one process: `lease` says whether that is us, for so many seconds."""

    def __init__(
        self,
        url: str,
        bot_id: str,
        secret: str,
        lease: Callable[[float], Awaitable[bool]],
        ping: float = PING,
    ) -> None:
        self._url, self._bot_id, self._secret, self._lease, self._ping = url, bot_id, secret, lease, ping
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._waiting: dict[str, asyncio.Future[Mapping[str, Any]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._trouble = ""
        self.live = False

    async def run(self, hear: Hear, changed: Callable[[bool], None]) -> None:
        """Connect, and again after every break; until another holder takes over, or cancelled."""
        patience = Patience()
        self._trouble = "智能机器人的长连接还没有连上：请检查网络。"
        while True:
            if await self._lease(LEASE):
                try:
                    if await self._held(hear, changed, patience):
                        return
                except Exception as problem:
                    log.warning("long connection: %s", type(problem).__name__)
                finally:
                    self._let_go(changed)
            await patience.wait()

    async def _held(self, hear: Hear, changed: Callable[[bool], None], patience: Patience) -> bool:
        """One life of the connection; True when the platform says that somebody else has it now."""
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=5)
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.ws_connect(self._url, max_msg_size=4 << 20) as socket,
        ):
            self._socket = socket
            reading = asyncio.create_task(self._read(socket, hear))
            try:
                subscribed = {"bot_id": self._bot_id, "secret": self._secret}
                code = _code(await self._ask("aibot_subscribe", subscribed))
                if code:
                    self._trouble = _refused(code)
                    log.error("the smart bot was not let in: %s", code)
                    return False
                self.live, self._trouble = True, ""
                changed(True)
                patience.again()
                pinging = asyncio.create_task(self._pinged())
                done, left = await asyncio.wait({reading, pinging}, return_when=asyncio.FIRST_COMPLETED)
                for task in left:
                    task.cancel()
                return any(task.result() for task in done if not task.cancelled() and not task.exception())
            finally:
                reading.cancel()
                with contextlib.suppress(asyncio.CancelledError, Exception):
                    await reading

    def _let_go(self, changed: Callable[[bool], None]) -> None:
        if self.live and not self._trouble:
            self._trouble = "智能机器人的长连接断了，正在重连：请检查网络。"
        if self.live:
            changed(False)
        self.live, self._socket = False, None
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(ConnectionError("the connection broke"))
        self._waiting.clear()

    async def _read(self, socket: aiohttp.ClientWebSocketResponse, hear: Hear) -> bool:
        """True when another connection took over: the platform wants no reconnect then."""
        async for message in socket:
            frame = _object(message.data) if message.type is aiohttp.WSMsgType.TEXT else None
            if frame is None:
                continue
            head = frame.get("headers")
            req_id = str(head.get("req_id", "")) if isinstance(head, Mapping) else ""
            body = frame.get("body")
            if frame.get("cmd") in ("aibot_msg_callback", "aibot_event_callback"):
                if not isinstance(body, Mapping):
                    continue
                if _event(body) == "disconnected_event":
                    self._trouble = "另一处用同一个智能机器人连上了：请停掉其中一处，再重启这里。"
                    log.error("another connection of this smart bot took over")
                    return True
                self._beside(hear(Frame(req_id, body)))
            elif (future := self._waiting.pop(req_id, None)) is not None and not future.done():
                future.set_result(frame)
        return False

    def _beside(self, work: Any) -> None:
        async def watched() -> None:
            try:
                await work
            except Exception:
                log.exception("a frame broke")

        task = asyncio.create_task(watched())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _pinged(self) -> bool:
        """Until two pings were not answered, or the lease is another's."""
        missed = 0
        while missed < MISSED:
            await asyncio.sleep(self._ping)
            if not await self._lease(LEASE):
                return False
            try:
                await self._ask("ping", None, within=min(self._ping, ANSWERS))
                missed = 0
            except TimeoutError:
                missed += 1
        return False

    async def _ask(
        self, cmd: str, body: object, req_id: str = "", within: float = ANSWERS
    ) -> Mapping[str, Any]:
        """Send a frame, wait for its answer. Raises TimeoutError, ConnectionError."""
        if self._socket is None or self._socket.closed:
            raise ConnectionError("not connected")
        number = req_id or secrets.token_hex(12)
        future: asyncio.Future[Mapping[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        frame: dict[str, Any] = {"cmd": cmd, "headers": {"req_id": number}}
        if body is not None:
            frame["body"] = body
        try:
            await self._socket.send_str(json.dumps(frame, ensure_ascii=False))
            return await asyncio.wait_for(future, within)
        finally:
            self._waiting.pop(number, None)

    async def answer(self, frame: Frame, said: Mapping[str, Any]) -> None:
        """Answer a callback on its number."""
        cmd = "aibot_respond_msg"
        if said.get("response_type") == "update_template_card":
            cmd = "aibot_respond_update_msg"
        elif said.get("msgtype") == "text":
            cmd = "aibot_respond_welcome_msg"
        try:
            code = _code(await self._ask(cmd, said, frame.req_id))
        except (TimeoutError, ConnectionError) as problem:
            log.warning("an answer may not have arrived: %s", type(problem).__name__)
            return
        if code:
            log.warning("an answer was refused: %s", code)

    async def push(self, chat: str, kind: int, body: Mapping[str, Any]) -> str:
        """Unasked, to a chat that wrote before; `kind` 1 is a person, 2 a group. Raises as `Channel.send`."""
        try:
            answer = await self._ask("aibot_send_msg", {"chatid": chat, "chat_type": kind} | dict(body))
        except TimeoutError:
            raise UnknownOutcome("智能机器人没有及时回答，可能已送达") from None
        except ConnectionError:
            raise RetryLater("智能机器人的连接断了") from None
        code = _code(answer)
        if code == 45009:
            raise RetryLater("45009 平台要求这个会话放慢", 60.0)
        if code == -1:
            raise RetryLater("-1 平台忙")
        if code:
            raise PermanentFailure(f"{code} {str(answer.get('errmsg', ''))[:200]}")
        return ""

    async def probe(self) -> str:
        return self._trouble

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        with contextlib.suppress(Exception):
            await self._lease(0)  # whoever waits for it need not wait any longer
        if self._socket is not None:
            with contextlib.suppress(Exception):
                await asyncio.wait_for(self._socket.close(), 2)


def _object(data: str) -> dict[str, Any] | None:
    try:
        found = json.loads(data)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _code(answer: Mapping[str, Any]) -> int:
    code = answer.get("errcode", 0)
    return code if isinstance(code, int) else -1


def _event(body: Mapping[str, Any]) -> str:
    event = body.get("event")
    return str(event.get("eventtype", "")) if isinstance(event, Mapping) else ""


def _refused(code: int) -> str:
    if code == WRONG_SECRET:
        return "智能机器人没有连上（853000）：请核对 LINLI_WECOM_AIBOT_ID 和 LINLI_WECOM_AIBOT_SECRET。"
    return f"智能机器人没有连上（{code}）：请在管理后台看它是不是开着长连接。"
