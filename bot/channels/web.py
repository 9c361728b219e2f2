"""Web: a chat on our own server, for the sample persons of a demo or for visitors with a cookie."""

from __future__ import annotations

import asyncio
import logging
import os
import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from aiohttp import web

from bot.channels import web_door as door
from bot.channels.base import Button, Counters, Handle, Incoming, Limits, Outgoing, Photo
from bot.channels.page import Page
from bot.channels.web_door import Refused, Seal
from bot.channels.web_live import Live
from bot.channels.web_photos import PHOTO_BYTES, Photos

log = logging.getLogger(__name__)

ASSISTANT = "邻里"
LINES, MOST_LINES = 50, 500
REMEMBERED = 2000  # messages whose words have been shown; a repeat shows nothing new

_MENTION = re.compile(rf"[@＠]{ASSISTANT}[\s\u2005]*")  # WeChat puts U+2005 after a mention
_WEEKDAYS = "一二三四五六日"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class SamplePerson:
    """Somebody a newcomer may speak as: sender address on this channel, name, 「居民 · 3栋2单元501」."""

    account: str
    name: str
    note: str


@dataclass(frozen=True, slots=True)
class SampleGroup:
    """A group a newcomer may speak in: its chat address, its name, the accounts of its members."""

    chat: str
    name: str
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """One message as a chat shows it. `mine`: from a person; `at` is aware, in UTC.

    `id` is "in-" and the `Incoming.id`, or "out-" and the `Outgoing.id`: the same live and in history.
    """

    id: str
    chat: str
    mine: bool
    sender: str
    sender_name: str
    text: str
    at: datetime
    buttons: tuple[Button, ...] = ()
    photos: tuple[Photo, ...] = ()


#: The last `limit` lines of a chat, oldest first.
History = Callable[[str, int], Awaitable[list[Line]]]


