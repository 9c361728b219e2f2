"""Delivery through crashes, stops and beside another worker: nothing is lost, nothing is sent twice by us."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from tortoise.backends.base.client import BaseDBAsyncClient

from bot import delivery as module
from bot import outbox
from bot.app import MODELS, House
from bot.delivery import Delivery
from bot.messages import Lane
from bot.outbox import State
from bot.store import Store
from tests.house import captured, message, open_house, owe, turn, value, working


async def test_what_a_crashed_process_had_claimed_falls_due_with_the_lease(house: House) -> None:
    await owe(house, "x")
    lost = await house.store.run(
        lambda db: outbox.claim(db, now=house.clock.now(), lease=module.LEASE, limit=10)
    )
    assert [one.text for one, _ in lost] == ["x"]
    await house.delivery.settle()
    assert captured(house).texts("a") == []
    turn(house, seconds=module.LEASE.total_seconds() + 1)
    await house.delivery.settle()
    assert captured(house).texts("a") == ["x"]


@pytest.mark.sqlite
async def test_after_a_crash_of_the_only_process_nobody_waits_for_the_lease(house: House) -> None:
    await owe(house, "x")
    await house.store.run(lambda db: outbox.claim(db, now=house.clock.now(), lease=module.LEASE, limit=10))
    await house.close()
    again = await open_house(house.store.url)
    await again.delivery.settle()
    assert captured(again).texts("a") == ["x"]
    await again.close()


async def test_a_stop_lets_what_is_under_way_arrive_and_writes_it_down(house: House) -> None:
    web = captured(house)
    web.obey = lambda one: asyncio.sleep(0.3)
    await owe(house, "x")
    task = asyncio.create_task(house.delivery.run())
    await asyncio.sleep(0.1)
    await house.delivery.finish(2)
    await asyncio.wait_for(task, 2)
    assert web.texts("a") == ["x"]
    assert await value(house, "select state from outbox") == State.SENT


async def test_the_worker_outlives_a_database_that_does_not_answer(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def away(*_: Any, **__: Any) -> None:
        raise OSError("no route to host")

    async with working(house):
        for name in ("claim", "next_due"):  # each of the two places where it asks
            with monkeypatch.context() as patch:
                patch.setattr(outbox, name, away)
                house.delivery.wake()
                await asyncio.sleep(0.1)
        await owe(house, "x")
        house.delivery.wake()
        async with asyncio.timeout(10):
            while not captured(house).sent:
                await asyncio.sleep(0.05)
    assert "did not answer" in caplog.text


async def test_two_workers_at_one_database_never_send_one_message_twice(house: House) -> None:
    """Two processes on PostgreSQL: here two workers, each with connections of its own."""
    web = captured(house)
    web.obey = lambda one: asyncio.sleep(0.001)
    for n in range(400):
        await owe(house, f"{n}", chat=f"{n % 100}")
    second = house.store if house.store.sqlite else Store(house.store.url, MODELS)
    if second is not house.store:
        await second.open()
    other = Delivery(second, house.clock, house.channels, house.communities)
    tasks = [asyncio.create_task(one.run()) for one in (house.delivery, other)]
    async with asyncio.timeout(40):
        while await value(house, "select count(*) as n from outbox where state = 0"):
            await asyncio.sleep(0.05)
    for one in (house.delivery, other):
        await one.finish(2)
    for task in tasks:
        with suppress(asyncio.CancelledError):
            await asyncio.wait_for(task, 5)
    if second is not house.store:
        await second.close()
    assert sorted(int(one.text) for one in web.sent) == list(range(400))
    assert min(house.delivery.counts[State.SENT], other.counts[State.SENT]) > 0
    for chat in range(100):
        got = [int(text) for text in web.texts(f"{chat}")]
        assert got == sorted(got)


async def test_a_notice_to_thousands_does_not_slow_the_next_claim(house: House) -> None:
    """PostgreSQL has not counted the new rows yet and would join the table with itself: a minute a claim."""

    async def fill(db: BaseDBAsyncClient) -> None:
        for n in range(3000):
            chat = f"{n}" if n % 2 else "one"
            await outbox.put(db, "web", chat, "x", now=house.clock.now(), lane=Lane.NOTICE)

    await house.store.run(fill)
    async with asyncio.timeout(5):
        for _ in range(10):
            claimed = await house.store.run(
                lambda db: outbox.claim(db, now=house.clock.now(), lease=timedelta(minutes=3), limit=48)
            )
            assert len(claimed) == 48
            await house.store.run(outbox.next_due)


async def test_the_answer_of_a_turn_is_carried_without_anybody_asking(house: House) -> None:
    async with working(house):
        await house.handle(message("wang", "厨房水管漏水了"))
        async with asyncio.timeout(3):
            while not captured(house).texts("wang"):
                await asyncio.sleep(0.01)
