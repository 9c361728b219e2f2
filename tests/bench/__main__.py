"""`make bench`: every figure beside its measure of the same run, with the aim and whether it is met.

`python -m tests.bench doors` measures one part of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bot.clock import TurnedClock
from tests import month
from tests.bench import doors, full, fuzz, peers, processes, rows, start, turns, words
from tests.house import open_house

RATE, TAIL, READY, MEMORY = 0.35, 3.0, 0.6, 120.0
CALLBACK = 2.5  # processor time of an encrypted turn beside verify, decrypt and reply by wechatpy


def say(line: str = "") -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def judged(found: float, aim: float, *, at_least: bool) -> str:
    met = found >= aim if at_least else found <= aim
    return f"aim {'>=' if at_least else '<='} {aim:g}: {'met' if met else 'NOT met'}"


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="linli-bench-") as made:
        yield Path(made)


def say_turns() -> list[float]:
    """The memory after the load of each channel."""
    memory = []
    say("Whole repair turns over HTTP, SQLite synchronous=FULL, beside a bare aiohttp server")
    for measure in (turns.web, turns.telegram, turns.wechat):
        with folder() as made:
            found = asyncio.run(measure(made))
        memory.append(found.memory)
        for one in found.compared:
            name = f"  {one.channel}, {one.chats} at once"
            say(f"{name:24} turns/s {one.rate:5.2f}×  ({judged(one.rate, RATE, at_least=True)})")
            say(f"{'':24} p99     {one.tail:5.2f}×  ({judged(one.tail, TAIL, at_least=False)})")
            aim = f"  ({judged(one.work, CALLBACK, at_least=False)})" if one.channel == "wechat_oa" else ""
            say(f"{'':24} cpu     {one.work:5.1f}×{aim}")
            say(f"{'':24} house | bare: {one.scale()}")
        if found.answered != found.tickets:
            raise SystemExit(f"{found.answered} answers, but {found.tickets} tickets")
        say(f"{'':24} every one of {found.answered} answers has its ticket")
    return memory


def say_doors() -> None:
    """Counts must be met; how long somebody waited is beside the aim."""
    say("Doors, by the encrypted callbacks of an Official Account")
    with processes.bare() as far:
        api = f"http://127.0.0.1:{far.port}"
        with folder() as made:
            say_counted("10,000 messages, a tenth again", asyncio.run(doors.repeated(made, api, 10_000)))
        with folder() as made:
            say_counted("kill -9, fifty times", asyncio.run(doors.killed(made, api, 50)))
        with folder() as made:
            stopped = asyncio.run(doors.told_to_stop(made, api))
        say(
            f"  {'SIGTERM under load':32} {stopped.seconds:.2f} s"
            f" ({judged(stopped.seconds, doors.STOPS, at_least=False)} s), {stopped.counted.lost} lost,"
            f" {stopped.counted.doubled} doubled"
        )
        with folder() as made:
            say_waited("50 a second", asyncio.run(doors.paced(made, api, per_second=50, seconds=20)), 0.3)
        with folder() as made:
            statuses = asyncio.run(fuzz.fuzzed(made, api, 100_000))
        bad = sum(n for status, n in statuses.items() if status >= 500)
        say(
            f"  {'100,000 requests of no platform':32} {bad} answers >= 500: {dict(sorted(statuses.items()))}"
        )
    with folder() as made:
        say_waited("50 a second, every API hangs", asyncio.run(hung(made)), 1.0)


def say_counted(name: str, found: doors.Counted) -> None:
    say(
        f"  {name:32} {found.messages} messages, {found.repeats} repeats:"
        f" {found.lost} lost, {found.doubled} doubled ({'met' if found.sound else 'NOT met'})"
    )


async def hung(made: Path) -> doors.Waited:
    async with doors.hanging() as api:
        return await doors.paced(made, api, per_second=50, seconds=20)


def say_waited(name: str, found: doors.Waited, aim: float) -> None:
    say(
        f"  {name:32} acknowledged p50 {found.middle * 1000:.1f} p99 {found.p99 * 1000:.1f}"
        f" most {found.most * 1000:.1f} ms, {found.refused} refused"
        f" ({judged(found.p99, aim, at_least=False)} s)"
    )


def say_start(loaded: list[float]) -> None:
    with folder() as made:
        found = start.measure(made)
    say("Start and memory, beside a bare aiohttp server")
    ratio = found.house / found.bare
    say(
        f"  ready after  {ratio:5.2f}×  {found.house:.2f} s | {found.bare:.2f} s"
        f"  ({judged(found.house, READY, at_least=False)} s)"
    )
    for name, memory in zip(
        ("idle", "web load", "telegram", "wechat"), (found.house_memory, *loaded), strict=True
    ):
        ratio = memory / found.bare_memory
        say(f"  {name:12} {ratio:5.2f}×  {memory:.0f} MiB  ({judged(memory, MEMORY, at_least=False)} MiB)")


def say_words() -> None:
    say("Understanding a line, beside jieba.lcut of the same line, and with twice the rules and words")
    for one in words.measure():
        say(
            f"  {one.lines:12} p50 {one.middle / one.jieba:5.2f}×  p95 {one.tail / one.jieba:5.2f}×"
            f"  doubled {one.doubled / one.middle:4.2f}×"
            f"  {one.middle:.0f} µs, {one.tail:.0f} µs | {one.jieba:.0f} µs | {one.doubled:.0f} µs"
        )


def say_peers() -> None:
    found = peers.measure()
    say(f"Intents of {found.lines} lines, beside a character SVM: both taught the same others, neither these")
    if found.svm is None or found.svm_private is None or found.svm_us is None:
        say(f"  ours {found.ours:.3f}; scikit-learn is not installed: no peer")
        return
    for name, ours, theirs in (
        ("all lines", found.ours, found.svm),
        ("private ones", found.ours_private, found.svm_private),
        ("µs a line", found.ours_us, found.svm_us),
    ):
        digits = 0 if ours > 1 else 3
        say(f"  {name:14} {ours / theirs:5.2f}×  {ours:.{digits}f} | {theirs:.{digits}f}")


def say_rows() -> None:
    with folder() as made:
        hand, *found = rows.measure(made)
    say(f"Whole turns in process at 1 and 50 chats, beside the bare writes by hand ({hand.rates[0]:.0f}/s)")
    for one in found:
        ratios = "  ".join(f"{rate / hand.rates[0]:.2f}×" for rate in one.rates)
        say(f"  {one.store:12} {ratios}   {'/s  '.join(f'{rate:.0f}' for rate in one.rates)}/s")


def say_month() -> None:
    """A thousand households for a month, and a week more: nothing silent, nothing claimed twice."""
    with folder() as made:
        seen = asyncio.run(lived(made))
    states = "  ".join(f"{state} {n}" for state, n in seen.states.most_common())
    sound = not seen.silent and not seen.doubled and not seen.broken
    say(f"A simulated month of 1,000 households: {seen.filed} tickets, {seen.said} messages")
    say(f"  {states}")
    say(
        f"  {len(seen.silent)} silent, {len(seen.doubled)} claimed twice, {seen.broken} broken turns"
        f" ({'met' if sound else 'NOT met'})"
    )
    for line in seen.silent[:5]:
        say(f"    {line}")


def say_full() -> None:
    with folder() as made:
        several = [full.on_sqlite(made), full.on_postgres()]
    for found in several:
        say(f"Verbs with {full.OPEN} open and {found.closed} closed tickets in {found.store}, beside none")
        for verb, (empty, filled) in found.verbs.items():
            ratio = filled / empty
            aim = judged(ratio, full.AIM, at_least=False)
            say(f"  {verb:10} {ratio:5.2f}×  {filled:.1f} | {empty:.1f} ms  ({aim})")
        say(f"  fifty due  {found.round:.2f} s  ({judged(found.round, full.ROUND, at_least=False)} s)")


async def lived(made: Path) -> month.Seen:
    house = await open_house(f"sqlite://{made / 'linli.db'}", clock=TurnedClock(month.BEGIN))
    try:
        return await month.month(house, households=1000, days=30, reports_a_day=20, seed=7)
    finally:
        await house.close()


def main() -> None:
    began = time.perf_counter()
    loads = " ".join(f"{load:.1f}" for load in os.getloadavg())
    say(f"{os.cpu_count()} cores, load before: {loads}")
    parts = {"turns": lambda: say_start(say_turns()), "doors": say_doors, "words": say_words}
    parts |= {"peers": say_peers, "rows": say_rows, "full": say_full, "month": say_month}
    for name in sys.argv[1:] or parts:
        parts[name]()
    say(f"{time.perf_counter() - began:.0f} s in all")


if __name__ == "__main__":
    main()
