"""A recount on a data directory, whether or not a system runs on it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path

from shared.contracts import TOPICS, Topic
from shared.embedded.bus import SqliteBus
from shared.embedded.clock import SystemClock
from shared.embedded.engine import SqliteEngine, open_read_only
from shared.embedded.ids import SystemIds
from shared.embedded.store import SqliteStore
from shared.embedded.table import name_of
from shared.errors import WusheError
from shared.ports import Clock
from wushe.check.evidence import Evidence, Progress
from wushe.embedded import DATABASE
from wushe.language import say
from wushe.papers import whole_system
from wushe.system import RECORDS


class NoStation(WusheError):
    """The file is a database, but of something else."""

    def __init__(self, path: Path) -> None:
        super().__init__(say("{path} 不是站点的数据", "{path} is no database of a station", path=path))


@cache
def heard() -> dict[str, tuple[Topic, ...]]:
    """The topics that each service's group reads, from the handler tables themselves."""
    return {name: unit.dispatch.topics for name, unit in whole_system().units.items()}


@asynccontextmanager
async def evidence_in(directory: Path, *, live: bool) -> AsyncIterator[Evidence]:
    """The evidence that lies in a data directory, opened for reading only. Raises NoStation, Outage."""
    engine = open_read_only(directory / DATABASE)
    try:
        if not all(engine.has_table(name_of(service, "outbox")) for service in RECORDS):
            raise NoStation(directory / DATABASE)
        yield evidence_of(engine, SystemClock(), live=live)
    finally:
        await engine.close()


def evidence_of(engine: SqliteEngine, clock: Clock, *, live: bool) -> Evidence:
    """The same, from an engine that is open already."""
    ids = SystemIds(clock)
    stores = {name: SqliteStore(engine, name, records, clock, ids) for name, records in RECORDS.items()}
    bus = SqliteBus(engine, clock)

    async def progress() -> Progress:
        read: dict[tuple[str, str], int] = {}
        ends = {topic.name: bus.end(topic.name) for topic in TOPICS}
        for name, topics in heard().items():
            for topic in topics:
                reading = await bus.read([topic], group=f"wushe.{name}.handle")
                ends[topic.name] = bus.end(topic.name)
                read[name, topic.name] = ends[topic.name] - await reading.lag()
                await reading.close()
        ages = [await store.outbox_age() for store in stores.values()]
        return Progress(ends, read, max((a for a in ages if a is not None), default=0.0))

    return Evidence(stores, bus, progress, live)
