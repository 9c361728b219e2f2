"""What we owe is carried: in order, again when it must be, never twice by us, and never lost."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from tortoise.backends.base.client import BaseDBAsyncClient

from bot import delivery as module
from bot import outbox
from bot.app import House
from bot.channels.base import PermanentFailure, RetryLater, UnknownOutcome
from bot.messages import Lane, Outgoing
from bot.outbox import State
from tests.house import Capture, captured, owe, rows, say, turn, value, working

Fails = Callable[[Outgoing], Exception | None]


async def row(house: House, text: str) -> dict[str, Any]:
    (found,) = await rows(house, "select * from outbox where text = $1", text)
    return found | {"state": State(found["state"])}


def failing(exc: Callable[[], Exception], *texts: str) -> Callable[[Outgoing], None]:
    """A platform that refuses these texts (all, when none are named)."""

    def obey(one: Outgoing) -> None:
        if not texts or one.text in texts:
            raise exc()

    return obey


def tried(channel: Capture) -> Counter[str]:
    """Counts how often each text is tried from now on."""
    counted: Counter[str] = Counter()
    before = channel.obey

    def obey(one: Outgoing) -> Any:
        counted[one.text] += 1
        return before(one) if before else None

    channel.obey = obey
    return counted


# ----------------------------------------------------------------------------------- order


async def test_a_chat_gets_its_messages_in_order_and_chats_do_not_wait_for_each_other(house: House) -> None:
    web = captured(house)
    open_now = asyncio.Event()
    web.obey = lambda one: open_now.wait() if one.chat == "slow" else None
    await owe(house, *"1234", chat="slow")
    for chat in "abc":
        await owe(house, *"1234", chat=chat)
    async with working(house):
        async with asyncio.timeout(5):
            while len(web.sent) < 12:
                await asyncio.sleep(0.01)
        assert web.texts("slow") == []
        open_now.set()
        async with asyncio.timeout(5):
            while len(web.sent) < 16:
                await asyncio.sleep(0.01)
    assert [web.texts(chat) for chat in ("slow", "a", "b", "c")] == [list("1234")] * 4


async def test_a_later_message_waits_for_an_earlier_one_that_is_tried_again(house: House) -> None:
    web = captured(house)
    web.obey = failing(lambda: RetryLater("busy", after=30), "1")
    await owe(house, "1", "2", "3")
    await house.delivery.settle()
    assert web.texts("a") == []
    web.obey = None
    await house.delivery.settle()
    assert web.texts("a") == []  # thirty seconds are not over
    turn(house, seconds=31)
    await house.delivery.settle()
    assert web.texts("a") == ["1", "2", "3"]


async def test_what_failed_for_good_holds_up_nothing(house: House) -> None:
    web = captured(house)
    web.obey = failing(lambda: PermanentFailure("refused"), "1")
    await owe(house, "1", "2")
    await house.delivery.settle()
    assert web.texts("a") == ["2"]


async def test_danger_goes_first_and_overtakes_in_its_own_chat(house: House) -> None:
    web = captured(house)
    await owe(house, "notice", lane=Lane.NOTICE)
    await owe(house, "alert", lane=Lane.ALERT)
    await owe(house, "reply", lane=Lane.REPLY)
    await owe(house, "danger", lane=Lane.DANGER)
    await house.delivery.settle()
    assert web.texts("a") == ["danger", "reply", "alert", "notice"]


async def test_a_platform_full_of_notices_has_a_place_for_danger(house: House) -> None:
    web = captured(house)
    over = asyncio.Event()
    web.obey = lambda one: over.wait() if one.lane is Lane.NOTICE else None
    for n in range(300):
        await owe(house, f"notice {n}", chat=f"{n}", lane=Lane.NOTICE)
    async with working(house):
        await asyncio.sleep(0.2)
        await owe(house, "danger", lane=Lane.DANGER)
        house.delivery.wake()
        async with asyncio.timeout(2):
            while not web.sent:
                await asyncio.sleep(0.01)
        assert web.texts("a") == ["danger"]
        over.set()
        async with asyncio.timeout(20):
            while len(web.sent) < 301:
                await asyncio.sleep(0.01)


# -------------------------------------------------------------------------------- failures


async def test_a_failure_is_tried_five_times_with_growing_waits_and_given_up_with_its_reason(
    house: House,
) -> None:
    web = captured(house)
    web.obey = failing(lambda: RetryLater("connection reset"))
    counted = tried(web)
    await owe(house, "x")
    waits = []
    for tries in range(1, 6):
        await house.delivery.settle()
        assert counted["x"] == tries
        now = await row(house, "x")
        if now["state"] is State.QUEUED:
            waits.append((now["due_ms"] - house.clock.now().timestamp() * 1000) / 1000)
            turn(house, seconds=waits[-1] + 0.01)
    assert (await row(house, "x"))["state"] is State.FAILED
    assert (await row(house, "x"))["reason"] == "gave up after 5 tries: connection reset"
    for wait, about in zip(waits, (1, 2, 4, 8), strict=True):
        assert 0.75 * about <= wait <= 1.25 * about
    turn(house, hours=1)
    await house.delivery.settle()
    assert counted["x"] == 5


async def test_a_platforms_own_pace_is_no_failed_try(house: House) -> None:
    web = captured(house)
    web.obey = failing(lambda: RetryLater("flood", after=7))
    counted = tried(web)
    await owe(house, "x")
    for tries in range(1, 20):
        await house.delivery.settle()
        assert counted["x"] == tries
        turn(house, seconds=6.5)
        await house.delivery.settle()
        assert counted["x"] == tries  # not before the seven seconds are over
        turn(house, seconds=0.6)
    web.obey = None
    await house.delivery.settle()
    assert web.texts("a") == ["x"]


async def test_refused_for_good_is_tried_once_and_kept_with_the_reason(house: House) -> None:
    web = captured(house)
    web.obey = failing(lambda: PermanentFailure("blocked by the user"))
    counted = tried(web)
    await owe(house, "x")
    await house.delivery.settle()
    turn(house, hours=1)
    await house.delivery.settle()
    assert counted["x"] == 1
    found = await row(house, "x")
    assert (found["state"], found["reason"]) == (State.FAILED, "blocked by the user")


async def test_what_may_have_arrived_is_never_sent_again(house: House) -> None:
    web = captured(house)
    web.obey = failing(lambda: UnknownOutcome("no answer after the body"))
    counted = tried(web)
    await owe(house, "x")
    for _ in range(3):
        await house.delivery.settle()
        turn(house, hours=1)
    assert counted["x"] == 1
    assert (await row(house, "x"))["state"] is State.UNKNOWN


async def test_a_send_that_hangs_ends_before_its_lease(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise the same message would be claimed again while it is under way."""
    assert module.LEASE.total_seconds() > module.SEND_WITHIN
    monkeypatch.setattr(module, "SEND_WITHIN", 0.05)
    captured(house).obey = lambda one: asyncio.Event().wait()
    await owe(house, "x")
    async with asyncio.timeout(5):
        await house.delivery.settle()
    assert (await row(house, "x"))["state"] is State.UNKNOWN


