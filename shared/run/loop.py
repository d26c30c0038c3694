"""The consumer loop around any bus: in order per key, at least once, dead letters for what cannot be applied.

    refusal               done: the domain said no, the watermark has advanced
    unreadable, too old   set aside at once; blocks nobody
    too new               parked; later messages of the same record wait behind it
    fault                 tried again in place with back-off, then parked
    outage                stop reading, say so in /readyz, no dead letter

Named points where a test may stop the process: `loop.received` (before the first apply of a batch) and
`loop.applied` (after the last, before the offset).
"""

from __future__ import annotations

import asyncio
import base64

import structlog

from shared.contracts.envelope import type_of
from shared.errors import Outage
from shared.ports import Adapters, Delivery, Position, Reading
from shared.run.dead_letters import (
    BLOCKING,
    DeadLetter,
    LetterStatus,
    blocked_sources,
    letter_id,
    set_aside,
)
from shared.run.dispatch import FIRST_PAUSE, Dispatcher, Failure
from shared.run.metrics import Metrics

RUN_OF_FAULTS = 20
STOPPED = f"stopped after {RUN_OF_FAULTS} dead letters in a row"
REASONS = ("unreadable", "too-new", "too-old", "fault", "behind")
BATCH = 200
SOON = 0.05
"""How long it waits for more as long as it does not know how much was said while it read nothing."""

log = structlog.get_logger("loop")


