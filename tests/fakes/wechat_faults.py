"""How a call of WeChat or WeCom can fail: by a number, or by something that is no answer."""

from __future__ import annotations

import asyncio

from aiohttp import web

from tests.fakes.wechat_rules import Answer, no
from tests.fakes.wechat_side import Fault

#: The paths of WeCom that WeChat does not have: a refusal may have another number there.
_WECOM_PATHS = (
    "gettoken",
    "message/send",
    "message/update_template_card",
    "message/recall",
    "appchat/",
    "agent/",
    "user/get",
    "webhook/",
    "aibot/",
    "externalcontact/",
    "kf/",
    "report/",
    "ws/",
)
_NUMBERS: dict[Fault, tuple[int, str]] = {
    "token_expired": (42001, "access_token expired"),
    "token_invalid": (40001, "invalid credential, access_token is invalid or not latest"),
    "token_bad": (40014, "invalid access_token"),
    "busy": (-1, "system error"),
    "quota": (45009, "reach max api daily quota limit"),
    "minute": (45011, "api minute-quota reach limit"),
    "concurrent": (45033, "api concurrent out of limit"),
    "window": (45015, "response out of time limit or subscription is canceled"),
    "count": (45047, "out of response count limit"),
    "unsubscribed": (43004, "require subscribe"),
    "refused": (43101, "user refuse to accept the msg"),
    "ip": (40164, "invalid ip 127.0.0.1, not in whitelist"),
    "forbidden": (48002, "api forbidden"),
    "banned": (48004, "api forbidden for irregularities"),
}
_WECOM_NUMBERS: dict[Fault, tuple[int, str]] = {
    "token_invalid": (40014, "invalid access_token"),
    "ip": (60020, "not allow to access from your ip"),
}


def numbered(kind: Fault, path: str) -> Answer | None:
    """The refusal with a number that this fault is on that platform, if it is one."""
    numbers = _NUMBERS | (_WECOM_NUMBERS if path.startswith(_WECOM_PATHS) else {})
    return no(*numbers[kind]) if kind in numbers else None


async def broken(kind: Fault, request: web.Request) -> web.StreamResponse:
    """The answer of a fault that has no number; `drop` and what nobody names end the connection."""
    match kind:
        case "500" | "502":
            return web.Response(
                status=int(kind), text="<html>upstream error</html>", content_type="text/html"
            )
        case "garbage":
            return web.Response(body=b"\x00\xff{not json", content_type="application/json")
        case "hang":
            await asyncio.sleep(3)
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=444)
