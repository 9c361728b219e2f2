"""The only place where everything meets."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from zoneinfo import ZoneInfo

from aiohttp import web
from tortoise.backends.base.client import BaseDBAsyncClient

import handlers
from bot import bookmarks, inbox, outbox, server
from bot.channels.base import Channel, Desk
from bot.clock import Clock, RehearsalClock, SystemClock
from bot.config import Settings
from bot.delivery import LEASE, Delivery
from bot.dialog.dialogue import Dialogue
from bot.dialog.skill import Skill
from bot.domain import briefs, communities, people
from bot.domain.communities import Community
from bot.messages import Incoming, Outgoing, Photo
from bot.pipeline import Pipeline
from bot.responses import Wording
from bot.store import Store
from nlp.understanding import Understanding
from scheduler.jobs import Jobs
from scheduler.service import Ticker

log = logging.getLogger(__name__)

LOCAL = ZoneInfo("Asia/Shanghai")  # of a rehearsal's start that names no zone

MODELS = (
    "bot.inbox",
    "bot.outbox",
    "bot.budget",
    "bot.bookmarks",
    "bot.conversation",
    "bot.domain.communities",
    "bot.domain.people",
    "bot.domain.households",
    "bot.domain.invites",
    "bot.domain.applications",
    "bot.domain.tickets",
    "bot.domain.bookings",
    "bot.domain.series",
    "bot.domain.joined",
    "bot.domain.merging",
    "bot.domain.photos",
    "bot.domain.costs",
    "bot.domain.stock",
    "bot.domain.audit",
    "bot.domain.roster",
    "bot.domain.swaps",
    "bot.domain.briefs",
)


def skills() -> list[Skill]:
    """Every topic in handlers/."""
    names = sorted(module.name for module in iter_modules(handlers.__path__))
    return [import_module(f"handlers.{name}").skill for name in names]


def clock_for(settings: Settings) -> Clock:
    """The machine's time, or a rehearsal's."""
    if settings.clock_start is None and settings.clock_speed == 1.0:
        return SystemClock()
    start = settings.clock_start or SystemClock().now()
    if start.tzinfo is None:
        start = start.replace(tzinfo=LOCAL)
    return RehearsalClock(start, settings.clock_speed)


class House:
    """The assistant, put together. `open` it, let channels `listen`, `close` it."""

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        self.settings = settings
        self.clock = clock or clock_for(settings)
        self.store = Store(settings.database_url, MODELS)
        self.wording = Wording.load()
        self.communities: dict[int, Community] = {}
        self.minds: dict[int, Understanding] = {}
        self.channels: dict[str, Channel] = {}
        self.dialogue = Dialogue(skills())
        lease = LEASE * max(settings.clock_speed, 1.0)
        self.delivery = Delivery(self.store, self.clock, self.channels, self.communities, lease)
        self.pipeline = Pipeline(
            self.store, self.clock, self.communities, self.minds, self.dialogue, self.delivery.wake
        )
        self.jobs = Jobs(self.store, self.clock, self.communities, self.delivery.wake)
        self._ticker = Ticker(self.jobs.tick)
        self._name = secrets.token_hex(8)  # among the processes that share a database
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self, *, migrate: bool | None = None, serving: bool = False) -> None:
        """Database, communities, understanding. Migrates SQLite by itself; PostgreSQL when told to.

        `serving` is said by who will deliver: on SQLite there is only one, and what a crashed one had claimed
        is due again at once. Raises CommunityError, RuleError or WordingError with a line for whoever edits
        the files, and StoreTaken when another process serves this SQLite file.
        """
        await self.store.open(alone=serving)
        try:
            if migrate or (migrate is None and self.store.sqlite):
                await self.store.migrate()
            found = communities.read_folder(self.settings.community_dirs(), self.wording)
            await self.store.run(lambda db: self._settle(db, found))
            if serving and self.store.sqlite:
                await self.delivery.release()
        except BaseException:
            await self.store.close()
            raise

    async def _settle(self, db: BaseDBAsyncClient, found: Sequence[Community]) -> None:
        minds: dict[object, Understanding] = {}
        for community in found:
            row = await communities.ensure(db, community)
            await briefs.begin(db, row)
            self.communities[row] = replace(community, id=row)
            vocabulary = community.vocabulary()
            key = (vocabulary.places, tuple(sorted((w, tuple(o)) for w, o in vocabulary.words.items())))
            if key not in minds:
                minds[key] = Understanding.load(vocabulary)
            self.minds[row] = minds[key]

    def community(self, slug: str) -> Community | None:
        return next((one for one in self.communities.values() if one.slug == slug), None)

    def add(self, channel: Channel) -> None:
        """A door of the house; before `listen`."""
        self.channels[channel.name] = channel

    async def handle(self, message: Incoming) -> Outgoing | None:
        return await self.pipeline.handle(message)

    def listen(self) -> None:
        """Open the doors, start delivery and clock."""
        for channel in self.channels.values():
            self._task(channel.listen(self.handle), f"listen {channel.name}")
        self._task(self.delivery.run(), "delivery")
        self._task(self._ticker.start(), "ticker")

    def _task(self, work: object, name: str) -> None:
        async def watched() -> None:
            try:
                await work  # type: ignore[misc]
            except Exception:
                log.exception("%s ended", name)

        self._tasks.append(asyncio.create_task(watched(), name=name))

    async def settle(self) -> None:
        """Do what the clock owes and carry what is due until all is quiet: for stories."""
        while await self.jobs.tick():
            pass
        await self.delivery.settle()

    async def close(self) -> None:
        """Finish turns and sends under way, stop listening, keep what is owed for the next start."""
        await self._ticker.stop()
        await self.pipeline.finish(3)
        await self.delivery.finish(3)  # before the channels close: what they carry is to be recorded
        for channel in self.channels.values():
            with contextlib.suppress(Exception):
                await channel.close()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=2)
        await self.store.close()

    # ------------------------------------------------------------------- outside

    async def ready(self) -> Mapping[str, str]:
        """What keeps us from serving, by name."""
        troubles: dict[str, str] = {}
        try:
            await asyncio.wait_for(self.store.run(outbox.next_due), 2)
        except Exception as exc:
            troubles["database"] = type(exc).__name__
        names = list(self.channels)
        refusals = await asyncio.gather(*(_probe(self.channels[name]) for name in names))
        return troubles | {name: said for name, said in zip(names, refusals, strict=True) if said}

    async def metrics(self) -> bytes:
        from bot import metrics  # noqa: PLC0415 - only when somebody asks

        owed = await self.store.run(outbox.counts)
        collector = metrics.Counted(
            turns=lambda: self.pipeline.counts,
            deliveries=lambda: {state.name.lower(): n for state, n in self.delivery.counts.items()},
            owed=lambda: {state.name.lower(): n for state, n in owed.items()},
            refused=lambda: {
                name: dict(counters.items())
                for name, channel in self.channels.items()
                if (counters := getattr(channel, "counters", None)) is not None
            },
        )
        return metrics.exposition(collector)

    def application(self) -> web.Application:
        routes: Iterable[web.RouteDef] = (
            route for channel in self.channels.values() for route in channel.routes()
        )
        return server.application(routes, self.ready, self.metrics)

    @property
    def uploads(self) -> Path:
        path = self.settings.data_dir / "uploads"
        path.mkdir(parents=True, exist_ok=True)
        return path

    def desk(self, channel: str) -> Desk:
        """What a channel may ask of us."""
        run, clock = self.store.run, self.clock

        async def carry_answer(message: int, rest: str) -> None:
            await run(lambda db: outbox.carry_answer(db, message, now=clock.now(), rest=rest))
            self.delivery.wake()

        async def gone(address: str) -> None:
            await run(lambda db: people.unreachable(db, channel, address))

        async def lost(chat: str, receipt: str, reason: str) -> None:
            await run(lambda db: outbox.lost(db, channel, chat, receipt, reason))

        async def bookmark(name: str) -> str:
            return await run(lambda db: bookmarks.read(db, name))

        async def keep_bookmark(name: str, value: str) -> None:
            await run(lambda db: bookmarks.keep(db, name, value))

        async def pictures(seconds: float) -> Sequence[Photo]:
            since = clock.now() - timedelta(seconds=seconds)
            return await run(lambda db: inbox.pictures(db, channel, since))

        async def remembered(message: str) -> tuple[bool, Outgoing | None]:
            async def look(db: BaseDBAsyncClient) -> tuple[bool, Outgoing | None]:
                answer = await outbox.answer_to(db, channel, message)
                return answer is not None or await inbox.known(db, channel, message), answer

            return await run(look)

        async def lease(name: str, seconds: float) -> bool:
            if self.store.sqlite:  # one process serves a file
                return True
            now = SystemClock().now()  # a rehearsal's clock runs faster than the other process's
            return await run(lambda db: bookmarks.lease(db, name, self._name, now=now, seconds=seconds))

        return Desk(
            carry_answer,
            gone,
            lost,
            bookmark,
            keep_bookmark,
            pictures,
            remembered,
            lease,
            self.delivery.wake,
            self.store.sqlite,
        )

    async def spoken(self, channel: str, chat: str, limit: int) -> list[dict[str, object]]:
        """What was said in a chat on both sides, oldest first: rows of inbox and outbox."""

        async def read(db: BaseDBAsyncClient) -> list[dict[str, object]]:
            said = [row | {"mine": True} for row in await inbox.recent(db, channel, chat, limit)]
            wrote = [row | {"mine": False} for row in await outbox.recent(db, channel, chat, limit)]
            both = said + wrote
            both.sort(key=lambda row: (row["at_ms"] if row["mine"] else row["made_ms"], not row["mine"]))
            return both[-limit:]

        return await self.store.run(read)


async def _probe(channel: Channel) -> str:
    try:
        return await asyncio.wait_for(channel.probe(), 3)
    except Exception as exc:
        return type(exc).__name__
