"""One text as it is read: its normal form, the known words in it, its slots, each found once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import cached_property

from nlp import features, segment, tagger
from nlp.lexicon import Lexicon, Span
from nlp.patterns import Scene
from nlp.slots import (
    deadline,
    duration,
    location,
    name,
    people,
    period,
    phone,
    plate,
    price,
    rating,
    ref,
    rrule,
    time,
)


class Reading:
    """A text with its finds. Finds are lazy: a slot that no rule asks for costs nothing."""

    def __init__(self, text: str, plain: str, now: datetime, lexicon: Lexicon) -> None:
        self.text = text
        self.plain = plain
        self.now = now
        self.found = lexicon.find(plain)
        self._slot_spans: dict[str, list[Span]] = {}
        self.scene = Scene(plain, self.found, self.spans)

    def features(self, role: str, group: bool) -> list[str]:
        """What the linear models see."""
        return features.of_text(self.plain, self.found, role, group)

    @cached_property
    def words(self) -> list[str]:
        """jieba's words, as far as labels are sought."""
        return segment.cut(self.plain[: tagger.READ])

    @cached_property
    def phones(self) -> list[tuple[str, Span]]:
        return phone.find(self.plain)

    @cached_property
    def plates(self) -> list[tuple[str, Span]]:
        found = plate.find(self.plain)
        # the area as typed: 蘇A12345
        return [
            (value if value[0].isascii() else self.text[span[0]] + value[1:], span) for value, span in found
        ]

    @cached_property
    def moments(self) -> list[time.Found]:
        """All that is said of time: windows, durations, recurrences."""
        taken = [span for _, span in (*self.phones, *self.plates)]
        return [found for found in time.find(self.plain, self.now) if not _within(found.span, taken)]

    @cached_property
    def times(self) -> list[time.Found]:
        return [found for found in self.moments if found.wanted]

    @cached_property
    def rrules(self) -> list[tuple[str, Span]]:
        return rrule.find(self.moments)

    @cached_property
    def deadlines(self) -> list[tuple[datetime, Span]]:
        return deadline.find(self.plain, self.times)

    @cached_property
    def periods(self) -> list[tuple[period.Period, Span]]:
        return period.find(self.plain, self.now)

    @cached_property
    def addresses(self) -> list[location.Found]:
        return [found for found in location.find(self.plain) if not _within(found.span, self._numbers)]

    @cached_property
    def places(self) -> list[Span]:
        """Named places from left to right; of overlapping ones the longest (主卧卫生间, not 卫生间)."""
        return longest(self.found.get("<place>", ()))

    @cached_property
    def prices(self) -> list[tuple[int | float, Span]]:
        found = price.find(self.plain)
        if not found:
            return []
        taken = [*self._numbers, *(f.span for f in self.addresses if f.likely or not f.bare)]
        # 三千五一个月 and 三块五一斤 hold no 五一
        return [one for one in found if not any(_cuts(span, one[1]) for span in taken)]

    @cached_property
    def lone_prices(self) -> list[tuple[int | float, Span]]:
        """Numbers between marks that nothing else claims; only who sells or pays means money by them."""
        taken = [*self._numbers, *(f.span for f in self.addresses if f.likely or not f.bare)]
        return [found for found in price.alone(self.plain, stuck=True) if not _within(found[1], taken)]

    @cached_property
    def people(self) -> list[tuple[int, Span]]:
        return people.find(self.plain)

    @cached_property
    def capacities(self) -> list[tuple[int, Span]]:
        return people.capacity(self.plain)

    @cached_property
    def ratings(self) -> list[tuple[int, Span]]:
        return rating.find(self.plain)

    @cached_property
    def durations(self) -> list[tuple[int, Span]]:
        return duration.find(self.plain, self.moments)

    @cached_property
    def _numbers(self) -> list[Span]:
        """Where numbers of phones, plates and times stand."""
        times = [found.span for found in self.moments if found.kind != "duration"]
        return [span for _, span in (*self.phones, *self.plates)] + times

    @cached_property
    def refs(self) -> list[tuple[int, Span]]:
        """Ticket numbers, lone numbers included: only rules about tickets ask."""
        return self._refs(True)

    @cached_property
    def marked_refs(self) -> list[tuple[int, Span]]:
        """Numbers that the words around them make a ticket's: #12, 12号, 工单12."""
        return self._refs(False)

    def _refs(self, bare: bool) -> list[tuple[int, Span]]:
        if not ref.possible(self.plain):
            return []
        taken = [*self._numbers, *(f.span for f in self.addresses if not f.bare or f.denied)]
        taken += [span for _, span in (*self.prices, *self.durations, *self.people)]
        return ref.find(self.plain, taken, bare)

    @cached_property
    def named(self) -> list[name.Said]:
        return name.said(self.plain)

    @cached_property
    def names(self) -> list[tuple[str, Span]]:
        return [(self.text[start:end], (start, end)) for start, end in (one.span for one in self.named)]

    def spans(self, slot: str) -> Sequence[Span]:
        """Where values of a slot stand, for patterns."""
        known = self._slot_spans.get(slot)
        if known is None:
            find = _FINDERS.get(slot)
            known = self._slot_spans[slot] = list(find(self)) if find else []
        return known


_FINDERS: dict[str, Callable[[Reading], Iterable[Span]]] = {
    "ref": lambda reading: (span for _, span in reading.refs),
    "phone": lambda reading: (span for _, span in reading.phones),
    "plate": lambda reading: (span for _, span in reading.plates),
    "name": lambda reading: (span for _, span in reading.names),
    "time": lambda reading: (found.span for found in reading.times),
    "clock": lambda reading: (f.span for f in reading.times if f.window.grain in {"hour", "minute"}),
    "address": lambda reading: (found.span for found in reading.addresses),
    "place": lambda reading: reading.places,
    "location": lambda reading: (*(found.span for found in reading.addresses), *reading.places),
    "price": lambda reading: (span for _, span in reading.prices),
    "people": lambda reading: (span for _, span in reading.people),
    "rating": lambda reading: (span for _, span in reading.ratings),
    "capacity": lambda reading: (span for _, span in reading.capacities),
    "duration": lambda reading: (span for _, span in reading.durations),
}


def longest(spans: Sequence[Span]) -> list[Span]:
    """Of overlapping spans the longest, of equally long ones the first; in order."""
    if len(spans) < 2:
        return list(spans)
    kept: list[Span] = []
    taken = bytearray(max(end for _, end in spans))
    for start, end in sorted(spans, key=lambda s: (s[0] - s[1], s[0])):
        if not any(taken[start:end]):
            taken[start:end] = b"x" * (end - start)
            kept.append((start, end))
    return sorted(kept)


def _cuts(span: Span, price: Span) -> bool:
    """Whether something takes a price away: not what is inside it, or begins with its last character."""
    inside = price[0] < span[0] and (span[1] <= price[1] or span[0] == price[1] - 1)
    return span[0] < price[1] and price[0] < span[1] and not inside


def _within(span: Span, taken: Sequence[Span]) -> bool:
    return any(span[0] < end and start < span[1] for start, end in taken)
