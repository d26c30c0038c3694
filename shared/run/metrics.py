"""The figures that a running system tells Prometheus. One object per process; `/metrics` prints its registry."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

SHORT = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
SERVICE = ("service",)


class Metrics:
    """Counters by service; no label ever holds an id of a person, a key or a URL."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.applied = self._counter("messages_applied", "Messages handled to the end")
        self.refused = self._counter("messages_refused", "Messages that the domain refused")
        self.retried = self._counter("messages_retried", "Attempts that failed")
        self.published = self._counter("messages_published", "Messages published")
        self.woken = self._counter("records_woken", "Deadlines acted upon")
        self.dead = self._counter("dead_letters", "Dead letters by reason", "reason")
        self.duplicates = self._gauge("duplicates_absorbed", "Messages that a watermark recognised")
        self.rebalances = self._gauge("rebalances", "How often partitions were dealt anew")
        self.lag = self._gauge("lag", "Messages ahead of the group's position")
        self.outbox_depth = self._gauge("outbox_depth", "Messages to be published")
        self.outbox_age = self._gauge("outbox_age_seconds", "Age of the oldest unpublished message")
        self.handling = Histogram(
            "wushe_handling_seconds", "Time for one message", SERVICE, buckets=SHORT, registry=self.registry
        )
        self.loop_delay = Gauge("wushe_event_loop_delay_seconds", "How late it was", registry=self.registry)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"wushe_{name}", text, (*SERVICE, *labels), registry=self.registry)

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(f"wushe_{name}", text, SERVICE, registry=self.registry)
