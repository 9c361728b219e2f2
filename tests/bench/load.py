"""A light generator of load: connections that stay open, each asking again as soon as it is answered."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass
class Measured:
    """What a spell of load saw; times in seconds."""

    seconds: float = 0.0
    answered: int = 0
    #: processor time of the server meanwhile, delivery and all included
    cpu: float = 0.0
    refused: int = 0
    took: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        return self.answered / self.seconds

    def at(self, share: float) -> float:
        """The time within which this share was answered."""
        ordered = sorted(self.took)
        return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


class _Connection(asyncio.Protocol):
    """One chat at a time: the next request goes out with the last answer."""

    def __init__(self, requests: Iterator[bytes], until: float, seen: Measured) -> None:
        self._requests, self._until, self._seen = requests, until, seen
        self._transport: asyncio.WriteTransport | None = None
        self._read, self._asked = b"", 0.0
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport
        self._ask()

    def _ask(self) -> None:
        assert self._transport is not None
        self._asked = time.perf_counter()
        self._transport.write(next(self._requests))

    def data_received(self, data: bytes) -> None:
        self._read += data
        head, found, body = self._read.partition(b"\r\n\r\n")
        if not found or len(body) < _length(head):
            return
        now = time.perf_counter()
        self._read = b""
        if head.startswith(b"HTTP/1.1 200"):
            self._seen.answered += 1
            self._seen.took.append(now - self._asked)
        else:
            self._seen.refused += 1
        if now < self._until:
            self._ask()
        else:
            assert self._transport is not None
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.over.done():
            self.over.set_result(None)


def _length(head: bytes) -> int:
    _, found, rest = head.lower().partition(b"content-length:")
    return int(rest.split(b"\r\n", 1)[0]) if found else 0


async def press(port: int, requests: Iterator[bytes], *, chats: int, seconds: float) -> Measured:
    """Keep `chats` requests under way for so long."""
    loop, seen = asyncio.get_running_loop(), Measured()
    began = time.perf_counter()
    connections = [_Connection(requests, began + seconds, seen) for _ in range(chats)]
    for one in connections:
        await loop.create_connection(lambda one=one: one, "127.0.0.1", port)  # type: ignore[misc]
    await asyncio.gather(*(one.over for one in connections))
    seen.seconds = time.perf_counter() - began
    return seen
