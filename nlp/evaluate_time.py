"""Measures the reading of time: `python -m nlp.evaluate_time PATH… [--show] [--peers]`.

PATH is a file or folder of JSON lines: public suites (`text`, `now`, `expect`, `tags`) or labelled messages
(`text`, `now`, `slots`). Every tenth line of a suite and every fifth message is held out:
it is counted apart and never shown.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
import logging
import sys
import time as clock
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from nlp.normal import Normaliser
from nlp.slots import time
from nlp.understanding import Understanding

SLOTS = ("time", "rrule", "deadline", "period", "duration_minutes")
_MINUTE = timedelta(minutes=1)
_LONG = {"second": _MINUTE, "minute": _MINUTE, "hour": timedelta(hours=1), "day": timedelta(days=1)} | {
    "week": timedelta(days=7),
    "month": timedelta(days=29),
    "year": timedelta(days=365),
}
#: Months and years differ in length.
_SLACK = {"month": timedelta(days=3), "year": timedelta(days=1)}
Times = list[dict[str, Any]]
#: A point of the clock has no end of its own.
_CLOCK = frozenset({"hour", "minute"})


def records(paths: Iterable[str]) -> Iterator[tuple[str, dict[str, Any], bool]]:
    """File name, record, and whether it is held out."""
    for path in map(Path, paths):
        for file in sorted(path.glob("*.jsonl")) if path.is_dir() else [path]:
            for index, line in enumerate(file.read_text(encoding="utf-8").splitlines()):
                record = json.loads(line)
                number = "".join(c for c in str(record.get("id", "")) if c.isdigit())
                held = index % 10 == 0 if "expect" in record else int(number or 1) % 5 == 0
                yield file.stem, record, held


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text).replace(second=0) if text else None


def _near(one: datetime | None, other: datetime | None, slack: timedelta = _MINUTE) -> bool:
    """The same to the minute; suites differ on whether the last minute belongs to it."""
    if one is None or other is None:
        return one is other
    return abs(one - other) <= slack


def right(expect: dict[str, Any], found: Times, now: datetime) -> bool:
    """Whether one of the times found is the one expected: kind, start and end."""
    if expect["kind"] == "none":
        return not found
    return any(_same(expect, one, now) for one in found)


def _same(expect: dict[str, Any], got: dict[str, Any], now: datetime) -> bool:
    kind = expect["kind"]
    if kind == "duration":
        return got["kind"] == "duration" and bool(abs(got["seconds"] - expect["seconds"]) < 60)
    if kind == "set":
        return got["kind"] == "set" and _recurs(expect, got, now)
    if kind == "open" or got["kind"] == "open":
        return _open(expect, got)
    if got["kind"] not in {"point", "range"}:
        return False
    start, end = _moment(got["start"]), _moment(got.get("end"))
    for alt in (expect, *expect.get("alts", ())):
        first, last = _moment(alt["start"]), _moment(alt["end"])
        if expect.get("loose"):
            good = bool(start and first and last and start < last and first < (end or start + _MINUTE))
        else:
            good = _near(start, first) and (_near(end, last) or (end is None and got["grain"] in _CLOCK))
        if good:
            return True
    return False


def _open(expect: dict[str, Any], got: dict[str, Any]) -> bool:
    """After: its start. Before: the moment itself, or the end of the hour or day that was named."""
    if expect["kind"] != "open" or got["kind"] != "open":
        return False
    start = _moment(got["start"])
    for alt in (expect, *expect.get("alts", ())):
        first, last = _moment(alt["start"]), _moment(alt["end"])
        if got.get("mod") == "after" and last is None and _near(start, first):
            return True
        if got.get("mod") != "before" or last is None:
            continue
        grain = got["grain"]
        if _near(start, last) or _near(start, last - _LONG.get(grain, _MINUTE), _SLACK.get(grain, _MINUTE)):
            return True
    return False


_FREQ = {
    "YEARLY": "year",
    "MONTHLY": "month",
    "WEEKLY": "week",
    "DAILY": "day",
    "HOURLY": "hour",
    "MINUTELY": "minute",
}


def _recurs(expect: dict[str, Any], got: dict[str, Any], now: datetime) -> bool:
    """The rule, and its first occurrence unless the one expected is already over."""
    rule = dict(part.split("=") for part in got["rrule"].split(";"))
    work = rule.get("BYDAY") == "MO,TU,WE,TH,FR"
    freq, interval = _FREQ[rule["FREQ"]], int(rule.get("INTERVAL", 1))
    if expect.get("workdays"):
        if not work:
            return False
    elif (freq, interval) != (expect["freq"], expect["interval"]):
        return False
    point = expect.get("point")
    if point and point["end"] and datetime.fromisoformat(point["end"]) > now:
        same = _near(_moment(point["start"]), _moment(got.get("start")))
    else:
        same = True
    return same and (not expect.get("time") or rule.get("BYHOUR", "").zfill(2) == expect["time"][:2])


class Score:
    """Right and seen, by name, built on and held out."""

    def __init__(self) -> None:
        self.counts: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0])

    def add(self, name: str, good: bool, held: bool) -> None:
        row = self.counts[name]
        row[2 * held] += good
        row[2 * held + 1] += 1

    def rate(self, name: str, held: bool) -> float:
        good, seen = self.counts[name][2 * held : 2 * held + 2]
        return good / seen if seen else 1.0

    def table(self) -> Iterator[str]:
        for name, (good, seen, held_good, held_seen) in sorted(self.counts.items()):
            yield f"{name:28} {_share(good, seen):>20} {_share(held_good, held_seen):>20}"


def _share(good: int, seen: int) -> str:
    return f"{good}/{seen} {100 * good / seen:5.1f} %" if seen else "-"


def suite(score: Score, name: str, record: dict[str, Any], held: bool, found: Times) -> bool:
    """One line of a public suite; core lines count, without those disputed and those that look back."""
    tags = set(record["tags"])
    good = right(record["expect"], found, datetime.fromisoformat(record["now"]).replace(tzinfo=None))
    if "core" in tags and not tags & {"contested", "past"}:
        for key in ("all", f"suite {name}", *(t for t in tags if t in {"hans", "hant", "yue"} or ":" in t)):
            score.add(key, good, held)
    return good


def labelled(score: Score, name: str, record: dict[str, Any], held: bool, mind: Understanding) -> list[str]:
    """One labelled message: is each value among those found? Answers what is missing."""
    missing = []
    now = datetime.fromisoformat(record["now"]).replace(tzinfo=None)
    for slot in SLOTS:
        if slot in record["slots"]:
            found = mind.find(slot, record["text"], now=now)
            good = record["slots"][slot] in found
            score.add(slot, good, held)
            score.add("all labelled", good, held)
            if not good:
                missing.append(f"{slot}={record['slots'][slot]} found={found}")
    return missing


def peer(lines: Iterable[tuple[str, dict[str, Any], bool]], mind: Understanding) -> None:
    """JioNLP, where it is installed, beside ours, on the points and ranges of the suites."""
    if importlib.util.find_spec("jionlp") is None:
        _say("JioNLP is not installed")
        return
    logging.disable(logging.CRITICAL)  # it logs every miss
    jionlp = importlib.import_module("jionlp")
    theirs, ours = Score(), Score()
    for name, record, held in lines:
        if "expect" in record and record["expect"]["kind"] in {"point", "range"}:
            now = datetime.fromisoformat(record["now"]).replace(tzinfo=None)
            suite(theirs, name, record, held, _jionlp(jionlp, record["text"], now))
            suite(ours, name, record, held, mind.moments(record["text"], now=now))
    for who, score in (("JioNLP", theirs), ("ours", ours)):
        for row in score.table():
            if row.startswith(("all", "suite", "hans", "hant", "yue")):
                _say(f"{who:8}{row}")


def _jionlp(jionlp: Any, text: str, now: datetime) -> Times:
    """Its answer in our form; it raises where it finds nothing."""
    try:
        answer = jionlp.parse_time(text, time_base=now.timestamp())
        start, end = map(datetime.fromisoformat, answer["time"])
    except Exception:  # whatever fails in a peer is a miss
        return []
    grain = "minute" if end - start < timedelta(hours=1) else "day"
    end += timedelta(seconds=1)
    return [{"kind": "range", "start": start.isoformat(), "end": end.isoformat(), "grain": grain}]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m nlp.evaluate_time", description=__doc__)
    parser.add_argument("paths", nargs="+")
    parser.add_argument("--show", action="store_true", help="show lines that are wrong, held-out ones never")
    parser.add_argument("--peers", action="store_true", help="JioNLP beside ours, where it is installed")
    options = parser.parse_args(arguments)
    normal, mind = Normaliser({}), Understanding.load()
    score = Score()
    spent: list[float] = []
    lines = list(records(options.paths))
    for name, record, held in lines:
        now = datetime.fromisoformat(record["now"]).replace(tzinfo=None) if "now" in record else None
        if now is None:
            continue
        if "expect" in record:
            plain = normal(record["text"])
            began = clock.perf_counter()
            time.find(plain, now)
            spent.append(clock.perf_counter() - began)
            found = mind.moments(record["text"], now=now)
            if not suite(score, name, record, held, found) and options.show and not held:
                _say(f"{record['id']} {record['now']} {record['text']} {record['tags']}")
                _say(f"    want {record['expect']}\n    found {found}")
        elif "slots" in record:
            for line in labelled(score, name, record, held, mind):
                if options.show and not held:
                    _say(f"{record['id']} {record['now'][:16]} {record['text']}\n    {line}")
    _say(f"{'':28} {'built on':>20} {'held out':>20}")
    for row in score.table():
        _say(row)
    if spent:
        spent.sort()
        half, most = spent[len(spent) // 2], spent[len(spent) * 95 // 100]
        _say(f"µs a line: p50 {half * 1e6:.0f}, p95 {most * 1e6:.0f}")
    if options.peers:
        peer(lines, mind)
    return 0


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


if __name__ == "__main__":
    sys.exit(main())
