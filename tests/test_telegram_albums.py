"""Albums on Telegram: several updates, one message, nothing lost between them."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.albums import KeptParts
from bot.channels import telegram_albums, telegram_sending
from bot.channels.base import Incoming
from bot.channels.pace import Patience
from bot.messages import Part
from tests.fakes.telegram import JPEG, FarSide
from tests.fakes.telegram_house import GROUP, LI, NEIGHBOURS, WANG, Lived, lived_in, said, until
from tests.house import rows, turn

_updates = itertools.count(7000)


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telegram_albums, "QUIET", 0.3)
    monkeypatch.setattr(telegram_sending, "CHAT_EVERY", 0.01)
    monkeypatch.setattr(Patience, "FIRST", 0.05)
    monkeypatch.setattr(Patience, "MOST", 0.1)


@pytest.fixture(params=[True, False], ids=["webhook", "polling"])
async def lived(
    request: pytest.FixtureRequest,
    far_side: FarSide,
    database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Lived]:
    monkeypatch.chdir(tmp_path)
    for number in range(1, 5):
        far_side.file(f"F{number}", JPEG + bytes([number]))
    async with lived_in(far_side, database_url, *NEIGHBOURS, webhook=request.param) as lived:
        yield lived


def part(number: int, caption: str = "", chat: int = WANG, album: str = "A", **more: Any) -> dict[str, Any]:
    """A picture of an album."""
    size = {"file_id": f"F{number}", "file_unique_id": f"u{number}", "width": 800, "height": 600}
    sender = {"id": WANG, "is_bot": False, "first_name": "芳"}
    words = {"caption": caption} if caption else {}
    return said(
        next(_updates), "", chat, photo=[size], media_group_id=album, **{"from": sender}, **words, **more
    )


async def pictures(lived: Lived) -> dict[int, list[bytes]]:
    """The pictures of each ticket, in order."""
    found: dict[int, list[bytes]] = {}
    for row in await rows(
        lived.house, "select t.ref, p.path from photo p join ticket t on t.id = p.ticket_id order by p.id"
    ):
        data = (lived.house.uploads / row["path"]).read_bytes()
        found.setdefault(row["ref"], []).append(data.removeprefix(JPEG))
    return found


async def settled(lived: Lived) -> bool:
    found = await rows(lived.house, "select state from conversation")
    return not any('"parts"' in row["state"] for row in found)


async def until_settled(lived: Lived) -> None:
    async with asyncio.timeout(5):
        while not await settled(lived):
            await asyncio.sleep(0.01)


async def test_an_album_is_one_message(lived: Lived) -> None:
    await lived.told(part(1, "楼道的灯坏了"), part(2), part(3))
    await lived.hears(WANG, "已报修 #1")
    await lived.hears(LI, "【新报修】")
    assert await pictures(lived) == {1: [b"\1", b"\2", b"\3"]}
    await until(lambda: len(lived.heard(LI)) == 4)  # the alert and its three pictures
    assert len(lived.heard(WANG)) == 1


async def test_parts_come_as_they_like(lived: Lived) -> None:
    """The words with the last picture, which comes first, and everything twice."""
    three, one, two = part(3, "楼道的灯坏了", message_id=9), part(1, message_id=7), part(2, message_id=8)
    await lived.told(three, three, one, two, two)
    await lived.hears(WANG, "已报修 #1")
    if lived.url:  # by polling nothing comes again that was confirmed
        await lived.told(two, three, one)
    assert await settled(lived)  # nothing began anew
    assert await pictures(lived) == {1: [b"\1", b"\2", b"\3"]}
    assert len(lived.heard(WANG)) == 1


async def test_a_late_part_goes_where_the_others_went(lived: Lived) -> None:
    first = part(1, "楼道的灯坏了")
    await lived.told(first)
    await lived.hears(WANG, "已报修 #1")
    late = part(2)
    await lived.told(first, late, late)
    await lived.hears(WANG, "照片")
    await lived.told(late)
    assert await settled(lived)
    assert await pictures(lived) == {1: [b"\1", b"\2"]}
    assert await rows(lived.house, "select ref from ticket") == [{"ref": 1}]
    assert len(lived.heard(WANG)) == 2


async def test_what_is_said_after_an_album_is_heard_after_it(
    lived: Lived, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telegram_albums, "QUIET", 60)
    await lived.told(part(1, "楼道的灯坏了"), part(2), said(next(_updates), "改成明早", WANG))
    await lived.hears(WANG, "#1", "明天早上")
    assert await pictures(lived) == {1: [b"\1", b"\2"]}
    assert "已报修 #1" in lived.heard(WANG)[0]


async def test_two_albums_are_two_messages(lived: Lived) -> None:
    await lived.told(part(1, "楼道的灯坏了"), part(2))
    await lived.told(part(3, "厨房水管漏水了", album="B"), part(4, album="B"))
    await lived.hears(WANG, "已报修 #2")
    assert await pictures(lived) == {1: [b"\1", b"\2"], 2: [b"\3", b"\4"]}


async def test_changed_words_correct_what_the_album_filed(lived: Lived) -> None:
    first = part(1, "楼道的灯坏了")
    await lived.told(first, part(2))
    await lived.hears(WANG, "已报修 #1")
    turn(lived.house, minutes=1)
    message = first["message"] | {"caption": "楼道的灯坏了，一闪一闪的", "edit_date": 1741350960}
    changed = {"update_id": next(_updates), "edited_message": message}
    await lived.told(changed, changed)
    await lived.hears(WANG, "已补充到 #1")
    assert await pictures(lived) == {1: [b"\1", b"\2"]}
    assert len(lived.heard(WANG)) == 2


async def test_pictures_without_words_are_asked_about_once(lived: Lived) -> None:
    await lived.told(part(1), part(2))
    await lived.hears(WANG, "照片收到了")
    await lived.told(said(next(_updates), "楼道的灯坏了", WANG))
    await lived.hears(WANG, "已报修 #1")
    assert await pictures(lived) == {1: [b"\1", b"\2"]}
    assert len(lived.heard(WANG)) == 2


async def test_in_a_group_one_part_speaks_for_all(lived: Lived) -> None:
    await lived.told(part(1, chat=GROUP), part(2, "@邻里 楼道的灯坏了", GROUP), part(3, chat=GROUP))
    await lived.hears(GROUP, "#1")
    assert await pictures(lived) == {1: [b"\1", b"\2", b"\3"]}
    assert len(lived.heard(GROUP)) == 1


async def test_what_a_group_shows_itself_is_not_kept(lived: Lived, far_side: FarSide) -> None:
    await lived.told(part(1, "晚饭", GROUP), part(2, chat=GROUP))
    await until_settled(lived)
    assert not far_side.calls("getFile")
    assert not lived.heard(GROUP)
    kept = await rows(lived.house, "select text, photos from inbox")
    assert {(row["text"], row["photos"]) for row in kept} == {("", "")}


async def test_an_album_that_could_not_be_kept_is_tried_again(
    lived: Lived, monkeypatch: pytest.MonkeyPatch
) -> None:
    handle, fails = lived.house.pipeline.handle, [RuntimeError("database away")]

    async def away(message: Incoming) -> None:
        if fails:
            raise fails.pop()
        await handle(message)

    monkeypatch.setattr(lived.channel, "_handle", away)
    await lived.told(part(1, "楼道的灯坏了"), part(2))
    await lived.hears(WANG, "已报修 #1")
    assert await pictures(lived) == {1: [b"\1", b"\2"]}


async def test_a_part_that_could_not_be_kept_is_not_acknowledged(
    lived: Lived, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = lived.channel.parts
    assert kept is not None
    keep, fails = kept.keep, [RuntimeError("database away")]

    async def away(one: Any) -> bool:
        if fails:
            raise fails.pop()
        return await keep(one)

    monkeypatch.setattr(kept, "keep", away)
    first = part(1, "楼道的灯坏了")
    if lived.url:
        from tests.fakes.telegram import SECRET, push

        assert await push(lived.url, SECRET, first, tries=3) == [503, 200]
    else:
        await lived.told(first)
    assert not fails
    await lived.hears(WANG, "已报修 #1")


async def test_a_part_that_another_process_took_belongs_to_it(lived: Lived) -> None:
    await lived.told(part(1, "楼道的灯坏了"))
    other, update = KeptParts(lived.house.store, lived.house.clock, "telegram"), part(2)
    taken = Part("telegram", str(update["update_id"]), str(WANG), str(WANG), "A", json.dumps(update))
    assert await other.keep(taken)
    assert not await other.keep(taken)
    await lived.hears(WANG, "已报修 #1")
    assert await pictures(lived) == {1: [b"\1", b"\2"]}
    assert await settled(lived)


async def test_after_a_crash_the_album_is_as_if_nothing_had_been(
    far_side: FarSide, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(telegram_albums, "QUIET", 60)
    for number in range(1, 4):
        far_side.file(f"F{number}", JPEG + bytes([number]))
    parts = [part(1, "楼道的灯坏了"), part(2), part(3)]
    async with lived_in(far_side, database_url, *NEIGHBOURS) as lived:
        await lived.told(*parts[:2])
        assert not await settled(lived)
    monkeypatch.setattr(telegram_albums, "QUIET", 0.3)
    async with lived_in(far_side, database_url) as lived:
        await lived.told(parts[1], parts[2])
        await lived.hears(WANG, "已报修 #1")
        assert await settled(lived)
        assert await pictures(lived) == {1: [b"\1", b"\2", b"\3"]}
        assert len(lived.heard(WANG)) == 1
