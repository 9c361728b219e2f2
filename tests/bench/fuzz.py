"""Requests that no platform would send, to every callback: the service says no and lives on."""

from __future__ import annotations

import asyncio
import json
import random
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from bot.channels import wechat_xml
from bot.channels.wechat_envelope import Envelope, Secret
from bot.clock import SystemClock
from tests.bench import bare, doors, seed
from tests.fakes.wechat_credentials import NOBODY
from tests.serving import serving

WIRE = Path(__file__).parents[1] / "wire"
SECRET = Secret(bare.OA_TOKEN, bare.AES_KEY)
CORP, TOLD = NOBODY.corp_id, "pretended_secret-1"
#: The doors that have an envelope: path, whom it is for, its recordings, and how the outer body is written.
SEALED: dict[str, tuple[str, str, Callable[[str], bytes]]] = {
    "wechat/oa": (bare.APP_ID, "wechat_oa", lambda cipher: _xml(NOBODY.oa_id, cipher)),
    "wechat/work": (CORP, "wecom", lambda cipher: _xml(CORP, cipher)),
    "wechat/aibot": ("", "aibot", lambda cipher: json.dumps({"encrypt": cipher}).encode()),
}
_ODD: tuple[Any, ...] = (
    None, True, 0, -1, 2**63, 1e308, "", "\0", "\ud800", "x" * 5000, [], {}, [[]], {"a": {"b": [1]}},
    "<xml/>", "]]>", "𠮷👨‍👩‍👧", "1' or '1'='1", "../../etc/passwd", "{{7*7}}", "%s%n",
)  # fmt: skip


def _xml(to: str, cipher: str) -> bytes:
    return wechat_xml.write({"ToUserName": to, "Encrypt": cipher}).encode()


def settings(api: str) -> dict[str, str]:
    """Every door that takes callbacks, open."""
    return doors.settings(api) | {
        "LINLI_TELEGRAM_TOKEN": "7000001:AAHk-pretended-token-of-nobody",
        "LINLI_TELEGRAM_WEBHOOK_URL": "https://fuzz.example/telegram",
        "LINLI_TELEGRAM_WEBHOOK_SECRET": TOLD,
        "LINLI_TELEGRAM_API_BASE": f"{api}/bot",
        "LINLI_TELEGRAM_FILE_BASE": f"{api}/file/bot",
        "LINLI_WECOM_CORP_ID": CORP,
        "LINLI_WECOM_AGENT_ID": "1000002",
        "LINLI_WECOM_SECRET": "pretended secret",
        "LINLI_WECOM_TOKEN": bare.OA_TOKEN,
        "LINLI_WECOM_AES_KEY": bare.AES_KEY,
        "LINLI_WECOM_AIBOT_TOKEN": bare.OA_TOKEN,
        "LINLI_WECOM_AIBOT_AES_KEY": bare.AES_KEY,
        "LINLI_WECOM_API_BASE": api,
    }


