"""The sweeper: wakes every record whose deadline has passed. It has no leader.

Waking is a change of the record like any other, a compare-and-set, so two sweepers are harmless. So that they do not do
the same work twice, each leaves what another process wrote last to that one for a moment, in case it lives. A wake that
fails is tried again later and later. What this process is not ready for it leaves alone. Named point: `sweep.woken` (before the wake).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog

from shared.errors import Illegible, Outage, Refusal
from shared.ports import Adapters
from shared.run.kit import Sweep
from shared.run.metrics import Metrics
from shared.times import EPOCH

BATCH = 100
AT_MOST = 1.0
OVERDUE_AGAIN = 0.02
"""What is due and could not be woken has been put off: look again after so long."""
LEFT_TO_OTHERS = timedelta(seconds=1.5)
LOOKED_AT = 10 * BATCH
"""So many due records are looked at for a batch of those that are for this process to wake."""

log = structlog.get_logger("sweeper")


class Sweeper:
    """One per service and process."""

    def __init__(self, service: str, sweeps: Sequence[Sweep], adapters: Adapters, metrics: Metrics) -> None:
        self.service = service
        self.trouble: str | None = None
        self._sweeps = sweeps
        self._adapters = adapters
        self._woken = metrics.woken.labels(service)
        self._looked_at = EPOCH
        self._left: dict[tuple[str, str], datetime] = {}
        self._later: dict[tuple[str, str], tuple[datetime, float]] = {}

    async def run(self) -> None:
        """Sweep until cancelled."""
        while True:
            try:
                woken = await self.step()
                self.trouble = None
                if not woken:
                    await self._rest()
            except Outage as outage:
                self.trouble = f"cannot reach the store: {outage}"
                await self._adapters.clock.sleep(AT_MOST)

    async def step(self) -> int:
        """Wake what is due now. Gives the number of records woken."""
        self._looked_at = now = self._adapters.clock.now()
        woken = 0
        for sweep in filter(_is_ready, self._sweeps):
            # Those that were put off are still due, and must not stand before all others.
            ids = await self._adapters.store.due(sweep.kind, now, LOOKED_AT + len(self._later))
            ready = [id for id in ids if self._may(sweep, id, now)][:BATCH]
            self._forget_all_but(sweep, ids)
            done = await asyncio.gather(*(self._wake(sweep, id) for id in ready), return_exceptions=True)
            for id, outcome in zip(ready, done, strict=True):
                self._note(sweep, id, outcome)
            woken += sum(1 for outcome in done if outcome is None)
        return woken

    async def _wake(self, sweep: Sweep, id: str) -> None:
        self._adapters.faults.reach("sweep.woken")
        await sweep.wake(id)
        self._woken.inc()

    def _may(self, sweep: Sweep, id: str, now: datetime) -> bool:
        place = (sweep.kind.kind, id)
        later = self._later.get(place)
        if later is not None:
            return later[0] <= now
        if self._adapters.store.wrote_last(sweep.kind, id):
            return True
        return now - self._left.setdefault(place, now) >= LEFT_TO_OTHERS

    def _forget_all_but(self, sweep: Sweep, ids: Sequence[str]) -> None:
        """Somebody has woken all the others."""
        if self._left:
            kind, due = sweep.kind.kind, set(ids)
            self._left = {at: since for at, since in self._left.items() if at[0] != kind or at[1] in due}

    def _note(self, sweep: Sweep, id: str, outcome: object) -> None:
        place = (sweep.kind.kind, id)
        if outcome is None:
            self._later.pop(place, None)
            return
        if isinstance(outcome, Outage) or not isinstance(outcome, Exception):
            raise outcome if isinstance(outcome, BaseException) else TypeError("a wake gives None")
        pause = min(300.0, self._later.get(place, (None, 0.25))[1] * 2)
        self._later[place] = (self._adapters.clock.now() + timedelta(seconds=pause), pause)
        level = log.info if isinstance(outcome, Refusal) else log.error
        level(
            "wake failed",
            service=self.service,
            kind=sweep.kind.kind,
            record=id,
            error=str(outcome) if isinstance(outcome, Illegible) else type(outcome).__name__,
            pause=pause,
        )

    async def _rest(self) -> None:
        due = await self._adapters.store.next_due()
        seconds = AT_MOST
        if due is not None and due > self._looked_at:
            seconds = min(AT_MOST, (due - self._adapters.clock.now()).total_seconds())
        elif due is not None:
            left = self._left or not all(map(_is_ready, self._sweeps))
            seconds = 5 * OVERDUE_AGAIN if left else OVERDUE_AGAIN
        if seconds <= 0:
            return
        try:
            async with asyncio.timeout(seconds):
                await self._adapters.store.changed()
        except TimeoutError:
            return


def _is_ready(sweep: Sweep) -> bool:
    return sweep.ready()
