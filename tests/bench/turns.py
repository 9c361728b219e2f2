"""Whole repair turns over HTTP: from the request to the answer that promises that it is kept on disk."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from statistics import median

from bot.channels import wechat_xml
from bot.channels.web_door import COOKIE, Seal
from bot.channels.wechat_envelope import Envelope, Secret
from bot.clock import SystemClock
from tests.bench import bare, processes, seed
from tests.bench.load import Measured, press
from tests.bench.processes import Process

ROUNDS, SECONDS, WARM = 4, 1.3, 0.5
CHATS = (1, 50)
KEY = "a key for the bench and nothing else"
TOKEN = "7000001:AAHk-pretended-token-of-nobody"
TOLD = "pretended_secret-1"


@dataclass(frozen=True)
class Compared:
    """House and bare server under the same load, one after the other, several rounds."""

    channel: str
    chats: int
    house: list[Measured]
    bare: list[Measured]

    @property
    def rate(self) -> float:
        return median(h.rate / b.rate for h, b in zip(self.house, self.bare, strict=True))

    @property
    def tail(self) -> float:
        return median(h.at(0.99) / b.at(0.99) for h, b in zip(self.house, self.bare, strict=True))

    @property
    def work(self) -> float:
        """Processor time a turn: a busy machine shakes it less than the rate."""
        return _cpu(self.house) / _cpu(self.bare)

    def scale(self) -> str:
        return f"{_say(self.house)} | {_say(self.bare)}"


def _say(rounds: list[Measured]) -> str:
    middle, tail = (1000 * median(one.at(share) for one in rounds) for share in (0.5, 0.99))
    rate = median(one.rate for one in rounds)
    return f"{rate:.0f}/s p50 {middle:.2f} p99 {tail:.2f} ms cpu {_cpu(rounds) * 1e6:.0f} µs"


def _cpu(rounds: list[Measured]) -> float:
    return sum(one.cpu for one in rounds) / sum(one.answered for one in rounds)


def _request(path: str, header: str, body: object) -> bytes:
    data = json.dumps(body).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"{header}\r\nContent-Length: {len(data)}\r\n\r\n"
    )
    return head.encode() + data


def web_requests(numbers: Iterator[int]) -> Iterator[bytes]:
    """As the page sends them, each from the next resident."""
    seal = Seal(KEY.encode())
    for number in numbers:
        account = seed.resident(number)
        cookie = f"Cookie: {COOKIE}={account}.{seal.of('visitor', account)}"
        body = {"id": f"bench-{number:08}", "as": account, "text": seed.said(number)}
        yield _request(f"/api/chat/{account}/messages", cookie, body)


def telegram_requests(numbers: Iterator[int]) -> Iterator[bytes]:
    """As Telegram's webhook calls, each from the next resident."""
    for number in numbers:
        chat = int(seed.resident(number))
        body = {
            "update_id": number + 1,
            "message": {
                "message_id": number + 1,
                "from": {"id": chat, "is_bot": False, "first_name": "芳", "language_code": "zh-hans"},
                "chat": {"id": chat, "first_name": "芳", "type": "private"},
                "date": 1741350900,
                "text": seed.said(number),
            },
        }
        yield _request("/telegram", f"X-Telegram-Bot-Api-Secret-Token: {TOLD}", body)


def wechat_requests(numbers: Iterator[int]) -> Iterator[bytes]:
    """As the Official Account's platform calls, each from the next resident."""
    envelope = Envelope(
        lambda: [Secret(bare.OA_TOKEN, bare.AES_KEY)], bare.APP_ID, lambda: SystemClock().now().timestamp()
    )
    for number in numbers:
        said = wechat_xml.write(
            {
                "ToUserName": "gh_pretended",
                "FromUserName": seed.resident(number),
                "CreateTime": 1741350900,
                "MsgType": "text",
                "Content": seed.said(number),
                "MsgId": number + 1,
            }
        )
        sealed = envelope.seal(said, Secret(bare.OA_TOKEN, bare.AES_KEY))
        data = wechat_xml.write({"ToUserName": "gh_pretended", "Encrypt": sealed["encrypt"]}).encode()
        query = (
            f"msg_signature={sealed['msgsignature']}&timestamp={sealed['timestamp']}&nonce={sealed['nonce']}"
        )
        head = (
            f"POST /wechat/oa?encrypt_type=aes&{query} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            f"Content-Type: text/xml\r\nContent-Length: {len(data)}\r\n\r\n"
        )
        yield head.encode() + data


