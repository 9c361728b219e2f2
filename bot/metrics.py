"""What the house counts, as Prometheus text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

Counts = Callable[[], Mapping[str, float]]


class Counted(Collector):
    """Reads counters where they are kept, when somebody asks."""

    def __init__(
        self,
        turns: Counts,
        deliveries: Counts,
        owed: Counts,
        refused: Callable[[], Mapping[str, Mapping[str, int]]],
    ) -> None:
        self._turns, self._deliveries, self._owed, self._refused = turns, deliveries, owed, refused

    def collect(self) -> Iterable[Metric]:
        turns = CounterMetricFamily("linli_turns", "Turns by outcome", labels=["outcome"])
        for name, value in self._turns().items():
            turns.add_metric([name], value)
        yield turns
        ended = CounterMetricFamily("linli_deliveries", "Messages by how they ended", labels=["state"])
        for name, value in self._deliveries().items():
            ended.add_metric([name], value)
        yield ended
        owed = GaugeMetricFamily("linli_outbox", "Messages in the outbox by state", labels=["state"])
        for name, value in self._owed().items():
            owed.add_metric([name], value)
        yield owed
        refused = CounterMetricFamily(
            "linli_refused", "Callbacks refused or set aside", labels=["channel", "reason"]
        )
        for channel, counts in self._refused().items():
            for reason, value in counts.items():
                refused.add_metric([channel, reason], value)
        yield refused


def exposition(collector: Counted) -> bytes:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(collector)
    return generate_latest(registry)
