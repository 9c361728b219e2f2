"""The encrypted envelope of WeChat and WeCom callbacks: who sent it, when, to whom, and what is in it.

Source: WeCom doc 91116 (接收消息与事件) and the published WXBizMsgCrypt. Signature: SHA-1 over the sorted
token, timestamp, nonce and cipher text. Cipher: AES-256-CBC with the key's first 16 bytes as IV, PKCS#7 to 32
bytes, over 16 random bytes, the length (4 bytes, big-endian), the message and the receive id.

Own code and not wechatpy's: that compares with `!=`, takes an empty token, and checks neither padding nor
length. The tests hold the two against each other.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

OLD = 600  # seconds that a callback may be older or newer than our clock
_BLOCK = 32
_AES_KEY = re.compile(r"[A-Za-z0-9+/]{43}")
_TOKEN = re.compile(r"[A-Za-z0-9_-]{3,64}")


class Refused(Exception):
    """A callback that is not taken: the status for the platform, and one line that says why."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status, self.reason = status, reason


def signature(*parts: str) -> str:
    """SHA-1 over the sorted parts, in hexadecimal."""
    return hashlib.sha1("".join(sorted(parts)).encode("utf-8", "surrogateescape")).hexdigest()  # noqa: S324 - the platform's choice


def same(one: str, other: str) -> bool:
    """Compared in constant time, whatever characters are in them."""
    return hmac.compare_digest(one.encode("utf-8", "replace"), other.encode("utf-8", "replace"))


@dataclass(frozen=True, slots=True)
class Secret:
    """A token and its AES key, as the platform's page shows them. Raises ValueError with a Chinese line."""

    token: str
    aes_key: str
    key: bytes = field(init=False, repr=False)
    cipher: Cipher[modes.CBC] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if not _TOKEN.fullmatch(self.token):
            raise ValueError("Token 要 3 到 32 个字母或数字，照抄平台页面上的")
        if not _AES_KEY.fullmatch(self.aes_key):
            raise ValueError("EncodingAESKey 要正好 43 个字母或数字，照抄平台页面上的")
        key = base64.b64decode(self.aes_key + "=")
        object.__setattr__(self, "key", key)
        object.__setattr__(self, "cipher", Cipher(algorithms.AES(key), modes.CBC(key[:16])))


def secrets_of(tokens: str, aes_keys: str) -> tuple[Secret, ...]:
    """The secrets of a setting: one, or while they change two, comma-separated, the new one first."""
    pairs = tokens.split(","), aes_keys.split(",")
    most = max(len(pairs[0]), len(pairs[1]))
    many_tokens, many_keys = (
        [part.strip() for part in some] * (1 if len(some) > 1 else most) for some in pairs
    )
    if len(many_tokens) != len(many_keys):
        raise ValueError("Token 和 EncodingAESKey 的个数要一样（换密钥时用逗号隔开，新的在前）")
    return tuple(Secret(*pair) for pair in zip(many_tokens, many_keys, strict=True))


@dataclass(frozen=True, slots=True)
class Opened:
    """What was in an envelope, and the secret that it was sealed with: the answer is sealed with the same."""

    text: str
    secret: Secret


class Envelope:
    """Opens what the platform sends to `receive_id` ("" for a smart bot) and seals what we answer.

    `read` gives the secrets anew for each callback: one that was changed is out of force at once. `now` is
    the platform's time, seconds since 1970.
    """

    def __init__(
        self, read: Callable[[], Sequence[Secret]], receive_id: str, now: Callable[[], float]
    ) -> None:
        self._read, self._receive_id, self._now = read, receive_id.encode(), now

    def verify(self, given: str, timestamp: str, nonce: str, *signed: str) -> list[Secret]:
        """The secrets with whose token this was signed. Raises Refused for a forged or stale one."""
        if not (given and timestamp and nonce and len(timestamp) <= 16 and len(nonce) <= 128):
            raise Refused(401, "no signature")
        found = [
            secret
            for secret in self._read()
            if same(signature(secret.token, timestamp, nonce, *signed), given)
        ]
        if not found:
            raise Refused(401, "wrong signature")
        if not timestamp.isascii() or not timestamp.isdigit() or abs(int(timestamp) - self._now()) > OLD:
            raise Refused(401, "stale")
        return found

    def open(self, given: str, timestamp: str, nonce: str, cipher: str) -> Opened:
        """What the envelope holds. Raises Refused: 401 for who or when, 400 for what."""
        *others, last = self.verify(given, timestamp, nonce, cipher)
        for secret in others:  # one token, two keys: while only the key is being changed
            with contextlib.suppress(Refused):
                return Opened(_decrypt(secret, cipher, self._receive_id), secret)
        return Opened(_decrypt(last, cipher, self._receive_id), last)

    def seal(self, text: str, secret: Secret) -> dict[str, str]:
        """encrypt, msgsignature, timestamp and nonce of an answer."""
        cipher = _encrypt(secret, text, self._receive_id)
        timestamp, nonce = str(int(self._now())), secrets.token_hex(8)
        return {
            "encrypt": cipher,
            "msgsignature": signature(secret.token, timestamp, nonce, cipher),
            "timestamp": timestamp,
            "nonce": nonce,
        }


def _encrypt(secret: Secret, text: str, receive_id: bytes) -> str:
    message = text.encode("utf-8", "replace")
    body = b"".join((os.urandom(16), len(message).to_bytes(4, "big"), message, receive_id))
    padding = _BLOCK - len(body) % _BLOCK
    encryptor = secret.cipher.encryptor()
    sealed = encryptor.update(body + bytes((padding,)) * padding) + encryptor.finalize()
    return base64.b64encode(sealed).decode("ascii")


def _decrypt(secret: Secret, cipher: str, receive_id: bytes) -> str:
    try:
        sealed = base64.b64decode(cipher, validate=True)
    except (binascii.Error, ValueError):
        raise Refused(400, "cipher text is not base64") from None
    if not sealed or len(sealed) % 16:
        raise Refused(400, "cipher text is cut off")
    decryptor = secret.cipher.decryptor()
    body = decryptor.update(sealed) + decryptor.finalize()
    padding = body[-1]
    if not 1 <= padding <= _BLOCK or body[-padding:] != bytes((padding,)) * padding:
        raise Refused(400, "bad padding")
    body = body[:-padding]
    size = int.from_bytes(body[16:20], "big")
    if len(body) < 20 or 20 + size > len(body):
        raise Refused(400, "bad length")
    if not hmac.compare_digest(body[20 + size :], receive_id):
        raise Refused(401, "for somebody else")
    try:
        return body[20 : 20 + size].decode("utf-8")
    except UnicodeDecodeError:
        raise Refused(400, "not UTF-8") from None
