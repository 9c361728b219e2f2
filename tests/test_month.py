"""Days in which people are late, forget, race and wait: no open item is silent past its promise.

A month of a thousand households is `python -m tests.bench month`.
"""

from __future__ import annotations

import pytest

from bot.clock import TurnedClock
from tests.house import open_house
from tests.month import BEGIN, month


@pytest.mark.parametrize(("seed", "kept"), [(2, True), (3, False)])
async def test_no_open_item_is_ever_silent(database_url: str, seed: int, kept: bool) -> None:
    house = await open_house(database_url, clock=TurnedClock(BEGIN))
    try:
        seen = await month(house, households=60, days=5, reports_a_day=7, seed=seed, kept=kept)
    finally:
        await house.close()
    assert seen.silent == []
    assert seen.doubled == []
    assert seen.broken == 0
    assert seen.filed >= 30
    assert seen.states["已解决"] > seen.filed / 2
    assert len(seen.states) >= 3, "tickets ended, and were left lying, in several ways"
