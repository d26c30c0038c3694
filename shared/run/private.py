"""The private reader: everything on some topics since the start, into memory, in every process."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import structlog

from shared.caught import Caught
from shared.contracts import REGISTRY, Message, Topic
from shared.contracts.envelope import type_of
from shared.errors import Outage, TooNew, Unreadable
from shared.ports import Adapters, Delivery, Reading
from shared.run.kit import Watch

BATCH = 2000

log = structlog.get_logger("private")


class PrivateReader:
    """Feeds copies. What it cannot read or note it passes by: the reading service's group keeps the dead letter."""

    def __init__(self, name: str, watches: Sequence[Watch[Any]], adapters: Adapters) -> None:
        self.name = name
        self.caught_up = not watches
        self.read = 0
        self._adapters = adapters
        self._topics: tuple[Topic, ...] = tuple(sorted({w.event.topic for w in watches}))
        self._rows: dict[str, list[Watch[Any]]] = {}
        for row in watches:
            self._rows.setdefault(f'"cn.wushe.{row.event.name}.v', []).append(row)
        self._wanted = {key.encode(): rows for key, rows in self._rows.items()}
        self._reading: Reading | None = None
        self._passed_by: set[str] = set()

    async def run(self) -> None:
        """Read until cancelled; come back by itself after an outage."""
        while self._topics:
            await self._read_on()

    async def catch_up(self) -> None:
        """Read until everything is known that was said so far, however long an outage takes."""
        while not self.caught_up:
            await self._read_on()

    async def step(self, seconds: float) -> int:
        """Note one batch. Gives the number of deliveries."""
        if not self._topics:
            return 0
        if self._reading is None:
            self._reading = await self._adapters.bus.read(self._topics, group=None)
        batch = await self._reading.fetch(BATCH, seconds if self.caught_up else min(seconds, 0.05))
        for delivery in batch:
            self._note(delivery)
        self.read += len(batch)
        if not self.caught_up and await self._reading.caught_up():
            self.caught_up = True
        return len(batch)

    async def close(self) -> None:
        if self._reading:
            await self._reading.close()
            self._reading = None

    async def _read_on(self) -> None:
        try:
            await self.step(1.0)
        except Outage as outage:
            log.warning("outage", reader=self.name, reason=str(outage))
            await self._adapters.clock.sleep(0.5)

    def _note(self, delivery: Delivery) -> None:
        rows = self._rows_for(delivery.value)
        if not rows:
            self._pass_by(delivery)
            return
        try:
            message = REGISTRY.decode(delivery.value)
        except (Unreadable, TooNew) as reason:
            log.warning("passed by", reader=self.name, topic=delivery.position.topic, reason=str(reason))
            return
        for row in rows:
            if message.data.name == row.event.name:
                self._tell(row, message)

    def _pass_by(self, delivery: Delivery) -> None:
        """Most are of types that this reader does not watch. One of no type that anybody knows may have been of one that it
        does: the first of a topic is named, `wushe check` counts them all."""
        topic = delivery.position.topic
        if topic not in self._passed_by and type_of(delivery.value) not in REGISTRY.by_type:
            self._passed_by.add(topic)
            log.warning(
                "passed by", reader=self.name, topic=topic, offset=delivery.offset, reason="of no known type"
            )

    def _tell(self, row: Watch[Any], message: Message) -> None:
        """A copy that cannot take one message goes without it: copies are advisory, and the rest must go on."""
        caught = Caught()
        with caught:
            row.note(message.data, message)
        if caught.error is not None:
            fault = type(caught.error).__name__
            log.error("not noted", reader=self.name, type=message.type, id=message.id, error=fault)

    def _rows_for(self, value: bytes) -> list[Watch[Any]]:
        """The rows whose type stands in the envelope: a look at the bytes, so that others are not decoded."""
        head = value[:400]
        return [row for key, rows in self._wanted.items() if key in head for row in rows]
