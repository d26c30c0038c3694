"""The relay: publishes what waits in the outboxes, in order, and trims what is known to be published.

Publishing twice is harmless, because readers keep watermarks; losing is not possible, because only what the bus
acknowledged is trimmed. Named points: `relay.committed` (before publish) and `relay.published` (before trim).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import structlog

from shared.errors import Outage
from shared.ports import Adapters, Outgoing
from shared.run.metrics import Metrics

BATCH = 500
LOOK_AGAIN = 1.0

log = structlog.get_logger("relay")


class Relay:
    """One per service and process. While one batch is trimmed, the next is already published."""

    def __init__(self, service: str, adapters: Adapters, metrics: Metrics) -> None:
        self.service = service
        self.trouble: str | None = None
        self._adapters = adapters
        self._published = metrics.published.labels(service)
        self._trimming: dict[tuple[str, str, int], asyncio.Task[None]] = {}
        self._not_trimmed: Outage | None = None

    async def run(self) -> None:
        """Publish until cancelled; woken after each change, and looking by itself every second."""
        pause = 0.05
        while True:
            try:
                if await self._publish() == 0:
                    await self._rest()
                pause = 0.05
                self.trouble = None
            except Outage as outage:
                self.trouble = f"cannot publish: {outage}"
                await self._adapters.clock.sleep(pause)
                pause = min(2.0, pause * 2)

    async def step(self) -> int:
        """Publish what is pending, once, and trim it. Gives the number of messages. Raises Outage; what was not trimmed
        then is published again."""
        count = await self._publish()
        await self._settle()
        return count

    async def _publish(self) -> int:
        self._raise_what_was_not_trimmed()
        under_way = self._trimming
        pending = await self._adapters.store.pending(BATCH + len(under_way))
        batch = [message for message in pending if message[:3] not in under_way]
        if not batch:
            await self._settle()
            return 0
        self._adapters.faults.reach("relay.committed")
        await self._adapters.bus.publish(batch)
        self._adapters.faults.reach("relay.published")
        trimming = asyncio.ensure_future(self._trim(batch))
        under_way.update((message[:3], trimming) for message in batch)
        self._published.inc(len(batch))
        return len(batch)

    async def _trim(self, batch: Sequence[Outgoing]) -> None:
        try:
            await self._adapters.store.trim(batch)
        except Outage as outage:
            self._not_trimmed = outage
        finally:
            for message in batch:
                self._trimming.pop(message[:3], None)

    async def _settle(self) -> None:
        """Wait until what was published has been trimmed."""
        while self._trimming:
            await next(iter(self._trimming.values()))
        self._raise_what_was_not_trimmed()

    def _raise_what_was_not_trimmed(self) -> None:
        outage, self._not_trimmed = self._not_trimmed, None
        if outage is not None:
            raise outage

    async def _rest(self) -> None:
        try:
            async with asyncio.timeout(LOOK_AGAIN):
                await self._adapters.store.outgoing()
        except TimeoutError:
            return
