"""What an understanding is: one or several items, each an intent with its slots and the reasons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

#: Names of what a text may mean, as in the public contract: `repair.report`, `none`, …
Intent = str


@dataclass(frozen=True, slots=True)
class Item:
    """One request in a message.

    `slots` hold the contract's values, ready for JSON. `confidence` runs from 0 to 1. `text` is the part of
    the message that the item came from. `brief` names the matter in a few words of the speaker
    (水管漏水; at most 20 characters, without place, greeting, plea), "" where nothing is to be named.
    """

    intent: Intent
    confidence: float
    slots: Mapping[str, Any] = field(default_factory=dict)
    text: str = ""
    brief: str = ""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What one message means.

    `items` has at least one item. `sure` says that the first item cleared floor and margin; when it did not,
    `items[0].intent` is `none`, `nearest` has the candidates, best first, for a question back, and `guess` is
    what it would be if we had to say.
    """

    items: tuple[Item, ...]
    sure: bool
    nearest: tuple[Intent, ...] = ()
    traditional: bool = False
    guess: Item | None = None

    @property
    def intent(self) -> Intent:
        return self.items[0].intent
