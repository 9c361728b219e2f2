"""The power is cut at every write and every commit of a story; the story ends as if it had not been.

A cut is an image of the files as they are at that moment, WAL included, opened by a new house: what a machine
finds when it starts again. Then the platform repeats what nobody acknowledged, as platforms do.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.app import House
from bot.clock import TurnedClock
from bot.messages import Incoming
from bot.sqlite_loop import LoopSqliteClient
from bot.store import StoreClosed
from tests.house import EVENING, PEOPLE, Capture, captured, declare, open_house

pytestmark = pytest.mark.sqlite

#: Who says what; a number turns the clock by so many minutes.
STORY: tuple[tuple[str, str] | int, ...] = (
    ("wang", "厨房水管漏水了，麻烦派人来看看"),
    ("wang", "改成明早"),
    31,  # nobody took it: the ladder
    ("li", "接 1"),
    ("zhang", "接 1"),  # refused: the turn is rolled back, only the answer is kept
    ("li", "1 到了"),
    ("li", "1 修好了"),
    ("wang", "1"),
    ("zhou", "厨房着火了"),
    ("chen", "收到"),
    ("lu", "洗衣机不转了，你们能修吗"),
    ("lu", "7栋1单元1503，陆明"),
    ("zhuren", "同意 7-1-1503"),
    ("zhou", "我要报修"),
    ("zhou", "客厅灯不亮"),
)
_WRITES = re.compile(r"\s*(insert|update|delete|with first|COMMIT)\b")
#: What a crash may change: how often a message was tried and when, and numbers that a repeat has used up.
_MAY_DIFFER = {
    "outbox": {"id", "attempts", "due_ms", "done_ms"},
    "inbox": {"id"},
    "conversation": {"id"},
}


class PowerCut(BaseException):
    """Nothing runs after it; no `except Exception` catches it."""


@dataclass
class Fuse:
    """Counts writes. Blows before write number `at` (or after it); from then on nothing reaches the disk."""

    at: int | None = None
    after: bool = False
    count: int = 0
    blown: bool = False

    def install(self, patch: pytest.MonkeyPatch) -> None:
        real = LoopSqliteClient.run

        def run(client: LoopSqliteClient, query: str, values: Any = None) -> sqlite3.Cursor:
            if self.blown:
                raise PowerCut
            if not _WRITES.match(query):
                return real(client, query, values)
            self.count += 1
            self.blown = self.count == self.at
            if self.blown and not self.after:
                raise PowerCut
            cursor = real(client, query, values)
            if self.blown:
                raise PowerCut
            return cursor

        patch.setattr(LoopSqliteClient, "run", run)


@dataclass(frozen=True)
class Before:
    """Where the uncut run stood before a step: files, time, and how many writes the step does."""

    image: Path
    at: datetime
    writes: int
    commits: frozenset[int]


def copy(source: Path, target: Path) -> Path:
    """The database as a machine would find it after the power came back."""
    target.mkdir(parents=True)
    for suffix in ("", "-wal"):
        file = source.with_name(source.name + suffix)
        if file.exists():
            shutil.copyfile(file, target / file.name)
    return target / source.name


def message(step: int, who: str, text: str) -> Incoming:
    return Incoming("web", f"step-{step}", who, who, text)


async def do(house: House, number: int) -> None:
    """One step, with all that follows of it."""
    step = STORY[number]
    if not isinstance(step, int):
        await house.handle(message(number, *step))
    await house.settle()


def abandon(house: House) -> None:
    """As the system does with a process that is gone: its locks and files are let go, nothing is finished."""
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()
    writer = house.store._writer
    assert writer is not None
    assert isinstance(writer.exception(), PowerCut)
    client = house.store._sqlite()
    client._connection.close()
    client._connection = None
    house.store._let_go()


def state(file: Path) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table."""
    found: dict[str, list[dict[str, Any]]] = {}
    with closing(sqlite3.connect(file)) as db:
        db.row_factory = sqlite3.Row
        names = [row[0] for row in db.execute("select name from sqlite_master where type = 'table'")]
        for table in names:
            if table.startswith("sqlite_") or table == "tortoise_migrations":
                continue
            rows = db.execute(f"select * from {table} order by id").fetchall()
            left_out = _MAY_DIFFER.get(table, set())
            found[table] = [{k: row[k] for k in row.keys() if k not in left_out} for row in rows]  # noqa: SIM118
    return found


def differences(found: Path, wanted: dict[str, list[dict[str, Any]]]) -> list[str]:
    """What is there and should not be (+), and what is missing (-): a line a row."""
    lines = []
    for table, rows in state(found).items():
        for sign, these, those in (("+", rows, wanted[table]), ("-", wanted[table], rows)):
            lines += [f"{sign} {table} {row}" for row in these if row not in those]
        if not lines and rows != wanted[table]:
            lines.append(f"{table}: another order, or a row twice")
    return lines


