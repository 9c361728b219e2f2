"""The door of the web chat: who a visitor is, what may come in, and what every answer carries."""

from __future__ import annotations

import asyncio
import hmac
import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import urlsplit

from aiohttp import BodyPartReader, ClientPayloadError, MultipartReader, web
from aiohttp.http_exceptions import HttpProcessingError

COOKIE = "linli_visitor"
COOKIE_SECONDS = 400 * 24 * 3600  # the longest that browsers keep one
BODY_SECONDS = 120  # a photo over a slow phone line, and no longer
MESSAGE_BYTES = 1 << 20
PHOTOS_A_MESSAGE = 9

# What aiohttp raises on a body cut short or a form that is none: it has no common name for them.
BROKEN = (
    ValueError,
    AssertionError,
    RuntimeError,
    LookupError,
    ConnectionError,
    HttpProcessingError,
    ClientPayloadError,
    web.RequestPayloadError,
)

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' blob:; object-src 'none'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}

_CLIENT_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")
_FIELDS = {"id": str, "as": str, "text": str, "photos": list, "tap": bool}
_NEEDED = ("id", "as", "text")


class Refused(Exception):
    """A request that is not let in: an HTTP status, a word for the counters, a line for the person."""

    def __init__(self, status: int, reason: str, line: str) -> None:
        super().__init__(line)
        self.status, self.reason, self.line = status, reason, line


class Seal:
    """Signs what leaves the house and comes back: visitors' cookies, names and addresses of photos."""

    def __init__(self, secret: bytes) -> None:
        self._key = hmac.digest(secret, b"web chat", "sha256")

    def of(self, *parts: str) -> str:
        """Return 32 hexadecimal digits over the parts, in this order."""
        whole = "\0".join(parts).encode(errors="surrogatepass")
        return hmac.new(self._key, whole, sha256).hexdigest()[:32]

    def holds(self, mark: str, *parts: str) -> bool:
        return hmac.compare_digest(mark.encode(errors="replace"), self.of(*parts).encode())

    def visitor(self, request: web.Request) -> str | None:
        """Return the account that the request's cookie stands for, or None where it stands for nobody."""
        account, _, mark = request.cookies.get(COOKIE, "").partition(".")
        return account if account and self.holds(mark, "visitor", account) else None

    def admit(self, request: web.Request, response: web.Response, account: str) -> None:
        """Give the visitor his cookie, or a fresh one."""
        secure = request.secure or request.headers.get("X-Forwarded-Proto", "").lower() == "https"
        response.set_cookie(
            COOKIE,
            f"{account}.{self.of('visitor', account)}",
            max_age=COOKIE_SECONDS,
            httponly=True,
            samesite="Lax",
            secure=secure,
        )


def new_account() -> str:
    return f"visitor-{secrets.token_hex(10)}"


@dataclass(frozen=True, slots=True)
class Said:
    """What the page sends when somebody speaks."""

    id: str
    account: str
    text: str
    photos: tuple[str, ...]
    tap: bool


def same_site(request: web.Request) -> None:
    """Refuse what another site's page sends in a visitor's name."""
    fetched_from = request.headers.get("Sec-Fetch-Site", "")
    if fetched_from in {"same-origin", "none"}:
        return
    origin = request.headers.get("Origin")
    if fetched_from or (origin is not None and not _is_ours(origin, request)):
        raise Refused(403, "origin", "请从本页面发消息。")


def _is_ours(origin: str, request: web.Request) -> bool:
    try:
        host = urlsplit(origin).netloc
    except ValueError:
        return False
    # Another site's page cannot add X-Forwarded-Host without asking us first, and we never say yes.
    return bool(host) and host in {request.host, request.headers.get("X-Forwarded-Host", "")}


async def read(request: web.Request, at_most: int) -> bytes:
    """Read the body, or the first part of a form; more than `at_most` bytes is 413, a broken one 400."""
    if not request.content_type.startswith("multipart/") and (request.content_length or 0) > at_most:
        raise Refused(413, "size", "内容太大了。")
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await _read(request, at_most)
    except TimeoutError:
        raise Refused(408, "slow", "网络太慢，没有收完。") from None
    except BROKEN as broken:
        raise Refused(400, "body", "内容不完整。") from broken


async def _read(request: web.Request, at_most: int) -> bytes:
    source: BodyPartReader | web.Request = request
    if request.content_type.startswith("multipart/"):
        part = await (await request.multipart()).next()
        if part is None or isinstance(part, MultipartReader):
            raise ValueError("a form without a file")
        source = part
    body = bytearray()
    while True:
        if isinstance(source, BodyPartReader):
            chunk = await source.read_chunk(1 << 16)
        else:
            chunk = await source.content.read(1 << 16)
        if not chunk:
            return bytes(body)
        body += chunk
        if len(body) > at_most:
            raise Refused(413, "size", "内容太大了。")


def said(body: bytes) -> Said:
    """Understand what the page sent; anything else is 400 with the reason in one line."""
    try:
        given = json.loads(body.decode())
    except (ValueError, RecursionError):
        raise Refused(400, "json", "不是 JSON。") from None
    if not isinstance(given, dict):
        raise Refused(400, "json", "应当是一个 JSON 对象。")
    _check_fields(given)
    if not _CLIENT_ID.fullmatch(given["id"]):
        raise Refused(400, "field", "id 应当是 8 到 64 个字母、数字、- 或 _。")
    photos = given.get("photos", [])
    if len(photos) > PHOTOS_A_MESSAGE or not all(isinstance(path, str) for path in photos):
        raise Refused(400, "field", f"photos 应当是至多 {PHOTOS_A_MESSAGE} 个文件名。")
    text = given["text"].replace("\0", "")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise Refused(400, "text", "text 里有不成字的编码。") from None
    if not text.strip() and not photos:
        raise Refused(400, "text", "text 是空的。")
    return Said(given["id"], given["as"], text, tuple(dict.fromkeys(photos)), given.get("tap", False))


def _check_fields(given: Mapping[str, object]) -> None:
    if any(name not in _FIELDS for name in given):
        raise Refused(400, "field", f"只认得这些字段：{'、'.join(_FIELDS)}。")
    for name in _NEEDED:
        if name not in given:
            raise Refused(400, "field", f"缺少 {name}。")
    for name, value in given.items():
        if not isinstance(value, _FIELDS[name]):
            raise Refused(400, "field", f"{name} 的类型不对。")
