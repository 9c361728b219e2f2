"""What a message means that follows something filed just now: a remark, a correction, or nothing of it."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from bot.dialog.turn import Turn
from bot.domain import tickets, work
from bot.domain.people import Role
from bot.domain.tickets import Ticket
from bot.inbox import milliseconds
from nlp.meaning import Item, Meaning
from nlp.understanding import Understanding

REMARK_FOR = 2 * 3600 * 1000  # ms: how long unclear words may belong to what was filed
WEAK_FOR = 15 * 60 * 1000  # ms: how long a request that names nothing new goes on with the one before
LONGEST_REMARK = 120  # characters
FOREIGN = 0.5  # below this confidence in `none` the words speak for something that we don't do
SHOWS = frozenset({"inform", "dialog.affirm", "smalltalk"})  # with a photo: 就这个
WEAK = 0.6  # a repair below this is hardly one
_CORRECTS = re.compile(r"不是|[打写说报填搞弄记]错|应该是|改成|改为|其实是|不对")
_ASKS = re.compile(r"[?？]|[吗么呢]\s*[。！!~]*$|什么时候|多少|怎么|咋|哪[里儿个天位]|几点|谁|伐$")
_COUNTED = re.compile(
    r"[一二两三四五六七八九十几\d]+(?:来|多|、|到)?[一二两三四五六七八九十\d]*"
    r"[个盏处根块层楼扇台户家条米天次只片把颗段样道格半]"
)
_REPORTS = re.compile(r"报[^，。]{0,2}修|报一个|报个|还有|另外|也")


def readable(text: str) -> bool:
    """Whether there is anything to understand: a letter, a digit, a character; not only emoji and signs."""
    return any(unicodedata.category(char)[0] in "LN" for char in text)


async def filed(turn: Turn) -> list[Ticket]:
    """The open tickets of this person that were spoken about here, newest first."""
    found = []
    for ref in turn.recent():
        ticket = await tickets.get(turn.db, turn.community.id, ref)
        if ticket is None or not ticket.open:
            continue
        if any(one.id == turn.person.id for one in await tickets.concerned(turn.db, ticket)):
            found.append(ticket)
    return found


async def remarked(turn: Turn, meaning: Meaning, text: str) -> Ticket | None:
    """The ticket that unclear words are a remark on; None when they may be something else, or mere talk."""
    since = milliseconds(turn.now) - turn.state.recent_ms
    if meaning.sure or since > REMARK_FOR or len(text) > LONGEST_REMARK or not readable(text):
        return None
    if meaning.items[0].confidence < FOREIGN or _ASKS.search(text) or "[" in text:
        return None
    found = await filed(turn)
    if not found or (turn.group and not about(text, found[0])):
        return None
    return found[0]


def about(text: str, ticket: Ticket) -> bool:
    """Whether a text counts something, corrects, or shares words with a ticket: in a group that is asked."""
    known = ticket.words + ticket.brief + ticket.where.line
    pairs = {known[n : n + 2] for n in range(len(known) - 1)}
    shared = any(text[n : n + 2] in pairs and text[n : n + 2].isalnum() for n in range(len(text) - 1))
    return shared or bool(_COUNTED.search(text) or _CORRECTS.search(text))


async def of_recent(turn: Turn, meaning: Meaning, mind: Understanding, text: str) -> Meaning:
    """The meaning in the light of what was filed here just now."""
    if not turn.recent() or not turn.person.bound:
        return meaning
    if not meaning.sure:
        ticket = await remarked(turn, meaning, text)
        return _on(ticket, _corrected(turn, mind, text, ticket), text) if ticket else meaning
    item = meaning.items[0]
    since = milliseconds(turn.now) - turn.state.recent_ms
    if turn.incoming.photos and since < REMARK_FOR and item.intent in SHOWS:
        found = await filed(turn)
        return _on(found[0], _corrected(turn, mind, text, found[0]), text) if found else meaning
    weak = item.intent == "repair.report" and item.confidence < WEAK and len(meaning.items) == 1
    if weak and since < WEAK_FOR and not _REPORTS.search(text):
        found = await filed(turn)
        known = bool(found and (found[0].where or "location" not in item.slots))
        if found and not (turn.group and known and not about(text, found[0])):
            slots = {k: v for k, v in item.slots.items() if k in ("time", "urgency", "phone")}
            return _on(found[0], slots | _corrected(turn, mind, text, found[0]), text)
    return meaning


def _corrected(turn: Turn, mind: Understanding, text: str, ticket: Ticket) -> dict[str, Any]:
    """A place in the words: it counts where they correct something, or where none is known yet."""
    if ticket.where and not _CORRECTS.search(text):
        return {}
    places = mind.find("location", text, now=work.local(turn))
    return {"location": places[-1] if ticket.where else places[0]} if places else {}


def _on(ticket: Ticket, slots: dict[str, Any], text: str) -> Meaning:
    return Meaning((Item("ticket.amend", 1.0, slots | {"ref": ticket.ref}, text),), True)


async def of_nothing(turn: Turn, item: Item) -> bool:
    """Not understood once, and now words about a ticket from somebody who has none: not understood."""
    if not turn.state.missed or "ref" in item.slots or turn.person.may(Role.STAFF):
        return False
    if item.intent not in ("ticket.confirm", "ticket.reopen", "ticket.amend", "ticket.cancel"):
        return False
    return not await tickets.of_resident(turn.db, turn.person, 1)
