"""A smart bot of WeCom (智能机器人): members talk to it in private, and in their groups by mentioning it.

Either the platform calls us (a token and an AES key), or we hold a connection to it (a bot id and a secret).
A bot has one of the two; while it changes from one to the other, both may be there.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from aiohttp import web

from bot.channels import aibot_reading, aibot_saying, callback, wechat_callback
from bot.channels.aibot_connection import MESSAGE, Connection, State
from bot.channels.aibot_pictures import LASTS, TRIES, Files
from bot.channels.aibot_reading import Asked, Entered, Heard, Tapped, Told
from bot.channels.aibot_sending import Sending
from bot.channels.aibot_streams import Slow, Streams, Unkept
from bot.channels.base import Counters, Desk, Handle, Incoming, Outgoing
from bot.channels.wechat_api import WeChatApi
from bot.channels.wechat_envelope import Envelope, Opened, Refused, Secret
from bot.channels.wechat_pictures import Pictures
from bot.channels.wechat_reading import Aside, word

log = logging.getLogger(__name__)

# The platform waits five seconds, for the second answer to a card or a welcome in vain.
IN_TIME, CARD_IN_TIME = 2.5, 4.0
Body = Mapping[str, Any]


class SmartBot:
    """智能机器人 at /wechat/aibot, over its connection, or both."""

    name = "aibot"
    untried = "回调只能由平台来试；长连接一试就会把正在跑的服务挤下来，所以不试"

    def __init__(
        self,
        *,
        secrets: Callable[[], Sequence[Secret]] | None,
        line: tuple[str, Callable[[], tuple[str, str]]] | None,
        desk: Desk,
        uploads: Path,
        api_base: str,
        salt: bytes,
        company: str,
        now: Callable[[], datetime],
    ) -> None:
        """`secrets` are the callback's; `line` is the connection's address, and its bot id and secret."""
        self._desk, self._company, self._called = desk, company, secrets is not None
        self.counters = Counters()
        self._envelope = Envelope(secrets or (lambda: ()), "", lambda: now().timestamp())
        self._api = WeChatApi(api_base)
        self._files = Files(self._api, lambda: [one.key for one in secrets()] if secrets else [])
        self._pictures = Pictures(uploads, salt.hex(), self._files.fetch, self.counters, TRIES)
        self._streams = Streams(desk)
        self._handle: Handle | None = None
        self._bot = ""
        self._line = line and Connection(*line, lease=desk.lease, receive=self._frame, changed=self._reckon)
        self._sending = Sending(self._api, self._line, salt)
        self._reckon()

    def _reckon(self) -> None:
        """What may be sent depends on where the connection stands."""
        self.limits = self._sending.limits()
        if self.limits.here:
            self._desk.wake()

    # In

    def routes(self) -> Sequence[web.RouteDef]:
        if not self._called:
            return []
        return [web.get("/wechat/aibot", self._check), web.post("/wechat/aibot", self._callback)]

    async def listen(self, handle: Handle) -> None:
        self._handle = handle
        self._pictures.resume(await self._desk.pictures(LASTS))
        if self._line is not None:
            await self._line.run()
        await asyncio.Event().wait()

    async def _check(self, request: web.Request) -> web.Response:
        return wechat_callback.tried(request, self._envelope, self.counters)

    async def _callback(self, request: web.Request) -> web.Response:
        try:
            outer = _object((await callback.body(request)).decode("utf-8", "replace"))
            cipher = outer.get("encrypt")
            if not isinstance(cipher, str) or not cipher:
                raise Refused(400, "not encrypted")
            opened = self._open(request, cipher)
            told = self._read(_object(opened.text))
            body = await self._answer(told)
        except Refused as refused:
            return callback.refusal(self.counters, refused)
        if body is None:
            return web.Response()
        sealed = self._envelope.seal(json.dumps(body, ensure_ascii=False), opened.secret)
        return web.json_response(sealed | {"timestamp": int(sealed["timestamp"])})

    def _open(self, request: web.Request, cipher: str) -> Opened:
        query = request.query
        return self._envelope.open(
            query.get("msg_signature", ""), query.get("timestamp", ""), query.get("nonce", ""), cipher
        )

    def _read(self, found: Body) -> Told:
        bot = word(found, "aibotid")
        if bot and bot != (self._bot or bot):
            raise Refused(401, "for somebody else")
        self._bot = bot or self._bot  # nobody but the platform can seal one: the first tells our name
        return aibot_reading.read(found, self.name, self._company)

    async def _answer(self, told: Told) -> Body | None:
        """What the acknowledgement says; None for an empty one. Raises Refused 503 when nothing was kept."""
        match told:
            case Asked(number, chat):
                return await self._asked(number, chat)
            case Heard(incoming, pictures):
                incoming = await self._with_pictures(incoming, pictures)
                try:
                    answer = await self._turn(incoming, IN_TIME)
                except Slow:
                    return aibot_saying.stream(incoming.id, aibot_saying.WORKING, finish=False)
                return await self._said(incoming.id, answer)
            case Entered(incoming):
                with suppress(Slow):  # too late to be welcome: it goes by itself
                    answer = await self._turn(incoming, CARD_IN_TIME)
                    return aibot_saying.welcome(answer.text) if answer else None
            case Tapped(incoming, card):
                with suppress(Slow):  # the card can be tapped again
                    await self._turn(incoming, CARD_IN_TIME)
                    members = (incoming.sender,) if incoming.group else ()
                    return aibot_saying.answered(card, incoming.text, *members)
            case Aside(reason):
                self.counters.refuse(reason)
        return None

    async def _asked(self, number: str, chat: str) -> Body:
        try:
            answer = await self._streams.ask(number, chat)
        except Slow:
            return aibot_saying.stream(number, aibot_saying.WORKING, finish=False)
        except Unkept:
            return aibot_saying.stream(number, aibot_saying.LOST)
        except Exception:
            log.exception("%s can't be looked up", number)
            raise Refused(503, "not now") from None
        return await self._said(number, answer) or aibot_saying.stream(number, aibot_saying.NOTED)

    async def _said(self, number: str, answer: Outgoing | None) -> Body | None:
        """The finished answer; what does not fit into it goes after it."""
        pieces = aibot_saying.parts(answer.text) if answer else []
        if answer is None or not pieces:
            return None
        if len(pieces) > 1:
            await callback.carry(self._desk, answer, "\n".join(pieces[1:]))
        return self._sending.with_card(aibot_saying.stream(number, pieces[0]), answer)

    async def _turn(self, incoming: Incoming, within: float) -> Outgoing | None:
        if self._handle is None:
            raise Refused(503, "not listening")
        try:
            return await self._streams.begin(self._handle, incoming, within)
        except Slow:
            raise
        except Exception:
            log.exception("message %s %s was not kept", incoming.channel, incoming.id)
            raise Refused(503, "not kept") from None

    async def _with_pictures(self, incoming: Incoming, pictures: Sequence[str]) -> Incoming:
        ours = [one for one in pictures if self._files.there(one)]
        if len(ours) < len(pictures):
            self.counters.refuse("picture elsewhere")
        photos = await asyncio.gather(*(self._pictures.take(one) for one in ours))
        return replace(incoming, photos=tuple(photos))

    # Over the connection

    async def _frame(self, command: str, req_id: str, body: Body) -> None:
        """A message or event: the same as by callback, but that we say by ourselves how an answer goes on."""
        try:
            told = self._read(body)
            said = await self._answer(told)
            if said is None:
                return
            respond = "aibot_respond_msg"
            if command != MESSAGE:
                respond = (
                    "aibot_respond_update_msg" if isinstance(told, Tapped) else "aibot_respond_welcome_msg"
                )
            await self._respond(respond, req_id, said, told)
            while isinstance(told, Heard) and not said["stream"]["finish"]:
                said = await self._asked(told.incoming.id, told.incoming.chat)
                if said["stream"]["finish"]:
                    await self._respond(respond, req_id, said, told)
        except Refused as refused:
            self.counters.refuse(refused.reason)

    async def _respond(self, command: str, req_id: str, said: Body, told: Told) -> None:
        """Where the platform does not take it, the answer goes by itself: rather twice than not at all."""
        assert self._line is not None
        try:
            await self._line.call(command, said, req_id)
        except Exception as problem:
            log.warning("%s was not taken: %s", command, type(problem).__name__)
            if isinstance(told, Heard | Entered):
                _, answer = await self._desk.remembered(told.incoming.id)
                if answer is not None:
                    await self._desk.carry_answer(answer.id, "")

    # Out

    async def send(self, message: Outgoing) -> str:
        return await self._sending.send(message)

    async def close(self) -> None:
        await self._streams.close()
        if self._line is not None:
            await self._line.close()
        await self._pictures.close()
        await self._api.close()

    async def probe(self) -> str:
        """What became of the connection. It is not tried: a second one would end the first."""
        state = self._line.state if self._line else State.IDLE
        if state is State.TAKEN:
            return (
                "智能机器人的长连接被别处接走了：一个机器人只能有一处连接。"
                "请停掉另一处（或在管理后台重置 Secret），再重启本服务。"
            )
        if state is State.REFUSED and self._line is not None:
            return (
                f"智能机器人的长连接被拒绝了（{self._line.refusal}）：请照管理后台核对 LINLI_WECOM_AIBOT_ID "
                "和 LINLI_WECOM_AIBOT_SECRET，并确认它用的是长连接方式；改好一分钟内会再连。"
            )
        return (
            "连不上智能机器人的长连接：请检查网络，能不能出门访问 443 端口。" if state is State.AWAY else ""
        )


def _object(text: str) -> Body:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise Refused(400, "unreadable") from None
    if not isinstance(found, dict):
        raise Refused(400, "unreadable")
    return found
