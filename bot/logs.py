"""Logs: one JSON object a line, without secrets, tokens and phone numbers."""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Iterable
from datetime import UTC, datetime

_PHONE = re.compile(r"(?<!\d)(1[3-9]\d)\d{4}(\d{4})(?!\d)")
_ID_CARD = re.compile(r"(?<!\d)(\d{6})\d{8}(\d{3}[\dXx])(?!\d)")
_BOT_TOKEN = re.compile(r"\d{6,}:[A-Za-z0-9_-]{20,}")
_IN_URL = re.compile(r"((?:access_token|secret|key|token)=)[^&\s\"']+", re.IGNORECASE)


class Masked(logging.Formatter):
    """JSON a line. Whatever a message or a traceback says, what must not be in a log is masked."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        super().__init__()
        self._secrets = [secret for secret in secrets if len(secret) >= 6]

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "where": record.name,
            "what": record.getMessage(),
        }
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return self.mask(json.dumps(line, ensure_ascii=False))

    def mask(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "***")
        text = _BOT_TOKEN.sub("***", text)
        text = _IN_URL.sub(r"\1***", text)
        text = _ID_CARD.sub(r"\1********\2", text)
        return _PHONE.sub(r"\1****\2", text)


def start(secrets: Iterable[str] = (), level: int = logging.INFO) -> None:
    """Log to standard error from now on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Masked(secrets))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for noisy in ("httpx", "httpcore", "telegram", "aiohttp.access", "tortoise"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    # what clients send that is no request is theirs; what breaks in ours, the server logs itself
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)
    # that a tick was left out under load is its way of working, not news
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
