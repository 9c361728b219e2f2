"""Sending what takes several calls: once the first has arrived, the whole is not offered again blindly."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from bot.channels.base import PermanentFailure, RetryLater, UnknownOutcome

P = TypeVar("P")


async def in_pieces(
    pieces: Sequence[P], send: Callable[[P, int], Awaitable[str]], *, again: bool = False
) -> str:
    """Send each with its number from 0, in order; what the first returned. Raises as `Channel.send` does.

    `again` says that the platform takes a piece only once, however often it is sent: then all of it can be.
    """
    if not pieces:
        raise PermanentFailure("没有可发的内容")
    first = ""
    for number, piece in enumerate(pieces):
        try:
            sent = await send(piece, number)
        except (RetryLater, PermanentFailure) as failed:
            if number == 0 or (again and isinstance(failed, RetryLater)):
                raise
            reason = f"只送到了前 {number} 段，共 {len(pieces)} 段：{failed.reason}"
            raise UnknownOutcome(reason) from None
        first = first or sent
    return first
