"""Pictures that came with a message: known by their first bytes, kept under names nobody can guess."""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path

from bot.channels.base import Photo

_ENDINGS = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp", "image/gif": "gif"}


def media_type(data: bytes) -> str:
    """What the first bytes say, whatever the sender called it; "" when it is none of the four we keep."""
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return "image/gif" if data[:6] in (b"GIF87a", b"GIF89a") else ""


def secret_name(secret: str, what: str) -> str:
    """A name nobody outside can guess, and the same for the same picture: a repeat is not kept twice."""
    return hmac.new(secret.encode(), what.encode(), hashlib.sha256).hexdigest()[:40]


def kept(uploads: Path, name: str) -> Photo | None:
    """The picture kept under that name before, if any."""
    for kind, ending in _ENDINGS.items():
        if (uploads / f"{name}.{ending}").is_file():
            return Photo(f"{name}.{ending}", kind)
    return None


def keep(uploads: Path, name: str, data: bytes) -> Photo | None:
    """Write it in one move, or None when it is no picture of ours. Blocks: call it in a thread."""
    if not (kind := media_type(data)):
        return None
    uploads.mkdir(parents=True, exist_ok=True)
    path = uploads / f"{name}.{_ENDINGS[kind]}"
    half = path.with_suffix(".part")
    half.write_bytes(data)
    half.replace(path)
    return Photo(path.name, kind)


def keep_as(uploads: Path, path: str, data: bytes) -> bool:
    """Write it where a message says that it is; False when it is no picture of ours. Blocks likewise."""
    if not media_type(data):
        return False
    uploads.mkdir(parents=True, exist_ok=True)
    half = uploads / f"{path}.part"
    half.write_bytes(data)
    half.replace(uploads / path)
    return True


def fetch(uploads: Path, photo: Photo, most: int) -> bytes | None:
    """The picture's bytes; None when it is gone, larger than `most`, or not in `uploads`. Blocks likewise."""
    path = (uploads / photo.path).resolve()
    if not path.is_relative_to(uploads.resolve()) or not path.is_file() or path.stat().st_size > most:
        return None
    return path.read_bytes()
