"""The recordings are all explained, and the sealed ones can be opened."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from wechatpy import parse_message

from tests.fakes.wechat_credentials import NOBODY
from tests.fakes.wechat_envelope import Envelope
from tests.fakes.wechat_post import read_xml

WIRE = Path(__file__).parent / "wire"
ENVELOPES = {
    "wechat_oa": Envelope(NOBODY.oa_token, NOBODY.oa_aes_key, NOBODY.oa_app_id),
    "wecom": Envelope(NOBODY.wecom_token, NOBODY.wecom_aes_key, NOBODY.corp_id),
    "wecom_check": Envelope(NOBODY.wecom_token, NOBODY.wecom_aes_key, NOBODY.corp_id),
    "aibot": Envelope(NOBODY.aibot_token, NOBODY.aibot_aes_key, ""),
}


def _letter(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((WIRE / f"envelopes/{name}.json").read_text("utf-8"))
    return found


def test_every_recording_has_its_line() -> None:
    sections = re.split(r"^## `(\w+)/`", (WIRE / "README.md").read_text("utf-8"), flags=re.M)
    explained = {
        f"{folder}/{name}"
        for folder, text in zip(sections[1::2], sections[2::2], strict=True)
        for row in re.findall(r"^\| (`[^|]+) \|", text, re.M)
        for name in re.findall(r"`(\w+)`", row)
    }
    there = {
        f"{path.parent.name}/{path.stem}" for path in WIRE.glob("*/*.*") if path.parent.name != "telegram"
    }
    assert explained == there


@pytest.mark.parametrize("name", ENVELOPES)
def test_a_sealed_recording_is_opened(name: str) -> None:
    letter, envelope = _letter(name), ENVELOPES[name]
    body, query = letter["body"], letter["query"]
    cipher = query.get("echostr") or (
        json.loads(body)["encrypt"] if body.startswith("{") else read_xml(body)["Encrypt"]
    )
    assert (
        envelope.opened(cipher, query["msg_signature"], query["timestamp"], query["nonce"]) == letter["plain"]
    )


def test_a_recorded_check_of_the_account_is_signed() -> None:
    query = _letter("wechat_oa_check")["query"]
    assert ENVELOPES["wechat_oa"].sign(query["timestamp"], query["nonce"]) == query["signature"]


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("voice_recognized", {"type": "voice", "recognition": "楼道的灯不亮了。"}),
        ("location", {"type": "location", "label": "幸福里 3号楼(幸福路18号)", "location_y": "121.473701"}),
        ("subscribe_by_code", {"event": "subscribe_scan", "scene_id": "invite-7K2M9Q"}),
        ("scan", {"event": "scan", "scene_id": "invite-7K2M9Q"}),
        ("click", {"event": "click", "key": "repair"}),
        ("template_blocked", {"event": "templatesendjobfinish", "status": "failed:user block"}),
    ],
)
def test_wechatpy_reads_the_same_shapes(name: str, read: dict[str, str]) -> None:
    message = parse_message((WIRE / f"wechat_oa/{name}.xml").read_text("utf-8"))
    assert {key: getattr(message, key) for key in read} == read
