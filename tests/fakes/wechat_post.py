"""Letters of WeChat to the service: signed, encrypted, and forged in every way a test may want."""

from __future__ import annotations

import itertools
import secrets
import time
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Literal, Self

import aiohttp

from bot.clock import Clock, SystemClock
from tests.fakes.wechat_envelope import Envelope

#: What may be wrong with a letter: signed by a stranger, not signed, eleven minutes old or ahead, signed for
#: another body, for another app or company, for another account of the same, in plain text, cut short.
Forged = Literal[
    "signature",
    "unsigned",
    "stale",
    "future",
    "tampered",
    "foreign_receiver",
    "foreign_account",
    "plaintext",
    "malformed",
]
_AGE = {"stale": -660, "future": 660}
_ids = itertools.count(secrets.randbelow(10**12))


def next_id() -> int:
    """Of a message; nobody else in this run has it."""
    return 22_000_000_000_000_000 + next(_ids)


@dataclass(frozen=True)
class Sent:
    """A request exactly as it went, and the message inside."""

    url: str
    query: dict[str, str]
    body: bytes
    plain: str


@dataclass(frozen=True)
class Answer:
    """`reply` is the opened passive reply, None where the answer was only an acknowledgement."""

    status: int
    text: str
    seconds: float
    sent: Sent
    reply: dict[str, Any] | None = None


@dataclass
class Post:
    """The connection to one address of the service; a clock of the test's own makes the timestamps."""

    url: str
    envelope: Envelope
    clock: Clock = field(default_factory=SystemClock)

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        await self._session.close()

    def stamp(self, forged: Forged | None = None) -> tuple[str, str]:
        """Timestamp and nonce."""
        at = int(self.clock.now().timestamp()) + _AGE.get(forged or "", 0)
        return str(at), secrets.token_hex(8)

    def sealed(self, plain: str, forged: Forged | None) -> tuple[dict[str, str], str]:
        """The query and the cipher text."""
        timestamp, nonce = self.stamp(forged)
        receiver = "wx0000000000000000" if forged == "foreign_receiver" else None
        cipher = self.envelope.seal(plain[: len(plain) // 2] if forged == "malformed" else plain, receiver)
        signed = self.envelope.seal(plain) if forged == "tampered" else cipher
        signature = self.envelope.sign(timestamp, nonce, signed)
        if forged == "signature":
            signature = secrets.token_hex(20)
        query = {"msg_signature": signature, "timestamp": timestamp, "nonce": nonce}
        if forged in ("unsigned", "plaintext"):
            del query["msg_signature"]
        return query, cipher

    async def get(self, query: dict[str, str], plain: str = "") -> Answer:
        return await self._ask("GET", Sent(self.url, query, b"", plain))

    async def send(self, sent: Sent) -> Answer:
        return await self._ask("POST", sent)

    async def _ask(self, method: str, sent: Sent) -> Answer:
        began = time.perf_counter()
        kind = "application/json" if sent.body.startswith(b"{") else "text/xml"
        head = {"Content-Type": kind} if sent.body else {}
        async with self._session.request(
            method, sent.url, params=sent.query, data=sent.body, headers=head
        ) as answer:
            text = await answer.text(errors="replace")
        return Answer(answer.status, text, time.perf_counter() - began, sent)


def tag(name: str, value: object) -> str:
    """XML as the platforms write it: texts in CDATA, numbers bare, a list as repeated tags."""
    if isinstance(value, list):
        return "".join(tag(name, one) for one in value)
    if isinstance(value, Mapping):
        return f"<{name}>" + "".join(tag(inner, one) for inner, one in value.items()) + f"</{name}>"
    if isinstance(value, int | float):
        return f"<{name}>{value}</{name}>"
    return f"<{name}><![CDATA[" + str(value).replace("]]>", "]]]]><![CDATA[>") + f"]]></{name}>"


def read_xml(text: str) -> dict[str, Any]:
    """Repeated tags become a list."""
    return _children(ET.fromstring(text))


def _children(node: ET.Element) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for child in node:
        value = _children(child) if len(child) else child.text or ""
        earlier = found.get(child.tag)
        if earlier is None:
            found[child.tag] = value
        else:
            found[child.tag] = [*earlier, value] if isinstance(earlier, list) else [earlier, value]
    return found
