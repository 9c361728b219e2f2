"""The schema that migrations make is the one that the models say, with every index that we rely on."""

from __future__ import annotations

import asyncio
import importlib
import pkgutil
import re
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest
from tortoise import Tortoise
from tortoise.migrations.autodetector import MigrationAutodetector

import bot
import scheduler
from bot.app import MODELS, House
from bot.store import Statement, Store
from tests.serving import linli

#: Read whole on purpose: a count of all, whom `linli chat --as` may be, albums that a start finds unfinished,
#: and all homes (which do not grow with the years) for the first order of somebody unknown.
WHOLE = {
    "bot.outbox._COUNTS",
    "bot.domain.people._ACCOUNTS",
    "bot.albums._WAITING",
    "bot.domain.households._FIND",
}


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Store]:
    store = Store(url, MODELS)
    await store.open()
    try:
        yield store
    finally:
        await store.close()


async def schema(store: Store) -> list[tuple[Any, ...]]:
    """Columns, uniques, indexes and references of every table but the list of migrations."""
    return await (_sqlite_schema(store) if store.sqlite else _postgres_schema(store))


async def _sqlite_schema(store: Store) -> list[tuple[Any, ...]]:
    assert store.path is not None
    found: list[tuple[Any, ...]] = []
    with closing(sqlite3.connect(store.path)) as db:
        names = [row[0] for row in db.execute("select name from sqlite_master where type = 'table'")]
        for table in names:
            if table.startswith("sqlite_") or table == "tortoise_migrations":
                continue
            for _, name, kind, notnull, default, key in db.execute(f"pragma table_info({table})"):
                found.append((table, "column", name, kind, notnull, default, key))
            for _, index, unique, _, partial in db.execute(f"pragma index_list({table})").fetchall():
                columns = tuple(row[2] for row in db.execute(f"pragma index_info({index})"))
                found.append((table, "index", columns, unique, partial))
            for row in db.execute(f"pragma foreign_key_list({table})"):
                found.append((table, "reference", *row[2:7]))
    return sorted(found, key=repr)


async def _postgres_schema(store: Store) -> list[tuple[Any, ...]]:
    columns = Statement(
        "select table_name, 'column', column_name, data_type, is_nullable, character_maximum_length,"
        " column_default from information_schema.columns where table_schema = current_schema()"
    )
    indexes = Statement(
        "select tablename, 'index', regexp_replace(indexdef, 'INDEX .* ON', 'INDEX ON') as definition"
        " from pg_indexes where schemaname = current_schema()"
    )
    constraints = Statement(
        "select conrelid::regclass::text, contype::text, pg_get_constraintdef(oid) from pg_constraint"
        " where connamespace = current_schema()::regnamespace"
    )
    found: list[tuple[Any, ...]] = []
    for statement in (columns, indexes, constraints):
        rows = [tuple(row.values()) for row in await store.run(statement.rows)]
        found += [row for row in rows if row[0] != "tortoise_migrations"]
    return sorted(found, key=repr)


async def test_migrated_is_the_same_as_made_from_the_models(
    database_url: str, empty_database_url: str
) -> None:
    async with opened(database_url) as migrated, opened(empty_database_url) as fresh:
        await migrated.migrate_step_by_step()
        await asyncio.create_task(Tortoise.generate_schemas(), context=fresh._outer.copy())
        one, other = await schema(migrated), await schema(fresh)
    assert len(one) > 100
    assert one == other


@pytest.mark.sqlite
async def test_a_new_file_gets_at_once_what_the_migrations_make(
    database_url: str, empty_database_url: str
) -> None:
    async with opened(database_url) as migrated, opened(empty_database_url) as fresh:
        await migrated.migrate_step_by_step()
        assert await fresh.migrate() == await _all()
        assert await schema(fresh) == await schema(migrated)
        assert await fresh.pending_migrations() == []


@pytest.mark.sqlite
async def test_a_database_of_the_version_before_keeps_what_it_has(database_url: str) -> None:
    async with opened(database_url) as store:
        executed = await _up_to(store, "0001_initial")
        put = Statement(
            "insert into outbox (channel, chat, text, buttons, photos, lane, state, attempts, due_ms,"
            " made_ms, reason) values ('web', 'a', '停水', '', '', 3, 1, 1, 0, 0, '')"
        )
        await store.run(put.rows)
        assert await store.migrate() == [name for name in await _all() if name not in executed]
        (row,) = await store.run(Statement("select text, receipt from outbox").rows)
    assert row == {"text": "停水", "receipt": ""}


