"""What a smart bot says: bodies of answers, cards and pushes (WeCom docs 101031, 101032, 101138 and 101463).

All of it but a welcome is Markdown to the platform, and none of it to us: what people wrote must neither be
shown as a heading nor call anybody.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from bot.channels import wecom_cards
from bot.channels.base import Button
from bot.channels.text import octets, split

MOST = 20_480  # bytes of Markdown
GROUP = "group:"  # before the address of a group; a userid has no colon
WORKING = "正在处理…"
LOST = "刚才那条没有记下来，请再说一遍。"
NOTED = "收到了。"
#: What the button of an answered card says when it is tapped again: smart bots have none that can't be.
ANSWERED = "linli:answered"
_GREY = 4  # the style of a button (WeCom doc 101032)

_URL = re.compile(r"https?://[\w\-./?=&%#:~+,@]+", re.ASCII)
#: Whatever makes Markdown in a line, as the wide sign that people read the same.
_MARKS = str.maketrans("<>*_`[]~|\\$", "＜＞＊＿｀［］～｜＼＄")
_AT_START = re.compile(r"^(?:[ \t]*[#+=-]+(?=\s|$)| {4,}|\t+)", re.M)
_WIDE = str.maketrans("#+=- \t", "＃＋＝－\u3000\u3000")


def plain(text: str) -> str:
    """Our text as Markdown that shows it as it is. At most three times as many bytes."""
    out, at = [], 0
    for url in _URL.finditer(text):
        out += [text[at : url.start()].translate(_MARKS), url[0]]
        at = url.end()
    whole = "".join(out) + text[at:].translate(_MARKS)
    return _AT_START.sub(lambda found: found[0].translate(_WIDE), whole)


def parts(text: str) -> list[str]:
    """The text as pieces of Markdown that the platform takes."""
    return split(plain(text), MOST, octets)


def stream(number: str, content: str, *, finish: bool = True) -> dict[str, Any]:
    """An answer, or how far it is."""
    return {"msgtype": "stream", "stream": {"id": number, "finish": finish, "content": content}}


def with_card(said: dict[str, Any], task: str, text: str, buttons: Sequence[Button]) -> dict[str, Any]:
    """The answer with a card below it, where there is something to tap."""
    if not buttons:
        return said
    card = wecom_cards.card(task, wecom_cards.heading(text), "", buttons)["template_card"]
    return said | {"msgtype": "stream_with_template_card", "template_card": card}


def welcome(text: str) -> dict[str, Any]:
    return {"msgtype": "text", "text": {"content": text}}


def markdown(content: str) -> dict[str, Any]:
    return {"msgtype": "markdown", "markdown": {"content": content}}


def answered(task: str, words: str, *members: str) -> dict[str, Any]:
    """A tapped card as it is from now on, in a group for these members only: the whole of it is replaced."""
    card = {
        "card_type": "button_interaction",
        "main_title": {"title": wecom_cards.answered(words)},
        "button_list": [{"text": "已回", "style": _GREY, "key": ANSWERED}],
        "task_id": task,
    }
    found: dict[str, Any] = {"response_type": "update_template_card", "template_card": card}
    return found | ({"userids": list(members)} if members else {})
