"""Every story in tests/chats/ holds, letter by letter; and the player itself tells right from wrong."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot.responses import Wording
from bot.script import play_files, unmatched
from bot.script_reading import ScriptError
from tests import (
    test_binding,
    test_booking,
    test_dispatch,
    test_edits,
    test_orders,
    test_paste,
    test_staff_group,
    test_turns,
)
from tests.chat import chats, heard, play, verdict

HEAD = """= 2026-03-04 10:00
王芳 = resident @telegram:1 3栋2单元501
老李 = staff @wecom:li 水电
小丁 = unbound @web:ding
群 = group @telegram:-100
"""


@pytest.mark.parametrize("path", chats(), ids=lambda path: path.stem)
async def test_story(path: Path) -> None:
    faults, _ = await verdict(path)
    assert not faults, "\n".join(faults)


async def test_every_wording_is_spoken(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a story; or, where no story can bring it about, in a test of its own."""
    wording = Wording.load()
    spoken = {key for key in wording.keys if key.endswith(".offer")}  # test_wording.py says them
    for path in chats():
        spoken |= (await verdict(path))[1]
    with heard(spoken):
        await test_binding.test_by_code()
        await test_booking.without_catalogue()
        await test_booking.full()
        await test_booking.forgotten()
        await test_dispatch.automatic()
        await test_dispatch.by_the_lead()
        await test_edits.declined()
        await test_turns.anonymous()
        await test_turns.trouble()
        await test_turns.one_of_several()
        await test_orders.waits()
        await test_paste.too_long()
        await test_paste.too_many()
        await test_staff_group.told()
        await test_staff_group.unreached()
        for corner in (test_turns.too_late, test_turns.decided_twice, test_orders.breaks):
            with monkeypatch.context() as patch:
                await corner(patch.setattr)
    assert sorted(wording.keys - spoken) == []


def written(folder: Path, text: str) -> Path:
    path = folder / "one.chat"
    path.write_text(HEAD + text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "text",
    [
        "王芳> 厨房水管漏水了\n  邻里~ #1 | 水管\n  老李~ 接 1\n",
        "王芳> 厨房水管漏水了\n  {repair.report.done}\n  老李< {repair.new}\n",
        "王芳> 厨房水管漏水了\n  邻里~ /#\\d：.*前会有人/ | 501\n  老李~ /接 (1|2)/\n",
        "王芳> 厨房水管漏水了\n  邻里~ #1\n  邻里~ 水管\n  王芳~ 501\n  老李~ 【新报修】\n",
        "王芳@群> 今天天气不错\n  邻里-\n  群-\n  老李-\n",
        "王芳@群> @邻里 谢谢\n  群~ 不客气\n",
        "王芳> [图片 a.jpg] 厨房水管漏水了\n  邻里~ #1\n  老李~ [图片 a.jpg]\n",
        "王芳> [语音 厨房水管漏水了]\n  邻里~ #1\n  老李~ #1\n",
        "陈班长 = lead @wecom:chen\n王芳> 转人工\n  邻里~ 陈班长\n  陈班长~ 王芳（3栋2单元501）\n",
        "小丁> 你好\n  邻里~ 小区助手\n小丁@群> 大家好\n  邻里-\n",
        "王芳> 你好⏎谢谢\n  邻里~ 不客气\n= +2d\n  王芳-\n  邻里-\n",
    ],
)
async def test_what_holds(tmp_path: Path, text: str) -> None:
    assert await play(written(tmp_path, text)) == []


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("王芳> 厨房水管漏水了\n  邻里~ #2\n  老李~ #1\n", 7),  # another text
        ("王芳> 厨房水管漏水了\n  邻里~ #1\n", 6),  # a message that nobody expected
        ("王芳> 厨房水管漏水了\n  邻里~ #1\n  老李-\n", 8),  # silence that wasn't
        ("王芳> 谢谢\n  邻里~ 不客气\n  老李~ 不客气\n", 8),  # a message that never came
        ("王芳> 谢谢\n  邻里> 不客气\n", 7),  # not the whole text
    ],
)
async def test_what_does_not(tmp_path: Path, text: str, line: int) -> None:
    path = written(tmp_path, text)
    faults = await play(path)
    assert any(fault.startswith(f"{path}:{line}: ") for fault in faults), faults


async def test_loose_allows_what_was_not_expected(tmp_path: Path) -> None:
    path = written(tmp_path, "王芳> 厨房水管漏水了\n  邻里~ #1\n")
    assert await play(path)
    assert await play(path, loose=True) == []


@pytest.mark.parametrize(
    "text",
    [
        "谁> 你好\n",
        "王芳> 你好\n  谁~ 好\n",
        "王芳@那个群> 你好\n",
        "不知所云\n",
        "= 昨天\n",
        "= +5\n",
        "= 2026-03-04 09:00\n",
        "王芳 = resident @telegram:2 3栋2单元502\n",
        "小白 = resident @telegram:1 3栋2单元502\n",
        "小白 = king @telegram:2\n",
        "小白 = resident @telegram:2 30栋2单元502\n",
        "小白 = staff @telegram:2 水电工\n",
        "王芳> 你好\n  邻里> {no.such}\n",
        "王芳> 你好\n  邻里~ /(/\n",
        "王芳> 你好\n  王芳> 好\n",
        "王芳> 你好\n  邻里- 好\n",
    ],
)
async def test_no_script(tmp_path: Path, text: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(ScriptError) as caught:
        await play(path)
    assert re.match(rf"{re.escape(str(path))}:\d+: ", str(caught.value))
    assert "\n" not in str(caught.value)


async def test_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = written(tmp_path, "王芳> 谢谢\n  邻里~ 不客气\n")
    assert await play_files([good]) == 0
    bad = tmp_path / "bad.chat"
    bad.write_text(HEAD + "王芳> 谢谢\n  邻里~ 再见\n", encoding="utf-8")
    assert await play_files([good, bad]) == 1
    assert f"{bad}:7: " in capsys.readouterr().out
    assert await play_files([tmp_path / "none.chat"]) == 2
    wrong = tmp_path / "wrong.chat"
    wrong.write_bytes(b"\xff\xfe\x00")
    assert await play_files([wrong]) == 2


async def test_what_is_due_happens_at_its_own_instant(tmp_path: Path) -> None:
    """Two days in one line: each step of the ladder is promised from its own time, in order."""
    text = (
        "陈班长 = lead @wecom:chen\n王芳> 厨房水管漏水了\n  邻里~ 10:30\n  老李~ #1\n= +2h\n"
        "  陈班长~ #1\n  王芳~ 12:00 前再告诉您\n  陈班长~ #1\n  王芳~ 明天 10:00 前再告诉您\n"
    )
    assert await play(written(tmp_path, text)) == []


def test_a_line_stands_for_one_message() -> None:
    assert unmatched([[0], [0]]) == [1]
    assert unmatched([[0, 1], [0]]) == []
    assert unmatched([[], [0]]) == [0]
