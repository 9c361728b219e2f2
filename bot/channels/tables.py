"""What a community's file may say to a channel, in [channels.NAME]: who reads which table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bot.channels import wechat_oa_table, wecom_cards, wecom_webhook_table

#: By the channel's name. Each raises ValueError with one line for a table that it can't use.
READERS: Mapping[str, Callable[[Mapping[str, Any]], object]] = {
    "wechat_oa": wechat_oa_table.read_table,
    "wecom": wecom_cards.read_table,
    "webhook": wecom_webhook_table.read_table,
}


def check(channel: str, table: Mapping[str, Any]) -> None:
    """ValueError with one line for a table of nobody, or one that its channel can't use."""
    if channel not in READERS:
        raise ValueError(f"channels.{channel}: unknown; there is {', '.join(sorted(READERS))}")
    READERS[channel](table)
