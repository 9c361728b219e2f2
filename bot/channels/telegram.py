"""Telegram: updates by webhook or long polling, answers by the bot's own calls."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import json
import logging
import re
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from aiohttp import web
from telegram import error

from bot.channels import pictures
from bot.channels.base import Counters, Handle, Incoming, Limits, Outgoing, Photo
from bot.channels.pace import Patience, Turns
from bot.channels.telegram_albums import Albums, Parts, one
from bot.channels.telegram_polling import Aside as AsItCame
from bot.channels.telegram_polling import Poller, named, update_id
from bot.channels.telegram_reading import KINDS, Aside, Heard, Me, names_some_bot, read
from bot.channels.telegram_sending import GROUP_MINUTE, PER_SECOND, TEXT, Migrated, Sender
from bot.channels.telegram_wire import NotSent, Wire
from bot.channels.text import clean

log = logging.getLogger(__name__)

BODY = 1024 * 1024  # bytes of one callback
BODY_SECONDS = 10.0
PICTURE_SECONDS = 5.0
PICTURES_AT_ONCE = 4  # of an album's, each up to 20 MB in memory
LOAD_SECONDS = 5.0  # how long an update waits for the albums that were kept before the start
NAME_SECONDS = 2.0  # how long an update waits to learn our username


#: The words behind a button: a chat's address, the message of ours that is in it, which of its buttons. ""
#: where they are not to be had any more, or never were for this chat.
Words = Callable[[str, int, int], Awaitable[str]]


class TelegramChannel:
    """A bot's account. Polls where no `webhook_url` is given; otherwise answers POST /telegram."""

    name = "telegram"
    limits = Limits(
        text=TEXT, per_second=PER_SECOND, per_chat_second=1, per_group_minute=GROUP_MINUTE, buttons=True
    )

    def __init__(
        self,
        token: str,
        *,
        webhook_url: str | None = None,
        webhook_secret: str | None = None,
        api_base: str = "https://api.telegram.org/bot",
        file_base: str = "https://api.telegram.org/file/bot",
        uploads: Path,
        names: tuple[str, ...] = ("邻里",),
    ) -> None:
        if not re.fullmatch(r"[A-Za-z0-9:_-]+", token):
            raise ValueError("LINLI_TELEGRAM_TOKEN 是空的，或含有不该有的字符：请照抄 @BotFather 给的令牌。")
        if webhook_url and not re.fullmatch(r"[A-Za-z0-9_-]{1,256}", webhook_secret or ""):
            raise ValueError(
                "给了 LINLI_TELEGRAM_WEBHOOK_URL，就要给 LINLI_TELEGRAM_WEBHOOK_SECRET："
                "1 到 256 个字母、数字、_ 或 -。"
            )
        own_id, _, _ = token.partition(":")
        self._me = Me(int(own_id) if own_id.isdecimal() else 0, "", names)
        self._token, self._uploads = token, uploads
        self._webhook_url, self._webhook_secret = webhook_url or "", (webhook_secret or "").encode()
        self._wire = Wire(token, api_base, file_base)
        self._handle: Handle | None = None
        self._known = asyncio.Event()
        self._turns = Turns()
        self._albums, self._loaded = Albums(self._turns, self._whole_album), asyncio.Event()
        self._sender = Sender(self._wire, uploads)
        self._asides: set[asyncio.Task[None]] = set()
        self.counters = Counters()
        #: Asked for the words of a button that had no room for them.
        self.words: Words | None = None
        #: Given an update that can't be handled; without it such a one is tried for ever.
        self.keep_aside: AsItCame | None = None

    @property
    def on_migrate(self) -> Migrated | None:
        """Told a group's old and new address when it becomes a supergroup."""
        return self._sender.on_migrate

    @on_migrate.setter
    def on_migrate(self, told: Migrated | None) -> None:
        self._sender.on_migrate = told

    @property
    def parts(self) -> Parts | None:
        """Where the parts of albums are kept; without it each is a message of its own."""
        return self._albums.kept

    @parts.setter
    def parts(self, kept: Parts | None) -> None:
        self._albums.kept = kept

    # In

    def routes(self) -> Sequence[web.RouteDef]:
        return [web.post("/telegram", self._callback)] if self._webhook_url else []

    async def listen(self, handle: Handle) -> None:
        self._handle = handle
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._insist("albums", self._load))
            tasks.create_task(self._learn_name())
            if self._webhook_url:
                await self._insist("setWebhook", self._set_webhook)
                await asyncio.Event().wait()
            else:
                await self._drop_webhook()
                take = partial(self._take, handle)
                await Poller(self._wire, self.counters, take, self._drop_webhook, self.keep_aside).run()

    async def _learn_name(self) -> None:
        await self._insist("getMe", self._ask_name)

    async def _load(self) -> None:
        await self._albums.load()
        self._loaded.set()

    async def _ask_name(self) -> None:
        me = await self._wire.bot.get_me()
        self._me = replace(self._me, id=me.id, username=me.username or "")
        self._known.set()

    async def _set_webhook(self) -> None:
        await self._wire.bot.set_webhook(
            self._webhook_url, allowed_updates=KINDS, secret_token=self._webhook_secret.decode()
        )

    async def _drop_webhook(self) -> None:
        await self._insist(
            "deleteWebhook", partial(self._wire.bot.delete_webhook, drop_pending_updates=False)
        )

    async def _insist(self, what: str, call: Callable[[], Awaitable[object]]) -> None:
        """Until it works: the house opens its door whether Telegram is there or not."""
        patience = Patience()
        while True:
            try:
                await call()
                return
            except Exception as problem:
                log.warning("%s: %s", what, named(problem))
            await patience.wait()

    async def _callback(self, request: web.Request) -> web.Response:
        given = request.headers.get("X-Telegram-Bot-Api-Secret-Token", "").encode("utf-8", "surrogateescape")
        if not hmac.compare_digest(given, self._webhook_secret):
            return self._refuse(401, "wrong secret")
        if self._handle is None:
            return self._refuse(503, "not listening")
        try:
            async with asyncio.timeout(BODY_SECONDS):
                body = await _body(request)
        except Exception:  # too slow, cut off, badly packed
            return self._refuse(400, "broken body")
        if body is None:
            return self._refuse(413, "too large")
        try:
            update = json.loads(body)
        except (ValueError, RecursionError):
            return self._refuse(400, "not JSON")
        if update_id(update) is None:
            return self._refuse(400, "no update_id")
        try:
            await self._take(self._handle, update)
        except Exception:
            log.exception("update %s was not kept", update["update_id"])
            return self._refuse(503, "not kept")
        return web.Response()

    def _refuse(self, status: int, reason: str) -> web.Response:
        self.counters.refuse(reason)
        return web.Response(status=status, text=reason + "\n")

    async def _take(self, handle: Handle, update: dict[str, Any], patience: Patience | None = None) -> None:
        """In its chat's turn: read, its picture fetched, handed over; with `patience`, again until kept."""
        heard = read(update, self._wire.bot, self._me)
        if isinstance(heard, Aside):
            self.counters.refuse(heard.reason)
            log.info("update %s put aside: %s", update["update_id"], heard.reason)
            if heard.moved:
                await self._until_kept(update, patience, partial(self._sender.move, *heard.moved))
            return
        if heard.tap:
            self._beside(self._confirm(heard.tap))
        async with self._turns.of(heard.incoming.chat):
            await self._until_kept(update, patience, partial(self._hear, heard, update, handle))

    async def _until_kept(
        self, update: dict[str, Any], patience: Patience | None, attempt: Callable[[], Awaitable[None]]
    ) -> None:
        while True:
            try:
                return await attempt()
            except Exception:
                if patience is None:
                    raise
                self.counters.refuse("not kept")
                log.exception("update %s was not kept; once more", update["update_id"])
            await patience.wait()

    async def _hear(self, heard: Heard, update: dict[str, Any], handle: Handle) -> None:
        async with asyncio.timeout(LOAD_SECONDS):
            await self._loaded.wait()
        await self._albums.settle(heard.incoming.conversation, but=heard.album)
        if heard.album and self._albums.kept is not None:
            await self._albums.keep(heard, update)
        else:
            heard = await self._named_or_not(heard, update)
            await handle(await self._with_pictures(await self._with_words(heard)))

    async def _whole_album(self, updates: list[dict[str, Any]]) -> None:
        assert self._handle is not None
        parts = []
        for update in updates:
            heard = read(update, self._wire.bot, self._me)
            if isinstance(heard, Heard):
                parts.append(await self._named_or_not(heard, update))
        if parts:
            await self._handle(await self._with_pictures(one(parts)))

    async def _named_or_not(self, heard: Heard, update: dict[str, Any]) -> Heard:
        """While Telegram has not told our username, a little patience; then every bot's name may be ours."""
        if self._me.username or not names_some_bot(update):
            return heard
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._known.wait(), NAME_SECONDS)
        again = read(update, self._wire.bot, self._me)
        return again if isinstance(again, Heard) else heard

    async def _with_words(self, heard: Heard) -> Heard:
        """What the tapped button stands for; nothing where nobody remembers, which is answered as such."""
        if heard.button is None or self.words is None:
            return heard
        words = await self.words(heard.incoming.chat, *heard.button)
        return replace(heard, incoming=replace(heard.incoming, text=clean(words)))

    async def _with_pictures(self, heard: Heard) -> Incoming:
        """What a group shows itself is not ours to keep: only the pictures of who speaks to us."""
        incoming = heard.incoming
        if not (heard.pictures and incoming.addressed):
            return incoming
        room = asyncio.Semaphore(PICTURES_AT_ONCE)

        async def fetched(file_id: str, lasting: str) -> Photo | None:
            async with room:
                return await self._picture(incoming.id, file_id, lasting)

        photos = await asyncio.gather(*(fetched(*ids) for ids in heard.pictures))
        return replace(incoming, photos=tuple(photo for photo in photos if photo))

    async def _picture(self, message: str, file_id: str, lasting: str) -> Photo | None:
        name = pictures.secret_name(self._token, f"{message} {lasting}")
        try:
            photo = pictures.kept(self._uploads, name)
            if photo is not None:
                return photo
            async with asyncio.timeout(PICTURE_SECONDS):
                data = await self._wire.file(file_id)
                return await asyncio.to_thread(pictures.keep, self._uploads, name, data)
        except Exception as problem:  # the words matter more than the picture
            self.counters.refuse("picture lost")
            log.warning("picture of update %s: %s", message, named(problem))
            return None

    async def _confirm(self, tap: str) -> None:
        await self._wire.bot.answer_callback_query(tap)

    # Out

    async def send(self, message: Outgoing) -> str:
        return await self._sender.send(message)

    async def close(self) -> None:
        await self._albums.close()
        for task in self._asides:
            task.cancel()
        await asyncio.gather(*self._asides, return_exceptions=True)
        await self._wire.close()

    async def probe(self) -> str:
        try:
            await self._wire.bot.get_me(read_timeout=5)
        except error.InvalidToken:
            return "Telegram 不认机器人的令牌：请向 @BotFather 核对，改好 LINLI_TELEGRAM_TOKEN 再启动。"
        except (NotSent, error.TimedOut):
            return "连不上 Telegram：请检查网络；需要代理时设 HTTPS_PROXY。"
        except Exception as problem:
            return f"Telegram 暂时出错（{named(problem)}）：请过几分钟再试。"
        return ""

    def _beside(self, call: Coroutine[Any, Any, None]) -> None:
        """Something nobody waits for, and nobody misses when it fails."""

        async def quietly() -> None:
            try:
                await call
            except Exception as problem:
                log.info("answerCallbackQuery: %s", named(problem))

        task = asyncio.create_task(quietly())
        self._asides.add(task)
        task.add_done_callback(self._asides.discard)


async def _body(request: web.Request) -> bytes | None:
    """The body, or None when it is too large; never more of it in memory than allowed."""
    if (request.content_length or 0) > BODY:
        return None
    body = bytearray()
    async for chunk in request.content.iter_chunked(64 * 1024):
        body += chunk
        if len(body) > BODY:
            return None
    return bytes(body)
