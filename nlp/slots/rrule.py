"""What comes again, as a recurrence rule of RFC 5545 (FREQ, INTERVAL, BYDAY …, BYHOUR where an hour was said)."""

from __future__ import annotations

from collections.abc import Sequence

from nlp.slots.time import Found

Span = tuple[int, int]
_HOURED = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")


def find(times: Sequence[Found]) -> list[tuple[str, Span]]:
    """The rules among what was said of time; the only hour of the text is the rule's, wherever it stands."""
    found = [(one, one.rrule) for one in times if one.rrule]
    hours = [one for one in times if one.grain in {"hour", "minute"} and one.wanted and one.start]
    if len(found) == 1 and len(hours) == 1 and "BYHOUR" not in found[0][1]:
        one, rule = found[0]
        at = _at(one, hours[0])
        if at is not None and rule.split("=")[1].split(";")[0] in _HOURED:
            return [(f"{rule};BYHOUR={at[0]};BYMINUTE={at[1]}", one.span)]
    return [(rule, one.span) for one, rule in found]


def _at(rule: Found, hour: Found) -> tuple[int, int] | None:
    """The hour, in the part of the day that the rule named (每天早上 … 五点半)."""
    if hour.start is None or (hour.dated and rule.span[0] > hour.span[0]):
        return None
    at = hour.start.hour
    if rule.grain == "part" and rule.start and rule.end and rule.end.hour and not rule.start.hour - 2 <= at < rule.end.hour:
        moved = (at + 12) % 24
        if rule.start.hour - 2 <= moved < rule.end.hour:
            at = moved
    return at, hour.start.minute


def write(value: str) -> str:
    return value


def read(value: str) -> str:
    """Raises ValueError for what is no rule."""
    if not value.startswith("FREQ="):
        raise ValueError(value)
    return value
