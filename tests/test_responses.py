"""Wording: filled in, in local time and the reader's script, and nothing below the surface of a value."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.responses import Phrase, Reader, Wording, WordingError, moment

SHANGHAI = ZoneInfo("Asia/Shanghai")
EVENING = datetime(2026, 3, 4, 12, 15, tzinfo=UTC)  # 20:15 in Shanghai
READER = Reader(SHANGHAI, EVENING)


@dataclass(frozen=True)
class Thing:
    ref: int
    at: datetime
    secret: str = "密"


THING = Thing(7, datetime(2026, 3, 4, 12, 45, tzinfo=UTC))


@pytest.mark.parametrize(
    ("at", "said"),
    [
        (datetime(2026, 3, 4, 12, 45, tzinfo=UTC), "20:45"),
        (datetime(2026, 3, 4, 16, 0, tzinfo=UTC), "明天 00:00"),
        (datetime(2026, 3, 5, 23, 30, tzinfo=UTC), "后天 07:30"),
        (datetime(2026, 3, 3, 1, 0, tzinfo=UTC), "昨天 09:00"),
        (datetime(2026, 3, 9, 0, 30, tzinfo=UTC), "3月9日 08:30"),
        (datetime(2027, 1, 1, 0, 0, tzinfo=UTC), "2027年1月1日 08:00"),
    ],
)
def test_a_moment_is_said_as_people_say_it(at: datetime, said: str) -> None:
    assert moment(at, READER) == said


def test_values_are_filled_in() -> None:
    wording = Wording(
        {"a.b": Phrase("#{thing.ref} 在 {thing.at} 前，{thing.at:%H:%M}", ("好=好 {thing.ref}",))}
    )
    said = wording.say("a.b", READER, {"thing": THING})
    assert said.text == "#7 在 20:45 前，20:45"
    assert said.buttons == (("好", "好 7"),)


def test_choices_are_numbered_below_the_text() -> None:
    wording = Wording({"a.b": Phrase("好了吗？", choices=("好了=#{thing.ref} 好了", "没有"))})
    said = wording.say("a.b", READER, {"thing": THING})
    assert said.text == "好了吗？\n1 好了\n2 没有"
    assert said.choices == (("好了", "#7 好了"), ("没有", "没有"))
    assert wording.pattern("a.b").fullmatch(said.text)


def test_traditional_readers_read_traditional() -> None:
    wording = Wording({"a.b": Phrase("水管漏水，请师傅来修。")})
    said = wording.say("a.b", Reader(SHANGHAI, EVENING, traditional=True), {})
    assert said.text == "水管漏水，請師傅來修。"
    assert wording.pattern("a.b").fullmatch(said.text)


@pytest.mark.parametrize("text", ["{thing.__class__}", "{thing.at.__init__}", "{thing[0]}", "{thing.ref._x}"])
def test_wording_cannot_look_below_the_surface(text: str) -> None:
    wording = Wording({"a.b": Phrase(text)})
    with pytest.raises((WordingError, KeyError, AttributeError)):
        wording.say("a.b", READER, {"thing": THING})


def test_a_community_puts_some_wording_its_own_way() -> None:
    wording = Wording.load()
    own = wording.with_own({"smalltalk.welcome": "甭客气。"})
    assert own.say("smalltalk.welcome", READER, {}).text == "甭客气。"
    assert wording.say("smalltalk.welcome", READER, {}).text != "甭客气。"


def test_own_wording_for_nothing_we_say_is_refused() -> None:
    with pytest.raises(WordingError, match="no such wording"):
        Wording.load().with_own({"smalltalk.welcom": "甭客气。"})


@pytest.mark.parametrize("text", ["甭客气，{name}。", "甭客气{", "甭客气，{0}。"])
def test_own_wording_with_values_that_nobody_gives_is_refused(text: str) -> None:
    with pytest.raises((WordingError, ValueError)):
        Wording.load().with_own({"smalltalk.welcome": text})


@pytest.mark.parametrize("value", ["x = 5", 'x = { text = "好", sound = "叮" }', "x = [1]"])
def test_a_broken_wording_file_names_its_key(tmp_path: Path, value: str) -> None:
    (tmp_path / "repair.toml").write_text(f"[responses]\n{value}\n", encoding="utf-8")
    with pytest.raises(WordingError, match=r"repair\.x"):
        Wording.load(tmp_path)
