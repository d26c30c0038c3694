"""A recount on a cluster: every service's store and the whole log, read beside the running services."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from shared.contracts import TOPICS
from shared.embedded.clock import SystemClock
from shared.embedded.ids import SystemIds
from shared.kafka import KafkaBus
from shared.kafka.progress import Progress as Offsets
from shared.ports import Position
from shared.run.settings import Settings
from wushe.check.embedded import heard
from wushe.check.evidence import Evidence, Progress
from wushe.cluster import connection_for, link_for, require_kafka, stores
from wushe.system import SERVICES, group_of


@asynccontextmanager
async def evidence_on(settings: Settings) -> AsyncIterator[Evidence]:
    """The evidence that lies on these servers. It joins no group and changes nothing but what a start makes anyway:
    topics and indexes that are missing."""
    clock = SystemClock()
    connection, link = connection_for(settings, "check"), link_for(settings)
    await require_kafka(link)
    books = stores(connection, clock, SystemIds(clock))
    bus, offsets = KafkaBus(link), Offsets(link, TOPICS)

    async def progress() -> Progress:
        committed = await offsets.committed([group_of(name) for name in heard()])
        ends = await offsets.ends()
        read = {
            (name, _name(at)): committed[group_of(name)].get(at, 0)
            for name, topics in heard().items()
            for topic in topics
            for at in ends
            if at.topic == topic.name
        }
        ages = [await store.outbox_age() for store in books.values()]
        unpublished = max((age for age in ages if age is not None), default=0.0)
        return Progress({_name(at): end for at, end in ends.items()}, read, unpublished)

    try:
        running = await offsets.attended([group_of(service) for service in SERVICES])
        yield Evidence(books, bus, progress, live=bool(running))
    finally:
        await offsets.close()
        await bus.close()
        for store in books.values():
            await store.close()
        await connection.close()


def _name(at: Position) -> str:
    """A partition, which has an order of its own, is followed like a topic of the embedded log."""
    return f"{at.topic}/{at.partition}"
