"""Photos of the web chat: taken in by what they are, kept under names we make, shown to whom they are for."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Collection
from pathlib import Path
from urllib.parse import quote

from aiohttp import web

from bot.channels import pictures
from bot.channels.base import Photo
from bot.channels.web_door import Refused, Seal

PHOTO_BYTES = 8 << 20

_OURS = re.compile(r"web-([0-9a-f]{32})-([0-9a-f]{32})\.(?:jpg|png|webp|gif)")
_SHOWN = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
    "Content-Disposition": "inline",
    "Cache-Control": "private, max-age=31536000, immutable",
}


class Photos:
    """The folder of uploads as the web chat uses it.

    A name we make carries a seal over the chat it was sent in, so it needs no list of its own. A photo that
    the assistant shows in a chat, whoever took it, gets an address with a seal over that chat.
    """

    def __init__(self, uploads: Path, seal: Seal) -> None:
        self._uploads, self._seal = uploads, seal

    async def keep(self, chat: str, body: bytes) -> Photo:
        token = secrets.token_hex(16)
        name = f"web-{token}-{self._seal.of('upload', chat, token)}"
        photo = await asyncio.to_thread(pictures.keep, self._uploads, name, body)
        if photo is None:
            raise Refused(400, "photo", "只收 JPEG、PNG、WebP 或 GIF 图片。")
        return photo

    async def claim(self, chat: str, names: Collection[str]) -> tuple[Photo, ...]:
        """Return the photos that were uploaded in this chat under these names; 400 for any other name."""
        photos = []
        for name in names:
            kind = await asyncio.to_thread(self._kind, name) if self._made_in(chat, name) else None
            if kind is None:
                raise Refused(400, "photo", "没有这张照片，请重新选一次。")
            photos.append(Photo(name, kind))
        return tuple(photos)

    def address(self, chat: str, path: str) -> str:
        """Return where a page that may read the chat finds the photo."""
        key = self._seal.of("photo", chat, path)
        return f"/photos/{quote(path, safe='')}?chat={quote(chat, safe='')}&key={key}"

    async def serve(self, request: web.Request, readable: Collection[str]) -> web.StreamResponse:
        """Answer with the picture if it was made or shown in a chat that may be read, else 404."""
        path = request.match_info["name"]
        chat, key = request.query.get("chat", ""), request.query.get("key", "")
        shown = chat in readable and self._seal.holds(key, "photo", chat, path)
        if shown or any(self._made_in(one, path) for one in readable):
            kind = await asyncio.to_thread(self._kind, path)
            if kind is not None:
                return web.FileResponse(self._uploads / path, headers=_SHOWN | {"Content-Type": kind})
        raise Refused(404, "photo", "没有这张照片。")

    def _made_in(self, chat: str, name: str) -> bool:
        made = _OURS.fullmatch(name)
        return made is not None and self._seal.holds(made[2], "upload", chat, made[1])

    def _kind(self, path: str) -> str | None:
        try:
            file = (self._uploads / path).resolve()
            if not file.is_relative_to(self._uploads.resolve()):
                return None
            with file.open("rb") as picture:
                return pictures.media_type(picture.read(12)) or None
        except (OSError, ValueError):  # gone, a folder, a name no file can have
            return None
