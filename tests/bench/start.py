"""From the start of a process to its first ready answer, and what it then holds in memory."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from tests.bench import processes, seed

ROUNDS = 5
SETTLED = 1.0  # seconds after which a started process does nothing more by itself


@dataclass(frozen=True)
class Found:
    """Medians: seconds and MiB."""

    house: float
    bare: float
    house_memory: float
    bare_memory: float


def measure(folder: Path) -> Found:
    """Starts on a database that is up to date; the first, which compiles our modules, is not counted."""
    asyncio.run(seed.fill(folder, "web"))
    house: list[tuple[float, float]] = []
    bare: list[tuple[float, float]] = []
    for _ in range(ROUNDS + 1):
        with processes.house(folder) as one:
            time.sleep(SETTLED)
            house.append((one.started, one.memory()))
        with processes.bare() as one:
            bare.append((one.started, one.memory()))
    return Found(
        median(started for started, _ in house[1:]),
        median(started for started, _ in bare[1:]),
        median(memory for _, memory in house[1:]),
        median(memory for _, memory in bare[1:]),
    )
