"""A transaction on PostgreSQL, begun again when another process came in between.

Tortoise's own context manager is not used: when BEGIN fails it never gives the connection back to the pool.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, cast

import asyncpg
from tortoise.backends.asyncpg.client import AsyncpgDBClient, TransactionWrapper
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.connection import get_connections
from tortoise.exceptions import IntegrityError

T = TypeVar("T")

TRIES = 4
#: Two transactions waited for each other; both wrote the same unique row, and the second now finds the
#: first's; the server went away and may be back. What these have in common: the same work may succeed now.
AGAIN = (
    asyncpg.exceptions.TransactionRollbackError,
    asyncpg.exceptions.PostgresConnectionError,
    asyncpg.exceptions.OperatorInterventionError,
    asyncpg.exceptions.InterfaceError,
    IntegrityError,
    ConnectionError,
)


async def transaction(client: BaseDBAsyncClient, work: Callable[[BaseDBAsyncClient], Awaitable[T]]) -> T:
    """Run `work` in one transaction; from the start again, a few times, when it met another's."""
    for attempt in range(1, TRIES):
        try:
            return await _once(cast(AsyncpgDBClient, client), work)
        except AGAIN:
            await asyncio.sleep(0.02 * attempt * random.uniform(0.5, 1.5))  # noqa: S311 - jitter
    return await _once(cast(AsyncpgDBClient, client), work)


async def _once(client: AsyncpgDBClient, work: Callable[[BaseDBAsyncClient], Awaitable[T]]) -> T:
    pool = await _pool(client)
    async with pool.acquire() as connection, connection.transaction():
        inner = TransactionWrapper(client)
        inner._connection = cast(Any, connection)
        token = get_connections().set(client.connection_name, inner)
        try:
            return await work(inner)
        finally:
            get_connections().reset(token)


async def _pool(client: AsyncpgDBClient) -> asyncpg.Pool:
    """Connected on first use, so that a house may start before its database answers again."""
    if client._pool is None:
        async with client._pool_init_lock:
            if client._pool is None:
                await client.create_connection(with_db=True)
    assert client._pool is not None
    return client._pool
