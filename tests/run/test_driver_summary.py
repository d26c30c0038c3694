"""The Kafka driver says the same thing ten times a second while its broker is away; our log says it now and then."""

from __future__ import annotations

import logging

from structlog.testing import capture_logs

from shared.kafka.summary import Summary


def said(text: str, line: int, level: int = logging.ERROR) -> logging.LogRecord:
    return logging.LogRecord("aiokafka.conn", level, "conn.py", line, text, None, None)


def test_a_flood_becomes_one_line_now_and_one_with_the_count_later() -> None:
    now = [0.0]
    summary = Summary(30.0, lambda: now[0])
    with capture_logs() as told:
        for _ in range(300):
            now[0] += 0.1
            summary.handle(said("cannot connect", 7))
        now[0] += 1
        summary.handle(said("cannot connect still", 7))
    assert [(line["says"], line["more"]) for line in told] == [
        ("cannot connect", 0),
        ("cannot connect still", 299),
    ]


def test_what_is_said_elsewhere_is_not_swallowed() -> None:
    summary = Summary(30.0, lambda: 0.0)
    with capture_logs() as told:
        summary.handle(said("cannot connect", 7))
        summary.handle(said("out of order", 8, logging.WARNING))
    assert [(line["says"], line["log_level"]) for line in told] == [
        ("cannot connect", "error"),
        ("out of order", "warning"),
    ]
