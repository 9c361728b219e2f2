"""The newcomer's story on Telegram: the real process, real HTTP, by webhook and by polling."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bot import office
from bot.config import Settings
from tests.fakes.telegram import SECRET, FarSide, free_socket, push
from tests.fakes.telegram_house import until

ROOT = Path(__file__).parents[1]
WANG, LI, GROUP = 111, 222, -100
_updates = itertools.count(5000)
Tell = Callable[[dict[str, Any]], Awaitable[None]]


@asynccontextmanager
async def running(far: FarSide, folder: Path, *, webhook: bool) -> AsyncIterator[Tell]:
    """`linli run` beside the pretended Telegram; yields how an update reaches it."""
    with free_socket() as held:
        port = held.getsockname()[1]
    url = f"http://127.0.0.1:{port}/telegram"
    env = {name: value for name, value in os.environ.items() if not name.startswith("LINLI_")}
    env |= {
        "LINLI_DATABASE_URL": f"sqlite://{folder}/linli.db",
        "LINLI_PORT": str(port),
        "LINLI_TELEGRAM_TOKEN": far.token,
        "LINLI_TELEGRAM_API_BASE": f"{far.base}/bot",
        "LINLI_TELEGRAM_FILE_BASE": f"{far.base}/file/bot",
        "PYTHONPATH": str(ROOT),
    }
    if webhook:
        env |= {"LINLI_TELEGRAM_WEBHOOK_URL": url, "LINLI_TELEGRAM_WEBHOOK_SECRET": SECRET}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "run", cwd=folder, env=env,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    assert process.stdout is not None
    line = await asyncio.wait_for(process.stdout.readline(), 20)
    assert b"http://" in line

    async def tell(update: dict[str, Any]) -> None:
        if webhook:
            assert await push(url, SECRET, update, 1) == [200]
            assert await push(url, SECRET, update, 1) == [200]  # as Telegram does when an answer is lost
        else:
            far.queue(update)

    try:
        if webhook:
            await until(lambda: far.webhook().get("url") == url, 10)
        yield tell
    finally:
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 10) == 0


def message(sender: int, text: str, chat: int | None = None) -> dict[str, Any]:
    number = next(_updates)
    where = chat or sender
    kind = {"type": "private", "first_name": "芳"} if where > 0 else {"type": "group", "title": "业主群"}
    command = {"type": "bot_command", "offset": 0, "length": len(text.split(maxsplit=1)[0])}
    return {
        "update_id": number,
        "message": {
            "message_id": number,
            "from": {"id": sender, "is_bot": False, "first_name": "居民"},
            "chat": {"id": where, **kind},
            "date": 1741350900,
            "text": text,
        }
        | ({"entities": [command]} if text.startswith("/") else {}),
    }


def tap(sender: int, data: str) -> dict[str, Any]:
    number = next(_updates)
    return {
        "update_id": number,
        "callback_query": {
            "id": str(number),
            "from": {"id": sender, "is_bot": False, "first_name": "师傅"},
            "chat_instance": "1",
            "data": data,
            "message": {
                "message_id": 1,
                "date": 1741350900,
                "chat": {"id": sender, "type": "private", "first_name": "师傅"},
                "text": "x",
            },
        },
    }


def told(far: FarSide, chat: int) -> list[str]:
    """What a chat was told, oldest first."""
    return [
        str(call.data["text"])
        for call in far.calls("sendMessage")
        if call.delivered and str(call.data["chat_id"]) == str(chat)
    ]


async def hears(far: FarSide, chat: int, *words: str) -> str:
    """Wait until the chat is told one message with all these words; that message."""

    def found() -> list[str]:
        return [text for text in told(far, chat) if all(word in text for word in words)]

    try:
        await until(found, 15)
    except TimeoutError:
        pytest.fail(f"{chat} was not told {words}, but: {told(far, chat)}")
    return found()[-1]


@pytest.mark.parametrize("webhook", [True, False], ids=["webhook", "polling"])
async def test_a_sentence_becomes_a_ticket_that_staff_claim(
    far_side: FarSide, tmp_path: Path, webhook: bool
) -> None:
    settings = Settings(database_url=f"sqlite://{tmp_path}/linli.db")
    resident = await office.invite(settings, slug="xingfuli", role="resident", name="王芳", home="3-2-501")
    staff = await office.invite(settings, slug="xingfuli", role="staff", name="老李", trade="水电")
    async with running(far_side, tmp_path, webhook=webhook) as tell:
        await tell(message(WANG, f"/start {resident}"))
        await hears(far_side, WANG, "王芳", "3栋2单元501")
        await tell(message(LI, staff))
        await hears(far_side, LI, "老李")
        await tell(message(WANG, "厨房水管漏水了，麻烦派人来看看"))
        await hears(far_side, WANG, "#1", "水管", "3栋2单元501厨房")
        await hears(far_side, LI, "【新报修】", "#1", "接 1")
        alert = next(call for call in far_side.calls("sendMessage") if "新报修" in str(call.data.get("text")))
        (button,) = alert.data["reply_markup"]["inline_keyboard"][0]
        assert button["callback_data"] == "接 1"
        await tell(tap(LI, button["callback_data"]))
        await hears(far_side, LI, "#1", "归您了")
        await hears(far_side, WANG, "老李", "接了 #1")
        await tell(message(WANG, "@邻里 活动室的灯坏了", GROUP))
        in_group = await hears(far_side, GROUP, "#2", "活动室")
        assert "501" not in in_group
        await tell(message(LI, "今天天气不错", GROUP))
        await tell(message(LI, "1 修好了"))
        await hears(far_side, WANG, "修好了", "1 好了", "2 还没好")
        await tell(message(WANG, "1"))
        await hears(far_side, LI, "#1", "确认已解决")
        assert len(told(far_side, GROUP)) == 1
        assert len([text for text in told(far_side, WANG) if "已报修 #1" in text]) == 1
