"""What every test of the command line leaves behind: nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture(autouse=True)
def no_trace_in_the_log() -> Iterator[None]:
    """A command sends the log to a terminal of its own, which is gone afterwards."""
    yield
    structlog.reset_defaults()
