"""A real PostgreSQL for the tests: the one of LINLI_TEST_POSTGRES, else one that is started for this run."""

from __future__ import annotations

import asyncio
import os
import tempfile
import threading
import uuid
import warnings
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from bot.app import MODELS
from bot.store import Store

T = TypeVar("T")


def apart(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end in a thread with a loop of its own: fixtures may not touch the test's."""
    result: list[T] = []
    failure: list[BaseException] = []

    def target() -> None:
        try:
            result.append(asyncio.run(work))
        except BaseException as exc:
            failure.append(exc)

    thread = threading.Thread(target=target)
    thread.start()
    thread.join()
    if failure:
        raise failure[0]
    return result[0]


class Server:
    """Makes databases, each migrated already: copies of a template, which is much faster than migrating."""

    def __init__(self, url: str) -> None:
        """`url` is of a database whose user may create databases. Raises what keeps us from connecting."""
        self._url = url
        self._template = f"linli_test_{uuid.uuid4().hex[:12]}"
        self._made = 0
        self._do(f'create database "{self._template}"')
        try:
            apart(_migrate(self._address(self._template)))
        except BaseException:
            self._do(f'drop database "{self._template}"')
            raise

    def _address(self, database: str) -> str:
        return urlunsplit(urlsplit(self._url)._replace(path=f"/{database}"))

    def _do(self, *statements: str) -> None:
        async def work() -> None:
            connection = await asyncpg.connect(self._url, timeout=20)
            try:
                for statement in statements:
                    await connection.execute(statement)
            finally:
                await connection.close()

        apart(work())

    @contextmanager
    def database(self, *, migrated: bool = True) -> Iterator[str]:
        """The URL of a database of its own, dropped afterwards."""
        self._made += 1
        name = f"{self._template}_{self._made}"
        self._do(f'create database "{name}"' + (f' template "{self._template}"' if migrated else ""))
        try:
            yield self._address(name)
        finally:
            self._do(f'drop database "{name}" with (force)')

    def close(self) -> None:
        self._do(f'drop database "{self._template}" with (force)')


async def _migrate(url: str) -> None:
    store = Store(url, MODELS)
    await store.open()
    try:
        await store.migrate()
    finally:
        await store.close()


@contextmanager
def server() -> Iterator[Server]:
    """Fails where there is none: what holds on PostgreSQL is not to be taken on trust."""
    given = os.environ.get("LINLI_TEST_POSTGRES")
    if given:
        made = Server(given)
        try:
            yield made
        finally:
            made.close()
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it asks for XDG_RUNTIME_DIR, which a service account has not
        from pgserver.postgres_server import get_server
    with tempfile.TemporaryDirectory(prefix="linli-pg-") as folder:
        running = get_server(folder, cleanup_mode="stop")
        try:
            made = Server(running.get_uri())
            yield made
        finally:
            running.cleanup()
