"""Calls to WeChat and WeCom: one client with a token fetched once, and honest about what became of a call.

wechatpy has a client too; it blocks the loop, waits without end, and calls itself without end when a token is
refused for good.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from secrets import SystemRandom
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

import aiohttp

from bot.channels.base import Lane, PermanentFailure, RetryLater, UnknownOutcome

log = logging.getLogger(__name__)

CONNECT, TOTAL = 3.0, 10.0  # seconds
ANSWER, FILE = 1024 * 1024, 20 * 1024 * 1024  # bytes that an answer, and a file, may have
EARLY = 300.0  # seconds before its end that a token is fetched anew; both are valid meanwhile
FORCED = 30.0  # seconds between two refreshes of a refused token (OA doc, getStableAccessToken)
PAUSE = 15.0  # seconds until a token that could not be renewed early is asked for again
ELSEWHERE = -2  # no platform's number: an address that we don't call
STALE = frozenset({40001, 40014, 42001, 41001})
_random = SystemRandom()
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Token:
    """`value`, and when it ends by the loop's clock."""

    value: str
    until: float


#: Fetches a token: (value, seconds it lives). Told whether a new one must be made.
Fetch = Callable[[bool], Awaitable[tuple[str, float]]]


class ApiError(Exception):
    """The platform said no: its number and words. Numbers: OA doc and WeCom doc 90313, 全局错误码."""

    def __init__(self, code: int, words: str, answer: Mapping[str, Any]) -> None:
        super().__init__(f"{code} {words}")
        self.code, self.words, self.answer = code, words, answer


class NotSent(Exception):
    """The connection was never made: nothing can have arrived."""


class Dropped(Exception):
    """The connection broke before the answer was read: it may have arrived."""


class TimedOut(Exception):
    """No answer in time: it may have arrived."""


class Unwell(Exception):
    """5xx: the platform itself is in trouble, and did not take it."""


class Garbled(Exception):
    """It took it and said something that nobody can read."""


class TokenStore:
    """One token for everybody: fetched by one while the others wait, early, and anew when it is refused.

    Several processes need no common one: both platforms give everybody the same token while it is valid.
    """

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._token: Token | None = None
        self._lock = asyncio.Lock()
        self._asked = self._again = float("-inf")

    async def get(self) -> str:
        """A token that is valid for a while. Raises what fetching raises, if there is none left."""
        token, now = self._token, _now()
        if token is None or (token.until - EARLY <= now and self._again <= now):
            async with self._lock:
                if self._token is token:  # nobody did while we waited
                    await self._renew()
        assert self._token is not None
        return self._token.value

    async def refused(self, value: str) -> bool:
        """The platform refuses this one: whether there is another to try with."""
        async with self._lock:
            token = self._token
            if token is None or token.value != value:
                return token is not None
            if _now() - self._asked < FORCED:
                return False
            self._asked = _now()
            # Somebody else may have had a new one made: the plain call tells. Forced is rationed (20 a day).
            for forced in (False, True):
                self._keep(*await self._fetch(forced))
                if self._token is not None and self._token.value != value:
                    return True
            return False

    async def _renew(self) -> None:
        token = self._token
        try:
            self._keep(*await self._fetch(False))
        except Exception:
            if token is None or token.until <= _now():
                raise
            # The old one lives for some minutes: not every call needs to ask for a new one meanwhile.
            self._again = min(token.until, _now() + PAUSE)

    def _keep(self, value: str, seconds: float) -> None:
        """Ended early by chance, so that processes do not ask all at once."""
        self._token = Token(value, _now() + seconds - _random.uniform(0, min(60.0, seconds / 10)))


def _now() -> float:
    return asyncio.get_running_loop().time()


