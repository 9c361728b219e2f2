"""A piece of a group's talk, copied into one message: who said what, and when, as WeChat writes it down.

Knows no people and no clock. What one person wrote is never taken for it, however many colons stand in it.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

from nlp import nickname, stamp
from nlp.slots.location import Location

LONGEST = 20_000  # characters that are read; what comes behind is as if it were not there
#: How much must speak for a talk where only colons tell names from text.
ENOUGH = 2


@dataclass(frozen=True, slots=True)
class Line:
    """What somebody said at once. `nick` is "" where the copy began in the midst of it.

    `text` is without pictures and quotes, "" where nothing else was. `at` is local and naive, None where no
    time is written. `chain` says that it is a list to join (接龙), not a sentence.
    """

    nick: str
    text: str
    at: datetime | None = None
    chain: bool = False

    @property
    def home(self) -> Location:
        """The home that the name tells, as far as it does."""
        return nickname.split(self.nick)[0]

    @property
    def name(self) -> str:
        """The name without a home, as others may read it; "" where nothing is left."""
        return nickname.split(self.nick)[1]


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A talk. `form` is how it was written down: timed, block, inline, or chain (a 接龙 alone)."""

    form: str
    lines: tuple[Line, ...]


@dataclass(slots=True)
class _Said:
    """A line while it is read."""

    nick: str
    at: datetime | None
    rows: list[str]


_INVISIBLE = re.compile("[\u200b-\u200f\u2060\ufeff\u202a-\u202e\u2066-\u2069]")
_BLANKS = str.maketrans(dict.fromkeys("\u00a0\u2005\u2002\u2003\u3000\t", " "))
_NICK = r"(?P<nick>[^\s:：][^:：]{0,48}?)"
_OPEN, _SHUT = r"[\[(（【]?\s*", r"\s*[\])）】]?"
#: Hours may stand in a name: 阿宝9:00-21:00.
_TIMED = re.compile(
    rf"{_OPEN}(?P<first>{stamp.DATED}){_SHUT}\s+(?P<second>[^\s:：][^:：]{{0,48}}?)(?:\(\d+\)|<[^<>]*>)?\s*[:：]?"
    r"|(?P<nick>[^\s:：](?:[^:：]|(?<=\d)[:：](?=\d)){0,48}?)"
    rf"(?:\s?[,，]?\s{_OPEN}|[(（])(?P<at>{stamp.MOMENT}){_SHUT}\s*(?:[:：]\s*(?P<text>.*))?"
)
_BLOCK = re.compile(rf"{_NICK}\s*[:：]")
#: A colon between digits is of a clock.
_INLINE = re.compile(
    rf"(?:{_OPEN}(?P<at>{stamp.MOMENT}){_SHUT}\s*)?{_NICK}\s*(?:(?<!\d)[:：]|[:：](?!\d))\s*(?P<text>.*)"
)
_RECORD = re.compile(
    r"\[聊天记录\]|【聊天记录】|聊天记录|.{1,40}的聊天记录(?:如下)?[\s，,:：]*(?:请查收)?[。.]?"
)
_RULE = re.compile(r"[—–\-─=_*\s]{2,}(?P<at>[^—–\-─=_*].{3,30}?)[—–\-─=_*\s]{2,}")
_QUOTED = re.compile(
    r"[「『].*?[」』]?\s*\n\s*[-—–─_=\s]{5,}\n|[「『][^「」『』\n]{1,40}[:：][^「」『』]*[」』]\s*\n(?=\S)",
    re.S,
)
_QUOTE = re.compile(r"^[\[「]?(?:引用|回复)[^\n]{0,40}(?:的消息|[:：])[^\n]*[\]」]$", re.M)
_SHOWN_LENGTH = r"(?:\s*\d{1,3}\s*(?:['\"′″”’秒]+|秒))?"
_CHAIN = re.compile(r"[#＃]\s*(?:群?接龙|报名)")
_NUMBERED = re.compile(r"^\s*\d{1,3}\s*[.、．)）:：]\s*\S", re.M)
#: A number, an amount or a telephone is told, not said: 王芳：2份, 张师傅：13812345678.
_AMOUNT = re.compile(r"[\d\s\-+*/.,，、:：()（）]*(?:元|块|个|份|人|斤|箱|盒|袋|瓶|栋|室|号楼?|米|平)?")


@cache
def _told() -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    """What WeChat itself says; what stands for pictures and the like; what is clearly said to others."""
    read: Any = tomllib.loads((Path(__file__).parent / "excerpt.toml").read_text(encoding="utf-8"))["system"]
    shown = "|".join(map(re.escape, sorted(read["shown"].split(), key=len, reverse=True)))
    return (
        re.compile("|".join(f"(?:{one})" for one in read["whole"])),
        re.compile(rf"\[(?:{shown})[^\[\]\n]{{0,40}}\]{_SHOWN_LENGTH}", re.I),
        re.compile(read["spoken"]),
    )


