"""Telegram, outwards: what a message becomes, at which pace, and what each failure means."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.channels import telegram_sending, telegram_wire
from bot.channels.base import Button, Lane, PermanentFailure, Photo, RetryLater, UnknownOutcome
from bot.channels.pace import Counted, Pace, Spaced, Turns
from bot.channels.pictures import media_type
from bot.channels.telegram import TelegramChannel
from bot.channels.text import clean, split, units
from tests.fakes.telegram import JPEG, TOKEN, FarSide
from tests.fakes.telegram_house import channel_to, owed, until

GROUP, FAMILY = -1002100000001, "👨‍👩‍👧‍👦"


@pytest.fixture
async def channel(far_side: FarSide, tmp_path: Path) -> AsyncIterator[TelegramChannel]:
    channel = channel_to(far_side, tmp_path)
    yield channel
    await channel.close()


async def test_a_message_is_plain_text(channel: TelegramChannel, far_side: FarSide) -> None:
    sent = await channel.send(owed("已报修 #1：<b>厨房</b> [漏水]_"))
    assert sent.isdecimal()
    [call] = far_side.calls("sendMessage")
    assert (call.data["chat_id"], call.data["text"]) == ("5", "已报修 #1：<b>厨房</b> [漏水]_")
    assert call.data["link_preview_options"] == {"is_disabled": True}
    assert "parse_mode" not in call.data
    assert "reply_markup" not in call.data


async def test_a_button_says_its_words_or_where_they_are(channel: TelegramChannel, far_side: FarSide) -> None:
    fits, long = "好" * 20, "好" * 22
    buttons = (Button("要", fits), Button("空", ""), Button("长", long))
    await channel.send(replace(owed("要吗？", buttons=buttons), id=412))
    [call] = far_side.calls("sendMessage")
    assert call.data["reply_markup"] == {
        "inline_keyboard": [
            [{"text": "要", "callback_data": fits}],
            [{"text": "长", "callback_data": "button:412.2"}],
        ]
    }


async def test_an_answer_stays_in_its_topic(channel: TelegramChannel, far_side: FarSide) -> None:
    await channel.send(owed("收到", f"{GROUP}:17"))
    [call] = far_side.calls("sendMessage")
    assert (call.data["chat_id"], call.data["message_thread_id"]) == (str(GROUP), "17")


@pytest.mark.parametrize("kind", ["topic", "closed"])
async def test_where_the_topic_is_gone_the_group_is_answered(
    channel: TelegramChannel, far_side: FarSide, kind: str
) -> None:
    far_side.fault("sendMessage", kind)
    await channel.send(owed("收到", f"{GROUP}:17"))
    assert [call.data.get("message_thread_id") for call in far_side.calls("sendMessage")] == ["17", None]


async def test_long_text_arrives_in_parts_with_the_buttons_last(
    channel: TelegramChannel, far_side: FarSide
) -> None:
    text = "今天停水。" * 1000
    await channel.send(owed(text, buttons=(Button("知道了", "知道了"),)))
    first, last = far_side.calls("sendMessage")
    assert first.data["text"] + last.data["text"] == text
    assert first.data["text"].endswith("。")
    assert "reply_markup" not in first.data
    assert "reply_markup" in last.data


async def test_pictures_go_along(channel: TelegramChannel, far_side: FarSide, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(JPEG)
    photo = Photo("a.jpg", "image/jpeg")
    await channel.send(owed("灯坏了", photos=(photo,)))
    [call] = far_side.calls("sendPhoto")
    assert (call.data["caption"], call.files) == ("灯坏了", {"photo": len(JPEG)})
    await channel.send(owed("两张", 6, photos=(photo, photo)))
    assert [call.data["text"] for call in far_side.calls("sendMessage")] == ["两张"]
    assert [call.data.get("caption") for call in far_side.calls("sendPhoto")[1:]] == [None, None]


@pytest.mark.parametrize("path", ["gone.jpg", "../secret.jpg", "/etc/hostname"])
async def test_words_go_without_a_picture_that_is_not_ours(
    channel: TelegramChannel, far_side: FarSide, tmp_path: Path, path: str
) -> None:
    (tmp_path.parent / "secret.jpg").write_bytes(JPEG)
    await channel.send(owed("灯坏了", photos=(Photo(path, "image/jpeg"),)))
    assert not far_side.calls("sendPhoto")
    assert [call.data["text"] for call in far_side.calls("sendMessage")] == ["灯坏了"]


async def test_a_refused_picture_does_not_take_the_words_with_it(
    channel: TelegramChannel, far_side: FarSide, tmp_path: Path
) -> None:
    (tmp_path / "a.jpg").write_bytes(JPEG)
    far_side.fault("sendPhoto", "400")
    await channel.send(owed("灯坏了", photos=(Photo("a.jpg", "image/jpeg"),)))
    assert [call.data["text"] for call in far_side.calls("sendMessage")] == ["灯坏了"]


@pytest.mark.parametrize("message", [owed(" \n"), owed("x", "微信")])
async def test_what_cannot_be_sent_is_said_at_once(
    channel: TelegramChannel, far_side: FarSide, message: object
) -> None:
    assert hasattr(message, "chat")
    with pytest.raises(PermanentFailure):
        await channel.send(message)  # type: ignore[arg-type]
    assert not far_side.calls("sendMessage")


async def test_a_flood_stops_one_chat_alone(channel: TelegramChannel, far_side: FarSide) -> None:
    far_side.fault("sendMessage", "429")
    with pytest.raises(RetryLater) as first:
        await channel.send(owed("一"))
    with pytest.raises(RetryLater) as second:
        await channel.send(owed("一"))
    assert (first.value.after, first.value.whole_channel) == (2, False)
    assert second.value.after is not None
    assert 1.5 < second.value.after <= 2
    await channel.send(owed("别人", 6))
    assert len(far_side.calls("sendMessage")) == 2  # the second try never left the house


async def test_who_blocked_us_is_unreachable(channel: TelegramChannel, far_side: FarSide) -> None:
    far_side.block(5)
    with pytest.raises(PermanentFailure) as refused:
        await channel.send(owed("在吗"))
    assert refused.value.unreachable


async def test_who_speaks_as_the_group_has_no_private_chat(
    channel: TelegramChannel, far_side: FarSide
) -> None:
    """What is meant for one would be read by all."""
    with pytest.raises(PermanentFailure) as refused:
        await channel.send(owed("师傅在路上", f"as:{GROUP}"))
    assert refused.value.unreachable
    assert not far_side.calls("sendMessage")


async def test_a_group_that_moved_is_followed_and_told(channel: TelegramChannel, far_side: FarSide) -> None:
    moves = []

    async def moved(old: str, new: str) -> None:
        moves.append((old, new))
        raise RuntimeError("database away")  # and the message goes out all the same

    channel.on_migrate = moved
    far_side.migrate(-41, GROUP)
    await channel.send(owed("一", -41))
    await channel.send(owed("二", -41))
    assert moves == [("-41", str(GROUP))]
    arrived = [call.data["chat_id"] for call in far_side.calls("sendMessage") if call.delivered]
    assert arrived == [str(GROUP)] * 2


@pytest.mark.parametrize(
    "case",
    [
        ("400", Lane.REPLY, PermanentFailure),
        ("401", Lane.REPLY, RetryLater),
        ("500", Lane.REPLY, RetryLater),
        ("502", Lane.NOTICE, RetryLater),
        ("drop", Lane.REPLY, RetryLater),
        ("lost", Lane.NOTICE, UnknownOutcome),
        ("hang", Lane.REPLY, UnknownOutcome),
        ("garbage", Lane.REPLY, UnknownOutcome),
    ],
)
async def test_what_a_failure_means(
    far_side: FarSide,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    case: tuple[str, Lane, type[Exception]],
) -> None:
    kind, lane, failure = case
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr(telegram_wire, "READ", 0.3)
    channel = channel_to(far_side, tmp_path)
    far_side.fault("sendMessage", kind)
    with pytest.raises(failure) as failed:
        await channel.send(owed("在吗", lane=lane))
    told = "".join(traceback.format_exception(failed.value)) + caplog.text
    assert TOKEN not in told
    assert TOKEN.partition(":")[2] not in told
    await channel.close()


async def test_when_nothing_was_sent_it_may_be_sent_again(
    channel: TelegramChannel, far_side: FarSide
) -> None:
    await far_side.stop()
    with pytest.raises(RetryLater) as failed:
        await channel.send(owed("在吗", lane=Lane.NOTICE))
    assert failed.value.whole_channel
    assert TOKEN not in "".join(traceback.format_exception(failed.value))
    await far_side.start()
    await channel.send(owed("在吗"))
    assert len(far_side.calls("sendMessage")) == 1


async def test_after_half_has_arrived_the_whole_is_not_offered_again(
    channel: TelegramChannel, far_side: FarSide
) -> None:
    far_side.fault("sendMessage", "500", body="末尾")
    with pytest.raises(UnknownOutcome, match="前 1 段，共 2 段"):
        await channel.send(owed("停水。" * 2000 + "末尾"))


async def test_a_chat_has_its_pace_and_the_others_go_on(channel: TelegramChannel, far_side: FarSide) -> None:
    for number in range(3):
        await channel.send(owed(str(number)))
    loop = asyncio.get_running_loop()
    begun = loop.time()
    fourth = asyncio.create_task(channel.send(owed("3")))
    await asyncio.sleep(0)
    with pytest.raises(RetryLater) as fifth:  # two places behind: it gives its place to others
        await channel.send(owed("4"))
    assert fifth.value.after is not None
    assert 1.5 < fifth.value.after <= 2.2
    await channel.send(owed("别人", 6))
    assert loop.time() - begun < 0.5
    await fourth
    assert 0.7 < loop.time() - begun < 1.6
    assert len(far_side.calls("sendMessage")) == 5


async def test_forty_chats_that_hang_leave_a_line_for_another(
    far_side: FarSide, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telegram_sending, "PER_SECOND", 10_000)
    channel = channel_to(far_side, tmp_path)
    far_side.fault("sendMessage", "hang", times=-1, body='"chat_id": "?5[0-9][0-9]"?[,}]')
    hanging = [asyncio.create_task(channel.send(owed("在吗", chat))) for chat in range(500, 540)]
    await until(lambda: len(far_side.calls("sendMessage")) == 40, 2)
    async with asyncio.timeout(1):
        await channel.send(owed("别人", 6))
    for task in hanging:
        task.cancel()
    await asyncio.gather(*hanging, return_exceptions=True)
    await channel.close()


def test_a_group_hears_at_most_twenty_a_minute() -> None:
    slots = Counted(20, 61)
    for number in range(20):
        assert slots.wait(number) == 0
        slots.book(number)
    assert slots.wait(20) == 41
    assert slots.wait(61) == 0
    assert not slots.idle(79)
    assert slots.idle(80)


async def test_a_group_is_not_told_twenty_things_at_once() -> None:
    pace = Pace(per_second=1000, chat_every=0.1, chat_burst=3, group_minute=5)
    assert [await pace.turn(-1, group=True, patience=0) for _ in range(3)] == [0, 0, 0]
    assert 0 < await pace.turn(-1, group=True, patience=0) <= 0.1
    assert await pace.turn(-1, group=True, patience=0.2) == 0
    assert await pace.turn(-1, group=True, patience=0.2) == 0
    assert await pace.turn(-1, group=True, patience=0.2) > 60


def test_a_pause_earns_a_burst_and_no_more() -> None:
    slots = Spaced(1, burst=3)
    for _ in range(3):
        assert slots.wait(100) == 0
        slots.book(100)
    assert slots.wait(100) == 1
    assert slots.wait(101) == 0
    assert slots.idle(103)


async def test_chats_at_rest_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Pace, "REMEMBERED", 2)
    pace = Pace(per_second=1000, chat_every=0.01, chat_burst=1, group_minute=1)
    for chat in range(1, 6):
        assert await pace.turn(chat, group=False, patience=1) == 0
        await asyncio.sleep(0.02)
    assert len(pace._chats) <= 2
    assert await pace.turn(-1, group=True, patience=1) == 0
    assert await pace.turn(-1, group=True, patience=1) > 60


async def test_all_chats_together_keep_the_common_pace() -> None:
    pace = Pace(per_second=50, chat_every=1, chat_burst=3, group_minute=20)
    begun = asyncio.get_running_loop().time()
    await asyncio.gather(*(pace.turn(chat, group=False, patience=1) for chat in range(1, 11)))
    assert asyncio.get_running_loop().time() - begun >= 9 / 50


async def test_a_chat_nobody_waits_for_is_forgotten() -> None:
    turns, order = Turns(), []

    async def speak(chat: str, what: str) -> None:
        async with turns.of(chat):
            await asyncio.sleep(0)
            order.append(what)

    await asyncio.gather(speak("a", "一"), speak("a", "二"), speak("b", "甲"), speak("a", "三"))
    assert [one for one in order if one != "甲"] == ["一", "二", "三"]
    assert not turns._chats


@pytest.mark.parametrize(
    ("text", "most", "parts"),
    [
        ("", 10, []),
        ("短", 10, ["短"]),
        ("第一行\n第二行\n第三行", 8, ["第一行\n第二行", "第三行"]),
        ("今天停水。明天来水！后天", 11, ["今天停水。明天来水！", "后天"]),
        ("他说“好。”然后走了很远", 8, ["他说“好。”", "然后走了很远"]),
        ("没有标点，只有逗号的长句", 9, ["没有标点，", "只有逗号的长句"]),
        ("abcdefghij", 4, ["abcd", "efgh", "ij"]),
        ("😀😀😀😀😀", 5, ["😀😀", "😀😀", "😀"]),
        (f"一二三四{FAMILY}五", 12, ["一二三四", f"{FAMILY}五"]),
        ("好好好👍🏽好", 5, ["好好好", "👍🏽好"]),
        ("一二三🇨🇳🇨🇳", 9, ["一二三🇨🇳", "🇨🇳"]),
    ],
)
def test_text_is_cut_where_a_reader_would(text: str, most: int, parts: list[str]) -> None:
    assert split(text, most) == parts


def test_parts_fit_and_lose_nothing() -> None:
    for size in (100, 4096):
        for text in (
            FAMILY * 700,
            "水管😀漏了，" * 1500,
            "e\u0301" * 5000,
            "\n\n".join("段落。" * 20 for _ in range(99)),
        ):
            parts = split(text, size)
            assert all(0 < units(part) <= size for part in parts)
            assert "".join(parts).replace("\n", "") == text.replace("\n", "")


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (JPEG, "image/jpeg"),
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
        (b"GIF89a", "image/gif"),
        (b"<svg onload=x>", ""),
        (b"RIFF\0\0\0\0WAVE", ""),
        (b"", ""),
    ],
)
def test_a_picture_is_known_by_its_first_bytes(data: bytes, kind: str) -> None:
    assert media_type(data) == kind


def test_nothing_reaches_a_database_that_it_refuses() -> None:
    assert clean("坏\ud83d字\0符\U0001f600") == "坏\ufffd字符\U0001f600"
