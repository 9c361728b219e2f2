"""What a Telegram update says, in the words of no platform."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from telegram import Bot, CallbackQuery, Chat, Message, MessageEntity, Update, User
from telegram.constants import MessageAttachmentType, MessageType

from bot.channels.base import Incoming
from bot.channels.text import clean

#: The kinds of update we ask for: what is not needed is not sent to us.
KINDS = ("message", "edited_message", "callback_query")

HELP = "帮助"

#: Before the address of who speaks as a group or channel: a private word for them would be read by all of it.
ANONYMOUS = "as:"

#: Behind a button whose words do not fit: our message, and which of its buttons. No wording looks like it.
_HANDLE = re.compile(r"button:(\d{1,18})\.(\d{1,3})")

_COMMAND = re.compile(r"/([A-Za-z0-9_]{1,32})(?:@([A-Za-z0-9_]+))?(?:\s+|$)")
_ABOUT_A_MESSAGE = {
    "text", "checklist", "giveaway", "effect_id", "business_connection_id", "reply_to_story",
    "sender_boost_count", "sender_business_bot", "suggested_post_info",
}  # fmt: skip
_BARE = (
    "message_id", "from", "sender_chat", "chat", "date", "text", "caption", "photo",
    "document", "media_group_id", "message_thread_id", "is_topic_message",
)  # fmt: skip
#: Somebody joined, a message was pinned, and the like: nobody spoke.
_SERVICE = {str(kind) for kind in set(MessageType) - set(MessageAttachmentType)} - _ABOUT_A_MESSAGE


@dataclass(frozen=True, slots=True)
class Me:
    """Who we are: `username` is "" until Telegram has told it, `names` are what residents call us."""

    id: int
    username: str
    names: tuple[str, ...]

    def called(self, username: str) -> bool:
        """Whether @username is us; while ours is unknown, every bot's may be."""
        known = self.username.casefold()
        return username.casefold() == known if known else username.casefold().endswith("bot")

    @property
    def mention(self) -> re.Pattern[str]:
        """Our mentions, several in a row, with the spaces and the comma around them."""
        handle = re.escape(self.username) if self.username else "[A-Za-z0-9_]+bot"
        names = "|".join(re.escape(name) for name in sorted(self.names, key=len, reverse=True) if name)
        any_of = f"{handle}(?![A-Za-z0-9_])" + (f"|{names}" if names else "")
        one = rf"(?<![A-Za-z0-9_.])[@＠](?:{any_of})[^\S\n]*[，,：:、]?[^\S\n]*"
        return re.compile(rf"[^\S\n]*(?:{one})+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Heard:
    """A message; the pictures still to be fetched (file id, and its lasting id), and the tap to confirm.

    `album` is said of a part of one. `button` is our message and which of its buttons was tapped, where the
    tap did not bring the words.
    """

    incoming: Incoming
    pictures: tuple[tuple[str, str], ...] = ()
    album: str = ""
    tap: str = ""
    button: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Aside:
    """Nothing to handle, and why; `moved` is a group's old and new address."""

    reason: str
    moved: tuple[int, int] | None = None


def button_handle(message: int, number: int) -> str:
    """What stands behind a button in place of words that are too long."""
    return f"button:{message}.{number}"


def names_some_bot(data: Mapping[str, Any]) -> bool:
    """Whether our username decides what this means: it names a bot, and that may be us."""
    message = data.get("message") or data.get("edited_message")
    text = (message.get("text") or message.get("caption")) if isinstance(message, dict) else None
    return isinstance(text, str) and re.search(r"@\w*bot\b", text, re.IGNORECASE | re.ASCII) is not None


def read(data: Mapping[str, Any], bot: Bot, me: Me) -> Heard | Aside:
    """The update in our words. Never raises: what cannot be read is put aside as "unreadable".

    The library refuses a whole update for one field that it does not know the shape of (a poll's, after a
    change of the Bot API): what somebody said is then read from the bare message.
    """
    heard = _read(data, bot, me)
    if heard != Aside("unreadable"):
        return heard
    bare = _read(_bare(data), bot, me)
    return bare if isinstance(bare, Heard) else heard


def _bare(data: Mapping[str, Any]) -> dict[str, Any]:
    tap = data.get("callback_query")
    kept = {"update_id": data["update_id"]}
    kept |= {kind: _only(data.get(kind), _BARE) for kind in ("message", "edited_message")}
    if isinstance(tap, dict):
        kept["callback_query"] = _only(tap, ("id", "from", "chat_instance", "data")) | {
            "message": _only(tap.get("message"), _BARE)
        }
    return {key: value for key, value in kept.items() if value}


def _only(fields: Any, names: Sequence[str]) -> dict[str, Any]:
    return {name: fields[name] for name in names if name in fields} if isinstance(fields, dict) else {}


def _read(data: Mapping[str, Any], bot: Bot, me: Me) -> Heard | Aside:
    try:
        update = Update.de_json(dict(data), bot)
        if update.message:
            return _message(update.update_id, update.message, me)
        if update.edited_message:
            return _changed(_message(update.update_id, update.edited_message, me))
        if update.callback_query:
            return _tap(update.update_id, update.callback_query)
        return Aside("membership" if update.my_chat_member or update.chat_member else "unknown")
    except Exception:  # the library raises what it likes on shapes that it does not know
        return Aside("unreadable")


def _message(update_id: int, message: Message, me: Me) -> Heard | Aside:
    if message.migrate_to_chat_id:
        return Aside("migrated", (_whole(message.chat.id), _whole(message.migrate_to_chat_id)))
    if message.migrate_from_chat_id:  # the same, said in the new group
        return Aside("migrated", (_whole(message.migrate_from_chat_id), _whole(message.chat.id)))
    said = message.text if message.text is not None else message.caption
    attached = any(getattr(message, kind, None) for kind in MessageAttachmentType)
    if said is None and not attached and any(getattr(message, kind, None) for kind in _SERVICE):
        return Aside("service")
    user, speaker = message.from_user, message.sender_chat
    if user is None and speaker is None:
        return Aside("unreadable")
    if message.is_automatic_forward:
        return Aside("channel post")  # a channel's, put into its group by Telegram: nobody spoke here
    if user is not None and user.is_bot and speaker is None:
        return Aside("bot")  # two bots that answer each other never stop
    text, addressed = _spoken(clean(said or ""), me, group=_is_group(message.chat))
    incoming = Incoming(
        channel="telegram",
        id=str(update_id),
        chat=_address(message),
        sender=f"{ANONYMOUS}{_whole(speaker.id)}" if speaker else str(_whole(user.id if user else None)),
        text=text,
        sender_name=_name(speaker, user),
        group=_is_group(message.chat),
        addressed=addressed
        or not _is_group(message.chat)
        or _replies_to(message, me)
        or _points_at(message, me),
        voice=message.voice is not None,
        mark=str(message.message_id),
        anonymous=speaker is not None,
    )
    picture = _picture(message)
    return Heard(incoming, (picture,) if picture else (), clean(str(message.media_group_id or "")))


def _changed(heard: Heard | Aside) -> Heard | Aside:
    """What a message says now. Pictures stay what they were; a place that moves on says nothing."""
    if isinstance(heard, Aside):
        return heard
    if not heard.incoming.text:
        return Aside("edited")
    return Heard(replace(heard.incoming, edited=True))


def _tap(update_id: int, tap: CallbackQuery) -> Heard | Aside:
    if not tap.data:
        return Aside("unknown")  # a game; we have none
    sender, handed = str(_whole(tap.from_user.id)), _HANDLE.fullmatch(tap.data)
    group = tap.message is not None and _is_group(tap.message.chat)
    incoming = Incoming(
        channel="telegram",
        id=str(update_id),
        chat=_address(tap.message) if tap.message else sender,
        sender=sender,
        text="" if handed else clean(tap.data),
        sender_name=_name(None, tap.from_user),
        group=group,
        mark=f"tap:{tap.id}",  # nobody changes it; but what was written before is no longer the last word
    )
    return Heard(incoming, tap=str(tap.id), button=(int(handed[1]), int(handed[2])) if handed else None)


def _spoken(text: str, me: Me, *, group: bool) -> tuple[str, bool]:
    """What was said without our name in it, and whether that named us."""
    text = text.strip()
    if command := _COMMAND.match(text):
        name, target = command[1].lower(), command[2]
        rest = text[command.end() :].strip()
        if target and group and not me.called(target):
            return text, False
        if name in ("start", "help"):
            return (rest if name == "start" else "") or HELP, True
        return f"/{command[1]} {rest}".strip(), True
    mention = me.mention
    if not mention.search(text):
        return text, False
    return mention.sub(" ", text).strip(), True


def _replies_to(message: Message, me: Me) -> bool:
    answered = message.reply_to_message
    if answered is None or answered.forum_topic_created:  # every message of a topic "answers" its beginning
        return False
    return answered.from_user is not None and answered.from_user.id == me.id


def _points_at(message: Message, me: Me) -> bool:
    marks = (*message.entities, *message.caption_entities)
    return any(
        mark.type == MessageEntity.TEXT_MENTION and mark.user and mark.user.id == me.id for mark in marks
    )


def _picture(message: Message) -> tuple[str, str] | None:
    """The largest size of a photo; or a picture that was sent as a file."""
    if message.photo:
        largest = max(message.photo, key=lambda size: size.width * size.height)
        return str(largest.file_id), str(largest.file_unique_id)
    sent = message.document
    if sent is not None and (sent.mime_type or "").startswith("image/"):
        return str(sent.file_id), str(sent.file_unique_id)
    return None


def _address(message: Any) -> str:
    """The chat; with its topic where it has one. Elsewhere a thread is only a chain of replies."""
    chat = _whole(message.chat.id)
    thread = getattr(message, "message_thread_id", None)
    in_topic = getattr(message, "is_topic_message", None) or message.chat.is_forum
    return f"{chat}:{_whole(thread)}" if thread and in_topic else str(chat)


def _is_group(chat: Chat) -> bool:
    return chat.type in (Chat.GROUP, Chat.SUPERGROUP)


def _name(speaker: Chat | None, user: User | None) -> str:
    if speaker is not None:
        return clean(speaker.title or "")
    return clean(user.full_name) if user else ""


def _whole(number: object) -> int:
    """An address must be a whole number; the library lets anything through."""
    if isinstance(number, bool) or not isinstance(number, int):
        raise TypeError("not an address")
    return number
