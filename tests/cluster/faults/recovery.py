"""How long it takes, once a fault is healed, until everything that was under way has been heard; and the figures of it."""

from __future__ import annotations

import asyncio
import json
import statistics
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from shared.errors import Outage
from wushe.check.evidence import Evidence, Progress

GOAL_SECONDS = 60.0
PATIENCE_SECONDS = 240.0
REPORT = Path(__file__).resolve().parents[3] / "build" / "cluster-faults.json"


class Recovery(NamedTuple):
    """Seconds from the healing of a fault until all lags were zero."""

    fault: str
    seconds: float


async def seconds_to_zero_lag(evidence: Evidence, healed_at: float) -> float:
    """From `healed_at`, on the monotonic clock, until everything written by then is published, and everything published
    then is read by every group."""
    until = time.monotonic() + PATIENCE_SECONDS
    mark, told = None, "no answer"
    while True:
        with suppress(Outage):
            progress = await evidence.progress()
            since = time.monotonic() - healed_at
            told = _left(progress)
            if mark is None and progress.unpublished_seconds < since:
                mark = await evidence.progress()
            elif mark is not None and progress.has_passed(mark, since):
                return since
        assert time.monotonic() < until, f"the lags never came to zero: {told}"
        await asyncio.sleep(0.1)


def _left(progress: Progress) -> str:
    behind = {
        f"{service} {place}": progress.ends[place] - at
        for (service, place), at in progress.read.items()
        if at < progress.ends[place]
    }
    return f"oldest unpublished {progress.unpublished_seconds:.1f} s, behind {behind}"


class Figures:
    """What was measured in this run."""

    def __init__(self) -> None:
        self.recoveries: list[Recovery] = []
        self.facts: dict[str, str] = {}

    def lines(self) -> Iterable[str]:
        for group, fact in self.facts.items():
            yield f"{group}: {fact}"
        seconds = [recovery.seconds for recovery in self.recoveries]
        if seconds:
            yield (
                f"from healing to all lags zero: p50 {statistics.median(seconds):.1f} s, worst {max(seconds):.1f} s, "
                f"{len(seconds)} times (goal {GOAL_SECONDS:.0f} s)"
            )

    def write(self, at_length: bool) -> None:
        if not self.facts and not self.recoveries:
            return
        REPORT.parent.mkdir(parents=True, exist_ok=True)
        seconds = [recovery.seconds for recovery in self.recoveries]
        told = {
            "at_length": at_length,
            "groups": self.facts,
            "recoveries": [recovery._asdict() for recovery in self.recoveries],
            "p50_seconds": statistics.median(seconds) if seconds else None,
            "worst_seconds": max(seconds, default=None),
        }
        REPORT.write_text(json.dumps(told, indent=2, ensure_ascii=False), encoding="utf-8")