class WeChatApi:
    """One account's calls. `base` is the platform's address."""

    def __init__(self, base: str) -> None:
        self._base = base.rstrip("/")
        self._session: aiohttp.ClientSession | None = None

    async def call(
        self,
        path: str,
        body: object = None,
        *,
        tokens: TokenStore | None = None,
        params: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """One call (POST with a body, else GET) and its answer; once more with a new token if it is refused.

        Raises ApiError for a refusal, else NotSent, Dropped, TimedOut, Unwell or Garbled.
        """

        async def once(token: str) -> dict[str, Any]:
            given = dict(params or {}) | ({"access_token": token} if token else {})
            return _sound((await self._request(self._base + path, given, body, ANSWER))[1])

        return await (once("") if tokens is None else _with_token(tokens, once))

    async def file(self, path: str, *, tokens: TokenStore, params: Mapping[str, str]) -> bytes:
        """The bytes behind a call. Raises like `call`; Garbled for more than FILE bytes."""

        async def once(token: str) -> bytes:
            given = dict(params) | {"access_token": token}
            kind, data = await self._request(self._base + path, given, None, FILE)
            if "json" in kind or "text" in kind:
                _sound(data)
                raise Garbled("no file")
            return data

        return await _with_token(tokens, once)

    async def upload(
        self, path: str, data: bytes, kind: str, *, tokens: TokenStore, params: Mapping[str, str]
    ) -> dict[str, Any]:
        """Give the platform a picture (`kind` is image/…), as a form's field `media`. Raises like `call`."""
        name = "photo." + kind.rpartition("/")[2].replace("jpeg", "jpg")

        async def once(token: str) -> dict[str, Any]:
            form = aiohttp.FormData()
            form.add_field("media", data, filename=name, content_type=kind)
            given = dict(params) | {"access_token": token}
            return _sound((await self._request(self._base + path, given, form, ANSWER))[1])

        return await _with_token(tokens, once)

    async def picture(self, url: str, hosts: Sequence[str], most: int = FILE) -> bytes:
        """The bytes of a picture that the platform keeps at an address of its own. Raises like `call`.

        Only where the platform `keeps` pictures; Garbled for more than `most` bytes.
        """
        if not self.keeps(url, hosts):
            raise ApiError(ELSEWHERE, "an address of somebody else", {})
        return (await self._request(url, {}, None, most))[1]

    async def post_to(self, url: str, body: object, hosts: Sequence[str] = ()) -> dict[str, Any]:
        """Post to an address that the platform gave us, if it is the platform's. Raises like `call`."""
        if not self.keeps(url, hosts):
            raise ApiError(ELSEWHERE, "an address of somebody else", {})
        return _sound((await self._request(url, {}, body, ANSWER))[1])

    def keeps(self, url: str, hosts: Sequence[str]) -> bool:
        """Whether an address is the platform's: where it is called, or by HTTPS below one of these hosts."""
        try:
            parts = urlsplit(url)
            below = f".{parts.hostname or ''}".endswith(tuple(f".{host}" for host in hosts))
            return self.owns(url) or (parts.scheme == "https" and below)
        except ValueError:  # no address at all
            return False

    def owns(self, url: str) -> bool:
        """Whether an address is at the configured platform: nothing else is ever called."""
        ours, theirs = urlsplit(self._base), urlsplit(url)
        return (ours.scheme, ours.netloc) == (theirs.scheme, theirs.netloc)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _request(
        self, url: str, params: Mapping[str, str], body: object, most: int
    ) -> tuple[str, bytes]:
        """Content type and bytes. Follows no redirect; no error names the address, which holds the token."""
        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=TOTAL, sock_connect=CONNECT)
            self._session = aiohttp.ClientSession(timeout=timeout)
        method, headers, data = "GET" if body is None else "POST", {}, body
        if body is not None and not isinstance(body, aiohttp.FormData):
            data = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
            headers = {"Content-Type": "application/json; charset=utf-8"}
        try:
            async with self._session.request(
                method, url, params=params, data=data, headers=headers, allow_redirects=False
            ) as answer:
                if answer.status >= 500:
                    raise Unwell(str(answer.status))
                found = bytearray()
                async for chunk in answer.content.iter_chunked(64 * 1024):
                    found += chunk
                    if len(found) > most:
                        raise Garbled("too large")
                if answer.status != 200:
                    raise Garbled(str(answer.status))
                return answer.content_type, bytes(found)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as problem:
            raise NotSent(type(problem).__name__) from None
        except TimeoutError:
            raise TimedOut from None
        except aiohttp.ClientError as problem:
            raise Dropped(type(problem).__name__) from None


async def _with_token(tokens: TokenStore, once: Callable[[str], Awaitable[T]]) -> T:
    """Once, and once more with another token where the first is refused."""
    token = await tokens.get()
    try:
        return await once(token)
    except ApiError as refused:
        if refused.code not in STALE or not await tokens.refused(token):
            raise
    return await once(await tokens.get())


def _sound(data: bytes) -> dict[str, Any]:
    """The answer, if it is one and means yes. Raises ApiError, or Garbled for what is no answer."""
    try:
        answer = json.loads(data)
        code = answer.get("errcode", 0)
    except (ValueError, AttributeError):
        raise Garbled("no object") from None
    if isinstance(code, bool) or not isinstance(code, int):
        raise Garbled("no number")
    if code:
        raise ApiError(code, str(answer.get("errmsg", ""))[:200], answer)
    return cast("dict[str, Any]", answer)


