"""Who wakes what is due: this process at once what it wrote itself, a moment later what nobody else has woken."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial

from structlog.testing import capture_logs

from shared.embedded.bus import SqliteBus
from shared.embedded.clock import FixedClock
from shared.embedded.engine import SqliteEngine
from shared.embedded.ids import SeededIds
from shared.embedded.store import SqliteStore
from shared.ports import Adapters
from shared.records import Change, Record
from shared.run.kit import Sweep
from shared.run.metrics import Metrics
from shared.run.sweeper import BATCH, LEFT_TO_OTHERS, LOOKED_AT, Sweeper


class Alarm(Record):
    kind = "alarm"

    rings_at: datetime | None

    @property
    def due_at(self) -> datetime | None:
        return self.rings_at


def _put(alarm: Alarm, _: Alarm | None) -> Change[Alarm]:
    return Change(alarm)


class SharedStore(SqliteStore):
    """As on a server that several processes write to: some records are known to be of another."""

    def __init__(self, engine: SqliteEngine, clock: FixedClock) -> None:
        super().__init__(engine, "toy", (Alarm,), clock, SeededIds(1, clock))
        self.of_another: set[str] = set()

    def wrote_last(self, kind: type[Record], id: str) -> bool:
        return id not in self.of_another


class Bell:
    """A sweeper over alarms that notes which rang."""

    def __init__(self) -> None:
        self.clock = FixedClock()
        self.engine = SqliteEngine(":memory:", inline=True)
        self.store = SharedStore(self.engine, self.clock)
        self.rang: list[str] = []
        self.broken: set[str] = set()
        adapters = Adapters(
            self.store, SqliteBus(self.engine, self.clock), self.clock, SeededIds(2, self.clock)
        )
        self.ready = True
        sweep = Sweep(Alarm, self.ring, lambda: self.ready)
        self.sweeper = Sweeper("toy", [sweep], adapters, Metrics())

    async def set(self, *ids: str) -> None:
        for id in ids:
            alarm = Alarm(id=id, rings_at=self.clock.now())
            await self.store.change(Alarm, id, partial(_put, alarm))

    async def ring(self, id: str) -> None:
        if id in self.broken:
            raise ZeroDivisionError
        self.rang.append(id)
        await self.store.change(Alarm, id, lambda _: Change(Alarm(id=id, rings_at=None)))


@asynccontextmanager
async def bell() -> AsyncIterator[Bell]:
    made = Bell()
    try:
        yield made
    finally:
        await made.engine.close()


async def test_what_this_process_wrote_is_woken_at_once() -> None:
    async with bell() as b:
        await b.set("a", "b")
        assert await b.sweeper.step() == 2
        assert sorted(b.rang) == ["a", "b"]


async def test_what_another_wrote_is_left_to_it_for_a_moment() -> None:
    async with bell() as b:
        await b.set("mine", "theirs")
        b.store.of_another = {"theirs"}
        await b.sweeper.step()
        assert b.rang == ["mine"]
        b.clock.advance(LEFT_TO_OTHERS.total_seconds())
        await b.sweeper.step()
        assert b.rang == ["mine", "theirs"]


async def test_a_moment_that_began_for_an_earlier_deadline_does_not_count_for_the_next() -> None:
    async with bell() as b:
        await b.set("theirs")
        b.store.of_another = {"theirs"}
        await b.sweeper.step()
        await b.ring("theirs")
        await b.sweeper.step()
        b.clock.advance(LEFT_TO_OTHERS.total_seconds())
        await b.set("theirs")
        await b.sweeper.step()
        assert b.rang == ["theirs"]


async def test_many_of_another_do_not_stand_before_our_own() -> None:
    async with bell() as b:
        theirs = [f"t{n:03}" for n in range(BATCH + 20)]
        await b.set(*theirs, "z-mine")
        b.store.of_another = set(theirs)
        await b.sweeper.step()
        assert b.rang == ["z-mine"]


async def test_however_many_cannot_be_woken_the_others_are() -> None:
    async with bell() as b:
        b.broken = {f"a{n:04}" for n in range(LOOKED_AT)}
        await b.set(*b.broken)
        b.clock.advance(0.1)
        await b.set("fine")
        for _ in range(LOOKED_AT // BATCH + 1):
            await b.sweeper.step()
        assert b.rang == ["fine"]


async def test_what_cannot_be_woken_is_named_in_the_log() -> None:
    async with bell() as b:
        b.broken = {"a"}
        await b.set("a")
        with capture_logs() as lines:
            await b.sweeper.step()
        assert [line["record"] for line in lines if line["event"] == "wake failed"] == ["a"]


async def test_what_this_process_is_not_ready_for_is_left_to_one_that_is() -> None:
    async with bell() as b:
        await b.set("a")
        b.ready = False
        assert await b.sweeper.step() == 0
        b.ready = True
        assert await b.sweeper.step() == 1
