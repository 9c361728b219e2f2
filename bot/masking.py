"""What nobody may read in a group: telephone and ID numbers, and doors, in words that people wrote."""

from __future__ import annotations

import re

from nlp.normal import Normaliser
from nlp.slots import location, phone

_ID_CARD = re.compile(r"(?<!\d)(\d{6})\d{8}(\d{3}[\dx])(?!\d)")
_plain = Normaliser({})  # as long as the text, so that spans are the same in both


def masked(text: str) -> str:
    """The words with 138****1111, 110105********002X and 3栋*单元 where whole ones stood.

    A lone number that could be a room goes too: rather one too many.
    """
    plain = _plain(text)
    marks = [(found.start(), found.end(), _card(found)) for found in _ID_CARD.finditer(plain)]
    marks += [(*span, number(digits)) for digits, span in phone.find(plain)]
    for found in location.find(plain):
        if found.location.room:
            marks.append((*found.span, _door(found.location)))
    out, at = [], 0
    for start, end, shown in sorted(marks, key=lambda mark: (mark[0], -mark[1])):
        if start >= at:
            out += [text[at:start], shown]
            at = end
    return "".join(out) + text[at:]


def number(digits: str) -> str:
    """A telephone number, with the middle of it hidden."""
    return f"{digits[:3]}****{digits[-4:]}" if len(digits) >= 8 else "****"


def _card(found: re.Match[str]) -> str:
    return f"{found[1]}********{found[2].upper()}"


def _door(where: location.Location) -> str:
    return f"{where.building}栋*单元" if where.building else "*号"
