"""Words have coverage too: every text the house can say is said, and what it offers is understood."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from bot.app import skills
from bot.dialog.dialogue import Dialogue
from bot.responses import Reader, Wording
from nlp.understanding import Understanding
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
from tests.chat import chats, heard, verdict

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


async def test_every_wording_is_spoken(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a story; or, where no story can bring it about, in a test of its own."""
    spoken = set(OFFERS)  # said below
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
    assert sorted(WORDING.keys - spoken) == []


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