def read(text: str, now: datetime) -> Excerpt | None:
    """The talk that a message is a copy of; None when it is somebody's own message. `now` is naive, local."""
    plain = _INVISIBLE.sub("", text[:LONGEST]).translate(_BLANKS)
    rows = [re.sub(" {2,}|^> ", " ", row).strip() for row in re.split(r"\r\n?|\n|\u2028|\u2029", plain)]
    if sum(map(bool, rows)) < 2:
        return None
    record = any(_RECORD.fullmatch(row) for row in rows[:3])
    for form, begins in _FORMS:
        timed = form == "timed"
        said, marks = _lines(rows, begins, nickname.thinkable if timed else nickname.possible, now)
        spoken = [one for one in said if one.nick and any(one.rows)]
        clear = any(nickname.possible(one.nick) for one in spoken) if timed else _clear(spoken, rows, marks)
        if len(spoken) >= (1 if record else 2) and (record or clear):
            if not timed:
                said, _ = _lines(rows, begins, _repeated(rows, begins), now)
            return Excerpt(form, tuple(_finished(one) for one in said if any(one.rows)))
    if _is_chain(plain.strip()):
        return Excerpt("chain", (Line("", plain.strip(), None, True),))
    return None


# ------------------------------------------------------------------------- rows into lines

#: Who may begin to speak in a row, when (as printed), and what stands beside it; None where nobody can.
Begins = Callable[[str], tuple[str, str, str] | None]


def _timed(row: str) -> tuple[str, str, str] | None:
    match = _TIMED.fullmatch(row)
    if match is None:
        return None
    return match["second"] or match["nick"], match["first"] or match["at"], match["text"] or ""


def _block(row: str) -> tuple[str, str, str] | None:
    match = _BLOCK.fullmatch(row)
    return (match["nick"], "", "") if match else None


def _inline(row: str) -> tuple[str, str, str] | None:
    match = _INLINE.fullmatch(row)
    return (match["nick"], match["at"] or "", match["text"]) if match else None


_FORMS: tuple[tuple[str, Begins], ...] = (("timed", _timed), ("block", _block), ("inline", _inline))


def _repeated(rows: Sequence[str], begins: Begins) -> Callable[[str], bool]:
    """In a talk a name is also what comes twice and could be one: 我心飞翔."""
    nicks = Counter(begun[0] for row in rows if (begun := begins(row)))
    return lambda nick: nickname.possible(nick) or (nicks[nick] > 1 and nickname.thinkable(nick))


def _lines(
    rows: Sequence[str], begins: Begins, known: Callable[[str], bool], now: datetime
) -> tuple[list[_Said], int]:
    """The lines in order, and how many rows are none of anybody's: times between, what WeChat says."""
    system = _told()[0]
    said: list[_Said] = []
    open_line = False
    day: date | None = None
    moment: datetime | None = None
    marks = 0
    for row in filter(None, rows):
        begun = begins(row)
        if begun is not None and known(begun[0]):
            nick, at, text = begun
            if at:
                read = stamp.read(at, now, day)
                day, moment = read if read is not None else (day, None)
            said.append(_Said(nick, moment, [text] if text else []))
            open_line = True
            continue
        printed = _printed(row, now, day, alone=begins is not _timed)
        if printed is not None:
            day, moment = printed
        if printed is not None or _RECORD.fullmatch(row) or system.fullmatch(row):
            marks += 1
            open_line = False
        elif open_line:
            said[-1].rows.append(row)
        else:
            said.append(_Said("", moment, [row]))
            open_line = True
    return said, marks


def _printed(
    row: str, now: datetime, day: date | None, *, alone: bool
) -> tuple[date, datetime | None] | None:
    """The time that a row of its own prints between lines: 昨天 22:15, ————— 2026-03-04 —————.

    A clock time `alone` prints one where names have none beside them; else 「10:30」 was somebody's answer.
    """
    rule = _RULE.fullmatch(row)
    if rule is not None:
        return stamp.read(rule["at"], now, day)
    found = stamp.read(row, now, day)
    if found is None or row[:4].isdigit():  # 2026年3月4日
        return found
    return found if found[1] is not None and (alone or not row[0].isdigit()) else None


def _finished(said: _Said) -> Line:
    text = "\n".join(said.rows)
    if _is_chain(text):
        return Line(said.nick, text, said.at, True)
    text = _QUOTED.sub("", text + "\n", count=1) if text[:1] in "「『" else text
    text = _told()[1].sub(" ", _QUOTE.sub("", text))
    return Line(said.nick, "\n".join(filter(None, map(str.strip, text.split("\n")))), said.at)


def _is_chain(text: str) -> bool:
    begin = text[:40].split("\n", 1)[0]
    numbered = len(_NUMBERED.findall(text))
    return bool(_CHAIN.match(begin) and numbered) or ("接龙" in begin and numbered > 1)


# -------------------------------------------------------------------- is it a talk at all


def _clear(said: Sequence[_Said], rows: Sequence[str], marks: int) -> bool:
    """Of names before colons: labels stand there, too, so that more has to speak for a talk."""
    spoken = [one for one in said if one.rows and not _AMOUNT.fullmatch(one.rows[0])]
    known = _repeated(rows, _inline)
    labels = sum(not known(nick) for nick, _, _ in filter(None, map(_inline, rows)))
    return len(spoken) > 1 and labels < len(said) and sum(_evidence(spoken, marks)) >= ENOUGH


def _evidence(said: Sequence[_Said], marks: int) -> Iterator[int]:
    _, shown, spoken = _told()
    nicks = Counter(one.nick for one in said)
    split = [nickname.split(nick) for nick in nicks]
    yield 2 * (max(nicks.values()) > 1 and len(nicks) > 1)
    yield 2 * any(home for home, _ in split)
    yield any(nickname.person(name) for _, name in split)
    yield any(nickname.fancy(name) for _, name in split)
    yield 2 * any(shown.search(row) for one in said for row in one.rows)
    yield min(marks + sum(one.at is not None for one in said), 2)
    yield min(sum(bool(spoken.search(one.rows[-1])) for one in said), 2)
