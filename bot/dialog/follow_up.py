"""What a message means that follows something filed just now: a remark, a correction, or nothing of it."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from bot.dialog.turn import Turn
from bot.domain import costs, tickets, work
from bot.domain.people import Role
from bot.domain.tickets import State, Ticket
from bot.inbox import milliseconds
from nlp.meaning import Item, Meaning
from nlp.slots import urgency
from nlp.understanding import Understanding

REMARK_FOR = 2 * 3600 * 1000  # ms: how long unclear words may belong to what was filed
WEAK_FOR = 15 * 60 * 1000  # ms: how long a request that names nothing new goes on with the one before
LONGEST_REMARK = 120  # characters
LONGEST_WISH = 30  # characters of a wish for another time
FOREIGN = 0.5  # below this confidence in `none` the words speak for something that we don't do
RECEIVES = frozenset({"inform", "dialog.affirm", "ticket.progress", "ticket.accept", "none"})
_COMMON = frozenset("的了那这个一不我你他是有在急快点来人先等修")
SHOWS = frozenset({"inform", "dialog.affirm", "smalltalk"})  # with a photo: 就这个
WEAK = 0.6  # a repair below this is hardly one
_CORRECTS = re.compile(r"不是|[打写说报填搞弄记]错|应该是|改成|改为|其实是|不对")
#: Somebody is asked to come when it suits; 明天来吗 only asks whether somebody does.
_SUITS = re.compile(
    r"来.{0,3}(?:行|可以|成|方便)|(?:能|可以|方便|行)[^，。?？]{0,8}来|(?:我|家里?)[^，。]{0,4}(?:在家|有空|方便|有人)"
)
_ASKS = re.compile(r"[?？]|[吗么呢]\s*[。！!~]*$|什么时候|多少|怎么|咋|哪[里儿个天位]|几点|谁|伐$")
_RECEIVED = re.compile(r"收到|好的?[，,。\s]|知道|明白|马上|这就|来了")
_AGREES = re.compile(
    r"(?:(?:行|可以|好的?|成|没问题|ok|同意|中|要得)[，,。\s的了吧啊呀]*)+(?:(?:那就?|你们?)?(?:换|修|弄|来|收)(?:吧|了)?[。！!]*)?|换吧|修吧",
    re.I,
)
_REFUSES = re.compile(
    r"(?:不同意|不行|不换了?|不修了?|有异议|没换|没这么多|不认|不付|不给)[，,。\s了吧啊]*.{0,8}"
)
_PLAINLY = re.compile(
    r"(?:[^，,不]{0,4}(?:不好意思)?[^，,不]{0,4}[，,])?我?(?:们家?)?(?:(?P<no>不)?同意|(?:对|费用|价格|价钱|这个|钱|的|我)*(?P<odd>有异议))(?:这个)?(?:费用|价格?|报价)?[了吧。！!]*"
)
_NOTED = re.compile(r"好的?[。.！!～~吧呀]*|收到|知道了?|OK|ok")  # heard; not yet that it works
_WORKS = re.compile(
    r"(?:[这現现]?[回次下在]|已经|都|全)*(?:行|可以|好|能用|能开|正常|亮|通|热|凉快?|不漏|不滴)[了啦]"
)
#: What people tell a worker who is to come; in a private chat such words are for him.
_VISIT = re.compile(
    r"来的?时候|来之?前|师傅|师父|敲门|按铃|门铃|进门|门口|门锁|开门|后门|前门|侧门|小门|密码|钥匙|地垫|上门|上来|下来"
    r"|家里|家有|屋里|有狗|有猫|老人|孩子|小孩|娃|宝宝|婴|孕|睡|在家|不在|轻点|小声|电话|微信|位置|旁边|后面|后头|里面|里头"
    r"|楼[上下梯道]|顺便|麻烦|记得|注意|先别|带[个把点一上]|越来越|还在|比刚才|刚才|更|好像是|应该是|可能是"
)
_NOT_THIS = re.compile(
    r"(?:这|跟这|和这)?个?(?:根本|好像|应该)?不是(?:这个|一回事|同一[件个]|那个)|不一样的?$"
)
#: What is said in one's own words to the choices about what neighbours report, too.
_OF_NEIGHBOURS = (
    ("incident.apart", "不是这个", _NOT_THIS),
    ("incident.too", "我家也是", re.compile(r"我们?家也|我也")),
)
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
    return await tickets.open_of(turn.db, turn.community.id, turn.person, turn.recent())


async def remarked(turn: Turn, meaning: Meaning, text: str) -> Ticket | None:
    """The ticket that unclear words are a remark on; None when they may be something else, or mere talk."""
    since = milliseconds(turn.now) - turn.state.recent_ms
    if meaning.sure or len(text) > LONGEST_REMARK or not readable(text):
        return None
    if meaning.items[0].confidence < FOREIGN or _ASKS.search(text) or "[" in text:
        return None
    found = await filed(turn)
    if not found or found[0].state is State.AWAITS:
        return None
    fits = since < REMARK_FOR and about(text, found[0])
    if not fits and (turn.group or not _VISIT.search(text)):
        return None
    return found[0]


def about(text: str, ticket: Ticket) -> bool:
    """Whether a text counts something, corrects, or shares words with a ticket: in a group that is asked."""
    known = ticket.words + ticket.brief + ticket.where.line
    pairs = {known[n : n + 2] for n in range(len(known) - 1)}
    shared = any(text[n : n + 2] in pairs and text[n : n + 2].isalnum() for n in range(len(text) - 1))
    return shared or bool(_COUNTED.search(text) or _CORRECTS.search(text))


async def of_recent(turn: Turn, meaning: Meaning, mind: Understanding, text: str) -> Meaning:
    """The meaning in the light of what was filed here just now, or is in this worker's hands."""
    if not turn.group and turn.person.may(Role.STAFF) and _RECEIVED.match(text):
        received = await _received(turn, meaning, text)
        if received is not None:
            return received
    priced = await _price(turn, meaning, text)
    if priced is not None:
        return priced
    for intent, offered, words in _OF_NEIGHBOURS:
        ref = offered_ref(turn, offered)
        if ref and words.match(text):
            return Meaning((Item(intent, 1.0, {"ref": ref}, text),), True)
    asked = await asked_about(turn)
    if asked is not None and (answer := _answer(meaning, text)):
        return Meaning((Item(answer, 1.0, {"ref": asked.ref}, text),), True)
    waiting = await waited_for(turn, meaning, text)
    if waiting is not None:
        times = mind.find("time", text, now=work.local(turn))
        return _on(waiting, {"time": times[-1]} if times else {}, text)
    named_service = _service(turn, meaning, mind, text)
    if named_service is not None:
        return named_service
    if not turn.recent() or not turn.person.bound:
        return meaning
    if not meaning.sure:
        wanted = await _rescheduled(turn, mind, text)
        if wanted is not None:
            return wanted
        ticket = await remarked(turn, meaning, text)
        return _on(ticket, _corrected(turn, mind, text, ticket), text) if ticket else meaning
    item = meaning.items[0]
    since = milliseconds(turn.now) - turn.state.recent_ms
    if turn.incoming.photos and since < REMARK_FOR and item.intent in SHOWS:
        found = await filed(turn)
        return _on(found[0], _corrected(turn, mind, text, found[0]), text) if found else meaning
    hardly = item.confidence < WEAK or len(item.brief) == 1  # one character names no matter
    weak = item.intent == "repair.report" and hardly and len(meaning.items) == 1
    if weak and since < WEAK_FOR and not _REPORTS.search(text):
        found = await filed(turn)
        known = bool(found and (found[0].where or "location" not in item.slots))
        if found and not (turn.group and known and not about(text, found[0])):
            slots = {k: v for k, v in item.slots.items() if k in ("time", "urgency", "phone")}
            return _on(found[0], slots | _corrected(turn, mind, text, found[0]), text)
    return meaning


