"""居民上报: reports that residents leave with WeCom's own robot or mini program, fetched every minute.

WeCom docs 97157 and 97158. Nothing is pushed and nothing can be answered there: staff answer in WeCom. What
changes in an order later (who has it, how far it is) is WeCom's own affair; we file it once, by its number.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from aiohttp import web

from bot.channels import wecom_orders
from bot.channels.base import Counters, Desk, Handle, Incoming, Limits, Outgoing, PermanentFailure
from bot.channels.pace import Patience
from bot.channels.wechat_api import ApiError, WeChatApi
from bot.channels.wechat_pictures import LASTS, Pictures
from bot.channels.wecom_orders import Listed
from bot.channels.wecom_token import app_tokens, app_trouble

log = logging.getLogger(__name__)

LIST = "/cgi-bin/report/resident/get_order_list"
EVERY = 60.0  # seconds between two looks
OVERLAP = 300  # seconds that a look reaches back before the one before: clocks differ, changes come late
PAGE, PAGES = 50, 400  # orders in a page (the most), and pages in one look
#: Where WeCom keeps the pictures of orders: below these hosts, or at the API's own address.
HOSTS = ("qq.com", "qpic.cn")


@dataclass(frozen=True, slots=True)
class App:
    """The app that the company lets read its orders (居民上报 - 可调用接口的应用)."""

    corp_id: str
    secret: str = field(repr=False)


class Residents:
    """Polls the list of orders by when they last changed."""

    name = "residents"
    limits = Limits(pushes=False)

    def __init__(
        self,
        app: App,
        *,
        desk: Desk,
        uploads: Path,
        api_base: str,
        now: Callable[[], datetime],
        every: float = EVERY,
    ) -> None:
        self._desk, self._now, self._every = desk, now, every
        self.counters = Counters()
        self._api = WeChatApi(api_base)
        self._tokens = app_tokens(self._api, app.corp_id, app.secret)
        self._pictures = Pictures(uploads, app.secret, self._picture, self.counters)
        self._known: set[str] = set()
        self._trouble: str | None = None

    def routes(self) -> Sequence[web.RouteDef]:
        return ()

    async def listen(self, handle: Handle) -> None:
        patience = Patience()
        self._pictures.resume(await self._desk.pictures(LASTS))
        while True:
            try:
                await self._look(handle)
            except ApiError as refused:  # a minute later it may be allowed
                log.warning("residents' orders can't be read: %s", refused)
                self._trouble = _trouble(refused)
            except Exception as problem:
                log.warning("residents' orders can't be read: %s", type(problem).__name__)
                self._trouble = _trouble(problem)
                await patience.wait()
                continue
            else:
                self._trouble = ""
            patience.again()
            await asyncio.sleep(self._every)

    async def _look(self, handle: Handle) -> None:
        """Everything that changed since the last look; how far we have read is kept with the last of it."""
        began = int(self._now().timestamp())
        since, read_to = await self._bookmark(began)
        listed: set[str] = set()
        async for orders, last in self._pages(read_to - OVERLAP):
            fresh = [one for one in orders if self._ours(one, since)]
            for number, one in enumerate(fresh, 1):
                bookmark = self._mark(since, began) if last and number == len(fresh) else None
                await handle(replace(await self._with_pictures(one), bookmark=bookmark))
                self._known.add(one.id)
            listed |= {one.id for one in orders}
            if last and listed and not fresh:  # no message takes it along
                await self._desk.keep_bookmark(*self._mark(since, began))
        self._known = listed

    def _ours(self, one: Listed, since: int) -> bool:
        """Not what was there before us, nor what is done already: nobody wants an old ticket anew."""
        old = 0 < one.made < since
        return not (old or one.over or one.id in self._known)

    def _mark(self, since: int, read_to: int) -> tuple[str, str]:
        return self.name, f"{since} {read_to}"

    async def _bookmark(self, now: int) -> tuple[int, int]:
        """From when on orders are ours, and up to when we have read. Both begin with the first look."""
        try:
            since, read_to = map(int, (await self._desk.bookmark(self.name)).split())
        except ValueError:
            since, read_to = now - OVERLAP, now
            await self._desk.keep_bookmark(*self._mark(since, read_to))
        return since, read_to

    async def _pages(self, begin: int) -> AsyncIterator[tuple[list[Listed], bool]]:
        """Orders changed after `begin`, a page at a time, and whether it is the last page."""
        cursor = ""
        for _ in range(PAGES):
            asked: dict[str, Any] = {"begin_modify_time": begin, "cursor": cursor, "limit": PAGE}
            answer = await self._api.call(LIST, asked, tokens=self._tokens)
            found = answer.get("order_list")
            orders = [wecom_orders.read(one, self.name) for one in found] if isinstance(found, list) else []
            if None in orders:
                self.counters.refuse("order without a number")
            following = answer.get("next_cursor")
            last = not isinstance(following, str) or following in ("", cursor)
            yield [one for one in orders if one is not None], last
            if last:
                return
            cursor = str(following)

    async def _with_pictures(self, one: Listed) -> Incoming:
        urls = [url for url in one.pictures if self._api.keeps(url, HOSTS)]
        if len(urls) < len(one.pictures):
            self.counters.refuse("picture elsewhere")
        photos = await asyncio.gather(*(self._pictures.take(url) for url in urls))
        return replace(one.incoming, photos=tuple(photos))

    async def _picture(self, url: str) -> bytes:
        return await self._api.picture(url, HOSTS)

    async def send(self, message: Outgoing) -> str:
        raise PermanentFailure("居民上报只收不回：请在企业微信里回复这一单", unreachable=True)

    async def close(self) -> None:
        await self._pictures.close()
        await self._api.close()

    async def probe(self) -> str:
        """How the last look went; where nobody looks, a look at nothing."""
        if self._trouble is None:
            asked = {"begin_modify_time": int(self._now().timestamp()), "cursor": "", "limit": 1}
            try:
                await asyncio.wait_for(self._api.call(LIST, asked, tokens=self._tokens), 4)
            except Exception as problem:
                return _trouble(problem)
            return ""
        return self._trouble


def _trouble(problem: Exception) -> str:
    if isinstance(problem, ApiError) and problem.code == 48002:
        return (
            "企业微信不让这个应用读居民上报（48002）：请在管理后台「居民上报 - 可调用接口的应用」里加上它。"
        )
    return app_trouble(problem, "企业微信")
