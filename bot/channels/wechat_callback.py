"""What the callbacks of WeChat have in common: the try of an address, the envelope, putting aside."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from bot.channels import callback, wechat_xml
from bot.channels.base import Counters, Desk
from bot.channels.wechat_envelope import Envelope, Opened, Refused, Secret
from bot.channels.wechat_reading import Aside

log = logging.getLogger(__name__)


async def opened(request: web.Request, envelope: Envelope) -> tuple[Opened, Mapping[str, Any]]:
    """What the envelope holds, and the fields around it, which nobody signed. Raises Refused."""
    query = request.query
    data = await callback.body(request)
    outer = wechat_xml.read(data.decode("utf-8", "replace"))
    cipher = outer.get("Encrypt")
    if not isinstance(cipher, str) or not cipher:
        raise Refused(400, "not encrypted")  # the signature of a plain message does not cover its body
    found = envelope.open(
        query.get("msg_signature", ""), query.get("timestamp", ""), query.get("nonce", ""), cipher
    )
    return found, outer


def tried(request: web.Request, envelope: Envelope, counters: Counters) -> web.Response:
    """WeCom tries the address: what it sealed comes back bare, within a second (WeCom doc 91116)."""
    query = request.query
    given = (query.get(name, "") for name in ("msg_signature", "timestamp", "nonce", "echostr"))
    try:
        return web.Response(text=envelope.open(*given).text)
    except Refused as refused:
        return callback.refusal(counters, refused)


def reply(envelope: Envelope, secret: Secret, fields: Mapping[str, object]) -> web.Response:
    """Our passive reply, sealed with the secret that the message was sealed with."""
    sealed = envelope.seal(wechat_xml.write(fields), secret)
    body = wechat_xml.write(
        {
            "Encrypt": sealed["encrypt"],
            "MsgSignature": sealed["msgsignature"],
            "TimeStamp": int(sealed["timestamp"]),
            "Nonce": sealed["nonce"],
        }
    )
    return web.Response(text=body, content_type="application/xml")


async def put_aside(aside: Aside, counters: Counters, desk: Desk) -> None:
    """Count it, and keep who left and what was lost. Raises Refused 503 when that could not be kept."""
    counters.refuse(aside.reason)
    try:
        if aside.gone:
            await desk.gone(aside.gone)
        for one in aside.lost:
            await desk.lost(one.chat, one.receipt, one.reason)
    except Exception:
        log.exception("an event was not kept: %s", aside.reason)
        raise Refused(503, "not kept") from None
