"""The envelope of WeChat and WeCom callbacks, written from its description (WeCom docs 90968 and 91116).

base64 of AES-256-CBC over: 16 random bytes, the length of the message (4 bytes, big-endian), the message,
and whom it is for (AppID, CorpID, or nothing for the smart robot), padded by PKCS#7 to 32 bytes. The first
16 bytes of the key are the IV. Signed with sha1 over the sorted token, timestamp, nonce and cipher text.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import struct
from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

BLOCK = 32


class EnvelopeError(AssertionError):
    """What the service answered is not a letter that the platform would open."""


@dataclass(frozen=True)
class Envelope:
    token: str
    aes_key: str
    receiver: str

    def sign(self, *parts: str) -> str:
        return hashlib.sha1("".join(sorted((self.token, *parts))).encode()).hexdigest()

    def seal(self, message: str, receiver: str | None = None) -> str:
        content = message.encode()
        head = secrets.token_bytes(16) + struct.pack(">I", len(content))
        to = self.receiver if receiver is None else receiver
        return base64.b64encode(encrypted(head + content + to.encode(), self.aes_key)).decode()

    def open(self, cipher: str) -> str:
        """The message; EnvelopeError where any part of the letter is not as it has to be."""
        try:
            body = decrypted(base64.b64decode(cipher, validate=True), self.aes_key)
        except ValueError as error:
            raise EnvelopeError(f"not a cipher text: {error}") from error
        if len(body) < 20:
            raise EnvelopeError("too short")
        (size,) = struct.unpack(">I", body[16:20])
        content, receiver = body[20 : 20 + size], body[20 + size :]
        if len(content) != size or receiver != self.receiver.encode():
            raise EnvelopeError(f"{size} bytes for {receiver!r}, expected {self.receiver!r}")
        return content.decode()

    def opened(self, cipher: str, signature: str, timestamp: str, nonce: str) -> str:
        """`open`, with the signature checked first."""
        if self.sign(timestamp, nonce, cipher) != signature:
            raise EnvelopeError("wrong signature")
        return self.open(cipher)


def encrypted(data: bytes, aes_key: str) -> bytes:
    """As files of the smart robot are, too (WeCom doc 100719)."""
    pad = BLOCK - len(data) % BLOCK
    encryptor = _cipher(aes_key).encryptor()
    return encryptor.update(data + bytes([pad]) * pad) + encryptor.finalize()


def decrypted(data: bytes, aes_key: str) -> bytes:
    """ValueError where it is not whole blocks, or the padding is none."""
    decryptor = _cipher(aes_key).decryptor()
    padded = decryptor.update(data) + decryptor.finalize()
    pad = padded[-1] if padded else 0
    if not 1 <= pad <= BLOCK or padded[-pad:] != bytes([pad]) * pad:
        raise ValueError("bad padding")
    return padded[:-pad]


def _cipher(aes_key: str) -> Cipher[modes.CBC]:
    key = base64.b64decode(aes_key + "=")
    return Cipher(algorithms.AES(key), modes.CBC(key[:16]))
