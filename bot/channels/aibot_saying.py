"""What a smart bot says, as the platform wants it: streams, welcomes, cards.

Source: WeCom docs 101031, 101033 and 101138.
"""

from __future__ import annotations

import re
from typing import Any

from bot.channels import wecom_cards
from bot.channels.base import Outgoing
from bot.channels.text import octets, split

TEXT = 20_480  # bytes of a stream's content
_LINK = re.compile(r"\]\(")


def markdown(text: str) -> str:
    """Plain words where markdown is read: what residents wrote mentions nobody and hides no link."""
    return _LINK.sub("] (", text.replace("<", "＜").replace("`", "'"))


def stream(id_: str, text: str, *, finish: bool, card: dict[str, Any] | None = None) -> dict[str, Any]:
    """An answer, or as much of it as there is. The whole text each time."""
    said = {"id": id_, "finish": finish, "content": markdown(text)}
    if card is None:
        return {"msgtype": "stream", "stream": said}
    return {"msgtype": "stream_with_template_card", "stream": said, "template_card": card}


def answer(id_: str, message: Outgoing, task: str) -> dict[str, Any]:
    """The finished answer, with its buttons on a card."""
    text = (split(message.text, TEXT, octets) or [""])[0]
    buttons = wecom_cards.pressable(message.buttons)
    card = None
    if buttons:
        card = wecom_cards.card(task, wecom_cards.heading(message.text), "", buttons)["template_card"]
    return stream(id_, text, finish=True, card=card)


def welcome(text: str) -> dict[str, Any]:
    """The only place for plain text."""
    return {"msgtype": "text", "text": {"content": text}}


def tapped(words: str, task: str) -> dict[str, Any]:
    """The card that somebody tapped, with what was answered in place of its buttons."""
    done = wecom_cards.answered(words)
    card = {
        "card_type": "button_interaction",
        "main_title": {"title": done},
        "button_list": [{"text": done, "style": 2, "key": words}],
        "task_id": task,
    }
    return {"response_type": "update_template_card", "template_card": card}


def pushed(message: Outgoing) -> list[dict[str, Any]]:
    """A message that nobody asked for, in as many pieces as it needs."""
    return [
        {"msgtype": "markdown", "markdown": {"content": markdown(part)}}
        for part in split(message.text, TEXT, octets)
    ]
