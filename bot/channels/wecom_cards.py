"""Cards with buttons, as WeCom draws them: 按钮交互型 (WeCom docs 90236 and 94888).

WeChat shows no cards to members who read there (微信插件), and no platform tells where a member reads. So the
words are always sent as text, and the card beside them is a convenience; a community whose members all have
the WeCom app may say that the card alone is enough.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, cast, get_args

from bot.channels.base import Button
from bot.channels.text import octets, split

Cards = Literal["also", "only", "never"]

BUTTONS, KEY = 6, 1024  # buttons on a card; bytes of a button's key
TITLE, BELOW = 26, 112  # characters that the app shows of the title and of the text below it
ANSWERED = 10  # characters of what was said that fit onto a button


def read_table(table: Mapping[str, Any]) -> Cards:
    """[channels.wecom] of a community's file: `cards`. ValueError with one line."""
    if unknown := set(table) - {"cards"}:
        raise ValueError(f"channels.wecom: unknown {', '.join(sorted(unknown))}")
    cards = table.get("cards", "also")
    if cards not in get_args(Cards):
        raise ValueError("channels.wecom.cards: also, only or never")
    return cast("Cards", cards)


def pressable(buttons: Sequence[Button]) -> tuple[Button, ...]:
    """Those that a card can have: the first six, and none whose words are cut."""
    return tuple(one for one in buttons if one.label and 0 < octets(one.says) <= KEY)[:BUTTONS]


def whole(text: str) -> tuple[str, str] | None:
    """Title and text of a card that says all of it; None where it would be cut."""
    first = text.strip().split("\n", 1)[0]
    if len(first) > TITLE:
        first = (split(first, TITLE, len) or [""])[0]
    below = text.strip()[len(first) :].strip()
    return (first, below) if first and len(below) <= BELOW else None


def heading(text: str) -> str:
    """The first line, as much of it as a title shows."""
    first = text.strip().split("\n", 1)[0]
    return first if len(first) <= TITLE else first[: TITLE - 1] + "…"


def card(task: str, title: str, below: str, buttons: Sequence[Button]) -> dict[str, Any]:
    """The message's body. `task` is at most 128 of 0-9a-zA-Z_-@, and no other card of the app has it."""
    found: dict[str, Any] = {
        "card_type": "button_interaction",
        "main_title": {"title": title},
        "task_id": task,
        "button_list": [
            {"text": one.label, "style": 1 if number == 0 else 2, "key": one.says}
            for number, one in enumerate(buttons)
        ],
    }
    if below:
        found["sub_title_text"] = below
    return {"msgtype": "template_card", "template_card": found}


def answered(words: str) -> str:
    """What the buttons of a tapped card become: what the member has said by tapping.

    Not that it is done: whether it was, the answer says.
    """
    return f"已回「{words if len(words) <= ANSWERED else words[: ANSWERED - 1] + '…'}」"
