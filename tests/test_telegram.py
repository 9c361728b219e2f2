"""Telegram, inwards: recorded updates become messages, and its callbacks are answered honestly."""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
from collections.abc import AsyncIterator
from dataclasses import asdict
from io import BytesIO
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from telegram import Bot

from bot.channels import telegram as channel_module
from bot.channels.base import Incoming
from bot.channels.pace import Patience
from bot.channels.telegram import TelegramChannel
from bot.channels.telegram_reading import Aside, Heard, Me, read
from tests.fakes.telegram import BOT_ID, JPEG, SECRET, TOKEN, USERNAME, FarSide, push
from tests.fakes.telegram_house import House, channel_to, said, serving, until

RECORDINGS = sorted((Path(__file__).parent / "wire" / "telegram").glob("*.json"))
BOT = Bot(TOKEN)
ME = Me(BOT_ID, USERNAME, ("邻里",))
PNG = b"\x89PNG\r\n\x1a\n and so on"
SIZES = [{"file_id": "F9", "file_unique_id": "u9", "width": 800, "height": 600, "file_size": 30}]


@pytest.fixture
async def house(far_side: FarSide, tmp_path: Path) -> AsyncIterator[House]:
    async with serving(far_side, tmp_path / "uploads") as house:
        await until(lambda: far_side.webhook() and far_side.calls("getMe"))
        await asyncio.sleep(0.02)
        yield house


def _recording(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.stem)
def test_a_recorded_update_becomes_what_was_said(path: Path) -> None:
    recorded = _recording(path)
    heard = read(recorded["update"], BOT, ME)
    if isinstance(heard, Aside):
        assert heard.reason == recorded["aside"]
        return
    wanted = {name: value for name, value in recorded["incoming"].items() if name != "photos"}
    assert asdict(heard.incoming) == asdict(Incoming(**wanted))
    assert len(heard.pictures) == recorded["incoming"]["photos"]
    assert heard.album == recorded.get("album", "")
    assert heard.button == (tuple(recorded["button"]) if "button" in recorded else None)


@pytest.mark.parametrize(
    ("text", "meant", "addressed"),
    [
        ("麻烦 @linli_test_bot 看看电梯", "麻烦 看看电梯", True),
        ("@linli_test_bot报修", "报修", True),
        ("@邻里 @linli_test_bot：报修", "报修", True),
        ("＠邻里，报修", "报修", True),
        ("@linli_test_bot2 报修", "@linli_test_bot2 报修", False),
        ("写信到 wang@邻里 也行", "写信到 wang@邻里 也行", False),
        ("@邻里", "", True),
        ("/help@linli_test_bot", "帮助", True),
        ("/HELP 怎么用", "帮助", True),
        ("/ticket@Linli_Test_Bot 3", "/ticket 3", True),
        ("/start报修", "/start报修", False),
    ],
)
def test_our_name_is_taken_out(text: str, meant: str, addressed: bool) -> None:
    heard = read(said(1, text, chat=-100), BOT, ME)
    assert isinstance(heard, Heard)
    assert (heard.incoming.text, heard.incoming.addressed) == (meant, addressed)


def test_the_largest_size_of_a_photo_is_meant() -> None:
    [path] = [path for path in RECORDINGS if path.stem == "photo_with_caption"]
    heard = read(_recording(path)["update"], BOT, ME)
    assert isinstance(heard, Heard)
    assert heard.pictures == (("AgAClarge", "AQADl"),)


def test_while_our_username_is_unknown_every_bot_may_be_us() -> None:
    heard = read(said(1, "@some_bot 报修", chat=-100), BOT, Me(BOT_ID, "", ("邻里",)))
    assert isinstance(heard, Heard)
    assert (heard.incoming.text, heard.incoming.addressed) == ("报修", True)


