"""`linli parse`: what is understood, in the words of the public contract."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from bot.app import clock_for
from bot.config import Settings
from bot.domain import communities
from bot.responses import Wording
from nlp import script
from nlp.meaning import Item
from nlp.slots import time as times
from nlp.understanding import Understanding

ROLES = ("resident", "staff", "committee")
SLOTS = frozenset(
    {
        "assignee",
        "audience",
        "capacity",
        "category",
        "choice",
        "duration_minutes",
        "location",
        "name",
        "options",
        "people",
        "phone",
        "plate",
        "price",
        "rating",
        "ref",
        "time",
        "urgency",
    }
)


class BadLine(ValueError):
    """A line that can't be parsed; the text is the reason."""


class Reader:
    """An understanding with a community's words."""

    def __init__(self, mind: Understanding, now: datetime) -> None:
        self._mind, self._now = mind, now

    @classmethod
    def sample(cls, settings: Settings) -> Reader:
        """With the words of the first community that is there."""
        community = communities.read_folder(settings.community_dirs(), Wording.load())[0]
        now = clock_for(settings).now().astimezone(community.zone).replace(tzinfo=None)
        return cls(Understanding.load(community.vocabulary()), now)

    def explain(self, text: str, *, group: bool = False, role: str = "resident") -> str:
        return self._mind.explain(text, now=self._now, group=group, role=role)

    def line(self, raw: str, slot: str | None = None) -> dict[str, Any]:
        """A line of JSON answered; `{"error": …}` for what isn't such a line."""
        try:
            given = self._read(raw)
        except BadLine as exc:
            return {"error": str(exc)}
        identity = {"id": given["id"]} if "id" in given else {}
        if slot is not None:
            return identity | {"found": self.found(slot, given["text"], given["now"])}
        meaning = self._mind.understand(
            given["text"], now=given["now"], group=given["group"], role=given["role"]
        )
        first = meaning.items[0] if meaning.sure else Item("none", meaning.items[0].confidence)
        answer = identity | self._item(first)
        if meaning.sure and len(meaning.items) > 1:
            answer["items"] = [self._item(item) for item in meaning.items]
        return answer

    def found(self, slot: str, text: str, now: datetime) -> list[Any]:
        """Every value of one slot, whatever the text is about."""
        if slot == "time":
            return [self._time(one) for one in times.find(script.to_simplified(text), now)]
        return self._mind.find(slot, text, now=now)

    @staticmethod
    def _time(one: times.Found) -> dict[str, Any]:
        value = one.window.write()
        kind = "range" if value.get("end") else "open" if value.get("mod") in ("after", "before") else "point"
        return {"span": list(one.span), "kind": kind} | value

    def _item(self, item: Item) -> dict[str, Any]:
        return {
            "intent": self._mind.public(item.intent),
            "confidence": round(item.confidence, 3),
            "slots": dict(item.slots),
        }

    def _read(self, raw: str) -> dict[str, Any]:
        try:
            given = json.loads(raw)
        except (ValueError, RecursionError) as exc:
            raise BadLine("not JSON") from exc
        if not isinstance(given, dict):
            raise BadLine("not a JSON object")
        if not isinstance(given.get("text"), str):
            raise BadLine("text: a string is needed")
        try:
            now = datetime.fromisoformat(given["now"]) if "now" in given else self._now
        except (TypeError, ValueError) as exc:
            raise BadLine("now: not an ISO time") from exc
        if now.tzinfo is not None:
            now = now.replace(tzinfo=None)
        role, group = given.get("role", "resident"), given.get("group", False)
        if role not in ROLES:
            raise BadLine(f"role: one of {', '.join(ROLES)}")
        if not isinstance(group, bool):
            raise BadLine("group: true or false")
        return given | {"now": now, "role": role, "group": group}
