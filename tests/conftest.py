"""What a plain `make test` leaves out, and why it says so."""

from __future__ import annotations

import os
from collections import Counter

import pytest

LEFT_OUT = {
    "faults": ("WUSHE_FAULTS", "kills real processes for minutes: run `make test-faults`"),
    "cluster": ("WUSHE_CLUSTER", "needs Kafka and a MongoDB-compatible server: run `make test-cluster`"),
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip, with the reason, whatever was not asked for; `-rs` prints it."""
    for item in items:
        for marker, (variable, reason) in LEFT_OUT.items():
            if item.get_closest_marker(marker) and not os.environ.get(variable):
                item.add_marker(pytest.mark.skip(reason=reason))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line for each reason: how many were left out, and why."""
    reasons = Counter(
        report.longrepr[2].removeprefix("Skipped: ")
        for report in terminalreporter.getreports("skipped")
        if isinstance(report.longrepr, tuple)
    )
    for reason, count in sorted(reasons.items()):
        terminalreporter.write_line(f"left out {count}: {reason}")