@pytest.mark.parametrize("secret", [None, "", "有汉字", "a b"])
def test_a_webhook_without_a_secret_is_refused(tmp_path: Path, secret: str | None) -> None:
    with pytest.raises(ValueError, match="LINLI_TELEGRAM_WEBHOOK_SECRET"):
        TelegramChannel(TOKEN, webhook_url="https://x.example", webhook_secret=secret, uploads=tmp_path)


@pytest.mark.parametrize("token", ["", " ", "12:ab/../c"])
def test_a_blank_or_broken_token_is_refused_without_being_told(tmp_path: Path, token: str) -> None:
    with pytest.raises(ValueError, match="LINLI_TELEGRAM_TOKEN") as refused:
        TelegramChannel(token, uploads=tmp_path)
    assert not token.strip() or token not in str(refused.value)


async def test_the_webhook_is_announced_with_its_secret(house: House, far_side: FarSide) -> None:
    [call] = far_side.calls("setWebhook")
    assert (call.data["url"], call.data["secret_token"]) == (house.url, SECRET)
    assert call.data["allowed_updates"] == ["message", "edited_message", "callback_query"]


async def test_a_message_is_handled_before_it_is_acknowledged(house: House) -> None:
    assert await house.told(said(7, "水管漏了")) == [200]
    assert house.heard == [Incoming("telegram", "7", "5", "5", "水管漏了", "芳", mark="7")]


async def test_a_repeat_has_the_same_id(house: House) -> None:
    assert await house.told(said(7, "水管漏了")) == [200]
    assert await house.told(said(7, "水管漏了")) == [200]
    assert house.heard[0] == house.heard[1]


@pytest.mark.parametrize("secret", ["", "wrong", SECRET + "x", "密码"])
async def test_a_wrong_secret_is_refused(house: House, secret: str) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.post(
            house.url, json=said(1, "x"), headers={"X-Telegram-Bot-Api-Secret-Token": secret}
        ) as answer,
    ):
        assert (answer.status, await answer.text()) == (401, "wrong secret\n")
    assert not house.heard
    assert house.channel.counters.items() == {"wrong secret": 1}


async def test_the_secret_is_compared_in_constant_time(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """On bytes: hmac refuses to compare text that is not ASCII, and a 500 would tell."""
    compared: list[tuple[bytes, bytes]] = []

    def compare(given: bytes, ours: bytes) -> bool:
        compared.append((given, ours))
        return bool(real(given, ours))

    real = hmac.compare_digest
    monkeypatch.setattr(hmac, "compare_digest", compare)
    for secret, status in (("密码", 401), (SECRET[:-1], 401), (SECRET, 200)):
        assert await push(house.url, secret, said(1, "水管漏了")) == [status]
    assert [given for given, _ in compared] == ["密码".encode(), SECRET[:-1].encode(), SECRET.encode()]
    assert {ours for _, ours in compared} == {SECRET.encode()}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"x" * (1024 * 1024 + 1), 413),
        (b"{not json", 400),
        (b"\xff\xfe\xff", 400),
        (b"[" * 100_000, 400),
        (b"[1]", 400),
        (b"null", 400),
        (b"{}", 400),
        (b'{"update_id": "1"}', 400),
        (b'{"update_id": true}', 400),
        (b'{"update_id": 1' + b"0" * 5000 + b"}", 400),
    ],
)
async def test_a_body_that_is_no_update_is_refused(house: House, body: bytes, status: int) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.post(
            house.url, data=BytesIO(body), headers={"X-Telegram-Bot-Api-Secret-Token": SECRET}
        ) as answer,
    ):
        assert answer.status == status
        assert (await answer.text()).count("\n") == 1
    assert sum(house.channel.counters.items().values()) == 1


async def test_a_body_that_grows_without_saying_so_is_refused(house: House) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b" " * 64 * 1024

    head = {"X-Telegram-Bot-Api-Secret-Token": SECRET}
    async with (
        aiohttp.ClientSession() as session,
        session.post(house.url, data=endless(), headers=head) as answer,
    ):
        assert answer.status == 413


