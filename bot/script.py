"""Plays .chat files: the real pipeline on a fresh database, a clock turned by hand, every message twice."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import click
from tortoise.backends.base.client import BaseDBAsyncClient

from bot import outbox
from bot.app import House
from bot.channels.base import Handle, Limits, Outgoing
from bot.clock import TurnedClock
from bot.config import Settings
from bot.domain import people, roster
from bot.domain.communities import Community
from bot.domain.people import Role
from bot.messages import Incoming
from bot.responses import Wording
from bot.script_reading import (
    BOT,
    Actor,
    Expected,
    Group,
    Say,
    Script,
    ScriptError,
    Step,
    Turn,
    is_pattern,
    pieces,
)
from scheduler import due

COMMUNITY = "xingfuli"
BUILT_IN = Path(__file__).resolve().parent.parent / "communities"
BEGIN = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)  # a Monday, 09:00 there; for scripts that name no time
Chat = tuple[str, str]


class StoryClock(TurnedClock):
    """Begins when the script says so, even before what was the present so far."""

    def begin(self, at: datetime) -> None:
        self._at = at


class Captured:
    """The far side of a channel: keeps what is sent."""

    def __init__(self, name: str, sent: list[Outgoing]) -> None:
        self.name, self.limits, self._sent = name, Limits(buttons=True), sent

    def routes(self) -> tuple[()]:
        return ()

    async def listen(self, handle: Handle) -> None:
        """Nobody calls: the player hands messages to the house itself."""

    async def send(self, message: Outgoing) -> str:
        self._sent.append(message)
        return ""

    async def close(self) -> None:
        pass

    async def probe(self) -> str:
        return ""


@dataclass(slots=True)
class Stage:
    """Where everybody of a script is."""

    people: dict[str, tuple[Actor, set[Chat]]]
    groups: dict[str, Group]
    last: Chat | None = None

    def chats(self, name: str) -> set[Chat]:
        if name == BOT:
            return {self.last} if self.last else set()
        if name in self.groups:
            group = self.groups[name]
            return {(group.channel, group.address)}
        return self.people[name][1]

    def name(self, message: Outgoing) -> str:
        """Whose chat a message went to."""
        chat = (message.channel, message.chat)
        for name, group in self.groups.items():
            if (group.channel, group.address) == chat:
                return name
        return next((name for name, (_, chats) in self.people.items() if chat in chats), ":".join(chat))


class Player:
    """One script in one house."""

    def __init__(self, script: Script, house: House, clock: StoryClock, *, loose: bool) -> None:
        self.script, self.house, self.clock, self.loose = script, house, clock, loose
        community = house.community(COMMUNITY)
        assert community is not None
        self.community: Community = community
        self.stage = Stage({}, {})
        self.sent: list[Outgoing] = []
        self.faults: list[str] = []
        self._begun = False

    async def play(self) -> list[str]:
        """What does not hold, a fault an item."""
        for step in self.script.steps:
            self.sent.clear()
            await self._do(step)
            await self.house.settle()
            self._compare(step)
        return self.faults

    async def _do(self, step: Step) -> None:
        match step.deed:
            case Actor() as actor:
                await self._enter(actor)
            case Group() as group:
                self._open(group.channel)
                self.stage.groups[group.name] = group
            case Turn() as turn:
                await self._turn(step, turn)
            case Say() as say:
                await self._say(step, say)

    def _open(self, channel: str) -> None:
        if channel not in self.house.channels:
            self.house.add(Captured(channel, self.sent))

    async def _enter(self, actor: Actor) -> None:
        self._open(actor.channel)
        self.stage.people[actor.name] = (actor, {(actor.channel, actor.address)})
        if actor.role is Role.STRANGER:
            return

        async def enter(db: BaseDBAsyncClient) -> None:
            person = await people.meet(
                db, self.community.id, actor.channel, actor.address, actor.name, self._ms()
            )
            await people.grant(db, person, actor.role, actor.buildings, actor.trades)
            if actor.role in roster.ROLES:  # everyone declared in a script is on duty
                await roster.stand(db, person)
            for home in actor.homes:
                await people.settle(db, person, await people.home(db, self.community.id, *home))

        await self.house.store.run(enter)

    def _ms(self) -> int:
        return round(self.clock.now().timestamp() * 1000)

    async def _turn(self, step: Step, turn: Turn) -> None:
        """On to the instant, stopping wherever something is due on the way."""
        now = self.clock.now()
        target = turn.to.replace(tzinfo=self.community.zone) if turn.to else now + turn.by  # type: ignore[operator]
        if not self._begun:
            self._begun = True
            self.clock.begin(target)
            return
        if target < now:
            raise ScriptError(f"{self.script.path}:{step.line}: 时间不能倒回去")
        while (at := await self._due()) is not None and self.clock.now() < at <= target:
            self.clock.turn_to(at)
            await self.house.settle()
        self.clock.turn_to(target)

    async def _due(self) -> datetime | None:
        """When the house acts, or carries something, next."""

        async def ask(db: BaseDBAsyncClient) -> datetime | None:
            act, owed = await due.next_due(db), await outbox.next_due(db)
            letter = datetime.fromtimestamp(owed / 1000, UTC) if owed is not None else None
            return min((at for at in (act, letter) if at is not None), default=None)

        return await self.house.store.run(ask)

    async def _say(self, step: Step, say: Say) -> None:
        self._begun = True
        who, group = say.who, say.group
        channel, chat = (group.channel, group.address) if group else (who.channel, who.address)
        self.stage.last = (channel, chat)
        if channel != who.channel:
            await self._also(who, channel)
        message = Incoming(
            channel=channel,
            id=f"line-{step.line}",
            chat=chat,
            sender=who.address,
            text=say.text,
            sender_name=who.name,
            group=group is not None,
            addressed=say.addressed,
            photos=say.photos,
            voice=say.voice,
        )
        await self.house.handle(message)
        await self.house.settle()
        await self.house.handle(replace(message))  # platforms repeat themselves

    async def _also(self, who: Actor, channel: str) -> None:
        """Somebody who speaks in a group of another channel has an account there too."""
        chats = self.stage.people[who.name][1]
        if (channel, who.address) in chats:
            return
        chats.add((channel, who.address))
        if who.role is Role.STRANGER:
            return

        async def add(db: BaseDBAsyncClient) -> None:
            person = await people.identify(db, who.channel, who.address, self._ms())
            assert person is not None
            await people.add_account(db, person, channel, who.address, self._ms())

        await self.house.store.run(add)

    # ------------------------------------------------------------ what came of it

    def _compare(self, step: Step) -> None:
        wording = self.community.wording
        for one in step.expected:
            chats = self.stage.chats(one.name)
            if not chats:
                raise ScriptError(f"{self.script.path}:{one.line}: 还没有人说话，不知道是哪个对话")
            came = [m for m in self.sent if (m.channel, m.chat) in chats]
            if one.sign == "-":
                if came:
                    self._fault(one.line, step, f"{one.name} 什么也收不到", came)
            elif not any(holds(one, message, wording) for message in came):
                self._fault(one.line, step, one.source, came)
        if self.loose:
            return
        wanted = [one for one in step.expected if one.sign != "-"]
        silent = {chat for one in step.expected if one.sign == "-" for chat in self.stage.chats(one.name)}
        fits = [
            [
                n
                for n, one in enumerate(wanted)
                if (message.channel, message.chat) in self.stage.chats(one.name)
                and holds(one, message, wording)
            ]
            for message in self.sent
        ]
        for n in unmatched(fits):
            message = self.sent[n]
            if (message.channel, message.chat) not in silent:
                self._fault(step.line, step, "没有这一条", [message])

    def _fault(self, line: int, step: Step, expected: str, came: Iterable[Outgoing]) -> None:
        lines = [f"{self.stage.name(m)} 收到：{shown(m)}" for m in came] or ["什么也没有"]
        told = "\n        ".join(lines)
        self.faults.append(f"{self.script.path}:{line}: {step.source}\n  期望  {expected}\n  来的  {told}")


def shown(message: Outgoing) -> str:
    photos = "".join(f" [图片 {p.name}]" for p in message.photos)
    return message.text.replace("\n", "⏎") + photos


def holds(one: Expected, message: Outgoing, wording: Wording) -> bool:
    """Whether a message is what a line expects."""
    if one.sign == "<":
        return bool(re.fullmatch(_regex(one.fragments[0], wording), message.text))
    text = message.text + "".join(f"\n[图片 {p.name}]" for p in message.photos)
    return all(
        re.search(fragment[1:-1] if is_pattern(fragment) else _regex(fragment, wording), text)
        for fragment in one.fragments
    )


def _regex(text: str, wording: Wording) -> str:
    return "".join(
        re.escape(literal) + (f"(?:{wording.pattern(key).pattern})" if key else "")
        for literal, key in pieces(text)
    )


def unmatched(fits: Sequence[Sequence[int]]) -> list[int]:
    """The messages for which no expectation of their own is left: a line stands for one message."""
    taken: dict[int, int] = {}

    def place(message: int, seen: set[int]) -> bool:
        for line in fits[message]:
            if line in seen:
                continue
            seen.add(line)
            if line not in taken or place(taken[line], seen):
                taken[line] = message
                return True
        return False

    return [message for message in range(len(fits)) if not place(message, set())]


async def play(path: Path, *, loose: bool = False, database_url: str | None = None) -> list[str]:
    """Play one script in a house of its own; what does not hold, a fault an item.

    `database_url` is an empty database; without it one is made in a temporary folder. Raises ScriptError, a
    line with file and line, for a file that is no script.
    """
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="linli-chat-"))
        clock = StoryClock(BEGIN)
        settings = Settings(
            _env_file=None,  # type: ignore[call-arg]
            database_url=database_url or f"sqlite://{folder}/story.db",
            community_dir=BUILT_IN,
            clock_start=None,
            clock_speed=1.0,
        )
        house = House(settings, clock)
        await house.open(migrate=True)
        stack.push_async_callback(house.close)
        community = house.community(COMMUNITY)
        assert community is not None
        return await Player(Script(path, community), house, clock, loose=loose).play()


async def play_files(paths: Sequence[Path], *, loose: bool = False) -> int:
    """Play each; faults go to standard output. 0: all hold; 1: not; 2: a file is no script."""
    worst = 0
    for path in paths:
        try:
            faults = await play(path, loose=loose)
        except ScriptError as exc:
            click.echo(str(exc), err=True)
            worst = 2
            continue
        for fault in faults:
            click.echo(fault)
        if faults:
            worst = max(worst, 1)
        else:
            click.echo(f"{path}：都对上了。")
    return worst