async def uncut(folder: Path, patch: pytest.MonkeyPatch) -> tuple[list[Before], Path, list[str]]:
    """Play the story through: what stood before each step, the end, and every text in its order by chat."""
    clock = TurnedClock(EVENING)
    house = await open_house(f"sqlite://{folder}/linli.db", clock=clock)
    await declare(house, *PEOPLE)
    path = house.store.path
    assert path is not None
    befores = []
    for number, step in enumerate(STORY):
        if isinstance(step, int):
            clock.turn_to(clock.now() + timedelta(minutes=step))
        image, at = copy(path, folder / f"before-{number}"), clock.now()
        commits: set[int] = set()
        with patch.context() as inner:
            fuse = Fuse()
            fuse.install(inner)
            counted = LoopSqliteClient.run

            def run(
                client: LoopSqliteClient,
                query: str,
                values: Any = None,
                *,
                fuse: Fuse = fuse,
                commits: set[int] = commits,
                counted: Any = counted,
            ) -> sqlite3.Cursor:
                cursor: sqlite3.Cursor = counted(client, query, values)
                if query == "COMMIT":
                    commits.add(fuse.count)
                return cursor

            inner.setattr(LoopSqliteClient, "run", run)
            await do(house, number)
        befores.append(Before(image, at, fuse.count, frozenset(commits)))
    texts = [f"{one.chat}: {one.text}" for one in captured(house).sent]
    await house.close()
    return befores, path, texts


async def cut(
    folder: Path, patch: pytest.MonkeyPatch, start: Before, number: int, fuse: Fuse
) -> tuple[Path, Counter[int], set[int]]:
    """Play from a step with a cut in it: the end's file, how often each message arrived, what was claimed."""
    clock = TurnedClock(start.at)
    web = Capture("web")
    house = await open_house(f"sqlite://{copy(start.image, folder / 'first')}", clock=clock, channels=[web])
    path = house.store.path
    assert path is not None
    with patch.context() as inner:
        fuse.install(inner)
        with pytest.raises((PowerCut, StoreClosed)):
            await do(house, number)
    assert fuse.blown
    image = copy(path, folder / "second")
    abandon(house)
    with closing(sqlite3.connect(copy(image, folder / "look"))) as look:
        claimed = {row[0] for row in look.execute("select id from outbox where state = 0 and attempts > 0")}
    house = await open_house(f"sqlite://{image}", clock=clock, channels=[web])
    await do(house, number)  # the platform repeats what nobody acknowledged
    for later in range(number + 1, len(STORY)):
        step = STORY[later]
        if isinstance(step, int):
            clock.turn_to(clock.now() + timedelta(minutes=step))
        await do(house, later)
    await house.close()
    return image, Counter(one.id for one in web.sent), claimed


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where there is one: hundreds of images are written, and none has to outlive us."""
    shm = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=shm if os.access(shm, os.W_OK) else tmp_path) as folder:
        yield Path(folder)


async def test_a_cut_anywhere_changes_nothing(memory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    befores, path, texts = await uncut(memory, monkeypatch)
    end = state(path)
    assert [row["state"] for row in end["ticket"]] == ["已解决", "已接单", "待接单", "待接单"]
    assert len(end["application"]) == 1
    assert len(texts) == len(end["outbox"]) == len(sent(path))
    cuts = after_send = 0
    for number, before in enumerate(befores):
        places = [(at, False) for at in range(1, before.writes + 1)]
        places += [(at, True) for at in before.commits]  # done, and nobody heard of it
        for at, after in places:
            cuts += 1
            folder = memory / f"cut-{cuts}"
            image, arrived, claimed = await cut(folder, monkeypatch, before, number, Fuse(at, after))
            where = f"step {number} {STORY[number]}, write {at}{' (after)' if after else ''}"
            assert differences(image, end) == [], where
            twice = {one for one, times in arrived.items() if times > 1}
            assert twice <= claimed, where
            assert not twice or max(arrived.values()) == 2, where
            after_send += bool(twice)
            assert set(arrived) == sent(image) - sent(before.image), where
            shutil.rmtree(folder)
    assert cuts > 200
    assert after_send >= len([step for step in STORY if not isinstance(step, int)])  # the one place for it


def sent(file: Path) -> set[int]:
    """The messages that are written down as sent."""
    with closing(sqlite3.connect(file)) as db:
        return {row[0] for row in db.execute("select id from outbox where state = 1")}
