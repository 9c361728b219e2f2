"""A smart bot (智能机器人) of WeCom: in groups of the company and alone, by callback or long connection."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from aiohttp import web
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from bot.channels import aibot_reading, aibot_saying, callback, wechat_callback
from bot.channels.aibot_connection import Connection, Frame
from bot.channels.aibot_reading import Asked, Picture, Spoken, Tapped
from bot.channels.base import (
    Counters,
    Desk,
    Handle,
    Limits,
    Outgoing,
    PermanentFailure,
    RetryLater,
)
from bot.channels.carrying import in_pieces
from bot.channels.pace import Turns
from bot.channels.wechat_api import ApiError, WeChatApi, failure
from bot.channels.wechat_envelope import Envelope, Refused, Secret
from bot.channels.wechat_pictures import Pictures
from bot.channels.wechat_reading import Aside
from bot.channels.wecom_api import numbered

log = logging.getLogger(__name__)

#: Messages to one chat, and seconds: 30 and 1000, of which some are left to the answers, which count too.
PACE = ((20, 70.0), (900, 3610.0))
READY = 2.5  # seconds until the platform is told that the answer is still being made; it waits for five
ASKS = 10.0  # seconds within which it asks again; then the answer goes another way
HOSTS = ("myqcloud.com", "qq.com")  # where the platform keeps pictures
WAITING, LOST = "正在办，请稍等…", "刚才没有记下来，请再说一遍。"


@dataclass(frozen=True, slots=True)
class Bot:
    """The bot's connection where it has one; `salt` makes the names of its cards and pictures ours alone."""

    api_base: str
    salt: bytes = field(repr=False)
    connection: Connection | None = None


