"""The database: one way in, `Store.run`, where a piece of work is one transaction or nothing.

On SQLite one task of the store owns the connection. Works that wait are run one after another, each in a
savepoint of its own, and share one commit: a durable write to disk costs the same for one turn as for fifty.
On PostgreSQL every work is a transaction of its own on a connection of the pool (`bot.postgres`). In both,
the caller may be cancelled at any moment without touching the work: cancelling in Tortoise hangs it for good.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import importlib
import pkgutil
import re
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

from tortoise import Tortoise, models
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.backends.base.config_generator import expand_db_url
from tortoise.context import TortoiseContext
from tortoise.exceptions import OperationalError

from bot.sqlite_loop import Hold, LoopSqliteClient, StoreTaken

__all__ = ["Statement", "Store", "StoreClosed", "StoreTaken", "Work", "savepoint"]

T = TypeVar("T")
Work = Callable[[BaseDBAsyncClient], Awaitable[T]]
Waiting = tuple[Work[Any], asyncio.Future[Any]]
Answer = tuple[asyncio.Future[Any], Any, Exception | None]

# Tortoise parses the source of every model for comments on its columns, 60 ms at each start. We have none.
models._get_comments = lambda cls: {}

APP = "linli"
MIGRATIONS = "bot.migrations"
COMMIT_TOGETHER = 64  # works that share one commit; bounds how long the first of them waits
BUSY_PAUSES = (
    0.01,
    0.02,
    0.05,
    *[0.1] * 100,
)  # seconds: about ten in all before an SQLite file counts as gone
#: Connections; seconds to connect; seconds for a statement. The URL may say otherwise.
POSTGRES = {"maxsize": 10, "timeout": 10, "command_timeout": 60}
ADVISORY = 762_315_041  # the key of the lock under which PostgreSQL is migrated: any number, ever the same


class StoreClosed(Exception):
    """The store is shutting down; nothing was done."""


class Statement:
    """One hand-written statement for both databases, with $1, $2 … for its values."""

    def __init__(self, text: str, *, postgres: str = "") -> None:
        self._postgres = postgres or text
        # Numbered question marks are what sqlite3 of Python 3.12 warns of, so the values are put in order.
        self._sqlite = re.sub(r"\$\d+", "?", text)
        self._order = [int(number) - 1 for number in re.findall(r"\$(\d+)", text)]

    async def rows(self, db: BaseDBAsyncClient, *values: Any) -> list[dict[str, Any]]:
        if db.capabilities.dialect == "sqlite":
            return await db.execute_query_dict(self._sqlite, [values[n] for n in self._order])
        return await db.execute_query_dict(self._postgres, list(values))

    async def row(self, db: BaseDBAsyncClient, *values: Any) -> dict[str, Any] | None:
        found = await self.rows(db, *values)
        return found[0] if found else None


_ANY_TABLE = Statement(
    "select name from sqlite_master where type = 'table' and name not like 'sqlite_%' limit 1"
)


def _known() -> list[str]:
    """The names of all migrations, oldest first."""
    path = importlib.import_module(MIGRATIONS).__path__
    return sorted(found.name for found in pkgutil.iter_modules(path) if found.name[0].isdigit())


_SAVE, _BACK, _RELEASE = (
    Statement("savepoint aside"),
    Statement("rollback to savepoint aside"),
    Statement("release savepoint aside"),
)


@contextlib.asynccontextmanager
async def savepoint(db: BaseDBAsyncClient, *, keep: bool = True) -> AsyncIterator[None]:
    """What is done inside is taken back by itself when it raises; in any case where not to `keep` it.

    Inside a work of `Store.run`. One may stand in another.
    """
    await _SAVE.rows(db)
    stands = False
    try:
        yield
        stands = keep
    finally:
        if not stands:
            await _BACK.rows(db)
        await _RELEASE.rows(db)


class Store:
    """An open database. `models` are the names of the modules with Tortoise models."""

    def __init__(self, url: str, models: Sequence[str]) -> None:
        self.url = url
        self._models = list(models)
        self.sqlite = url.startswith("sqlite:")
        self._context: TortoiseContext | None = None
        self._outer = contextvars.Context()
        self._waiting: deque[Waiting] = deque()
        self._one_by_one = 0
        self._wake = asyncio.Event()
        self._writer: asyncio.Task[None] | None = None
        self._running: set[asyncio.Task[Any]] = set()
        self._hold: Hold | None = None
        self._closing = False

    @property
    def path(self) -> Path | None:
        """The SQLite file, or None."""
        return Path(self.url.split("://", 1)[1].split("?")[0]) if self.sqlite else None

    def config(self) -> dict[str, Any]:
        """What Tortoise is told."""
        if self.path is not None:
            connection: dict[str, Any] = {
                "engine": "bot.sqlite_loop",
                "credentials": {"file_path": str(self.path)},
            }
        else:
            connection = expand_db_url(self.url)
            connection["credentials"] = POSTGRES | connection["credentials"]
        return {
            "connections": {"default": connection},
            "apps": {
                APP: {"models": self._models, "default_connection": "default", "migrations": MIGRATIONS}
            },
            "use_tz": True,
            "timezone": "UTC",
        }

    async def open(self, *, alone: bool = False) -> None:
        """Connect. Raises what the driver raises when the database can't be reached.

        `alone` claims an SQLite file for one service: StoreTaken when another process serves it already.
        """
        if self.path is not None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            if alone:
                self._hold = Hold(self.path)
        try:
            # Tortoise keeps its state in a context variable: a store has a context of its own, in which its
            # tasks are made. In a common one a second store would take the first one's connections.
            self._outer = contextvars.Context()
            begin = asyncio.create_task(Tortoise.init(config=self.config()), context=self._outer)
            self._context = await begin
            if self.sqlite:
                await self._sqlite().create_connection(with_db=True)
                self._writer = asyncio.create_task(self._write(), context=self._outer.copy())
        except BaseException:
            self._let_go()
            raise

    async def close(self) -> None:
        """Finish what was asked for, refuse what comes now, disconnect."""
        self._closing = True
        self._wake.set()
        if self._writer is not None:
            await asyncio.wait({self._writer})
        if self._running:
            await asyncio.wait(self._running, timeout=10)
        if self._context is not None:
            await self._context.connections.close_all()
            self._context = None
        self._let_go()

    def _let_go(self) -> None:
        if self._hold is not None:
            self._hold.let_go()
            self._hold = None

    async def run(self, work: Work[T]) -> T:
        """Do `work` in one transaction and return its result after the commit.

        Raises what the work raised, after rolling it back; StoreClosed when shutting down. A work may be
        rolled back and run again from the start: when it met another process's, when a work that shared its
        commit broke the commit, when PostgreSQL's answer to COMMIT got lost. So it must bear repeating, as
        whatever begins with `inbox.first_time` or a condition in its `where` does.
        """
        if self._closing:
            raise StoreClosed
        caller = asyncio.current_task()
        if caller is self._writer or caller in self._running:
            raise RuntimeError("a transaction inside a transaction: hand the work its own connection")
        if self.sqlite:
            future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
            self._waiting.append((work, future))
            self._wake.set()
            return await future
        from bot import postgres  # noqa: PLC0415 - SQLite does without the driver

        # A task of the store's own: whoever is cancelled while waiting for it cancels nothing here.
        task = asyncio.create_task(postgres.transaction(self._db(), work), context=self._outer.copy())
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return await asyncio.shield(task)

    # ------------------------------------------------------------------ SQLite's one writer

    async def _write(self) -> None:
        """Ends when closing and nothing waits. However it ends, nobody is left waiting for an answer."""
        db = self._sqlite()
        try:
            while self._waiting or not self._closing:
                if self._waiting:
                    await self._together(db)
                    await asyncio.sleep(0)  # let those who were answered go on before the next begin
                else:
                    self._wake.clear()
                    await self._wake.wait()
        finally:
            self._closing = True
            self._answer([(future, None, StoreClosed()) for _, future in self._waiting])
            self._waiting.clear()

    async def _together(self, db: LoopSqliteClient) -> None:
        """One transaction with the works that wait. Their callers are answered after the commit."""
        try:
            await self._begin(db)
        except Exception as exc:  # locked for too long, or the disk is gone
            self._answer([(future, None, exc) for _, future in self._waiting])
            self._waiting.clear()
            return
        batch: list[Waiting] = []
        done: list[Answer] = []
        most = 1 if self._one_by_one else COMMIT_TOGETHER
        try:
            while self._waiting and len(batch) < most:
                work, future = self._waiting.popleft()
                batch.append((work, future))
                done.append((future, *await self._one(db, work)))
            db.run("COMMIT")
        except Exception as exc:
            if len(batch) > 1:  # one of them broke it for all: each for itself then
                self._waiting.extendleft(reversed(batch))
                self._one_by_one = len(batch)
                return
            self._answer([(future, None, exc) for _, future in batch])
        except BaseException:  # the process ends
            self._answer([(future, None, StoreClosed()) for _, future in batch])
            raise
        else:
            self._answer(done)
        finally:
            self._end(db)
        self._one_by_one = max(self._one_by_one - 1, 0)

    @staticmethod
    async def _begin(db: LoopSqliteClient) -> None:
        """Take the file; while `linli import` or the like has it, wait without stopping the loop."""
        for pause in (*BUSY_PAUSES, None):
            try:
                db.run("BEGIN IMMEDIATE")
            except OperationalError as exc:
                if pause is None or "locked" not in str(exc):
                    raise
                await asyncio.sleep(pause)
            else:
                db.within = True
                return

    @staticmethod
    def _end(db: LoopSqliteClient) -> None:
        """Leave no transaction open, whatever happened in it."""
        db.within = False
        if db.in_transaction:
            with contextlib.suppress(Exception):
                db.run("ROLLBACK")

    @staticmethod
    async def _one(db: LoopSqliteClient, work: Work[Any]) -> tuple[Any, Exception | None]:
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
    def _answer(batch: Sequence[Answer]) -> None:
        for future, result, exc in batch:
            if future.done():  # the caller was cancelled; the work stands all the same
                continue
            if exc is None:
                future.set_result(result)
            else:
                future.set_exception(exc)

    def _sqlite(self) -> LoopSqliteClient:
        return cast(LoopSqliteClient, self._db())

    def _db(self) -> BaseDBAsyncClient:
        assert self._context is not None, "the store is not open"
        return self._context.connections.get("default")

    # --------------------------------------------------------------------------- migrations

    async def pending_migrations(self) -> list[str]:
        """Names of the migrations that this database has not seen, oldest first."""
        applied = await self.run(self._applied)
        return [name for name in _known() if name not in applied]

    async def _applied(self, db: BaseDBAsyncClient) -> set[str]:
        there = Statement(
            "select name from sqlite_master where type = 'table' and name = 'tortoise_migrations'"
            if self.sqlite
            else "select 'tortoise_migrations' as name where to_regclass('tortoise_migrations') is not null"
        )
        if not await there.rows(db):
            return set()
        applied = Statement("select name from tortoise_migrations where app = $1")
        return {row["name"] for row in await applied.rows(db, APP)}

    async def migrate(self) -> list[str]:
        """Bring the schema up to date, all in one transaction or nothing; the names of what was applied."""
        pending = await self.pending_migrations()
        if not pending:
            return []
        if self.sqlite and await self.run(self._empty):
            await self.create()
            return pending
        await self.migrate_step_by_step()
        return pending

    async def migrate_step_by_step(self) -> None:
        """Run the migrations that this database has not seen."""
        if not self.sqlite:
            # In a transaction before: Tortoise looks into the table first, and were it not there, PostgreSQL
            # would refuse all that follows.
            await self.run(self._prepare)
            await self.run(self._migrate)
            return
        # A table that is built anew is dropped in between, which its references would forbid; and the
        # pragma that lets them rest has no effect inside a transaction.
        self._sqlite().run("PRAGMA foreign_keys=OFF")
        try:
            await self.run(self._migrate)
        finally:
            self._sqlite().run("PRAGMA foreign_keys=ON")

    async def _prepare(self, db: BaseDBAsyncClient) -> None:
        from tortoise.migrations.recorder import MigrationRecorder  # noqa: PLC0415 - rarely
        from tortoise.migrations.schema_editor import AsyncpgSchemaEditor  # noqa: PLC0415

        await MigrationRecorder(db).ensure_schema(AsyncpgSchemaEditor(db, atomic=False))

    async def create(self) -> None:
        """The schema of this version in an SQLite file without a table, at once and as if migrated.

        Ten times as fast as the migrations one after another, which each new database would pay for; a test
        holds the two against each other.
        """
        assert self.sqlite
        await self.run(self._create)

    async def _create(self, db: BaseDBAsyncClient) -> None:
        from tortoise.migrations.recorder import MigrationRecorder  # noqa: PLC0415 - once in a database's life
        from tortoise.migrations.schema_editor import SqliteSchemaEditor  # noqa: PLC0415
        from tortoise.utils import generate_schema_for_client  # noqa: PLC0415

        recorder = MigrationRecorder(db)
        await recorder.ensure_schema(SqliteSchemaEditor(db, atomic=False))
        await generate_schema_for_client(db, safe=False)
        for name in _known():
            await recorder.record_applied(APP, name)

    async def _empty(self, db: BaseDBAsyncClient) -> bool:
        return not await _ANY_TABLE.rows(db)

    async def _migrate(self, db: BaseDBAsyncClient) -> None:
        from tortoise.migrations.executor import MigrationExecutor, MigrationTarget  # noqa: PLC0415 - rarely

        if not self.sqlite:  # of two who migrate at once the second finds it done
            await db.execute_query(f"select pg_advisory_xact_lock({ADVISORY})")
        executor = MigrationExecutor(db, self.config()["apps"])
        await executor.migrate([MigrationTarget(APP, "__latest__")], direction="forward")
        if self.sqlite:
            broken = await db.execute_query_dict("PRAGMA foreign_key_check")
            if broken:
                raise OperationalError(f"a migration left references to nothing: {broken[0]}")

    def where(self) -> str:
        """The database's place without its password, for people."""
        if self.path is not None:
            return str(self.path)
        parts = urlsplit(self.url)
        return f"{parts.hostname}:{parts.port or 5432}{parts.path}"
