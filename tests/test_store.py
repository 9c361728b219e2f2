"""One work, one transaction: it happened or it did not, whatever happens around it."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import closing
from pathlib import Path

import pytest
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.exceptions import IntegrityError, OperationalError

from bot import store as module
from bot.app import MODELS, House
from bot.sqlite_loop import LoopSqliteClient
from bot.store import Statement, Store, StoreClosed, StoreTaken, savepoint
from tests.house import PEOPLE, captured, message, open_house, rows, value

Put = Callable[[BaseDBAsyncClient], Awaitable[None]]
_PUT = Statement(
    "insert into conversation (channel, chat, sender, state, at_ms) values ('test', $1, '', '{}', 0)"
    " returning id"
)
_ALL = Statement("select chat from conversation where channel = 'test' order by id")
STORM = 300


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    store = Store(database_url, MODELS)
    await store.open()
    await store.migrate()
    yield store
    await store.close()


def put(*names: str, then: Exception | None = None, pause: float | None = None) -> Put:
    """A work that writes rows, perhaps waits between them, and perhaps fails at the end."""

    async def work(db: BaseDBAsyncClient) -> None:
        for name in names:
            await _PUT.rows(db, name)
            if pause is not None:
                await asyncio.sleep(pause)
        if then is not None:
            raise then

    return work


async def kept(store: Store) -> list[str]:
    return [row["chat"] for row in await store.run(_ALL.rows)]


async def test_a_savepoint_stands_or_falls_by_itself(store: Store) -> None:
    async def work(db: BaseDBAsyncClient) -> None:
        await _PUT.rows(db, "before")
        async with savepoint(db, keep=False):
            await _PUT.rows(db, "tried")
            async with savepoint(db):
                await _PUT.rows(db, "tried, too")
            assert len(await _ALL.rows(db)) == 3
        with pytest.raises(IntegrityError):
            async with savepoint(db):
                await _PUT.rows(db, "failed")
                await _PUT.rows(db, "before")
        async with savepoint(db):
            with pytest.raises(ZeroDivisionError):
                async with savepoint(db):
                    await _PUT.rows(db, "failed")
                    raise ZeroDivisionError
            await _PUT.rows(db, "kept")

    await store.run(work)
    assert await kept(store) == ["before", "kept"]


async def test_what_fails_leaves_nothing(store: Store) -> None:
    with pytest.raises(ZeroDivisionError):
        await store.run(put("a", "b", then=ZeroDivisionError()))
    assert await kept(store) == []
    await store.run(put("c"))
    assert await kept(store) == ["c"]


async def test_a_statement_that_fails_takes_its_whole_work_along(store: Store) -> None:
    with pytest.raises(IntegrityError):
        await store.run(put("a", "b", "a"))
    assert await kept(store) == []


async def test_one_of_many_fails_and_only_that_one_is_missing(store: Store) -> None:
    works = [put(f"{n}", then=ValueError(f"{n}") if n % 7 == 3 else None) for n in range(50)]
    ended = await asyncio.gather(*(store.run(work) for work in works), return_exceptions=True)
    assert [n for n, one in enumerate(ended) if isinstance(one, ValueError)] == [3, 10, 17, 24, 31, 38, 45]
    assert sorted(map(int, await kept(store))) == [n for n in range(50) if n % 7 != 3]


@pytest.mark.sqlite
async def test_works_that_wait_share_a_commit(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    commits = []
    run = LoopSqliteClient.run

    def counting(self: LoopSqliteClient, query: str, values: object = None) -> sqlite3.Cursor:
        if query == "COMMIT":
            commits.append(query)
        return run(self, query, values)  # type: ignore[arg-type]

    monkeypatch.setattr(LoopSqliteClient, "run", counting)
    await asyncio.gather(*(store.run(put(f"{n}")) for n in range(50)))
    assert len(commits) == 1
    await asyncio.gather(*(store.run(put(f"{n}")) for n in range(50, 250)))
    assert len(commits) == 1 + 4  # 64 at most in one, so that the first does not wait for ever


@pytest.mark.sqlite
async def test_nobody_is_answered_before_the_commit(store: Store) -> None:
    """What a caller was told is what another process can read."""
    assert store.path is not None
    with closing(sqlite3.connect(store.path)) as other:

        async def one(name: str) -> bool:
            await store.run(put(name))
            found = other.execute("select count(*) from conversation where chat = ?", [name]).fetchone()
            return bool(found[0])

        assert all(await asyncio.gather(*(one(f"{n}") for n in range(100))))


@pytest.mark.sqlite
async def test_a_commit_that_fails_is_an_error_for_all_who_shared_it(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = LoopSqliteClient.run

    def failing(self: LoopSqliteClient, query: str, values: object = None) -> sqlite3.Cursor:
        if query == "COMMIT":
            raise OperationalError("disk I/O error")
        return run(self, query, values)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(LoopSqliteClient, "run", failing)
        ended = await asyncio.gather(*(store.run(put(f"{n}")) for n in range(20)), return_exceptions=True)
    assert [type(one) for one in ended] == [OperationalError] * 20
    assert await kept(store) == []
    await store.run(put("later"))
    assert await kept(store) == ["later"]


@pytest.mark.sqlite
async def test_a_work_that_breaks_the_shared_commit_breaks_only_its_own(store: Store) -> None:
    """SQLite itself rolls everything back when the disk is full, in the middle of somebody's work."""

    async def breaks(db: BaseDBAsyncClient) -> None:
        await _PUT.rows(db, "broken")
        await db.execute_query("ROLLBACK")  # as SQLite does then
        await _PUT.rows(db, "never to be kept alone")

    ended = await asyncio.gather(
        store.run(put("before")), store.run(breaks), store.run(put("after")), return_exceptions=True
    )
    assert ended[0] is None
    assert isinstance(ended[1], OperationalError)
    assert ended[2] is None
    assert sorted(await kept(store)) == ["after", "before"]


