"""The page of the web chat: four files, read once, served as they are."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from aiohttp import web

TYPES = {
    "index.html": "text/html",
    "chat.css": "text/css",
    "chat.js": "text/javascript",
    "icon.svg": "image/svg+xml",
}


@dataclass(frozen=True, slots=True)
class _File:
    body: bytes
    media_type: str
    etag: str


class Page:
    """A browser keeps each file and asks every time whether it is still the same."""

    def __init__(self) -> None:
        here = Path(__file__).parent
        self._files = {name: _file(here / name, media_type) for name, media_type in TYPES.items()}

    def serve(self, name: str, request: web.Request) -> web.Response:
        """Answer with the file, or 304 where the browser has it, or 404 for any other name."""
        file = self._files.get(name)
        if file is None:
            return web.Response(status=404, text="没有这个文件。")
        response = web.Response(headers={"Cache-Control": "no-cache"})
        response.etag = file.etag
        if any(tag.value == file.etag for tag in request.if_none_match or ()):
            response.set_status(304)
            return response
        response.content_type, response.charset, response.body = file.media_type, "utf-8", file.body
        return response


def _file(path: Path, media_type: str) -> _File:
    body = path.read_bytes()
    return _File(body, media_type, sha256(body).hexdigest()[:24])
