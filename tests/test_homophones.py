"""Words typed by their sound: mended where it is a known thing's, left alone where it is plain text."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp import homophones
from nlp.homophones import Homophones
from nlp.understanding import Understanding

KNOWN = Homophones(["绿化带", "电脑椅", "垃圾房", "羽毛球场", "快递", "遛狗不牵绳"])


@pytest.mark.parametrize(
    ("typed", "spelled"),
    [
        ("车停在绿花带上", "车停在绿化带上"),
        ("雨毛球场几点开", "羽毛球场几点开"),
        ("有人溜狗不迁绳", "有人遛狗不牵绳"),
        ("绿化带", "绿化带"),
        # plain words that only sound alike
        ("我的电脑一开机就响", "我的电脑一开机就响"),
        ("垃圾放门口", "垃圾放门口"),
        # two characters sound like too much
        ("快弟到了", "快弟到了"),
        # nothing of the word is left
        ("率话代", "率话代"),
        ("", ""),
    ],
)
def test_a_word_is_known_by_its_sound(typed: str, spelled: str) -> None:
    assert KNOWN.mend(typed) == spelled


@given(st.text(max_size=200))
def test_every_text_keeps_its_length(text: str) -> None:
    assert len(KNOWN.mend(text)) == len(text)


def test_a_slot_keeps_what_was_typed() -> None:
    mind = Understanding.load()
    meaning = mind.read("蓝牙耳几掉在小花圆了", datetime.fromisoformat("2026-03-04T10:00"))
    assert meaning.plain == "蓝牙耳机掉在小花园了"
    assert meaning.text == "蓝牙耳几掉在小花圆了"


def test_the_table_is_what_its_script_writes() -> None:
    assert homophones.table() == homophones.TABLE.read_text(encoding="utf-8")