async def test_who_is_cancelled_loses_nothing_and_stops_nothing(store: Store) -> None:
    task = asyncio.create_task(store.run(put("a", "b", "c", pause=0.01)))
    await asyncio.sleep(0.015)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await store.run(put("d"))
    for _ in range(200):
        if len(await kept(store)) == 4:
            break
        await asyncio.sleep(0.01)
    assert set(await kept(store)) == {"a", "b", "c", "d"}


async def test_a_work_inside_a_work_is_refused_at_once(store: Store) -> None:
    async def outer(db: BaseDBAsyncClient) -> None:
        await _PUT.rows(db, "outer")
        await store.run(put("inner"))

    with pytest.raises(RuntimeError, match="inside a transaction"):
        async with asyncio.timeout(5):
            await store.run(outer)
    assert await kept(store) == []


async def test_a_closed_store_says_so_and_what_was_asked_before_is_done(database_url: str) -> None:
    store = Store(database_url, MODELS)
    await store.open()
    await store.migrate()
    before = [asyncio.create_task(store.run(put(f"{n}"))) for n in range(10)]
    await asyncio.sleep(0)
    await store.close()
    await asyncio.gather(*before)
    with pytest.raises(StoreClosed):
        await store.run(put("late"))
    again = Store(database_url, MODELS)
    await again.open()
    assert sorted(map(int, await kept(again))) == list(range(10))
    await again.close()


# ------------------------------------------------------------------------------ the storm


async def test_a_storm_of_cancellations_harms_nobody(house: House) -> None:
    """Every message is wholly there or wholly absent, and there when it is sent again; the house lives on."""
    chance = random.Random(20250307)
    said = [message("wang", "厨房水管漏水了", id=f"storm-{n}") for n in range(STORM)]
    for at in range(0, STORM, 20):
        tasks = [asyncio.create_task(house.handle(one)) for one in said[at : at + 20]]
        for task in tasks:
            for _ in range(chance.randrange(4)):
                await asyncio.sleep(0)
            if chance.random() < 0.5:
                await asyncio.sleep(chance.random() / 200)
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await whole(house)
    await house.pipeline.finish(20)
    await whole(house)
    async with asyncio.timeout(60):
        await asyncio.gather(*(house.handle(one) for one in said))
    assert await value(house, "select count(*) as n from inbox") == STORM
    await house.handle(message("wang", "我的报修怎么样了", id="storm-over"))
    await whole(house)
    (last,) = await house.spoken("web", "wang", 1)
    assert not last["mine"]