async def test_what_we_cannot_read_is_acknowledged_and_counted(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    asides = [found for path in RECORDINGS if "aside" in (found := _recording(path))]
    for recorded in asides:
        assert await house.told(recorded["update"]) == [200]
    assert not house.heard
    counted = house.channel.counters.items()
    assert counted["unreadable"] >= 5
    assert counted["unknown"] == 2
    assert counted["edited"] == 1
    assert sum(counted.values()) == len(asides)
    assert "hello" not in caplog.text


async def test_what_was_not_kept_is_sent_again(house: House) -> None:
    fails = [RuntimeError("database away")]

    async def obey(_: Incoming) -> None:
        if fails:
            raise fails.pop()

    house.obey = obey
    assert await house.told(said(7, "水管漏了"), tries=3) == [503, 200]
    assert house.texts == ["水管漏了"]
    assert house.channel.counters.items() == {"not kept": 1}


async def test_a_slow_chat_keeps_its_order_and_delays_nobody(house: House) -> None:
    slow = asyncio.Event()

    async def obey(incoming: Incoming) -> None:
        if incoming.text == "慢":
            await slow.wait()

    house.obey = obey
    first = asyncio.create_task(house.told(said(1, "慢")))
    await asyncio.sleep(0.05)
    second = asyncio.create_task(house.told(said(2, "快")))
    await asyncio.sleep(0.05)
    assert await house.told(said(3, "别人", chat=6)) == [200]
    assert house.texts == ["别人"]
    slow.set()
    await asyncio.gather(first, second)
    assert house.texts == ["别人", "慢", "快"]


async def test_a_photo_is_kept_under_a_name_of_ours(house: House, far_side: FarSide, tmp_path: Path) -> None:
    far_side.file("F9", PNG)
    for _ in range(2):
        assert await house.told(said(1, "", caption="楼道灯坏了", photo=SIZES)) == [200]
    one, again = house.heard
    assert one == again
    assert one.text == "楼道灯坏了"
    [photo] = one.photos
    assert photo.media_type == "image/png"
    assert "F9" not in photo.path
    assert "u9" not in photo.path
    assert [path.name for path in (tmp_path / "uploads").iterdir()] == [photo.path]
    assert (tmp_path / "uploads" / photo.path).read_bytes() == PNG


async def test_pictures_of_a_group_that_does_not_speak_to_us_are_not_fetched(
    house: House, far_side: FarSide, tmp_path: Path
) -> None:
    far_side.file("F9", JPEG)
    assert await house.told(said(1, "", chat=-100, caption="晚饭", photo=SIZES)) == [200]
    assert not house.heard[0].photos
    assert not far_side.calls("getFile")
    assert not (tmp_path / "uploads").exists()


@pytest.mark.parametrize("trouble", ["missing", "no picture", "getFile 500", "download", "slow"])
async def test_a_lost_picture_loses_no_words(
    house: House, far_side: FarSide, trouble: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(channel_module, "PICTURE_SECONDS", 0.3)
    if trouble != "missing":
        far_side.file("F9", b"<html>" if trouble == "no picture" else JPEG)
    match trouble:
        case "getFile 500":
            far_side.fault("getFile", "500")
        case "slow":
            far_side.fault("getFile", "hang")
        case "download":
            far_side.fault("file", "500")
    assert await house.told(said(1, "", caption="灯坏了", photo=SIZES)) == [200]
    assert (house.heard[0].text, house.heard[0].photos) == ("灯坏了", ())
    assert not list((tmp_path / "uploads").glob("*"))


async def test_a_tap_is_confirmed_beside_the_answer(house: House, far_side: FarSide) -> None:
    far_side.fault("answerCallbackQuery", "hang")
    [path] = [path for path in RECORDINGS if path.stem == "callback_query"]
    async with asyncio.timeout(2):
        assert await house.told(_recording(path)["update"]) == [200]
    assert house.texts == ["是，报修"]
    await until(lambda: far_side.calls("answerCallbackQuery"))
    assert far_side.calls("answerCallbackQuery")[0].data["callback_query_id"] == "22376900001"


async def test_a_handle_becomes_the_words_behind_it(house: House) -> None:
    asked = []

    async def words(chat: str, message: int, number: int) -> str:
        asked.append((chat, message, number))
        if len(asked) == 1:
            raise RuntimeError("database away")
        return "很长的话"

    house.channel.words = words
    [path] = [path for path in RECORDINGS if path.stem == "callback_handle"]
    assert await house.told(_recording(path)["update"], tries=2) == [503, 200]
    assert house.texts == ["很长的话"]
    assert asked == [("-1002100000001", 412, 1)] * 2


async def test_what_looks_like_a_handle_and_is_written_is_words(house: House) -> None:
    assert await house.told(said(1, "button:412.1")) == [200]
    assert house.texts == ["button:412.1"]


@pytest.mark.parametrize("side", ["migrated", "migrated_here"])
async def test_a_group_that_moved_tells_the_house_before_it_is_acknowledged(house: House, side: str) -> None:
    moves = []

    async def moved(old: str, new: str) -> None:
        moves.append((old, new))
        if len(moves) == 1:
            raise RuntimeError("database away")

    house.channel.on_migrate = moved
    [path] = [path for path in RECORDINGS if path.stem == side]
    assert await house.told(_recording(path)["update"], tries=3) == [503, 200]
    assert await house.told(_recording(path)["update"]) == [200]
    assert moves == [("-4100000001", "-1002100000077")] * 2


async def test_telegram_may_be_away_at_the_start(
    far_side: FarSide, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr(Patience, "FIRST", 0.05)
    monkeypatch.setattr(Patience, "MOST", 0.1)
    monkeypatch.setattr(channel_module, "NAME_SECONDS", 0.1)
    await far_side.stop()
    async with serving(far_side, tmp_path) as house:
        assert await house.told(said(1, "@linli_test_bot 报修", chat=-100)) == [200]
        assert house.heard[0].addressed
        assert await house.channel.probe() == "连不上 Telegram：请检查网络；需要代理时设 HTTPS_PROXY。"
        await far_side.start()
        await until(lambda: far_side.webhook() and far_side.calls("getMe"))
        assert await house.told(said(2, "@other_bot 报修", chat=-100)) == [200]
        assert not house.heard[1].addressed
    assert TOKEN not in caplog.text


async def test_the_doctor_says_what_to_do(house: House, far_side: FarSide) -> None:
    assert await house.channel.probe() == ""
    far_side.fault("getMe", "401")
    assert "LINLI_TELEGRAM_TOKEN" in await house.channel.probe()
    far_side.fault("getMe", "502")
    assert "请过几分钟再试" in await house.channel.probe()


async def test_before_it_listens_nothing_is_acknowledged(far_side: FarSide, tmp_path: Path) -> None:
    from aiohttp import web

    channel = channel_to(far_side, tmp_path, webhook_url="https://x.example/telegram", webhook_secret=SECRET)
    app = web.Application()
    app.add_routes(channel.routes())
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/telegram"
    assert await push(url, SECRET, said(1, "x")) == [503]
    await runner.cleanup()
    await channel.close()


@pytest.mark.parametrize(
    "broken", [{"reply_to_message": {"poll": {}}}, {"entities": [None]}, {"poll": {"id": "1"}}]
)
def test_one_field_that_nobody_knows_does_not_lose_the_words(broken: dict[str, Any]) -> None:
    heard = read(said(1, "水管漏了", **broken), BOT, ME)
    assert isinstance(heard, Heard)
    assert heard.incoming == Incoming("telegram", "1", "5", "5", "水管漏了", "芳", mark="1")