async def test_a_broken_channel_is_tried_again_like_any_failure(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    web = captured(house)
    web.obey = failing(lambda: KeyError("a bug"))
    await owe(house, "x")
    await house.delivery.settle()
    assert "broke on message" in caplog.text
    web.obey = None
    turn(house, seconds=2)
    await house.delivery.settle()
    assert web.texts("a") == ["x"]


async def test_a_channel_that_nobody_configured_is_said(house: House) -> None:
    await owe(house, "x", channel="pigeon")
    await house.delivery.settle()
    found = await row(house, "x")
    assert (found["state"], found["reason"]) == (State.FAILED, "channel pigeon is not configured")


async def test_who_cannot_be_reached_is_marked_until_they_write(house: House) -> None:
    reachable = "select reachable from account where address = 'wang'"
    captured(house).obey = failing(lambda: PermanentFailure("blocked", unreachable=True))
    await owe(house, "x", chat="wang")
    await house.delivery.settle()
    assert not await value(house, reachable)
    captured(house).obey = None
    await say(house, "wang", "你好")
    assert await value(house, reachable)


# ------------------------------------------------------------------------- a whole channel


async def test_a_channel_that_is_down_pauses_as_a_whole_and_does_not_spin(house: House) -> None:
    """Hundreds of rows: the first ones find it out, the others are not even tried."""
    web, other = captured(house), Capture("other")
    house.add(other)
    web.obey = failing(lambda: RetryLater("no connection", whole_channel=True))
    counted = tried(web)
    for n in range(500):
        await owe(house, f"{n}", chat=f"{n}")
    await owe(house, "elsewhere", channel="other")
    await house.delivery.settle()
    assert other.texts("a") == ["elsewhere"]
    first = counted.total()
    assert first <= 64
    await house.delivery.settle()
    assert counted.total() == first
    # tried again after waits that grow: in two minutes a few times, not hundreds of times
    for _ in range(120):
        turn(house, seconds=1)
        await house.delivery.settle()
    assert counted.total() <= 64 * 16  # after 1, 2, 4 and 8 seconds, then every ten at most
    web.obey = None
    turn(house, seconds=20)
    await house.delivery.settle()
    assert len(web.sent) == 500
    assert await value(house, "select count(*) as n from outbox where state = 1") == 501


async def test_a_channel_paused_for_a_stated_time_is_left_alone_for_so_long(house: House) -> None:
    web = captured(house)
    web.obey = failing(lambda: RetryLater("quota", after=3600, whole_channel=True))
    counted = tried(web)
    await owe(house, "1", chat="a")
    await house.delivery.settle()
    await owe(house, "2", chat="b")
    turn(house, minutes=59)
    await house.delivery.settle()
    assert counted == {"1": 1}
    web.obey = None
    turn(house, minutes=2)
    await house.delivery.settle()
    assert sorted(one.text for one in web.sent) == ["1", "2"]


async def test_the_worker_rests_while_there_is_nothing_it_could_do(house: House) -> None:
    """A message in retry holds up the next of its chat, a paused channel all of its own: why look?"""
    looked = 0
    claim = outbox.claim

    async def counting(db: BaseDBAsyncClient, **how: Any) -> Any:
        nonlocal looked
        looked += 1
        return await claim(db, **how)

    other = Capture("other")
    house.add(other)
    captured(house).obey = failing(lambda: RetryLater("flood", after=600))
    other.obey = failing(lambda: RetryLater("down", after=600, whole_channel=True))
    await owe(house, "1", "2", "3")
    await owe(house, *map(str, range(50)), channel="other")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(outbox, "claim", counting)
        async with working(house):
            await asyncio.sleep(1)
    assert looked < 20
