"""The smart bot's long connection (WeCom doc 101463): frames both ways, and exactly one holder.

A newer connection ends the one before, which is told so and must not come back. Of several processes of ours
the one with the lease connects; the others wait for it.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
import secrets
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from enum import Enum
from typing import Any

import aiohttp

from bot.channels.pace import Patience, Turns
from bot.channels.wechat_api import ApiError, Dropped, NotSent, TimedOut

log = logging.getLogger(__name__)

FRAME = 1024 * 1024  # bytes
ACK = 5.0  # seconds that we wait for the acknowledgement of a frame
LEASE = 15.0  # seconds; renewed three times within it
NOT_YET = frozenset({-1, 45009})  # refusals of a subscription that pass by themselves
MESSAGE, EVENT = "aibot_msg_callback", "aibot_event_callback"
CALLBACKS = frozenset({MESSAGE, EVENT})


class State(Enum):
    """Where the connection stands."""

    IDLE = "nobody has asked for it yet"
    AWAY = "lost, and looked for"
    ELSEWHERE = "another process of ours has it"
    LIVE = "subscribed"
    REFUSED = "the platform does not let this bot in"
    TAKEN = "somebody else has it now"


class Taken(Exception):
    """The platform says that a newer connection is there (`disconnected_event`)."""


#: A frame of the platform: its command, its req_id and its body.
Receive = Callable[[str, str, Mapping[str, Any]], Awaitable[None]]


class Connection:
    """Held until cancelled. `credentials` gives bot id and secret anew for each attempt.

    `receive` gets frames of one chat one after another. `changed` is told when `state` is another.
    """

    PING = 30.0  # seconds between two pings; two without an answer, and the line is dead
    CONNECT = 4.0  # seconds to connect, and to be let in: with the wait below, back within 15
    SLOWLY = 60.0  # seconds between two attempts with a secret that is refused

    def __init__(
        self,
        url: str,
        credentials: Callable[[], tuple[str, str]],
        *,
        lease: Callable[[str, float], Awaitable[bool]],
        receive: Receive,
        changed: Callable[[], None],
    ) -> None:
        self._url, self._credentials, self._lease = url, credentials, lease
        self._receive, self._changed = receive, changed
        self.state, self.refusal = State.IDLE, 0
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._awaited: dict[str, asyncio.Future[Mapping[str, Any]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._turns = Turns()
        self._numbers = itertools.count(1)
        self._closing = False
        self._ours, self._theirs = asyncio.Event(), asyncio.Event()

    # ------------------------------------------------------------------ our frames

    async def call(self, command: str, body: Mapping[str, Any] | None = None, req_id: str = "") -> None:
        """Send a frame and wait for its acknowledgement.

        Raises ApiError for a refusal, NotSent, Dropped or TimedOut, as calls over HTTP do.
        """
        socket = self._socket
        if socket is None or socket.closed:
            raise NotSent("not connected")
        req_id = req_id or f"{command}-{secrets.token_hex(4)}-{next(self._numbers)}"
        acknowledged: asyncio.Future[Mapping[str, Any]] = asyncio.get_running_loop().create_future()
        self._awaited[req_id] = acknowledged
        frame = {"cmd": command, "headers": {"req_id": req_id}} | ({"body": body} if body else {})
        try:
            async with asyncio.timeout(ACK):
                await socket.send_str(json.dumps(frame, ensure_ascii=False))
                answer = await acknowledged
        except TimeoutError:
            raise TimedOut from None
        except (ConnectionError, aiohttp.ClientError) as problem:
            raise Dropped(type(problem).__name__) from None
        finally:
            if self._awaited.get(req_id) is acknowledged:
                del self._awaited[req_id]
        code = answer.get("errcode", 0)
        if code:
            number = code if isinstance(code, int) else -2
            raise ApiError(number, str(answer.get("errmsg", ""))[:200], answer)

    # ---------------------------------------------------------------- being connected

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._hold())
            group.create_task(self._stay())

    async def _hold(self) -> None:
        """Ask for the lease again and again; whoever loses it lets the line go."""
        loop, until = asyncio.get_running_loop(), float("-inf")
        while not self._closing:
            asked = loop.time()
            try:
                ours = await self._lease("aibot", LEASE)
                until = asked + LEASE if ours else float("-inf")
            except Exception as problem:  # the database; what we had, we have until it ends
                log.warning("the lease of the smart bot's connection: %s", type(problem).__name__)
                ours = loop.time() < until
            if ours:
                self._belongs(ours=True)
            elif self._ours.is_set() or self.state is State.IDLE:
                self._belongs(ours=False)
                await self._hang_up()
                self._become(State.ELSEWHERE)
            await asyncio.sleep(LEASE / 3)

    def _belongs(self, *, ours: bool) -> None:
        mine, other = (self._ours, self._theirs) if ours else (self._theirs, self._ours)
        mine.set()
        other.clear()

    async def _stay(self) -> None:
        patience = Patience()
        async with aiohttp.ClientSession() as session:
            while not self._closing:
                await self._ours.wait()
                try:
                    await self._serve(session, patience)
                except Taken:
                    await self._taken()
                    continue
                except ApiError as refused:
                    if refused.code not in NOT_YET:
                        log.error("the smart bot is not let in: %s", refused.code)
                        self.refusal = refused.code
                        self._become(State.REFUSED)
                        await asyncio.sleep(self.SLOWLY)
                        continue
                    log.warning("the smart bot is not let in yet: %s", refused.code)
                except Exception as problem:
                    log.warning("the smart bot's connection: %s", type(problem).__name__)
                if self._ours.is_set():
                    if self.state is not State.REFUSED:
                        self._become(State.AWAY)
                    await patience.wait()

    async def _taken(self) -> None:
        """By another process of ours, whose turn it is now; or by somebody else, and then it is not ours."""
        with suppress(Exception):  # without the database it is not sure to be ours
            if not await self._lease("aibot", LEASE):
                self._belongs(ours=False)
                self._become(State.ELSEWHERE)
                return
        log.error("the smart bot is connected elsewhere: one bot has one connection; not trying again")
        self._become(State.TAKEN)
        await self._theirs.wait()

    async def _serve(self, session: aiohttp.ClientSession, patience: Patience) -> None:
        """Connect, and be there until the line is lost. Raises Taken, or ApiError where we are not let in."""
        timeout = aiohttp.ClientWSTimeout(ws_close=1.0)
        async with asyncio.timeout(self.CONNECT):
            socket = await session.ws_connect(self._url, max_msg_size=FRAME, timeout=timeout)
        self._socket = socket
        reading = asyncio.create_task(self._read(socket))
        pinging: asyncio.Task[None] | None = None
        try:
            bot, secret = self._credentials()
            async with asyncio.timeout(self.CONNECT):
                await self.call("aibot_subscribe", {"bot_id": bot, "secret": secret})
            self.refusal = 0
            self._become(State.LIVE)
            patience.again()
            pinging = asyncio.create_task(self._ping())
            await reading
        finally:
            for task in (reading, pinging):
                if task is not None and not task.done():
                    task.cancel()
            await self._hang_up()
            if self.state is State.LIVE:
                self._become(State.AWAY)

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        try:
            async for message in socket:
                if message.type is not aiohttp.WSMsgType.TEXT:
                    continue
                try:
                    frame = json.loads(message.data)
                except (ValueError, RecursionError):
                    frame = None
                if isinstance(frame, dict):
                    self._take(frame)
        finally:
            self._forget()

    def _take(self, frame: Mapping[str, Any]) -> None:
        command, headers, body = frame.get("cmd"), frame.get("headers"), frame.get("body")
        req_id = str(headers.get("req_id", "")) if isinstance(headers, Mapping) else ""
        if command not in CALLBACKS:
            awaited = self._awaited.get(req_id)
            if awaited is not None and not awaited.done():
                awaited.set_result(frame)
        elif isinstance(body, Mapping):
            if _event(body) == "disconnected_event":
                raise Taken
            task = asyncio.create_task(self._handle(command, req_id, body))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _handle(self, command: str, req_id: str, body: Mapping[str, Any]) -> None:
        sender = body.get("from")
        chat = body.get("chatid") or (sender.get("userid") if isinstance(sender, Mapping) else "")
        try:
            async with self._turns.of(str(chat)):
                await self._receive(command, req_id, body)
        except Exception:
            log.exception("a frame of the smart bot broke")

    async def _ping(self) -> None:
        missed = 0
        while True:
            await asyncio.sleep(self.PING)
            try:
                await self.call("ping")
                missed = 0
            except TimedOut:
                missed += 1
            except (Dropped, NotSent, ApiError):
                missed = 2
            if missed >= 2:
                log.warning("the smart bot's connection is dead")
                await self._hang_up()
                return

    async def _hang_up(self) -> None:
        socket, self._socket = self._socket, None
        self._forget()
        if socket is not None and not socket.closed:
            with suppress(Exception):
                await asyncio.wait_for(socket.close(), 1)

    def _forget(self) -> None:
        """Whoever waits for an acknowledgement learns that the frame may have arrived."""
        for awaited in self._awaited.values():
            if not awaited.done():
                awaited.set_exception(ConnectionResetError())

    def _become(self, state: State) -> None:
        if self.state is not state:
            self.state = state
            self._changed()

    async def close(self) -> None:
        """Let the frames under way end, hang up, and let another process have it at once."""
        self._closing = True
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=1)
        for task in self._tasks:
            task.cancel()
        await self._hang_up()
        if self._ours.is_set():
            with suppress(Exception):
                await self._lease("aibot", 0)


def _event(body: Mapping[str, Any]) -> object:
    event = body.get("event")
    return event.get("eventtype") if isinstance(event, Mapping) else None