@dataclass(frozen=True)
class Request:
    """One request to a path of ours."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


class Fuzzer:
    """Makes requests from recorded ones: cut, changed, put together wrongly, sealed rightly or not."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._updates = [json.loads(path.read_text("utf-8")) for path in sorted(WIRE.glob("telegram/*.json"))]
        self._inner = {
            folder: [path.read_text(encoding="utf-8") for path in sorted((WIRE / folder).iterdir())]
            for _, folder, _ in SEALED.values()
        }

    def requests(self) -> Iterator[Request]:
        while True:
            yield self._telegram() if self._chance.random() < 0.25 else self._sealed()

    def _telegram(self) -> Request:
        update = self._chance.choice(self._updates)["update"]
        body = self._bytes(json.dumps(self._changed(update)))
        secret = TOLD if self._chance.random() < 0.9 else self._noise()
        headers = {"X-Telegram-Bot-Api-Secret-Token": secret, "Content-Type": "application/json"}
        return self._request("telegram", {}, headers, body)

    def _sealed(self) -> Request:
        path = self._chance.choice(sorted(SEALED))
        receive_id, folder, outer = SEALED[path]
        envelope = Envelope(lambda: [SECRET], receive_id, lambda: SystemClock().now().timestamp())
        sealed = envelope.seal(self._inside(folder), SECRET)
        query = {name: sealed[name] for name in ("timestamp", "nonce")}
        query |= {"msg_signature": sealed["msgsignature"], "signature": sealed["msgsignature"]}
        body = outer(sealed["encrypt"])
        if self._chance.random() < 0.1:
            query[self._chance.choice(list(query))] = self._noise()
        if self._chance.random() < 0.1:
            query.pop(self._chance.choice(list(query)))
        if self._chance.random() < 0.15:
            body = self._bytes(body.decode())
        return self._request(path, query, {"Content-Type": "text/xml"}, body)

    def _inside(self, folder: str) -> str:
        """What a good envelope holds: a recorded message, changed; rarely another door's, or anything."""
        kind = self._chance.random()
        if kind < 0.05:
            return self._noise()
        if kind < 0.1:
            folder = self._chance.choice(sorted(self._inner))
        text = self._chance.choice(self._inner[folder])
        if text.startswith("{") and self._chance.random() < 0.7:
            return json.dumps(self._changed(json.loads(text)), ensure_ascii=False)
        text = self._renumbered(text)
        return self._text(text) if self._chance.random() < 0.6 else text

    def _renumbered(self, text: str) -> str:
        """Another message, not the recorded one again."""
        return re.sub(r"(?<=<MsgId>)\d+|(?<=CAIQ)\w+", lambda _: str(self._chance.randrange(10**15)), text)

    def _changed(self, value: Any) -> Any:
        """The same with a field or two that are something else, or not there."""
        if self._chance.random() < 0.04:
            return self._chance.choice(_ODD)
        if isinstance(value, dict):
            return {
                name: self._changed(inside) for name, inside in value.items() if self._chance.random() > 0.03
            }
        if isinstance(value, list):
            return [self._changed(inside) for inside in value]
        return value

    def _text(self, text: str) -> str:
        """Cut, doubled, or with a stretch of it replaced."""
        if self._chance.random() < 0.5 or not text:
            return text
        start = self._chance.randrange(len(text))
        end = min(len(text), start + self._chance.randrange(1, 40))
        return self._chance.choice(
            [text[:start], text[start:], text[:start] + text[end:], text[:start] + self._noise() + text[end:]]
        )

    def _bytes(self, text: str) -> bytes:
        data = bytearray(self._text(text).encode("utf-8", "surrogatepass"))
        for _ in range(self._chance.choice((0, 0, 1, 5))):
            if data:
                data[self._chance.randrange(len(data))] = self._chance.randrange(256)
        return bytes(data)

    def _noise(self) -> str:
        length = self._chance.choice((0, 1, 8, 60))
        return "".join(chr(self._chance.choice((32, 60, 38, 93, 0x4E2D, 0x1F600, 65))) for _ in range(length))

    def _request(self, path: str, query: dict[str, str], headers: dict[str, str], body: bytes) -> Request:
        method = self._chance.choice(("POST",) * 12 + ("GET", "PUT", "HEAD", "DELETE"))
        if self._chance.random() < 0.05:
            headers = headers | {"Content-Encoding": self._chance.choice(("gzip", "deflate", "br", "x"))}
        return Request(method, path, query, headers, body)


async def fuzzed(folder: Path, api: str, requests: int, *, at_once: int = 16) -> Counter[int]:
    """How often each status was answered; 0 where the line broke."""
    await seed.fill(folder, "wechat_oa", staff="web")
    found: Counter[int] = Counter()
    waiting = Fuzzer(random.Random(17)).requests()
    database = {"LINLI_DATABASE_URL": seed.url(folder)}
    with serving(folder, **settings(api), **database) as running:
        timeout = aiohttp.ClientTimeout(total=20)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            left = iter(range(requests))

            async def ask() -> None:
                for _ in left:
                    one = next(waiting)
                    url = f"{running.address}{one.path}"
                    try:
                        async with session.request(
                            one.method, url, params=one.query, headers=one.headers, data=one.body
                        ) as answer:
                            await answer.read()
                            found[answer.status] += 1
                    except (aiohttp.ClientError, TimeoutError):
                        found[0] += 1

            await asyncio.gather(*(ask() for _ in range(at_once)))
            async with session.get(f"{running.address}healthz") as alive:
                found[alive.status] += 1
    return found
