"""Calls to Telegram: the library's client, which keeps our token to itself and knows what was sent."""

from __future__ import annotations

import json
import logging
import os
import ssl
from collections.abc import Sequence
from datetime import timedelta
from functools import cache
from typing import Any
from urllib.parse import quote, urlencode

import httpx
from telegram import Bot, error
from telegram.request import HTTPXRequest

from bot.channels.base import Lane, PermanentFailure, RetryLater, UnknownOutcome

#: Telegram's own bound on what a bot may download.
MOST_BYTES = 20 * 1024 * 1024
CONNECT, READ, WRITE = 5.0, 20.0, 20.0  # seconds
#: Calls at once: more than delivery sends at once on a channel. Those that hang leave some for pictures.
LINES = 64

# Without it the library warns on every flood limit; it reads the variable each time.
os.environ["PTB_TIMEDELTA"] = "1"
# They write addresses, and with them the token, at INFO and below.
for _talker in ("httpx", "httpcore", "telegram"):
    logging.getLogger(_talker).setLevel(logging.WARNING)


class NotSent(error.NetworkError):
    """The connection was never made: nothing can have arrived."""


class Dropped(error.NetworkError):
    """The connection broke before the answer was read: it may have arrived."""


class Garbled(error.TelegramError):
    """Telegram took it and said something that nobody can read."""


class _Request(HTTPXRequest):
    """Tells three ways of failing apart, and never names the address, which holds the token."""

    async def do_request(self, *args: Any, **kwargs: Any) -> tuple[int, bytes]:
        try:
            code, payload = await super().do_request(*args, **kwargs)
        except Exception as failure:
            cause = failure.__cause__ or failure
            if isinstance(cause, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout):
                raise NotSent(type(cause).__name__) from None
            if isinstance(failure, error.TimedOut):
                raise error.TimedOut from None
            raise Dropped(type(cause).__name__) from None
        return (400, payload) if code == 413 else (code, payload)  # too large is refused, not away

    @staticmethod
    def parse_json_payload(payload: bytes) -> dict[str, Any]:
        """The library's own logs the whole answer, which may hold what people wrote."""
        try:
            answer = json.loads(payload)
        except ValueError:
            raise Garbled("unreadable answer") from None
        if not isinstance(answer, dict) or (answer.get("ok") and "result" not in answer):
            raise Garbled("unreadable answer")
        return answer


@cache
def _trusted() -> ssl.SSLContext:
    """Whom we trust, read once: it takes longer than everything else at the start."""
    return httpx.create_ssl_context()


class Wire:
    """One bot's calls. `bot` is the library's; what it cannot do safely is done here."""

    def __init__(self, token: str, api_base: str, file_base: str) -> None:
        self._calls, self._files = api_base + token, file_base + token
        self._request = _Request(
            connection_pool_size=LINES,
            connect_timeout=CONNECT,
            read_timeout=READ,
            write_timeout=WRITE,
            pool_timeout=CONNECT,
            httpx_kwargs={"verify": _trusted()},
        )
        self._polling = _Request(
            connection_pool_size=1,
            connect_timeout=CONNECT,
            pool_timeout=CONNECT,
            httpx_kwargs={"verify": _trusted()},
        )
        self.bot = Bot(token, api_base, file_base, self._request, self._polling)

    async def updates(self, offset: int, seconds: int, kinds: Sequence[str]) -> list[Any]:
        """Raw updates: the library's own getUpdates throws a whole batch away for one it cannot read."""
        asked = {"offset": offset, "timeout": seconds, "limit": 100, "allowed_updates": json.dumps(kinds)}
        url = f"{self._calls}/getUpdates?{urlencode(asked)}"
        found: Any = await self._polling.post(url, read_timeout=seconds + 5)
        return found if isinstance(found, list) else []

    async def file(self, file_id: str) -> bytes:
        """Its bytes. The library's own would read a path of this machine if the answer named one."""
        about: Any = await self._request.post(f"{self._calls}/getFile?{urlencode({'file_id': file_id})}")
        path = about.get("file_path") if isinstance(about, dict) else None
        if not isinstance(path, str) or not path or ".." in path:
            raise Garbled("no file path")
        size = about.get("file_size")
        if isinstance(size, int) and size > MOST_BYTES:
            raise Garbled("too large")
        data = await self._request.retrieve(f"{self._files}/{quote(path)}")
        if len(data) > MOST_BYTES:
            raise Garbled("too large")
        return data

    async def close(self) -> None:
        await self._request.shutdown()
        await self._polling.shutdown()


def seconds(flood: error.RetryAfter) -> float:
    """How long Telegram wants to be left alone."""
    after = flood.retry_after
    return after.total_seconds() if isinstance(after, timedelta) else float(after)


_GONE = ("chat not found", "user not found", "peer_id_invalid", "deactivated", "bot was kicked")


def failure(problem: Exception, lane: Lane) -> RetryLater | PermanentFailure | UnknownOutcome:
    """What a failed call means for the message. BadRequest and TimedOut are NetworkErrors: order matters."""
    match problem:
        case error.RetryAfter():
            return RetryLater("Telegram 要求放慢", seconds(problem))
        case error.Forbidden():
            return PermanentFailure("对方停用了机器人，或把它移出了群", unreachable=True)
        case error.BadRequest():
            gone = any(sign in problem.message.lower() for sign in _GONE)
            return PermanentFailure(f"Telegram 不收：{problem.message[:200]}", unreachable=gone)
        case error.InvalidToken():
            return RetryLater("Telegram 不认机器人的令牌", whole_channel=True)
        case NotSent():
            return RetryLater("连不上 Telegram", whole_channel=True)
        case error.TimedOut():
            return UnknownOutcome("Telegram 没有及时回答，可能已送达")
        case Dropped() if lane is Lane.NOTICE:  # a notice twice is worse than one shown as doubtful
            return UnknownOutcome("连接中断，可能已送达")
        case error.NetworkError() | error.Conflict():
            return RetryLater("Telegram 暂时出错")
        case _:
            return UnknownOutcome("Telegram 的回答读不懂，可能已送达")
