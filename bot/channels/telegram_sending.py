"""Carrying one message to Telegram: cut to size, at its pace, and honest about what became of it."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path

from telegram import InlineKeyboardButton, InlineKeyboardMarkup, InputFile, LinkPreviewOptions, Message, error

from bot.channels import pictures
from bot.channels.base import Lane, Outgoing, PermanentFailure, RetryLater, UnknownOutcome
from bot.channels.pace import Pace
from bot.channels.telegram_reading import ANONYMOUS, button_handle
from bot.channels.telegram_wire import Wire, failure, seconds
from bot.channels.text import clean, split, units

log = logging.getLogger(__name__)

# core.telegram.org/bots/api: UTF-16 units of a text and of a caption, bytes behind a button, bytes of a photo
TEXT, CAPTION, DATA, PHOTO = 4096, 1024, 64, 10 * 1024 * 1024
# core.telegram.org/bots/faq: 30 a second over all, 1 a second in a chat, 20 a minute in a group. A bit less.
PER_SECOND, CHAT_EVERY, CHAT_BURST, GROUP_MINUTE = 25, 1.1, 3, 20
SHORT_WAIT = 1.5  # seconds a message waits for its chat's turn before it gives its place to others
LONG_WAIT = 120.0  # the second half of a message has no choice

_TOPIC_GONE = re.compile(r"thread not found|topic_(?:closed|deleted)", re.IGNORECASE)

#: Told a group's old and new address.
Migrated = Callable[[str, str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class _Piece:
    """One call: a text, or a picture with or without one."""

    text: str = ""
    picture: bytes | None = None
    buttons: InlineKeyboardMarkup | None = None


@dataclass(frozen=True, slots=True)
class _Place:
    """A chat, and a topic in it or 0."""

    chat: int
    topic: int = 0


class Sender:
    """Knows each chat's pace, which chats want to be left alone, and where groups have moved to."""

    def __init__(self, wire: Wire, uploads: Path) -> None:
        self._wire, self._uploads = wire, uploads
        self._pace = Pace(PER_SECOND, CHAT_EVERY, CHAT_BURST, GROUP_MINUTE)
        self._left_alone: dict[int, float] = {}
        self._moved: dict[int, int] = {}
        self._told: dict[int, int] = {}
        self.on_migrate: Migrated | None = None

    async def send(self, message: Outgoing) -> str:
        """The first piece's id at Telegram. Once that has arrived, the whole is never offered again."""
        place = _place(message.chat)
        pieces = await self._pieces(message)
        if not pieces:
            raise PermanentFailure("没有可发的内容")
        first = ""
        for number, piece in enumerate(pieces):
            try:
                sent = await self._carry(place, piece, message.lane, LONG_WAIT if number else SHORT_WAIT)
            except (RetryLater, PermanentFailure) as failed:
                if number == 0:
                    raise
                raise UnknownOutcome(
                    f"只送到了前 {number} 段，共 {len(pieces)} 段：{failed.reason}"
                ) from None
            first = first or sent
        return first

    async def move(self, old: int, new: int) -> None:
        """The group has a new address: the house rewrites its rows. Raises when that was not kept."""
        if old == new or self._told.get(old) == new:
            return
        self._moved[old] = new
        log.info("group %s is now %s", old, new)
        if self.on_migrate is not None:
            await self.on_migrate(str(old), str(new))
        self._told[old] = new

    async def _follow(self, old: int, new: int) -> None:
        """The message in hand goes where the group is; we remember that until the house has kept it."""
        try:
            await self.move(old, new)
        except Exception:
            log.exception("the move of group %s was not kept", old)

    async def _pieces(self, message: Outgoing) -> list[_Piece]:
        text, buttons = clean(message.text).strip(), _keyboard(message)
        photos: list[bytes] = []
        for photo in message.photos:
            data = await asyncio.to_thread(pictures.fetch, self._uploads, photo, PHOTO)
            if data is None:  # deleted when its time was over, or too large: the words still go
                log.warning("message %s goes without a picture", message.id)
            else:
                photos.append(data)
        if len(photos) == 1 and units(text) <= CAPTION:
            return [_Piece(text, photos[0], buttons)]
        parts = split(text, TEXT)
        pieces = [
            _Piece(part, buttons=buttons if number == len(parts) else None)
            for number, part in enumerate(parts, 1)
        ]
        return pieces + [_Piece(picture=photo) for photo in photos]

    async def _carry(self, place: _Place, piece: _Piece, lane: Lane, patience: float) -> str:
        place = self._now_at(place)
        self._refuse_if_left_alone(place.chat)
        wait = await self._pace.turn(place.chat, group=place.chat < 0, patience=patience)
        if wait:
            raise RetryLater("这个会话发得太快，稍后再发", wait)
        self._refuse_if_left_alone(place.chat)  # another message may have found out while we waited
        while True:
            try:
                return str((await self._call(place, piece)).message_id)
            except error.ChatMigrated as moved:
                if moved.new_chat_id == place.chat:
                    raise PermanentFailure("群的地址变了又变") from None
                await self._follow(place.chat, moved.new_chat_id)
                place = replace(place, chat=moved.new_chat_id)
            except error.BadRequest as refused:
                if place.topic and _TOPIC_GONE.search(refused.message):
                    place = replace(place, topic=0)  # the topic is no more or closed, the group is not
                elif piece.picture and piece.text:
                    log.warning("a picture was refused; its words go alone: %s", refused.message)
                    piece = replace(piece, picture=None)
                else:
                    raise failure(refused, lane) from None
            except error.RetryAfter as flood:
                self._left_alone[place.chat] = asyncio.get_running_loop().time() + seconds(flood)
                raise failure(flood, lane) from None
            except Exception as problem:
                raise failure(problem, lane) from None

    async def _call(self, place: _Place, piece: _Piece) -> Message:
        bot, topic = self._wire.bot, place.topic or None
        if piece.picture is None:
            return await bot.send_message(
                place.chat,
                piece.text,
                message_thread_id=topic,
                reply_markup=piece.buttons,
                # a preview makes Telegram open the link, and ours are signed for one person
                link_preview_options=LinkPreviewOptions(is_disabled=True),
            )
        return await bot.send_photo(
            place.chat,
            InputFile(piece.picture, filename="photo.jpg"),
            caption=piece.text or None,
            message_thread_id=topic,
            reply_markup=piece.buttons,
        )

    def _now_at(self, place: _Place) -> _Place:
        seen = set[int]()
        while place.chat in self._moved and place.chat not in seen:
            seen.add(place.chat)
            place = replace(place, chat=self._moved[place.chat])
        return place

    def _refuse_if_left_alone(self, chat: int) -> None:
        now = asyncio.get_running_loop().time()
        self._left_alone = {key: until for key, until in self._left_alone.items() if until > now}
        if until := self._left_alone.get(chat):
            raise RetryLater("Telegram 要求这个会话放慢", until - now)


def _place(chat: str) -> _Place:
    if chat.startswith(ANONYMOUS):
        raise PermanentFailure("用群的身份说的话，没有私聊可回", unreachable=True)
    number, _, topic = chat.partition(":")
    try:
        return _Place(int(number), int(topic or 0))
    except ValueError:
        raise PermanentFailure("不是 Telegram 的会话地址") from None


def _keyboard(message: Outgoing) -> InlineKeyboardMarkup | None:
    """One a row, as phones show them best."""
    rows = [
        [InlineKeyboardButton(label, callback_data=_behind(message.id, number, says))]
        for number, button in enumerate(message.buttons)
        if (label := clean(button.label).strip()) and (says := clean(button.says).strip())
    ]
    return InlineKeyboardMarkup(rows) if rows else None


def _behind(message: int, number: int, says: str) -> str:
    """The words of a button, which so work for ever; where they do not fit, a handle for them."""
    return says if len(says.encode()) <= DATA else button_handle(message, number)
