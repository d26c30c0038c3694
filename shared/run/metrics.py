"""The figures that a running system tells Prometheus. One object per process; `/metrics` prints its registry."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

SHORT = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """Counters by service; no label ever holds an id of a person, a key or a URL."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        service = ("service",)
        self.applied = Counter(
            "wushe_messages_applied", "Messages handled to the end", service, registry=self.registry
        )
        self.duplicates = Gauge(
            "wushe_duplicates_absorbed",
            "Messages that a watermark recognised",
            service,
            registry=self.registry,
        )
        self.refused = Counter(
            "wushe_messages_refused", "Messages that the domain refused", service, registry=self.registry
        )
        self.retried = Counter(
            "wushe_messages_retried", "Attempts that failed", service, registry=self.registry
        )
        self.dead = Counter(
            "wushe_dead_letters", "Dead letters by reason", ("service", "reason"), registry=self.registry
        )
        self.published = Counter(
            "wushe_messages_published", "Messages published", service, registry=self.registry
        )
        self.lag = Gauge(
            "wushe_lag", "Messages ahead of the group's position", service, registry=self.registry
        )
        self.outbox_depth = Gauge(
            "wushe_outbox_depth", "Messages to be published", service, registry=self.registry
        )
        self.outbox_age = Gauge(
            "wushe_outbox_age_seconds",
            "Age of the oldest unpublished message",
            service,
            registry=self.registry,
        )
        self.woken = Counter("wushe_records_woken", "Deadlines acted upon", service, registry=self.registry)
        self.rebalances = Counter(
            "wushe_rebalances", "Partitions dealt anew", service, registry=self.registry
        )
        self.handling = Histogram(
            "wushe_handling_seconds",
            "Time to handle one message",
            service,
            buckets=SHORT,
            registry=self.registry,
        )
        self.loop_delay = Gauge(
            "wushe_event_loop_delay_seconds", "How late the event loop last was", registry=self.registry
        )
