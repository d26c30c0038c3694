"""A world of one service: embedded adapters in memory, a clock that stands still, counted ids, a recorder.

async with world(records, build) as w:
    await w.hears(("need-1", NeedPosted(...)))
    assert [e.line_id for e in w.said(SeatsOffered)] == ["p1"]
    await w.passes(minutes=15)          # deadlines fall due, sweeps run
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from shared.contracts import REGISTRY, Event, Message, encode
from shared.contracts.directory import AccountChanged, OrganisationChanged, SiteChanged, VillageAdded
from shared.embedded.bus import SqliteBus
from shared.embedded.clock import FixedClock
from shared.embedded.engine import SqliteEngine
from shared.embedded.ids import SeededIds
from shared.embedded.store import SqliteStore
from shared.places import Atlas
from shared.ports import Adapters, Delivery, Outgoing, Position
from shared.records import Record
from shared.run.dead_letters import DeadLetter
from shared.run.kit import Kit, Service
from shared.run.metrics import Metrics
from shared.run.unit import Unit

E = TypeVar("E", bound=Event)
START = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
"""Monday 2 March 2026, 09:00 in Fuquan."""


class World:
    """One service and what was said to it and by it."""

    def __init__(self, records: Sequence[type[Record]], build: Callable[[Kit], Service]) -> None:
        self.clock = FixedClock(START)
        self.ids = SeededIds(1, self.clock)
        self.atlas = Atlas()
        self.engine = SqliteEngine(":memory:", inline=True)
        name = _name_of(build)
        self.store = SqliteStore(self.engine, name, (*records, DeadLetter), self.clock, self.ids)
        self.bus = SqliteBus(self.engine, self.clock)
        self.service = build(Kit(store=self.store, clock=self.clock, ids=self.ids, atlas=self.atlas))
        self.metrics = Metrics()
        self.unit = Unit(self.service, Adapters(self.store, self.bus, self.clock, self.ids), self.metrics)
        self.unit.private.caught_up = True
        self.messages: list[Message] = []
        self._published: list[Outgoing] = []
        self._sequences: dict[tuple[str, str], int] = {}
        self._causes = 0

    def knows(
        self, *facts: tuple[str, SiteChanged | OrganisationChanged | AccountChanged | VillageAdded]
    ) -> None:
        """Tell the atlas about sites, organisations, accounts and villages."""
        notes: dict[type[Event], Callable[[Any, Message], None]] = {
            SiteChanged: self.atlas.note_site,
            OrganisationChanged: self.atlas.note_organisation,
            AccountChanged: self.atlas.note_account,
            VillageAdded: self.atlas.note_village,
        }
        for subject, fact in facts:
            notes[type(fact)](fact, self.message(subject, fact))

    def message(self, subject: str, event: Event, sequence: int | None = None) -> Message:
        """The event as it would come over the bus; sequences are counted per record unless one is given."""
        place = (event.topic.name, subject)
        number = sequence or self._sequences.get(place, 0) + 1
        self._sequences[place] = max(number, self._sequences.get(place, 0))
        self._causes += 1
        value = encode(
            event,
            id=f"m{self._causes}",
            subject=subject,
            time=self.clock.now(),
            sequence=number,
            cause=None,
            trace=None,
        )
        return REGISTRY.decode(value)

    async def hears(self, *told: tuple[str, Event] | Message) -> None:
        """Each (subject, event), or a message from `message` (again, for a duplicate), then whatever follows."""
        for one in told:
            message = one if isinstance(one, Message) else self.message(*one)
            for row in self.service.watches:
                if isinstance(message.data, row.event):
                    row.note(message.data, message)
            for handler in self.service.handlers:
                if isinstance(message.data, handler.event):
                    await self.unit.loop.dispatch.attempt(handler, message)
        await self.settle()

    async def settle(self) -> None:
        """Sweep what is due, publish what is pending, hear what is our own, until nothing moves."""
        for _ in range(1000):
            if not (await self.unit.sweeper.step() + await self._publish()):
                return
        raise AssertionError("the service never comes to rest")

    async def passes(self, **duration: float) -> None:
        """Let time pass: `minutes=15`, `hours=2`, `days=1`; deadlines on the way fall due in their order."""
        until = self.clock.now() + timedelta(**duration)
        while (due := await self.store.next_due()) is not None and due <= until:
            self.clock.advance_to(max(due, self.clock.now()) + timedelta(milliseconds=1))
            await self.settle()
        if until > self.clock.now():
            self.clock.advance_to(until)
        await self.settle()

    def said(self, event: type[E]) -> list[E]:
        """Everything of this kind that the service has said, in order."""
        return [m.data for m in self.messages if isinstance(m.data, event)]

    async def _publish(self) -> int:
        batch = await self.store.pending(500)
        await self.store.trim(batch)
        for outgoing in batch:
            message = REGISTRY.decode(outgoing.value)
            self.messages.append(message)
            delivery = Delivery(Position(outgoing.topic, 0), len(self.messages), outgoing.key, outgoing.value)
            await self.unit.loop.dispatch.apply(delivery)
        return len(batch)


def _name_of(build: Callable[[Kit], Service]) -> str:
    return build.__module__.split(".")[1] if build.__module__.startswith("services.") else "toy"


@asynccontextmanager
async def world(records: Sequence[type[Record]], build: Callable[[Kit], Service]) -> AsyncIterator[World]:
    w = World(records, build)
    await w.unit.loop.step(0.0)  # it hears: messages come by `hears` alone
    try:
        yield w
    finally:
        await w.unit.close()
        await w.engine.close()
