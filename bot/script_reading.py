"""A .chat file as steps: who is there, what is said, how the clock is turned, and what must come of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from bot.domain.communities import Community
from bot.domain.people import Role
from bot.messages import Photo

BOT = "邻里"
ROLES = {str(role): role for role in Role} | {"unbound": Role.STRANGER}
Home = tuple[str, str, str]


class ScriptError(Exception):
    """A file that is no script: one line, with the place in the file."""


@dataclass(frozen=True, slots=True)
class Actor:
    """A person of the script, and the account that the person writes from."""

    name: str
    role: Role
    channel: str
    address: str
    homes: tuple[Home, ...] = ()
    trades: tuple[str, ...] = ()
    buildings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """A group chat of the script."""

    name: str
    channel: str
    address: str


@dataclass(frozen=True, slots=True)
class Say:
    """Somebody writes, in private or (`group`) in a group chat."""

    who: Actor
    text: str
    group: Group | None = None
    addressed: bool = True
    photos: tuple[Photo, ...] = ()
    voice: bool = False


@dataclass(frozen=True, slots=True)
class Turn:
    """The clock goes on: to an instant (naive, local), or by so much."""

    to: datetime | None = None
    by: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Expected:
    """One message that must come, or (`sign` "-") that none does; `name` is who reads it.

    `<` wants the whole text, `~` each of the fragments. A fragment is a text, `{key}` in it a wording; or, as
    `/…/`, a regular expression.
    """

    line: int
    source: str
    name: str
    sign: str
    fragments: tuple[str, ...] = ()


@dataclass(slots=True)
class Step:
    """A line that does something, and the lines below it."""

    line: int
    source: str
    deed: Actor | Group | Say | Turn
    expected: list[Expected] = field(default_factory=list)


_NAME = r"[^\s=<>~@|{}/#-]+"
_DECLARED = re.compile(rf"({_NAME})\s*=\s*(\S+)\s+@([A-Za-z][\w-]*):(\S+)\s*(.*)")
_SAID = re.compile(rf"({_NAME})(?:@({_NAME}))?\s*>\s?(.*)")
_EXPECTED = re.compile(rf"({_NAME})\s*([<>~-])\s*(.*)")
_WORDING = re.compile(r"\{[a-z_]+(?:\.[a-z_]+)+\}")
_SPAN = re.compile(r"(\d+)([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_HOME = re.compile(r"([0-9A-Za-z]+)(?:栋|号楼|座|幢)(?:([0-9A-Za-z]+)单元)?([0-9A-Za-z]+)[室号]?")
_SHORT_HOME = re.compile(r"([0-9A-Za-z]+)-(?:([0-9A-Za-z]+)-)?([0-9A-Za-z]+)")
_BUILDINGS = re.compile(r"([0-9A-Za-z]+(?:[,，、][0-9A-Za-z]+)*)(?:栋|号楼|座|幢)?")
_PICTURE = re.compile(r"\[图片[ ：:]*([^\]]*)\]")
_VOICE = re.compile(r"\[语音(?:转文字)?\]\s*(.*)|\[语音[ ：:]\s*(.*?)\s*\]", re.S)
_MENTION = re.compile(rf"[@＠]{BOT}[\s，,：:]*")
_DAYS = ("%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S")


class Script:
    """Reads a file. `steps` are in order; whatever is wrong raises ScriptError with file and line."""

    def __init__(self, path: Path, community: Community) -> None:
        self.path, self._community, self._line = path, community, 0
        self._there: dict[str, Actor | Group] = {}
        try:
            text = path.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as exc:
            reason = exc.strerror if isinstance(exc, OSError) else "不是 UTF-8 文本"
            raise ScriptError(f"读不了 {path}：{reason}") from exc
        self.steps = list(self._read(text.splitlines()))

    def _wrong(self, why: str) -> ScriptError:
        return ScriptError(f"{self.path}:{self._line}: {why}")

    def _read(self, lines: Iterable[str]) -> Iterator[Step]:
        step: Step | None = None
        for self._line, raw in enumerate(lines, 1):
            line = raw.strip()
            if not line or line.startswith("#"):
                continue
            if raw[0].isspace():
                if step is None:
                    raise self._wrong("缩进的一行要写在一句话或一个时间下面")
                step.expected.append(self._expected(line))
                continue
            if step is not None:
                yield step
            step = Step(self._line, line, self._deed(line))
        if step is not None:
            yield step

    def _deed(self, line: str) -> Actor | Group | Say | Turn:
        if line.startswith("="):
            return self._turn(line[1:].strip())
        declared = _DECLARED.fullmatch(line)
        if declared:
            return self._declared(*declared.groups())
        said = _SAID.fullmatch(line)
        if said:
            return self._said(*said.groups())
        raise self._wrong(
            "看不懂这一行。可以写：= 时间、王芳 = resident @telegram:1 3栋2单元501、王芳> 一句话"
        )

    def _turn(self, text: str) -> Turn:
        if text.startswith("+"):
            spans = _SPAN.findall(text[1:])
            if not spans or "".join(n + unit for n, unit in spans) != text[1:].replace(" ", ""):
                raise self._wrong(f"不认识的时长 {text}，例如 +31m、+2d、+90s")
            return Turn(by=sum((timedelta(**{_UNITS[unit]: int(n)}) for n, unit in spans), timedelta()))
        for form in _DAYS:
            try:
                return Turn(to=datetime.strptime(text, form))  # noqa: DTZ007 - local, the zone is the community's
            except ValueError:
                continue
        raise self._wrong(f"不认识的时间 {text}，例如 2026-03-04 10:00 或 +31m")

    # ------------------------------------------------------------------ people

    def _declared(self, name: str, role: str, channel: str, address: str, rest: str) -> Actor | Group:
        if name == BOT or name in self._there:
            raise self._wrong(f"{name} 已经有了")
        if any((one.channel, one.address) == (channel, address) for one in self._there.values()):
            raise self._wrong(f"@{channel}:{address} 已经是别人的")
        if role == "group":
            self._there[name] = group = Group(name, channel, address)
            return group
        if role not in ROLES:
            raise self._wrong(f"没有 {role} 这个角色，可以是 {'、'.join(ROLES)} 或 group")
        actor = self._actor(name, ROLES[role], channel, address, rest)
        self._there[name] = actor
        return actor

    def _actor(self, name: str, role: Role, channel: str, address: str, rest: str) -> Actor:
        homes: list[Home] = []
        trades: list[str] = []
        buildings: list[str] = []
        for word in re.sub(r"\s*[,，、]\s*", ",", rest).split():
            home = _HOME.fullmatch(word) or _SHORT_HOME.fullmatch(word)
            if word == "unbound":
                role = Role.STRANGER
            elif home:
                homes.append(self._home(*home.groups("")))
            elif all(part in self._community.trades for part in word.split(",")):
                trades += word.split(",")
            elif found := _BUILDINGS.fullmatch(word.removeprefix("楼栋").lstrip("：:") or "0"):
                buildings += [one for one in found.group(1).split(",") if one != "0"]
            else:
                raise self._wrong(f"不认识 {word}：可以是住址（3栋2单元501）、工种（水电）或楼栋（3,5栋）")
        for one in buildings:
            if self._community.impossible(one, None, None):
                raise self._wrong(f"{self._community.name}没有 {one}栋")
        return Actor(name, role, channel, address, tuple(homes), tuple(trades), tuple(buildings))

    def _home(self, building: str, unit: str, room: str) -> Home:
        if self._community.impossible(building, unit, room):
            raise self._wrong(f"{self._community.name}没有 {building}-{unit}-{room} 这一户")
        return building, unit, room

    # ------------------------------------------------------------------- words

    def _said(self, name: str, place: str | None, text: str) -> Say:
        who = self._there.get(name)
        if not isinstance(who, Actor):
            raise self._wrong(f"还不认识 {name}，先写一行，例如：{name} = resident @telegram:1 3栋2单元501")
        group = self._there.get(place) if place else None
        if place and not isinstance(group, Group):
            raise self._wrong(f"还没有叫 {place} 的群，先写一行，例如：{place} = group @telegram:-100")
        names = _PICTURE.findall(text)
        photos = tuple(_photo(self._line, n, name) for n, name in enumerate(names, 1))
        text = _PICTURE.sub("", text).replace("⏎", "\n").strip()
        voice = _VOICE.fullmatch(text)
        if voice:
            text = voice.group(1) or voice.group(2) or ""
        if not isinstance(group, Group):
            return Say(who, text, photos=photos, voice=bool(voice))
        plain = _MENTION.sub("", text).strip()
        addressed = plain != text or text.startswith("/")
        return Say(who, plain, group, addressed, photos, bool(voice))

    def _expected(self, line: str) -> Expected:
        if _WORDING.fullmatch(line):
            line = f"{BOT}> {line}"
        match = _EXPECTED.fullmatch(line)
        if match is None:
            raise self._wrong("看不懂这个期望。可以写：邻里> …、邻里~ …、邻里-、老李< …、老李~ …、老李-")
        name, sign, text = match.groups()
        known = name == BOT or name in self._there
        if not known:
            raise self._wrong(f"还不认识 {name}")
        if sign == ">" and isinstance(self._there.get(name), Actor):
            raise self._wrong(f"{name} 收到的话写作：{name}< …；{name}说的话不要缩进")
        if sign == "-" and text:
            raise self._wrong(f"{name}- 后面不写字")
        if sign in "<>" and not text:
            raise self._wrong("要写出那句话")
        text = text.replace("⏎", "\n")
        if sign == "~":
            return Expected(self._line, line, name, sign, tuple(self._fragments(text)))
        self._known_wording(text)
        return Expected(self._line, line, name, "<" if sign == ">" else sign, (text,) if text else ())

    def _fragments(self, text: str) -> Iterator[str]:
        parts = text.split(" | ") if text else []
        while parts:
            part = parts.pop(0).strip()
            if part.startswith("/"):  # ` | ` may stand inside of a regular expression
                ends = [n for n, rest in enumerate(parts) if rest.rstrip().endswith("/")]
                if not (part.endswith("/") and len(part) > 1) and ends:
                    part = " | ".join([part, *parts[: ends[0] + 1]]).rstrip()
                    del parts[: ends[0] + 1]
            if is_pattern(part):
                try:
                    re.compile(part[1:-1])
                except re.error as exc:
                    raise self._wrong(f"正则 {part} 写错了：{exc}") from exc
            else:
                self._known_wording(part)
            if part:
                yield part

    def _known_wording(self, text: str) -> None:
        for key in _WORDING.findall(text):
            if not self._community.wording.has(key[1:-1]):
                raise self._wrong(f"没有 {key} 这条用语")


def is_pattern(fragment: str) -> bool:
    return len(fragment) > 2 and fragment.startswith("/") and fragment.endswith("/")


def pieces(text: str) -> Iterator[tuple[str, str]]:
    """A text as (literal, key of the wording that follows or "") pairs."""
    at = 0
    for match in _WORDING.finditer(text):
        yield text[at : match.start()], match.group()[1:-1]
        at = match.end()
    yield text[at:], ""


def _photo(line: int, number: int, name: str) -> Photo:
    name = name.strip() or f"{line}-{number}.jpg"
    kind = name.rsplit(".", 1)[-1].lower() if "." in name else "jpg"
    return Photo(
        f"script/{line}-{number}.{kind}", f"image/{'jpeg' if kind in ('jpg', 'jpeg') else kind}", name
    )
