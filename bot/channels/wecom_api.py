"""A company's calls to WeCom as its app: one token, one connection, one store of pictures for its doors."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bot.channels import pictures
from bot.channels.base import Photo
from bot.channels.wechat_api import ApiError, WeChatApi, bars_all, trouble
from bot.channels.wecom_token import app_tokens, refusal

log = logging.getLogger(__name__)

IMAGES = frozenset({"image/jpeg", "image/png"})  # WeCom doc 90253: JPG and PNG, at most 10 MB
MOST = 10 * 1024 * 1024  # bytes
KEPT = 24 * 3600.0  # seconds that we use a media id; the platform keeps it for three days
REMEMBERED = 500  # media ids


class Company:
    """CorpID and the secret of the app. Calls raise what `WeChatApi` raises."""

    def __init__(self, corp_id: str, secret: str, api_base: str) -> None:
        self.corp_id = corp_id
        self._api = WeChatApi(api_base)
        self._tokens = app_tokens(self._api, corp_id, secret)
        self._media: dict[str, tuple[str, float]] = {}
        self._barred: ApiError | None = None

    async def call(
        self, path: str, body: object = None, params: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        try:
            answer = await self._api.call(path, body, tokens=self._tokens, params=params)
        except ApiError as problem:
            self._barred = problem if bars_all(problem) else None
            raise
        self._barred = None
        return answer

    async def file(self, media: str) -> bytes:
        """A picture that somebody sent."""
        return await self._api.file("/cgi-bin/media/get", tokens=self._tokens, params={"media_id": media})

    async def media(self, uploads: Path, photo: Photo) -> str:
        """The platform's id of a picture of ours, given to it once for all its readers.

        "" when it is gone, too large, of a kind that the platform does not show, or did not get there: the
        words matter more.
        """
        now = asyncio.get_running_loop().time()
        known, until = self._media.get(photo.path, ("", 0.0))
        if known and until > now:
            return known
        data = await asyncio.to_thread(pictures.fetch, uploads, photo, MOST)
        if data is None or (kind := pictures.media_type(data)) not in IMAGES:
            log.warning("a message goes without its picture: gone, too large, or of no kind that is shown")
            return ""
        try:
            answer = await self._api.upload(
                "/cgi-bin/media/upload", data, kind, tokens=self._tokens, params={"type": "image"}
            )
        except Exception as problem:
            log.warning("a message goes without its picture: %s", type(problem).__name__)
            return ""
        if len(self._media) >= REMEMBERED:
            self._media.clear()
        media = str(answer.get("media_id", ""))
        self._media[photo.path] = (media, now + KEPT)
        return media

    def forget_media(self) -> None:
        """The platform does not know one of the pictures any more."""
        self._media.clear()

    async def refusal(self, name: str) -> str:
        """For a channel's `probe`: "" when the app is let in, else what to do.

        WeCom gives a token to everybody and refuses an unknown IP only afterwards: the last call tells.
        """
        if self._barred is not None:
            return trouble(self._barred, name)
        return await refusal(self._tokens, name)

    async def close(self) -> None:
        await self._api.close()


def numbered(salt: bytes, message: int) -> str:
    """A name for a message of ours: the same for each try, another in each life of the database.

    Platforms take a name only once. A house that begins anew counts from 1 again, and its first messages must
    not be taken for the ones it sent before.
    """
    return f"{message}-{hmac.new(salt, str(message).encode(), hashlib.sha256).hexdigest()[:8]}"


def stale_media(problem: Exception) -> bool:
    """Whether the platform says that it has no such picture (any more)."""
    return isinstance(problem, ApiError) and problem.code == 40007
