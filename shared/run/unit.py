"""One running service: its loop, relay, sweeper and private reader, on whatever adapters it was given."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable
from dataclasses import replace

from shared.errors import Outage
from shared.ports import Adapters
from shared.run.dead_letters import DeadLetter, LetterStatus, ahead, keep, patience, release_next
from shared.run.dispatch import Dispatcher, Failure
from shared.run.kit import Service, Sweep
from shared.run.loop import Loop
from shared.run.metrics import Metrics
from shared.run.private import PrivateReader
from shared.run.relay import Relay
from shared.run.sweeper import Sweeper

BEHIND = 5_000
"""With more messages ahead than this a service is not ready: what it knows is old."""
UNPUBLISHED_SECONDS = 15.0
"""With messages that wait longer than this to be published it is not ready: nobody hears what it says."""


class Unit:
    """All that moves in one service. `tasks` are to be run side by side; a simulated world calls `step` instead."""

    def __init__(self, service: Service, adapters: Adapters, metrics: Metrics) -> None:
        self.service = service
        self.adapters = adapters
        self._metrics = metrics
        self._lag = self._outbox_age = 0.0
        self.dispatch = Dispatcher(service.name, service.handlers, adapters, metrics)
        self.loop = Loop(self.dispatch, adapters, metrics)
        self.relay = Relay(service.name, adapters, metrics)
        self.private = PrivateReader(service.name, service.watches, adapters)
        sweeps = (*map(self._while_it_hears, service.sweeps), Sweep(DeadLetter, self._play))
        self.sweeper = Sweeper(service.name, sweeps, adapters, metrics)

    async def run(self) -> None:
        """Run until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for part in (self.loop, self.relay, self.private, self.sweeper):
                tasks.create_task(part.run(), name=f"{self.service.name}.{type(part).__name__.lower()}")

    async def step(self) -> int:
        """One round of everything, without waiting. Gives how much was done."""
        done = await self.private.step(0.0)
        done += await self.loop.step(0.0)
        done += await self.sweeper.step()
        return done + await self.relay.step()

    async def missing(self) -> list[str]:
        """What keeps this service from being ready, in plain words; empty when nothing does."""
        found: list[str] = []
        for what, ping in (("store", self.adapters.store.ping), ("bus", self.adapters.bus.ping)):
            try:
                await ping()
            except Outage as outage:
                found.append(f"{self.service.name}: {what}: {outage}")
        if not self.private.caught_up:
            found.append(f"{self.service.name}: its copies have not caught up")
        for part in (self.loop, self.relay, self.sweeper):
            if part.trouble:
                found.append(f"{self.service.name}: {type(part).__name__.lower()}: {part.trouble}")
        if self._lag > BEHIND:
            found.append(f"{self.service.name}: lag: {self._lag:.0f} messages ahead")
        if self._outbox_age > UNPUBLISHED_SECONDS:
            found.append(f"{self.service.name}: outbox age: {self._outbox_age:.0f} s unpublished")
        return found

    async def measure(self) -> None:
        """Bring the gauges up to date. What cannot be known during an outage is not a number; the rest is told."""
        name, store, metrics = self.service.name, self.adapters.store, self._metrics
        metrics.duplicates.labels(name).set(store.duplicates_absorbed)
        metrics.rebalances.labels(name).set(self.adapters.bus.rebalances)
        self._outbox_age = await _known(store.outbox_age())
        metrics.outbox_age.labels(name).set(self._outbox_age)
        metrics.outbox_depth.labels(name).set(await _known(store.outbox_depth()))
        self._lag = await _known(self.loop.lag())
        metrics.lag.labels(name).set(self._lag)

    async def close(self) -> None:
        await self.loop.close()
        await self.private.close()
        if self.service.close:
            await self.service.close()

    def _while_it_hears(self, sweep: Sweep) -> Sweep:
        """While a service hears nothing its deadlines wait: what lies unread may say that a need has become a child's, or
        that somebody will come."""
        return replace(sweep, ready=lambda: self.loop.hears and sweep.ready())

    async def _play(self, id: str) -> None:
        """Play a dead letter once more, in its turn."""
        store, now = self.adapters.store, self.adapters.clock.now()
        found = await store.get(DeadLetter, id)
        if found is None or found.record.wake_at is None:
            return
        letter = found.record
        if await ahead(store, letter):
            later = now + await patience(store, letter)
            await keep(store, letter.but(wake_at=later), found.version)
            return
        try:
            await self.dispatch.apply(letter.delivery)
        except Failure as failure:
            again = letter.failed_again(failure.reason, failure.detail, failure.status)
            await keep(store, again, found.version)
        else:
            await keep(store, letter.but(status=LetterStatus.RESENT, wake_at=None), found.version)
            self.loop.resume()
        await release_next(store, letter.source, now)


async def _known(figure: Awaitable[float | None]) -> float:
    try:
        return await figure or 0.0
    except Outage:
        return math.nan
