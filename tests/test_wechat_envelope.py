"""The envelope of WeChat callbacks: the same as wechatpy's and the published sample, and stricter."""

from __future__ import annotations

import base64
import os
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st
from wechatpy.crypto import WeChatCrypto
from wechatpy.enterprise.crypto import WeChatCrypto as WorkCrypto

from bot.channels import wechat_reading, wechat_xml
from bot.channels.wechat_envelope import OLD, Envelope, Refused, Secret, secrets_of, signature

NOW = 1_741_350_900
APP = "wx0123456789abcdef"
KEY = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFG"
SECRET = Secret("token1", KEY)
FORBIDDEN = frozenset(map(chr, (*range(0xD800, 0xE000), 0xFFFE, 0xFFFF)))
TEXTS = st.text(st.characters(codec="utf-8"), max_size=200)


def envelope(*known: Secret, receive_id: str = APP) -> Envelope:
    return Envelope(lambda: known or (SECRET,), receive_id, lambda: NOW)


def sealed(text: str, *, receive_id: str = APP, secret: Secret = SECRET) -> dict[str, str]:
    return envelope(secret, receive_id=receive_id).seal(text, secret)


def opened(given_: dict[str, str], by: Envelope) -> str:
    return by.open(given_["msgsignature"], given_["timestamp"], given_["nonce"], given_["encrypt"]).text


def raw(body: bytes, secret: Secret = SECRET) -> dict[str, str]:
    """A body of our own making, sealed and signed as the platform would."""
    encryptor = Cipher(algorithms.AES(secret.key), modes.CBC(secret.key[:16])).encryptor()
    cipher = base64.b64encode(encryptor.update(body) + encryptor.finalize()).decode()
    return signed(cipher, secret)


def signed(cipher: str, secret: Secret = SECRET, timestamp: str = str(NOW)) -> dict[str, str]:
    given_ = signature(secret.token, timestamp, "n", cipher)
    return {"msgsignature": given_, "timestamp": timestamp, "nonce": "n", "encrypt": cipher}


@given(TEXTS)
def test_what_we_seal_wechatpy_opens(text: str) -> None:
    given_ = sealed(text)
    body = wechat_xml.write({"ToUserName": "gh", "Encrypt": given_["encrypt"]})
    theirs = WeChatCrypto("token1", KEY, APP)
    found = theirs.decrypt_message(body, given_["msgsignature"], given_["timestamp"], given_["nonce"])
    assert (found.decode() if isinstance(found, bytes) else found) == text


@given(TEXTS)
def test_what_wechatpy_seals_we_open(text: str) -> None:
    theirs = WeChatCrypto("token1", KEY, APP)
    outer = wechat_xml.read(theirs.encrypt_message(text, "nonce1", str(NOW)))
    by = envelope()
    assert by.open(outer["MsgSignature"], outer["TimeStamp"], outer["Nonce"], outer["Encrypt"]).text == text


def test_the_published_sample() -> None:
    """Of WXBizMsgCrypt, for the check of an address."""
    secret = Secret("QDG6eK", "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C")
    by = Envelope(lambda: [secret], "wx5823bf96d3bd56c7", lambda: 1_409_659_589)
    cipher = "P9nAzCzyDtyTWESHep1vC5X9xho/qYX3Zpb4yKa9SKld1DsH3Iyt3tP3zNdtp+4RPcs8TgAE7OaBO+FZXvnaqQ=="
    echo = by.open("5c45ff5e21c57e6ad56bac8758b79b1d9ac89fd3", "1409659589", "263014780", cipher)
    assert echo.text == "1616140317555161061"


def test_a_smart_bot_has_an_empty_receive_id() -> None:
    theirs = WorkCrypto("token1", KEY, "")
    given_ = sealed("你好", receive_id="")
    body = wechat_xml.write({"Encrypt": given_["encrypt"]})
    found = theirs.decrypt_message(body, given_["msgsignature"], given_["timestamp"], given_["nonce"])
    assert (found.decode() if isinstance(found, bytes) else found) == "你好"


def test_two_secrets_while_they_are_being_changed() -> None:
    new, old = secrets_of("token2,token1", f"{KEY[::-1]},{KEY}")
    both = envelope(new, old)
    assert opened(sealed("新", secret=new), both) == "新"
    assert opened(sealed("旧", secret=old), both) == "旧"
    with pytest.raises(Refused, match="wrong signature"):
        opened(sealed("旧", secret=old), envelope(new))


def test_only_the_key_is_being_changed() -> None:
    new, old = secrets_of("token1", f"{KEY[::-1]},{KEY}")
    assert opened(sealed("旧", secret=old), envelope(new, old)) == "旧"
    assert opened(sealed("新", secret=new), envelope(new, old)) == "新"


def test_a_secret_that_was_taken_away_is_out_of_force_at_once() -> None:
    known = [SECRET]
    by = Envelope(lambda: known, APP, lambda: NOW)
    assert opened(sealed("一"), by) == "一"
    known.clear()
    with pytest.raises(Refused, match="wrong signature"):
        opened(sealed("二"), by)


