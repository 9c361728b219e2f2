"""Pictures of a smart bot: encrypted files, for five minutes at an address of the platform's.

WeCom doc 100719: AES-256-CBC with PKCS#7 to 32 bytes, the first 16 bytes of the key as IV. The key is that of
the callback, or the picture's own where it came over the connection (doc 101463).
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Callable, Sequence

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from bot.channels import pictures
from bot.channels.wechat_api import ELSEWHERE, ApiError, WeChatApi

#: Where the platform keeps them: below these hosts (WeCom's own and Tencent's store), or where it is called.
HOSTS = ("myqcloud.com", "qq.com", "qpic.cn")
MOST = 10 * 1024 * 1024  # bytes
LASTS = 300.0  # seconds that an address is good for
TRIES = 30  # with waits of up to ten seconds: about as long
_BLOCK = 32


class Files:
    """`keys` gives the callback's AES keys anew for each picture."""

    def __init__(self, api: WeChatApi, keys: Callable[[], Sequence[bytes]]) -> None:
        self._api, self._keys = api, keys

    def there(self, source: str) -> bool:
        """Whether it is at an address of the platform's."""
        return self._api.keeps(source.partition(" ")[0], HOSTS)

    async def fetch(self, source: str) -> bytes:
        """The picture. `source` is its address, and behind a blank its own key where it has one.

        Raises like `WeChatApi.call`; what no key opens to a picture, none will.
        """
        url, _, own = source.partition(" ")
        data = await self._api.picture(url, HOSTS, MOST)
        for key in [_key(own)] if own else self._keys():
            opened = await asyncio.to_thread(_opened, data, key)
            if pictures.media_type(opened):
                return opened
        raise ApiError(ELSEWHERE, "no key opens it", {})


def _key(text: str) -> bytes:
    """A key of 32 bytes in base64, padded or not; b"" for what is none."""
    try:
        return base64.b64decode(text.rstrip("=") + "=", validate=True)
    except (binascii.Error, ValueError):
        return b""


def _opened(data: bytes, key: bytes) -> bytes:
    """The file inside; b"" where the key does not fit. Blocks: call it in a thread."""
    if len(key) != 32 or not data or len(data) % 16:
        return b""
    decryptor = Cipher(algorithms.AES(key), modes.CBC(key[:16])).decryptor()
    padded = decryptor.update(data) + decryptor.finalize()
    padding = padded[-1]
    if not 1 <= padding <= _BLOCK or padded[-padding:] != bytes((padding,)) * padding:
        return b""
    return padded[:-padding]
