"""Messages in and out, in the words of no platform."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Lane(IntEnum):
    """How urgent an outgoing message is; a lower lane is always carried first."""

    DANGER = 0
    REPLY = 1
    ALERT = 2
    NOTICE = 3


@dataclass(frozen=True, slots=True)
class Photo:
    """A picture that came with a message, already kept on disk by the channel.

    `path` is relative to the folder of uploads, under a name the house chose; `media_type` is image/…
    """

    path: str
    media_type: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Incoming:
    """One message as a platform brought it, in the words of no platform.

    `id` is unique within `channel` and the same when the platform repeats itself. `chat` is where an answer
    goes; in private it is the sender's own address. `addressed` says that the bot was mentioned, replied to
    or commanded (a private message always is). The mention itself is already taken out of `text`.
    A tapped button arrives as the text that the button stands for. `parts` are the ids of the parts that an
    album was put together from. `mark` is what the platform calls the message in its chat, where people can
    change what they wrote; `edited` says that this is what the message with that mark says now. `anonymous`
    is who speaks in the name of a group or a channel: nobody we could know, or write to in private.
    """

    channel: str
    id: str
    chat: str
    sender: str
    text: str
    sender_name: str = ""
    group: bool = False
    addressed: bool = True
    photos: tuple[Photo, ...] = ()
    voice: bool = False
    parts: tuple[str, ...] = ()
    mark: str = ""
    edited: bool = False
    anonymous: bool = False

    @property
    def conversation(self) -> tuple[str, str, str]:
        """Channel, chat and sender: two chats never mix, nor do two people in one group."""
        return (self.channel, self.chat, self.sender)


@dataclass(frozen=True, slots=True)
class Part:
    """A message that is one of several to the platform and one whole to people: a picture of an album.

    `id` is a message's own. `album` names the whole within the conversation; `content` is the channel's own
    note, from which it puts the whole together.
    """

    channel: str
    id: str
    chat: str
    sender: str
    album: str
    content: str

    @property
    def conversation(self) -> tuple[str, str, str]:
        return (self.channel, self.chat, self.sender)


@dataclass(frozen=True, slots=True)
class Button:
    """A choice to tap: what is shown, and the words it stands for."""

    label: str
    says: str


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message that we owe somebody. `id` is the outbox row, stable over retries."""

    id: int
    channel: str
    chat: str
    text: str
    lane: Lane = Lane.REPLY
    buttons: tuple[Button, ...] = ()
    photos: tuple[Photo, ...] = ()
