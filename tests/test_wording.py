"""What the house offers is understood, and every question has words; that each is spoken: test_chats.py."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from bot.app import skills
from bot.dialog.dialogue import Dialogue
from bot.responses import Reader, Wording
from nlp.understanding import Understanding

WORDING = Wording.load()
OFFERS = sorted(key for key in WORDING.keys if key.endswith(".offer"))
NOW = datetime(2026, 3, 4, 10, 0)  # noqa: DTZ001 - the understanding's time is local and naive


@pytest.fixture(scope="module")
def mind() -> Understanding:
    return Understanding.load()


@pytest.fixture(scope="module")
def reader() -> Reader:
    zone = ZoneInfo("Asia/Shanghai")
    return Reader(zone, NOW.replace(tzinfo=zone))


def test_every_question_has_words() -> None:
    for intent, action in Dialogue(skills()).actions.items():
        for slot in action.form.questions:
            assert WORDING.has(f"{intent}.ask.{slot}"), f"{intent}: nobody asks for {slot}"


@pytest.mark.parametrize("key", OFFERS)
def test_what_is_offered_is_understood(key: str, mind: Understanding, reader: Reader) -> None:
    """A digit stands for the words behind the label: they have to mean something that we do."""
    label, _, says = WORDING.say(key, reader, {}).text.partition("=")
    role = "staff" if key.startswith("ticket.list") else "resident"
    meaning = mind.understand(says or label, now=NOW, role=role)
    wanted = key.removesuffix(".offer")
    wanted = "human.handoff" if wanted == "emergency.report" else wanted
    assert meaning.sure
    assert meaning.intent == wanted
