"""A WeChat Official Account: encrypted callbacks in, answers with the acknowledgement or afterwards."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from aiohttp import web

from bot.channels import callback, pictures, wechat_callback, wechat_reading
from bot.channels.base import (
    Counters,
    Desk,
    Handle,
    Incoming,
    Limits,
    Outgoing,
    PermanentFailure,
    Photo,
)
from bot.channels.carrying import in_pieces
from bot.channels.pace import insist
from bot.channels.text import octets, split
from bot.channels.wechat_api import ApiError, TokenStore, WeChatApi, failure, trouble
from bot.channels.wechat_envelope import Envelope, Refused, Secret
from bot.channels.wechat_oa_table import Menu, Template, read_table
from bot.channels.wechat_pictures import LASTS, Pictures
from bot.channels.wechat_reading import Aside

__all__ = ["Account", "Menu", "OfficialAccount", "Template", "read_table"]

log = logging.getLogger(__name__)

TEXT = 2048  # bytes (OA doc, 全局返回码 45002)


@dataclass(frozen=True, slots=True)
class Account:
    """The account as its page shows it, and what its community's file says of it."""

    app_id: str
    app_secret: str = field(repr=False)
    menu: Menu = ()
    template: Template | None = None
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Asia/Shanghai"))


class OfficialAccount:
    """公众号 or 服务号 in safe mode, at /wechat/oa."""

    name = "wechat_oa"

    def __init__(
        self,
        account: Account,
        *,
        secrets: Callable[[], Sequence[Secret]],
        desk: Desk,
        uploads: Path,
        api_base: str,
        now: Callable[[], datetime],
    ) -> None:
        self._account, self._desk, self._uploads, self._now = account, desk, uploads, now
        notices = account.template is not None
        self.limits = Limits(text=TEXT, windowed=True, notices=notices, octets=TEXT, reserve=1)
        self.counters = Counters()
        self._envelope = Envelope(secrets, account.app_id, lambda: now().timestamp())
        self._api = WeChatApi(api_base)
        self._tokens = TokenStore(self._fetch_token)
        self._pictures = Pictures(uploads, account.app_secret, self._file, self.counters)
        self._handle: Handle | None = None
        self._original = ""

    # In

    def routes(self) -> Sequence[web.RouteDef]:
        return [web.get("/wechat/oa", self._check), web.post("/wechat/oa", self._callback)]

    async def listen(self, handle: Handle) -> None:
        self._handle = handle
        self._pictures.resume(await self._desk.pictures(LASTS))
        if self._account.menu:
            await insist("menu/create", self._set_menu)
        await asyncio.Event().wait()

    async def _check(self, request: web.Request) -> web.Response:
        """The platform asks once whether the address is ours: its word comes back as it is."""
        query = request.query
        try:
            self._envelope.verify(
                query.get("signature", ""), query.get("timestamp", ""), query.get("nonce", "")
            )
        except Refused as refused:
            return callback.refusal(self.counters, refused)
        return web.Response(text=query.get("echostr", "")[:256])

    async def _callback(self, request: web.Request) -> web.Response:
        try:
            opened, found = await self._opened(request)
            heard = wechat_reading.read(found, self.name)
            if isinstance(heard, Aside):
                await wechat_callback.put_aside(heard, self.counters, self._desk)
                return web.Response(text="success")
            incoming = await self._with_picture(heard.incoming, heard.picture)
            return await self._answered(incoming, opened)
        except Refused as refused:
            return callback.refusal(self.counters, refused)

    async def _answered(self, incoming: Incoming, secret: Secret) -> web.Response:
        answer = await callback.turn(self._handle, incoming, self._desk)
        first, *rest = (split(answer.text, TEXT, octets) if answer else []) or [""]
        if answer is None or not first:
            return web.Response(text="success")
        if rest:
            await callback.carry(self._desk, answer, "\n".join(rest))
        return self._reply(incoming.sender, first, secret)

    async def _opened(self, request: web.Request) -> tuple[Secret, Mapping[str, object]]:
        opened, outer = await wechat_callback.opened(request, self._envelope)
        found = wechat_reading.fields(opened.text)
        original = wechat_reading.word(found, "ToUserName")
        if not original or original != (self._original or original):
            raise Refused(401, "for somebody else")
        if outer.get("ToUserName", original) != original:
            raise Refused(401, "for somebody else")
        self._original = original  # nobody but the platform can seal one: the first tells our name
        return opened.secret, found

    async def _with_picture(self, incoming: Incoming, media: str) -> Incoming:
        return replace(incoming, photos=(await self._pictures.take(media),)) if media else incoming

    def _reply(self, to: str, text: str, secret: Secret) -> web.Response:
        said = {
            "ToUserName": to,
            "FromUserName": self._original,
            "CreateTime": int(self._now().timestamp()),
            "MsgType": "text",
            "Content": text,
        }
        return wechat_callback.reply(self._envelope, secret, said)

    # Out

    async def send(self, message: Outgoing) -> str:
        """As customer service; as a notice by the account's template where nobody has written lately."""
        if message.closed:
            return await self._by_template(message)
        photos = [await self._uploaded(photo, message) for photo in message.photos]
        bodies: list[dict[str, object]] = [
            {"msgtype": "text", "text": {"content": part}} for part in split(message.text, TEXT, octets)
        ]
        bodies += [{"msgtype": "image", "image": {"media_id": media}} for media in photos if media]

        async def custom(body: dict[str, object], _: int) -> str:
            await self._called("/cgi-bin/message/custom/send", {"touser": message.chat} | body, message)
            return ""

        return await in_pieces(bodies, custom)

    async def _by_template(self, message: Outgoing) -> str:
        template = self._account.template
        if template is None:
            raise PermanentFailure("48 小时内对方没有说过话", closed=True)
        local = self._now().astimezone(self._account.zone)
        values = {
            "text": message.text.strip().splitlines()[0][:20] if message.text.strip() else "",
            "time": f"{local:%Y-%m-%d %H:%M}",
            "name": template.name,
        }
        data = {name: {"value": words.format(**values)[:200]} for name, words in template.fields.items()}
        body: dict[str, object] = {"touser": message.chat, "template_id": template.id, "data": data}
        if template.kind == "subscribe":
            path = "/cgi-bin/message/subscribe/bizsend"
        else:
            path = "/cgi-bin/message/template/send"
            body["client_msg_id"] = f"linli-{message.id}"
        try:
            answer = await self._called(path, body, message)
        except PermanentFailure as refused:
            if refused.reason.startswith("45065"):  # it went out before, and the answer was lost
                return ""
            raise
        return str(answer.get("msgid", ""))

    async def _called(self, path: str, body: object, message: Outgoing) -> dict[str, object]:
        try:
            return await self._api.call(path, body, tokens=self._tokens)
        except Exception as problem:
            raise failure(problem, message.lane) from None

    async def _uploaded(self, photo: Photo, message: Outgoing) -> str:
        """Its media id; "" when it is gone, too large, or not wanted: the words matter more."""
        data = await asyncio.to_thread(pictures.fetch, self._uploads, photo, 10 * 1024 * 1024)
        if data is None:
            log.warning("message %s goes without a picture", message.id)
            return ""
        try:
            answer = await self._api.upload(
                "/cgi-bin/media/upload", data, photo.media_type, tokens=self._tokens, params={"type": "image"}
            )
        except Exception as problem:
            log.warning("message %s goes without a picture: %s", message.id, type(problem).__name__)
            return ""
        return str(answer.get("media_id", ""))

    async def close(self) -> None:
        await self._pictures.close()
        await self._api.close()

    async def probe(self) -> str:
        try:
            await asyncio.wait_for(self._tokens.get(), 5)
        except Exception as problem:
            return trouble(
                problem, "公众号", key_in="LINLI_WECHAT_OA_APP_SECRET", id_in="LINLI_WECHAT_OA_APP_ID"
            )
        return ""

    # The platform's other calls

    async def _fetch_token(self, forced: bool) -> tuple[str, float]:
        """OA doc, getStableAccessToken: a forced one makes a new token, the old one ends at once."""
        asked = {
            "grant_type": "client_credential",
            "appid": self._account.app_id,
            "secret": self._account.app_secret,
            "force_refresh": forced,
        }
        answer = await self._api.call("/cgi-bin/stable_token", asked)
        return str(answer["access_token"]), float(answer.get("expires_in", 7200))

    async def _file(self, media: str) -> bytes:
        return await self._api.file("/cgi-bin/media/get", tokens=self._tokens, params={"media_id": media})

    async def _set_menu(self) -> None:
        try:
            buttons = [_button(one) for one in self._account.menu]
            await self._api.call("/cgi-bin/menu/create", {"button": buttons}, tokens=self._tokens)
        except ApiError as refused:
            if refused.code in (48001, 48004) or 40015 <= refused.code <= 40027:
                log.error("the menu was refused: %s %s", refused.code, refused.words)
                return  # it will be refused again
            raise


def _button(one: Mapping[str, object]) -> dict[str, object]:
    items = one.get("items")
    if isinstance(items, Sequence) and not isinstance(items, str):
        return {"name": one["name"], "sub_button": [_button(item) for item in items]}
    return {"type": "click", "name": one["name"], "key": one.get("says") or one["name"]}
