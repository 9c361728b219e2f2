"""The doors under repeats, kills, a hanging platform and nonsense: small runs of what `make bench` counts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bench import doors, fuzz, processes

pytestmark = pytest.mark.sqlite


@pytest.fixture(scope="module")
def api() -> Iterator[str]:
    """A platform that says yes to every call."""
    with processes.bare() as far:
        yield f"http://127.0.0.1:{far.port}"


async def test_a_tenth_comes_again_and_nothing_is_done_twice(tmp_path: Path, api: str) -> None:
    found = await doors.repeated(tmp_path, api, 300)
    assert found.messages == 300
    assert found.repeats > 10
    assert (found.lost, found.doubled) == (0, 0)


async def test_killed_at_any_moment_nothing_acknowledged_is_lost(tmp_path: Path, api: str) -> None:
    found = await doors.killed(tmp_path, api, 4)
    assert found.messages > 20
    assert (found.lost, found.doubled) == (0, 0)


async def test_told_to_stop_it_stops_and_nothing_is_lost(tmp_path: Path, api: str) -> None:
    stopped = await doors.told_to_stop(tmp_path, api)
    assert stopped.status == 0  # within doors.STOPS seconds, or waiting for it would have raised
    assert stopped.counted.messages > 20
    assert (stopped.counted.lost, stopped.counted.doubled) == (0, 0)


async def test_every_message_is_acknowledged_while_the_platform_hangs(tmp_path: Path) -> None:
    """It never answers a call: whatever waited for one would not be acknowledged at all."""
    async with doors.hanging() as api:
        waited = await doors.paced(tmp_path, api, per_second=100, seconds=0.5)
    assert waited.refused == 0


async def test_what_no_platform_would_send_breaks_nothing(tmp_path: Path, api: str) -> None:
    found = await fuzz.fuzzed(tmp_path, api, 1500)
    assert {status for status in found if status >= 500} == set()
    assert found[200] > 10  # some of it is sound enough to be taken
    assert found[400] > 100
    assert found[401] > 100
