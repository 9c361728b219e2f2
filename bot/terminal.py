"""`linli chat`: talk in the terminal as a person of the community, and see who else is told what."""

from __future__ import annotations

import asyncio
import sys
import threading
import uuid
from dataclasses import dataclass

import click
from tortoise.backends.base.client import BaseDBAsyncClient

from bot import demo, outbox
from bot.app import House
from bot.config import Settings
from bot.domain import people
from bot.domain.people import Account
from bot.messages import Incoming
from bot.outbox import State
from bot.store import Statement

HELP = "直接说话；/as 老李 换成别人说；/quit 结束。"
_LAST = Statement("select coalesce(max(id), 0) as id from outbox")
_SINCE = Statement("select id, channel, chat, person_id, text from outbox where id > $1 order by id")


@dataclass(slots=True)
class Talk:
    """One sitting. Who speaks is somebody known, from the account that this person wrote from last."""

    house: House
    speaker: Account
    seen: int = 0

    async def say(self, text: str) -> None:
        message = Incoming(
            channel=self.speaker.channel,
            id=f"terminal-{uuid.uuid4().hex}",
            chat=self.speaker.address,
            sender=self.speaker.address,
            text=text,
            sender_name=self.speaker.name,
        )
        await self.house.handle(message)
        await self.show()

    async def show(self) -> None:
        """What was written since: answers are read here; what others are told stays owed to them."""

        async def read(db: BaseDBAsyncClient) -> list[tuple[str, str]]:
            told = []
            for row in await _SINCE.rows(db, self.seen):
                self.seen = row["id"]
                if (row["channel"], row["chat"]) == (self.speaker.channel, self.speaker.address):
                    await outbox.end(db, row["id"], State.SENT, now=self.house.clock.now())
                    told.append(("邻里", row["text"]))
                else:
                    who = await people.get(db, row["person_id"]) if row["person_id"] else None
                    told.append((f"→ {who.called if who else row['chat']}", row["text"]))
            return told

        for name, text in await self.house.store.run(read):
            first, *more = text.split("\n")
            click.echo("\n".join([f"{name}：{first}", *(f"    {line}" for line in more)]))


async def talk(settings: Settings, name: str) -> int:
    """Until the input ends or somebody says /quit. 1 when nobody has this name."""
    house = House(settings)
    await house.open()
    try:
        everybody = await _everybody(house)
        speaker = _find(everybody, name)
        if speaker is None:
            click.echo(_nobody(everybody, name), err=True)
            return 1
        sitting = Talk(house, speaker, await house.store.run(_last))
        await _converse(sitting, everybody)
    finally:
        await house.close()
    return 0


async def _converse(sitting: Talk, everybody: list[Account]) -> None:
    live = sys.stdin.isatty()
    if live:
        click.echo(HELP)
    lines = _lines()
    while True:
        if live:
            click.echo(f"{sitting.speaker.name}> ", nl=False)
        line = await lines.get()
        if line is None:
            return
        text = line.strip()
        command, _, rest = text.partition(" ")
        if command in ("/quit", "/exit", "/q"):
            return
        if command == "/as":
            found = _find(everybody, rest.strip())
            if found is None:
                click.echo(_nobody(everybody, rest.strip()))
            else:
                sitting.speaker = found
        elif text:
            if not live:
                click.echo(f"{sitting.speaker.name}> {text}")
            await sitting.say(text)


async def _last(db: BaseDBAsyncClient) -> int:
    row = await _LAST.row(db)
    return int(row["id"]) if row else 0


async def _everybody(house: House) -> list[Account]:
    """Who can speak here; an empty database gets the sample people first."""

    async def read(db: BaseDBAsyncClient) -> list[Account]:
        found = await people.accounts(db)
        if not found:
            community = house.community("xingfuli") or next(iter(house.communities.values()))
            await demo.load(db, community)
            found = await people.accounts(db)
        return found

    found = await house.store.run(read)
    return [*found, Account(demo.NEWCOMER.name, "web", demo.NEWCOMER.account)]


def _find(everybody: list[Account], name: str) -> Account | None:
    return next((one for one in everybody if one.name == name), None)


def _nobody(everybody: list[Account], name: str) -> str:
    names = list(dict.fromkeys(one.name for one in everybody if one.name))[:12]
    return f"没有叫「{name}」的人，可以是：{'、'.join(names)}"


def _lines() -> asyncio.Queue[str | None]:
    """Standard input line by line; None at its end. A thread waits, so that Ctrl-C is not held up."""
    loop, queue = asyncio.get_running_loop(), asyncio.Queue[str | None]()

    def read() -> None:
        for raw in sys.stdin.buffer:
            loop.call_soon_threadsafe(queue.put_nowait, raw.decode("utf-8", "replace"))
        loop.call_soon_threadsafe(queue.put_nowait, None)

    threading.Thread(target=read, daemon=True, name="input").start()
    return queue
