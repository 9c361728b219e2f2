"""A ticket's story as a file: intact it is accepted, and whatever is changed in it is found."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot import dossier
from tests.house import opened, say
from tests.serving import linli

PRIVATE = dossier.key(b"a secret that nobody knows")
TICKET = {"community": "幸福里", "ref": 12, "brief": "水管漏水"}
TIMELINE = [
    {"at": "2026-03-04T10:00:00+08:00", "who": "王芳（住户）", "verb": "file", "note": ""},
    {"at": "2026-03-04T10:05:00+08:00", "who": "老李（师傅）", "verb": "accept", "note": "待接单→已接单"},
    {"at": "2026-03-04T11:00:00+08:00", "who": "老李（师傅）", "verb": "complete", "note": "换了角阀"},
]
SEALED = dossier.sealed(TICKET, TIMELINE, [("image/jpeg", b"\xff\xd8photo"), ("image/png", None)], PRIVATE)


def changed(how: Any) -> bytes:
    """The file with something done to its parsed content, written canonically again."""
    whole = json.loads(SEALED)
    how(whole)
    return dossier.canonical(whole)


def test_intact() -> None:
    found = dossier.check(SEALED)
    assert found.faults == ()
    assert (found.ref, found.community, found.lines, found.photos) == (12, "幸福里", 3, 2)
    assert found.fingerprint == dossier.fingerprint(dossier.public(PRIVATE))


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(SEALED) - 1), st.integers(1, 255))
def test_every_changed_byte_is_found(at: int, by: int) -> None:
    data = bytearray(SEALED)
    data[at] ^= by
    assert dossier.check(bytes(data)).faults != ()


@pytest.mark.parametrize(
    ("how", "named"),
    [
        (lambda w: w["body"]["timeline"].reverse(), "经过第 1 行"),
        (lambda w: w["body"]["timeline"].pop(1), "经过第 2 行"),
        (lambda w: w["body"]["timeline"][2].update(note="没换"), "经过第 3 行"),
        (lambda w: w["body"]["photos"][0].update(data="AAAA"), "第 1 张照片"),
        (lambda w: w["body"]["photos"].pop(), "签名"),
        (lambda w: w["body"]["ticket"].update(brief="灯不亮"), "签名"),
        (lambda w: w["body"].update(format="other"), "格式"),
        (lambda w: w.pop("signature"), "读不出来"),
        (lambda w: w.update(public_key=dossier.public(dossier.key(b"else")).hex()), "签名"),
    ],
)
def test_what_was_changed_is_named(how: Any, named: str) -> None:
    assert any(named in fault for fault in dossier.check(changed(how)).faults)


@pytest.mark.parametrize("data", [b"", b"[]", b"\xff\xfe", b"{}", SEALED + b" "])
def test_what_is_no_such_file(data: bytes) -> None:
    assert dossier.check(data).faults != ()


async def test_exported_and_verified(tmp_path: Path, database_url: str) -> None:
    async with opened(database_url) as house:
        await say(house, "wang", "厨房水管漏水了")
        await say(house, "li", "接 1")
        await say(house, "li", "1 修好了")
        await say(house, "wang", "好了")
    file = tmp_path / "1.linli.json"
    given = {"LINLI_DATABASE_URL": database_url, "LINLI_SECRET_KEY": "installation"}
    done = linli(tmp_path, "export", str(file), "--community", "xingfuli", "--ref", "1", **given)
    assert done.returncode == 0, done.stderr
    story = json.loads(file.read_bytes())["body"]
    assert [line["verb"] for line in story["timeline"]] == ["file", "accept", "complete", "confirm"]
    assert "已解决" in story["ticket"]["state"]

    nowhere = {"LINLI_DATABASE_URL": "postgres://nobody:x@127.0.0.1:1/none"}
    good = linli(tmp_path, "verify", str(file), **nowhere)
    assert good.returncode == 0, good.stdout
    assert "没有被改过" in good.stdout
    print_ = dossier.fingerprint(dossier.public(dossier.key(b"installation")))
    assert linli(tmp_path, "verify", str(file), "--key", print_, **nowhere).returncode == 0
    assert linli(tmp_path, "verify", str(file), "--key", "0000", **nowhere).returncode == 1
    file.write_bytes(file.read_bytes().replace("厨房".encode(), "阳台".encode()))
    bad = linli(tmp_path, "verify", str(file), **nowhere)
    assert bad.returncode == 1
    assert "签名对不上" in bad.stdout
    assert (
        linli(tmp_path, "export", str(file), "--community", "xingfuli", "--ref", "9", **given).returncode == 2
    )
