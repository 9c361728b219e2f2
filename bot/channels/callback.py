"""What every platform's callback has in common: a bounded body, one line for a refusal, an answer in time."""

from __future__ import annotations

import asyncio
import logging

from aiohttp import web

from bot.channels.base import Counters, Desk, Handle, Incoming, Outgoing
from bot.channels.wechat_envelope import Refused

log = logging.getLogger(__name__)

BODY = 1024 * 1024  # bytes
BODY_SECONDS = 5.0
IN_TIME = 1.5  # seconds within which an answer still goes with the acknowledgement; platforms wait for five


async def body(request: web.Request) -> bytes:
    """The body. Raises Refused 413 when it is larger than BODY, 400 when it comes too slowly or broken."""
    if (request.content_length or 0) > BODY:
        raise Refused(413, "too large")
    found = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.content.iter_chunked(64 * 1024):
                found += chunk
                if len(found) > BODY:
                    raise Refused(413, "too large")
    except Refused:
        raise
    except Exception:  # too slow, cut off, badly packed
        raise Refused(400, "broken body") from None
    return bytes(found)


def refusal(counters: Counters, refused: Refused) -> web.Response:
    """One line for the machine, and a count."""
    counters.refuse(refused.reason)
    return web.Response(status=refused.status, text=refused.reason + "\n")


async def turn(handle: Handle | None, incoming: Incoming, desk: Desk) -> Outgoing | None:
    """Have the message handled; the answer that may go with the acknowledgement.

    An answer that took too long is delivery's to carry: the platform may have cut the line by now. Raises
    Refused 503 when nothing was kept, so that the platform sends again.
    """
    if handle is None:
        raise Refused(503, "not listening")
    began = asyncio.get_running_loop().time()
    try:
        answer = await handle(incoming)
    except Exception:
        log.exception("message %s %s was not kept", incoming.channel, incoming.id)
        raise Refused(503, "not kept") from None
    if answer is not None and asyncio.get_running_loop().time() - began > IN_TIME:
        await carry(desk, answer, "")
        return None
    return answer


async def carry(desk: Desk, answer: Outgoing, rest: str) -> None:
    """The acknowledgement does not take the answer, or not the `rest` of it. Raises Refused 503 likewise."""
    try:
        await desk.carry_answer(answer.id, rest)
    except Exception:
        log.exception("the answer %s was not kept for delivery", answer.id)
        raise Refused(503, "not kept") from None
