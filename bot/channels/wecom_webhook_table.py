"""What settings and a community's file say of group robots: their keys, and which one staff reads."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

BARE = "default"  # the name of a robot whose key stands alone
_KEY = re.compile(r"[0-9A-Za-z_-]{16,64}")
_NAME = re.compile(r"[^\s=/:]{1,32}")


def read_keys(setting: str) -> dict[str, str]:
    """Keys by name, from LINLI_WECOM_WEBHOOK_KEY: a key, or several `name=key`, comma-separated.

    ValueError with a line in Chinese, which never shows a key.
    """
    found: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in setting.split(","))):
        named, _, key = part.rpartition("=")
        name = named.strip() or BARE
        if not _NAME.fullmatch(name):
            raise ValueError(
                "LINLI_WECOM_WEBHOOK_KEY 只写 key，不写整个地址；几个群写成 名字=key，用逗号隔开"
            )
        if not _KEY.fullmatch(key.strip()):
            raise ValueError(f"LINLI_WECOM_WEBHOOK_KEY 里「{name}」的 key 不完整，照抄地址里 key= 后面的")
        if name in found:
            raise ValueError(f"LINLI_WECOM_WEBHOOK_KEY 里有两个「{name}」，请起不同的名字")
        found[name] = key.strip()
    return found


def read_table(table: Mapping[str, Any]) -> str:
    """[channels.webhook] of a community's file: `staff`, the robot there. ValueError with a line."""
    if unknown := set(table) - {"staff"}:
        raise ValueError(f"channels.webhook: unknown {', '.join(sorted(unknown))}")
    staff = table.get("staff", "")
    if not isinstance(staff, str) or (staff and not _NAME.fullmatch(staff)):
        raise ValueError("channels.webhook.staff: the name of a key in LINLI_WECOM_WEBHOOK_KEY")
    return staff
