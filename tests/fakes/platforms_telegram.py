"""The pretended Telegram that lies beside the repository, where it does, with the face our tests know."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

from aiohttp import web

from tests.fakes.telegram import TOKEN, USERNAME, Call

SHARED = Path(__file__).parents[3] / "shared"

_FAULTS: dict[str, dict[str, Any]] = {
    "429": {"preset": "tg_429"},
    "403": {"preset": "tg_blocked"},
    "400": {"preset": "tg_chat_not_found"},
    "topic": {
        "status": 400,
        "json": {"ok": False, "error_code": 400, "description": "Bad Request: message thread not found"},
    },
    "closed": {
        "status": 400,
        "json": {"ok": False, "error_code": 400, "description": "Bad Request: TOPIC_CLOSED"},
    },
    "409": {
        "status": 409,
        "json": {
            "ok": False,
            "error_code": 409,
            "description": "Conflict: terminated by other getUpdates request",
        },
    },
    "401": {"preset": "tg_unauthorized"},
    "500": {"preset": "http_500"},
    "502": {"preset": "http_502"},
    "garbage": {"preset": "garbage"},
    "hang": {"kind": "hang", "seconds": 3},
    "drop": {"preset": "drop"},
    "lost": {"preset": "lost_answer"},
}


def there() -> bool:
    return (SHARED / "platforms" / "fake_telegram.py").is_file()


class PlatformsTelegram:
    """Wraps its FakeTelegram; nothing of it is copied here."""

    def __init__(self) -> None:
        if str(SHARED) not in sys.path:
            sys.path.append(str(SHARED))
        module: Any = importlib.import_module("platforms.fake_telegram")
        self._fake = module.FakeTelegram({"telegram_token": TOKEN, "telegram_bot_username": USERNAME})
        self.token, self.base, self._port = TOKEN, "", 0
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        self._runner = web.AppRunner(self._fake.app(), access_log=None, shutdown_timeout=0.01)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port, reuse_address=True).start()
        self._port = self._runner.addresses[0][1]
        self.base = f"http://127.0.0.1:{self._port}"

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def queue(self, update: dict[str, Any]) -> None:
        self._fake.pending.append(update)

    def waiting(self) -> list[int]:
        return [update["update_id"] for update in self._fake.pending]

    def webhook(self) -> dict[str, Any]:
        return dict(self._fake.webhook)

    def occupy(self) -> None:
        self._fake.webhook = {"url": "https://elsewhere.example/telegram", "secret": ""}

    def file(self, file_id: str, data: bytes) -> None:
        self._fake.files[file_id] = data

    def fault(self, method: str, kind: str, times: int = 1, body: str = "") -> None:
        if method == "file":  # it has no faults for downloads: the file is simply not there
            self._fake.files = {}
            return
        rule: dict[str, Any] = {"match": f"^{method}$", "times": times} | _FAULTS[kind]
        self._fake.faults.add(rule | ({"body": body} if body else {}))

    def block(self, chat: int) -> None:
        self._fake.blocked.add(chat)

    def migrate(self, old: int, new: int) -> None:
        self._fake.migrated[old] = new

    def calls(self, method: str) -> list[Call]:
        return [
            Call(one["method"], one["data"], one["files"], bool(one.get("delivered")))
            for one in self._fake.log
            if one["method"] == method
        ]
