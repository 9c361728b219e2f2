"""Notices to customer groups (客户群): a task that the owner of the groups has to confirm in WeCom.

WeCom doc 92135. No interface writes into a customer group by itself: what is sent here stands as a task with
somebody who confirms it, and only then it goes out. "Sent", for this channel, says that the task stands.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Sequence
from pathlib import Path

from aiohttp import web

from bot.channels import pictures
from bot.channels.base import Counters, Handle, Limits, Outgoing, PermanentFailure, Photo, RetryLater
from bot.channels.carrying import in_pieces
from bot.channels.text import octets, split
from bot.channels.wechat_api import ApiError, WeChatApi, failure
from bot.channels.wecom_token import app_tokens, refusal
from bot.messages import Lane

log = logging.getLogger(__name__)

TEXT = 4000  # bytes
ATTACHED = 9
PICTURE = 10 * 1024 * 1024  # bytes
DAY = 86400.0  # seconds


class CustomerGroups:
    """One address an owner: a chat is the userid of who owns groups and confirms.

    A group takes as many a month as the month has days, one a day on average (doc 92135): counted in four
    weeks, so that a try that failed does not cost a day.
    """

    name = "customer_groups"
    limits = Limits(text=TEXT, octets=TEXT, per_chat=((28, 28 * DAY),))

    def __init__(
        self, corp_id: str, secret: str, owners: Collection[str], *, uploads: Path, api_base: str
    ) -> None:
        self.owners, self._uploads = frozenset(owners), uploads
        self.counters = Counters()
        self._api = WeChatApi(api_base)
        self._tokens = app_tokens(self._api, corp_id, secret)

    def routes(self) -> Sequence[web.RouteDef]:
        return ()

    async def listen(self, handle: Handle) -> None:
        await asyncio.Event().wait()

    async def send(self, message: Outgoing) -> str:
        """Make the task; its msgid. A task twice is a notice twice: what may have arrived is not repeated."""
        if message.chat not in self.owners:
            raise PermanentFailure("不是 LINLI_WECOM_CUSTOMER_GROUPS 里的群主")
        media = [await self._uploaded(photo) for photo in message.photos[:ATTACHED]]
        attached = [{"msgtype": "image", "image": {"media_id": one}} for one in media if one]
        bodies: list[dict[str, object]] = [
            {"text": {"content": part}} for part in split(message.text, TEXT, octets)
        ]
        if attached:
            bodies = bodies or [{}]
            bodies[0]["attachments"] = attached

        async def task(body: dict[str, object], _: int) -> str:
            return await self._task({"chat_type": "group", "sender": message.chat} | body)

        return await in_pieces(bodies, task)

    async def _task(self, body: object) -> str:
        try:
            answer = await self._api.call(
                "/cgi-bin/externalcontact/add_msg_template", body, tokens=self._tokens
            )
        except Exception as problem:
            if isinstance(problem, ApiError) and problem.code == 48002:  # no task, until somebody allows it
                raise RetryLater("48002 应用没有这个接口的权限", whole_channel=True) from None
            raise failure(problem, Lane.NOTICE) from None
        task = str(answer.get("msgid") or "")
        failed = answer.get("fail_list")
        if failed and isinstance(failed, list):
            groups = "、".join(str(one) for one in failed[:5])
            stands = f"；任务 {task} 已建，其余的群还等群主确认" if task else ""
            raise PermanentFailure(f"{len(failed)} 个群发不到：{groups}{stands}")
        return task

    async def _uploaded(self, photo: Photo) -> str:
        """Its media id; "" when it can't be had: the words matter more."""
        data = await asyncio.to_thread(pictures.fetch, self._uploads, photo, PICTURE)
        if data is None:
            log.warning("a task goes without a picture: it is gone")
            return ""
        try:
            answer = await self._api.upload(
                "/cgi-bin/media/upload", data, photo.media_type, tokens=self._tokens, params={"type": "image"}
            )
        except Exception as problem:
            log.warning("a task goes without a picture: %s", type(problem).__name__)
            return ""
        return str(answer.get("media_id", ""))

    async def close(self) -> None:
        await self._api.close()

    async def probe(self) -> str:
        return await refusal(self._tokens, "企业微信")