class SmartBot:
    """At /wechat/aibot where `secrets` are given, and on the long connection where there is one."""

    name = "aibot"
    untried = "回调只能由平台来试；长连接一试就会把正在跑的服务挤下来，所以不试"

    def __init__(
        self,
        bot: Bot,
        *,
        secrets: Callable[[], Sequence[Secret]] | None,
        desk: Desk,
        uploads: Path,
        now: Callable[[], datetime],
    ) -> None:
        self._bot, self._secrets, self._desk = bot, secrets, desk
        self.limits = Limits(
            text=aibot_saying.TEXT, buttons=True, per_chat=PACE, windowed=True, octets=aibot_saying.TEXT
        )
        self.counters = Counters()
        self._envelope = Envelope(secrets or (lambda: ()), "", lambda: now().timestamp())
        self._api = WeChatApi(bot.api_base)
        self._pictures = Pictures(uploads, bot.salt.hex(), self._file, self.counters)
        self._handle: Handle | None = None
        self._streams: dict[str, asyncio.Task[Outgoing | None]] = {}
        self._turns = Turns()
        self._groups: set[str] = set()
        self._beside: set[asyncio.Task[None]] = set()

    # In, by callback

    def routes(self) -> Sequence[web.RouteDef]:
        if self._secrets is None:
            return ()
        return [web.get("/wechat/aibot", self._check), web.post("/wechat/aibot", self._callback)]

    async def listen(self, handle: Handle) -> None:
        self._handle = handle
        if self._bot.connection is not None:
            await self._bot.connection.run(self._framed, self._connected)
        await asyncio.Event().wait()

    def _connected(self, live: bool) -> None:
        """While the connection stands, whoever wrote once can be written to."""
        self.limits = replace(self.limits, windowed=not live)

    async def _check(self, request: web.Request) -> web.Response:
        return wechat_callback.tried(request, self._envelope, self.counters)

    async def _callback(self, request: web.Request) -> web.Response:
        query = request.query
        try:
            outer = _object(await callback.body(request))
            cipher = outer.get("encrypt")
            if not isinstance(cipher, str) or not cipher:
                raise Refused(400, "not encrypted")
            opened = self._envelope.open(
                query.get("msg_signature", ""), query.get("timestamp", ""), query.get("nonce", ""), cipher
            )
            said = await self._answer(_object(opened.text.encode("utf-8", "replace")))
        except Refused as refused:
            return callback.refusal(self.counters, refused)
        if said is None:
            return web.Response()
        sealed = self._envelope.seal(json.dumps(said, ensure_ascii=False), opened.secret)
        return web.json_response(sealed | {"timestamp": int(sealed["timestamp"])})

    async def _answer(self, found: Mapping[str, Any]) -> dict[str, Any] | None:
        """What the platform is told at once; None where there is nothing to say."""
        match aibot_reading.read(found, self.name):
            case Aside() as aside:
                self.counters.refuse(aside.reason)
                return None
            case Asked(stream):
                return await self._goes_on(stream)
            case Tapped(incoming, task):
                await self._handled(Spoken(incoming))
                return aibot_saying.tapped(incoming.text, task)
            case Spoken() as spoken:
                return await self._spoken(spoken)

    async def _spoken(self, spoken: Spoken) -> dict[str, Any] | None:
        """The answer if it is there in time; else a stream that is not finished, of which it asks again."""
        id_ = spoken.incoming.id
        task = self._streams.get(id_) or asyncio.create_task(self._handled(spoken))
        done, _ = await asyncio.wait({task}, timeout=READY)
        if not done and not spoken.hello:
            if id_ not in self._streams:
                self._streams[id_] = task
                self._aside(self._or_carry(id_, task))
            return aibot_saying.stream(id_, WAITING, finish=False)
        answer = await task
        if answer is None:
            return None
        return aibot_saying.welcome(answer.text) if spoken.hello else self._whole(id_, answer)

    def _whole(self, id_: str, answer: Outgoing) -> dict[str, Any]:
        return aibot_saying.answer(id_, answer, numbered(self._bot.salt, answer.id))

    async def _goes_on(self, stream: str) -> dict[str, Any]:
        """The platform asks how an answer goes on: after a start too, from what was kept."""
        task = self._streams.get(stream)
        if task is not None and not task.done():
            await asyncio.wait({task}, timeout=READY)
            if not task.done():
                return aibot_saying.stream(stream, WAITING, finish=False)
        self._streams.pop(stream, None)
        try:
            known, answer = (True, task.result()) if task is not None else await self._desk.remembered(stream)
        except Exception:  # it was not kept, or nobody can tell
            known, answer = False, None
        if answer is None:
            return aibot_saying.stream(stream, "好。" if known else LOST, finish=True)
        return self._whole(stream, answer)

    async def _or_carry(self, stream: str, task: asyncio.Task[Outgoing | None]) -> None:
        """An answer that the platform does not come for goes another way."""
        await asyncio.wait({task})
        await asyncio.sleep(ASKS)
        if self._streams.pop(stream, None) is None:
            return
        answer = task.result() if task.exception() is None else None
        if answer is not None:
            await callback.carry(self._desk, answer, "")

    async def _handled(self, spoken: Spoken) -> Outgoing | None:
        """In its chat's turn, with its pictures. Raises Refused 503 when nothing was kept."""
        if self._handle is None:
            raise Refused(503, "not listening")
        if spoken.incoming.group:
            self._groups.add(spoken.incoming.chat)
        async with self._turns.of(spoken.incoming.chat):
            photos = [await self._pictures.take(_named(one)) for one in spoken.pictures]
            try:
                return await self._handle(replace(spoken.incoming, photos=tuple(photos)))
            except Exception:
                log.exception("message %s was not kept", spoken.incoming.id)
                raise Refused(503, "not kept") from None

    async def _file(self, named: str) -> bytes:
        """A picture, decrypted: AES-256-CBC as in the envelope, with its own key or the bot's."""
        url, _, key = named.partition(" ")
        sealed = await self._api.picture(url, HOSTS)
        keys = [key] if key else [one.aes_key for one in (self._secrets or tuple)()]
        for one in keys:
            if (found := _decrypted(sealed, one)) is not None:
                return found
        raise ApiError(40004, "a picture that no key opens", {})

    # In, by connection

    async def _framed(self, frame: Frame) -> None:
        """A message or event of the long connection, answered there."""
        assert self._bot.connection is not None
        try:
            said = await self._answer(frame.body)
        except Refused as refused:
            self.counters.refuse(refused.reason)
            return
        if said is not None:
            await self._bot.connection.answer(frame, said)

    # Out

    async def send(self, message: Outgoing) -> str:
        """On the connection while it stands; else to the address that came with the chat's last message."""
        connection = self._bot.connection
        if connection is not None and connection.live:
            return await in_pieces(aibot_saying.pushed(message), lambda body, _: self._push(message, body))
        if not message.token:
            raise RetryLater("智能机器人没有连上", whole_channel=True)
        body, *rest = aibot_saying.pushed(message)
        try:
            answer = await self._api.post_to(message.token, body)
        except ApiError as refused:
            if refused.code == 60140:  # used, or its hour is over
                raise PermanentFailure(f"{refused.code} 这次的回复地址用过了", closed=True) from None
            raise failure(refused, message.lane) from None
        except Exception as problem:
            raise failure(problem, message.lane) from None
        if rest:
            log.warning("message %s was longer than one answer", message.id)
        return str(answer.get("msgid", ""))

    async def _push(self, message: Outgoing, body: Mapping[str, Any]) -> str:
        assert self._bot.connection is not None
        return await self._bot.connection.push(message.chat, 2 if self._group(message.chat) else 1, body)

    def _group(self, chat: str) -> bool:
        """Whether a chat is a group: one that was heard of, or that is called as the platform calls them."""
        return chat in self._groups or chat.startswith("wr")

    def _aside(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._beside.add(task)
        task.add_done_callback(self._beside.discard)

    async def close(self) -> None:
        for task in self._beside:
            task.cancel()
        await asyncio.gather(*self._beside, return_exceptions=True)
        if self._bot.connection is not None:
            await self._bot.connection.close()
        await self._pictures.close()
        await self._api.close()

    async def probe(self) -> str:
        """A callback can only be tried from the platform's page."""
        return "" if self._bot.connection is None else await self._bot.connection.probe()


def _object(data: bytes) -> dict[str, Any]:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        raise Refused(400, "not JSON") from None
    if not isinstance(found, dict):
        raise Refused(400, "no object")
    return found


def _named(picture: Picture) -> str:
    return f"{picture.url} {picture.aes_key}"


def _decrypted(sealed: bytes, aes_key: str) -> bytes | None:
    """The plain bytes; None where the key is another."""
    try:
        key = base64.b64decode(aes_key + "=" * (-len(aes_key) % 4))
        decryptor = Cipher(algorithms.AES(key), modes.CBC(key[:16])).decryptor()
        body = decryptor.update(sealed) + decryptor.finalize()
    except ValueError:
        return None
    padding = body[-1] if body else 0
    whole = 1 <= padding <= 32 and body[-padding:] == bytes((padding,)) * padding
    return body[:-padding] if whole else None
