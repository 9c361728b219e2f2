"""The database: one way in, `Store.run`, where a piece of work is one transaction or nothing.

On SQLite one task of the store owns the connection. Works that wait are run one after another, each in a
savepoint of its own, and share one commit: a durable write to disk costs the same for one turn as for fifty.
On PostgreSQL every work is a transaction of its own on a connection of the pool. In both, the caller may
be cancelled at any moment without touching the work: cancelling inside Tortoise hangs it for good.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import importlib
import logging
import pkgutil
import re
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

from tortoise import Tortoise
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.context import TortoiseContext
from tortoise.transactions import in_transaction

log = logging.getLogger(__name__)

T = TypeVar("T")
Work = Callable[[BaseDBAsyncClient], Awaitable[T]]

APP = "linli"
MIGRATIONS = "bot.migrations"
COMMIT_TOGETHER = 64  # works that share one commit; bounds how long the first of them waits


class StoreClosed(Exception):
    """The store is shutting down; nothing was done."""


class Statement:
    """One hand-written statement for both databases, with $1, $2 … for its values."""

    def __init__(self, text: str) -> None:
        self._postgres = text
        self._sqlite = re.sub(r"\$(\d+)", r"?\1", text)

    def _text(self, db: BaseDBAsyncClient) -> str:
        return self._sqlite if db.capabilities.dialect == "sqlite" else self._postgres

    async def rows(self, db: BaseDBAsyncClient, *values: Any) -> list[dict[str, Any]]:
        return await db.execute_query_dict(self._text(db), list(values))

    async def row(self, db: BaseDBAsyncClient, *values: Any) -> dict[str, Any] | None:
        found = await self.rows(db, *values)
        return found[0] if found else None


class Store:
    """An open database. `models` are the names of the modules with Tortoise models."""

    def __init__(self, url: str, models: Sequence[str]) -> None:
        self.url = url
        self._models = list(models)
        self.sqlite = url.startswith("sqlite:")
        self._context: TortoiseContext | None = None
        self._outer = contextvars.copy_context()
        self._waiting: deque[tuple[Work[Any], asyncio.Future[Any]]] = deque()
        self._wake = asyncio.Event()
        self._writer: asyncio.Task[None] | None = None
        self._running: set[asyncio.Task[Any]] = set()
        self._closing = False

    @property
    def path(self) -> Path | None:
        """The SQLite file, or None."""
        return Path(self.url.split("://", 1)[1].split("?")[0]) if self.sqlite else None

    def config(self) -> dict[str, Any]:
        """What Tortoise is told."""
        connection: dict[str, Any] | str = self.url
        if self.path is not None:
            connection = {"engine": "bot.sqlite_loop", "credentials": {"file_path": str(self.path)}}
        return {
            "connections": {"default": connection},
            "apps": {
                APP: {"models": self._models, "default_connection": "default", "migrations": MIGRATIONS}
            },
            "use_tz": True,
            "timezone": "UTC",
        }

    async def open(self) -> None:
        """Connect. Raises what the driver raises when the database can't be reached."""
        if self.path is not None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        self._context = await Tortoise.init(config=self.config())
        # Tortoise keeps its state in a context variable; tasks of the store are made inside this context.
        self._outer = contextvars.copy_context()
        if self.sqlite:
            self._writer = asyncio.create_task(self._write(), context=self._outer.copy())

    async def close(self) -> None:
        """Finish what has begun, refuse what waits, disconnect."""
        self._closing = True
        self._wake.set()
        if self._writer is not None:
            with contextlib.suppress(Exception):
                await self._writer
        if self._running:
            await asyncio.wait(self._running, timeout=10)
        if self._context is not None:
            await self._context.connections.close_all()
            self._context = None

    async def run(self, work: Work[T]) -> T:
        """Do `work` in one transaction and return its result after the commit.

        Raises what the work raised, after rolling it back; StoreClosed when shutting down.
        """
        if self._closing:
            raise StoreClosed
        if self.sqlite:
            if asyncio.current_task() is self._writer:
                raise RuntimeError("a transaction inside a transaction: hand the work its own connection")
            future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
            self._waiting.append((work, future))
            self._wake.set()
            return await future
        task = asyncio.create_task(self._transaction(work), context=self._outer.copy())
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return await asyncio.shield(task)

    async def _transaction(self, work: Work[T]) -> T:
        async with in_transaction("default") as db:
            return await work(db)

    async def _write(self) -> None:
        """The one writer of SQLite. Ends when closing and nothing waits, or when the database is gone."""
        db = cast(Any, self._db())
        await db.create_connection(with_db=True)
        while True:
            await self._wake.wait()
            if not self._waiting:
                if self._closing:
                    return
                self._wake.clear()
                continue
            batch: list[tuple[asyncio.Future[Any], Any, BaseException | None]] = []
            try:
                db.run("BEGIN IMMEDIATE")
                while self._waiting and len(batch) < COMMIT_TOGETHER:
                    work, future = self._waiting.popleft()
                    batch.append((future, None, None))
                    batch[-1] = (future, *await self._one(db, work))
                db.run("COMMIT")
            except BaseException as exc:
                with contextlib.suppress(Exception):
                    db.run("ROLLBACK")
                batch = [(future, None, exc) for future, _, _ in batch]
                if not isinstance(exc, Exception):  # cancelled, or a test cut the power
                    self._closing = True
                    batch += [(future, None, StoreClosed()) for _, future in self._waiting]
                    self._answer(batch)
                    raise
                if not batch and self._waiting:  # could not even begin (locked, disk gone): say so to one
                    batch = [(self._waiting.popleft()[1], None, exc)]
            self._answer(batch)
            await asyncio.sleep(0)  # let those who were answered go on before the next batch

    @staticmethod
    async def _one(db: Any, work: Work[Any]) -> tuple[Any, Exception | None]:
        db.run("SAVEPOINT work")
        try:
            result = await work(db)
        except Exception as exc:
            db.run("ROLLBACK TO work")
            db.run("RELEASE work")
            return None, exc
        db.run("RELEASE work")
        return result, None

    @staticmethod
    def _answer(batch: list[tuple[asyncio.Future[Any], Any, BaseException | None]]) -> None:
        for future, result, exc in batch:
            if future.done():  # the caller was cancelled; the work stands all the same
                continue
            if exc is None:
                future.set_result(result)
            else:
                future.set_exception(exc if isinstance(exc, Exception) else StoreClosed())

    def _db(self) -> BaseDBAsyncClient:
        assert self._context is not None, "the store is not open"
        return self._context.connections.get("default")

    async def pending_migrations(self) -> list[str]:
        """Names of the migrations that this database has not seen, oldest first."""
        names = sorted(
            m.name
            for m in pkgutil.iter_modules(importlib.import_module(MIGRATIONS).__path__)
            if m.name[0].isdigit()
        )

        async def seen(db: BaseDBAsyncClient) -> set[str]:
            table = Statement(
                "select 1 from sqlite_master where type = 'table' and name = 'tortoise_migrations'"
                if self.sqlite
                else "select 1 from pg_tables where tablename = 'tortoise_migrations'"
            )
            if not await table.rows(db):
                return set()
            applied = Statement("select name from tortoise_migrations where app = $1")
            return {row["name"] for row in await applied.rows(db, APP)}

        applied = await self.run(seen)
        return [name for name in names if name not in applied]

    async def migrate(self) -> list[str]:
        """Bring the schema up to date; the names of the migrations applied. One transaction a migration."""
        pending = await self.pending_migrations()
        if not pending:
            return []
        from tortoise.migrations.executor import MigrationExecutor, MigrationTarget  # noqa: PLC0415 - rarely

        async def apply() -> None:
            app = self.config()["apps"]
            executor = MigrationExecutor(self._db(), app)
            await executor.migrate([MigrationTarget(APP, "__latest__")], direction="forward")

        await asyncio.create_task(apply(), context=self._outer.copy())
        return pending

    def where(self) -> str:
        """The database's place without its password, for people."""
        if self.path is not None:
            return str(self.path)
        parts = urlsplit(self.url)
        return f"{parts.hostname}:{parts.port or 5432}{parts.path}"
