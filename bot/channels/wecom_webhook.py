"""Group robots of WeCom (群机器人, now 消息推送): they write into their group and hear nothing.

WeCom docs 91770 and 99110. The key is all that is needed to write: it stays out of every log and error.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from aiohttp import web

from bot.channels import pictures
from bot.channels.base import Counters, Handle, Limits, Outgoing, PermanentFailure, Photo, RetryLater
from bot.channels.carrying import in_pieces
from bot.channels.text import octets, split
from bot.channels.wechat_api import ApiError, WeChatApi, failure
from bot.messages import Lane

log = logging.getLogger(__name__)

TEXT = 2048  # bytes
#: Messages of one robot, and seconds; those that a call may take are added, as WeCom counts what it received.
PACE = ((20, 70.0),)
TOO_OFTEN, NO_SUCH = 45009, 93000
AGAIN = 60.0  # seconds; the platform bars a robot that was too fast for a minute
PICTURE = 2 * 1024 * 1024  # bytes
IMAGES = frozenset({"image/jpeg", "image/png"})


class GroupRobots:
    """One address a robot: a chat is its name. `keys` gives them anew for each message."""

    name = "webhook"
    limits = Limits(text=TEXT, octets=TEXT, per_chat=PACE, digests=True)

    def __init__(self, keys: Callable[[], Mapping[str, str]], *, uploads: Path, api_base: str) -> None:
        self._keys, self._uploads = keys, uploads
        self.counters = Counters()
        self._api = WeChatApi(api_base)
        #: Robots whose key WeCom did not know at their last message.
        self._unknown: set[str] = set()

    def routes(self) -> Sequence[web.RouteDef]:
        return ()

    async def listen(self, handle: Handle) -> None:
        await asyncio.Event().wait()

    async def send(self, message: Outgoing) -> str:
        """Its words, calling who is mentioned, then its pictures; "" as robots' messages have no number."""
        if message.chat not in self._keys():
            raise PermanentFailure(f"LINLI_WECOM_WEBHOOK_KEY 里没有「{message.chat}」")
        bodies = [_text(part) for part in split(message.text, TEXT, octets)]
        if message.mentions and bodies:
            bodies[-1]["text"]["mentioned_list"] = list(message.mentions)
        shown = [await asyncio.to_thread(self._image, photo) for photo in message.photos]
        bodies += [body for body in shown if body]

        async def post(body: dict[str, Any], _: int) -> str:
            await self._post(message.chat, body, message.lane)
            return ""

        return await in_pieces(bodies, post)

    async def _post(self, robot: str, body: dict[str, Any], lane: Lane) -> None:
        try:
            await self._api.call("/cgi-bin/webhook/send", body, params={"key": self._keys().get(robot, "")})
        except ApiError as refused:
            if refused.code == TOO_OFTEN:  # this robot, not the others
                raise RetryLater("45009 群机器人一分钟只能发 20 条", AGAIN) from None
            if refused.code == NO_SUCH:
                self._unknown.add(robot)
                raise PermanentFailure(f"93000 群机器人「{robot}」的 key 不对，或已被移出群") from None
            raise failure(refused, lane) from None
        except Exception as problem:
            raise failure(problem, lane) from None
        self._unknown.discard(robot)

    def _image(self, photo: Photo) -> dict[str, Any] | None:
        """None when it is gone, too large, or of a kind that robots do not show: the words do without it."""
        data = pictures.fetch(self._uploads, photo, PICTURE)
        if data is None or pictures.media_type(data) not in IMAGES:
            log.warning(
                "a group message goes without a picture: gone, too large, or of no kind that is shown"
            )
            return None
        sum_ = hashlib.md5(data, usedforsecurity=False).hexdigest()  # the platform's choice
        return {"msgtype": "image", "image": {"base64": base64.b64encode(data).decode("ascii"), "md5": sum_}}

    async def close(self) -> None:
        await self._api.close()

    async def probe(self) -> str:
        """What the last messages told: there is no call that tries a key without writing into the group."""
        names = "、".join(f"「{name}」" for name in sorted(self._unknown & set(self._keys())))
        if not names:
            return ""
        return (
            f"群机器人{names}的 key 不对，或已被移出群（93000）："
            "请在群设置里重新添加机器人，把地址里 key= 后面的抄进 LINLI_WECOM_WEBHOOK_KEY。"
        )


def _text(words: str) -> dict[str, Any]:
    return {"msgtype": "text", "text": {"content": words}}
