"""A toy service that keeps a list of what it heard from each need, and breaks when told to."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

from fastapi import APIRouter

from shared.contracts import Event, Message, encode
from shared.contracts.needs import NeedCancelled
from shared.contracts.vocabulary import CancelReason
from shared.embedded.bus import SqliteBus
from shared.embedded.clock import FixedClock
from shared.embedded.engine import SqliteEngine
from shared.embedded.ids import SeededIds
from shared.embedded.store import SqliteStore
from shared.errors import Outage, Refusal
from shared.ports import Adapters, Outgoing
from shared.records import Change, Record
from shared.run.dead_letters import DeadLetter, LetterStatus, letters, resend
from shared.run.kit import Service, Sweep, on
from shared.run.metrics import Metrics
from shared.run.unit import Unit


class Heard(Record):
    kind = "heard"

    sequences: tuple[int, ...] = ()


class Alarm(Record):
    kind = "alarm"

    rings_at: datetime | None = None

    @property
    def due_at(self) -> datetime | None:
        return self.rings_at


class Toy:
    """The service, the bus it reads from, and the switches that make it fail."""

    def __init__(self) -> None:
        self.clock = FixedClock()
        self.ids = SeededIds(1, self.clock)
        self.engine = SqliteEngine(":memory:", inline=True)
        self.store = SqliteStore(self.engine, "toy", (Heard, Alarm, DeadLetter), self.clock, self.ids)
        self.bus = SqliteBus(self.engine, self.clock)
        self.broken: set[str] = set()
        self.away = False
        self.refuses = False
        self.attempts = 0
        self.rang: list[str] = []
        handlers, sweeps = [on(NeedCancelled, self.hear)], [Sweep(Alarm, self.ring)]
        service = Service("toy", (Heard, Alarm), APIRouter(), handlers=handlers, sweeps=sweeps)
        self.metrics = Metrics()
        self.unit = Unit(service, Adapters(self.store, self.bus, self.clock, self.ids), self.metrics)
        self._numbers: dict[str, int] = {}

    async def hear(self, event: NeedCancelled, message: Message) -> None:
        self.attempts += 1
        if self.away:
            raise Outage("the store is away")
        if self.refuses:
            raise Refusal()
        if message.subject in self.broken:
            raise ZeroDivisionError(f"secret of {event.site_id}")

        def note(old: Heard | None) -> Change[Heard]:
            heard = old or Heard(id=message.subject)
            return Change(heard.but(sequences=(*heard.sequences, message.sequence)))

        await self.store.change(Heard, message.subject, note, cause=message)

    async def ring(self, id: str) -> None:
        self.rang.append(id)
        await self.store.change(Alarm, id, lambda _: Change(Alarm(id=id)))

    async def sets_alarm(self, id: str) -> None:
        """It is due at once."""
        alarm = Alarm(id=id, rings_at=self.clock.now())
        await self.store.change(Alarm, id, lambda _: Change(alarm))
        self.clock.advance(1)

    async def told(self, *needs: str) -> None:
        """The next message of each of these needs lies on the bus."""
        await self.bus.publish([self.message(need) for need in needs])

    def message(self, need: str, event: Event | None = None, value: bytes | None = None) -> Outgoing:
        number = self._numbers[need] = self._numbers.get(need, 0) + 1
        event = event or NeedCancelled(site_id="site-1", reason=CancelReason.OTHER)
        bytes_ = value or encode(
            event,
            id=self.ids.new(),
            subject=need,
            time=self.clock.now(),
            sequence=number,
            cause=None,
            trace=None,
        )
        return Outgoing("need", need, number, NeedCancelled.topic.name, need, bytes_)

    async def reads(self) -> None:
        """Read until nothing is left; sleepers (back-off) are woken at once."""
        import asyncio

        while True:
            step = asyncio.ensure_future(self.unit.step())
            while not step.done():
                if (wake := self.clock.next_wake) is not None:
                    self.clock.advance_to(wake)
                await asyncio.sleep(0)
            if not step.result():
                return

    async def resends(self) -> None:
        """The parked letter is resent, and what waits behind it gets its turn."""
        (parked,) = await self.letters(LetterStatus.PARKED)
        await resend(self.store, parked.id, self.clock.now())
        for _ in range(4):
            await self.reads()
            self.clock.advance(20)

    async def heard(self, need: str) -> tuple[int, ...]:
        found = await self.store.get(Heard, need)
        return found.record.sequences if found else ()

    async def letters(self, *statuses: LetterStatus) -> list[DeadLetter]:
        found = await letters(self.store, statuses) if statuses else await letters(self.store)
        return [f.record for f in found]


@asynccontextmanager
async def toy() -> AsyncIterator[Toy]:
    t = Toy()
    try:
        yield t
    finally:
        await t.unit.close()
        await t.engine.close()
