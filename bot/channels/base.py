"""What a channel is: messages in, messages out, limits, and the three ways a send can fail."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from aiohttp import web

from bot.messages import Button, Incoming, Lane, Outgoing, Photo

__all__ = [
    "Button",
    "Channel",
    "Counters",
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
