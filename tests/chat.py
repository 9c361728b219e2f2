"""Stories and what they say: the player, a house to talk to, and every wording that was heard."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bot.app import House
from bot.channels.base import Outgoing
from bot.clock import TurnedClock
from bot.config import Settings
from bot.domain.communities import Community
from bot.messages import Incoming
from bot.responses import Reader, Said, Wording
from bot.script import BUILT_IN, COMMUNITY, Captured, play

__all__ = ["CHATS", "Town", "chats", "heard", "play", "town", "verdict"]

CHATS = Path(__file__).parent / "chats"
_VERDICTS: dict[Path, tuple[list[str], frozenset[str]]] = {}


def chats() -> list[Path]:
    """Every story."""
    return sorted(CHATS.glob("*.chat"))


async def verdict(path: Path) -> tuple[list[str], frozenset[str]]:
    """What does not hold in a story, and the keys of the wordings it spoke; each story is played once."""
    if path not in _VERDICTS:
        spoken: set[str] = set()
        with heard(spoken):
            faults = await play(path)
        _VERDICTS[path] = (faults, frozenset(spoken))
    return _VERDICTS[path]


@contextmanager
def heard(into: set[str]) -> Iterator[None]:
    """Note the key of every wording that is filled in meanwhile."""
    say = Wording.say

    def noting(self: Wording, key: str, reader: Reader, values: Any) -> Said:
        into.add(key)
        return say(self, key, reader, values)

    Wording.say = noting  # type: ignore[method-assign]
    try:
        yield
    finally:
        Wording.say = say  # type: ignore[method-assign]


class Town:
    """A house whose clock stands still, and everybody who writes to it: for what no script can set up."""

    def __init__(self, house: House, clock: TurnedClock) -> None:
        self.house, self.clock = house, clock
        self.sent: list[Outgoing] = []
        house.add(Captured("web", self.sent))
        self._numbers = itertools.count(1)

    @property
    def community(self) -> Community:
        found = self.house.community(COMMUNITY)
        assert found is not None
        return found

    async def say(self, who: str, text: str) -> str:
        """Somebody writes in private; what comes back to the same chat."""
        await self.house.handle(Incoming("web", f"m{next(self._numbers)}", who, who, text, sender_name=who))
        return (await self.told()).get(who, "")

    async def told(self) -> dict[str, str]:
        """What each chat got since."""
        self.sent.clear()
        await self.house.settle()
        found: dict[str, str] = {}
        for one in self.sent:
            found[one.chat] = f"{found[one.chat]}\n{one.text}" if one.chat in found else one.text
        self.last = found
        return found

    async def wait(self, **span: float) -> dict[str, str]:
        self.clock.turn_to(self.clock.now() + timedelta(**span))
        return await self.told()


@asynccontextmanager
async def town() -> AsyncIterator[Town]:
    """An empty house of the sample community, on a Wednesday at ten."""
    with tempfile.TemporaryDirectory(prefix="linli-town-") as folder:
        clock = TurnedClock(datetime(2026, 3, 4, 2, 0, tzinfo=UTC))
        settings = Settings(
            _env_file=None,  # type: ignore[call-arg]
            database_url=f"sqlite://{folder}/town.db",
            community_dir=BUILT_IN,
        )
        house = House(settings, clock)
        await house.open(migrate=True)
        try:
            yield Town(house, clock)
        finally:
            await house.close()
