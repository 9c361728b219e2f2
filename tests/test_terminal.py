"""`linli chat`: one person speaks, and sees who else is told what."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from bot import terminal
from bot.config import Settings
from bot.script import BUILT_IN


class Typed:
    """Standard input that was typed before."""

    def __init__(self, text: str) -> None:
        self.buffer = io.BytesIO(text.encode())

    def isatty(self) -> bool:
        return False


def settings(folder: Path) -> Settings:
    return Settings(
        _env_file=None,  # type: ignore[call-arg]
        database_url=f"sqlite://{folder}/linli.db",
        community_dir=BUILT_IN,
    )


async def sit(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str) -> int:
    monkeypatch.setattr(sys, "stdin", Typed(text))
    return await terminal.talk(settings(folder), name)


async def test_a_newcomer_sees_the_worker_alerted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    typed = "厨房水管漏水了\n\n/as 老李\n接 1\n/as 谁\n/quit\n谢谢\n"
    assert await sit(tmp_path, monkeypatch, "王芳", typed) == 0
    shown = capsys.readouterr().out
    assert "邻里：已报修 #1：水管漏水" in shown
    assert "→ 老李：【新报修】#1" in shown
    assert "邻里：#1 归您了" in shown
    assert "→ 王芳：老李师傅接了 #1" in shown
    assert "没有叫「谁」的人" in shown
    assert "不客气" not in shown  # after /quit


async def test_the_same_database_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    await sit(tmp_path, monkeypatch, "王芳", "厨房水管漏水了\n")
    capsys.readouterr()
    assert await sit(tmp_path, monkeypatch, "老李", "待接") == 0
    shown = capsys.readouterr().out
    assert "#1" in shown
    assert "已报修" not in shown


async def test_nobody_of_that_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await sit(tmp_path, monkeypatch, "无名氏", "你好\n") == 1
    assert "没有叫「无名氏」的人" in capsys.readouterr().err
