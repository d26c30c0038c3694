"""The relay: publishes what waits in the outboxes, in order, and trims what is known to be published.

Publishing twice is harmless, because readers keep watermarks; losing is not possible, because only what the bus
acknowledged is trimmed. Named points: `relay.committed` (before publish) and `relay.published` (before trim).
"""

from __future__ import annotations

import asyncio

import structlog

from shared.errors import Outage
from shared.ports import Adapters
from shared.run.metrics import Metrics

BATCH = 500
LOOK_AGAIN = 1.0

log = structlog.get_logger("relay")


class Relay:
    """One per service and process."""

    def __init__(self, service: str, adapters: Adapters, metrics: Metrics) -> None:
        self.service = service
        self.trouble: str | None = None
        self._adapters = adapters
        self._published = metrics.published.labels(service)

    async def run(self) -> None:
        """Publish until cancelled; woken after each change, and looking by itself every second."""
        pause = 0.05
        while True:
            try:
                if await self.step() == 0:
                    await self._rest()
                pause = 0.05
                self.trouble = None
            except Outage as outage:
                self.trouble = f"cannot publish: {outage}"
                await self._adapters.clock.sleep(pause)
                pause = min(2.0, pause * 2)

    async def step(self) -> int:
        """Publish what is pending, once. Gives the number of messages. Raises Outage; nothing is trimmed then."""
        batch = await self._adapters.store.pending(BATCH)
        if not batch:
            return 0
        self._adapters.faults.reach("relay.committed")
        await self._adapters.bus.publish(batch)
        self._adapters.faults.reach("relay.published")
        await self._adapters.store.trim(batch)
        self._published.inc(len(batch))
        return len(batch)

    async def _rest(self) -> None:
        try:
            async with asyncio.timeout(LOOK_AGAIN):
                await self._adapters.store.outgoing()
        except TimeoutError:
            return