def padded(*parts: bytes) -> bytes:
    body = b"".join(parts)
    padding = 32 - len(body) % 32
    return body + bytes((padding,)) * padding


def inner(text: bytes, receive_id: bytes = APP.encode(), size: int | None = None) -> bytes:
    return padded(os.urandom(16), (len(text) if size is None else size).to_bytes(4, "big"), text, receive_id)


@pytest.mark.parametrize(
    ("given_", "status", "reason"),
    [
        (sealed("x") | {"msgsignature": "0" * 40}, 401, "wrong signature"),
        (sealed("x") | {"msgsignature": "é" * 40}, 401, "wrong signature"),
        (sealed("x") | {"msgsignature": ""}, 401, "no signature"),
        (sealed("x") | {"timestamp": ""}, 401, "no signature"),
        (sealed("x") | {"encrypt": sealed("y")["encrypt"]}, 401, "wrong signature"),
        (sealed("x", receive_id="wxffffffffffffffff"), 401, "for somebody else"),
        (signed(sealed("x")["encrypt"], timestamp=str(NOW - OLD - 1)), 401, "stale"),
        (signed(sealed("x")["encrypt"], timestamp=str(NOW + OLD + 1)), 401, "stale"),
        (signed(sealed("x")["encrypt"], timestamp="now"), 401, "stale"),
        (signed(sealed("x")["encrypt"], timestamp="١٧٤١٣٥٠٩٠٠"), 401, "stale"),
        (signed("not base64!"), 400, "cipher text is not base64"),
        (signed(""), 400, "cipher text is cut off"),
        (signed("AAAA"), 400, "cipher text is cut off"),
        (raw(inner(b"x")[:-1] + b"\x00"), 400, "bad padding"),
        (raw(b"\x21" * 64), 400, "bad padding"),
        (raw(padded(b"short")), 400, "bad length"),
        (raw(inner(b"x", size=2**31)), 400, "bad length"),
        (raw(inner(b"\xff\xfe")), 400, "not UTF-8"),
    ],
)
def test_what_is_wrong_with_an_envelope_is_said_in_one_line(
    given_: dict[str, str], status: int, reason: str
) -> None:
    with pytest.raises(Refused) as refused:
        opened(given_, envelope())
    assert (refused.value.status, refused.value.reason) == (status, reason)


@pytest.mark.parametrize("age", [-OLD, 0, OLD])
def test_ten_minutes_either_way_are_not_too_old(age: int) -> None:
    assert opened(signed(sealed("x")["encrypt"], timestamp=str(NOW + age)), envelope()) == "x"


@pytest.mark.parametrize(
    ("tokens", "keys"),
    [
        ("", KEY),
        ("  ", KEY),
        ("token1", ""),
        ("token1", KEY[:-1]),
        ("to ken", KEY),
        ("a1b,a2b,a3b", f"{KEY},{KEY}"),
    ],
)
def test_a_door_without_a_whole_secret_does_not_open(tokens: str, keys: str) -> None:
    with pytest.raises(ValueError, match=r"Token|EncodingAESKey"):
        secrets_of(tokens, keys)


def test_a_secret_does_not_show_its_key() -> None:
    assert "key=" not in repr(SECRET).replace("aes_key=", "")


@given(st.dictionaries(st.sampled_from(["Content", "Title", "Key"]), st.text(max_size=60), min_size=1))
def test_whatever_is_in_an_answer_it_stays_one_text(fields: dict[str, str]) -> None:
    """「]]>」 ends CDATA: unescaped, a resident's words would become fields of our answer."""
    found = wechat_xml.read(wechat_xml.write(fields))
    assert set(found) == set(fields)
    for name, value in fields.items():
        legal = "".join(sign for sign in value if sign in "\t\n\r" or (sign >= " " and sign not in FORBIDDEN))
        assert found[name] == legal.replace("\r\n", "\n").replace("\r", "\n")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<xml>",
        "plain",
        "<xml>words</xml>",
        '<!DOCTYPE x [<!ENTITY a "b">]><xml><A>&a;</A></xml>',
        "<xml>" + "<a>" * 20 + "</a>" * 20 + "</xml>",
        "<xml>" + "<a>1</a>" * 600 + "</xml>",
        "<xml><A>&unknown;</A></xml>",
        "\ud800<xml><A>1</A></xml>",
    ],
)
def test_what_is_no_message_is_refused(text: str) -> None:
    with pytest.raises(Refused) as refused:
        wechat_xml.read(text)
    assert refused.value.status == 400


@given(st.text(max_size=300) | st.text("<>/!&;xmlA[]CDATA ", max_size=80))
def test_reading_never_raises_anything_else(text: str) -> None:
    for read in (wechat_xml.read, wechat_reading.fields):
        try:
            found: Any = read(text)
        except Refused as refused:
            assert refused.status == 400
        else:
            assert found is not None