def _service(turn: Turn, meaning: Meaning, mind: Understanding, text: str) -> Meaning | None:
    """「明天上午九点擦玻璃」: a time and a service say it all, and nothing is done by that yet."""
    unclear = not meaning.sure or meaning.intent == "inform"
    if turn.group or not unclear or len(text) > LONGEST_WISH or _ASKS.search(text) or _CORRECTS.search(text):
        return None
    found = turn.community.catalogue.meant(None, text)
    if found and found[0].category == "appliance_cleaning" and "洗" not in text:
        return None  # an appliance alone may be broken
    now = work.local(turn)
    times = mind.find("time", text, now=now) if found else []
    if not times:
        return None
    slots: dict[str, Any] = {"category": found[0].category, "time": times[-1]}
    lengths = mind.find("duration_minutes", text, now=now)
    if lengths:
        slots["duration_minutes"] = lengths[0]
    return Meaning((Item("housekeeping.book", 1.0, slots, text),), True, (), meaning.traditional)


async def waited_for(turn: Turn, meaning: Meaning, text: str) -> Ticket | None:
    """The one ticket that waits for this resident's word, where the words may be that word."""
    says_more = meaning.sure and (
        meaning.intent not in ("inform", "ticket.amend") or "ref" in meaning.items[0].slots
    )
    if turn.group or not turn.person.bound or says_more or not readable(text):
        return None
    if meaning.sure is False and meaning.items[0].confidence < FOREIGN:
        return None
    found = await tickets.of_resident(turn.db, turn.person)
    waits = [one for one in found if one.state is State.WAITING and one.waits_for == tickets.RESIDENT]
    return waits[0] if len(waits) == 1 else None


async def _rescheduled(turn: Turn, mind: Understanding, text: str) -> Meaning | None:
    """明天上午来行吗, said of what was filed just now: when it suits."""
    since = milliseconds(turn.now) - turn.state.recent_ms
    if since > REMARK_FOR or len(text) > LONGEST_WISH or not _SUITS.search(text):
        return None
    times = mind.find("time", text, now=work.local(turn))
    found = await filed(turn) if times else []
    if not found or found[0].state is State.AWAITS:
        return None
    return _on(found[0], {"time": times[-1]}, text)


