"""Names in a group: which text before a colon can be one, and the home that it tells: 3-2-501 王芳."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from functools import cache, lru_cache
from pathlib import Path

from nlp.script import to_simplified
from nlp.slots import location
from nlp.slots.location import Location
from nlp.slots.name import SURNAMES

LONGEST = 40  # characters: WeChat allows 32, and a group may put something before
SHORT = 10  # characters: what is longer, and no name that people have, is rather a sentence
_FOLDER = Path(__file__).parent
#: What a name has not: marks of a sentence, of a link, of a list.
_NO_NAME = re.compile(
    r"[,，。.;；!！?？、\"“”「」]$|[，。；！？“”「」\n]|https?$|//|^[-•·*#＃]\s|^\d{1,3}[.、．)）]\s*\D"
)
#: A list counts, a name does not: 第一, 方案二, 其次.
_COUNTS = re.compile(
    r"^第[一二三四五六七八九十\d]|[一二三四五六七八九十]$|^其[一二三次他它]|[\d一二三四五六七八九十半]\s*[月日天年点时号]$"
)
_NUMBER = re.compile(r"[\d.、\s/-]+")
_PERSON = re.compile(
    rf"[{''.join(sorted(SURNAMES))}][\u4e00-\u9fff]{{1,2}}"
    r"|.{1,8}(?:先生|女士|阿姨|大爷|大妈|奶奶|爷爷|叔叔?|伯伯?|师傅|老师|主任|经理|队长|班长|楼长|[妈爸]{1,2}|姐|哥|嫂|管家|客服)"
    r"|(?:小|老|阿|大)[\u4e00-\u9fff]|物业.{0,6}|.{0,6}物业|居委.{0,6}|业委会.{0,6}|.{1,4}(?:楼|栋)长"
)
#: Marks that stand in names and never in labels.
_FANCY = re.compile(r"[\U0001F300-\U0001FAFF\u2600-\u27BF~～_@]|[A-Za-z]{3,}")
_EDGES = " -–—_.·,，、|/()（）[]【】:：#"


@cache
def _words() -> tuple[frozenset[str], tuple[str, ...], tuple[str, ...]]:
    """The labels that stand before a colon; how labels end and begin."""
    read = tomllib.loads((_FOLDER / "excerpt.toml").read_text(encoding="utf-8"))["label"]
    labels = set(read["words"].split())
    for name in ("places", "things"):
        for table in tomllib.loads((_FOLDER / "words" / f"{name}.toml").read_text(encoding="utf-8")).values():
            words = table["words"]
            labels.update(words.split() if isinstance(words, str) else words)
    return frozenset(labels), tuple(read["endings"].split()), tuple(read["beginnings"].split())


@lru_cache(4096)
def thinkable(text: str) -> bool:
    """Whether nothing forbids that a text before a time is a name: some call themselves 我心飞翔."""
    if not 0 < len(text) <= LONGEST or _NO_NAME.search(text):
        return False
    home, rest = split(text)
    if not rest:
        return bool(home.building and home.room)  # some call themselves by their door alone
    return to_simplified(rest) not in _words()[0] and not _COUNTS.search(rest) and not _NUMBER.fullmatch(rest)


@lru_cache(4096)
def possible(text: str) -> bool:
    """Whether a text before a colon is likely a name: not 停水时间, 3号楼电梯, 我的意思是."""
    if not thinkable(text):
        return False
    _, endings, beginnings = _words()
    rest = to_simplified(split(text)[1])
    if len(rest) > SHORT and not (person(rest) or fancy(rest)):
        return False
    return not rest.startswith(beginnings) and (not rest.endswith(endings) or person(rest))


def person(text: str) -> bool:
    """Whether it looks like a name that people have, or tells what somebody is: 王芳, 李奶奶, 物业小陈."""
    return bool(_PERSON.fullmatch(text))


def fancy(text: str) -> bool:
    """Whether there are marks in it as they stand in names alone: Lily, 阳光🌞."""
    return bool(_FANCY.search(text))


@lru_cache(4096)
def split(nick: str) -> tuple[Location, str]:
    """The home that a name tells, as far as it does, and the name without it."""
    plain = unicodedata.normalize("NFKC", nick).strip()
    read = re.sub(r"#(?=\d{1,2}-\d)|_", "-", plain)
    read = re.sub(r"(?<=\d)-(?=[^\d-])", " ", read).lower()
    found = [one for one in location.find(read) if one.location.building and not one.denied]
    if not found:
        return Location(), plain
    best = max(found, key=lambda one: len(one.location.write()))
    start, end = best.span
    where = best.location
    home = Location(building=where.building, unit=where.unit, room=where.room)
    left, right = plain[:start].strip(_EDGES), plain[end:].strip(_EDGES)
    return home, f"{left} {right}".strip()
