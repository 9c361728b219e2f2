"""The company's own app in WeCom (自建应用): where staff and committee read, tap and write."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from aiohttp import web
from wechatpy.enterprise.parser import parse_message

from bot.channels import callback, wechat_callback, wechat_reading, wecom_cards, wecom_reading
from bot.channels.base import (
    Cost,
    Counters,
    Desk,
    Handle,
    Incoming,
    Lane,
    Limits,
    Outgoing,
    PermanentFailure,
    RetryLater,
    UnknownOutcome,
)
from bot.channels.carrying import in_pieces
from bot.channels.text import octets, split
from bot.channels.wechat_api import TimedOut, failure
from bot.channels.wechat_envelope import Envelope, Refused, Secret
from bot.channels.wechat_pictures import LASTS, Pictures
from bot.channels.wechat_reading import Aside, Heard
from bot.channels.wecom_api import Company, numbered, stale_media
from bot.channels.wecom_cards import Cards
from bot.channels.wecom_reading import Rung, Tapped

log = logging.getLogger(__name__)

TEXT = 2048  # bytes; WeCom cuts what is longer without a word (WeCom doc 90236)
#: Messages to one member, and seconds; WeCom drops what is over without a word (WeCom doc 90236). The seconds
#: that a call may take are added, because it counts from when it received.
PACE = ((30, 70.0), (1000, 3610.0))
#: Seconds within which the same body is delivered once only: half an hour to four hours (WeCom doc 90236).
SAME, SAMEST = 1800, 14400
HANGS = 10.0  # seconds until a call that was not answered is made again


@dataclass(frozen=True, slots=True)
class App:
    """The app as its page shows it, and how its members like their alerts.

    `salt` makes the names of its cards ours alone.
    """

    company: Company
    agent_id: int
    salt: bytes = field(repr=False)
    cards: Cards = "also"


class WeComApp:
    """自建应用 at /wechat/work."""

    name = "wecom"

    def __init__(
        self,
        app: App,
        *,
        secrets: Callable[[], Sequence[Secret]],
        desk: Desk,
        uploads: Path,
        now: Callable[[], datetime],
    ) -> None:
        self._app, self._company = app, app.company
        self._desk, self._uploads, self._now = desk, uploads, now
        self.limits = Limits(
            text=TEXT, buttons=app.cards != "never", per_chat=PACE, octets=TEXT, cost=self.cost
        )
        self.counters = Counters()
        self._envelope = Envelope(secrets, app.company.corp_id, lambda: now().timestamp())
        self._pictures = Pictures(uploads, app.salt.hex(), app.company.file, self.counters)
        self._handle: Handle | None = None
        self._updates: set[asyncio.Task[None]] = set()
        #: What to do when a customer service rings; without one, the ringing is put aside.
        self.on_ring: Callable[[Rung], None] | None = None

    # In

    def routes(self) -> Sequence[web.RouteDef]:
        return [web.get("/wechat/work", self._check), web.post("/wechat/work", self._callback)]

    async def listen(self, handle: Handle) -> None:
        self._handle = handle
        self._pictures.resume(await self._desk.pictures(LASTS))
        await asyncio.Event().wait()

    async def _check(self, request: web.Request) -> web.Response:
        return wechat_callback.tried(request, self._envelope, self.counters)

    async def _callback(self, request: web.Request) -> web.Response:
        try:
            opened, _ = await wechat_callback.opened(request, self._envelope)
            match self._read(opened.text):
                case Heard(incoming, picture):
                    return await self._heard(incoming, picture, opened.secret)
                case Tapped(incoming, code):
                    return await self._tapped(incoming, code, opened.secret)
                case Rung() as rung if self.on_ring is not None:
                    self.on_ring(rung)
                case Rung():
                    self.counters.refuse("event kf_msg_or_event")
                case Aside() as aside:
                    await wechat_callback.put_aside(aside, self.counters, self._desk)
        except Refused as refused:
            return callback.refusal(self.counters, refused)
        return web.Response()

    def _read(self, text: str) -> Heard | Tapped | Rung | Aside:
        found = wechat_reading.fields(text, parse_message)
        if wechat_reading.word(found, "ToUserName") != self._company.corp_id:
            raise Refused(401, "for somebody else")
        if wechat_reading.word(found, "AgentID") not in ("", str(self._app.agent_id)):
            raise Refused(401, "for another app")
        return wecom_reading.read(found, self.name)

    async def _heard(self, incoming: Incoming, picture: str, secret: Secret) -> web.Response:
        if picture:
            incoming = replace(incoming, photos=(await self._pictures.take(picture),))
        answer = await callback.turn(self._handle, incoming, self._desk)
        if answer is None:
            return web.Response()
        if self.limits.buttons and answer.buttons:  # a passive reply has none
            await callback.carry(self._desk, answer, "")
            return web.Response()
        first, *rest = split(answer.text, TEXT, octets) or [""]
        if not first:
            return web.Response()
        if rest:
            await callback.carry(self._desk, answer, "\n".join(rest))
        return self._reply(incoming.sender, secret, {"MsgType": "text", "Content": first})

    async def _tapped(self, incoming: Incoming, code: str, secret: Secret) -> web.Response:
        """The card loses its buttons at once, or a little later; the answer goes as a message of its own."""
        began = asyncio.get_running_loop().time()
        await callback.turn(self._handle, incoming, self._desk)
        name = wecom_cards.answered(incoming.text)
        if asyncio.get_running_loop().time() - began <= callback.IN_TIME:
            update = {"MsgType": "update_button", "Button": {"ReplaceName": name}}  # WeCom doc 90241
            return self._reply(incoming.sender, secret, update)
        task = asyncio.create_task(self._update(incoming.sender, code, name))
        self._updates.add(task)
        task.add_done_callback(self._updates.discard)
        return web.Response()

    async def _update(self, member: str, code: str, name: str) -> None:
        """By the tap's code, once within 72 hours (WeCom doc 94888). It is only how the card looks."""
        body = {
            "userids": [member],
            "agentid": self._app.agent_id,
            "response_code": code,
            "button": {"replace_name": name},
        }
        try:
            await self._company.call("/cgi-bin/message/update_template_card", body)
        except Exception as problem:
            log.warning("a tapped card keeps its buttons: %s", type(problem).__name__)

    def _reply(self, to: str, secret: Secret, said: Mapping[str, object]) -> web.Response:
        head: dict[str, object] = {
            "ToUserName": to,
            "FromUserName": self._company.corp_id,
            "CreateTime": int(self._now().timestamp()),
        }
        return wechat_callback.reply(self._envelope, secret, head | dict(said))

    # Out

    def cost(self, message: Outgoing) -> Cost:
        """For the budget: the words and pictures, and the card beside them, which can be left out."""
        words = len(split(message.text, TEXT, octets))
        if self._alone(message) is not None:
            return Cost(1 + len(message.photos))
        card = bool(self.limits.buttons and wecom_cards.pressable(message.buttons))
        return Cost(max(words + len(message.photos), 1), int(card))

    def _alone(self, message: Outgoing) -> tuple[str, str] | None:
        """Title and text of a card that is the whole message, where that is enough."""
        # Danger goes both ways: whoever can't see one sees the other.
        wanted = self._app.cards == "only" and message.lane is not Lane.DANGER and message.buttons
        return wecom_cards.whole(message.text) if wanted else None

    async def send(self, message: Outgoing) -> str:
        """Its words, its pictures, and a card with its buttons; returns msgid, and response_code of the card.

        WeCom takes a body once within a while: what may have arrived is sent again.
        """
        if alone := self._alone(message):
            card = await self._card(message, *alone)
            if card:
                await self._photos(message)
                return card
        texts = split(message.text, TEXT, octets)

        async def say(text: str, number: int) -> str:
            return await self._post(message, number, {"msgtype": "text", "text": {"content": text}})

        receipt = await in_pieces(texts, say, again=True)
        await self._photos(message)
        if self.limits.buttons and message.buttons and not message.bare and not alone:
            card = await self._card(message, wecom_cards.heading(message.text), "")
            receipt = f"{receipt} {card.partition(' ')[2]}".strip()
        return receipt

    async def _card(self, message: Outgoing, title: str, below: str) -> str:
        """Its msgid and response_code; "" where WeCom does not take the card: the words do without it."""
        buttons = wecom_cards.pressable(message.buttons)
        if not buttons:
            return ""
        task = numbered(self._app.salt, message.id)
        try:
            return await self._post(message, 0, wecom_cards.card(task, title, below, buttons))
        except PermanentFailure as refused:
            if refused.unreachable:
                raise
            log.warning("message %s goes without its card: %s", message.id, refused.reason)
            return ""

    async def _photos(self, message: Outgoing) -> None:
        for number, photo in enumerate(message.photos):
            media = await self._company.media(self._uploads, photo)
            if media:
                body = {"msgtype": "image", "image": {"media_id": media}}
                try:
                    await self._post(message, number, body)
                except PermanentFailure as refused:
                    log.warning("message %s goes without a picture: %s", message.id, refused.reason)

    async def _post(self, message: Outgoing, number: int, said: Mapping[str, object]) -> str:
        body = {"touser": message.chat, "agentid": self._app.agent_id} | dict(said)
        if message.lane is not Lane.DANGER:  # which rather comes twice than not at all
            body |= {
                "enable_duplicate_check": 1,
                "duplicate_check_interval": same_within(message.id, number),
            }
        try:
            answer = await self._company.call("/cgi-bin/message/send", body)
        except Exception as problem:
            if stale_media(problem):
                self._company.forget_media()
                raise RetryLater("图片要重新上传") from None
            raise _meaning(problem, message.lane) from None
        missed = f"{answer.get('invaliduser', '')}|{answer.get('unlicenseduser', '')}".lower().split("|")
        if message.chat.lower() in missed:
            raise PermanentFailure("不在应用的可见范围，或没有这个成员", unreachable=True)
        return f"{answer.get('msgid', '')} {answer.get('response_code', '')}".strip()

    async def close(self) -> None:
        for task in self._updates:
            task.cancel()
        await self._pictures.close()
        await self._company.close()

    async def probe(self) -> str:
        return await self._company.refusal("企业微信")


def same_within(message: int, number: int) -> int:
    """Seconds for WeCom's check of doubles, another for each message and each part of one.

    WeCom compares whole bodies. An honest repeat of the same words, 「到了吗？」 for the second time, has to
    have a body of its own, and a second try of the same message must not.
    """
    return SAME + (message * 8 + number) % (SAMEST - SAME)


def _meaning(problem: Exception, lane: Lane) -> Exception:
    """What a failed call means: sending again does no harm, so nothing stays doubtful."""
    meant = failure(problem, lane)
    if isinstance(meant, UnknownOutcome):
        return RetryLater(meant.reason, HANGS if isinstance(problem, TimedOut) else None)
    return meant
