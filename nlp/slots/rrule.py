"""What comes again, as a rule of RFC 5545: FREQ, INTERVAL, BYDAY …, and BYHOUR where an hour was said."""

from __future__ import annotations

from collections.abc import Sequence

from nlp.slots.time import Found

Span = tuple[int, int]
_HOURED = ("FREQ=DAILY", "FREQ=WEEKLY", "FREQ=MONTHLY", "FREQ=YEARLY")
#: An hour so many characters behind the rule is its hour, even where others are named.
_REACH = 30
_REACH_BACK = 20


def find(times: Sequence[Found]) -> list[tuple[str, Span]]:
    """The rules among what was said of time; the only hour of the text is the rule's, wherever it stands."""
    found = [(one, one.rrule) for one in times if one.rrule]
    if len(found) != 1 or "BYHOUR" in found[0][1] or not found[0][1].startswith(_HOURED):
        return [(rule, one.span) for one, rule in found]
    one, rule = found[0]
    hours = [hour for hour in times if hour.grain in {"hour", "minute"} and hour.wanted]
    behind = [hour for hour in hours if 0 <= hour.span[0] - one.span[1] <= _REACH]
    if not behind and len(hours) == 1 and one.span[0] - hours[0].span[1] <= _REACH_BACK:
        behind = hours
    at = _at(one, behind[0]) if behind else None
    return [(f"{rule};BYHOUR={at[0]};BYMINUTE={at[1]}" if at else rule, one.span)]


def _at(rule: Found, hour: Found) -> tuple[int, int] | None:
    """The hour, in the part of the day that the rule named (每天早上 … 五点半)."""
    if hour.start is None or (hour.dated and rule.span[0] > hour.span[0]):
        return None
    at = hour.start.hour
    if (
        rule.grain == "part"
        and rule.start
        and rule.end
        and rule.end.hour
        and not rule.start.hour - 2 <= at < rule.end.hour
    ):
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