class Loop:
    """Reads what one service hears, as a member of its group."""

    def __init__(self, dispatcher: Dispatcher, adapters: Adapters, metrics: Metrics) -> None:
        self.service = dispatcher.service
        self.group = f"wushe.{dispatcher.service}.handle"
        self.trouble: str | None = "has not begun to read"
        self.dispatch = dispatcher
        self._adapters = adapters
        self._metrics = metrics
        self._reading: Reading | None = None
        self._caught_up = False
        self._aims = False
        self._dealt = 0
        self._faults_in_a_row: list[str] = []
        for reason in REASONS:  # a figure that appears only when it is too late cannot be watched
            metrics.dead.labels(self.service, reason)

    async def run(self) -> None:
        """Read until cancelled; come back by itself after an outage."""
        pause = FIRST_PAUSE
        while True:
            try:
                await self.step(seconds=1.0)
                pause = FIRST_PAUSE
            except Outage as outage:
                trouble = f"cannot reach the store or the bus: {outage}"
                if trouble != self.trouble:
                    log.warning("outage", service=self.service, reason=str(outage))
                self.trouble = trouble
                self._loses_touch()
                await self._adapters.clock.sleep(pause)
                pause = min(2.0, pause * 2)

    async def step(self, seconds: float) -> int:
        """Fetch one batch, apply it, commit. Gives the number of deliveries. Raises Outage; then the same
        deliveries come again."""
        if not self.dispatch.topics:
            self.trouble, self._caught_up = None, True
            await self._adapters.clock.sleep(seconds)
            return 0
        if self._reading is None:
            self._reading = await self._adapters.bus.read(self.dispatch.topics, group=self.group)
        reading = self._reading
        if self.stopped and await self._all_dealt_with():
            self.resume()
        batch = await reading.fetch(BATCH, seconds if self._caught_up or self.stopped else min(seconds, SOON))
        self.trouble = STOPPED if self.stopped else None
        if self._dealt != (dealt := self._adapters.bus.rebalances):  # what another had may lie unread
            self._dealt = dealt
            self._loses_touch()
        if not batch:
            await self._note_how_far(reading)
            return 0
        if self.stopped:
            await reading.rewind(_first_offsets(batch))
            await self._adapters.clock.sleep(seconds)
            return 0
        try:
            self._adapters.faults.reach("loop.received")
            await self._apply(batch)
            self._adapters.faults.reach("loop.applied")
            await reading.commit({d.position: d.offset + 1 for d in batch})
        except Outage:
            await reading.rewind(_first_offsets(batch))
            raise
        await self._note_how_far(reading)
        return len(batch)

    @property
    def stopped(self) -> bool:
        """A run of faults means that something is wrong here, not with the messages: a person must look."""
        return len(self._faults_in_a_row) >= RUN_OF_FAULTS

    @property
    def hears(self) -> bool:
        """Whether it reads, and has read what was said while it did not."""
        return self.trouble is None and self._caught_up

    def resume(self) -> None:
        """Read on after a person has looked at a run of dead letters."""
        self._faults_in_a_row.clear()
        self.trouble = None

    async def lag(self) -> int:
        if self._reading is None and self.dispatch.topics:
            raise Outage("has not begun to read")
        return await self._reading.lag() if self._reading else 0

    async def close(self) -> None:
        if self._reading:
            await self._reading.close()
            self._reading = None

    async def _note_how_far(self, reading: Reading) -> None:
        if self.stopped:
            self._loses_touch()
        elif not self._caught_up:
            self._caught_up = await reading.caught_up(afresh=not self._aims)
            self._aims = True

    def _loses_touch(self) -> None:
        """What is said from now on, until it reads again, has to be read as well."""
        self._caught_up = self._aims = False

    async def _all_dealt_with(self) -> bool:
        """Whether none of the run is parked any more: they may have been discarded, or resent by another process."""
        for id in self._faults_in_a_row:
            found = await self._adapters.store.get(DeadLetter, id)
            if found is not None and found.record.status in BLOCKING:
                return False
        return True

    async def _apply(self, batch: list[Delivery]) -> None:
        chains: dict[tuple[str, str], list[Delivery]] = {}
        for delivery in filter(self.dispatch.hears, batch):
            chains.setdefault((delivery.position.topic, delivery.key), []).append(delivery)
        if not chains:
            return
        blocked = await blocked_sources(self._adapters.store)
        done = await asyncio.gather(
            *(self._chain(c, blocked) for c in chains.values()), return_exceptions=True
        )
        for outcome in done:
            if isinstance(outcome, BaseException):
                raise outcome

    async def _chain(self, deliveries: list[Delivery], blocked: set[str]) -> None:
        for delivery in deliveries:
            source = source_of(delivery)
            if source in blocked:
                await self._park(delivery, Failure("behind", "waits behind another", LetterStatus.WAITING, 0))
                continue
            try:
                await self.dispatch.apply(delivery)
                self._faults_in_a_row.clear()
            except Failure as failure:
                await self._park(delivery, failure)
                if failure.status is LetterStatus.PARKED:
                    blocked.add(source)

    async def _park(self, delivery: Delivery, failure: Failure) -> None:
        if failure.reason == "fault":
            self._faults_in_a_row.append(letter_id(self.group, delivery))
            if self.stopped:
                self.trouble = STOPPED
                log.error("stopped", service=self.service, faults=len(self._faults_in_a_row))
        self._metrics.dead.labels(self.service, failure.reason).inc()
        log.error("dead letter", service=self.service, topic=delivery.position.topic, reason=failure.reason)
        await set_aside(self._adapters.store, letter_of(self.group, delivery, failure, self._adapters))


def letter_of(group: str, delivery: Delivery, failure: Failure, adapters: Adapters) -> DeadLetter:
    now = adapters.clock.now()
    return DeadLetter(
        id=letter_id(group, delivery),
        group=group,
        source=source_of(delivery),
        topic_name=delivery.position.topic,
        partition=delivery.position.partition,
        offset=delivery.offset,
        key=delivery.key,
        value=base64.b64encode(delivery.value).decode(),
        type=type_of(delivery.value),
        reason=failure.reason,
        detail=failure.detail,
        attempts=failure.attempts,
        first_failed_at=now,
        status=failure.status,
        order=delivery.offset,
        wake_at=now if failure.status is LetterStatus.WAITING else None,
    )


def source_of(delivery: Delivery) -> str:
    """The record a delivery comes from, told from where it lies, so that unreadable bytes have one too."""
    return f"{delivery.position.topic}/{delivery.key}"


def _first_offsets(batch: list[Delivery]) -> dict[Position, int]:
    first: dict[Position, int] = {}
    for delivery in batch:
        first.setdefault(delivery.position, delivery.offset)
    return first
