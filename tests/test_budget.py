"""What a platform still lets us send: granted by what people write, and spent before a send."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from tortoise.backends.base.client import BaseDBAsyncClient

from bot import budget, outbox
from bot.app import House
from bot.budget import Verdict
from bot.channels.base import Limits, PermanentFailure, RetryLater
from bot.domain import people
from bot.messages import Grant, Incoming, Lane, Outgoing
from tests.house import Capture, owe, rows, turn

DAYS = Grant(5, 48 * 3600.0)
MINUTE = Grant(3, 60.0)
RATE = ((3, 60.0),)


async def take(
    house: House, messages: int = 1, *, windowed: bool = True, per_chat: tuple[tuple[int, float], ...] = ()
) -> Verdict:
    return await house.store.run(
        lambda db: budget.take(
            db, "oa", "o1", messages, now=house.clock.now(), windowed=windowed, per_chat=per_chat
        )
    )


async def grant(house: House, given: Grant) -> None:
    await house.store.run(lambda db: budget.grant(db, "oa", "o1", given, house.clock.now()))


async def test_five_within_two_days_and_then_none(house: House) -> None:
    assert (await take(house)).closed
    await grant(house, DAYS)
    assert [(await take(house)).closed for _ in range(6)] == [False] * 5 + [True]
    await grant(house, DAYS)
    turn(house, hours=48)
    assert (await take(house)).closed


async def test_a_tap_does_not_end_what_a_message_granted(house: House) -> None:
    await grant(house, DAYS)
    await grant(house, MINUTE)
    assert [(await take(house)).closed for _ in range(6)] == [False] * 5 + [True]
    turn(house, hours=47, minutes=59, seconds=30)
    await grant(house, MINUTE)  # lasts longer than what is left of the two days
    assert [(await take(house)).closed for _ in range(4)] == [False] * 3 + [True]


async def test_of_two_messages_of_one_second_the_second_counts(house: House) -> None:
    await grant(house, DAYS)
    assert not (await take(house, 5)).closed
    await grant(house, replace(DAYS, seconds=DAYS.seconds - 0.9, token="second"))
    assert await take(house, 5) == Verdict(token="second")


async def test_what_is_longer_than_the_window_waits_whole(house: House) -> None:
    await grant(house, DAYS)
    assert not (await take(house, 4)).closed
    assert (await take(house, 2)).closed
    assert not (await take(house, 1)).closed


async def test_notices_leave_the_last_to_what_is_more_urgent(house: House) -> None:
    channel = official(house)
    channel.limits = replace(channel.limits, reserve=1)
    person = await account(house)
    await writes(house, "你好", id_="m1", back=True)
    for number in range(6):
        await tell(house, person, f"通知{number}", lane=Lane.NOTICE)
    assert len(channel.sent) == 4
    await tell(house, person, "煤气泄漏", lane=Lane.DANGER)
    assert channel.texts("o1")[-1].startswith("煤气泄漏")


async def test_the_pace_is_of_any_minute_not_of_the_clocks(house: House) -> None:
    waits = []
    for seconds in (0, 30, 10, 5):
        turn(house, seconds=seconds)
        waits.append((await take(house, windowed=False, per_chat=RATE)).wait)
    assert waits[:3] == [None, None, None]
    assert waits[3] is not None
    assert 14.9 < waits[3] < 15.1  # until the first is a minute ago
    turn(house, seconds=15.1)
    assert (await take(house, windowed=False, per_chat=RATE)).wait is None
    assert (await take(house, windowed=False, per_chat=RATE)).wait is not None


async def test_more_than_the_pace_ever_allows_goes_when_nothing_else_did(house: House) -> None:
    assert (await take(house, 5, windowed=False, per_chat=RATE)).wait is None
    assert (await take(house, 1, windowed=False, per_chat=RATE)).wait is not None


async def test_extras_go_while_a_third_of_the_pace_is_free(house: House) -> None:
    async def words(extra: int = 1) -> Verdict:
        return await house.store.run(
            lambda db: budget.take(
                db, "oa", "o1", 1, now=house.clock.now(), per_chat=((9, 60.0), (100, 3600.0)), extra=extra
            )
        )

    found = [await words() for _ in range(6)]
    assert [one.bare for one in found] == [False, False, False, True, True, True]
    assert all(one.wait is None for one in found)  # six times the words, three times what goes beside them
    assert (await words()).wait is not None
    turn(house, seconds=61)
    assert await words() == Verdict()
    assert await words(extra=0) == Verdict()


async def test_many_who_take_at_once_take_no_more_than_there_is(house: House) -> None:
    await grant(house, DAYS)
    found = await asyncio.gather(*(take(house) for _ in range(20)))
    assert sum(not one.closed for one in found) == 5


# --------------------------------------------------------------- through the house


def official(house: House, notices: bool = False) -> Capture:
    channel = Capture("oa")
    channel.limits = Limits(windowed=True, octets=2048, notices=notices)
    house.add(channel)
    return channel


async def writes(
    house: House, text: str, *, id_: str, grant_: Grant = DAYS, back: bool = False
) -> Outgoing | None:
    said = Incoming("oa", id_, "o1", "o1", text, grant=grant_, answers_back=back)
    answer = await house.handle(said)
    await house.settle()
    return answer


async def account(house: House, *more: tuple[str, str]) -> int:
    """王芳 on the official account, and on others where given, used longer ago."""
    community = house.community("xingfuli")
    assert community is not None

    async def work(db: BaseDBAsyncClient) -> int:
        person = await people.meet(db, community.id, "oa", "o1", "王芳", 2)
        await people.grant(db, person, people.Role.RESIDENT)
        for channel, address in more:
            await people.add_account(db, person, channel, address, 1)
        return person.id

    return await house.store.run(work)


async def states(house: House) -> list[tuple[str, int]]:
    return [
        (row["channel"], row["state"])
        for row in await rows(house, "select channel, state from outbox order by id")
    ]


async def tell(house: House, person: int, *texts: str, lane: Lane = Lane.ALERT) -> None:
    async def work(db: BaseDBAsyncClient) -> None:
        for text in texts:
            await outbox.put(db, "oa", "o1", text, now=house.clock.now(), lane=lane, person_id=person)

    await house.store.run(work)
    await house.settle()


async def test_what_may_not_go_is_kept_and_goes_together_when_they_write(house: House) -> None:
    channel = official(house)
    person = await account(house)
    await tell(house, person, "一")
    await tell(house, person, "二")
    assert channel.sent == []
    assert await states(house) == [("oa", 4), ("oa", 4)]
    await writes(house, "你好", id_="m1", back=True)
    assert channel.texts("o1") == ["一\n\n二"]
    assert [state for _, state in await states(house)] == [1, 1, 1]


async def test_what_was_kept_for_a_week_is_no_news(house: House) -> None:
    channel = official(house)
    person = await account(house)
    await tell(house, person, "旧")
    turn(house, days=8)
    await tell(house, person, "新")
    await writes(house, "你好", id_="m1", back=True)
    assert channel.texts("o1") == ["新"]


async def test_the_window_is_spent_message_by_message(house: House) -> None:
    channel = official(house)
    person = await account(house)
    await writes(house, "你好", id_="m1", back=True)
    for number in range(7):
        await tell(house, person, f"第{number}条")
    assert len(channel.sent) == 5
    assert [state for _, state in await states(house)][1:] == [1] * 5 + [4] * 2


async def test_a_person_with_another_account_is_reached_there(house: House) -> None:
    official(house)
    other = Capture("telegram")
    house.add(other)
    person = await account(house, ("telegram", "77"))
    await tell(house, person, "停水")
    assert other.texts("77") == ["停水"]
    assert await states(house) == [("telegram", 1)]


async def test_a_notice_of_the_platforms_own_kind_goes_before_that(house: House) -> None:
    channel = official(house, notices=True)
    other = Capture("telegram")
    house.add(other)
    person = await account(house, ("telegram", "77"))
    await tell(house, person, "停水")
    assert [one.closed for one in channel.sent] == [True]
    assert other.sent == []


async def test_a_window_that_the_platform_says_is_shut_is_shut(house: House) -> None:
    channel = official(house)
    person = await account(house)
    await writes(house, "你好", id_="m1", back=True)

    def refuse(_: Outgoing) -> None:
        raise PermanentFailure("45047", closed=True)

    channel.obey = refuse
    await tell(house, person, "一")
    channel.obey = None
    await tell(house, person, "二")
    assert channel.sent == []
    assert [state for _, state in await states(house)][1:] == [4, 4]


async def test_what_did_not_arrive_costs_nothing(house: House) -> None:
    channel = official(house)
    person = await account(house)
    await writes(house, "你好", id_="m1", back=True)
    tries = 0

    def busy(_: Outgoing) -> None:
        nonlocal tries
        tries += 1
        if tries <= 3:
            raise RetryLater("-1", 1.0)

    channel.obey = busy
    await tell(house, person, "一")
    for _ in range(3):
        turn(house, seconds=2)
        await house.settle()
    assert channel.texts("o1") == ["一"]
    left = await rows(house, "select remaining from budget where channel = 'oa' and chat = 'o1'")
    assert left[0]["remaining"] == 4


async def test_a_group_is_not_looked_for_elsewhere(house: House) -> None:
    official(house)
    other = Capture("telegram")
    house.add(other)
    await account(house, ("telegram", "77"))
    await owe(house, "停水", chat="a-group", channel="oa", lane=Lane.NOTICE)
    await house.settle()
    assert other.sent == []
    assert await states(house) == [("oa", 4)]


async def test_the_pace_of_a_member_puts_off_and_loses_nothing(house: House) -> None:
    channel = Capture("wecom")
    channel.limits = Limits(per_chat=((3, 60.0),))
    house.add(channel)
    await owe(house, *"12345", chat="li", channel="wecom", lane=Lane.ALERT)
    await owe(house, "x", chat="other", channel="wecom", lane=Lane.ALERT)
    await house.settle()
    assert channel.texts("li") == ["1", "2", "3"]
    assert channel.texts("other") == ["x"]
    turn(house, seconds=61)
    await house.settle()
    assert channel.texts("li") == ["1", "2", "3", "4", "5"]
    assert {row["attempts"] for row in await rows(house, "select attempts from outbox")} == {1}


# ------------------------------------------------------- answers with the acknowledgement


async def test_an_answer_goes_with_the_acknowledgement_and_only_there(house: House) -> None:
    channel = official(house)
    await account(house)
    answer = await writes(house, "帮助", id_="m1", back=True)
    assert answer is not None
    assert answer.text
    assert channel.sent == []
    again = await writes(house, "帮助", id_="m1", back=True)
    assert again is not None
    assert (again.id, again.text) == (answer.id, answer.text)
    assert len(await states(house)) == 1


async def test_an_answer_that_came_too_late_is_carried_like_any_other(house: House) -> None:
    channel = official(house)
    await account(house)
    answer = await writes(house, "帮助", id_="m1", back=True)
    assert answer is not None
    desk = house.desk("oa")
    await desk.carry_answer(answer.id, "")
    await desk.carry_answer(answer.id, "")
    await house.settle()
    assert channel.texts("o1") == [answer.text]
    assert await writes(house, "帮助", id_="m1", back=True) is None


async def test_the_rest_of_a_long_answer_is_owed_once(house: House) -> None:
    channel = official(house)
    await account(house)
    answer = await writes(house, "帮助", id_="m1", back=True)
    assert answer is not None
    for _ in range(2):
        await house.desk("oa").carry_answer(answer.id, "还有")
    await house.settle()
    assert channel.texts("o1") == ["还有"]
