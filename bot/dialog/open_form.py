"""An open form as a row keeps it between messages, and how a later word completes an earlier one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from nlp.meaning import Item


@dataclass(frozen=True, slots=True)
class Open:
    """An open form as it is kept between messages."""

    intent: str
    slots: dict[str, Any]
    asking: str
    asked: list[str]
    text: str
    brief: str
    at_ms: int
    replace: list[dict[str, Any]] | None = None

    @classmethod
    def read(cls, row: Mapping[str, Any]) -> Open:
        return cls(
            intent=str(row.get("intent", "")),
            slots=dict(row.get("slots") or {}),
            asking=str(row.get("asking", "")),
            asked=list(row.get("asked") or []),
            text=str(row.get("text", "")),
            brief=str(row.get("brief", "")),
            at_ms=int(row.get("at_ms", 0)),
            replace=row.get("replace"),
        )

    def item(self) -> Item:
        return Item(self.intent, 1.0, self.slots, self.text, self.brief)


def kept(item: Item, at_ms: int, asking: str = "", asked: Iterable[str] = ()) -> dict[str, Any]:
    """A form as a row keeps it: the intent, what is being asked, the slots."""
    return {
        "intent": item.intent,
        "slots": dict(item.slots),
        "asking": asking,
        "asked": list(asked),
        "text": item.text,
        "brief": item.brief,
        "at_ms": at_ms,
    }


def merge(old: Any, new: Any) -> Any:
    """A location completed by what was said later; the later word wins."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        return {**old, **{k: v for k, v in new.items() if v}}
    return new


def plain_name(text: str) -> str | None:
    """A short text that can be a name, as it stands."""
    name = re.sub(r"^(我?是|我?叫|姓名|名字)[:：]?", "", text.strip()).strip("，。,. 的")
    return name if re.fullmatch(r"[一-鿿·A-Za-z ]{1,20}", name) else None
