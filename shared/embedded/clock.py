"""Time as a port: the machine's own, and one that a test or a simulated world turns by hand."""

from __future__ import annotations

import asyncio
import heapq
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from shared.ports import Clock


async def first_of(clock: Clock, waited_for: asyncio.Future[Any], seconds: float) -> None:
    """Return when the future is done or `seconds` of this clock have passed, whichever comes first."""
    if waited_for.done():
        return
    timer = asyncio.ensure_future(clock.sleep(seconds))
    try:
        await asyncio.wait((waited_for, timer), return_when=asyncio.FIRST_COMPLETED)
    finally:
        timer.cancel()


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class FixedClock:
    """A clock that stands still until it is told to advance; sleepers wake when their moment has come.

    A simulated world turns it with `advance_to(next_wake)`, one sleeper at a time.
    """

    def __init__(self, start: datetime = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)) -> None:
        self._now = start
        self._sleepers: list[tuple[datetime, int, asyncio.Future[None]]] = []
        self._numbers = count()

    def now(self) -> datetime:
        return self._now

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._now + timedelta(seconds=seconds), next(self._numbers), woken))
        await woken

    @property
    def next_wake(self) -> datetime | None:
        """The moment at which the next sleeper wakes, or None if nobody sleeps."""
        while self._sleepers and self._sleepers[0][2].done():
            heapq.heappop(self._sleepers)
        return self._sleepers[0][0] if self._sleepers else None

    def advance(self, seconds: float) -> None:
        self.advance_to(self._now + timedelta(seconds=seconds))

    def advance_to(self, moment: datetime) -> None:
        """Move to this moment, which must not lie in the past; wake whose time has come, in order."""
        if moment < self._now:
            raise ValueError("a FixedClock never goes back; use set() to play a clock that was put back")
        while (wake := self.next_wake) is not None and wake <= moment:
            self._now = wake
            heapq.heappop(self._sleepers)[2].set_result(None)
        self._now = moment

    def set(self, moment: datetime) -> None:
        """Put the clock to any moment, even an earlier one, as a wrong machine clock does; wakes nobody."""
        self._now = moment