def _corrected(turn: Turn, mind: Understanding, text: str, ticket: Ticket) -> dict[str, Any]:
    """A place in the words: it counts where they correct something, or where none is known yet."""
    if ticket.where and not _CORRECTS.search(text):
        return {}
    places = mind.find("location", text, now=work.local(turn))
    return {"location": places[-1] if ticket.where else places[0]} if places else {}


def _on(ticket: Ticket, slots: dict[str, Any], text: str) -> Meaning:
    return Meaning((Item("ticket.amend", 1.0, slots | {"ref": ticket.ref}, text),), True)


async def _received(turn: Turn, meaning: Meaning, text: str) -> Meaning | None:
    """「收到，半小时到」 from a worker is about what he has in hand; without anything it is a plain yes."""
    item = meaning.items[0]
    if meaning.sure and (item.intent not in RECEIVES or "ref" in item.slots):
        return None
    mine = await tickets.of_staff(turn.db, turn.person)
    intent = "ticket.progress" if any(t.state in tickets.HAND for t in mine) else "dialog.affirm"
    return Meaning((Item(intent, 1.0, {}, text),), True)


def _answer(meaning: Meaning, text: str) -> str:
    """What the words say to the question 「好了吗」: yes, no, or "" for neither."""
    if meaning.sure and meaning.intent not in ("dialog.affirm", "dialog.deny"):
        return ""
    if meaning.sure and meaning.intent == "dialog.deny":
        return "ticket.reopen"
    agreed = meaning.sure and not _NOTED.fullmatch(text.strip())
    return "ticket.confirm" if agreed or _WORKS.match(text.strip()) else ""


async def _price(turn: Turn, meaning: Meaning, text: str) -> Meaning | None:
    """Yes or no to the price that was put last; in so many words, to the only one that waits."""
    said = text.strip()
    if turn.group or not turn.person.bound or len(said) > LONGEST_WISH:
        return None
    offered = turn.state.offers[0][1] if turn.state.offers else ""
    match = re.match(r"#(\d+) 同意 \S+ 元$", offered)
    if match and (meaning.sure and meaning.intent in ("dialog.affirm", "dialog.deny")):
        yes, ref, words = meaning.intent == "dialog.affirm", int(match[1]), offered
    elif match and (_AGREES.fullmatch(said) or _REFUSES.fullmatch(said)):
        yes, ref, words = bool(_AGREES.fullmatch(said)), int(match[1]), offered
    elif plainly := _PLAINLY.fullmatch(said):
        refs = await costs.asked_of(turn.db, turn.person)
        if len(refs) != 1:
            return None
        yes, ref, words = not (plainly["no"] or plainly["odd"]), refs[0], text
    else:
        return None
    return Meaning((Item("cost.agree" if yes else "cost.refuse", 1.0, {"ref": ref}, words),), True)


def offered_ref(turn: Turn, words: str) -> int:
    """The number in the first choice that was offered, where that says the words; 0 for none."""
    match = re.match(rf"#(\d+) {words}", turn.state.offers[0][1]) if turn.state.offers else None
    return int(match.group(1)) if match else 0


async def asked_about(turn: Turn) -> Ticket | None:
    """The ticket of the open question 「好了吗」 in this conversation."""
    match = re.match(r"#(\d+) 修好了", turn.state.offers[0][1]) if turn.state.offers else None
    ticket = await tickets.get(turn.db, turn.community.id, int(match.group(1))) if match else None
    return ticket if ticket is not None and ticket.state is State.AWAITS else None


async def of_nothing(turn: Turn, item: Item) -> bool:
    """Words about something filed, from somebody who never filed: not understood."""
    if "ref" in item.slots or turn.person.may(Role.STAFF) or not turn.person.bound:
        return False
    if item.intent not in ("ticket.confirm", "ticket.reopen", "ticket.amend"):
        return False
    return not await tickets.of_resident(turn.db, turn.person, 1)


async def hurried(turn: Turn, text: str) -> list[tuple[Ticket, str]]:
    """「灯那个不急，地漏快点来人」: of several that we talk about, each with how pressing it is."""
    recent = await filed(turn)
    if len(recent) < 2:
        return []
    found: dict[int, tuple[Ticket, str]] = {}
    for clause in re.split(r"[，,。；;！!\n]", text):
        pressing = urgency.choose(clause)
        meant = [t for t in recent if named(t, clause)]
        if pressing and len(meant) == 1:
            found[meant[0].ref] = (meant[0], pressing)
    return list(found.values()) if len(found) > 1 else []


def named(ticket: Ticket, clause: str) -> bool:
    """Whether a clause speaks of the thing of a ticket: 灯, 地漏."""
    return any(char in ticket.brief for char in clause if char not in _COMMON and char.isalnum())