#: What a number means for a message: words for people, and how it goes on. OA doc and WeCom doc 90313.
_WINDOW = {45015: "48 小时内对方没有说过话", 45047: "这段时间能发的条数用完了"}
_WINDOW |= {95001: "这段时间能发的条数用完了", 95018: "会话已经结束"}
_GONE = {
    43004: "对方没有关注",
    40003: "没有这个用户",
    40031: "没有这个用户",
    81013: "不在应用的可见范围，或没有这个成员",
    60111: "没有这个成员",
    46004: "没有这个用户",
    43101: "对方拒收",
}
_CREDENTIAL = {
    40001: "密钥不对",
    40013: "AppID 或 CorpID 不对",
    40014: "密钥不对",
    40125: "密钥不对",
    40164: "本机的 IP 不在白名单里",
    41001: "密钥不对",
    42001: "密钥不对",
    48001: "账号没有这个接口的权限",
    48004: "接口被封禁了",
    50002: "账号被限制了",
    60020: "本机的 IP 不在可信 IP 里",
    301002: "应用的 AgentID 不对",
}
_SLOW = {45009: 20.0, 45011: 15.0, 45033: 5.0, 45047: 15.0}


def failure(problem: Exception, lane: Lane) -> RetryLater | PermanentFailure | UnknownOutcome:
    """What a failed call means for the message that it carried."""
    match problem:
        case ApiError(code=code) if code in _WINDOW:
            return PermanentFailure(f"{code} {_WINDOW[code]}", closed=True)
        case ApiError(code=code) if code in _GONE:
            return PermanentFailure(f"{code} {_GONE[code]}", unreachable=code != 43101)
        case ApiError(code=code) if code in _CREDENTIAL:
            return RetryLater(f"{code} {_CREDENTIAL[code]}", whole_channel=True)
        case ApiError(code=code) if code in _SLOW:
            return RetryLater(f"{code} 平台要求放慢", _SLOW[code], whole_channel=True)
        case ApiError(code=-1):
            return RetryLater("-1 平台忙")
        case ApiError(code=code, words=words):
            return PermanentFailure(f"{code} {words}")
        case NotSent():
            return RetryLater("连不上平台", whole_channel=True)
        case Unwell():
            return RetryLater("平台暂时出错")
        case Dropped() if lane is not Lane.NOTICE:  # a notice twice is worse than one shown as doubtful
            return RetryLater("连接中断")
        case Dropped():
            return UnknownOutcome("连接中断，可能已送达")
        case TimedOut():
            return UnknownOutcome("平台没有及时回答，可能已送达")
        case _:
            return UnknownOutcome("平台的回答读不懂，可能已送达")


def bars_all(problem: Exception) -> bool:
    """Whether the platform lets nothing of this account through until somebody changes its settings."""
    return isinstance(problem, ApiError) and problem.code in _CREDENTIAL


#: Which of an account's settings a refused credential is about.
_OF_KEY = frozenset({40001, 40014, 40125, 41001, 42001})
_OF_ID = frozenset({40013})


def trouble(problem: Exception, name: str, *, key_in: str = "", id_in: str = "") -> str:
    """For `linli doctor`: what to do about a failed call, in one line.

    `key_in` and `id_in` are the settings that hold the account's secret and its id (AppID, CorpID).
    """
    match problem:
        case ApiError(code=code) if code in (40164, 60020):
            return f"{name}不认本机的 IP：请把服务器的公网 IP 加进平台后台的 IP 白名单（企业微信叫可信 IP）。"
        case ApiError(code=code) if code in _CREDENTIAL:
            what = "核对设置"
            if code in _OF_ID and id_in:
                what = f"核对 {id_in}"
            elif code in _OF_KEY and key_in:
                what = f"核对 {key_in}（和 {id_in} 要是同一个账号的）"
            if code in (48001, 48004, 50002):
                what = "查看这个账号的接口权限"
            return f"{name}拒绝了（{code} {_CREDENTIAL[code]}）：请照平台后台{what}，改好再启动。"
        case ApiError(code=code):
            return f"{name}暂时出错（{code}）：请过几分钟再试。"
        case NotSent() | TimedOut() | Dropped() | TimeoutError():
            return f"连不上{name}：请检查网络。"
        case _:
            return f"{name}暂时出错（{type(problem).__name__}）：请过几分钟再试。"
