"""Pictures that the platform keeps for three days: fetched at once where that is quick, else until here."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path

from bot.channels import pictures
from bot.channels.base import Counters, Photo
from bot.channels.pace import Patience
from bot.channels.wechat_api import ELSEWHERE, ApiError

log = logging.getLogger(__name__)

QUICK = 0.7  # seconds that a message waits for its picture; its words are more urgent
LASTS = 3 * 24 * 3600.0  # seconds that a media id is good for (OA doc, 获取临时素材)
TRIES = 60  # with waits of up to ten seconds: about ten minutes, and again after a restart


class Pictures:
    """The pictures of one account. A message's row names the platform's id: what is missing comes later."""

    def __init__(
        self,
        uploads: Path,
        secret: str,
        fetch: Callable[[str], Awaitable[bytes]],
        counters: Counters,
        tries: int = TRIES,
    ) -> None:
        self._uploads, self._secret, self._fetch, self._counters = uploads, secret, fetch, counters
        self._tries = tries
        self._under_way: dict[str, asyncio.Task[Photo | None]] = {}

    async def take(self, media: str) -> Photo:
        """The picture behind a media id, here or on its way."""
        name = pictures.secret_name(self._secret, media)
        kept = pictures.kept(self._uploads, name)
        if kept is not None:
            return Photo(kept.path, kept.media_type, source=media)
        coming = Photo(f"{name}.jpg", "image/jpeg", source=media)
        task = self._start(coming)
        done, _ = await asyncio.wait({task}, timeout=QUICK)
        return task.result() or coming if done else coming

    def resume(self, photos: Iterable[Photo]) -> None:
        """After a start: fetch what is named and not here."""
        for photo in photos:
            if photo.source and not (self._uploads / photo.path).exists():
                self._start(photo)

    def _start(self, photo: Photo) -> asyncio.Task[Photo | None]:
        task = self._under_way.get(photo.path)
        if task is None:
            task = asyncio.create_task(self._until_here(photo))
            self._under_way[photo.path] = task
            task.add_done_callback(lambda _: self._under_way.pop(photo.path, None))
        return task

    async def _until_here(self, photo: Photo) -> Photo | None:
        patience = Patience()
        for _ in range(self._tries):
            try:
                data = await self._fetch(photo.source)
                if await asyncio.to_thread(pictures.keep_as, self._uploads, photo.path, data):
                    return Photo(photo.path, pictures.media_type(data), source=photo.source)
                break
            except ApiError as refused:
                if refused.code in (40007, 40004, ELSEWHERE):  # too old, or never was, or not the platform's
                    break
                problem = f"{refused.code}"
            except Exception as broken:
                problem = type(broken).__name__
            log.info("a picture is not here yet: %s", problem)
            await patience.wait()
        self._counters.refuse("picture lost")
        return None

    async def close(self) -> None:
        tasks = list(self._under_way.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
