"""Manners in groups: when we speak, and what we never repeat there."""

from __future__ import annotations

import re

#: A mainland mobile number, however it is spaced, and an ID number: nothing that belongs into a group.
_PHONE = re.compile(r"(?<!\d)1[3-9]\d(?:[ \-]?\d){8}(?!\d)")
_ID_CARD = re.compile(r"(?<!\d)\d{17}[\dXx](?!\d)")


def private_number(text: str) -> bool:
    """Whether a phone or ID number stands in the text."""
    plain = text.translate(_FULL_WIDTH)
    return bool(_PHONE.search(plain) or _ID_CARD.search(plain))


_FULL_WIDTH = {ord("０") + n: ord("0") + n for n in range(10)}


def spoken_to(addressed: bool, unasked: bool, in_dialogue: bool) -> bool:
    """Whether a message in a group is for us.

    Mentioned, replied to or commanded; or a clear service request or life-safety; or the answer to what we
    asked this person in this group.
    """
    return addressed or unasked or in_dialogue