class WebChannel:
    """People speak by POST, pages listen by server-sent events, history comes from the house.

    With sample people or groups the page is a demo: whoever opens it may speak as any of them. Without,
    each visitor has one chat, whose address is his own account.
    """

    name = "web"
    limits = Limits(text=4000, buttons=True)

    def __init__(
        self,
        *,
        secret: bytes,
        uploads: Path,
        people: Sequence[SamplePerson],
        groups: Sequence[SampleGroup],
        history: History,
        now: Callable[[], datetime],
        zone: ZoneInfo,
        title: str,
    ) -> None:
        self.counters = Counters()
        self._people = {person.account: person for person in people}
        self._groups = {group.chat: group for group in groups}
        self._demo = bool(people or groups)
        self._uploads, self._history, self._now, self._zone = uploads, history, now, zone
        self._title = title
        self._seal = Seal(secret)
        self._photos = Photos(uploads, self._seal)
        self._page, self._live = Page(), Live()
        self._handle: Handle | None = None
        self._shown: OrderedDict[str, None] = OrderedDict()

    def routes(self) -> Sequence[web.RouteDef]:
        chat = "/api/chat/{chat}"
        return [
            web.get("/", self._guarded(self._index)),
            web.get("/static/{name}", self._guarded(self._static)),
            web.get("/api/chat", self._guarded(self._who)),
            web.get(chat + "/messages", self._guarded(self._read)),
            web.post(chat + "/messages", self._guarded(self._say)),
            web.post(chat + "/photos", self._guarded(self._upload)),
            web.get("/photos/{name:.+}", self._guarded(self._photo)),
            web.get("/api/events", self._guarded(self._events)),
        ]

    async def listen(self, handle: Handle) -> None:
        self._handle = handle
        await asyncio.Event().wait()

    async def send(self, message: Outgoing) -> str:
        """Show it to whoever is looking; whoever is not finds it in the history."""
        self._publish(
            Line(
                f"out-{message.id}",
                message.chat,
                False,
                "",
                ASSISTANT,
                message.text,
                self._now(),
                message.buttons,
                message.photos,
            )
        )
        return ""

    async def close(self) -> None:
        """End the open streams. To be called before the server waits for its requests to end."""
        self._live.close()

    async def probe(self) -> str:
        if await asyncio.to_thread(_writable, self._uploads):
            return ""
        return f"照片存不下：请让本程序能写入 {self._uploads}。"

    # -- who may do what

    def _guarded(self, handler: Handler) -> Handler:
        """Wrap a handler so that the answer carries our headers and is never a 500."""

        async def guarded(request: web.Request) -> web.StreamResponse:
            response: web.StreamResponse
            try:
                if request.method == "POST":
                    door.same_site(request)
                response = await handler(request)
            except Refused as refused:
                self.counters.refuse(refused.reason)
                response = web.Response(status=refused.status, text=refused.line)
            except Exception:
                log.exception("web chat: %s %s broke", request.method, request.path)
                response = web.Response(status=503, text="现在办不了，请稍后再试。")
            for header, value in door.SECURITY_HEADERS.items():
                response.headers.setdefault(header, value)
            return response

        return guarded

    def _readable(self, request: web.Request) -> frozenset[str]:
        if self._demo:
            return frozenset(self._people) | frozenset(self._groups)
        visitor = self._seal.visitor(request)
        return frozenset((visitor,)) if visitor else frozenset()

    def _chat(self, request: web.Request) -> str:
        """Return the chat that the address names; absent and forbidden look the same."""
        chat = request.match_info["chat"]
        if chat not in self._readable(request):
            raise Refused(403, "chat", "这不是您的对话。")
        return chat

    def _speaker(self, chat: str, account: str) -> str:
        """Return the name that the account speaks under in the chat."""
        group = self._groups.get(chat)
        if account not in (group.members if group else (chat,)):
            raise Refused(403, "account", "不能替别人说话。")
        person = self._people.get(account)
        return person.name if person else ""

    # -- the page

    async def _index(self, request: web.Request) -> web.StreamResponse:
        response = self._page.serve("index.html", request)
        self._admit(request, response, self._me(request))
        return response

    async def _static(self, request: web.Request) -> web.StreamResponse:
        return self._page.serve(request.match_info["name"], request)

    async def _who(self, request: web.Request) -> web.StreamResponse:
        me = self._me(request)
        people, groups = self._people.values(), self._groups.values()
        response = web.json_response(
            {
                "title": self._title,
                "demo": self._demo,
                "persons": [{"account": one.account, "name": one.name, "note": one.note} for one in people],
                "groups": [
                    {"chat": one.chat, "name": one.name, "members": [*map(self._member, one.members)]}
                    for one in groups
                ],
                "me": {"account": me} if me else None,
            }
        )
        self._admit(request, response, me)
        return response

    def _me(self, request: web.Request) -> str | None:
        return None if self._demo else self._seal.visitor(request) or door.new_account()

    def _admit(self, request: web.Request, response: web.Response, me: str | None) -> None:
        if me:
            self._seal.admit(request, response, me)

    def _member(self, account: str) -> dict[str, str]:
        person = self._people.get(account)
        return {"account": account, "name": person.name if person else account}

    # -- words

    async def _read(self, request: web.Request) -> web.StreamResponse:
        chat = self._chat(request)
        try:
            limit = int(request.query.get("limit", LINES))
        except ValueError:
            raise Refused(400, "limit", "limit 应当是整数。") from None
        lines = await self._history(chat, min(max(limit, 1), MOST_LINES))
        return web.json_response({"messages": [self._as_json(line) for line in lines]})

    async def _say(self, request: web.Request) -> web.StreamResponse:
        chat, at = self._chat(request), self._now()
        said = door.said(await door.read(request, door.MESSAGE_BYTES))
        name = self._speaker(chat, said.account)
        photos = await self._photos.claim(chat, said.photos)
        group, text, addressed = chat in self._groups, said.text, True
        if group:
            text = _MENTION.sub("", text).strip()
            addressed = said.tap or _MENTION.search(said.text) is not None
        message = Incoming(
            channel=self.name,
            id=f"{said.account}:{said.id}",
            chat=chat,
            sender=said.account,
            text=text,
            sender_name=name,
            group=group,
            addressed=addressed,
            photos=photos,
        )
        await self._hand_on(message)
        if message.id not in self._shown:
            self._remember(message.id)
            line = Line(f"in-{message.id}", chat, True, said.account, name, said.text, at, photos=photos)
            self._publish(line)
        return web.json_response({"id": said.id})

    async def _hand_on(self, message: Incoming) -> None:
        if self._handle is None:
            raise Refused(503, "starting", "正在开门，请稍等。")
        try:
            await self._handle(message)
        except Exception:
            log.exception("message %s was not taken", message.id)
            raise Refused(503, "handle", "没有记下来，请再发一次。") from None

    def _remember(self, message: str) -> None:
        self._shown[message] = None
        if len(self._shown) > REMEMBERED:
            self._shown.popitem(last=False)

    async def _events(self, request: web.Request) -> web.StreamResponse:
        readable = self._readable(request)
        chats = frozenset(filter(None, request.query.get("chats", "").split(",")))
        if not chats or not chats <= readable:
            raise Refused(403, "chat", "这不是您的对话。")
        return await self._live.stream(request, chats)

    def _publish(self, line: Line) -> None:
        if self._live.watched(line.chat):
            self._live.publish(line.chat, self._as_json(line))

    def _as_json(self, line: Line) -> dict[str, object]:
        at = line.at.astimezone(self._zone)
        return {
            "id": line.id,
            "chat": line.chat,
            "mine": line.mine,
            "sender": line.sender,
            "sender_name": line.sender_name,
            "text": line.text,
            "at": line.at.isoformat(timespec="microseconds"),
            "time": f"{at:%H:%M}",
            "date": at.date().isoformat(),
            "day": _day(at.date(), self._now().astimezone(self._zone).date()),
            "buttons": [{"label": button.label, "says": button.says} for button in line.buttons],
            "photos": [
                {"path": photo.path, "src": self._photos.address(line.chat, photo.path)}
                for photo in line.photos
            ],
        }

    # -- photos

    async def _upload(self, request: web.Request) -> web.StreamResponse:
        chat = self._chat(request)
        photo = await self._photos.keep(chat, await door.read(request, PHOTO_BYTES))
        return web.json_response({"path": photo.path, "src": self._photos.address(chat, photo.path)})

    async def _photo(self, request: web.Request) -> web.StreamResponse:
        return await self._photos.serve(request, self._readable(request))


def _day(day: date, today: date) -> str:
    """Return 今天, 昨天, 「3月5日 周四」 or, of another year, 「2025年3月5日」."""
    if (ago := (today - day).days) in {0, 1}:
        return ("今天", "昨天")[ago]
    if day.year != today.year:
        return f"{day.year}年{day.month}月{day.day}日"
    return f"{day.month}月{day.day}日 周{_WEEKDAYS[day.weekday()]}"


def _writable(folder: Path) -> bool:
    """Tell whether the folder, or the nearest one above it that exists, takes files."""
    there = next(one for one in (folder, *folder.absolute().parents) if one.exists())
    return there.is_dir() and os.access(there, os.W_OK | os.X_OK)
