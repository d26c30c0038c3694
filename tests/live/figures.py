"""The figures that a running process tells Prometheus, as a test reads them."""

from __future__ import annotations

from collections.abc import Mapping

import httpx2

FIGURES = {
    "lag": "wushe_lag",
    "outbox age": "wushe_outbox_age_seconds",
    "outbox depth": "wushe_outbox_depth",
    "applied": "wushe_messages_applied_total",
    "duplicates absorbed": "wushe_duplicates_absorbed",
    "dead letters": "wushe_dead_letters_total",
    "rebalances": "wushe_rebalances",
    "loop delay": "wushe_event_loop_delay_seconds",
    "request latency": "wushe_http_request_seconds_count",
    "handling latency": "wushe_handling_seconds_count",
}
"""What an operator is promised, by its name there."""


def figures(url: str) -> Mapping[str, float]:
    """The sum over all labels of each figure. Raises httpx2.TransportError if nobody answers."""
    answer = httpx2.get(f"{url}/metrics", timeout=15.0, trust_env=False)
    assert answer.status_code == 200, answer.text
    found: dict[str, float] = {}
    for line in answer.text.splitlines():
        if line and not line.startswith("#"):
            name, _, value = line.rpartition(" ")
            name = name.partition("{")[0]
            found[name] = found.get(name, 0.0) + float(value)
    return found


def not_told(url: str) -> list[str]:
    """Which of the promised figures are missing."""
    told = figures(url)
    return [what for what, name in FIGURES.items() if name not in told]
