"""What the driver itself logs, in few lines: while a broker is away it says the same thing several times a second."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from shared.kafka.link import log

DRIVER = "aiokafka"
TOLD_EVERY_SECONDS = 30.0


class Summary(logging.Handler):
    """Tells the first line from each place in the driver at once; then, at most every half minute, the newest one and how
    many there were since."""

    def __init__(self, every: float = TOLD_EVERY_SECONDS, now: Callable[[], float] = time.monotonic) -> None:
        super().__init__(logging.WARNING)
        self._every = every
        self._now = now
        self._told: dict[tuple[str, int], tuple[float, int]] = {}

    def emit(self, record: logging.LogRecord) -> None:
        place, now = (record.name, record.lineno), self._now()
        told_at, unsaid = self._told.get(place, (float("-inf"), 0))
        if now - told_at < self._every:
            self._told[place] = told_at, unsaid + 1
            return
        self._told[place] = now, 0
        level = log.error if record.levelno >= logging.ERROR else log.warning
        level("driver", part=record.name, says=record.getMessage()[:300], more=unsaid)


def summarise_the_driver() -> None:
    """From now on the driver's own log goes through a summary, once in a process."""
    driver = logging.getLogger(DRIVER)
    if not any(isinstance(handler, Summary) for handler in driver.handlers):
        driver.addHandler(Summary())
        driver.propagate = False
