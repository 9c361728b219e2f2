"""A ticket's whole story as one file that anybody can check, without us and without a network.

The file is canonical JSON (UTF-8, keys sorted, no spaces): `body` with the ticket, its timeline and its
photos in base64; `public_key` and `signature`, Ed25519 (RFC 8032) over the canonical `body`. Each line of the
timeline has the SHA-256 of itself and the line before, each photo its own: what was changed can be named.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

FORMAT = "linli-dossier-1"
_FIRST = "0" * 64


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check found: no `faults` where nothing was changed. `fingerprint` names the signer's key."""

    faults: tuple[str, ...]
    fingerprint: str = ""
    ref: int = 0
    community: str = ""
    lines: int = 0
    photos: int = 0


def key(secret: bytes) -> Ed25519PrivateKey:
    """The signing key of an installation, derived from its secret (HKDF-SHA256, RFC 5869)."""
    seed = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"linli dossier signature").derive(secret)
    return Ed25519PrivateKey.from_private_bytes(seed)


def public(private: Ed25519PrivateKey) -> bytes:
    return private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def fingerprint(public_key: bytes) -> str:
    """The first 16 bytes of the key's SHA-256, in groups of four digits, to be read out and compared."""
    digest = hashlib.sha256(public_key).hexdigest()[:32]
    return "-".join(digest[i : i + 4] for i in range(0, 32, 4))


def canonical(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def sealed(
    ticket: Mapping[str, Any],
    timeline: Sequence[Mapping[str, Any]],
    photos: Sequence[tuple[str, bytes | None]],
    private: Ed25519PrivateKey,
) -> bytes:
    """The file. `photos` are (media type, bytes), the bytes None where the picture is not kept here."""
    lines, before = [], _FIRST
    for line in timeline:
        before = _chained(before, line)
        lines.append({**line, "hash": before})
    pictures = [
        {
            "media_type": media,
            "sha256": hashlib.sha256(data).hexdigest(),
            "data": base64.b64encode(data).decode(),
        }
        if data is not None
        else {"media_type": media, "missing": True}
        for media, data in photos
    ]
    body = {"format": FORMAT, "ticket": dict(ticket), "timeline": lines, "photos": pictures}
    signature = private.sign(canonical(body))
    return canonical({"body": body, "public_key": public(private).hex(), "signature": signature.hex()})


def _chained(before: str, line: Mapping[str, Any]) -> str:
    return hashlib.sha256(before.encode() + canonical(dict(line))).hexdigest()


def check(data: bytes) -> Verdict:
    """Whether a file is as it was sealed. Never raises: what can't be read is a fault."""
    try:
        whole = json.loads(data.decode())
        body, public_key = whole["body"], bytes.fromhex(whole["public_key"])
        signature = bytes.fromhex(whole["signature"])
        ticket, timeline, photos = body["ticket"], body["timeline"], body["photos"]
        verifier = Ed25519PublicKey.from_public_bytes(public_key)
        if body["format"] != FORMAT:
            return Verdict((f"不认识的格式：{body['format']}",))
    except (ValueError, KeyError, TypeError):
        return Verdict(("读不出来：不是导出的单子，或者文件坏了",))
    faults = [*_line_faults(timeline), *_photo_faults(photos)]
    try:
        verifier.verify(signature, canonical(body))
    except InvalidSignature:
        faults.append("签名对不上：内容改过，或签名、公钥换过")
    if not faults and canonical(whole) != data:
        faults.append("文件被动过：内容没变，写法变了")
    return Verdict(
        tuple(faults),
        fingerprint(public_key),
        int(ticket.get("ref", 0)),
        str(ticket.get("community", "")),
        len(timeline),
        len(photos),
    )


def _line_faults(timeline: Sequence[Any]) -> list[str]:
    before = _FIRST
    for number, line in enumerate(timeline, 1):
        rest = (
            {name: value for name, value in line.items() if name != "hash"} if isinstance(line, dict) else {}
        )
        before = _chained(before, rest)
        if not isinstance(line, dict) or line.get("hash") != before:
            return [f"经过第 {number} 行改过，或前后少了、换了位置"]
    return []


def _photo_faults(photos: Sequence[Any]) -> list[str]:
    faults = []
    for number, one in enumerate(photos, 1):
        if isinstance(one, dict) and one.get("missing"):
            continue
        try:
            digest = hashlib.sha256(base64.b64decode(one["data"], validate=True)).hexdigest()
        except (ValueError, KeyError, TypeError):
            digest = ""
        if not isinstance(one, dict) or digest != one.get("sha256"):
            faults.append(f"第 {number} 张照片改过")
    return faults