async def _up_to(store: Store, name: str) -> list[str]:
    """Migrate as an earlier version would have; what that was."""
    from tortoise.backends.base.client import BaseDBAsyncClient
    from tortoise.migrations.executor import MigrationExecutor, MigrationTarget

    async def work(db: BaseDBAsyncClient) -> None:
        executor = MigrationExecutor(db, store.config()["apps"])
        await executor.migrate([MigrationTarget("linli", name)], direction="forward")

    await store.run(work)
    return [one for one in await _all() if one <= name]


async def test_the_comparison_sees_a_missing_index(database_url: str) -> None:
    async with opened(database_url) as store:
        await store.migrate()
        before = await schema(store)
        name = Statement(
            "select name from sqlite_master where type = 'index' and name like 'idx_ticket_due%'"
            if store.sqlite
            else "select indexname as name from pg_indexes where indexname like 'idx_ticket_due%'"
        )
        (row,) = await store.run(name.rows)
        await store.run(Statement(f'drop index "{row["name"]}"').rows)
        after = await schema(store)
    assert len(before) == len(after) + 1


async def test_the_models_ask_for_nothing_that_no_migration_does(database_url: str) -> None:
    async with opened(database_url) as store:

        async def changes() -> list[str]:
            context = store._context
            assert context is not None
            assert context.apps is not None
            found = await MigrationAutodetector(context.apps, store.config()["apps"]).changes()
            return [str(operation) for one in found for operation in one.operations]

        assert await asyncio.create_task(changes(), context=store._outer.copy()) == []


async def test_migrating_twice_does_nothing_the_second_time(empty_database_url: str) -> None:
    async with opened(empty_database_url) as store:
        assert await store.migrate() == await _all()
        before = await schema(store)
        assert await store.migrate() == []
        assert await store.pending_migrations() == []
        assert await schema(store) == before


async def _all() -> list[str]:
    path = importlib.import_module("bot.migrations").__path__
    return sorted(one.name for one in pkgutil.iter_modules(path) if one.name[0].isdigit())


@pytest.mark.postgres
async def test_two_who_migrate_at_once_do_it_once(empty_database_url: str) -> None:
    async with opened(empty_database_url) as one, opened(empty_database_url) as other:
        await asyncio.gather(one.migrate(), other.migrate())
        assert await one.pending_migrations() == []


@pytest.mark.sqlite
async def test_a_migration_that_breaks_leaves_nothing(
    empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither half a schema nor one that nobody wrote down: the next start would find its tables there."""
    from tortoise.migrations.recorder import MigrationRecorder

    async def breaks(*_: object) -> None:
        raise OSError("the power went out")

    async with opened(empty_database_url) as store:
        with monkeypatch.context() as patch:
            patch.setattr(MigrationRecorder, "record_applied", breaks)
            with pytest.raises(OSError, match="power"):
                await store.migrate()
        assert await schema(store) == []
        assert await store.migrate() == await _all()


@pytest.mark.postgres
def test_a_service_on_postgres_refuses_an_old_schema_in_one_line(
    empty_database_url: str, tmp_path: Path
) -> None:
    done = linli(tmp_path, "run", LINLI_DATABASE_URL=empty_database_url, LINLI_PORT="0")
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "linli migrate" in done.stderr
    assert linli(tmp_path, "migrate", LINLI_DATABASE_URL=empty_database_url).returncode == 0
    assert linli(tmp_path, "migrate", LINLI_DATABASE_URL=empty_database_url).stdout == "已经是最新的。\n"


# ---------------------------------------------------------------------------------- indexes


def statements() -> Iterator[tuple[str, Statement]]:
    """Every hand-written statement of the house."""
    for package in (bot, scheduler):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if found.name.startswith(("bot.migrations", "bot.__main__")):
                continue
            module = importlib.import_module(found.name)
            for name, one in vars(module).items():
                several = one if isinstance(one, tuple) else (one,)
                for part in several:
                    if isinstance(part, Statement):
                        yield f"{found.name}.{name}", part


@pytest.mark.sqlite
async def test_no_statement_reads_a_whole_table(house: House) -> None:
    """A house with a year of tickets answers as fast as a new one."""
    path = house.store.path
    assert path is not None
    faults, seen = [], 0
    with closing(sqlite3.connect(path)) as db:
        tables = {row[0] for row in db.execute("select name from sqlite_master where type = 'table'")}
        for name, statement in statements():
            seen += 1
            text = statement._sqlite
            values = [None] * len(statement._order)
            shorts = dict(re.findall(r"(?:from|join|update|into) (\w+) (\w+)\b", text))
            known = tables | {short for table, short in shorts.items() if table in tables}
            for *_, plan in db.execute(f"explain query plan {text}", values):
                match = re.match(r"SCAN (\w+)|SEARCH (\w+) .*\(community_id=\?\)$", plan)
                if match and (match[1] or match[2]) in known and name not in WHOLE:
                    faults.append(f"{name}: {plan}")
    assert seen > 40
    assert faults == []
