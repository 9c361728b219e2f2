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
    #: The platform's name of it, while the file may still be on its way.
    source: str = ""


@dataclass(frozen=True, slots=True)
class Grant:
    """What a platform allows in return for a message: so many of ours to that chat within so many seconds.

    `token` is what the platform wants back with them, where it wants something.
    """

    messages: int
    seconds: float
    token: str = ""


@dataclass(frozen=True, slots=True)
class Order:
    """A report that a platform took down as a form: it is filed as it is, and nobody reads an answer there.

    `phone` is the reporter's. `place` is where it is, in words; `matter` what it is about, as the form has
    it; `note` what staff should know besides.
    """

    phone: str = ""
    place: str = ""
    matter: str = ""
    note: str = ""
    urgent: bool = False


@dataclass(frozen=True, slots=True)
class Incoming:
    """One message as a platform brought it, in the words of no platform.

    `id` is unique within `channel` and the same when the platform repeats itself. `chat` is where an answer
    goes; in private it is the sender's own address. `addressed` says that the bot was mentioned, replied to
    or commanded (a private message always is). The mention itself is already taken out of `text`.
    A tapped button arrives as the text that the button stands for.

    `answers_back` says that the channel puts our answer into its acknowledgement: delivery leaves it alone.
    `known_as` is an account (channel, address) on another channel of ours that the platform knows to be the
    same human's. An `order` is a conversation of its own: `chat` is its number, and nobody can be written to
    at its `sender`. `bookmark` (name, value) is where the channel reads on after this message, kept in the
    same transaction. `parts` are the ids of the parts that an album was made of. `mark` is what the
    platform calls the message in its chat, where people can change what they wrote; `edited` says that this
    is what the message with that mark says now. `anonymous` is who speaks in the name of a group or channel:
    nobody we could know, or write to in private.
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
    grant: Grant | None = None
    answers_back: bool = False
    known_as: tuple[str, str] | None = None
    order: Order | None = None
    bookmark: tuple[str, str] | None = None
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
    """One message that we owe somebody. `id` is the outbox row, stable over retries.

    `person` is who shall read it. `token` is what the platform gave for it (`Grant`). `closed` says that the
    platform takes no ordinary message to that chat now, only a notice of its own kind; `bare`, that its pace
    leaves room for the words only. `mentions` are who is called by it in a group, by the platform's names.
    """

    id: int
    channel: str
    chat: str
    text: str
    lane: Lane = Lane.REPLY
    buttons: tuple[Button, ...] = ()
    photos: tuple[Photo, ...] = ()
    person: int | None = None
    token: str = ""
    closed: bool = False
    bare: bool = False
    mentions: tuple[str, ...] = ()