REQUESTS = {"web": web_requests, "telegram": telegram_requests, "wechat_oa": wechat_requests}


async def compare(channel: str, house: Process, bare: Process) -> tuple[list[Compared], int]:
    """Every number of chats, and how many turns were answered in all."""
    requests = REQUESTS[channel](count())
    answered = 0
    out = []
    bare.pause()
    for chats in CHATS:
        found = Compared(channel, chats, [], [])
        for number in range(ROUNDS + 1):
            for one, other, into in ((house, bare, found.house), (bare, house, found.bare)):
                other.pause()
                one.go_on()
                before = one.cpu()
                seen = await press(one.port, requests, chats=chats, seconds=SECONDS if number else WARM)
                seen.cpu = one.cpu() - before
                if seen.refused:
                    raise RuntimeError(f"{channel}: {seen.refused} requests were refused")
                answered += seen.answered if one is house else 0
                if number:
                    into.append(seen)
        out.append(found)
    house.go_on()
    return out, answered


def tickets(folder: Path) -> int:
    with sqlite3.connect(folder / "linli.db") as db:
        return int(db.execute("select count(*) from ticket").fetchone()[0])


@dataclass(frozen=True)
class Found:
    """A channel's figures; memory in MiB."""

    compared: list[Compared]
    answered: int
    tickets: int
    memory: float


async def web(folder: Path) -> Found:
    await seed.fill(folder, "web")
    with processes.bare() as bare_, processes.house(folder, {"LINLI_SECRET_KEY": KEY}) as house:
        compared, answered = await compare("web", house, bare_)
        memory = house.memory()
    return Found(compared, answered, tickets(folder), memory)


async def telegram(folder: Path) -> Found:
    await seed.fill(folder, "telegram")
    with processes.bare() as bare_, processes.bare() as far:
        base = f"http://127.0.0.1:{far.port}"
        settings = {
            "LINLI_TELEGRAM_TOKEN": TOKEN,
            "LINLI_TELEGRAM_WEBHOOK_URL": "https://bench.example/telegram",
            "LINLI_TELEGRAM_WEBHOOK_SECRET": TOLD,
            "LINLI_TELEGRAM_API_BASE": f"{base}/bot",
            "LINLI_TELEGRAM_FILE_BASE": f"{base}/file/bot",
        }
        with processes.house(folder, settings) as house:
            compared, answered = await compare("telegram", house, bare_)
            memory = house.memory()
    return Found(compared, answered, tickets(folder), memory)


async def wechat(folder: Path) -> Found:
    """Encrypted callbacks of an Official Account; the alerts go to a web page, as they cost a window here."""
    await seed.fill(folder, "wechat_oa", staff="web")
    with processes.bare() as bare_, processes.bare() as far:
        settings = {
            "LINLI_WECHAT_OA_APP_ID": bare.APP_ID,
            "LINLI_WECHAT_OA_APP_SECRET": "pretended secret",
            "LINLI_WECHAT_OA_TOKEN": bare.OA_TOKEN,
            "LINLI_WECHAT_OA_AES_KEY": bare.AES_KEY,
            "LINLI_WECHAT_API_BASE": f"http://127.0.0.1:{far.port}",
        }
        with processes.house(folder, settings) as house:
            compared, answered = await compare("wechat_oa", house, bare_)
            memory = house.memory()
    return Found(compared, answered, tickets(folder), memory)
