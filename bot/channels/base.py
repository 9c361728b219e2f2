"""What a channel is: messages in, messages out, limits, and the three ways a send can fail."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from aiohttp import web

from bot.messages import Button, Grant, Incoming, Lane, Outgoing, Photo

__all__ = [
    "Button",
    "Channel",
    "Cost",
    "Counters",
    "Desk",
    "Grant",
    "Handle",
    "Incoming",
    "Lane",
    "Limits",
    "Outgoing",
    "PermanentFailure",
    "Photo",
    "RetryLater",
    "UnknownOutcome",
]


@dataclass(frozen=True, slots=True)
class Cost:
    """How many of the platform's messages one of ours makes; `extra` ones go only while the pace has room."""

    needed: int
    extra: int = 0


@dataclass(frozen=True, slots=True)
class Limits:
    """What the platform allows: characters in one message, messages a second overall and in one chat.

    `per_chat` are pairs of (most messages, seconds) that the house counts durably, because the platform drops
    what is over. `windowed` says that a chat may be written to only within what its messages granted
    (`Grant`); `notices`, that something of the platform's own kind can go outside (`Outgoing.closed`).
    Notices leave `reserve` messages of a window to what is more urgent.
    `octets` is the most bytes of UTF-8 in one message of ours; a longer one goes as several. `cost` tells how
    many of the platform's messages one makes, where that is not one for each `octets` and each picture. What
    does not `push` is read only when somebody looks. Several that wait for one chat make one message, where
    the channel `digests` them. What is not `here` can't be sent by this process now: it waits, untouched.
    """

    text: int = 4096
    per_second: float = 0.0  # 0: no limit
    per_chat_second: float = 0.0
    per_group_minute: int = 0
    buttons: bool = False
    per_chat: tuple[tuple[int, float], ...] = ()
    windowed: bool = False
    notices: bool = False
    octets: int = 0
    reserve: int = 0
    cost: Callable[[Outgoing], Cost] | None = None
    pushes: bool = True
    digests: bool = False
    here: bool = True

    @property
    def counted(self) -> bool:
        """Whether the house keeps a budget for each chat."""
        return self.windowed or bool(self.per_chat)


class RetryLater(Exception):
    """Not now. `after` is the least number of seconds to wait, or None where the platform does not say."""

    def __init__(self, reason: str, after: float | None = None, *, whole_channel: bool = False) -> None:
        super().__init__(reason)
        self.reason, self.after, self.whole_channel = reason, after, whole_channel


class PermanentFailure(Exception):
    """Never: blocked, unknown address, refused content.

    `unreachable` marks the account itself; `closed`, that the platform takes nothing more for this chat until
    somebody writes there again.
    """

    def __init__(self, reason: str, *, unreachable: bool = False, closed: bool = False) -> None:
        super().__init__(reason)
        self.reason, self.unreachable, self.closed = reason, unreachable, closed


class UnknownOutcome(Exception):
    """It may have arrived. Shown to people, never sent again blindly."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


#: Returns when the message is kept, understood and answered (or found to be a repeat): acknowledge after it.
#: Raises only when nothing was kept, so that the platform sends again. What it returns is the answer to put
#: into the acknowledgement, only for an `Incoming.answers_back`; None where there is none left to give.
Handle = Callable[[Incoming], Awaitable[Outgoing | None]]


@dataclass(frozen=True, slots=True)
class Desk:
    """What a channel may ask of the house besides `handle`. None of it is needed to carry messages."""

    #: The acknowledgement could not take the answer that `handle` returned (its id), or not the rest of it.
    carry_answer: Callable[[int, str], Awaitable[None]]
    #: This address left us (unsubscribed, blocked).
    gone: Callable[[str], Awaitable[None]]
    #: What we sent to this chat, with this receipt, did not arrive after all, for this reason.
    lost: Callable[[str, str, str], Awaitable[None]]
    #: The value of a bookmark, "" when there is none; and how one is kept.
    bookmark: Callable[[str], Awaitable[str]]
    keep_bookmark: Callable[[str, str], Awaitable[None]]
    #: Pictures that came through this channel within so many seconds, with their source.
    pictures: Callable[[float], Awaitable[Sequence[Photo]]]
    #: Whether a message with this id was kept, and the answer to it while the acknowledgement owes it.
    remembered: Callable[[str], Awaitable[tuple[bool, Outgoing | None]]]
    #: Have something (by its name) for so many seconds that only one process may have; whether it is ours.
    #: Asking again keeps it, no seconds give it back.
    lease: Callable[[str, float], Awaitable[bool]]
    #: Something that waited can be sent again (`Limits.here`).
    wake: Callable[[], None]
    #: No other process serves this database.
    alone: bool


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
        """Carry one message; the platform's id of it (kept as its receipt), or "".

        Raises one of the three failures above.
        """
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...

    async def probe(self) -> str:
        """For `linli doctor` and /readyz: "" when all is well, else one Chinese line that says what to do.

        A channel that cannot be tried without doing harm has `untried`, the reason in Chinese.
        """
        ...


@dataclass(slots=True)
class Counters:
    """What a channel counts for /metrics: refused callbacks by reason, and the like."""

    refused: dict[str, int] = field(default_factory=dict)

    def refuse(self, reason: str) -> None:
        self.refused[reason] = self.refused.get(reason, 0) + 1

    def items(self) -> Mapping[str, int]:
        return self.refused
