"""What a channel is: messages in, messages out, limits, and the three ways a send can fail."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Protocol

from aiohttp import web


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
    A tapped button arrives as the text that the button stands for.
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

    @property
    def conversation(self) -> tuple[str, str, str]:
        """Channel, chat and sender: two chats never mix, nor do two people in one group."""
        return (self.channel, self.chat, self.sender)


@dataclass(frozen=True, slots=True)
class Button:
    """A choice to tap: what is shown, and the words it stands for (at most 60 bytes of UTF-8)."""

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


@dataclass(frozen=True, slots=True)
class Limits:
    """What the platform allows: characters in one message, messages a second overall and in one chat."""

    text: int = 4096
    per_second: float = 0.0  # 0: no limit
    per_chat_second: float = 0.0
    per_group_minute: int = 0
    buttons: bool = False


class RetryLater(Exception):
    """Not now. `after` is the least number of seconds to wait, or None where the platform does not say."""

    def __init__(self, reason: str, after: float | None = None, *, whole_channel: bool = False) -> None:
        super().__init__(reason)
        self.reason, self.after, self.whole_channel = reason, after, whole_channel


class PermanentFailure(Exception):
    """Never: blocked, unknown address, refused content. `unreachable` marks the account itself."""

    def __init__(self, reason: str, *, unreachable: bool = False) -> None:
        super().__init__(reason)
        self.reason, self.unreachable = reason, unreachable


class UnknownOutcome(Exception):
    """It may have arrived. Shown to people, never sent again blindly."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


#: Returns when the message is kept, understood and answered (or found to be a repeat): acknowledge after it.
#: Raises only when nothing was kept, so that the platform sends again.
Handle = Callable[[Incoming], Awaitable[None]]


class Channel(Protocol):
    """One platform. A channel knows messages and its platform, nothing of repairs or polls."""

    name: str
    limits: Limits

    def routes(self) -> Sequence[web.RouteDef]:
        """HTTP routes the channel answers on our server; empty where it has none."""
        ...

    async def listen(self, handle: Handle) -> None:
        """Take messages from the platform until cancelled. Must survive the platform being away.

        Called once, before the server accepts requests; routes may use `handle` from then on.
        """
        ...

    async def send(self, message: Outgoing) -> str:
        """Carry one message; the platform's id of it, or "". Raises one of the three failures above."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...

    async def probe(self) -> str:
        """For `linli doctor` and /readyz: "" when all is well, else one Chinese line that says what to do."""
        ...


@dataclass(slots=True)
class Counters:
    """What a channel counts for /metrics: refused callbacks by reason, and the like."""

    refused: dict[str, int] = field(default_factory=dict)

    def refuse(self, reason: str) -> None:
        self.refused[reason] = self.refused.get(reason, 0) + 1

    def items(self) -> Mapping[str, int]:
        return self.refused
