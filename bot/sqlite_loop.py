"""Tortoise's SQLite client, calling sqlite3 in the event loop: a statement takes 10-50 µs, a thread hop more.

Tortoise loads this module by name as a database engine. There is one connection and one writer (see
`bot.store`), so nothing here waits and no statement ever meets another transaction half-way.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from tortoise.backends.base.client import BaseDBAsyncClient, TransactionContext
from tortoise.backends.sqlite.client import SqliteClient
from tortoise.exceptions import IntegrityError, OperationalError

PRAGMAS = {
    "journal_mode": "WAL",  # readers (backup, reports) never stop the writer
    "synchronous": "FULL",  # an acknowledged message survives a power cut, not only a crash
    "foreign_keys": "ON",
    "busy_timeout": 20,  # ms: a wait stops the whole loop; who has to wait longer waits outside (`bot.store`)
    "journal_size_limit": 67_108_864,  # bytes; Tortoise's 16 KiB truncates at every checkpoint
    "cache_size": -32_000,  # KiB when negative
    "temp_store": "MEMORY",
}


class StoreTaken(Exception):
    """Another process serves this database file; one Chinese line for who started the second."""


class Hold:
    """The claim to be the one service on a file. The system lets go of it when the process dies, however."""

    def __init__(self, path: Path) -> None:
        """Raises StoreTaken when another process has it."""
        self._file = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            who = os.read(self._file, 20).decode("ascii", "replace").strip()
            os.close(self._file)
            raise StoreTaken(
                f"{path} 已有一个邻里在用（进程 {who or '不明'}）：请先停下它，或换一个数据库文件。"
                "SQLite 上只能有一个服务进程，要几个进程请用 PostgreSQL。"
            ) from None
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, str(os.getpid()).encode("ascii"), 0)

    def let_go(self) -> None:
        """The file itself stays: removing it would let two processes lock two files of one name."""
        os.close(self._file)


class LoopSqliteClient(SqliteClient):
    """One sqlite3 connection, used synchronously behind Tortoise's awaitable interface."""

    _connection: Any
    #: A transaction is under way. SQLite ends one by itself when the disk is full or fails; whatever came
    #: after it would then be committed statement by statement, so it is refused instead.
    within = False

    async def create_connection(self, with_db: bool) -> None:
        if self._connection is not None:
            return
        connection = sqlite3.connect(
            self.filename, isolation_level=None, check_same_thread=False, cached_statements=512
        )
        connection.row_factory = sqlite3.Row
        for name, value in PRAGMAS.items():
            connection.execute(f"PRAGMA {name}={value}")
        self._connection = connection
        await self._post_connect()

    async def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @property
    def in_transaction(self) -> bool:
        """Whether SQLite itself says that a transaction is open."""
        return self._connection is not None and bool(self._connection.in_transaction)

    def run(self, query: str, values: Sequence[Any] | None = None) -> sqlite3.Cursor:
        """Execute one statement now; every statement of the house passes here."""
        if self.within and not self._connection.in_transaction:
            raise OperationalError("the database gave the transaction up")
        try:
            return cast(sqlite3.Cursor, self._connection.execute(query, values or ()))
        except sqlite3.OperationalError as exc:
            raise OperationalError(exc) from exc
        except sqlite3.IntegrityError as exc:
            raise IntegrityError(exc) from exc

    async def execute_insert(self, query: str, values: list[Any]) -> int:
        await self.create_connection(with_db=True)
        return self.run(query, values).lastrowid or 0

    async def execute_many(self, query: str, values: list[list[Any]]) -> None:
        await self.create_connection(with_db=True)
        for row in values:
            self.run(query, row)

    async def execute_query(
        self, query: str, values: list[Any] | None = None
    ) -> tuple[int, Sequence[dict[str, Any]]]:
        await self.create_connection(with_db=True)
        cursor = self.run(query, values)
        rows = cursor.fetchall()
        return (cursor.rowcount if cursor.rowcount >= 0 else len(rows)), rows

    async def execute_query_dict(self, query: str, values: list[Any] | None = None) -> list[dict[str, Any]]:
        await self.create_connection(with_db=True)
        return [dict(row) for row in self.run(query, values).fetchall()]

    async def execute_script(self, query: str) -> None:
        """Statement by statement: sqlite3's own executescript commits an open transaction first."""
        await self.create_connection(with_db=True)
        statement = ""
        for piece in query.split(";"):
            statement += piece + ";"
            if sqlite3.complete_statement(statement):
                if statement.strip(" \n\t;"):
                    self.run(statement)
                statement = ""

    def _in_transaction(self) -> TransactionContext:
        return cast(TransactionContext, _Savepoint(self))


class _Savepoint:
    """What Tortoise's own `in_transaction` gets: a savepoint, which outside a transaction is one."""

    depth = 0

    def __init__(self, client: LoopSqliteClient) -> None:
        self.client = client

    async def __aenter__(self) -> BaseDBAsyncClient:
        await self.client.create_connection(with_db=True)
        _Savepoint.depth += 1
        self.name = f"inner_{_Savepoint.depth}"
        self.client.run(f"SAVEPOINT {self.name}")
        return self.client

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self.client.run(f"ROLLBACK TO {self.name}")
        self.client.run(f"RELEASE {self.name}")
        _Savepoint.depth -= 1


client_class = LoopSqliteClient