async def whole(house: House) -> None:
    """Each message kept has its answer, each ticket its number, line and subscriber; nothing else is."""
    counted = await rows(
        house,
        "select (select count(*) from inbox where message like 'storm-%') as kept,"
        " (select count(*) from outbox where chat = 'wang') as answers,"
        " (select count(*) from ticket) as tickets,"
        " (select count(*) from audit where verb = 'file') as filed,"
        " (select count(*) from subscriber) as subscribers,"
        " (select max(last_ref) from community) as last_ref",
    )
    (n,) = counted
    assert n["answers"] >= n["kept"]
    assert n["tickets"] == n["filed"] == n["subscribers"] == n["last_ref"]


@pytest.mark.sqlite
async def test_the_storm_would_be_seen(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The check itself: half a turn is noticed."""
    await house.store.run(lambda db: Statement("update community set last_ref = 1 returning id").rows(db))
    with pytest.raises(AssertionError):
        await whole(house)


# ------------------------------------------------------------------------- SQLite's file


@pytest.mark.sqlite
async def test_while_another_process_holds_the_file_we_wait_and_the_loop_goes_on(store: Store) -> None:
    assert store.path is not None
    with closing(sqlite3.connect(store.path, isolation_level=None)) as other:
        other.execute("begin immediate")
        task = asyncio.create_task(store.run(put("patient")))
        began = asyncio.get_running_loop().time()
        longest = 0.0
        for _ in range(40):
            before = asyncio.get_running_loop().time()
            await asyncio.sleep(0.01)
            longest = max(longest, asyncio.get_running_loop().time() - before)
        assert not task.done()
        other.execute("commit")
        await task
    assert asyncio.get_running_loop().time() - began < 5
    assert longest < 0.3
    assert await kept(store) == ["patient"]


@pytest.mark.sqlite
async def test_a_file_that_stays_locked_is_an_error_for_who_asks_and_then_it_goes_on(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BUSY_PAUSES", (0.01, 0.01))
    assert store.path is not None
    with closing(sqlite3.connect(store.path, isolation_level=None)) as other:
        other.execute("begin immediate")
        ended = await asyncio.gather(*(store.run(put(f"{n}")) for n in range(3)), return_exceptions=True)
        assert [type(one) for one in ended] == [OperationalError] * 3
        other.execute("rollback")
    await store.run(put("later"))
    assert await kept(store) == ["later"]


@pytest.mark.sqlite
async def test_a_full_disk_is_an_error_leaves_no_half_and_passes(house: House) -> None:
    """`max_page_count` makes SQLite answer as it does when the disk is full."""
    (used,) = await rows(house, "pragma page_count")
    await rows(house, f"pragma max_page_count = {used['page_count'] + 4}")
    refused = 0
    for n in range(40):
        try:
            await house.handle(message("wang", "厨房水管漏水了" + "，水很大" * 400, id=f"storm-{n}"))
        except OperationalError as exc:
            assert "full" in str(exc)
            refused += 1
        await whole(house)
    assert refused > 10
    await rows(house, "pragma max_page_count = 1000000")
    for n in range(40):
        await house.handle(message("wang", "厨房水管漏水了" + "，水很大" * 400, id=f"storm-{n}"))
    await whole(house)
    assert await value(house, "select count(*) as n from inbox") == 40


@pytest.mark.sqlite
async def test_a_file_that_cannot_be_written_is_said_at_once(tmp_path: Path) -> None:
    """Not a writer that died and callers that wait for ever."""
    (tmp_path / "linli.db").mkdir()
    store = Store(f"sqlite://{tmp_path}/linli.db", MODELS)
    with pytest.raises((OperationalError, sqlite3.OperationalError)):
        async with asyncio.timeout(5):
            await store.open()


@pytest.mark.sqlite
async def test_only_one_service_at_a_file_but_the_office_may_work_beside_it(house: House) -> None:
    with pytest.raises(StoreTaken, match="已有一个邻里在用"):
        await open_house(house.store.url)
    beside = Store(house.store.url, MODELS)
    await beside.open()
    await asyncio.gather(beside.run(put("beside")), house.handle(message("wang", "厨房水管漏水了")))
    assert await kept(beside) == ["beside"]
    await beside.close()
    assert await value(house, "select count(*) as n from ticket") == 1


@pytest.mark.sqlite
async def test_the_file_is_free_again_when_the_service_is_gone(house: House) -> None:
    await house.close()
    again = await open_house(house.store.url)
    assert await value(again, "select count(*) as n from person") == len(PEOPLE)
    assert captured(again).sent == []
    await again.close()
