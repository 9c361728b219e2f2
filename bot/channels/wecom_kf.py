"""微信客服: any WeChat user writes, by a link or QR code; we fetch it, and may answer for 48 hours."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from aiohttp import web

from bot.channels import wechat_callback, wecom_kf_reading
from bot.channels.base import (
    Button,
    Counters,
    Desk,
    Handle,
    Lane,
    Limits,
    Outgoing,
    PermanentFailure,
    RetryLater,
    UnknownOutcome,
)
from bot.channels.carrying import in_pieces
from bot.channels.pace import Patience
from bot.channels.text import octets, split
from bot.channels.wechat_api import ApiError, failure, trouble
from bot.channels.wechat_envelope import Refused
from bot.channels.wechat_pictures import LASTS, Pictures
from bot.channels.wechat_reading import Aside, Heard
from bot.channels.wecom_api import Company, numbered
from bot.channels.wecom_kf_reading import SAYS, WELCOME
from bot.channels.wecom_reading import Rung

log = logging.getLogger(__name__)

TEXT, HEAD = 2048, 1024  # bytes of a text, and of the text above a menu (WeCom doc 94677)
ENTRIES, ENTRY, NAME = 10, 128, 64  # entries of a menu; bytes of what one shows, and of its id
PAGE = 1000  # messages fetched at once
GOOD = 590.0  # seconds that the token of a ringing is used; it lives for ten minutes (WeCom doc 94670)
QUIET = 600.0  # seconds without a ringing until we look by ourselves: a ringing may have been lost
SLOWLY = 60.0  # seconds between two looks without a token, which WeCom rations
STRANGE = 3600.0  # seconds: what was written longer before we first looked was not written to us
BAD_TOKEN, BAD_CURSOR = 95007, 95011
AGAIN = "-"  # a bookmark: from the start, but not for the first time


@dataclass(slots=True)
class Bell:
    """One customer service: whether it rang, and what it may be looked at with."""

    account: str
    rung: asyncio.Event = field(default_factory=asyncio.Event)
    token: str = ""
    until: float = 0.0
    problem: Exception | None = None

    def ring(self, token: str) -> None:
        self.token, self.until = token, asyncio.get_running_loop().time() + GOOD
        self.rung.set()

    def good(self) -> str:
        return self.token if self.until > asyncio.get_running_loop().time() else ""


class CustomerService:
    """The customer services of a company that its app may serve. The app's door brings their ringing."""

    name = "kf"

    def __init__(
        self,
        company: Company,
        accounts: Sequence[str],
        *,
        salt: bytes,
        desk: Desk,
        uploads: Path,
        now: Callable[[], datetime],
    ) -> None:
        self.limits = Limits(text=TEXT, buttons=True, windowed=True, octets=TEXT, reserve=1)
        self.counters = Counters()
        self._company, self._salt, self._desk = company, salt, desk
        self._uploads, self._now = uploads, now
        self._pictures = Pictures(uploads, salt.hex(), company.file, self.counters)
        self._bells = {account: Bell(account) for account in accounts}
        self._handle: Handle | None = None

    def routes(self) -> Sequence[web.RouteDef]:
        return ()

    def ring(self, rung: Rung) -> None:
        """There is something; the platform keeps it for three days, so that this need not be kept."""
        bell = self._bells.get(rung.account)
        if bell is None:
            self.counters.refuse("another customer service")
        else:
            bell.ring(rung.token)

    # In

    async def listen(self, handle: Handle) -> None:
        self._handle = handle
        self._pictures.resume(await self._desk.pictures(LASTS))
        async with asyncio.TaskGroup() as group:
            for bell in self._bells.values():
                group.create_task(self._follow(bell))

    async def _follow(self, bell: Bell) -> None:
        """Fetch at the start, when it rings, and after a long silence; again and again while that fails."""
        patience = Patience()
        while True:
            bell.rung.clear()
            try:
                while await self._page(bell):
                    pass
            except Exception as problem:
                bell.problem = problem
                log.warning("%s is not heard: %s", bell.account, type(problem).__name__)
                if bell.good() or not isinstance(problem, ApiError):
                    await patience.wait()
                else:
                    await self._silence(bell, SLOWLY)
            else:
                bell.problem = None
                patience.again()
                await self._silence(bell, QUIET)

    @staticmethod
    async def _silence(bell: Bell, seconds: float) -> None:
        try:
            await asyncio.wait_for(bell.rung.wait(), seconds)
        except TimeoutError:
            return

    async def _page(self, bell: Bell) -> bool:
        """Take one page of messages, in order; whether there is another."""
        mark = f"kf:{bell.account}"
        kept = await self._desk.bookmark(mark)
        cursor = "" if kept == AGAIN else kept
        answer = await self._fetched(bell, mark, cursor)
        listed = answer.get("msg_list")
        messages = listed if isinstance(listed, list) else []
        following = str(answer.get("next_cursor") or "") or cursor
        kept_with_last = False
        for number, one in enumerate(messages, 1):
            found = self._read(one, first=not kept)
            if isinstance(found, Heard):
                kept_with_last = number == len(messages)
                await self._take(found, (mark, following) if kept_with_last else None)
            else:
                await wechat_callback.put_aside(found, self.counters, self._desk)
        if following != cursor and not kept_with_last:
            await self._desk.keep_bookmark(mark, following)
        return answer.get("has_more") == 1 and following != cursor

    async def _fetched(self, bell: Bell, mark: str, cursor: str) -> Mapping[str, Any]:
        body = {"cursor": cursor, "open_kfid": bell.account, "limit": PAGE}
        token = bell.good()
        try:
            return await self._company.call(
                "/cgi-bin/kf/sync_msg", body | ({"token": token} if token else {})
            )
        except ApiError as refused:
            if refused.code == BAD_TOKEN:
                bell.token = ""
            if refused.code == BAD_CURSOR:
                await self._desk.keep_bookmark(mark, AGAIN)
            raise

    def _read(self, one: object, *, first: bool) -> Heard | Aside:
        now = self._now().timestamp()
        if not isinstance(one, Mapping):
            return Aside("no message")
        try:
            found = wecom_kf_reading.read(one, self.name, now)
        except Refused as refused:
            return Aside(refused.reason)
        sent = one.get("send_time")
        if first and isinstance(sent, int) and sent < now - STRANGE:
            return Aside("before our time")
        return found

    async def _take(self, heard: Heard, bookmark: tuple[str, str] | None) -> None:
        assert self._handle is not None
        incoming = replace(heard.incoming, bookmark=bookmark)
        if heard.picture:
            incoming = replace(incoming, photos=(await self._pictures.take(heard.picture),))
        await self._handle(incoming)

    # Out

    async def send(self, message: Outgoing) -> str:
        """Words, with a menu where there is something to choose, and pictures; our own msgid."""
        if message.token.startswith(WELCOME):
            return await self._welcome(message)
        account = message.token if message.token in self._bells else next(iter(self._bells))
        texts: list[dict[str, Any]] = [
            {"msgtype": "text", "text": {"content": part}} for part in split(message.text, TEXT, octets)
        ]
        bodies = [menu(message)] if len(texts) == 1 and has_menu(message) else texts
        for photo in message.photos:
            media = await self._company.media(self._uploads, photo)
            bodies += [{"msgtype": "image", "image": {"media_id": media}}] if media else []

        async def post(said: dict[str, Any], number: int) -> str:
            body = {"touser": message.chat, "open_kfid": account, "msgid": self._name(message, number)}
            return await self._post("/cgi-bin/kf/send_msg", body | said, message)

        return await in_pieces(bodies, post)

    async def _welcome(self, message: Outgoing) -> str:
        """By the code of who came in, once; too late, it waits for a word of theirs like everything else."""
        said = menu(message) if has_menu(message) else {"msgtype": "text", "text": {"content": message.text}}
        code = message.token.removeprefix(WELCOME).partition(":")[2]
        try:
            body = {"code": code, "msgid": self._name(message, 0)} | said
            return await self._post("/cgi-bin/kf/send_msg_on_event", body, message)
        except PermanentFailure as refused:
            raise PermanentFailure(refused.reason, closed=True) from None

    async def _post(self, path: str, body: Mapping[str, Any], message: Outgoing) -> str:
        try:
            answer = await self._company.call(path, body)
        except Exception as problem:
            meant = failure(problem, message.lane)
            # A msgid of our own tells a second try from a second message; a notice is not worth the doubt.
            if isinstance(meant, UnknownOutcome) and message.lane is not Lane.NOTICE:
                meant = RetryLater(meant.reason)
            raise meant from None
        return str(answer.get("msgid") or body["msgid"])

    def _name(self, message: Outgoing, number: int) -> str:
        """At most 32 of 0-9a-zA-Z_-, the same for each try."""
        return f"{numbered(self._salt, message.id)}-{number}"

    async def close(self) -> None:
        await self._pictures.close()
        await self._company.close()

    async def probe(self) -> str:
        if refusal := await self._company.refusal("微信客服"):
            return refusal
        for bell in self._bells.values():
            if isinstance(bell.problem, ApiError):
                return (
                    f"微信客服 {bell.account} 的消息取不到（{bell.problem.code}）："
                    "请在企业微信后台「微信客服」里核对客服账号的 ID，并把本应用加进「可调用接口的应用」。"
                )
            if bell.problem is not None:
                return trouble(bell.problem, "微信客服")
        return ""


def entries(buttons: Sequence[Button]) -> tuple[Button, ...]:
    """The buttons that a menu can have."""
    fit = (one for one in buttons if one.says and octets(SAYS + one.says) <= NAME)
    return tuple(one for one in fit if 0 < octets(one.label) <= ENTRY)[:ENTRIES]


def has_menu(message: Outgoing) -> bool:
    """Whether its words and choices fit into a menu; where they don't, the words say what to answer."""
    return bool(entries(message.buttons)) and octets(message.text) <= HEAD


def menu(message: Outgoing) -> dict[str, Any]:
    """菜单消息 (WeCom doc 94677): whoever taps an entry says it, and we get its id with what they saw."""
    listed = [
        {"type": "click", "click": {"id": SAYS + one.says, "content": one.label}}
        for one in entries(message.buttons)
    ]
    return {"msgtype": "msgmenu", "msgmenu": {"head_content": message.text, "list": listed}}
